package torture_test

import (
	"fmt"
	"github.com/admit-dev/admit/internal/authz"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/admit-dev/admit"
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

// What ends on one server is refused by the other within a second, also while the other remembers the session.
func TestEndIsHeardByTheOther(t *testing.T) {
	pairs(t, func(p *pair) {
		operator := p.third()
		var waits []time.Duration
		for trial := range times(24) {
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
				if err := operator.App().Accounts.Disable(t.Context(), authz.System, in.text1("id")); err != nil {
					p.Fatal(err)
				}
			}
			for _, s := range asks {
				if trial%4 != 3 {
					p.a.must(p, s, 401) // the next request here
				}
				waits = append(waits, within(p.T, time.Second, "refused by the other server", func() bool {
					r, err := p.b.send(s)
					if err != nil || r.status != 200 && r.status != http.StatusUnauthorized {
						p.Fatalf("%v %v", r, err)
					}
					return r.status == http.StatusUnauthorized
				}))
			}
		}
		most, longest := p99(waits)
		p.Logf("%d ends heard by the other server: p99 %v, at most %v", len(waits), most, longest)
	})
}
