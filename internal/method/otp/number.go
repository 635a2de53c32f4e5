package otp

import (
	"context"
	"errors"
	"slices"

	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/user"
)

// AskNumber sends a code to a number, which becomes its person's when they show it. Whether it is somebody else's is told to that somebody,
// and to nobody else.
func (s *Service) AskNumber(ctx context.Context, u user.User, text string) error {
	m, err := s.method(Phone)
	if err != nil {
		return err
	}
	to, err := s.Users.ParsePhone(text)
	if err == nil && to.Value == u.Phone && u.PhoneVerified {
		err = ErrSameNumber
	}
	if err != nil {
		return err
	}
	if err := m.afford(ctx, to.Value); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(NumberAsked{u.ID})
		msg := notify.Message{To: to.Value, Channel: notify.SMS, UserID: u.ID}
		other, err := user.ByIdentifier(ctx, tx, to)
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return err
		}
		if err == nil && other.ID != u.ID {
			msg.UserID, msg.Content = other.ID, notify.AccountExists{Link: s.Base + "/"}
			return s.Notify.Send(tx, msg)
		}
		msg.Expires = tx.Now.Add(Life)
		sent, err := s.Challenges.Issue(tx, challenge.Challenge{Purpose: challenge.VerifyPhone, About: u.ID, UserID: u.ID, Target: to.Value, ExpiresAt: msg.Expires}, challenge.Code)
		if err != nil {
			return err
		}
		msg.Content = notify.OneTimeCode{Code: sent.Code, Where: notify.Here(tx)}
		return s.Notify.Send(tx, msg)
	})
}

// ConfirmNumber takes the code of a text from the person it was sent to: the number is theirs, in place of the one before.
func (s *Service) ConfirmNumber(ctx context.Context, userID, code string) (u user.User, err error) {
	c, spend, err := s.Challenges.Answer(ctx, challenge.VerifyPhone, userID, clean(code))
	if err != nil {
		return u, err
	}
	err = s.DB.Write(ctx, func(tx *database.Tx) error {
		if err := spend(tx); err != nil {
			return err
		}
		before, err := user.ByID(ctx, tx, userID)
		if err != nil {
			return err
		}
		err = user.ChangePhone(tx, userID, c.Target)
		if errors.Is(err, user.ErrPhoneTaken) {
			err = challenge.ErrCode
		}
		if err != nil {
			return err
		}
		if u, err = s.moved(tx, before); err != nil {
			return err
		}
		return s.tell(tx, before, func(notMe string, w notify.Where) notify.Content {
			return notify.FactorAdded{Factor: notify.Phone, Label: c.Target, NotMe: notMe, Where: w}
		})
	})
	return u, err
}

// RemoveNumber takes the number from a person. Codes that are sent to it may not be their second factor: nobody is left with one that
// cannot be shown, and none goes unnoticed.
func (s *Service) RemoveNumber(ctx context.Context, userID string) error {
	return s.DB.Write(ctx, func(tx *database.Tx) error {
		before, err := user.ByID(ctx, tx, userID)
		switch {
		case err != nil:
			return err
		case before.Phone == "":
			return ErrNoNumber
		case slices.Contains(before.Factors, Phone):
			return ErrNeeded
		case before.Email == "" && before.Username == "":
			return ErrLast
		}
		if err := user.RemovePhone(tx, userID); err != nil {
			return err
		}
		if open, err := s.door.Reachable(tx, userID); err != nil || !open {
			return errors.Join(err, ErrLast)
		}
		if _, err := s.moved(tx, before); err != nil {
			return err
		}
		return s.tell(tx, before, func(notMe string, w notify.Where) notify.Content {
			return notify.FactorRemoved{Factor: notify.Phone, Label: before.Phone, NotMe: notMe, Where: w}
		})
	})
}

// moved has what was sent to the number before open nothing any more.
func (s *Service) moved(tx *database.Tx, before user.User) (user.User, error) {
	if err := challenge.Forget(tx, before.ID, challenge.VerifyPhone, challenge.SignIn, challenge.SecondFactor, challenge.Enrol); err != nil {
		return user.User{}, err
	}
	return user.ByID(tx.Context(), tx, before.ID)
}

// tell writes to a person by mail that their number is another, or none. A number that was theirs can be had back.
func (s *Service) tell(tx *database.Tx, before user.User, say func(notMe string, w notify.Where) notify.Content) error {
	change := notice.Change{What: notice.Phone}
	if before.PhoneVerified {
		change.Value = before.Phone
	}
	return s.notices.Tell(tx, before, before.Email, change, say)
}
