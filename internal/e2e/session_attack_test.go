package e2e_test

import (
	"fmt"
	"github.com/admit-dev/admit/internal/authz"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

// SES-02: signing out ends the session itself: a copy of the cookie, the access token or the refresh token opens nothing.
func TestSignOutEndsTheSession(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		thief := bearing(s, "session_id="+c.Cookie("/", "session_id"))
		thief.Get("/auth/me").Want(200)
		out := c.Post("/auth/logout", nil).Want(200)
		if out.Header.Get("Clear-Site-Data") == "" || out.Header.Get("Cache-Control") != "no-store" { // SES-13
			t.Errorf("%v", out.Header)
		}
		thief.Get("/auth/me").Want(401, "session_invalid")
		thief.Get("/protected").Want(401)

		n, refresh := native(s, "ann@example.com")
		n.Get("/auth/me").Want(200)
		s.Client().Post("/api/v1/logout", m{"refresh_token": refresh}).Want(200)
		n.Get("/auth/me").Want(401, "session_invalid")
		n.Get("/api/v1/about_me").Want(401)
		s.Client().Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(401, "refresh_token_invalid")
		s.Events("session.revoked")
	})
}

// SES-03 and JWT-10: what is done to a person holds on their very next request, also where they were remembered.
func TestAccountChangesHoldAtOnce(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		n, refresh := native(s, "ann@example.com")
		id := userID(c)
		c.Do("PATCH", "/auth/me", m{"name": "Ann"}).Want(200)
		for _, who := range []*testkit.Client{c, n} {
			if who.Get("/auth/me").Want(200).Text("name") != "Ann" {
				t.Error("an old name")
			}
		}
		s.Grant(id, "manager")
		for _, who := range []*testkit.Client{c, n} {
			if who.Get("/auth/me").Want(200).Text("role") != "manager" {
				t.Error("an old role")
			}
		}
		if err := s.App().Accounts.Disable(t.Context(), authz.System, id); err != nil {
			t.Fatal(err)
		}
		s.Events("user.disabled", "session.revoked", "session.revoked", "authorization.changed")
		nothingWorks(c, n, refresh)
		for _, path := range []string{"/auth/login", "/auth/login?transport=token", "/api/v1/login"} {
			s.Client().Post(path, m{"identifier": "ann@example.com", "password": pass}).Want(403, "account_disabled")
			s.Client().Post(path, m{"identifier": "ann@example.com", "password": "wrong"}).Want(401, "invalid_credentials")
		}
		if err := s.App().Accounts.Enable(t.Context(), authz.System, id); err != nil {
			t.Fatal(err)
		}
		nothingWorks(c, n, refresh) // being allowed in again brings no session back
		c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
		n, refresh = native(s, "ann@example.com")
		if err := s.App().Accounts.Delete(t.Context(), authz.System, id); err != nil {
			t.Fatal(err)
		}
		nothingWorks(c, n, refresh)
		s.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(401, "invalid_credentials")
	})
}

func nothingWorks(cookie, bearer *testkit.Client, refresh string) {
	cookie.T.Helper()
	for _, c := range []*testkit.Client{cookie, bearer} {
		for _, path := range []string{"/auth/me", "/protected", "/api/v1/about_me", "/auth/sessions"} {
			c.Get(path).Want(401)
		}
		c.Post("/auth/password/change", m{"current_password": pass, "new_password": "another password"}).Want(401)
		c.Do("PATCH", "/auth/me", m{"name": "Mallory"}).Want(401)
	}
	cookie.Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(401)
}

// SES-05: of two cookies with the name of the session none counts, in either order and in two header lines.
func TestCookieTossing(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := "session_id=" + person(s, "ann@example.com").Cookie("/", "session_id")
		eve := "session_id=" + person(s, "eve@example.com").Cookie("/", "session_id")
		bearing(s, ann).Get("/auth/me").Want(200)
		bearing(s, ann+"; "+ann).Get("/auth/me").Want(200)
		for _, cookie := range []string{ann + "; " + eve, eve + "; " + ann, ann + "; session_id=", "session_id=; " + ann} {
			bearing(s, cookie).Get("/auth/me").Want(401)
		}
		two := bearing(s, ann)
		two.Header["Cookie"] = []string{ann, eve}
		two.Get("/auth/me").Want(401)
		for _, name := range []string{"SESSION_ID", "__Host-session_id", "__Secure-session_id", "%73ession_id", "\xa0session_id"} {
			bearing(s, strings.Replace(ann, "session_id", name, 1)).Get("/auth/me").Want(401)
		}
		// Fixation: a planted cookie is never adopted; signing in gives another, and the old one of the same person ends.
		for _, planted := range []string{eve, "session_id=" + strings.Repeat("0", 64)} {
			s.Records()
			c := bearing(s, planted)
			a := c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
			if set := a.Header.Get("Set-Cookie"); strings.HasPrefix(set, planted) || len(set) < 64 {
				t.Errorf("Set-Cookie %q", set)
			}
			s.Events("session.created", "login.succeeded")
		}
		bearing(s, eve).Get("/auth/me").Want(200)
		bearing(s, ann).Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
		s.Events("session.revoked", "session.created", "login.succeeded")
		bearing(s, ann).Get("/auth/me").Want(401)
	})
}

// SES-07: a session ends when it was not used for long enough, and at its last moment however much it is used.
func TestIdleAndAbsoluteTimeout(t *testing.T) {
	change := func(c *admit.Config) {
		c.Session.IdleMinutes, c.Session.ExpireHours = 30, 2
		c.Token.ExpireMinutes, c.Session.RefreshMinutes = 60, 600
	}
	testkit.Each(t, change, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		n, refresh := native(s, "ann@example.com")
		s.Advance(30*time.Minute - time.Second)
		c.Get("/auth/me").Want(200)
		n.Get("/auth/me").Want(200)
		s.Advance(30 * time.Minute)
		c.Get("/auth/me").Want(401)
		n.Get("/auth/me").Want(401)
		s.Client().Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(401, "refresh_token_invalid")
		s.Events()

		c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
		for range 7 {
			s.Advance(17 * time.Minute)
			c.Get("/auth/me").Want(200)
		}
		s.Advance(time.Minute - time.Second)
		c.Get("/auth/me").Want(200)
		s.Advance(time.Second) // two hours after it began
		c.Get("/auth/me").Want(401)
		_, refresh = native(s, "ann@example.com")
		for range 4 { // renewing counts as use
			s.Advance(29 * time.Minute)
			refresh = s.Client().Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(200).Text("refresh_token")
		}
	})
}

// SES-10: a credential with a character cut off, added, or written otherwise is none.
func TestMangledCredentials(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		cookie := person(s, "ann@example.com").Cookie("/", "session_id")
		n, refresh := native(s, "ann@example.com")
		for _, bad := range mangled(cookie) {
			if a := bearing(s, "session_id="+bad).Get("/auth/me"); a.Status != 401 {
				t.Errorf("cookie %q: %d", bad, a.Status)
			}
		}
		for _, bad := range mangled(refresh) {
			if a := s.Client().Post("/api/v1/refresh", m{"refresh_token": bad}); a.Status != 401 {
				t.Errorf("refresh token %q: %d", bad, a.Status)
			}
			if a := bearing(s, "refresh_token="+bad).Post("/api/v1/refresh", nil); a.Status != 401 {
				t.Errorf("refresh cookie %q: %d", bad, a.Status)
			}
		}
		access := n.Bearer
		for _, bad := range mangled(access) {
			n.Bearer = bad
			if a := n.Get("/auth/me"); a.Status != 401 {
				t.Errorf("access token %q: %d", bad, a.Status)
			}
		}
		s.Events() // none of it is reuse: none of it was ever given
		n.Bearer = access
		n.Get("/auth/me").Want(200)
		s.Client().Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(200)
	})
}

func mangled(s string) []string {
	last := s[len(s)-1]
	list := []string{s[1:], s[:len(s)-1], s[:len(s)/2], s + "a", s + "=", s + ".", "a" + s, "=" + s, s + s, `"` + s + `"`, strings.ToUpper(s), url.QueryEscape(" " + s), "%" + fmt.Sprintf("%02x", s[0]) + s[1:],
		strings.Replace(s, s[3:4], "\u200b", 1), s + "%20", s + "%00"}
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		if c != last {
			list = append(list, s[:len(s)-1]+string(c)) // also those that differ in bits that base64 does not use
		}
	}
	return slices.DeleteFunc(list, func(bad string) bool { return bad == s || strings.Contains(bad, "\u200b") && len(s) > 200 })
}
