package e2e_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/ratelimit"
	"github.com/admit-dev/admit/internal/testkit"
)

// beside runs f with two servers of one store and one Redis, on every engine.
func beside(t *testing.T, change func(*admit.Config), f func(r *testkit.Redis, a, b *testkit.Server)) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r := testkit.NewRedis(t)
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			cfg.Redis.URL = r.URL
			if change != nil {
				change(&cfg)
			}
			clock := testkit.NewClock()
			a, b := testkit.Start(t, cfg, clock), testkit.Start(t, cfg, clock)
			a.Engine, b.Engine = engine, engine
			f(r, a, b)
		})
	}
}

// come asks until the answer is right, as long as that may take on a busy machine.
func come(t *testing.T, what string, right func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !right(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

func health(s *testkit.Server) string {
	return s.Client().Get("/health/ready").Text("status")
}

// Servers that share a Redis count together: what is used up on one is used up on the other, and what one gives back is there on both. On a
// machine that is so busy that Redis does not answer in time each counts by itself for a moment, so this is tried until it was asked.
func TestServersCountTogether(t *testing.T) {
	change := func(cfg *admit.Config) { cfg.RateLimit.RateLimit, cfg.RateLimit.IPPerMinute = "auto", 2 }
	beside(t, change, func(r *testkit.Redis, a, b *testkit.Server) {
		rule := ratelimit.Rule{Name: "test", Limit: 60, Per: time.Hour}
		la, lb := a.App().Limiter, b.App().Limiter
		come(a.T, "60 of 160", func() bool {
			key := r.Do("INCR", "tries")
			var let atomic.Int64
			together(160, func(i int) testkit.Answer {
				if []*ratelimit.Limiter{la, lb}[i%2].Take(key, rule).Allowed {
					let.Add(1)
				}
				return testkit.Answer{}
			})
			if let.Load() < 60 {
				a.Errorf("%d of 60 were let in", let.Load())
			}
			if let.Load() > 60 || la.Take(key, rule).Allowed || lb.Take(key, rule).Allowed {
				return false
			}
			la.GiveBack(key, rule)
			return lb.Take(key, rule).Allowed && !la.Take(key, rule).Allowed && !lb.Take(key, rule).Allowed
		})
		come(a.T, "a request to the other server that counts", func() bool {
			a.Advance(time.Minute)
			signIn(a, "nobody@example.com", "wrong")
			signIn(b, "nobody@example.com", "wrong")
			answer := signIn(a, "nobody@example.com", "wrong")
			return answer.Status == 429 && answer.Header.Get("Retry-After") == "30" && strings.Contains(answer.Header.Get("RateLimit"), `"ip";r=0;t=60`)
		})
		for _, key := range strings.Fields(r.Do("KEYS", "*")) {
			if strings.Contains(key, "127.0.0.1") {
				a.Errorf("an address can be read in %s", key)
			}
		}
	})
}

// Nobody waits for a Redis that is slow, away, full or empty, and nobody gets further by it: people sign in, sessions are checked, what has
// ended has ended, limits hold on each server, and /health/ready names it without calling the server ill.
func TestRedisIsMissed(t *testing.T) {
	ills := []struct {
		name         string
		break_, mend func(*testkit.Redis)
		known        bool // whether the server can tell
	}{
		{"flushed", func(r *testkit.Redis) { r.Do("FLUSHALL") }, func(*testkit.Redis) {}, false},
		{"away", (*testkit.Redis).Stop, (*testkit.Redis).Start, true},
		{"slow", func(r *testkit.Redis) { r.Slow(3 * time.Second) }, func(r *testkit.Redis) { r.Slow(0) }, true},
		{"full", func(r *testkit.Redis) { r.Do("CONFIG", "SET", "maxmemory", "1") }, func(r *testkit.Redis) { r.Do("CONFIG", "SET", "maxmemory", "0") }, false},
	}
	change := func(cfg *admit.Config) {
		cfg.RateLimit.RateLimit, cfg.RateLimit.IPPerMinute, cfg.RateLimit.IdentifierBurst = "redis", 1000, 3
	}
	beside(t, change, func(r *testkit.Redis, a, b *testkit.Server) {
		person(a, "ann@example.com")
		for _, ill := range ills {
			who := ill.name
			person(a, who+"@example.com")
			gone, stays := a.Client(), a.Client()
			gone.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
			stays.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
			gone.Get("/auth/me").Want(200)
			cookie := gone.Cookie("/", "session_id")

			ill.break_(r)
			if ill.known {
				come(a.T, ill.name, func() bool { return health(a) == "degraded" })
			}
			stays.Get("/auth/me").Want(200)
			for _, s := range []*testkit.Server{a, b} {
				bearing(s, "session_id="+stays.Cookie("/", "session_id")).Get("/auth/me").Want(200)
				signIn(s, "ann@example.com", pass).Want(200)
				for range 3 {
					signIn(s, who+"@example.com", "wrong")
				}
				signIn(s, who+"@example.com", "wrong").Want(429)
			}
			gone.Post("/auth/logout", nil).Want(200)
			bearing(a, "session_id="+cookie).Get("/auth/me").Want(401)
			come(a.T, "ended on the other server", func() bool { return bearing(b, "session_id="+cookie).Get("/auth/me").Status == 401 })
			ill.mend(r)
			come(a.T, ill.name+" is over", func() bool { return health(a) == "ok" && health(b) == "ok" })
			for _, s := range []*testkit.Server{a, b} {
				bearing(s, "session_id="+cookie).Get("/auth/me").Want(401)
				bearing(s, "session_id="+stays.Cookie("/", "session_id")).Get("/auth/me").Want(200)
			}
		}
	})
}

// A session that one server has checked costs another no question to the database, and whatever is put into Redis brings none back to life:
// not a copy that is old, not the copy of somebody else, not one that is made up.
func TestCopiesOfSessions(t *testing.T) {
	beside(t, nil, func(r *testkit.Redis, a, b *testkit.Server) {
		person(a, "ann@example.com")
		const many = 60
		cookies := make([]string, many)
		for i := range cookies {
			c := a.Client()
			c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
			cookies[i] = c.Cookie("/", "session_id")
		}
		me := func(s *testkit.Server, cookie string) int {
			return bearing(s, "session_id="+cookie).Get("/auth/me").Status
		}
		// Both servers must have heard of what concerns her; until then they ask the database.
		come(a.T, "a copy that is believed", func() bool {
			c := a.Client()
			c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
			cookie := c.Cookie("/", "session_id")
			me(a, cookie)
			before := b.App().DB.Asked()
			return me(b, cookie) == 200 && b.App().DB.Asked() == before
		})
		asked := func() int64 {
			before := b.App().DB.Asked()
			for _, c := range cookies[2:] {
				if me(a, c) != 200 || me(b, c) != 200 {
					a.Fatal("a session that is alive")
				}
			}
			return b.App().DB.Asked() - before
		}
		if n := asked(); n > many/3 { // the feed asks twice a second
			a.Errorf("%d questions to the database for %d sessions that the other server knew", n, many)
		}

		keys := strings.Fields(r.Do("KEYS", "admit:session:*"))
		kept := map[string]string{}
		for _, k := range keys {
			if strings.HasPrefix(k, "admit:session:") {
				_, value, _ := strings.Cut(r.Do("GET", k), "\r\n")
				kept[k] = strings.TrimSuffix(value, "\r\n")
				if strings.Contains(value, "ann@example.com") {
					a.Error("a copy can be read")
				}
			}
		}
		if len(kept) < many/2 {
			a.Fatalf("%d copies", len(kept))
		}
		c := bearing(a, "session_id="+cookies[5])
		c.Post("/auth/logout-all", nil).Want(200)
		fresh := testkit.Start(a.T, a.Config, a.Clock)
		for round, value := range []func(string) string{func(k string) string { return kept[k] }, func(string) string { return kept[keys[1]] }, func(string) string { return "{}" }} {
			for k := range kept {
				r.Do("SET", k, value(k))
			}
			for _, s := range []*testkit.Server{a, fresh} {
				for _, c := range cookies {
					if got := me(s, c); got != 401 {
						a.Fatalf("round %d: %d for a session that has ended", round, got)
					}
				}
			}
			come(a.T, fmt.Sprint("the other server, round ", round), func() bool { return me(b, cookies[7]) == 401 })
			for _, c := range cookies {
				if got := me(b, c); got != 401 {
					a.Fatalf("round %d: %d for a session that has ended, on the other server", round, got)
				}
			}
		}
	})
}
