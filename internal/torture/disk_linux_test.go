package torture_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// small is a server whose data directory is a file system of a few megabytes, in a mount namespace of its own.
type small struct {
	*process
	inside string // the data directory, as seen from here
}

func serveSmall(t *testing.T, size string) *small {
	t.Helper()
	dir := t.TempDir()
	data := filepath.Join(dir, "admit-data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `mount -t tmpfs -o size="$1",mode=700 torture "$2" && exec "$3" serve`, "sh", size, data, program)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 { // a user namespace lets anybody mount, where the system allows it
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	}
	p := launched(t, cmd, dir, "127.0.0.1:"+testkit.FreePort(t), settings(dir, ""))
	p.waitReady(20 * time.Second)
	return &small{p, fmt.Sprintf("/proc/%d/root%s", cmd.Process.Pid, data)}
}

// fill takes all the room that is left, to the last byte.
func (s *small) fill() {
	s.Helper()
	f, err := os.OpenFile(filepath.Join(s.inside, "fill"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	for chunk := 64 << 10; chunk > 0; chunk /= 2 {
		for err == nil {
			_, err = f.Write(make([]byte, chunk))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			s.Fatal(err)
		}
		err = nil
	}
}

func (s *small) free() {
	s.Helper()
	if err := os.Remove(filepath.Join(s.inside, "fill")); err != nil {
		s.Fatal(err)
	}
}

// copyOut copies the store as it is to where it can be opened.
func (s *small) copyOut() (databaseURL string) {
	s.Helper()
	dir := s.TempDir()
	for _, name := range []string{"admit.db", "admit.db-wal"} {
		in, err := os.Open(filepath.Join(s.inside, name))
		if err != nil {
			s.Fatal(err)
		}
		var text bytes.Buffer
		if _, err := io.Copy(&text, in); err != nil {
			s.Fatal(err)
		}
		in.Close()
		if err := os.WriteFile(filepath.Join(dir, name), text.Bytes(), 0o600); err != nil {
			s.Fatal(err)
		}
	}
	return "sqlite:///" + filepath.Join(dir, "admit.db")
}

// A full disk: what would write is answered 503, reading goes on, nothing is torn, and room is all it takes to recover.
func TestDiskFull(t *testing.T) {
	if !slices.Contains(testkit.Engines(), "sqlite") {
		return
	}
	s := serveSmall(t, fmt.Sprintf("%dm", times(6))) // what was answered has to stay in it
	cookie := s.must(t, signUp("ann@example.com"), 201).session
	token := s.must(t, logInToken("ann@example.com"), 200)
	for round := range times(3) {
		s.fill()
		refused, accepted := 0, 0
		for i := 0; refused < 40; i++ { // pages already there may take a few changes still
			email := fmt.Sprintf("round%d-%d@example.com", round, i)
			r, err := s.send(signUp(email))
			switch {
			case err == nil && r.status == 201:
				accepted++
				s.must(t, me(r.session), 200)
			case err == nil && r.status == 503 && r.header.Get("Retry-After") != "" && len(r.header["Set-Cookie"]) == 0:
				refused++
			default:
				t.Fatalf("a sign-up on a full disk: %v %v, cookies %v", r, err, r.header["Set-Cookie"])
			}
			if accepted > 5000 {
				t.Fatal("the disk is not full")
			}
		}
		s.must(t, me(cookie), 200)
		s.must(t, sent{method: "GET", path: "/auth/sessions", session: cookie}, 200)
		s.must(t, sent{method: "GET", path: "/api/v1/about_me", bearer: token.text1("access_token")}, 200)
		if r := s.refusedOr(200, refresh(token.refresh)); r.status == 200 {
			token = r
		}
		out := s.refusedOr(200, logOut(cookie)).status == 200
		if r := s.refusedOr(200, logIn("ann@example.com")); r.status == 200 {
			s.must(t, me(r.session), 200)
		}
		s.refusedOr(401, sent{path: "/auth/login", body: m{"email": "nobody@example.com", "password": password}}) // no failure goes untold
		s.free()
		took := within(t, 2*time.Second, "writing works again", func() bool {
			r, err := s.send(logIn("ann@example.com"))
			return err == nil && r.status == 200
		})
		if token = s.must(t, logInToken("ann@example.com"), 200); out {
			s.must(t, me(cookie), 401)
			cookie = s.must(t, logIn("ann@example.com"), 200).session
		}
		t.Logf("full: %d refused, %d went into pages there were; %v after there was room, writing worked", refused, accepted, took)
	}
	token = s.must(t, refresh(token.refresh), 200)
	s.sound()
}

// refusedOr sends what writes a little while the disk is full: it is refused, or done where it fits into a page that is there.
func (s *small) refusedOr(done int, what sent) reply {
	s.Helper()
	r, err := s.send(what)
	if err != nil || r.status != http.StatusServiceUnavailable && r.status != done {
		s.Fatalf("%s on a full disk: %v %v, want 503 or %d", what.path, r, err, done)
	}
	return r
}

// sound holds that the store and the event file are whole.
func (s *small) sound() {
	s.Helper()
	url := s.copyOut()
	db := open(s.T, url)
	if all := column[string](s.T, db, `PRAGMA integrity_check`); len(all) != 1 || all[0] != "ok" {
		s.Errorf("integrity_check: %v", all)
	}
	halves(s.T, db)
	eventFile(s.T, db, "sqlite", filepath.Join(s.inside, "events.jsonl"))
}

// The disk runs full, page by page, in the middle of load, again and again: what was answered stays, and is told once.
func TestDiskFullUnderLoad(t *testing.T) {
	if !slices.Contains(testkit.Engines(), "sqlite") {
		return
	}
	for again := range times(1) { // each with a server of its own: what was answered has to stay in it, however fast it is
		t.Run(fmt.Sprint(again), func(t *testing.T) {
			s := serveSmall(t, "24m")
			l := newLoad("load", 8)
			l.run(s.caller)
			for n := range 25 {
				s.fill()
				for pages := range 8 { // a page, then two more, …: a commit finds room for a part of itself
					s.shrink(int64(pages+n%3) * 4096)
					time.Sleep(2 * time.Millisecond) // of load
				}
				s.free()
				time.Sleep(3 * time.Millisecond) // of load
			}
			l.stop.Store(true)
			refused := len(l.faults)
			l.onlyAway(t)
			if refused == 0 {
				t.Error("the disk was never full")
			}
			l.verify(t, s.caller, false)
			s.sound()
			t.Logf("%d acknowledged, %d or more refused", l.acks(), refused)
		})
	}
}

// shrink gives some of the room back.
func (s *small) shrink(by int64) {
	s.Helper()
	path := filepath.Join(s.inside, "fill")
	info, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, max(0, info.Size()-by))
	}
	if err != nil {
		s.Fatal(err)
	}
}
