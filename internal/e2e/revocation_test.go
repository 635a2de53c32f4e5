package e2e_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	remote "github.com/admit-dev/admit/client"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/revoked"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/testkit"
)

// afar is another service, which knows the server by its keys and its feed alone.
func afar(s *testkit.Server) *remote.Client {
	s.Helper()
	c, err := remote.New("http://localhost:8000", remote.Options{Server: s.URL, Now: s.Now, Log: s.App().Log})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(c.Close)
	if err := c.Ready(s.Context()); err != nil {
		s.Fatal(err)
	}
	return c
}

// verdict is why a verifier refuses a token; nil when it does not.
func verdict(s *testkit.Server, c *remote.Client, token string) error {
	_, err := c.Verify(s.Context(), token)
	return err
}

// Whatever ends a session, verifiers elsewhere refuse its access tokens, and no others.
func TestVerifiersHearOfEnds(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		far := afar(s)
		person(s, "other@example.com")
		other, _ := native(s, "other@example.com")
		ends := map[string]func(c *testkit.Client, id string){
			"signed out":      func(c *testkit.Client, _ string) { c.Post("/auth/logout", nil).Want(200) },
			"signed out all":  func(c *testkit.Client, _ string) { c.Post("/auth/logout-all", nil).Want(200) },
			"account deleted": func(c *testkit.Client, _ string) { c.Do("DELETE", "/auth/me", nil).Want(204) },
			"password changed": func(c *testkit.Client, id string) {
				again, _ := native(s, c.Get("/auth/me").Text("email"))
				again.Post("/auth/password/change", m{"current_password": pass, "new_password": "another good passphrase"}).Want(200)
			},
			"disabled": func(_ *testkit.Client, id string) {
				if err := s.App().Accounts.Disable(s.Context(), authz.System, id); err != nil {
					t.Error(err)
				}
			},
			"ended by an operator": func(_ *testkit.Client, id string) {
				if _, err := s.App().Sessions.RevokeAll(s.Context(), id, "", session.RevokedByAdmin); err != nil {
					t.Error(err)
				}
			},
		}
		for name, end := range ends {
			email := strings.ReplaceAll(name, " ", "-") + "@example.com"
			id := userID(person(s, email))
			c, _ := native(s, email)
			if err := verdict(s, far, c.Bearer); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			end(c, id)
			come(t, name, func() bool { return errors.Is(verdict(s, far, c.Bearer), remote.ErrEnded) })
		}
		if err := verdict(s, far, other.Bearer); err != nil {
			t.Errorf("of another session: %v", err)
		}
		late := afar(s) // one that begins now hears of what was before
		come(t, "what was before", func() bool { return verdict(s, late, other.Bearer) == nil })
		other.Post("/auth/logout", nil).Want(200)
		last := afar(s)
		come(t, "what had just been", func() bool { return errors.Is(verdict(s, last, other.Bearer), remote.ErrEnded) })
	})
}

// The tokens of a service account end with the key they were made from: when it is revoked, and when another takes its place at once.
func TestVerifiersHearOfKeys(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		far := afar(s)
		ann, _, acme, _ := recruiters(s)
		id := ann.Post(programs, m{"org_id": acme, "name": "Importer", "roles": []string{"recruiter"}}).Want(201).Text("id")
		for name, end := range map[string]func(keyID string){
			"revoked": func(keyID string) { ann.Do("DELETE", programs+"/"+id+"/keys/"+keyID, nil).Want(204) },
			"replaced": func(keyID string) {
				ann.Post(programs+"/"+id+"/keys/"+keyID+"/rotate", m{"overlap_hours": 0}).Want(201)
			},
		} {
			key, keyID := programKey(s, ann, id, "post_job")
			token := exchange(s, id, key.Bearer, nil).Want(200).Text("access_token")
			if err := verdict(s, far, token); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			end(keyID)
			come(t, name, func() bool { return errors.Is(verdict(s, far, token), remote.ErrEnded) })
		}
	})
}

// A token says what its person held when it was made. When that changes it is refused elsewhere, the refreshed one is not, not even within the same
// second, and nobody else's is.
func TestVerifiersHearOfRights(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		far := afar(s)
		ann := person(s, "ann@example.com")
		acme, other := organization(ann, "Acme"), organization(ann, "Other")
		bob, eve := person(s, "bob@example.com"), person(s, "eve@example.com")
		join(s, ann, bob, acme, "bob@example.com", "member")
		join(s, ann, eve, other, "eve@example.com", "member")
		bobs, renew := native(s, "bob@example.com")
		eves, _ := native(s, "eve@example.com")
		outdated := func(what string) {
			t.Helper()
			come(t, what, func() bool { return errors.Is(verdict(s, far, bobs.Bearer), remote.ErrOutdated) })
			a := bobs.Post("/api/v1/refresh", m{"refresh_token": renew}).Want(200)
			bobs.Bearer, renew = a.Text("access_token"), a.Text("refresh_token")
			if err := verdict(s, far, bobs.Bearer); err != nil {
				t.Errorf("%s: the new token: %v", what, err)
			}
			if err := verdict(s, far, eves.Bearer); err != nil {
				t.Errorf("%s: somebody else: %v", what, err)
			}
		}
		who := func() *remote.User {
			u, err := far.Verify(s.Context(), bobs.Bearer)
			if err != nil {
				s.Fatal(err)
			}
			return u
		}
		if u := who(); u.OrgID != acme || !slices.Equal(u.OrgRoles, []string{"member"}) || len(u.Roles) != 0 || u.HasRole("super_admin") {
			t.Errorf("%+v", u)
		}
		ann.Do("PUT", "/api/v1/orgs/"+acme+"/members/"+userID(bob)+"/roles", m{"roles": []string{"admin"}}).Want(200)
		outdated("another role in the organization")
		if u := who(); !slices.Equal(u.OrgRoles, []string{"admin"}) {
			t.Errorf("%+v", u)
		}
		s.Grant(userID(bob), "super_admin")
		outdated("a global role")
		if u := who(); !u.HasRole("super_admin") {
			t.Errorf("%+v", u)
		}
		ann.Post("/api/v1/orgs/"+acme+"/roles", m{"name": "Recruiter", "permissions": []string{}}).Want(201)
		outdated("other roles in the organization")
		ann.Do("DELETE", "/api/v1/orgs/"+acme+"/members/"+userID(bob), nil).Want(204)
		outdated("no member any more")
		if u := who(); u.OrgID != "" || len(u.OrgRoles) != 0 {
			t.Errorf("%+v", u)
		}
		declare(s, "jobs:post") // which changes nothing that is in a token
		eves.Post("/auth/logout", nil).Want(200)
		come(t, "what was done after it", func() bool { return errors.Is(verdict(s, far, eves.Bearer), remote.ErrEnded) })
		if err := verdict(s, far, bobs.Bearer); err != nil {
			t.Errorf("after a declaration: %v", err)
		}
	})
}

// sessionOf is the id of the session that a client works in.
func sessionOf(c *testkit.Client) string {
	c.T.Helper()
	var list struct {
		Items []struct {
			ID      string `json:"id"`
			Current bool   `json:"current"`
		} `json:"items"`
	}
	if err := json.Unmarshal(c.Get("/auth/sessions").Want(200).Body, &list); err != nil {
		c.T.Fatal(err)
	}
	for _, n := range list.Items {
		if n.Current {
			return n.ID
		}
	}
	c.T.Fatal("no session is the current one")
	return ""
}

// message reads what the feed says next, without a verifier's eyes.
func message(s *testkit.Server, since, wait string) (m revoked.Message, header map[string]any, text string) {
	s.Helper()
	a := s.Client().Get("/api/v1/revocations?since=" + since + "&wait=" + wait).Want(200)
	text = string(a.Body)
	payload, err := json.Marshal(part(s.T, text, 1))
	if err == nil {
		err = json.Unmarshal(payload, &m)
	}
	if err != nil {
		s.Fatal(err)
	}
	return m, part(s.T, text, 0), text
}

// The feed tells each who asks what they have not heard, at once or as soon as it happens, and everything to who comes with nothing or from
// another life of the database. It names nobody.
func TestRevocationFeed(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		first, header, _ := message(s, "", "0")
		if !first.Whole || len(first.Ended) != 0 || header["typ"] != "revocations+jwt" || first.Issuer != "http://localhost:8000" || first.Keep < 900 {
			t.Errorf("%+v %v", first, header)
		}
		sid := sessionOf(ann)
		heard := make(chan revoked.Message)
		go func() {
			m, _, _ := message(s, first.Cursor, "60")
			heard <- m
		}()
		ann.Post("/auth/logout", nil).Want(200)
		m := <-heard
		if m.Whole || !slices.Equal(m.Ended, []string{revoked.Session(sid)}) {
			t.Errorf("%+v", m)
		}
		if m, _, _ := message(s, m.Cursor, "0"); m.Whole || len(m.Ended)+len(m.Changed) != 0 {
			t.Errorf("told twice: %+v", m)
		}
		whole, _, text := message(s, "", "0")
		if !whole.Whole || !slices.Contains(whole.Ended, revoked.Session(sid)) {
			t.Errorf("%+v", whole)
		}
		payload, _ := json.Marshal(whole)
		for _, secret := range []string{sid, "usr_", "ses_", "org_", "example.com"} {
			if strings.Contains(string(payload), secret) {
				t.Errorf("%s is told", secret)
			}
		}
		if m, _, _ := message(s, strings.Replace(m.Cursor, "."+whole.Epoch+".", ".elsewhere.", 1), "60"); !m.Whole {
			t.Errorf("of another database: %+v", m)
		}
		for _, since := range []string{"x", "rv1.a.b.c.d", "rv1.a.b.1.2", m.Cursor + "x", strings.Repeat("a", 301)} {
			if a := s.Client().Get("/api/v1/revocations?since=" + since); a.Status != 400 && a.Status != 422 {
				t.Errorf("%s: %d", since, a.Status)
			}
		}
		s.Client().Get("/api/v1/revocations?wait=61").Want(422)
		s.Client().Get("/api/v1/revocations/stream?since=x").Want(400, "revocation_cursor_invalid")

		// A message is no access token, and an access token is no message.
		c := s.Client()
		c.Bearer = text
		c.Get("/auth/me").Want(401)

		// What no token is left of is told no more.
		s.Advance(time.Duration(whole.Keep+1) * time.Second)
		come(t, "forgotten", func() bool { m, _, _ := message(s, "", "0"); return len(m.Ended) == 0 })
	})
}

// A cursor of one server is good on another: what was heard is not told again, and nothing is left out.
func TestRevocationFeedOfTwoServers(t *testing.T) {
	testkit.Each(t, nil, func(a *testkit.Server) {
		b := testkit.Start(a.T, a.Config, a.Clock)
		var ended []string
		out := func(email string) {
			c := person(a, email)
			ended = append(ended, revoked.Session(sessionOf(c)))
			c.Post("/auth/logout", nil).Want(200)
		}
		out("one@example.com")
		at, _, _ := message(a, "", "0")
		come(t, "the first", func() bool { at, _, _ = message(a, "", "0"); return slices.Contains(at.Ended, ended[0]) })
		a.Records() // everything is settled
		come(t, "the place after it", func() bool {
			at, _, _ = message(a, "", "0")
			all, _, _ := message(b, "", "0") // it has heard of it, too
			m, _, _ := message(b, at.Cursor, "0")
			return slices.Contains(all.Ended, ended[0]) && !m.Whole && len(m.Ended) == 0
		})
		out("two@example.com")
		out("three@example.com")
		var heard []string
		come(t, "the others", func() bool {
			m, _, _ := message(b, at.Cursor, "1")
			heard, at = append(heard, m.Ended...), m
			return slices.Contains(heard, ended[1]) && slices.Contains(heard, ended[2])
		})
		if slices.Contains(heard, ended[0]) {
			t.Error("what was heard from the other server is told again")
		}
	})
}

// A server that is told to end keeps nobody waiting: a stream ends, and who waits for news has an answer.
func TestDrain(t *testing.T) {
	s := testkit.Start(t, testkit.Config(t, testkit.DatabaseURL(t, "sqlite")), testkit.NewClock())
	var resp *http.Response
	come(t, "a stream", func() bool { // a busy machine may keep it from reading the events for so long that it says 503
		var err error
		if resp, err = http.Get(s.URL + "/api/v1/revocations/stream"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp.StatusCode == http.StatusOK
	})
	s.Drain()
	if text, err := io.ReadAll(resp.Body); err != nil || !strings.HasPrefix(string(text), "id: rv1.") { // it would go on for ever
		t.Errorf("%v %s", err, text)
	}
}

// The middleware of package client has the names and the answers of the server's own.
func TestClientMiddleware(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		far := afar(s)
		declare(s, "post_job")
		ann := person(s, "ann@example.com")
		acme := organization(ann, "Acme")
		ann.Post("/api/v1/orgs/"+acme+"/roles", m{"name": "Recruiter", "permissions": []string{"post_job"}}).Want(201)
		bob := person(s, "bob@example.com")
		join(s, ann, bob, acme, "bob@example.com", "recruiter")
		person(s, "eve@example.com")
		ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(remote.UserFrom(r.Context()).ID)) })
		mux := http.NewServeMux()
		mux.Handle("GET /me", far.RequireUser(ok))
		mux.Handle("GET /boss", far.RequireUser(far.RequireGlobalRole("super_admin")(ok)))
		mux.Handle("GET /fresh", far.RequireFresh(5*time.Minute)(ok))
		mux.Handle("POST /orgs/{org}/jobs", far.RequirePermission("post_job", remote.OrgFromPath("org"))(ok))
		mux.Handle("GET /anywhere", far.RequirePermission("post_job", remote.Platform)(ok))
		mux.Handle("GET /unknown", far.RequirePermission("post_jbo", remote.OrgFromQuery("org"))(ok))
		app := httptest.NewServer(mux)
		s.Cleanup(app.Close)
		at := func(email string) *testkit.Client {
			c, _ := native(s, email)
			c.URL = app.URL
			return c
		}
		stranger, rec, eve := s.Client(), at("bob@example.com"), at("eve@example.com")
		stranger.URL = app.URL
		stranger.Get("/me").Want(401, "unauthenticated")
		if a := rec.Get("/me").Want(200); string(a.Body) != userID(bob) {
			t.Errorf("%s", a.Body)
		}
		rec.Get("/boss").Want(403, "missing_role")
		rec.Get("/fresh").Want(200)
		rec.Post("/orgs/"+acme+"/jobs", nil).Want(200)
		rec.Post("/orgs/acme/jobs", nil).Want(200)
		rec.Get("/anywhere").Want(403, "missing_permission")
		rec.Get("/unknown?org=acme").Want(503, "check_unavailable")
		eve.Post("/orgs/acme/jobs", nil).Want(403, "missing_permission")
		if h := stranger.Get("/me").Header.Get("WWW-Authenticate"); h != `Bearer realm="admit"` {
			t.Error(h)
		}
		for _, bad := range []string{rec.Bearer + "x", rec.Bearer[:len(rec.Bearer)-1], strings.ToUpper(rec.Bearer), "x", strings.Repeat("a", 9000), ""} {
			c := s.Client()
			c.URL, c.Bearer = app.URL, bad
			c.Get("/me").Want(401)
		}
		s.Grant(userID(bob), "super_admin")
		come(t, "outdated", func() bool { return rec.Get("/me").Status == 401 })
		rec.Get("/me").Want(401, "token_outdated")
		boss := at("bob@example.com")
		boss.Get("/boss").Want(200)
		s.Advance(6 * time.Minute)
		boss.Get("/fresh").Want(403, "reauthentication_required")
		rec.Get("/me").Want(401)
		s.Advance(10 * time.Minute)
		boss.Get("/me").Want(401, "invalid_token") // it has expired
	})
}

// lines is what somebody logs.
type lines chan string

func (l lines) Write(text []byte) (int, error) {
	l <- string(text)
	return len(text), nil
}

// A verifier goes by the server it was told of: its issuer, its audience, its keys.
func TestVerifierHoldsToItsServer(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		n, _ := native(s, "ann@example.com")
		far := afar(s)
		for name, opt := range map[string]remote.Options{"another audience": {Server: s.URL, Now: s.Now, Audience: "https://other.example.com"}, "a shared secret": {Server: s.URL, Now: s.Now, Secret: strings.Repeat("k", 32)}} {
			c, err := remote.New("http://localhost:8000", opt)
			if err != nil {
				s.Fatal(err)
			}
			s.Cleanup(c.Close)
			if err := verdict(s, c, n.Bearer); !errors.Is(err, remote.ErrToken) {
				t.Errorf("%s: %v", name, err)
			}
		}
		tried := make(lines, 100)
		other, err := remote.New("https://elsewhere.example.com", remote.Options{Server: s.URL, Now: s.Now, Log: slog.New(slog.NewTextHandler(tried, nil))})
		if err != nil {
			s.Fatal(err)
		}
		s.Cleanup(other.Close)
		if why := <-tried; !strings.Contains(why, "not one of this server") || !other.Stale() {
			t.Errorf("it believes the feed of another server: %s", why)
		}
		if err := s.App().Tokens.Rotate(s.Context()); err != nil {
			s.Fatal(err)
		}
		s.Advance(16 * time.Minute)
		n2, _ := native(s, "ann@example.com")
		come(t, "the new key", func() bool { return verdict(s, far, n2.Bearer) == nil })
		for _, text := range []string{"", "auth.example.com", "ftp://auth.example.com", "https://auth.example.com?x=1"} {
			if _, err := remote.New(text, remote.Options{}); err == nil {
				t.Errorf("%q is taken for an address", text)
			}
		}
	})
}

// Where one secret signs and verifies, the feed is signed with it too.
func TestVerifierWithASharedSecret(t *testing.T) {
	testkit.Each(t, shared, func(s *testkit.Server) {
		far, err := remote.New("http://localhost:8000", remote.Options{Server: s.URL, Now: s.Now, Secret: sharedSecret})
		if err != nil {
			s.Fatal(err)
		}
		s.Cleanup(far.Close)
		if err := far.Ready(s.Context()); err != nil {
			s.Fatal(err)
		}
		person(s, "ann@example.com")
		n, _ := native(s, "ann@example.com")
		if err := verdict(s, far, n.Bearer); err != nil {
			t.Error(err)
		}
		n.Post("/auth/logout", nil).Want(200)
		come(t, "its end", func() bool { return errors.Is(verdict(s, far, n.Bearer), remote.ErrEnded) })
	})
}
