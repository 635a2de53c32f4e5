package torture_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// A disk that refuses every write, as a failing one does: chattr +i has the kernel do that to files that are open.
func TestDiskRefuses(t *testing.T) {
	if !slices.Contains(testkit.Engines(), "sqlite") || os.Getuid() != 0 {
		return // only root can make files immutable; TestDiskFull holds the same for everybody
	}
	dir := t.TempDir()
	if err := immutable(dir, true); err != nil {
		t.Logf("left out, the file system of %s knows no immutable files: %v", dir, err)
		return
	}
	defer func() { _ = immutable(dir, false) }()
	if err := immutable(dir, false); err != nil {
		t.Fatal(err)
	}
	p := serve(t, dir, settings(dir, ""))
	cookie := p.must(t, signUp("ann@example.com"), 201).session
	var files []string
	for _, name := range []string{"admit.db", "admit.db-wal", "events.jsonl"} {
		files = append(files, filepath.Join(dir, "admit-data", name))
	}
	thaw := func() {
		for _, f := range files {
			if err := immutable(f, false); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(thaw)
	for range times(3) {
		for _, f := range files {
			if err := immutable(f, true); err != nil {
				t.Fatal(err)
			}
		}
		for range 10 {
			r := p.must(t, logIn("ann@example.com"), 503)
			if len(r.header["Set-Cookie"]) > 0 || !strings.Contains(string(r.text), "database_unavailable") {
				t.Errorf("%v", r)
			}
			p.must(t, me(cookie), 200)
		}
		p.must(t, logOut(cookie), 503)
		thaw()
		within(t, 2*time.Second, "writing works again", func() bool {
			r, err := p.send(logIn("ann@example.com"))
			return err == nil && r.status == 200
		})
		p.must(t, me(cookie), 200)
	}
	db := open(t, "sqlite:///"+filepath.Join(dir, "admit-data", "admit.db"))
	halves(t, db)
	eventFile(t, db, "sqlite", filepath.Join(dir, "admit-data", "events.jsonl"))
}

func immutable(path string, on bool) error {
	flag := "-i"
	if on {
		flag = "+i"
	}
	return exec.Command("chattr", flag, path).Run()
}
