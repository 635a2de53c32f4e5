package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/testkit"
)

// secondBench is the machine that a backup is restored on.
func secondBench(t *testing.T, databaseURL string) *bench {
	b := newBench(t)
	b.env = append([]string{"DATABASE_URL=" + databaseURL}, b.env...)
	return b
}

// A backup is made while a server runs, and restored elsewhere: from and into every engine that takes it. What was ended before stays so;
// what began after is not there; and the log verifies, also by a head that was kept.
func TestBackupAndRestore(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			from := testkit.DatabaseURL(t, engine)
			b := secondBench(t, from)
			s := b.serve()
			w := settle(b, s, from)
			records, head := w.sealed(b)
			key, public, file := filepath.Join(b.dir, "backup.key"), filepath.Join(b.dir, "backup.pub"), filepath.Join(b.dir, "monday.admit")
			bob := s.client(t).Post("/auth/login?transport=token", testkit.M{"email": "bob@example.com", "password": townPassword}).Want(200).Text("refresh_token")
			made := b.run("backup", "key").want(0, "Public half: age1")
			write(t, key, made.out)
			write(t, public, made.err[strings.Index(made.err, "age1"):])
			b.run("backup", "create", file, "--key-file", public).want(0, "users\t", "Sealed ")
			b.run("backup", "create", file, "--key-file", public).want(1, "is there already")
			b.run("backup", "verify", file, "--key-file", public).want(2, "does not open")
			b.run("backup", "verify", file, "--key-file", key, "--json").want(0, `"table": "totp_secrets"`, `"engine": "`+engine+`"`)
			b.run("audit", "tail", "--type", "backup.created").want(0, `"rows":`)
			late := s.client(t)
			late.Post("/auth/signup", testkit.M{"email": "late@example.com", "password": townPassword}).Want(201)
			latest := w.renew(s, bob).Want(200).Text("refresh_token")
			s.stop()

			into := []string{engine}
			if engine == "sqlite" && len(testkit.Engines()) > 1 {
				into = testkit.Engines()
			}
			for _, other := range into {
				b2 := secondBench(t, testkit.DatabaseURL(t, other))
				b2.run("backup", "restore", file, "--key-file", key).want(0, "users\t", "Restored ")
				b2.run("backup", "restore", file, "--key-file", key).want(1, "is not empty", "--force")
				s2 := b2.serve()
				w2 := *w
				w2.lives(s2)
				w2.who(s2, late.Cookie("/auth/me", "session_id")).Want(401)
				w2.renew(s2, latest).Want(401)
				w2.renew(s2, bob).Want(401) // who shows one that is not there yet has the session ended
				if again, _ := w2.sealed(b2, head); again <= records {
					t.Errorf("%d records, and %d before", again, records)
				}
				b2.run("audit", "tail", "--type", "backup.restored").want(0, `"made_at":`)
				s2.stop()
				b2.run("backup", "restore", file, "--key-file", key, "--force").want(0, "Restored ")
				b2.run("user", "get", "p7@example.com").want(0)
				s2 = b2.serve()
				w2.who(s2, w.session).Want(200)
				w2.sealed(b2, head)
				s2.stop()
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The key that was generated goes with the data, and the one it replaces is kept; one that is set has to be the right one, and is given.
func TestBackupBringsItsKey(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.terminal, b.typed = cli.Terminals{In: true}, []string{"correct horse battery", "correct horse battery", "correct horse battery", "not the passphrase"}
	b.run("user", "create", "--email", "ann@example.com", "--no-password").want(0)
	file := filepath.Join(b.dir, "b")
	b.run("backup", "create", file).want(0, "Passphrase: ")
	kept, err := os.ReadFile(filepath.Join(b.dir, "admit-data", "session_secret_key"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(b.dir, "key"), "correct horse battery\n")
	b.run("backup", "verify", file, "--key-file", filepath.Join(b.dir, "key")).want(0, "Whole: ")
	b.terminal = cli.Terminals{}
	b.run("backup", "verify", file).want(2, "--key-file")
	b.run("backup", "verify", file+"x", "--key-file", filepath.Join(b.dir, "key")).want(1, "no such file")

	b2 := newBench(t)
	b2.run("user", "list").want(1)
	b2.run("user", "create", "--email", "bob@example.com", "--no-password").want(0)
	b2.run("backup", "restore", file, "--key-file", filepath.Join(b.dir, "key"), "--force").want(0)
	data := filepath.Join(b2.dir, "admit-data")
	if now, err := os.ReadFile(filepath.Join(data, "session_secret_key")); err != nil || string(now) != string(kept) {
		t.Error(err)
	}
	if list, _ := filepath.Glob(filepath.Join(data, "session_secret_key.replaced-"+time.Now().UTC().Format("2006")+"*")); len(list) != 1 {
		t.Error(list)
	}
	b2.run("user", "get", "bob@example.com").want(3)
	b2.run("user", "get", "ann@example.com").want(0)
	s := b2.serve()
	b2.run("backup", "restore", file, "--key-file", filepath.Join(b.dir, "key"), "--force").want(1, "Another program has the database open")
	s.stop()

	b3 := newBench(t, "SESSION_SECRET_KEY=7f2c1a9be04d4c5f8a36d15e90b7c2f4")
	b3.run("backup", "restore", file, "--key-file", filepath.Join(b.dir, "key")).want(1, "another SESSION_SECRET_KEY", "session_secret_key.restored")
	b3.env[0] = "SESSION_SECRET_KEY_FILE=" + filepath.Join(b3.dir, "admit-data", "session_secret_key.restored")
	b3.run("backup", "restore", file, "--key-file", filepath.Join(b.dir, "key")).want(0)
	b3.run("user", "get", "ann@example.com").want(0)
}
