package password

import (
	"context"
	"errors"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// Change replaces the password of a signed-in person who shows the current one. Every other session of theirs ends.
func (s *Service) Change(ctx context.Context, userID, sessionID, current, chosen string) error {
	if err := s.fit(ctx, chosen, userID); err != nil {
		return rename(err, "new_password")
	}
	stored, err := hashOf(ctx, s.db, userID)
	if err != nil {
		return err
	}
	if stored == "" {
		return ErrMissing
	}
	try, err := s.door.Guess(ctx, userID)
	if err != nil {
		return err
	}
	if _, err = verify(ctx, s.hasher, stored, current); wrong(err) {
		return s.db.Write(ctx, func(tx *database.Tx) error {
			tx.Emit(ChangeFailed{userID})
			if err := try.Wrong(tx); err != nil {
				return err
			}
			return tx.Refuse(ErrCurrent)
		})
	}
	try.GiveBack()
	if err != nil {
		return err
	}
	hash, err := s.hasher.Hash(ctx, Normalize(chosen))
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *database.Tx) error {
		ok, err := replace(tx, userID, stored, hash, &tx.Now)
		if err == nil && !ok {
			return ErrCurrent // somebody changed it meanwhile
		}
		if err != nil {
			return err
		}
		tx.Emit(Changed{userID})
		if err := login.Forget(tx, userID); err != nil {
			return err
		}
		if err := challenge.Forget(tx, userID, challenge.ResetPassword, challenge.SignIn); err != nil {
			return err
		}
		if _, err = session.RevokeAll(tx, userID, sessionID, session.PasswordChanged); err != nil {
			return err
		}
		return s.tell(tx, userID)
	})
}

// First sets the first password of somebody who is signed in, and has just proved that it is them. Whoever has one shows it, by Change.
func (s *Service) First(ctx context.Context, userID, chosen string) error {
	u, err := s.users.Get(ctx, userID)
	if err == nil && u.Guest {
		err = user.ErrNoIdentifier
	}
	if err == nil {
		err = s.fit(ctx, chosen, userID)
	}
	if err != nil {
		return rename(err, "new_password")
	}
	hash, err := s.hasher.Hash(ctx, Normalize(chosen))
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *database.Tx) error {
		ok, err := first(tx, userID, hash)
		if err == nil && !ok {
			err = ErrSet
		}
		if err != nil {
			return err
		}
		tx.Emit(Changed{userID})
		if err := challenge.Forget(tx, userID, challenge.ResetPassword); err != nil {
			return err
		}
		return s.tell(tx, userID)
	})
}

// tell writes to the owner of an account that its password is another now.
func (s *Service) tell(tx *database.Tx, userID string) error {
	u, err := user.ByID(tx.Context(), tx, userID)
	if err != nil {
		return err
	}
	return s.notices.Tell(tx, u, u.Email, notice.Change{What: notice.Password}, func(notMe string, w notify.Where) notify.Content {
		return notify.PasswordChanged{NotMe: notMe, Where: w}
	})
}

// Prepare checks and hashes a password for somebody who may set one without showing the one they have. What it returns sets it, in the
// change that shows why they may, and tells them.
func (s *Service) Prepare(ctx context.Context, userID, chosen string) (func(tx *database.Tx, userID string) error, error) {
	if err := s.fit(ctx, chosen, userID); err != nil {
		return nil, err
	}
	hash, err := s.hasher.Hash(ctx, Normalize(chosen))
	return func(tx *database.Tx, userID string) error {
		if err := set(tx, userID, hash); err != nil {
			return err
		}
		tx.Emit(Changed{userID})
		return s.tell(tx, userID)
	}, err
}

// fit is allow for a person there is.
func (s *Service) fit(ctx context.Context, chosen, userID string) error {
	if err := s.cfg.Allow(chosen); err != nil {
		return err
	}
	u, err := s.users.Get(ctx, userID)
	if err != nil {
		return err
	}
	return s.allow(ctx, chosen, user.New{Email: u.Email, Username: u.Username, Phone: u.Phone, Name: u.Name})
}

func rename(err error, field string) error {
	if e, ok := errors.AsType[*apperr.Error](err); ok && e.Kind == apperr.Invalid {
		return e.In(field)
	}
	return err
}
