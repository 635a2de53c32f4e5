package challenge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/ratelimit"
	"github.com/admit-dev/admit/internal/user"
)

// AffordText takes one text message from the budgets of a number, of those beside it, of who asks, and of the day: texts cost money, so
// all servers count together and a restart forgets nothing. Call it before anything is looked up.
func (s *Service) AffordText(ctx context.Context, number string) error {
	if s.limiter == nil {
		return nil
	}
	return s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet()
		for _, b := range []struct {
			rule ratelimit.Rule
			of   string
		}{
			{s.limits.PerRecipient(), number}, {s.limits.PerBlock(), user.Block(number)},
			{s.limits.PerIPForTexts(), ratelimit.IPKey(database.OriginOf(ctx).IP)}, {s.limits.PerDay(), ""},
		} {
			if err := s.spend(tx, b.rule, b.of); err != nil {
				return err
			}
		}
		return nil
	})
}

// spend takes one of a budget. Of an empty one it says when there will be one again.
func (s *Service) spend(tx *database.Tx, r ratelimit.Rule, of string) error {
	key, full := s.budget(r, of), tx.Now.Add(r.Window()-r.Step())
	ok, err := owe(tx, key, r.Step(), full)
	if err != nil || ok {
		return err
	}
	until, err := owed(tx, key)
	if err != nil {
		return err
	}
	return ratelimit.Result{RetryAfter: until.Sub(full)}.Err()
}

// giveBack undoes one spend.
func (s *Service) giveBack(tx *database.Tx, r ratelimit.Rule, of string) error {
	return forgive(tx, s.budget(r, of), r.Step())
}

// budget stands for a budget in the store, which need not know whose it is.
func (s *Service) budget(r ratelimit.Rule, of string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("budget " + r.Name + " " + of))
	return mac.Sum(nil)
}
