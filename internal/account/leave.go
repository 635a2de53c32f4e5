package account

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// The refusals of somebody who wants to go, and whom others depend on.
var (
	ErrOwns = apperr.New(apperr.Conflict, "account_owns_organization", "You are the only owner of an organization. Make somebody else its owner, or delete it, then delete your account.")
	ErrRuns = apperr.New(apperr.Conflict, "account_runs_site", "You are the last super_admin. Give the role to somebody else, then delete your account.")
)

// sweepBatch is how many accounts are looked up at once whose time is over.
const sweepBatch = 100

// Grace is for how long the account of a person is kept closed before everything is erased, 0 when that is at once: who cannot be written to
// has nothing that would bring it back.
func (s *Service) Grace(u user.User) time.Duration {
	if u.Email == "" || u.Guest {
		return 0
	}
	return time.Duration(s.cfg.GraceDays) * 24 * time.Hour
}

// Leave has a person go who asks for it, with everything of theirs: at once or, where there is a grace, when that is over. Every session of
// theirs ends in any case. It says when everything is erased, nil where it is already. Whoever others depend on hands over first.
func (s *Service) Leave(ctx context.Context, userID string) (until *time.Time, err error) {
	err = s.Change(ctx, authz.System, "sys:users:delete", userID, func(tx *authz.Tx) error {
		u, err := user.ByID(ctx, tx.Tx, userID)
		if err != nil {
			return err
		}
		if until = nil; s.Grace(u) == 0 {
			return s.part(tx, u)
		}
		at := tx.Now.Add(s.Grace(u))
		until = &at
		return s.shut(tx, u, at)
	})
	switch {
	case errors.Is(err, authz.ErrLastOwner):
		err = ErrOwns
	case errors.Is(err, authz.ErrLastSuperAdmin):
		err = ErrRuns
	}
	return until, err
}

// part erases a person, and writes to them what was done.
func (s *Service) part(tx *authz.Tx, u user.User) error {
	if u.Email != "" { // before nothing is known of them any more
		receipt := notify.Message{To: u.Email, Locale: u.Language, Zone: u.TimeZone, Content: notify.AccountDeleted{Where: notify.Here(tx.Tx)}}
		if err := s.notify.Send(tx.Tx, receipt); err != nil {
			return err
		}
	}
	return erase(tx, u.ID)
}

// shut closes the account of a person until everything is erased, and sends them what keeps it.
func (s *Service) shut(tx *authz.Tx, u user.User, until time.Time) error {
	if _, err := session.RevokeAll(tx.Tx, u.ID, "", session.AccountClosed); err != nil {
		return err
	}
	if err := user.Close(tx.Tx, u.ID, until); err != nil {
		return err
	}
	tx.TouchMember("", u.ID)
	sent, err := s.challenges.Issue(tx.Tx, challenge.Challenge{Purpose: challenge.KeepAccount, About: u.ID, UserID: u.ID, Target: u.Email, ExpiresAt: until}, challenge.Link)
	if err != nil {
		return err
	}
	return s.notify.Send(tx.Tx, notify.Message{To: u.Email, UserID: u.ID, Expires: until,
		Content: notify.AccountClosed{Link: s.base + "/keep?token=" + url.QueryEscape(sent.Token), Until: until, Where: notify.Here(tx.Tx)}})
}

// ShowKept finds whose account a link keeps. Nothing is spent.
func (s *Service) ShowKept(ctx context.Context, token string) (email string, err error) {
	c, err := s.challenges.ByLink(ctx, s.db, challenge.KeepAccount, token)
	return c.Target, err
}

// Keep opens a closed account again for who has its link. They sign in as before.
func (s *Service) Keep(ctx context.Context, token string) error {
	return s.authz.Write(ctx, authz.System, func(tx *authz.Tx) error {
		c, err := s.challenges.TakeLink(tx.Tx, challenge.KeepAccount, token)
		if err != nil {
			return err
		}
		kept, err := reopen(tx, c.UserID)
		if err == nil && !kept {
			err = challenge.ErrLink
		}
		return err
	})
}

// Reopen opens an account again that was closed by somebody else than its person, as part of a change.
func Reopen(tx *authz.Tx, userID string) error {
	_, err := reopen(tx, userID)
	return err
}

func reopen(tx *authz.Tx, userID string) (bool, error) {
	changed, err := user.Reopen(tx.Tx, userID)
	if changed {
		tx.TouchMember("", userID)
	}
	return changed, err
}

// Sweep erases everything of those whose grace is over. What fails for one keeps nobody else's from being done.
func (s *Service) Sweep(ctx context.Context) error {
	var faults []error
	for after := ""; ; {
		due, err := s.users.Due(ctx, after, sweepBatch)
		if err != nil {
			return errors.Join(append(faults, err)...)
		}
		for _, userID := range due {
			after = userID
			if err := s.finish(ctx, userID); err != nil && !errors.Is(err, user.ErrNotFound) { // another server was first
				faults = append(faults, err)
			}
		}
		if len(due) < sweepBatch {
			return errors.Join(faults...)
		}
	}
}

// finish erases a person whose grace is over, unless they have kept their account meanwhile.
func (s *Service) finish(ctx context.Context, userID string) error {
	return s.Change(ctx, authz.System, "sys:users:delete", userID, func(tx *authz.Tx) error {
		u, err := user.ByID(ctx, tx.Tx, userID)
		if err != nil || u.EraseAt == nil || u.EraseAt.After(tx.Now) {
			return err
		}
		return s.part(tx, u)
	})
}
