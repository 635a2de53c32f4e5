package torture_test

import (
	"fmt"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// pooled is a server behind PgBouncer in transaction mode: no two transactions need run on one connection.
func pooled(t *testing.T) *testkit.Server {
	t.Helper()
	cfg := testkit.Config(t, pooledURL(t))
	cfg.Database.MaxConnections = 64 // more than the pooler has
	return testkit.Start(t, cfg, testkit.NewClock())
}

// The session flow of the descriptions, behind PgBouncer.
func TestPooledSessionFlow(t *testing.T) {
	if !slices.Contains(testkit.Engines(), "postgres") {
		return
	}
	s := pooled(t)
	c := s.Client()
	ann := account("test@example.com")
	c.Get("/auth/me").Want(401, "session_invalid")
	u := c.Post("/auth/signup", ann).Want(201)
	s.Events("user.created", "session.created", "login.succeeded")
	if p := c.Get("/protected").Want(200); p.Text("user_email") != "test@example.com" || p.Text("user_id") != u.Text("id") {
		t.Fatalf("%s", p.Body)
	}
	old := s.Client()
	old.Header.Set("Cookie", "session_id="+c.Cookie("/", "session_id"))
	old.Get("/auth/me").Want(200)
	c.Post("/auth/logout", nil).Want(200)
	old.Get("/auth/me").Want(401, "session_invalid")
	s.Events("session.revoked")
	c.Post("/auth/login", m{"email": "TEST@Example.com ", "password": password}).Want(200)
	s.Events("session.created", "login.succeeded")
	c.Post("/auth/login", m{"email": "test@example.com", "password": "wrong"}).Want(401, "invalid_credentials")
	s.Events("login.failed")
	c.Post("/auth/signup", ann).Want(409, "email_taken")
	s.Events()
	c.Post("/auth/password/change", m{"current_password": password, "new_password": "another password"}).Want(200)
	s.Events("password.changed", "message.queued")
}

// The token flow of the descriptions, behind PgBouncer.
func TestPooledTokenFlow(t *testing.T) {
	if !slices.Contains(testkit.Engines(), "postgres") {
		return
	}
	s := pooled(t)
	c := s.Client()
	john := m{"username": "john_doe", "email": "john@example.com", "password": "secret-pass-1"}
	if u := c.Post("/api/v1/register", john).Want(201); u.Text("username") != "john_doe" || u.Text("role") != "user" {
		t.Fatalf("%s", u.Body)
	}
	s.Events("user.created")
	a := c.Post("/api/v1/login", url.Values{"grant_type": {"password"}, "username": {"john_doe"}, "password": {"secret-pass-1"}}).Want(200)
	s.Events("session.created", "login.succeeded")
	first := c.Cookie("/api/v1/refresh", "refresh_token")
	b := c.Post("/api/v1/refresh", nil).Want(200)
	s.Events("token.refreshed")
	if c.Cookie("/api/v1/refresh", "refresh_token") == first {
		t.Fatal("the refresh token was not rotated")
	}
	for _, access := range []string{a.Text("access_token"), b.Text("access_token")} {
		c.Bearer = access
		c.Get("/api/v1/about_me").Want(200)
	}
	c.Bearer = ""
	c.Post("/api/v1/logout", nil).Want(200)
	s.Events("session.revoked")
	c.Bearer = b.Text("access_token")
	c.Get("/api/v1/about_me").Want(401, "session_invalid")
	c.Bearer = ""
	c.Post("/api/v1/refresh", nil).Want(401, "refresh_token_invalid")
}

// Many at once share the pooler's few connections, and no answer goes to the wrong person.
func TestPooledCrowd(t *testing.T) {
	if !slices.Contains(testkit.Engines(), "postgres") {
		return
	}
	s := pooled(t)
	c := newCaller(s.URL)
	defer c.client.CloseIdleConnections()
	var all sync.WaitGroup
	for i := range 48 {
		all.Go(func() {
			email := fmt.Sprintf("crowd%d@example.com", i)
			in, err := c.send(signUp(email))
			if err != nil || in.status != 201 || in.text1("email") != email {
				t.Errorf("%v %v", in, err)
				return
			}
			for range times(3) {
				token, err := c.send(logInToken(email))
				if err != nil || token.status != 200 {
					t.Errorf("%v %v", token, err)
					return
				}
				if r, err := c.send(refresh(token.refresh)); err != nil || r.status != 200 {
					t.Errorf("%v %v", r, err)
				}
				if r, err := c.send(me(in.session)); err != nil || r.status != 200 || r.text1("email") != email {
					t.Errorf("%v %v, want %s", r, err, email)
				}
			}
			if r, err := c.send(logOut(in.session)); err != nil || r.status != 200 {
				t.Errorf("%v %v", r, err)
			}
		})
	}
	all.Wait()
	halves(t, open(t, s.Config.Database.URL))
}
