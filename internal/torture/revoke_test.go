package torture_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/client"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// third is a server on the same store, without a listener.
func (p *pair) third() *admit.Server {
	p.Helper()
	cfg := admit.DefaultConfig()
	cfg.Server.DataDir = filepath.Join(p.a.cmd.Dir, "admit-data")
	cfg.Database.URL, cfg.Event.File, cfg.RateLimit.RateLimit = p.url, "off", "off"
	s, err := admit.New(p.Context(), cfg, admit.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = s.Close() })
	return s
}

// verifier is a service elsewhere that follows a server.
func (p *pair) verifier(s *process) *client.Client {
	p.Helper()
	c, err := client.New("http://localhost:8000", client.Options{Server: "http://" + s.addr, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(c.Close)
	if err := c.Ready(p.Context()); err != nil {
		p.Fatal(err)
	}
	return c
}

// What ends on one server is refused by the other within a second, also while the other remembers the session, and by services elsewhere that
// follow either of them. The second is held by make torture: elsewhere other packages are tested beside it.
func TestEndIsHeardByTheOther(t *testing.T) {
	pairs(t, func(p *pair) { p.endIsHeard(times(24), func(int) {}) })
}

// The same while the Redis that both servers share is there, slow, emptied, full and away, which changes all the time.
func TestEndIsHeardWhateverRedisDoes(t *testing.T) {
	t.Parallel()
	redis, engines := testkit.NewRedis(t), testkit.Engines()
	p := newPair(t, testkit.DatabaseURL(t, engines[len(engines)-1]), "REDIS_URL="+redis.URL)
	away := false
	p.endIsHeard(times(25), func(trial int) {
		if away {
			redis.Start()
			away = false
		}
		redis.Slow(0)
		redis.Do("CONFIG", "SET", "maxmemory", "0")
		switch trial % 5 {
		case 1:
			redis.Slow(200 * time.Millisecond)
		case 2:
			redis.Do("FLUSHALL")
		case 3:
			redis.Do("CONFIG", "SET", "maxmemory", "1")
		case 4:
			redis.Stop()
			away = true
		}
	})
}

// endIsHeard ends sessions and tokens in every way. Before each trial something may be changed.
func (p *pair) endIsHeard(trials int, before func(trial int)) {
	p.Helper()
	operator := p.third()
	var waits, far []time.Duration
	verifiers := []*client.Client{p.verifier(p.a), p.verifier(p.b)}
	for trial := range trials {
		before(trial)
		email := fmt.Sprintf("trial%d@example.com", trial)
		in := p.a.must(p, signUp(email), 201)
		token := p.a.must(p, logInToken(email), 200)
		asks := []sent{me(in.session), {method: "GET", path: "/api/v1/about_me", bearer: token.text1("access_token")}}
		for _, s := range asks {
			p.b.must(p, s, 200) // read
			p.b.must(p, s, 200) // remembered
		}
		switch trial % 4 {
		case 0:
			p.a.must(p, logOut(in.session), 200)
			asks = asks[:1]
		case 1:
			p.a.must(p, logOutToken(token.refresh), 200)
			asks = asks[1:]
		case 2:
			p.a.must(p, sent{path: "/auth/logout-all", session: in.session}, 200)
		default: // as the command line does it, beside the servers
			if err := operator.App().Accounts.Disable(p.Context(), authz.System, in.text1("id")); err != nil {
				p.Fatal(err)
			}
		}
		ended := time.Now()
		heard := func(what string, ok func() bool) time.Duration {
			within(p.T, 30*time.Second, what, ok)
			took := time.Since(ended)
			if times(1) > 1 && took > time.Second {
				p.Fatalf("trial %d: %s only after %v", trial, what, took)
			}
			return took
		}
		for _, s := range asks {
			if trial%4 != 3 {
				p.a.must(p, s, 401) // the next request here
			}
			waits = append(waits, heard("refused by the other server", func() bool {
				r, err := p.b.send(s)
				if err != nil || r.status != 200 && r.status != http.StatusUnauthorized {
					p.Fatalf("%v %v", r, err)
				}
				return r.status == http.StatusUnauthorized
			}))
			for _, c := range verifiers {
				if s.bearer == "" {
					continue
				}
				far = append(far, heard("refused elsewhere", func() bool {
					_, err := c.Verify(p.Context(), s.bearer)
					return errors.Is(err, client.ErrEnded)
				}))
			}
		}
	}
	most, longest := p99(waits)
	p.Logf("%d ends heard by the other server: p99 %v, at most %v", len(waits), most, longest)
	most, longest = p99(far)
	p.Logf("%d ends heard elsewhere: p99 %v, at most %v", len(far), most, longest)
}
