package challenge

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/ratelimit"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

const sweepBatch = 500

// Service keeps what is on its way.
type Service struct {
	db      *database.DB
	key     []byte
	limiter *ratelimit.Limiter // nil when limits are off
	limits  ratelimit.Config
}

// NewService works on db. Codes are kept hashed with a key of box: a copy of the database is not enough to try them.
func NewService(db *database.DB, box *secret.Box, limiter *ratelimit.Limiter, limits ratelimit.Config) *Service {
	return &Service{db, box.Derive("challenge codes", 32), limiter, limits}
}

// Afford takes one message from the budget of a recipient, known here or not. Call it before anything is looked up.
func (s *Service) Afford(to string) error {
	if s.limiter == nil {
		return nil
	}
	return s.limiter.Take("message "+to, s.limits.PerRecipient()).Err()
}

// Ask is what is to be sent.
type Ask int

// What may be asked for, one or both.
const (
	Link Ask = 1 << iota
	Code
)

// Issue makes what is to be sent, in place of what was sent before for the same. Where that was guessed at too often, a code would be dead
// from the beginning: a link goes without one, and a code alone is refused with ErrSpent until the other has lived out its time.
func (s *Service) Issue(tx *database.Tx, c Challenge, ask Ask) (out Sent, err error) {
	r := row{Purpose: c.Purpose, About: c.About, Target: c.Target, Data: c.Data, CreatedAt: tx.Now, ExpiresAt: c.ExpiresAt}
	if c.UserID != "" {
		r.UserID = &c.UserID
	}
	if ask&Link != 0 {
		out.Token = secret.Text()
		r.LinkHash = secret.Sum(out.Token)
	}
	if ask&Code != 0 {
		out.Code = digits()
		r.CodeHash = s.hash(c.Purpose, c.About, out.Code)
	}
	tries, err := put(tx, r)
	if tries >= mostTries {
		out.Code = ""
	}
	return out, err
}

// digits are six that nobody can foresee.
func digits() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // the operating system's random source never fails
	}
	return fmt.Sprintf("%06d", n)
}

// ByLink finds what a link is about and spends nothing.
func (s *Service) ByLink(ctx context.Context, q database.Querier, p Purpose, token string) (Challenge, error) {
	r, err := byLink(ctx, q, p, secret.Sum(token), s.db.Now())
	return r.challenge(), err
}

// TakeLink spends a challenge by its link. Of several that try, one succeeds.
func (s *Service) TakeLink(tx *database.Tx, p Purpose, token string) (Challenge, error) {
	r, err := byLink(tx.Context(), tx, p, secret.Sum(token), tx.Now)
	if err != nil {
		return Challenge{}, err
	}
	return spend(tx, r, ErrLink)
}

// TakeLinkOf is TakeLink for what is about a person, who is active and still has the address that it was sent to.
func (s *Service) TakeLinkOf(tx *database.Tx, p Purpose, token string) (user.User, error) {
	c, err := s.TakeLink(tx, p, token)
	if err != nil {
		return user.User{}, err
	}
	u, err := user.ByID(tx.Context(), tx, c.UserID)
	if errors.Is(err, user.ErrNotFound) || err == nil && (u.Email != c.Target || !u.Active()) {
		err = ErrLink
	}
	return u, err
}

func spend(tx *database.Tx, r row, no error) (Challenge, error) {
	ok, err := take(tx, r)
	if err == nil && !ok {
		err = no
	}
	return r.challenge(), err
}

// Answer judges a code, and counts the answer before it does. What it returns spends the challenge as part of a change; of several
// that try, one succeeds.
func (s *Service) Answer(ctx context.Context, p Purpose, about, code string) (Challenge, func(tx *database.Tx) error, error) {
	var r row
	err := s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet()
		ok, err := try(tx, p, about)
		if err == nil && !ok {
			err = ErrCode
		}
		if err == nil {
			r, err = byAbout(ctx, tx, p, about, tx.Now)
		}
		if err == nil {
			err = s.spend(tx, guesses, r.whose())
		}
		return err
	})
	if err == nil && (r.CodeHash == nil || !secret.Equal(r.CodeHash, s.hash(p, about, code))) {
		err = ErrCode
	}
	return r.challenge(), func(tx *database.Tx) error {
		if _, err := spend(tx, r, ErrCode); err != nil {
			return err
		}
		return s.giveBack(tx, guesses, r.whose())
	}, err
}

// Open reports whether there is one to be answered.
func (s *Service) Open(ctx context.Context, q database.Querier, p Purpose, about string) (Challenge, error) {
	r, err := byAbout(ctx, q, p, about, s.db.Now())
	return r.challenge(), err
}

// Withdraw makes what was sent for one thing worthless.
func Withdraw(tx *database.Tx, p Purpose, about string) error { return remove(tx, p, about) }

// Forget makes what was sent to a person for these purposes worthless.
func Forget(tx *database.Tx, userID string, list ...Purpose) error {
	for _, p := range list {
		if err := removeOf(tx, userID, p); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) hash(p Purpose, about, code string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(string(p) + " " + about + " " + code))
	return mac.Sum(nil)
}

// Sweep deletes what has run out, a few at a time.
func (s *Service) Sweep(ctx context.Context) error {
	return errors.Join(s.db.Sweep(ctx, sweepBatch, removeExpired), s.db.Sweep(ctx, sweepBatch, removePaid))
}
