// Package account is what happens to a person as a whole: who is disabled or deleted loses their sessions and their place in
// every organization in the same change, and global roles are given under the same rules as all others.
package account

import (
	"context"
	"slices"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/lockout"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// Service reads and changes people on behalf of others.
type Service struct {
	db         *database.DB
	cfg        Config
	authz      *authz.Service
	users      *user.Service
	alive      *session.Service
	notify     *notify.Service
	challenges *challenge.Service
	base       string // of links
}

// NewService works through az, which knows who may change whom. Links lead to base.
func NewService(db *database.DB, cfg Config, az *authz.Service, users *user.Service, sessions *session.Service, messages *notify.Service, challenges *challenge.Service, base string) *Service {
	return &Service{db, cfg, az, users, sessions, messages, challenges, base}
}

// Get is a person, for holders of sys:users:read.
func (s *Service) Get(ctx context.Context, c authz.Caller, userID string) (user.User, error) {
	if err := s.authz.Require(ctx, c, "sys:users:read", ""); err != nil {
		return user.User{}, err
	}
	return s.users.Find(ctx, userID)
}

// List is everybody who fits, newest first, for holders of sys:users:read.
func (s *Service) List(ctx context.Context, c authz.Caller, f user.Filter, after string, limit int) (user.Page, error) {
	if err := s.authz.Require(ctx, c, "sys:users:read", ""); err != nil {
		return user.Page{}, err
	}
	return s.users.List(ctx, f, after, limit)
}

// Update changes the profile of a person.
func (s *Service) Update(ctx context.Context, c authz.Caller, userID string, change user.Change) (user.User, error) {
	if err := s.authz.Require(ctx, c, "sys:users:update", ""); err != nil {
		return user.User{}, err
	}
	root, err := s.authz.Root(ctx)
	if err != nil {
		return user.User{}, err
	}
	if err := s.authz.Above(root, c, userID); err != nil {
		return user.User{}, err
	}
	return s.users.Update(ctx, userID, change)
}

// Disable keeps a person from signing in and ends every session of theirs.
func (s *Service) Disable(ctx context.Context, c authz.Caller, userID string) error {
	return s.Change(ctx, c, "sys:users:disable", userID, func(tx *authz.Tx) error {
		changed, err := user.Disable(tx.Tx, userID)
		if err != nil {
			return err
		}
		if changed {
			tx.TouchMember("", userID)
		}
		_, err = session.RevokeAll(tx.Tx, userID, "", session.UserDisabled)
		return err
	})
}

// Enable lets a person sign in again, also one who asked for their account to be deleted.
func (s *Service) Enable(ctx context.Context, c authz.Caller, userID string) error {
	return s.Change(ctx, c, "sys:users:disable", userID, func(tx *authz.Tx) error {
		changed, err := user.Enable(tx.Tx, userID)
		if changed {
			tx.TouchMember("", userID)
		}
		return err
	})
}

// Unlock lets a person sign in again at whose account somebody guessed. What is open already stays so.
func (s *Service) Unlock(ctx context.Context, c authz.Caller, userID string) error {
	return s.Change(ctx, c, "sys:users:recover", userID, func(tx *authz.Tx) error { return lockout.Open(tx.Tx, userID, lockout.Operator) })
}

// Delete removes a person, their sessions and everything of theirs.
func (s *Service) Delete(ctx context.Context, c authz.Caller, userID string) error {
	return s.Change(ctx, c, "sys:users:delete", userID, func(tx *authz.Tx) error { return erase(tx, userID) })
}

// DeleteGuest removes a guest, unless they have an account by now.
func (s *Service) DeleteGuest(ctx context.Context, userID string) error {
	return s.Change(ctx, authz.System, "sys:users:delete", userID, func(tx *authz.Tx) error {
		u, err := user.ByID(ctx, tx.Tx, userID)
		if err != nil || !u.Guest {
			return err
		}
		return erase(tx, userID)
	})
}

// Erase is Delete as part of a change that has been judged already.
func Erase(tx *authz.Tx, userID string) error { return erase(tx, userID) }

func erase(tx *authz.Tx, userID string) error {
	if _, err := session.RevokeAll(tx.Tx, userID, "", session.UserDeleted); err != nil {
		return err
	}
	if err := org.Leave(tx, userID); err != nil {
		return err
	}
	tx.TouchMember("", userID)
	return user.Delete(tx.Tx, userID)
}

// SignOut ends every session of a person and says how many.
func (s *Service) SignOut(ctx context.Context, c authz.Caller, userID string) (n int, err error) {
	err = s.Change(ctx, c, "sys:users:logout", userID, func(tx *authz.Tx) error {
		n, err = session.RevokeAll(tx.Tx, userID, "", session.RevokedByAdmin)
		return err
	})
	return n, err
}

// Sessions is where a person is signed in, newest first, for who may end that: holders of sys:users:logout.
func (s *Service) Sessions(ctx context.Context, c authz.Caller, userID string) ([]session.Session, error) {
	if err := s.authz.Require(ctx, c, "sys:users:logout", ""); err != nil {
		return nil, err
	}
	if _, err := s.users.Get(ctx, userID); err != nil {
		return nil, err
	}
	return s.alive.List(ctx, userID)
}

// EndSession ends one session of a person.
func (s *Service) EndSession(ctx context.Context, c authz.Caller, userID, sessionID string) error {
	return s.Change(ctx, c, "sys:users:logout", userID, func(tx *authz.Tx) error {
		return session.Revoke(tx.Tx, userID, sessionID, session.RevokedByAdmin)
	})
}

// Change is a change of one person by somebody who may, and who holds at least what they hold.
func (s *Service) Change(ctx context.Context, c authz.Caller, permission, userID string, f func(tx *authz.Tx) error) error {
	return s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		if err := tx.Require(permission, ""); err != nil {
			return err
		}
		if _, err := user.ByID(ctx, tx.Tx, userID); err != nil {
			return err
		}
		if err := s.authz.Above(tx.Root, c, userID); err != nil {
			return err
		}
		tx.Quiet() // what is so already is no event
		return f(tx)
	})
}

// Grant gives a person a global role. Giving it again changes nothing.
func (s *Service) Grant(ctx context.Context, c authz.Caller, userID, role string) error {
	return s.authz.Write(ctx, c, func(tx *authz.Tx) error { return Grant(tx, userID, role) })
}

// Grant is part of a change that makes somebody hold a global role.
func Grant(tx *authz.Tx, userID, role string) error {
	if err := tx.Root.KnownGlobal(role); err != nil {
		return err
	}
	return switched(tx, userID, role, user.Grant)
}

// Revoke takes a global role from a person.
func (s *Service) Revoke(ctx context.Context, c authz.Caller, userID, role string) error {
	return s.authz.Write(ctx, c, func(tx *authz.Tx) error { return switched(tx, userID, role, user.Revoke) })
}

func switched(tx *authz.Tx, userID, role string, do func(tx *database.Tx, userID, role string) (bool, error)) error {
	tx.Quiet()
	if err := tx.Require(authz.RolesAssign, ""); err != nil {
		return err
	}
	changed, err := do(tx.Tx, userID, role)
	if changed {
		tx.TouchMember("", userID)
	}
	return err
}

// SetRoles makes exactly these the global roles of a person.
func (s *Service) SetRoles(ctx context.Context, c authz.Caller, userID string, roles []string) (u user.User, err error) {
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		tx.Quiet()
		if err := tx.Require(authz.RolesAssign, ""); err != nil {
			return err
		}
		before, err := user.ByID(ctx, tx.Tx, userID)
		if err != nil {
			return err
		}
		for _, r := range roles {
			if err := Grant(tx, userID, r); err != nil {
				return err
			}
		}
		for _, r := range before.Roles {
			if slices.Contains(roles, r) {
				continue
			}
			if err := switched(tx, userID, r, user.Revoke); err != nil {
				return err
			}
		}
		u, err = user.ByID(ctx, tx.Tx, userID)
		return err
	})
	return u, err
}
