package torture_test

import (
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// A server without its store does not say of a token that it is not valid when it only cannot look: a key that another
// server made meanwhile is not known here.
func TestNewKeyWhileStoreIsAway(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		cfg, clock := testkit.Config(t, testkit.DatabaseURL(t, engine)), testkit.NewClock()
		a, b := testkit.Start(t, cfg, clock), testkit.Start(t, cfg, clock)
		c, far := newCaller(a.URL), newCaller(b.URL)
		defer c.client.CloseIdleConnections()
		defer far.client.CloseIdleConnections()
		c.must(t, signUp("ann@example.com"), 201)
		if err := b.App().DB.Close(); err != nil {
			t.Fatal(err)
		}
		within(t, 10*time.Second, "what it was reading at its start is read", func() bool { return b.App().DB.Stats().InUse == 0 })
		if err := a.App().Tokens.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock.Advance(20 * time.Minute) // the new key signs now
		access := c.must(t, logInToken("ann@example.com"), 200).text1("access_token")
		ask := sent{method: "GET", path: "/auth/me", bearer: access}
		c.must(t, ask, 200)
		for range 3 {
			far.must(t, ask, 503)
		}
		far.must(t, sent{method: "GET", path: "/auth/me", bearer: access[:len(access)-22] + strings.Repeat("A", 20)}, 503)
		far.must(t, sent{method: "GET", path: "/auth/me", bearer: "nonsense"}, 401)
	})
}
