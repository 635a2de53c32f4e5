package login

import (
	"errors"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/user"
)

// Reaches reports whether what is sent to an identifier of a kind may let somebody in: it is u's, or nobody's when u is nil. Where it
// may not nothing is sent, and nobody learns that. Whoever holds a role here has one that is not given by an address.
func (c Config) Reaches(u *user.User, kind string) bool {
	switch {
	case u == nil:
		return c.SignUp
	case !u.Active():
		return false
	case u.Verified(kind):
		return true
	case len(u.Roles) > 0:
		return false
	}
	return !u.Proven() || c.SignUp
}

// Barred is why somebody may not sign in who is not active.
func Barred(u user.User) error {
	if u.DisabledAt == nil {
		return ErrClosed
	}
	return ErrDisabled
}

// own is the person of an identifier, for somebody who has just shown that it is theirs. Where nobody had shown that before it may be
// somebody else who typed it: an account that stands on nothing else is taken from whoever made it, any other loses the identifier, and
// who has none yet is given one.
func (s *Service) own(tx *database.Tx, a Attempt) (*user.User, error) {
	i := a.Identifier
	var u *user.User
	found, err := user.ByIdentifier(tx.Context(), tx, i)
	switch {
	case err == nil:
		u = &found
	case !errors.Is(err, user.ErrNotFound):
		return nil, err
	}
	switch {
	case a.User != nil && (u == nil || u.ID != a.User.ID), !s.Config.Reaches(u, i.Kind):
		return nil, ErrCredentials // that has changed since it was asked
	case u == nil:
		return s.welcome(tx, i)
	case u.Verified(i.Kind):
		return u, nil
	}
	now, err := s.Claim(tx, *u, i)
	return &now, err
}

// Claimable reports whether somebody who shows that an identifier of u is theirs, which nobody has shown before, gets an account by it.
func (s *Service) Claimable(u user.User) bool { return !u.Proven() || s.Config.SignUp }

// Claim is whose an identifier of u is from now on, for somebody who has just shown that it is theirs, when nobody had before: u, taken from
// whoever made it, when it stands on nothing else that was shown; or else a new person, and u loses it.
func (s *Service) Claim(tx *database.Tx, u user.User, i user.Identifier) (user.User, error) {
	if !u.Proven() {
		if err := s.Reclaim(tx, u, i); err != nil {
			return u, err
		}
		now, err := current(tx, u.ID)
		return *now, err
	}
	if !s.Claimable(u) {
		return u, ErrSignUpOff
	}
	if err := user.Drop(tx, u.ID, i); err != nil {
		return u, err
	}
	now, err := s.welcome(tx, i)
	if err != nil {
		return u, err
	}
	return *now, nil
}

// welcome makes an account for whoever has shown that an identifier is theirs.
func (s *Service) welcome(tx *database.Tx, i user.Identifier) (*user.User, error) {
	u, err := user.Create(tx, []user.Identifier{i}, "")
	if errors.Is(err, user.ErrEmailTaken) || errors.Is(err, user.ErrPhoneTaken) {
		return nil, ErrChanged // somebody was quicker
	}
	if err != nil {
		return nil, err
	}
	if err := user.Verify(tx, u.ID, i); err != nil {
		return nil, err
	}
	return current(tx, u.ID)
}
