package admit_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/client"
	"github.com/admit-dev/admit/internal/testkit"
)

// A server below a path of its host answers as one that has a host to itself, and everything it leads to is below that path.
func TestBelowAPath(t *testing.T) {
	cfg := testkit.Config(t, testkit.DatabaseURL(t, testkit.Engines()[0]))
	whole := inhabit(testkit.StartAt(t, cfg, testkit.NewClock()))
	cfg = testkit.Config(t, testkit.DatabaseURL(t, testkit.Engines()[0]))
	cfg.Web.BaseURL = "http://localhost/account" // which is a path of the server too
	below := inhabit(testkit.StartAt(t, cfg, testkit.NewClock()))
	patterns := below.Patterns()
	want := whole.answers(patterns)
	for pattern, status := range below.answers(patterns) {
		if status != want[pattern] {
			t.Errorf("%s answers %d, and at the root of a host %d", pattern, status, want[pattern])
		}
	}
	below.signIn()
	below.crawl(patterns)
}

// below runs a server below /accounts.
func below(t *testing.T, change func(*admit.Config)) (*testkit.Server, *testkit.Client) {
	cfg := testkit.Config(t, testkit.DatabaseURL(t, testkit.Engines()[0]))
	cfg.Web.BaseURL = "http://localhost/accounts/"
	cfg.Web.SecurityContact = "mailto:security@example.com"
	if change != nil {
		change(&cfg)
	}
	s := testkit.StartAt(t, cfg, testkit.NewClock())
	host := s.Client()
	host.URL = strings.TrimSuffix(s.URL, "/accounts")
	return s, host
}

// What others look for at the root of a host is there, and nothing else of a server below a path.
func TestRootOfAHostWithAPath(t *testing.T) {
	s, host := below(t, nil)
	for _, path := range []string{"/health/live", "/health/ready", "/.well-known/jwks.json", "/.well-known/jwks.json/accounts", "/.well-known/authzen-configuration/accounts", "/.well-known/security.txt"} {
		host.Get(path).Want(200)
	}
	s.Client().Get("/.well-known/jwks.json").Want(200)
	s.Client().Get("/health/live").Want(200)
	host.Get("/accounts").Want(200)
	for _, path := range []string{"/", "/signin", "/auth/me", "/accountsx/auth/me", "/account", "/%61ccounts/../auth/me", "/.well-known"} {
		host.Get(path).Want(404, "outside_base_path")
	}
	host.Get("/accounts/accounts/auth/me").Want(404, "route_not_found")
	a := host.Get("/accounts/auth/me").Want(401)
	if !strings.HasPrefix(a.Text("type"), "/accounts/docs/errors#") {
		t.Error(a.Text("type"))
	}
	host.Get("/accounts/docs/errors").Want(200)
	doc := s.Client().Get("/openapi.json").Want(200).JSON
	if got, _ := json.Marshal(doc["servers"]); string(got) != `[{"url":"/accounts"}]` {
		t.Errorf("the document is of %s", got)
	}
	if text := string(host.Get("/.well-known/security.txt").Want(200).Body); !strings.Contains(text, "Canonical: "+s.Config.Web.Origin()+"/.well-known/security.txt\n") { // RFC 9116, section 3: the root of the host
		t.Error(text)
	}
	if to := host.Get("/.well-known/change-password").Want(302).Header.Get("Location"); to != "/accounts/account/security/password" {
		t.Error(to)
	}
}

// Whoever signs in is led back to where they wanted to be: a page of the server, or one of the app that has the rest of the host.
func TestReturnBelowAPath(t *testing.T) {
	s, _ := below(t, nil)
	s.Grant(s.Client().Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(201).Text("id"), "super_admin")
	for wanted, led := range map[string]string{
		"":                                   s.Config.Web.Base() + "/",
		"/jobs?page=2":                       s.Config.Web.Origin() + "/jobs?page=2",
		"/accounts/account/sessions":         s.Config.Web.Origin() + "/accounts/account/sessions",
		s.Config.Web.Origin() + "/elsewhere": s.Config.Web.Origin() + "/elsewhere",
	} {
		c := s.Client()
		if wanted != "" {
			to := c.Get("/signin?return_to=" + url.QueryEscape(wanted)).Want(303).Header.Get("Location")
			if to != "/accounts/signin" {
				t.Errorf("for %s to %s", wanted, to)
			}
		}
		to := c.Fill("/signin", "/signin", url.Values{"username": {"ann@example.com"}, "password": {pass}}).Want(303).Header.Get("Location")
		if to != led {
			t.Errorf("for %q to %s, want %s", wanted, to, led)
		}
	}
	c := s.Client()
	to := c.Get("/account/sessions?page=2").Want(303).Header.Get("Location")
	if want := "/accounts/signin?return_to=" + url.QueryEscape(s.Config.Web.Base()+"/account/sessions?page=2"); to != want {
		t.Errorf("a stranger is led to %s, want %s", to, want)
	}
	c.Get(strings.TrimPrefix(to, "/accounts")).Want(303)
	to = c.Fill("/signin", "/signin", url.Values{"username": {"ann@example.com"}, "password": {pass}}).Want(303).Header.Get("Location")
	if to != s.Config.Web.Base()+"/account/sessions?page=2" {
		t.Errorf("and then to %s", to)
	}
	for _, at := range []string{"https://evil.example/accounts", "//evil.example/accounts/", "/\\evil.example"} {
		s.Client().Get("/signin?return_to=" + url.QueryEscape(at)).Want(400)
	}
}

// A sign-in with another service, the links of mails and an answer that is repeated lead below the path.
func TestWaysBelowAPath(t *testing.T) {
	s, _ := below(t, func(c *admit.Config) { c.Social.Development = "on" })
	inside := func(to string) string {
		t.Helper()
		path, found := strings.CutPrefix(strings.TrimPrefix(to, s.Config.Web.Origin()), "/accounts")
		if !found {
			t.Fatalf("leads to %s", to)
		}
		return path
	}
	c := s.Client()
	to := inside(c.Get("/auth/development/login?return_to=/jobs").Want(302).Header.Get("Location"))
	asked := to[strings.IndexByte(to, '?')+1:]
	to = inside(c.Fill(to, "/dev/provider/authorize", url.Values{"asked": {asked}, "email": {"ann@example.com"}, "name": {"Ann"}, "verified": {"on"}}).Want(303).Header.Get("Location"))
	if to := c.Get(to).Want(303).Header.Get("Location"); to != s.Config.Web.Origin()+"/jobs" {
		t.Errorf("leads to %s", to)
	}
	c.Get("/auth/me").Want(200)
	s.Config.Web.CookieSameSite = "strict"
	strict := testkit.Start(t, s.Config, s.Clock).Client()
	asked = inside(strict.Get("/auth/development/login?return_to=/jobs").Want(302).Header.Get("Location"))
	to = inside(strict.Fill(asked, "/dev/provider/authorize", url.Values{"asked": {asked[strings.IndexByte(asked, '?')+1:]}, "email": {"ann@example.com"}, "verified": {"on"}}).Want(303).Header.Get("Location"))
	if page := string(strict.Get(to).Want(200).Body); !strings.Contains(page, s.Config.Web.Origin()+"/jobs") { // a page is between, since a browser keeps a strict cookie back
		t.Error(page)
	}

	c.Post("/auth/magic-link", m{"email": "ann@example.com"}).Want(202)
	if link := s.Letter("ann@example.com").Links[0]; !strings.HasPrefix(link, s.Config.Web.Base()+"/auth/magic-link?token=") {
		t.Error(link)
	}
	c.Header = http.Header{"Idempotency-Key": {"8c1f6bd2"}}
	first := c.Post("/auth/me/export", m{}).Want(202)
	again := c.Post("/auth/me/export", m{}).Want(202)
	if at := first.Header.Get("Location"); !strings.HasPrefix(at, "/accounts/auth/me/export/") || again.Header.Get("Location") != at || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%s, and then %s", at, again.Header.Get("Location"))
	}
}

// A program that has the rest of the host verifies tokens of a server below a path, and sees its cookie.
func TestProgramBesideAPath(t *testing.T) {
	s, host := below(t, nil)
	far, err := client.New(s.Config.Web.Base(), client.Options{Now: s.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(far.Close)
	if err := far.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	token := s.Client().Post("/auth/signup?transport=token", m{"email": "ann@example.com", "password": pass}).Want(201).Text("access_token")
	r := httptest.NewRequestWithContext(context.Background(), "GET", "/jobs", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	far.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "in") })).ServeHTTP(w, r)
	if w.Body.String() != "in" {
		t.Errorf("%d %s", w.Code, w.Body)
	}

	// The same in the program that holds the server.
	mux := http.NewServeMux()
	mux.Handle("/accounts/", s)
	mux.Handle("GET /jobs", s.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })))
	app := httptest.NewServer(mux)
	t.Cleanup(app.Close)
	c := s.Client()
	c.URL = app.URL
	c.Get("/jobs").Want(401)
	c.Post("/accounts/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
	if to := c.Get("/jobs").Want(302).Header.Get("Location"); to != "/elsewhere" {
		t.Errorf("the program leads to %s", to)
	}
	c.URL = host.URL
	if c.Cookie("/jobs", "session_id") == "" {
		t.Error("the session cookie is not sent to the program")
	}
}
