package admit_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/testkit"
)

type m = map[string]any

const pass = "a quiet green lamp"

// besides is what has to be off too where a part is.
var besides = map[string][]string{"administration": {"impersonation"}}

// inhabited is a server on which there is one of everything that pages show: its people are a super_admin, the owner of an organization, and
// somebody else.
type inhabited struct {
	*testkit.Server
	people map[string]*testkit.Client
}

func inhabit(s *testkit.Server) inhabited {
	s.Helper()
	in := inhabited{s, map[string]*testkit.Client{"a stranger": s.Client()}}
	for _, name := range []string{"boss", "owner", "person"} {
		c := s.Client()
		id := c.Post("/auth/signup", m{"email": name + "@example.com", "password": pass}).Want(201).Text("id")
		if name == "boss" {
			s.Grant(id, "super_admin")
		}
		c.Post("/api/v1/api-keys", m{"name": "Mine", "scopes": []string{"jobs:*"}}).Want(201)
		c.Post("/auth/me/export", m{}).Want(202)
		in.people[name] = c
	}
	org := in.people["owner"].Post("/api/v1/orgs", m{"name": "Acme"}).Want(201).Text("id")
	in.people["owner"].Post("/api/v1/orgs/"+org+"/invitations", m{"email": "person@example.com", "roles": []string{"member"}}).Want(201)
	list, err := s.App().Orgs.Invitations(s.Context(), authz.System, org, "", 10)
	if err != nil {
		s.Fatal(err)
	}
	in.people["person"].Post("/api/v1/invitations/accept", m{"token": s.App().Orgs.Token(list.Items[0])}).Want(200)
	in.people["owner"].Post("/api/v1/orgs/"+org+"/invitations", m{"email": "later@example.com"}).Want(201)
	in.people["owner"].Post("/api/v1/orgs/"+org+"/roles", m{"name": "Clerk", "permissions": []string{"jobs:*"}}).Want(201)
	account := in.people["owner"].Post("/api/v1/service-accounts", m{"name": "Importer", "org_id": org}).Want(201).Text("id")
	in.people["owner"].Post("/api/v1/service-accounts/"+account+"/keys", m{"name": "Nightly", "scopes": []string{"jobs:*"}}).Want(201)
	return in
}

// without is the same store, clock and people on a server where some parts are off.
func (in inhabited) without(t *testing.T, off ...string) inhabited {
	cfg := in.Config
	cfg.Parts.Off = off
	s := testkit.Start(t, cfg, in.Clock)
	same := inhabited{s, map[string]*testkit.Client{}}
	for name, c := range in.people {
		moved := s.Client()
		moved.Jar = c.Jar // a cookie is of a host, whatever the port
		same.people[name] = moved
	}
	return same
}

var ofRoute = regexp.MustCompile(`\{[^}]*\}`)

// at is the method and an address of a route.
func at(pattern string) (method, path string) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = "GET", pattern
	}
	return method, ofRoute.ReplaceAllStringFunc(path, func(segment string) string {
		if segment == "{$}" {
			return ""
		}
		return "nowhere"
	})
}

// routesOf says which of some routes a request would be for, "" for none.
func routesOf(patterns []string) func(method, address string) string {
	mux := http.NewServeMux()
	for _, p := range patterns {
		mux.HandleFunc(p, func(http.ResponseWriter, *http.Request) {})
	}
	return func(method, address string) string {
		u, err := url.Parse(address)
		if err != nil {
			return ""
		}
		_, found := mux.Handler(&http.Request{Method: method, URL: u, Host: "localhost"})
		return found
	}
}

// Every part can be left out: its routes are gone, from the document too, every other answers as before, and no page leads to what is not there.
// Which routes those are is found by comparing, so that a new one cannot be forgotten.
func TestPartsThatAreOffAreNotThere(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		if s.Engine != testkit.Engines()[0] {
			return // what is served does not depend on the store
		}
		whole := inhabit(s)
		patterns := s.Patterns()
		before := whole.answers(patterns)
		whole.crawl(patterns)
		if s.Failed() {
			return
		}
		for _, p := range part.All() {
			s.Run(p.Name, func(t *testing.T) {
				off := whole.without(t, append(besides[p.Name], p.Name)...)
				left := off.Patterns()
				gone := slices.DeleteFunc(slices.Clone(patterns), func(pattern string) bool { return slices.Contains(left, pattern) })
				if len(gone) == 0 || len(gone)+len(left) != len(patterns) {
					t.Fatalf("of %d routes %d are gone and %d are left", len(patterns), len(gone), len(left))
				}
				off.missing(gone, left)
				off.documented(patterns, left)
				for pattern, status := range off.answers(left) {
					if status != before[pattern] {
						t.Errorf("%s answers %d, and with everything on %d", pattern, status, before[pattern])
					}
				}
				off.signIn()
				off.crawl(left)
			})
		}
	})
}

// missing holds that routes are not there, for whoever asks.
func (in inhabited) missing(gone, left []string) {
	served := routesOf(left)
	for _, pattern := range gone {
		method, path := at(pattern)
		a := in.people["boss"].Do(method, path, nil)
		another := slices.ContainsFunc([]string{"GET", "POST", "PATCH", "PUT", "DELETE"}, func(method string) bool { return served(method, path) != "" })
		if another && a.Status != 405 || !another && (a.Status != 404 || a.Text("code") != "route_not_found") {
			in.Errorf("%s %s answers %d %s", method, path, a.Status, a.Body)
		}
	}
}

// documented holds that the document has every route that is left and would be in the whole document, and no other.
func (in inhabited) documented(all, left []string) {
	served, known := routesOf(left), routesOf(all)
	doc := in.Client().Get("/openapi.json").Want(200).JSON
	for path, operations := range doc["paths"].(m) {
		for method := range operations.(m) {
			if method, path := at(strings.ToUpper(method) + " " + path); known(method, path) == "" || served(method, path) == "" {
				in.Errorf("the document has %s %s", method, path)
			}
		}
	}
	schemes, _ := doc["components"].(m)["securitySchemes"].(m)
	if on := in.Config.Parts.On; (schemes["bearer"] != nil) != on(part.Tokens) || (schemes["password"] != nil) != on(part.Tokens) {
		in.Errorf("the document has the schemes %v", schemes)
	}
}

// answers is with which status each route without a name in it answers the super_admin.
func (in inhabited) answers(patterns []string) map[string]int {
	got := map[string]int{}
	for _, pattern := range patterns {
		method, path := at(pattern)
		if method != "GET" || strings.Contains(pattern, "{") && !strings.HasSuffix(pattern, "{$}") {
			continue
		}
		if path == "/api/v1/revocations" {
			path += "?wait=0"
		}
		got[pattern] = in.people["boss"].Get(path).Status
	}
	return got
}

// signIn holds that nothing keeps anybody from signing in and out.
func (in inhabited) signIn() {
	c := in.Client()
	c.Post("/auth/login", m{"email": "person@example.com", "password": pass}).Want(200)
	c.Get("/auth/me").Want(200)
	c.Post("/auth/logout", m{}).Want(200)
	c.Get("/auth/me").Want(401)
	if in.Config.Parts.On(part.Pages) {
		c.Fill("/signin", "/signin", url.Values{"username": {"person@example.com"}, "password": {pass}}).Want(303)
		c.Get("/account").Want(200)
	}
}

var leads = regexp.MustCompile(`<(\w+)[^>]*? (href|src|action|data-passkey|data-progress)="([^"]*)"`)

// crawl opens every kind of page that can be reached from those without a name in their address, as everybody, and holds that each form, file
// and link on them is of a route that is there, below the path of BASE_URL. The document and mails say what they say.
func (in inhabited) crawl(patterns []string) {
	served := routesOf(patterns)
	web := in.Config.Web
	for who, c := range in.people {
		type step struct{ from, to string }
		var queue []step
		for _, pattern := range patterns {
			if method, path := at(pattern); method == "GET" && !strings.Contains(pattern, "{") && !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/.well-known/") {
				queue = append(queue, step{"", path})
			}
		}
		inside := func(from, to string) (string, bool) {
			to, whole := strings.CutPrefix(to, web.Origin())
			if !whole && !strings.HasPrefix(to, "/") {
				return "", false
			}
			below, found := strings.CutPrefix(to, web.Path())
			if !found {
				in.Errorf("%s leads %s to %s, which is not below %s", from, who, to, web.Path())
			}
			return below, found
		}
		seen := map[string]bool{"GET /docs": true, "GET /redoc": true, "GET /dev/inbox": true}
		for len(queue) > 0 {
			from, address := queue[0].from, queue[0].to
			queue = queue[1:]
			if route := served("GET", address); seen[route] {
				continue
			} else {
				seen[route] = true
			}
			a := c.Get(address)
			if a.Status == 404 && from != "" {
				in.Errorf("%s leads %s to %s, which is not there", from, who, address)
			}
			if to, found := inside(address, a.Header.Get("Location")); found {
				queue = append(queue, step{address, to})
			}
			if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
				continue
			}
			for _, lead := range leads.FindAllStringSubmatch(string(a.Body), -1) {
				to, found := inside(address, html.UnescapeString(lead[3]))
				if !found {
					continue
				}
				method := "GET"
				if form := strings.Contains(lead[0], `method="post"`); form || lead[2] == "data-passkey" {
					method = "POST"
				}
				if served(method, to) == "" {
					in.Errorf("for %s, %s leads to %s %s, which is not there", who, address, method, to)
				}
				if method == "GET" && lead[2] != "data-progress" {
					queue = append(queue, step{address, to})
				}
			}
		}
	}
}

// Without tokens a server signs nothing and believes nothing that was signed: sessions are all there is.
func TestSessionsAlone(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		whole := inhabit(s)
		tokens := s.Client().Post("/auth/login?transport=token", m{"email": "owner@example.com", "password": pass}).Want(200)
		bearer := s.Client()
		bearer.Bearer = tokens.Text("access_token")
		bearer.Get("/auth/me").Want(200)

		off := whole.without(s.T, part.Tokens)
		bearer.URL = off.URL
		bearer.Get("/auth/me").Want(401)
		for _, transport := range []string{"token", "page"} {
			off.Client().Post("/auth/login?transport="+transport, m{"email": "owner@example.com", "password": pass}).Want(422)
		}
		off.Client().Get("/auth/development/login?transport=token&return_to=com.example.app:/in&code_challenge=x").Want(400)
		off.people["boss"].Get("/auth/me").Want(200)
		off.people["boss"].Get("/api/v1/server/checks").Want(200)
	})
	testkit.Each(t, func(c *admit.Config) { c.Parts.Off = []string{part.Tokens} }, func(s *testkit.Server) {
		told, err := s.App().DB.Events(s.Context(), database.Cursor{}, 1000)
		if made := slices.ContainsFunc(told, func(r database.Record) bool { return strings.HasPrefix(r.Kind, "signing_key.") }); err != nil || made {
			s.Error("a key was made", err)
		}
		c := s.Client()
		c.Post("/auth/signup", m{"email": "test@example.com", "password": pass}).Want(201)
		c.Post("/auth/login", m{"email": "test@example.com", "password": pass}).Want(200)
		c.Get("/protected").Want(200)
		c.Post("/auth/logout", m{}).Want(200)
		c.Get("/protected").Want(401)
	})
}

// Keys of what is off are none, and who acts in the name of another does so no longer.
func TestPartsTakeTheirCredentialsAlong(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		whole := inhabit(s)
		owner, boss := whole.people["owner"], whole.people["boss"]
		account := boss.Post("/api/v1/service-accounts", m{"name": "Its own"}).Want(201).Text("id")
		keys := map[string]string{
			part.APIKeys:         owner.Post("/api/v1/api-keys", m{"name": "Mine", "scopes": []string{"jobs:*"}}).Want(201).Text("key"),
			part.ServiceAccounts: boss.Post("/api/v1/service-accounts/"+account+"/keys", m{"name": "Its", "scopes": []string{"jobs:*"}}).Want(201).Text("key"),
		}
		exchanged := s.Client().Post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {account}, "client_secret": {keys[part.ServiceAccounts]}}).Want(200).Text("access_token")
		for off := range keys {
			at := whole.without(s.T, off)
			for of, key := range keys {
				c := at.Client()
				c.Bearer = key
				c.Get("/auth/me").Want(map[bool]int{true: 401, false: 200}[of == off])
			}
			c := at.Client()
			c.Bearer = exchanged
			c.Get("/auth/me").Want(map[bool]int{true: 401, false: 200}[off == part.ServiceAccounts])
		}

		person := whole.people["person"].Get("/auth/me").Text("id")
		boss.Post("/api/v1/users/"+person+"/impersonate", m{"reason": "Ticket 4711"}).Want(200)
		if boss.Get("/auth/me").Text("id") != person {
			s.Fatal("nobody acts as the person")
		}
		acting := whole.without(s.T, part.Impersonation).people["boss"]
		acting.Get("/auth/me").Want(401)
		if to := acting.Get("/account").Want(303).Header.Get("Location"); !strings.HasPrefix(to, "/signin?") {
			s.Error(to)
		}
	})
}

// The page about parts has each, with every address of it.
func TestPartsAreExplained(t *testing.T) {
	text, err := os.ReadFile("docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range part.All() {
		_, row, found := strings.Cut(string(text), "\n| `"+p.Name+"` | ")
		row, _, _ = strings.Cut(row, " |")
		if have := strings.TrimPrefix(row, "every page, "); !found || have != "`"+strings.Join(p.At, "` `")+"`" {
			t.Errorf("docs/embedding.md says of %s: %s", p.Name, row)
		}
	}
}

// What makes no sense is refused at the start, and a slip of the finger is seen.
func TestPartsThatNeedEachOther(t *testing.T) {
	for _, c := range []struct {
		env  []string
		says string // "" where it is fine
	}{
		{[]string{"PARTS_OFF=tokens,audit"}, ""},
		{[]string{"PARTS_OFF=administration,impersonation"}, ""},
		{[]string{"PARTS_OFF=token"}, "Did you mean tokens?"},
		{[]string{"PARTS_OFF=signin"}, "is not one of its values"},
		{[]string{"PARTS_OFF=administration"}, "add impersonation"},
		{[]string{"PARTS_OFF=tokens,api_keys,service_accounts"}, "add authzen"},
		{[]string{"PARTS_OFF=tokens", "APP_REDIRECTS=com.example.app:/in"}, "APP_REDIRECTS"},
		{[]string{"PARTS_OFF=pages", "GOOGLE_ENABLED=true", "GOOGLE_CLIENT_ID=x", "GOOGLE_CLIENT_SECRET=y"}, "sign in with Google"},
		{[]string{"PARTS_OFF=pages", "DEVELOPMENT_PROVIDER=on"}, "DEVELOPMENT_PROVIDER"},
	} {
		var cfg admit.Config
		_, err := config.Load(&cfg, config.Source{Environ: c.env})
		if said := fmt.Sprint(err); c.says == "" && err != nil || !strings.Contains(said, c.says) {
			t.Errorf("%v: %s", c.env, said)
		}
	}
	cfg := admit.DefaultConfig()
	cfg.Parts.Off = []string{"orgs", "organisations"}
	if err := config.Check(&cfg); err == nil || !strings.Contains(err.Error(), `no part called "orgs"`) || !strings.Contains(err.Error(), "did you mean organizations?") {
		t.Error(err)
	}
}
