package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/web"
)

func overTLS(c *admit.Config) { c.Web.BaseURL = "https://auth.example.com" }

// SES-04: every cookie of a server that people reach over TLS, set and deleted.
func TestCookieAttributes(t *testing.T) {
	testkit.Each(t, overTLS, func(s *testkit.Server) {
		c := s.Client()
		c.Jar = nil
		cookies := func(a testkit.Answer, name string, gone bool) string {
			t.Helper()
			list := (&http.Response{Header: a.Header}).Cookies()
			if len(list) != 1 {
				t.Fatalf("%v", a.Header)
			}
			k := list[0]
			if k.Name != name || !k.Secure || !k.HttpOnly || k.Path != "/" || k.Domain != "" || k.SameSite != http.SameSiteLaxMode || len(k.Name+k.Value) > 4096 || (k.MaxAge < 0) != gone || gone && k.Value != "" {
				t.Errorf("%s", k)
			}
			return name + "=" + k.Value
		}
		session := cookies(c.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(201), "__Host-session_id", false)
		refresh := cookies(c.Post("/api/v1/login", m{"username": "ann@example.com", "password": pass}).Want(200), "__Host-refresh_token", false)
		bearing(s, session).Get("/auth/me").Want(200)
		bearing(s, strings.TrimPrefix(session, "__Host-")).Get("/auth/me").Want(401)
		refresh = cookies(bearing(s, refresh).Post("/api/v1/refresh", nil).Want(200), "__Host-refresh_token", false)
		bearing(s, strings.TrimPrefix(refresh, "__Host-")).Post("/api/v1/refresh", nil).Want(401)
		cookies(bearing(s, refresh).Post("/api/v1/logout", nil).Want(200), "__Host-refresh_token", true)
		cookies(bearing(s, session).Post("/auth/logout", nil).Want(200), "__Host-session_id", true)
	})
}

// HDR-01: the headers of every answer, good and bad.
func TestSecurityHeaders(t *testing.T) {
	many := func(c *admit.Config) { overTLS(c); c.RateLimit.RateLimit, c.RateLimit.IPPerMinute = "memory", 8 }
	testkit.Each(t, many, func(s *testkit.Server) {
		c := s.Client()
		answers := []testkit.Answer{c.Get("/"), c.Get("/docs"), c.Get("/redoc"), c.Get("/openapi.json"), c.Get("/openapi.yaml"), c.Get("/.well-known/jwks.json"), c.Get("/health/live"), c.Get("/health/ready"), c.Get("/auth/me"), c.Get("/nothing"),
			c.Do("TRACE", "/", nil), c.Do("PUT", "/auth/login", nil), c.Post("/auth/login", "{"), c.Post("/auth/login", m{"email": "a@example.com", "password": "x"}), c.Post("/auth/login", strings.Repeat("x", 2<<20)), c.Post("/auth/signup", ann), c.Post("/auth/signup", ann),
			c.Do("OPTIONS", "/auth/login", nil), c.Do("HEAD", "/health/live", nil), c.Get("//auth//me"), c.Get("/auth/%2e%2e/x")}
		for range 8 {
			answers = append(answers, c.Post("/auth/login", m{"email": "a@example.com", "password": "x"}))
		}
		seen := map[int]bool{}
		for i, a := range answers {
			seen[a.Status] = true
			csp := a.Header.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
				if !strings.Contains(csp, part) {
					t.Errorf("%d (%d): %q", i, a.Status, csp)
				}
			}
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000; includeSubDomains"} {
				if a.Header.Get(name) != want {
					t.Errorf("%d (%d): %s %q", i, a.Status, name, a.Header.Get(name))
				}
			}
			if a.Header.Get("X-Request-Id") == "" || a.Header.Get("Server") != "" || a.Header.Get("X-Powered-By") != "" || len(a.Body) > 0 && a.Header.Get("Content-Type") == "" {
				t.Errorf("%d (%d): %v", i, a.Status, a.Header)
			}
		}
		for _, status := range []int{200, 201, 400, 401, 404, 405, 409, 413, 429} {
			if !seen[status] {
				t.Errorf("no answer was %d", status)
			}
		}
	})
}

// COR-01 and CSR-03: no origin but those that are listed may read an answer or send a change.
func TestOrigins(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { overTLS(c); c.Web.CORSOrigins = []string{"https://app.example.com"} }, func(s *testkit.Server) {
		c, list := strangers(s)
		evil := []string{"https://evil.test", "null", "https://sub.app.example.com", "https://app.example.com.evil.test", "http://app.example.com", "https://app.example.com:444", "https://APP.example.com", "https://app.example.com/", "", "*", "https://auth.example.com.evil.test", "http://auth.example.com"}
		for _, origin := range evil {
			c.Header["Origin"] = []string{origin}
			for _, o := range list {
				a := c.Do(o.Method, o.at("ses_x"), bodyOf(o))
				if o.Method != "GET" && a.Status != 403 {
					t.Errorf("%s %s from %q: %d", o.Method, o.Path, origin, a.Status)
				}
				c.Header.Set("Access-Control-Request-Method", "POST")
				for _, a := range []testkit.Answer{a, c.Do("OPTIONS", o.at("ses_x"), nil)} {
					if allowed := a.Header.Get("Access-Control-Allow-Origin"); allowed != "" && o.Path != "/.well-known/jwks.json" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
						t.Errorf("%s from %q: %v", o.Path, origin, a.Header)
					}
				}
				c.Header.Del("Access-Control-Request-Method")
			}
		}
		c.Header["Origin"] = []string{"https://app.example.com", "https://evil.test"}
		c.Post("/auth/logout", nil).Want(403)
		s.Events()
		c.Header["Origin"] = []string{"https://app.example.com"}
		for _, path := range []string{"/health/live", "/.well-known/jwks.json", "/auth/me"} {
			a := c.Get(path)
			if len(a.Header["Access-Control-Allow-Origin"]) != 1 || a.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" || a.Header.Get("Access-Control-Allow-Credentials") != "true" {
				t.Errorf("%s: %v", path, a.Header)
			}
		}
		delete(c.Header, "Origin")
		c.Post("/auth/logout", nil).Want(200) // CSR-02: no browser
	})
}

// AUD-02: what a stranger writes into headers makes neither a second line nor a broken event.
func TestLogInjection(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		inject := []string{"a\"},{\"kind\":\"fake\"}", "\xff\xfe\x80", "a\tb", "\u202eevil", strings.Repeat("\u20ac", 5000), "\u0085\u2028", "{{.}}", "%0d%0aevil"}
		for _, bad := range inject {
			c := s.Client()
			c.Header["User-Agent"], c.Header["X-Request-Id"] = []string{bad}, []string{bad}
			a := c.Post("/auth/login", m{"email": "a@example.com", "password": "x"}).Want(401)
			if a.Header.Get("X-Request-Id") == bad {
				t.Errorf("%q was taken for an id", bad)
			}
			list := s.Records()
			if len(list) != 1 || list[0].Kind != "login.failed" || list[0].Origin.RequestID != a.Header.Get("X-Request-Id") || len(list[0].Origin.UserAgent) > 400 || strings.ContainsAny(list[0].Origin.UserAgent, "\t\n\u2028\u0085\u202e") {
				t.Errorf("%q: %+v", bad, list)
			}
		}
		var n int
		for try := 0; try < 200; try, n = try+1, 0 { // the file is written a moment later
			time.Sleep(20 * time.Millisecond)
			text, _ := os.ReadFile(s.Config.Server.DataDir + "/events.jsonl")
			for line := range bytes.Lines(text) {
				var e struct{ Kind string }
				if json.Unmarshal(line, &e) != nil {
					t.Errorf("%q", line)
				} else if e.Kind == "login.failed" {
					n++
				}
			}
			if n == len(inject) {
				return
			}
		}
		t.Errorf("%d lines", n)
	})
}

type buffer struct {
	sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.Write(p)
}

// logged is a server by the clock of the machine whose log is kept, down to the last detail.
func logged(t *testing.T, engine string) (*testkit.Server, *buffer) {
	log := &buffer{}
	cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
	cfg.Server.Debug = true
	srv, err := admit.New(t.Context(), cfg, admit.WithLogger(slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(srv)
	t.Cleanup(func() { front.Close(); _ = srv.Close() })
	return &testkit.Server{T: t, Server: srv, Clock: testkit.NewClock(), URL: front.URL, Config: cfg}, log
}

// AUD-04 and SES-09: no password, cookie, token or key is in a log line, an event, the database as text, or an answer that is
// not its own.
func TestSecretsStaySecret(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			s, log := logged(t, engine)
			var secrets, told []string
			keep := func(text string) string { secrets = append(secrets, text); return text }
			note := func(a testkit.Answer) testkit.Answer { told = append(told, string(a.Body)); return a }

			c := s.Client()
			note(c.Post("/auth/signup", m{"email": "ann@example.com", "password": keep("the first password")}))
			keep(c.Cookie("/", "session_id"))
			note(c.Get("/auth/me"))
			note(c.Get("/auth/sessions"))
			note(c.Post("/auth/login", m{"email": "ann@example.com", "password": keep("a wrong password")}))
			note(c.Post("/auth/login", `{"email":"ann@example.com","password":"`+keep("half a password")+`"`))
			note(c.Post("/auth/login", m{"email": "ann@example.com", "password": m{"x": keep("typed as an object")}}))
			note(c.Post("/auth/signup", m{"email": "ann@example.com", "password": keep("taken already")}))
			c.Post("/api/v1/login", m{"username": "ann@example.com", "password": "the first password"}).Want(200)
			keep(c.Cookie("/api/v1", "refresh_token"))
			access := keep(c.Post("/api/v1/refresh", nil).Want(200).Text("access_token"))
			keep(c.Cookie("/api/v1", "refresh_token"))
			n := s.Client()
			n.Bearer = access
			note(n.Get("/auth/me"))
			note(n.Get("/auth/me?access_token=" + access))
			n.Bearer = access[:len(access)-9]
			note(n.Get("/auth/me"))
			note(c.Post("/auth/password/change", m{"current_password": keep("not the current"), "new_password": keep("the second password")}))
			note(c.Post("/auth/password/change", m{"current_password": "the first password", "new_password": "the second password"}))
			key := keep(link(s))
			note(c.Post("/auth/owner", m{"key": key, "email": "ann@example.com", "password": "a wrong password"}))
			c.Header.Set("Idempotency-Key", "k")
			c.Post("/auth/login?transport=token", m{"email": "ann@example.com", "password": "the second password"}).Want(200)
			note(c.Post("/api/v1/refresh", m{"refresh_token": secrets[len(secrets)-4]}))

			for _, r := range s.Records() {
				told = append(told, fmt.Sprintf("%+v %s", r.Origin, r.Data))
			}
			told = append(told, everything(t, s))
			log.Lock()
			told = append(told, log.String())
			log.Unlock()
			if len(log.String()) < 1000 {
				t.Error("nothing was logged")
			}
			for _, text := range told {
				for _, secret := range secrets {
					if secret == "" || strings.Contains(text, secret) {
						at := max(0, strings.Index(text, secret)-100)
						t.Errorf("%q is told: %.300s", secret, text[at:])
					}
				}
			}
		})
	}
}

// OPV-18 and DOS-04: what is too long, or can be framed in two ways, is refused by the real server, at once.
func TestRawRequests(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		front := httptest.NewUnstartedServer(s.Server)
		front.Config = web.Server(s.Server, slog.New(slog.DiscardHandler))
		front.Start()
		defer front.Close()
		address := front.Listener.Addr().String()
		get := "GET /auth/me HTTP/1.1\r\nHost: a\r\n"
		post := "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
		for name, text := range map[string]string{
			"1 MB header": get + "X: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", "10,000 cookies": get + "Cookie: " + strings.Repeat("session_id=a; ", 10_000) + "\r\n\r\n", "100,000 parameters": "GET /auth/me?" + strings.Repeat("a=b&", 100_000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
			"CL and TE": post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", "two lengths": post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", "obs-fold": get + "X: a\r\n\tb: c\r\n\r\n",
			"bad chunk": post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", "TE twice": post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", "space before colon": get + "Authorization : Bearer x\r\n\r\n", "no host": "GET /auth/me HTTP/1.1\r\n\r\n",
			"NUL in a header": get + "X: a\x00b\r\n\r\n", "negative length": post + "Content-Length: -1\r\n\r\n", "short body": post + "Content-Length: 100\r\nConnection: close\r\n\r\n{}",
		} {
			list := wire(t, address, text)
			if len(list) != 1 || list[0].StatusCode < 400 || list[0].StatusCode > 499 && list[0].StatusCode != 501 {
				var got []int
				for _, r := range list {
					got = append(got, r.StatusCode)
				}
				t.Errorf("%s: %v", name, got)
			}
		}
		s.Events()
	})
}

// ADM-04: production does not start with what is only good enough for trying, and says what to change.
func TestProductionRefuses(t *testing.T) {
	good := map[string]string{"ENVIRONMENT": "production", "BASE_URL": "https://auth.example.com", "DATABASE_URL": "sqlite:////var/lib/admit/admit.db", "SESSION_SECRET_KEY": "b7f1c2d9e4a8063f5d1b9c7e2a4f8063"}
	load := func(name, value string) error {
		env := []string{}
		for n, v := range good {
			if n != name {
				env = append(env, n+"="+v)
			}
		}
		var c config.Config
		_, err := config.Load(&c, config.Source{Environ: append(env, name+"="+value)})
		return err
	}
	if err := load("LOG_FORMAT", "json"); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][2]string{{"SESSION_SECRET_KEY", ""}, {"SESSION_SECRET_KEY", strings.Repeat("a", 31)}, {"SESSION_SECRET_KEY", strings.Repeat("a", 64)}, {"SESSION_SECRET_KEY", "change-me-please-change-me-please-1"}, {"COOKIE_SECURE", "false"}, {"BASE_URL", "http://auth.example.com"},
		{"BASE_URL", "https://auth.example.com/a//b"}, {"BASE_URL", "nonsense"}, {"BASE_URL", "https://0.0.0.0"}, {"DATABASE_URL", ""}, {"DATABASE_URL", "mysql://x"}, {"ACCESS_SECRET", "short"}, {"REFRESH_SECRET", "short"}, {"CORS_ORIGINS", `["*"]`}, {"CORS_ORIGINS", `["http://app.example.com"]`},
		{"TRUSTED_PROXIES", "0.0.0.0/0"}, {"PASSWORD_HASH_MEMORY_KIB", "64"}, {"ENVIRONMENT", "prod"}, {"RATE_LIMIT", "of"}, {"ENUMERATION_PROTECTION", "yes"}, {"COOKIE_SAMESITE", "whatever"}, {"ACCESS_TOKEN_ALGORITHM", "none"}, {"ACCESS_TOKEN_EXPIRE_M", "0"}} {
		err := load(bad[0], bad[1])
		if err == nil || !strings.Contains(err.Error(), bad[0]) {
			t.Errorf("%s=%s: %v", bad[0], bad[1], err)
		} else if len(bad[1]) > 20 && strings.Contains(bad[0], "SECRET") && strings.Contains(err.Error(), bad[1]) {
			t.Errorf("the message shows the secret: %v", err)
		}
	}
}
