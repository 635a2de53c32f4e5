package e2e_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

func limited(c *admit.Config) {
	c.RateLimit.RateLimit, c.RateLimit.IdentifierBurst, c.RateLimit.IdentifierPerHour, c.RateLimit.IPPerMinute = "memory", 5, 60, 1000
}

// RL-03: of 64 wrong passwords at once no more are judged than the limit allows.
func TestBurstOfGuesses(t *testing.T) {
	testkit.Each(t, limited, func(s *testkit.Server) {
		person(s, "ann@example.com")
		before := s.App().Hasher.Stats().Done
		tally(t, together(64, func(i int) testkit.Answer {
			return signIn(s, "ann@example.com", fmt.Sprintf("guess number %d", i))
		}), map[int]int{401: 5, 429: 59})
		if n := s.App().Hasher.Stats().Done - before; n != 5 {
			t.Errorf("%d passwords were judged", n)
		}
		s.Events("login.failed", "login.failed", "login.failed", "login.failed", "login.failed")
		a := signIn(s, "ann@example.com", pass).Want(429, "too_many_attempts")
		if refused(t, "limited", a); a.Header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
		}
		s.Advance(time.Minute)
		signIn(s, "ann@example.com", pass).Want(200)
	})
}

// RL-04 and RL-06: one account has one counter, by whatever name, whatever spelling, and through whatever door it is tried.
func TestOneCounterForOneAccount(t *testing.T) {
	testkit.Each(t, limited, func(s *testkit.Server) {
		s.Client().Post("/auth/signup", m{"email": "ann@example.com", "username": "ann_o", "phone": "+49 171 1234567", "password": pass}).Want(201)
		id := s.Client().Post("/auth/attempts", m{"identifier": "ann@example.com"}).Want(201).Text("id")
		doors := []func() testkit.Answer{
			func() testkit.Answer { return signIn(s, "ANN@Example.com ", "wrong") },
			func() testkit.Answer {
				return s.Client().Post("/auth/login", m{"username": "Ann_O", "password": "wrong"})
			},
			func() testkit.Answer {
				return s.Client().Post("/auth/login?transport=token", m{"phone": "+49 (171) 123-45 67", "password": "wrong"})
			},
			func() testkit.Answer {
				return s.Client().Post("/api/v1/login", m{"username": "+491711234567", "password": "wrong"})
			},
			func() testkit.Answer {
				return s.Client().Post("/auth/attempts/"+id+"/answer", m{"values": m{"password": "wrong"}})
			},
		}
		for _, open := range doors {
			open().Want(401, "invalid_credentials")
		}
		for _, open := range doors {
			open().Want(429, "too_many_attempts")
		}
	})
}

// RL-05: signing in to one's own account gives nobody else's tries back, nor more than the one it took.
func TestSuccessGivesNothingAway(t *testing.T) {
	testkit.Each(t, limited, func(s *testkit.Server) {
		person(s, "victim@example.com")
		person(s, "eve@example.com")
		for range 4 {
			signIn(s, "victim@example.com", "wrong").Want(401)
		}
		for range 10 {
			signIn(s, "eve@example.com", pass).Want(200)
			signIn(s, "victim@example.com", pass).Want(200)
		}
		signIn(s, "victim@example.com", "wrong").Want(401)
		signIn(s, "victim@example.com", "wrong").Want(429)
	})
}

// ENU-07: a name that nobody has is shut at the same try, with the same answer, as one that somebody has.
func TestLimitTellsNothing(t *testing.T) {
	testkit.Each(t, limited, func(s *testkit.Server) {
		person(s, "known@example.com")
		for range 8 {
			same(t, "try", signIn(s, "known@example.com", "wrong"), signIn(s, "unknown@example.com", "wrong"))
			s.Advance(7 * time.Second)
		}
	})
}

// Whoever is not a trusted proxy speaks for one address, whatever it says; behind one, the rightmost stranger counts.
func TestForwardedAddresses(t *testing.T) {
	few := func(c *admit.Config) { limited(c); c.RateLimit.IPPerMinute = 3 }
	guess := func(s *testkit.Server, forwarded string) testkit.Answer {
		c := s.Client()
		c.Header.Set("X-Forwarded-For", forwarded)
		c.Header.Set("X-Real-Ip", forwarded)
		c.Header.Set("Forwarded", "for="+forwarded)
		c.Header.Set("Cf-Connecting-Ip", forwarded)
		return c.Post("/auth/login", m{"email": "n" + fmt.Sprint(len(forwarded)) + "@example.com", "password": "wrong"})
	}
	testkit.Each(t, few, func(s *testkit.Server) {
		for i := range 3 {
			guess(s, fmt.Sprintf("203.0.113.%d", i)).Want(401)
		}
		a := guess(s, "203.0.113.9").Want(429, "rate_limited")
		if refused(t, "limited", a); a.Header.Get("RateLimit") == "" || a.Header.Get("RateLimit-Policy") == "" {
			t.Errorf("%v", a.Header)
		}
		for _, r := range s.Records() {
			if r.Origin.IP != "127.0.0.1" {
				t.Errorf("the event says %q", r.Origin.IP)
			}
		}
	})
	proxied := func(c *admit.Config) {
		few(c)
		c.Web.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	}
	testkit.Each(t, proxied, func(s *testkit.Server) {
		for i := range 3 { // the left part is what the client made up
			guess(s, fmt.Sprintf("198.51.100.%d, 203.0.113.7, 10.1.2.3", i)).Want(401)
		}
		guess(s, "203.0.113.7").Want(429)
		guess(s, "nonsense, 203.0.113.7").Want(429)
		guess(s, "203.0.113.8").Want(401)
		for i := range 3 { // an IPv6 customer has a whole /64
			guess(s, fmt.Sprintf("2001:db8:1:2::%d", i)).Want(401)
		}
		guess(s, "2001:db8:1:2:ffff::1").Want(429)
	})
}
