package e2e_test

import (
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

func renew(s *testkit.Server, token string) testkit.Answer {
	s.Helper()
	return s.Client().Post("/api/v1/refresh", m{"refresh_token": token})
}

// RFR-05: a lost answer, or two tabs: within the grace the same successor comes again, to the same device.
// RFR-04: the grace covers the immediate parent only; anything older ends the session and is told.
func TestRefreshGrace(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		n, r1 := native(s, "ann@example.com")
		r2 := renew(s, r1).Want(200).Text("refresh_token")
		s.Advance(29 * time.Second)
		if again := renew(s, r1).Want(200); again.Text("refresh_token") != r2 {
			t.Error("another successor")
		}
		s.Events("token.refreshed")
		r3 := renew(s, r2).Want(200).Text("refresh_token")
		s.Records()
		renew(s, r1).Want(401, "refresh_token_reused") // R1 is a grandparent, within the grace
		s.Events("token.reuse_detected", "session.revoked")
		renew(s, r1).Want(401, "refresh_token_invalid")
		renew(s, r3).Want(401, "refresh_token_invalid")
		s.Events()
		n.Get("/auth/me").Want(401, "session_invalid")

		_, late := native(s, "ann@example.com")
		renew(s, late).Want(200)
		s.Records()
		s.Advance(30 * time.Second)
		renew(s, late).Want(401, "refresh_token_reused")
		s.Events("token.reuse_detected", "session.revoked")

		_, stolen := native(s, "ann@example.com")
		kept := renew(s, stolen).Want(200).Text("refresh_token")
		s.Records()
		thief := s.Client()
		thief.Header.Set("User-Agent", "somebody else's")
		thief.Post("/api/v1/refresh", m{"refresh_token": stolen}).Want(401, "refresh_token_reused")
		s.Events("token.reuse_detected", "session.revoked")
		renew(s, kept).Want(401, "refresh_token_invalid")
	})
}

// With REFRESH_GRACE_SECONDS=0 a refresh token is good once.
func TestRefreshWithoutGrace(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Session.GraceSeconds = 0 }, func(s *testkit.Server) {
		person(s, "ann@example.com")
		_, r1 := native(s, "ann@example.com")
		won := together(8, func(int) testkit.Answer { return renew(s, r1) })
		tally(t, won, map[int]int{200: 1, 401: 7})
		kinds := map[string]int{}
		for _, r := range s.Records() {
			kinds[r.Kind]++
		}
		if kinds["token.refreshed"] != 1 || kinds["token.reuse_detected"] != 1 || kinds["session.revoked"] != 1 {
			t.Errorf("%v", kinds)
		}
	})
}

// Of 16 at once all get the one successor, and one change is made.
func TestRefreshAtOnce(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		for range 4 {
			_, r1 := native(s, "ann@example.com")
			all := together(16, func(int) testkit.Answer { return renew(s, r1) })
			tally(t, all, map[int]int{200: 16})
			for _, a := range all {
				if a.Text("refresh_token") != all[0].Text("refresh_token") {
					t.Error("two successors")
				}
			}
			s.Events("token.refreshed")
			renew(s, all[0].Text("refresh_token")).Want(200)
			s.Records()
		}
	})
}

// RFR-10: however often it is renewed, a session ends at its absolute limit; unused, its refresh token ends before.
func TestRefreshAbsoluteLifetime(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Session.RefreshMaxDays, c.Session.RefreshMinutes = 2, 24*60 }, func(s *testkit.Server) {
		person(s, "ann@example.com")
		_, unused := native(s, "ann@example.com")
		_, r := native(s, "ann@example.com")
		for range 3 {
			s.Advance(15 * time.Hour)
			r = renew(s, r).Want(200).Text("refresh_token")
		}
		renew(s, unused).Want(401, "refresh_token_invalid")
		s.Advance(3*time.Hour - time.Second)
		n := s.Client()
		a := renew(s, r).Want(200)
		n.Bearer = a.Text("access_token")
		n.Get("/auth/me").Want(200)
		s.Records()
		s.Advance(time.Second)
		renew(s, a.Text("refresh_token")).Want(401, "refresh_token_invalid")
		n.Get("/auth/me").Want(401)
		s.Events()
	})
}

// RFR-07 and PWD-06: after a changed password, an ended session, a suspension or an erasure no refresh token renews anything.
func TestRefreshAfterRevocation(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := person(s, "ann@example.com")
		b := s.Client()
		b.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
		n, r := native(s, "ann@example.com")
		_, older := native(s, "ann@example.com")
		renew(s, older).Want(200)
		a.Post("/auth/password/change", m{"current_password": pass, "new_password": "another password"}).Want(200)
		kinds := s.Records()
		if len(kinds) != 6 || kinds[1].Kind != "password.changed" { // token.refreshed, then three sessions and the message
			t.Errorf("%v", kinds)
		}
		a.Get("/auth/me").Want(200)
		b.Get("/auth/me").Want(401)
		n.Get("/auth/me").Want(401)
		renew(s, r).Want(401, "refresh_token_invalid")
		renew(s, older).Want(401, "refresh_token_invalid")
		a.Post("/auth/password/change", m{"current_password": "another password", "new_password": pass}).Want(200)

		n, r = native(s, "ann@example.com")
		id := n.Get("/auth/sessions").Want(200).JSON["items"].([]any)[0].(m)["id"].(string)
		a.Do("DELETE", "/auth/sessions/"+id, nil).Want(204)
		renew(s, r).Want(401, "refresh_token_invalid")
	})
}

// RFR-12 and CSR-06: a page of another site moves no refresh token and signs nobody in or out.
func TestRefreshAcrossSites(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		c := s.Client()
		c.Post("/api/v1/login", m{"username": "ann@example.com", "password": pass}).Want(200)
		held := c.Cookie("/api/v1/refresh", "refresh_token")
		s.Records()
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test", "Referer": "https://evil.test/"} {
			c.Header.Set(name, value)
			for _, path := range []string{"/api/v1/refresh", "/api/v1/logout", "/auth/logout", "/auth/login", "/auth/signup", "/auth/logout-all", "/auth/attempts"} {
				a := c.Post(path, m{"email": "ann@example.com", "password": pass})
				refused(t, name+" "+path, a.Want(403, "cross_origin"))
				if len(a.Header["Set-Cookie"]) > 0 {
					t.Errorf("%s %s: %v", name, path, a.Header)
				}
			}
			c.Header.Del(name)
		}
		s.Events()
		c.Post("/api/v1/refresh", nil).Want(200)
		if c.Cookie("/api/v1/refresh", "refresh_token") == held {
			t.Error("not rotated")
		}
	})
}

// A refresh token is in the body only where the client sent it there; a cookie stays a cookie.
func TestRefreshTransports(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		_, r := native(s, "ann@example.com")
		a := renew(s, r).Want(200)
		if len(a.Header["Set-Cookie"]) > 0 || a.Text("refresh_token") == "" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v %s", a.Header, a.Body)
		}
		c := s.Client()
		c.Post("/api/v1/login", m{"username": "ann@example.com", "password": pass}).Want(200)
		if b := c.Post("/api/v1/refresh", nil).Want(200); b.JSON["refresh_token"] != nil || len(b.Header["Set-Cookie"]) != 1 {
			t.Errorf("%v %s", b.Header, b.Body)
		}
		// A cookie session has no refresh token, and its cookie is none.
		k := person(s, "eve@example.com").Cookie("/", "session_id")
		renew(s, k).Want(401, "refresh_token_invalid")
		for _, made := range []string{"ses_06gzrebwtswgk8ycbrjawvx1qr.1.AAAA", r[:30] + ".0" + r[32:], r[:30] + ".+1" + r[32:], r[:30] + ".01" + r[32:], r[:30] + ".2" + r[32:], r[:30] + ".-1" + r[32:], r[:30] + ".9223372036854775808" + r[32:]} {
			renew(s, made).Want(401, "refresh_token_invalid")
		}
	})
}
