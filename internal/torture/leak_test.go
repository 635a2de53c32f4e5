package torture_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/admit-dev/admit/internal/testkit"
)

// A server that is closed leaves nothing running, however often it is started.
func TestCloseLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		before := goleak.IgnoreCurrent()
		for range times(5) {
			t.Run("life", func(t *testing.T) {
				s := testkit.Start(t, testkit.Config(t, testkit.DatabaseURL(t, engine)), testkit.NewClock())
				c := newCaller(s.URL)
				defer c.client.CloseIdleConnections()
				cookie := c.must(t, signUp("ann@example.com"), 201).session
				token := c.must(t, logInToken("ann@example.com"), 200).refresh
				c.must(t, refresh(token), 200)
				c.must(t, me(cookie), 200)
				c.must(t, logOut(cookie), 200)
			})
		}
		goleak.VerifyNone(t, before)
	})
}
