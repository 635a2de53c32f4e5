package e2e_test

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
)

// marker is in what is sent; it may be in nothing that comes back.
const marker = "m4rk3r-of-the-attacker"

const pass = "a good long password"

// person signs somebody up and returns their client, which holds the session cookie.
func person(s *testkit.Server, email string) *testkit.Client {
	s.Helper()
	c := s.Client()
	c.Post("/auth/signup", m{"email": email, "password": pass}).Want(201)
	s.Records()
	return c
}

// native signs in with tokens in the body.
func native(s *testkit.Server, email string) (c *testkit.Client, refresh string) {
	s.Helper()
	c = s.Client()
	a := c.Post("/auth/login?transport=token", m{"email": email, "password": pass}).Want(200)
	c.Bearer = a.Text("access_token")
	s.Records()
	return c, a.Text("refresh_token")
}

// bearing sends the session cookie of another client, and nothing else of it.
func bearing(s *testkit.Server, cookie string) *testkit.Client {
	c := s.Client()
	c.Jar = nil
	c.Header.Set("Cookie", cookie)
	return c
}

func userID(c *testkit.Client) string {
	c.T.Helper()
	return c.Get("/auth/me").Want(200).Text("id")
}

// op is one operation of the document.
type op struct {
	Method, Path string
	Body         map[string]any // the schema of its body, nil when it has none
	Required     bool           // whether there has to be a body
	User         bool           // whether somebody has to be signed in
	Keyed        bool           // whether it takes API keys
	Query        []string
	Answers      map[string]any
	Form         bool
}

// operations reads the document as any other tool would.
func operations(t testing.TB, c *testkit.Client) []op {
	t.Helper()
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name, In string }
			RequestBody *struct {
				Required bool
				Content  map[string]struct{ Schema map[string]any }
			}
			Responses map[string]any
			Security  []map[string]any
		}
		Components struct{ Schemas map[string]map[string]any }
	}
	if err := json.Unmarshal(c.Get("/openapi.json").Want(200).Body, &doc); err != nil {
		t.Fatal(err)
	}
	var list []op
	ids := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, d := range methods {
			o := op{Method: strings.ToUpper(method), Path: path, User: len(d.Security) > 0, Answers: d.Responses}
			if d.OperationID == "" || ids[d.OperationID] || len(d.Responses) == 0 {
				t.Errorf("%s %s: operation id %q", method, path, d.OperationID)
			}
			ids[d.OperationID] = true
			for _, way := range d.Security {
				o.Keyed = o.Keyed || way["key"] != nil
			}
			for _, p := range d.Parameters {
				if p.In == "query" {
					o.Query = append(o.Query, p.Name)
				}
			}
			if d.RequestBody != nil {
				o.Required, o.Body = d.RequestBody.Required, d.RequestBody.Content["application/json"].Schema
				_, o.Form = d.RequestBody.Content["application/x-www-form-urlencoded"]
				if ref, ok := o.Body["$ref"].(string); ok {
					o.Body = doc.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
				}
			}
			list = append(list, o)
		}
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || len(list) < 20 {
		t.Fatalf("OpenAPI %q with %d operations", doc.OpenAPI, len(list))
	}
	slices.SortFunc(list, func(a, b op) int { return cmp.Compare(a.Path+a.Method, b.Path+b.Method) })
	return list
}

var parameter = regexp.MustCompile(`\{[a-z_]+\}`)

// at is the path with something in the place of its parameters.
func (o op) at(id string) string { return parameter.ReplaceAllLiteralString(o.Path, id) }

// example is a body that could be accepted, with marker in every text.
func (o op) example() map[string]any {
	body := map[string]any{}
	properties, _ := o.Body["properties"].(map[string]any)
	for name, p := range properties {
		switch p := p.(map[string]any); {
		case name == "email":
			body[name] = marker + "@example.com"
		case p["enum"] != nil:
			continue
		case slices.Contains([]any{"boolean"}, p["type"]):
			body[name] = true
		case p["type"] == "object":
			body[name] = map[string]any{"password": marker}
		default:
			body[name] = marker
		}
	}
	return body
}

// refused holds that an answer is a clear refusal: 4xx, a whole problem, and nothing of what was sent.
func refused(t testing.TB, what string, a testkit.Answer, statuses ...int) {
	t.Helper()
	if a.Status < 400 || a.Status > 499 || len(statuses) > 0 && !slices.Contains(statuses, a.Status) {
		t.Errorf("%s: answered %d, want 4xx %v: %.300s", what, a.Status, statuses, a.Body)
		return
	}
	whole(t, what, a)
}

// whole holds that a refusal is a problem with every member clients rely on, and repeats nothing.
func whole(t testing.TB, what string, a testkit.Answer) {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s: %d with Content-Type %q: %.200s", what, a.Status, got, a.Body)
		return
	}
	for _, name := range []string{"type", "title", "detail", "code", "request_id"} {
		if s, _ := a.JSON[name].(string); s == "" {
			t.Errorf("%s: no %s in %.300s", what, name, a.Body)
		}
	}
	if a.JSON["status"] != float64(a.Status) || a.JSON["request_id"] != a.Header.Get("X-Request-Id") {
		t.Errorf("%s: %d %.300s", what, a.Status, a.Body)
	}
	if len(a.Body) > 16<<10 {
		t.Errorf("%s: a refusal of %d bytes", what, len(a.Body))
	}
	echo(t, what, a)
}

func echo(t testing.TB, what string, a testkit.Answer) {
	t.Helper()
	if bytes.Contains(bytes.ToLower(a.Body), []byte(marker)) || strings.Contains(strings.ToLower(fmt.Sprint(a.Header)), marker) {
		t.Errorf("%s: repeats what was sent: %v %.300s", what, a.Header, a.Body)
	}
}

// wire sends bytes as they are to a server with the limits of the real one, and reads the answers until it closes.
func wire(t testing.TB, address, text string) (list []*http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	go func() {
		_, _ = conn.Write([]byte(text))
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	r := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return list
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(resp.Body)
		list = append(list, resp)
		if resp.Close {
			return list
		}
	}
}

func strict(c *admit.Config) { c.Login.Enumeration = "strict" }

// together runs n requests at once.
func together(n int, do func(i int) testkit.Answer) []testkit.Answer {
	list := make([]testkit.Answer, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			list[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	return list
}

// tally holds how often each status was answered.
func tally(t testing.TB, list []testkit.Answer, want map[int]int) {
	t.Helper()
	got := map[int]int{}
	for _, a := range list {
		got[a.Status]++
		if a.Status >= 500 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// everything is all that is stored, as somebody with a copy of the database sees it.
func everything(t testing.TB, s *testkit.Server) string {
	t.Helper()
	var b strings.Builder
	for _, query := range []string{`SELECT id || name FROM users`, `SELECT value FROM identifiers`, `SELECT hash FROM passwords`, `SELECT id || transport || amr || ip || user_agent FROM sessions`, `SELECT identifier || proofs FROM login_attempts`, `SELECT data || user_agent || request_id FROM events`, `SELECT public FROM signing_keys`, `SELECT template || user_id || reply FROM deliveries`, `SELECT provider || issuer || subject || email || name || picture FROM identities`} {
		rows, err := database.All[string](t.Context(), s.App().DB, query)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, rows)
	}
	for _, query := range []string{`SELECT cookie_hash FROM sessions WHERE cookie_hash IS NOT NULL`, `SELECT salt FROM sessions`, `SELECT private FROM signing_keys`, `SELECT answer FROM idempotency_keys WHERE answer IS NOT NULL`, `SELECT body_hash FROM idempotency_keys`, `SELECT token_hash FROM owner_links`, `SELECT hash FROM recovery_codes`, `SELECT secret FROM totp_secrets WHERE secret IS NOT NULL`, `SELECT pending FROM totp_secrets WHERE pending IS NOT NULL`, `SELECT payload FROM deliveries WHERE payload IS NOT NULL`, `SELECT tokens FROM identities WHERE tokens IS NOT NULL`, `SELECT sealed FROM social_trips`, `SELECT key_hash FROM social_trips`} {
		rows, err := database.All[[]byte](t.Context(), s.App().DB, query)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %x\n", rows, rows)
	}
	return b.String()
}
