// Package anonymous lets people in who have not said who they are. What they do stays theirs when they make an account later.
package anonymous

import (
	"context"
	"errors"

	"github.com/admit-dev/admit/internal/account"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/user"
)

// ErrOff is a site that lets no guests in.
var ErrOff = apperr.New(apperr.Forbidden, "anonymous_disabled", "Guests are not let in here. Sign in, or make an account.")

// Config is what an operator may say of guests.
type Config struct {
	Enabled bool `env:"ANONYMOUS_ENABLED" default:"false" doc:"Whether people may go in as guests and make an account later, keeping their id. A guest whose sessions have all ended is deleted."`
}

const sweepBatch = 50

// Service lets guests in.
type Service struct {
	db       *database.DB
	cfg      Config
	users    *user.Service
	accounts *account.Service
	door     *login.Service
}

// NewService works on db.
func NewService(db *database.DB, cfg Config, users *user.Service, accounts *account.Service, door *login.Service) *Service {
	return &Service{db, cfg, users, accounts, door}
}

// SignIn makes a guest and their session.
func (s *Service) SignIn(ctx context.Context, f login.Finish) (out login.Outcome, err error) {
	if !s.cfg.Enabled {
		return out, ErrOff
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		u, err := user.CreateGuest(tx)
		if err != nil {
			return err
		}
		out, err = s.door.Guest(tx, u, f)
		return err
	})
	return out, err
}

// Sweep deletes guests as whom nobody can come back: their sessions have ended.
func (s *Service) Sweep(ctx context.Context) error {
	ids, err := s.users.Left(ctx, sweepBatch)
	for _, id := range ids {
		if gone := s.accounts.DeleteGuest(ctx, id); gone != nil && !errors.Is(gone, user.ErrNotFound) {
			err = errors.Join(err, gone)
		}
	}
	return err
}
