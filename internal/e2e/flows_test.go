// Package e2e_test holds what a client can rely on, over real HTTP, on every engine.
package e2e_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

type m = testkit.M

var ann = m{"email": "test@example.com", "password": "password123"}

// The flow of description B: sign up, who am I, sign out, and the cookie is dead at once.
func TestSessionFlow(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		c.Get("/auth/me").Want(401, "session_invalid")
		c.Get("/protected").Want(401)
		u := c.Post("/auth/signup", ann).Want(201)
		if u.Text("email") != "test@example.com" || !strings.HasPrefix(u.Text("id"), "usr_") {
			t.Fatalf("%s", u.Body)
		}
		s.Events("user.created", "session.created", "login.succeeded")
		if id := c.Cookie("/", "session_id"); len(id) != 64 {
			t.Fatalf("cookie %q", id)
		}
		c.Get("/auth/me").Want(200)
		if p := c.Get("/protected").Want(200); p.Text("user_email") != "test@example.com" || p.Text("user_id") != u.Text("id") {
			t.Fatalf("%s", p.Body)
		}
		old := s.Client()
		old.Header.Set("Cookie", "session_id="+c.Cookie("/", "session_id"))
		old.Get("/auth/me").Want(200)
		c.Post("/auth/logout", nil).Want(200)
		if c.Cookie("/", "session_id") != "" {
			t.Fatal("the cookie is still there")
		}
		old.Get("/auth/me").Want(401, "session_invalid")
		s.Events("session.revoked")

		c.Post("/auth/login", m{"email": "TEST@Example.com ", "password": "password123"}).Want(200)
		s.Events("session.created", "login.succeeded")
		c.Post("/auth/login", m{"email": "test@example.com", "password": "wrong"}).Want(401, "invalid_credentials")
		s.Events("login.failed")
		c.Post("/auth/signup", ann).Want(409, "email_taken")
		s.Events()
	})
}

// The flow of description C: register, form login, refresh with rotation, who am I by bearer, sign out.
func TestTokenFlow(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		u := c.Post("/api/v1/register", m{"username": "john_doe", "email": "john@example.com", "password": "secret-pass-1"}).Want(201)
		if u.Text("username") != "john_doe" || u.Text("role") != "user" || u.JSON["is_active"] != true {
			t.Fatalf("%s", u.Body)
		}
		s.Events("user.created")
		c.Post("/api/v1/register", m{"username": "john_doe", "email": "other@example.com", "password": "secret-pass-1"}).Want(409, "username_taken")
		c.Post("/api/v1/login", url.Values{"username": {"john_doe"}, "password": {"nope-nope"}}).Want(401)
		s.Events("login.failed")
		a := c.Post("/api/v1/login", url.Values{"grant_type": {"password"}, "username": {"john_doe"}, "password": {"secret-pass-1"}}).Want(200)
		s.Events("session.created", "login.succeeded")
		first := c.Cookie("/api/v1/refresh", "refresh_token")
		if a.Text("token_type") != "bearer" || first == "" || a.JSON["refresh_token"] != nil {
			t.Fatalf("%s %q", a.Body, first)
		}
		b := c.Post("/api/v1/refresh", nil).Want(200)
		s.Events("token.refreshed")
		if c.Cookie("/api/v1/refresh", "refresh_token") == first {
			t.Fatal("the refresh token was not rotated")
		}
		c.Bearer = b.Text("access_token")
		if me := c.Get("/api/v1/about_me").Want(200); me.Text("username") != "john_doe" {
			t.Fatalf("%s", me.Body)
		}
		c.Get("/auth/me").Want(200)
		c.Bearer = a.Text("access_token")
		c.Get("/api/v1/about_me").Want(200) // same session, not expired yet
		c.Bearer = ""
		c.Post("/api/v1/logout", nil).Want(200)
		s.Events("session.revoked")
		c.Bearer = b.Text("access_token")
		c.Get("/api/v1/about_me").Want(401, "session_invalid")
		c.Bearer = ""
		c.Post("/api/v1/refresh", nil).Want(401, "refresh_token_invalid")
	})
}

// A page that signs in for an access token, in whichever way, has its refresh token in a cookie that no script reads, and is known again as a device.
func TestTokensOfAPage(t *testing.T) {
	testkit.Each(t, known, func(s *testkit.Server) {
		c := s.Client()
		entered := func(a testkit.Answer, status int) {
			t.Helper()
			if a.Want(status); a.Text("access_token") == "" || a.JSON["refresh_token"] != nil || c.Cookie("/", "session_id") != "" || c.Cookie("/api/v1/refresh", "refresh_token") == "" {
				t.Fatalf("%s", a.Body)
			}
			c.Bearer = c.Post("/api/v1/refresh", nil).Want(200).Text("access_token")
			if me := c.Get("/auth/me").Want(200); me.Text("email") != "ann@example.com" {
				t.Fatalf("%s", me.Body)
			}
		}
		entered(c.Post("/auth/signup?transport=page", m{"email": "ann@example.com", "password": pass}), 201)
		device := c.Cookie("/", "device")
		app := setUp(s, c)
		c.Post("/auth/mfa/totp/confirm", m{"code": app.code(0)}).Want(200)
		c.Post("/api/v1/logout", nil).Want(200)
		if c.Bearer = ""; c.Cookie("/api/v1/refresh", "refresh_token") != "" {
			t.Fatal("the cookie is still there")
		}
		s.Advance(time.Minute)
		attempt := step(c.Post("/auth/login?transport=page", m{"email": "ann@example.com", "password": pass}))
		entered(c.Post("/auth/attempts/"+attempt+"/answer?transport=page", m{"values": m{"code": app.code(0)}}), 200)
		if device == "" || c.Cookie("/", "device") != device {
			t.Errorf("the device is %q and then %q", device, c.Cookie("/", "device"))
		}
		c.Post("/auth/login?transport=pages", m{"email": "ann@example.com", "password": pass}).Want(422)
		c.Post("/api/v1/users/"+userID(c)+"/impersonate?transport=page", m{"reason": "none"}).Want(422)
	})
}
