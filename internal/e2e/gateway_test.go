package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/gateway"
	"github.com/admit-dev/admit/internal/testkit"
)

var identity = gateway.Headers

// Whoever asks on behalf of somebody else gets 204 with who they are, 401 or 403; nothing that a client sends makes the answer another.
func TestForwardAuth(t *testing.T) {
	testkit.Each(t, func(cfg *admit.Config) { cfg.Web.ReturnOrigins = []string{"https://app.example.com"} }, func(s *testkit.Server) {
		a := newAsking(s)
		declare(s, "post_job")
		ask := func(c *testkit.Client, query string, header ...string) testkit.Answer {
			asking := *c
			asking.Header = http.Header{"Remote-User": {"usr_made_up"}, "Remote-Groups": {"super_admin"}}
			for i := 0; i < len(header); i += 2 {
				asking.Header.Set(header[i], header[i+1])
			}
			return asking.Get("/forward-auth" + query)
		}
		answer := ask(a.bob, "").Want(204)
		if answer.Header.Get("Remote-User") != a.bobID || answer.Header.Get("Remote-Groups") != "" || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", answer.Header)
		}
		if answer.Header.Get("Remote-Email") != "bob@example.com" || ask(a.eve, "").Want(204).Header.Get("Remote-Email") != "" {
			t.Error("an address that nobody verified says who somebody is")
		}
		for query, status := range map[string]int{"?permission=jobs:post&org=acme": 204, "?permission=jobs:close&org=acme": 403, "?permission=jobs:post": 403, "?permission=jobs:post&org=": 403,
			"?permission=jobs:post&org=nowhere": 403, "?permission=jobs:psot&org=acme": 403, "?permission=%00&org=%00": 403, "?permission=a&permission=b": 403, "?permission=jobs:post&org=acme;": 403} {
			ask(a.bob, query).Want(status)
			if got := ask(s.Client(), query); got.Status != 401 && got.Status != 403 || got.Header.Get("Remote-User") != "" {
				t.Errorf("%s: %d for nobody", query, got.Status)
			}
		}
		// A page of another site has the browser send its cookie, and no change comes of it.
		ask(a.bob, "", "X-Forwarded-Method", "POST", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example").Want(403, "cross_origin")
		ask(a.bob, "", "X-Forwarded-Method", "delete", "Origin", "https://evil.example").Want(403, "cross_origin")
		ask(a.bob, "", "X-Forwarded-Method", "POST", "Sec-Fetch-Site", "same-origin").Want(204)
		ask(a.bob, "", "X-Forwarded-Method", "GET", "Sec-Fetch-Site", "cross-site").Want(204)

		nobody := s.Client()
		for header, want := range map[string]string{
			"X-Forwarded-Uri: /jobs?page=2":    "/signin?return_to=%2Fjobs%3Fpage%3D2",
			"X-Forwarded-Uri: //evil.example/": "/signin",
			"X-Forwarded-Uri: /jobs, X-Forwarded-Host: app.example.com, X-Forwarded-Proto: https":  "/signin?return_to=https%3A%2F%2Fapp.example.com%2Fjobs",
			"X-Forwarded-Uri: /jobs, X-Forwarded-Host: evil.example.com, X-Forwarded-Proto: https": "/signin",
		} {
			given := []string{"Accept", "text/html"}
			for _, h := range strings.Split(header, ", ") {
				name, value, _ := strings.Cut(h, ": ")
				given = append(given, name, value)
			}
			if to := ask(nobody, "?signin=redirect", given...).Want(302).Header.Get("Location"); to != s.Config.Web.Origin()+want {
				t.Errorf("%s leads to %s", header, to)
			}
		}
		ask(nobody, "?signin=redirect", "Accept", "application/json").Want(401)
		ask(nobody, "?signin=redirect", "Accept", "text/html", "X-Forwarded-Method", "POST").Want(401)
		ask(nobody, "", "Accept", "text/html").Want(401)
		a.bob.Post("/auth/logout", nil).Want(200)
		ask(a.bob, "").Want(401)
	})
}

// proxied is an app in another language behind a real proxy with the configuration that admit snippet prints.
func proxied(t *testing.T, proxy, path string, run func(file, text string) *exec.Cmd, f func(s *testkit.Server, at string)) {
	t.Run(proxy+path, func(t *testing.T) {
		t.Parallel()
		if _, err := exec.LookPath(proxy); err != nil {
			if testing.Short() {
				t.Skip("the fast tests start no proxy")
			}
			t.Fatalf("%s is not installed. Run make test, which installs it.", proxy)
		}
		backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for name, values := range r.Header {
				fmt.Fprintf(w, "%s=%s\n", name, strings.Join(values, "|"))
			}
		}))
		t.Cleanup(backend.Close)
		port := testkit.FreePort(t)
		cfg := testkit.Config(t, testkit.DatabaseURL(t, testkit.Engines()[0]))
		cfg.Web.BaseURL = "http://localhost:" + port + path
		s := testkit.Start(t, cfg, testkit.NewClock())
		s.Engine = testkit.Engines()[0]
		text, err := gateway.Snippet(proxy, gateway.Setup{Base: cfg.Web.Base(), Admit: strings.TrimSuffix(s.URL, path), App: backend.URL, Permission: "jobs:post", Org: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "proxy.conf")
		cmd := run(file, text)
		var said strings.Builder
		cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &said, &said, 5*time.Second
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if t.Failed() {
				t.Log(said.String())
			}
		})
		come(t, proxy+" listens", func() bool {
			c, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		})
		f(s, cfg.Web.Origin())
	})
}

// Behind nginx and Caddy, as admit snippet sets them up, an app that knows nothing of Admit is reached by who holds the permission and by nobody
// else, hears who they are and not what a client says of itself, and loses them at the very next request after the role or the session is gone.
func TestRealProxies(t *testing.T) {
	walk := func(s *testkit.Server, at string) {
		a := newAsking(s)
		through := func(c *testkit.Client) *testkit.Client {
			there := *c
			there.URL = at
			there.Header = http.Header{"Cookie": {"session_id=" + c.Cookie("/", "session_id")}}
			for _, h := range identity {
				there.Header.Set(h, "made-up")
				there.Header.Set(strings.ToLower(strings.ReplaceAll(h, "-", "_")), "made-up")
			}
			return &there
		}
		bob := through(a.bob)
		body := string(bob.Get("/jobs?page=2").Want(200).Body)
		if !strings.Contains(body, "Remote-User="+a.bobID+"\n") || strings.Contains(body, "made-up") {
			s.Errorf("the app heard %s", body)
		}
		stranger := s.Client()
		stranger.URL, stranger.Header = at, http.Header{"Remote-User": {a.bobID}, "Accept": {"application/json"}}
		stranger.Get("/jobs").Want(401)
		stranger.Header.Set("Accept", "text/html")
		if to := stranger.Get("/jobs").Want(302).Header.Get("Location"); to != s.Config.Web.Base()+"/signin?return_to=/jobs" && to != s.Config.Web.Base()+"/signin?return_to=%2Fjobs" {
			s.Errorf("a browser is led to %s", to)
		}
		stranger.Get(s.Config.Web.Path() + "/signin").Want(200)
		through(person(s, "cid@example.com")).Get("/jobs").Want(403)
		bob.Header.Set("Sec-Fetch-Site", "cross-site")
		bob.Post("/jobs", m{}).Want(403)
		bob.Header.Set("Sec-Fetch-Site", "same-origin")
		bob.Post("/jobs", m{}).Want(200)

		a.bob.Post("/auth/logout", nil).Want(200)
		bob.Header.Set("Accept", "application/json")
		bob.Get("/jobs").Want(401)
	}
	nginx := func(file, text string) *exec.Cmd {
		dir := filepath.Dir(file)
		whole := "daemon off; master_process off; error_log stderr; pid " + dir + "/pid;\nevents {}\nhttp { access_log off; client_body_temp_path " + dir + "/b; proxy_temp_path " + dir +
			"/p; fastcgi_temp_path " + dir + "/f; uwsgi_temp_path " + dir + "/u; scgi_temp_path " + dir + "/s;\n" + text + "}\n"
		if err := os.WriteFile(file, []byte(whole), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command("nginx", "-c", file, "-e", "stderr")
	}
	caddy := func(file, text string) *exec.Cmd {
		if err := os.WriteFile(file, []byte("{\n\tadmin off\n\tauto_https off\n}\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("caddy", "run", "--adapter", "caddyfile", "--config", file)
		cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(file), "XDG_DATA_HOME="+filepath.Dir(file), "XDG_CONFIG_HOME="+filepath.Dir(file))
		return cmd
	}
	for _, path := range []string{"", "/accounts"} { // of BASE_URL
		proxied(t, "nginx", path, nginx, walk)
		proxied(t, "caddy", path, caddy, walk)
	}
}
