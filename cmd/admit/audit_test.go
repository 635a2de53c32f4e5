package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// The log is followed, exported and verified on the command line; a record that was changed is named and ends verify with 1, and so
// does a log that lacks what was kept elsewhere.
func TestAuditCommands(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("audit", "verify").want(1, "There is no database at")
	s := b.serve()
	c := s.client(t)
	c.Post("/auth/signup", testkit.M{"email": "ann@example.com", "password": "secret-pass-1"}).Want(201)
	c.Post("/auth/login", testkit.M{"email": "ann@example.com", "password": "wrong-pass-1"}).Want(401)
	head := filepath.Join(b.dir, "admit-data", "audit_head")
	var report struct {
		OK       bool
		Records  int
		Unsealed int
		Head     string
		Bad      *struct{ ID, Cursor, Reason string }
	}
	verify := func(args ...string) answer {
		a := b.run(append([]string{"audit", "verify", "--json"}, args...)...)
		report.Bad = nil
		if err := json.Unmarshal([]byte(a.out), &report); err != nil {
			t.Fatal(err, a)
		}
		return a
	}
	eventually(t, 10*time.Second, "everything sealed", func() bool {
		return verify().code == 0 && report.Unsealed == 0 && report.Records > 3
	})
	kept, err := os.ReadFile(head)
	if err != nil || strings.TrimSpace(string(kept)) != report.Head {
		t.Fatalf("%q %v, verify says %q", kept, err, report.Head)
	}
	verify("--head", report.Head).want(0)
	b.run("audit", "verify", "--head", "7").want(2, "A head is a number")

	failed := b.run("audit", "tail", "--type", "login.failed").want(0, "login.failed\tfailure\t")
	if strings.Count(failed.out, "\n") != 1 {
		t.Errorf("%q", failed.out)
	}
	lines := strings.Split(strings.TrimSpace(b.run("audit", "export").want(0, "Exported ").out), "\n")
	if len(lines) != report.Records || !json.Valid([]byte(lines[0])) {
		t.Errorf("%d lines, %d records", len(lines), report.Records)
	}
	if out := b.run("audit", "export", "--format", "csv", "--outcome", "failure").want(0).out; !strings.HasPrefix(out, "id,at,kind,") || strings.Count(out, "\r\n") != 2 {
		t.Errorf("%q", out)
	}
	b.terminal.Err = true
	b.run("audit", "verify").want(0, "verifying [")
	b.terminal.Err = false

	ctx, stop := context.WithCancel(t.Context())
	p, out, _ := b.program(ctx, "")
	done := make(chan int)
	go func() {
		done <- run(p, []string{"audit", "tail", "--follow", "--json", "--type", "user.created", "--limit", "1"})
	}()
	eventually(t, 10*time.Second, "what has happened", func() bool { return strings.Count(out.String(), "\n") == 1 })
	c.Post("/auth/signup", testkit.M{"email": "bob@example.com", "password": "secret-pass-1"}).Want(201)
	eventually(t, 10*time.Second, "what happens", func() bool { return strings.Count(out.String(), "\n") == 2 })
	stop()
	if code := <-done; code != 0 {
		t.Error(code)
	}

	s.stop()
	db, err := sql.Open("sqlite", filepath.Join(b.dir, "admit-data", "admit.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var id string
	for _, text := range []string{`DROP TRIGGER events_same`, `UPDATE events SET data = '{}' WHERE kind = 'login.failed'`} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.QueryRow(`SELECT id FROM events WHERE kind = 'login.failed'`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	if verify().want(1); report.OK || report.Bad == nil || report.Bad.ID != id {
		t.Errorf("%+v", report.Bad)
	}
	b.run("audit", "verify").want(1, "The first bad record is "+id, "changed after it was sealed")
}
