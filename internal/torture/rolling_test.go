package torture_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/admit-dev/admit/internal/testkit"
)

// nginx stands before servers.
type nginx struct {
	*testing.T
	dir, addr string
	cmd       *exec.Cmd
	log       *testkit.Journal
	turns     int
}

// front starts nginx before servers.
func front(t *testing.T, servers ...*process) *nginx {
	t.Helper()
	n := &nginx{T: t, dir: t.TempDir(), addr: "127.0.0.1:" + testkit.FreePort(t), log: &testkit.Journal{}}
	if err := os.Chmod(n.dir, 0o755); err != nil { // its workers are nobody
		t.Fatal(err)
	}
	n.configure(servers)
	n.cmd = exec.Command("nginx", "-c", n.file(), "-e", "stderr")
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { _ = n.cmd.Wait(); close(gone) }()
	t.Cleanup(func() {
		_ = n.cmd.Process.Signal(syscall.SIGTERM)
		<-gone
		if t.Failed() {
			t.Log(n.log)
		}
	})
	within(t, 20*time.Second, "nginx", func() bool { return n.turn() == "0" })
	return n
}

func (n *nginx) file() string { return filepath.Join(n.dir, "nginx.conf") }

// configure writes down who is asked. Nothing is tried twice that is not safe to be: nginx's own default.
func (n *nginx) configure(servers []*process) {
	n.Helper()
	list := ""
	for _, s := range servers {
		list += "server " + s.addr + "; "
	}
	text := fmt.Sprintf(`daemon off; worker_processes 1; error_log stderr notice; pid %[1]s/pid;
events { worker_connections 1024; }
http {
	access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	upstream admit { %[2]s }
	server {
		listen %[3]s;
		location = /turn { return 200 "%[4]d"; }
		location / { proxy_pass http://admit; proxy_set_header Host $host; }
	}
}
`, n.dir, list, n.addr, n.turns)
	if err := os.WriteFile(n.file(), []byte(text), 0o600); err != nil {
		n.Fatal(err)
	}
}

func (n *nginx) turn() string {
	r, err := http.Get("http://" + n.addr + "/turn")
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	text, _ := io.ReadAll(r.Body)
	return string(text)
}

// lead has requests go to these servers alone, and comes back when nobody asks another any more: those who worked by the old
// configuration are gone.
func (n *nginx) lead(servers ...*process) {
	n.Helper()
	n.turns++
	n.configure(servers)
	if err := n.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		n.Fatal(err)
	}
	within(n.T, 30*time.Second, "another configuration", func() bool {
		return n.turn() == fmt.Sprint(n.turns) && strings.Count(n.log.String(), "exited with code 0") >= n.turns
	})
}

// Two servers behind nginx are replaced one after the other while a new signing key takes over, under load. No request fails: not a
// sign-in of two steps that begins at one server and ends at the other, and no token of either key.
func TestRollingRestart(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		p := newPair(t, testkit.DatabaseURL(t, engine))
		proxy := front(t, p.a, p.b)
		through := newCaller("http://" + proxy.addr)
		through.client.Transport.(*http.Transport).DisableKeepAlives = true // or nginx itself would end connections that wait, as it is replaced
		old := through.must(t, signUp("old@example.com"), 201)
		bearer := through.must(t, logInToken("old@example.com"), 200).text1("access_token")

		l := newLoad("rolling", 4)
		l.run(through)
		stop := steady(t, through, bearer)
		for range times(1) {
			if err := p.third().App().Tokens.Rotate(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, s := range []*process{p.a, p.b} {
				within(t, 10*time.Second, "both keys at "+s.addr, func() bool {
					r, err := s.send(sent{method: "GET", path: "/.well-known/jwks.json"})
					return err == nil && strings.Count(string(r.text), `"kid"`) >= 2
				})
			}
			if _, err := p.db.Exec(`UPDATE signing_keys SET active_at = created_at`); err != nil { // as if a quarter of an hour had gone by
				t.Fatal(err)
			}
			p.a = replaced(t, proxy, p.a, p.b)
			p.b = replaced(t, proxy, p.b, p.a)
		}
		l.stop.Store(true)
		l.wait(t)
		done, ceremonies := stop()
		if n := l.lost.Load(); n > 0 {
			t.Errorf("%d requests of the load had no answer", n)
		}
		t.Logf("%d requests, %d more with an old token, %d sign-ins of two steps; none failed", l.acks(), done, ceremonies)
		if l.acks() < 20 || done < 20 || ceremonies < 1 {
			t.Error("that is no load")
		}
		through.must(t, me(old.session), 200)
		fresh := through.must(t, logInToken("old@example.com"), 200).text1("access_token")
		if kid(fresh) == kid(bearer) {
			t.Error("the new key does not sign")
		}
		l.verify(t, through, false)
	})
}

// kid is the first part of a token, which names its key.
func kid(token string) string { head, _, _ := strings.Cut(token, "."); return head }

// replaced takes a server out, ends it, and puts another in its place.
func replaced(t *testing.T, proxy *nginx, old, other *process) *process {
	t.Helper()
	proxy.lead(other)
	old.terminate()
	if old.code != 0 {
		t.Errorf("the server ended with %d:\n%s", old.code, old.log)
	}
	next := serve(t, old.cmd.Dir, old.cmd.Env[:len(old.cmd.Env)-1])
	proxy.lead(next, other)
	return next
}

// steady asks with one token again and again, and signs in by two steps, until it is stopped; then it says how often each went well.
func steady(t *testing.T, c *caller, bearer string) (stop func() (int, int)) {
	t.Helper()
	var all sync.WaitGroup
	var over atomic.Bool
	var asked, ceremonies int
	all.Go(func() {
		for !over.Load() {
			if r, err := c.send(sent{method: "GET", path: "/auth/me", bearer: bearer}); err != nil || r.status != 200 {
				t.Errorf("with an access token: %v %v", r, err)
				return
			}
			asked++
		}
	})
	spares := recoveryCodes(t, c, "twice@example.com")
	all.Go(func() {
		for _, code := range spares {
			if over.Load() {
				return
			}
			r, err := c.send(logIn("twice@example.com"))
			attempt, _ := r.body["attempt"].(m)
			if err != nil || attempt == nil {
				t.Errorf("the first step: %v %v", r, err)
				return
			}
			time.Sleep(300 * time.Millisecond) // the second step comes later, as it does from people
			if r, err = c.send(sent{path: "/auth/mfa/verify", body: m{"attempt": attempt["id"], "code": code}}); err != nil || r.status != 200 {
				t.Errorf("the second step: %v %v", r, err)
				return
			}
			ceremonies++
		}
	})
	return func() (int, int) {
		over.Store(true)
		all.Wait()
		return asked, ceremonies
	}
}

// recoveryCodes signs somebody up who has a second factor, and gives the codes that stand in for it.
func recoveryCodes(t *testing.T, c *caller, email string) (codes []string) {
	t.Helper()
	in := c.must(t, signUp(email), 201)
	secret := c.must(t, sent{path: "/auth/mfa/totp", session: in.session}, 200).text1("secret")
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	list, _ := c.must(t, sent{path: "/auth/mfa/totp/confirm", session: in.session, body: m{"code": code}}, 200).body["recovery_codes"].([]any)
	for _, code := range list {
		codes = append(codes, code.(string))
	}
	return codes
}
