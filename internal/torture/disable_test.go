package torture_test

import (
	"fmt"
	"github.com/admit-dev/admit/internal/authz"
	"sync"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// Nobody who is disabled signs in, also not with a sign-in that had begun before: no session and no token is left of them.
func TestDisableDuringSignIn(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
		cfg.Hash.MemoryKiB, cfg.Hash.Iterations = 8<<10, 2 // long enough to be disabled in the middle
		s := testkit.Start(t, cfg, testkit.NewClock())
		c := newCaller(s.URL)
		defer c.client.CloseIdleConnections()
		db := open(t, cfg.Database.URL)
		for round := range times(10) {
			email := fmt.Sprintf("round%d@example.com", round)
			id := c.must(t, signUp(email), 201).text1("id")
			var signing sync.WaitGroup
			var mu sync.Mutex
			var tokens []string
			for range 4 {
				signing.Go(func() {
					r, err := c.send(logInToken(email))
					if err != nil || r.status != 200 && r.status != 403 {
						t.Errorf("signing in while being disabled: %v %v", r, err)
					}
					if r.status == 200 {
						mu.Lock()
						defer mu.Unlock()
						tokens = append(tokens, r.text1("access_token"))
					}
				})
			}
			if err := s.App().Accounts.Disable(t.Context(), authz.System, id); err != nil {
				t.Fatal(err)
			}
			signing.Wait()
			for _, token := range tokens {
				c.must(t, sent{method: "GET", path: "/api/v1/about_me", bearer: token}, 401)
			}
			if left := column[string](t, db, `SELECT id FROM sessions WHERE user_id = $1`, id); len(left) > 0 {
				t.Fatalf("round %d: %d sessions of a disabled person: enabled again, they are signed in; until then other services trust their access tokens", round, len(left))
			}
		}
	})
}
