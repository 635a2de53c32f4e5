package admit_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/testkit"
)

// A program that sends mails itself gets each until it has taken it, the same one, and needs no mail server in production either.
func TestMailerOfTheProgram(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			cfg.Address.Verification = "required"
			cfg.Server.Environment, cfg.Web.BaseURL = "production", "https://auth.example.com"
			cfg.Server.RootKey, cfg.Hash = secret.String(secret.Hex32()), admit.DefaultConfig().Hash
			if _, err := admit.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "needs mail") {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var tries []admit.Mail
			s := testkit.Start(t, cfg, testkit.NewClock(), admit.WithMailer(func(_ context.Context, m admit.Mail) error {
				mu.Lock()
				defer mu.Unlock()
				if tries = append(tries, m); len(tries) == 1 {
					return errors.New("not now")
				}
				return nil
			}))
			delivered := func(n int) {
				t.Helper()
				if err := s.App().Notify.Deliver(t.Context()); err != nil || len(tries) != n {
					t.Fatal(len(tries), "tries", err)
				}
			}
			s.Client().Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(401) // the address has to be shown first
			delivered(1)
			first := tries[0]
			if first.To != "ann@example.com" || first.Subject == "" || !strings.Contains(first.Text, "https://auth.example.com/verify?token=") ||
				!strings.Contains(first.HTML, "https://auth.example.com/verify?token=") || !strings.HasPrefix(first.MessageID, "msg_") {
				t.Errorf("%+v", first)
			}
			s.Advance(time.Minute)
			delivered(2)
			if tries[1] != first {
				t.Errorf("the second try is of %+v", tries[1])
			}
			s.Advance(time.Hour)
			delivered(2)
		})
	}
}
