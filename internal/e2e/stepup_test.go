package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// What is sensitive asks for a proof that is less than ten minutes old: that of signing in, or a new one, of this session.
func TestStepUp(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		acme := organization(c, "Acme")
		bob := person(s, "bob@example.com")
		join(s, c, bob, acme, "bob@example.com", "admin")
		s.Advance(10*time.Minute - time.Second)
		setUp(s, c)
		s.Advance(time.Second)
		sensitive := []func(c *testkit.Client) testkit.Answer{
			func(c *testkit.Client) testkit.Answer { return c.Post("/auth/mfa/totp", nil) },
			func(c *testkit.Client) testkit.Answer { return c.Do("DELETE", "/auth/mfa/totp", nil) },
			func(c *testkit.Client) testkit.Answer { return c.Post("/auth/mfa/recovery-codes", nil) },
			func(c *testkit.Client) testkit.Answer {
				return c.Post("/api/v1/orgs/acme/transfer", m{"user_id": userID(bob)})
			},
			func(c *testkit.Client) testkit.Answer { return c.Do("DELETE", "/api/v1/orgs/acme", nil) },
		}
		for _, do := range sensitive {
			do(c).Want(403, "reauthentication_required")
		}
		s.Records()
		c.Post("/auth/reauthenticate", m{"password": "wrong password"}).Want(403, "proof_invalid")
		s.Events("login.proof_failed")
		c.Post("/auth/reauthenticate", m{}).Want(422, "proof_unsuited")
		c.Post("/auth/reauthenticate", m{"code": "123456"}).Want(422, "proof_unsuited")
		s.Client().Post("/auth/reauthenticate", m{"password": pass}).Want(401)
		s.Events()
		sensitive[0](c).Want(403, "reauthentication_required")

		other := s.Client()
		other.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
		sensitive[0](c).Want(403, "reauthentication_required") // another session's proof is not this one's
		s.Records()
		a := c.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		s.Events("session.proved")
		if until, err := time.Parse(time.RFC3339, a.Text("fresh_until")); err != nil || !until.Equal(s.Now().Add(10*time.Minute)) {
			t.Errorf("%s", a.Body)
		}
		s.Advance(10*time.Minute - time.Second)
		sensitive[0](c).Want(200)
		sensitive[3](c).Want(200)
		s.Advance(time.Second)
		sensitive[0](c).Want(403, "reauthentication_required")
		bob.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		sensitive[3](bob) // it is his to hand over; to himself, it may be refused
		sensitive[4](bob).Want(204)
	})
}

// TOT-03: who has a second factor proves again with that one. A password that was read over a shoulder does not take it away.
func TestStepUpWithTheSecondFactor(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		app, spares := enrol(s, c)
		s.Advance(10 * time.Minute)
		c.Do("DELETE", "/auth/mfa/totp", nil).Want(403, "reauthentication_required")
		c.Post("/auth/mfa/totp", nil).Want(403, "reauthentication_required")
		c.Post("/auth/mfa/recovery-codes", nil).Want(403, "reauthentication_required")
		c.Post("/auth/reauthenticate", m{"password": pass}).Want(422, "proof_unsuited")
		c.Post("/auth/reauthenticate", m{"code": "000000"}).Want(403, "proof_invalid")
		c.Do("DELETE", "/auth/mfa/totp", nil).Want(403, "reauthentication_required")

		code := app.code(0)
		tally(t, together(8, func(int) testkit.Answer { return c.Post("/auth/reauthenticate", m{"code": code}) }), map[int]int{200: 1, 403: 7})
		c.Post("/auth/mfa/recovery-codes", nil).Want(200)
		c.Post("/auth/reauthenticate", m{"code": spares[0]}).Want(403, "proof_invalid") // of the old ones
		again := c.Post("/auth/mfa/recovery-codes", nil).Want(200).JSON["recovery_codes"].([]any)
		s.Advance(10 * time.Minute)
		tally(t, together(8, func(int) testkit.Answer { return c.Post("/auth/reauthenticate", m{"code": again[0]}) }), map[int]int{200: 1, 403: 7})
		c.Do("DELETE", "/auth/mfa/totp", nil).Want(204)

		s.Advance(10 * time.Minute)
		c.Post("/auth/reauthenticate", m{"password": pass}).Want(200) // nothing else is left to show
	})
}

// A session that began before the second factor was set up cannot take it away: it has ended.
func TestSetUpEndsSessionsThatBeganWithoutIt(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, other := person(s, "ann@example.com"), s.Client()
		other.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
		phone, refresh := native(s, "ann@example.com")
		enrol(s, c)
		other.Do("DELETE", "/auth/mfa/totp", nil).Want(401)
		phone.Do("DELETE", "/auth/mfa/totp", nil).Want(401)
		phone.Bearer = ""
		phone.Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(401)
		c.Get("/auth/me").Want(200)
	})
}

// How long ago somebody proved who they are is one thing for conditions, for an app's own routes and in access tokens.
func TestOneAgeOfAProof(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		mux := http.NewServeMux()
		mux.Handle("/", protected(s))
		mux.Handle("GET /danger", s.RequireFresh(5*time.Minute)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("done"))
		})))
		url := s.Mount(mux)
		declare(s, "post_job")
		person(s, "ann@example.com")
		for _, transport := range []string{"cookie", "token"} {
			c := s.Client()
			c.URL = url
			a := c.Post("/auth/login?transport="+transport, m{"email": "ann@example.com", "password": pass}).Want(200)
			refresh := ""
			if transport == "token" {
				c.Bearer, refresh = a.Text("access_token"), a.Text("refresh_token")
			}
			org := organization(c, "Acme "+transport)
			c.Post("/api/v1/orgs/"+org+"/guards", m{"pattern": "post_job", "condition": "context.auth_age < 300"}).Want(201)
			c.Get("/danger").Want(200)
			c.Post("/orgs/"+org+"/jobs", nil).Want(200)
			s.Advance(5 * time.Minute)
			c.Get("/danger").Want(403, "reauthentication_required")
			c.Post("/orgs/"+org+"/jobs", nil).Want(403)
			c.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
			c.Get("/danger").Want(200)
			c.Post("/orgs/"+org+"/jobs", nil).Want(200)
			if refresh != "" {
				token := c.Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(200).Text("access_token")
				if at := claims(t, token).AuthTime; at != s.Now().Unix() {
					t.Errorf("auth_time %d, now %d", at, s.Now().Unix())
				}
			}
		}
		stranger := s.Client()
		stranger.URL = url
		stranger.Get("/danger").Want(401)
	})
}

// A proof counts at once on another server of the same store too, which may not have heard of it yet.
func TestProofCountsOnTheOtherServer(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		if s.Engine == "sqlite" {
			return // its file belongs to one server
		}
		other := testkit.Start(s.T, s.Config, s.Clock)
		c := person(s, "ann@example.com")
		there := bearing(s, "session_id="+c.Cookie("/", "session_id"))
		there.URL = other.URL
		for range 20 {
			s.Advance(10 * time.Minute)
			there.Post("/auth/mfa/totp", nil).Want(403, "reauthentication_required")
			c.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
			there.Post("/auth/mfa/totp", nil).Want(200)
		}
	})
}
