package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

func TestFirstStart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.serve()
	warning, block, _ := strings.Cut(s.said.String(), "\n")
	if !strings.HasPrefix(warning, "admit: warning: PASSWORD_HASH_MEMORY_KIB") {
		t.Fatal(warning)
	}
	lines := strings.Split(block, "\n")
	if len(lines) != 7 || !strings.HasPrefix(lines[0], "  Ready in ") ||
		!strings.HasSuffix(lines[0], "Data is in "+filepath.Join(b.dir, "admit-data")+" (SQLite).") || lines[1] != "" ||
		!strings.HasPrefix(lines[2], "  Start here   "+s.origin+"/start#k=") || !strings.HasSuffix(lines[2], "     makes you the owner · works once · 30 min") ||
		lines[3] != "  Inbox        "+s.origin+"/dev/inbox     mail and texts stop here" || lines[4] != "  API docs     "+s.origin+"/docs" ||
		lines[5] != "  Next         admit user list · admit doctor" || lines[6] != "" {
		t.Fatalf("%q", lines)
	}
	s.client(t).Get("/").Want(200)
	before := s.said.String()
	if code := s.stop(); code != 0 || s.said.String() != before {
		t.Fatal(code, s.said.String())
	}

	b.typing("a password of ann", "user", "create", "--email", "ann@example.com", "--password-file", "-", "--role", "super_admin").want(0)
	if said := b.serve().said.String(); strings.Contains(said, "Start here") {
		t.Fatal(said)
	}
}

func TestServeInProduction(t *testing.T) {
	t.Parallel()
	key := "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	b := newBench(t, "ENVIRONMENT=production", "SESSION_SECRET_KEY="+key, "PASSWORD_HASH_MEMORY_KIB=47104")
	b.env = append(b.env, "DATABASE_URL=sqlite:///"+filepath.Join(b.dir, "one.db"))
	s := b.serve()
	eventually(t, 5*time.Second, "the link", func() bool { return strings.Contains(s.said.String(), "Start here") })
	lines := strings.Split(strings.TrimSpace(s.said.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"msg":"ready"`) || !strings.Contains(lines[1], "/start#k=") || strings.Contains(s.said.String(), key) {
		t.Fatalf("%q", lines)
	}
}

func TestServeFollowsThePort(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.env = append(b.env, "ADDR=0.0.0.0:9000")
	b.run("config", "list").want(0, "BASE_URL\thttp://localhost:9000\tdefault, with the port of ADDR and the scheme that is served\n")
	if s := b.run("admin", "link").want(0); !strings.HasPrefix(s.out, "http://localhost:9000/start#k=") {
		t.Fatal(s.out)
	}
	b.env = append(b.env, "BASE_URL=http://localhost:8000")
	b.run("config", "list").want(0, "BASE_URL\thttp://localhost:8000\tenvironment\n")
	s := b.serve("--host", "::")
	if s.origin != "http://localhost:8000" || strings.Contains(s.said.String(), "::") {
		t.Fatal(s.said.String())
	}
}

// METRICS_ADDR answers Prometheus on an address of its own, and the public one does not; one that is taken stops the start.
func TestMetricsAddr(t *testing.T) {
	t.Parallel()
	addr := "127.0.0.1:" + testkit.FreePort(t)
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, "METRICS_ADDR="+addr)
	b.run("serve", "--port", "0").want(1, "METRICS_ADDR "+addr+" is taken by another program")
	_ = l.Close()
	s := b.serve()
	s.client(t).Get("/metrics").Want(404)
	c := s.client(t)
	c.URL = "http://" + addr
	if text := string(c.Get("/metrics").Want(200).Body); !strings.Contains(text, "admit_build_info") {
		t.Error(text)
	}
	c.Get("/auth/me").Want(404)
}

func TestPortIsTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	b := newBench(t)
	b.run("serve", "--port", port).want(1, "admit: ADDR 127.0.0.1:"+port+" is taken", "--port")
	b.run("serve", "--host", "192.0.2.1").want(1, "cannot be listened on")
	if _, err := os.Stat(filepath.Join(b.dir, "admit-data")); err == nil {
		t.Error("a server that cannot start leaves something behind")
	}
	b.run("doctor").want(10)
	b.env = append(b.env, "ADDR=127.0.0.1:"+port)
	b.run("doctor").want(1, "✗ port", "is taken by another program")
}

func TestServeWarnsAndRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t, "SESSION_SECRET_KEY=example-example-example-example-example")
	s := b.serve()
	first, rest, _ := strings.Cut(s.said.String(), "\n")
	if !strings.HasPrefix(first, "admit: warning: SESSION_SECRET_KEY (environment): looks like an example") || !strings.Contains(rest, "Ready in") {
		t.Fatal(s.said.String())
	}
	b.env = append(b.env, "ADDR=nowhere", "COOKIE_SAMESITE=loose")
	b.run("serve").want(1, "admit: 2 faults in the settings:\n", "ADDR", "COOKIE_SAMESITE")
}

// A change made by a command is seen by a running server within a second.
func TestServerSeesCommands(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.env = append(b.env, "DATABASE_URL="+testkit.DatabaseURL(t, engine))
			s := b.serve()
			b.typing("a password of ann", "user", "create", "--email", "ann@example.com", "--password-file", "-").want(0)
			c := s.client(t)
			login := testkit.M{"email": "ann@example.com", "password": "a password of ann"}
			seen := func(what string, so func() bool) { t.Helper(); eventually(t, time.Second, what, so) }

			c.Post("/auth/login", login).Want(200)
			c.Get("/auth/me").Want(200)
			b.run("role", "grant", "ann@example.com", "manager").want(0)
			seen("the role", func() bool { return strings.Contains(string(c.Get("/auth/me").Body), `"manager"`) })
			b.run("user", "sessions", "ann@example.com").want(0, "cookie\tpwd\t")
			b.run("user", "logout", "ann@example.com").want(0, "Ended 1 session")
			seen("the logout", func() bool { return c.Get("/auth/me").Status == 401 })

			c.Post("/auth/login", login).Want(200)
			c.Get("/auth/me").Want(200)
			guesser := s.client(t)
			for range 10 {
				guesser.Post("/auth/login", testkit.M{"email": "ann@example.com", "password": "a guess"}).Want(401)
			}
			guesser.Post("/auth/login", login).Want(429, "too_many_attempts")
			b.run("user", "get", "ann@example.com").want(0, "state\tlocked\n", "failed_attempts\t10\n", "locked_until\t2")
			b.run("user", "list").want(0, "\tlocked\t")
			b.run("user", "unlock", "ann@example.com").want(0, "Unlocked ann@example.com.")
			guesser.Post("/auth/login", login).Want(200)

			b.run("user", "disable", "ann@example.com").want(0)
			seen("the disabling", func() bool { return c.Get("/auth/me").Status == 401 })
			c.Post("/auth/login", login).Want(403, "account_disabled")
			b.run("user", "enable", "ann@example.com").want(0)
			c.Post("/auth/login", login).Want(200)

			b.env = append(b.env, "ADDR="+strings.TrimPrefix(s.url, "http://"))
			b.run("doctor").want(10, "✓ port", "✓ public url", "! owner")
		})
	}
}

// process is the program in a process of its own.
func (b *bench) process(args ...string) (*exec.Cmd, *testkit.Journal) {
	b.Helper()
	said := &testkit.Journal{}
	cmd := exec.CommandContext(b.Context(), os.Args[0], args...)
	cmd.Env, cmd.Dir, cmd.Stderr = append([]string{"TEST_RUN_MAIN=1"}, b.env...), b.dir, said
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	eventually(b.T, 20*time.Second, "a greeting", func() bool { return strings.Contains(said.String(), "admit doctor\n") })
	return cmd, said
}

// halfway sends the half of a request, so that it is under way.
func halfway(t *testing.T, said *testkit.Journal) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.Replace(strings.TrimPrefix(local.FindString(said.String()), "http://"), "localhost", "127.0.0.1", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, _ = fmt.Fprintf(conn, "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40\r\nExpect: 100-continue\r\n\r\n")
	buf := make([]byte, 64)
	if n, err := conn.Read(buf); err != nil || !strings.Contains(string(buf[:n]), "100 Continue") { // the handler reads the body now
		t.Fatal(err, string(buf[:n]))
	}
	return conn
}

func TestSignals(t *testing.T) {
	t.Parallel()
	t.Run("the first lets requests finish", func(t *testing.T) {
		b := newBench(t)
		cmd, said := b.process("serve", "--port", "0")
		conn := halfway(t, said)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		addr := conn.RemoteAddr().String()
		eventually(t, 5*time.Second, "no more connections", func() bool {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				_ = c.Close()
			}
			return err != nil
		})
		body := `{"email":"ann@example.com","password":"`
		_, _ = fmt.Fprint(conn, body+strings.Repeat(`x`, 40-len(body)))
		buf := make([]byte, 64)
		if n, err := conn.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 4") {
			t.Error(err, string(buf[:n]))
		}
		if err := cmd.Wait(); err != nil {
			t.Error("it ends well", err, said)
		}
	})
	t.Run("the second ends at once", func(t *testing.T) {
		b := newBench(t)
		cmd, said := b.process("serve", "--port", "0")
		halfway(t, said)
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		eventually(t, 5*time.Second, "the end", func() bool {
			_ = cmd.Process.Signal(os.Interrupt)
			select {
			case err := <-ended:
				return err != nil
			default:
				return false
			}
		})
	})
}

func TestRunningAsksForAdmit(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(`{"status":"stopped"}`)) })}
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Close() }()
	if _, ok := running(t.Context(), "http://"+l.Addr().String()); ok {
		t.Error("another program is not Admit")
	}
}
