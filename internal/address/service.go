package address

import (
	"context"
	"errors"
	"net/url"

	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/user"
)

// Service asks whose addresses are.
type Service struct {
	db         *database.DB
	cfg        Config
	challenges *challenge.Service
	notify     *notify.Service
	notices    *notice.Service
	base       string // of links
}

// NewService works on db. Links in mails lead to base.
func NewService(db *database.DB, cfg Config, challenges *challenge.Service, messages *notify.Service, notices *notice.Service, base string) *Service {
	return &Service{db, cfg, challenges, messages, notices, base}
}

// Welcome asks somebody who has just been made whether the address is theirs, unless that is off or known. A sign-in that follows at once asks
// by itself where it is required.
func (s *Service) Welcome(tx *database.Tx, u user.User, signsIn bool) error {
	if s.cfg.Verification == "off" || s.cfg.Verification == "required" && signsIn || u.Email == "" || u.EmailVerified || !s.notify.Carries(notify.Email) {
		return nil
	}
	return s.ask(tx, u)
}

func (s *Service) ask(tx *database.Tx, u user.User) error {
	sent, err := s.challenges.Issue(tx, challenge.Challenge{Purpose: challenge.VerifyEmail, About: u.ID, UserID: u.ID, Target: u.Email, ExpiresAt: tx.Now.Add(Life)},
		challenge.Link|challenge.Code)
	if err != nil {
		return err
	}
	tx.Emit(Asked{u.ID})
	return s.notify.Send(tx, notify.Message{To: u.Email, UserID: u.ID, Expires: tx.Now.Add(Life),
		Content: notify.VerifyEmail{Link: s.link(sent), Code: sent.Code, Where: notify.Here(tx)}})
}

func (s *Service) link(sent challenge.Sent) string {
	return s.base + "/verify?token=" + url.QueryEscape(sent.Token)
}

// Ask sends somebody the mail that asks whether their address is theirs, in place of the one before.
func (s *Service) Ask(ctx context.Context, userID string) error {
	u, err := user.ByID(ctx, s.db, userID)
	switch {
	case err != nil:
		return err
	case u.Email == "":
		return ErrNone
	case u.EmailVerified:
		return ErrVerified
	}
	if err := s.challenges.Afford(u.Email); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *database.Tx) error { return s.ask(tx, u) })
}

// Remind is Ask for somebody who has not been sent one just now: loading a page again sends no other.
func (s *Service) Remind(ctx context.Context, userID string) error {
	c, err := s.challenges.Open(ctx, s.db, challenge.VerifyEmail, userID)
	if err == nil && s.db.Now().Before(c.ExpiresAt.Add(again-Life)) {
		return nil
	}
	if err != nil && !errors.Is(err, challenge.ErrCode) {
		return err
	}
	return s.Ask(ctx, userID)
}

// Shown is what a link asks, for a page to say. Nothing is spent.
type Shown struct {
	Email string
	New   bool // it is to take the place of another
}

// Show finds what a link asks.
func (s *Service) Show(ctx context.Context, token string) (Shown, error) {
	c, err := s.find(ctx, s.db, token)
	return Shown{c.Target, c.Purpose == challenge.ChangeEmail}, err
}

func (s *Service) find(ctx context.Context, q database.Querier, token string) (challenge.Challenge, error) {
	c, err := s.challenges.ByLink(ctx, q, challenge.VerifyEmail, token)
	if errors.Is(err, challenge.ErrLink) {
		c, err = s.challenges.ByLink(ctx, q, challenge.ChangeEmail, token)
	}
	return c, err
}

// Confirm takes the link of a mail: the address is its person's.
func (s *Service) Confirm(ctx context.Context, token string) (u user.User, err error) {
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		c, err := s.find(ctx, tx, token)
		if err != nil {
			return err
		}
		if c, err = s.challenges.TakeLink(tx, c.Purpose, token); err != nil {
			return err
		}
		u, err = s.settle(tx, c, challenge.ErrLink)
		return err
	})
	return u, err
}

// ConfirmCode takes the code of a mail from the person it was sent to.
func (s *Service) ConfirmCode(ctx context.Context, userID, code string) (u user.User, err error) {
	purpose := challenge.ChangeEmail
	if _, err = s.challenges.Open(ctx, s.db, purpose, userID); errors.Is(err, challenge.ErrCode) {
		purpose = challenge.VerifyEmail
	}
	c, spend, err := s.challenges.Answer(ctx, purpose, userID, code)
	if err != nil {
		return u, err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		if err := spend(tx); err != nil {
			return err
		}
		u, err = s.settle(tx, c, challenge.ErrCode)
		return err
	})
	return u, err
}

// Answer judges the code of the mail that asks somebody who signs in. What it returns notes it, in the change that lets them in.
func (s *Service) Answer(ctx context.Context, userID, code string) (func(tx *database.Tx) error, error) {
	c, spend, err := s.challenges.Answer(ctx, challenge.VerifyEmail, userID, code)
	return func(tx *database.Tx) error {
		if err := spend(tx); err != nil {
			return err
		}
		_, err := s.settle(tx, c, challenge.ErrCode)
		return err
	}, err
}

// settle notes what was shown. no is what to say when it is about an address that has become another's, or is the person's no more.
func (s *Service) settle(tx *database.Tx, c challenge.Challenge, no error) (user.User, error) {
	u, err := user.ByID(tx.Context(), tx, c.UserID)
	if err != nil {
		return u, err
	}
	switch {
	case c.Purpose == challenge.ChangeEmail:
		err = s.replace(tx, u, c.Target)
		if errors.Is(err, user.ErrEmailTaken) {
			err = no
		}
	case u.Email != c.Target:
		err = no
	default:
		err = user.VerifyEmail(tx, u.ID, c.Target)
	}
	if err != nil {
		return u, err
	}
	return user.ByID(tx.Context(), tx, u.ID)
}

func (s *Service) replace(tx *database.Tx, u user.User, email string) error {
	if err := user.ChangeEmail(tx, u.ID, email, tx.Now.Add(notice.Life)); err != nil {
		return err
	}
	// What was sent to the old address opens nothing any more.
	if err := challenge.Forget(tx, u.ID, challenge.VerifyEmail, challenge.ResetPassword, challenge.SignIn, challenge.SecondFactor, challenge.Enrol); err != nil {
		return err
	}
	return s.notices.Tell(tx, u, u.Email, notice.Change{What: notice.Email, Value: u.Email}, func(notMe string, w notify.Where) notify.Content {
		return notify.AddressChanged{To: email, NotMe: notMe, Where: w}
	})
}

// Change asks at a new address whether it is the person's who gave it. It becomes theirs when that is shown. Whether it is somebody
// else's is told to that somebody, and to nobody else.
func (s *Service) Change(ctx context.Context, u user.User, text string) error {
	to, err := user.ParseEmail(text)
	if err != nil {
		return err
	}
	if to.Value == u.Email {
		return ErrSame
	}
	if err := s.challenges.Afford(to.Value); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(ChangeAsked{u.ID})
		other, err := user.ByIdentifier(ctx, tx, to)
		if err == nil {
			return s.Exists(tx, other)
		}
		if !errors.Is(err, user.ErrNotFound) {
			return err
		}
		sent, err := s.challenges.Issue(tx, challenge.Challenge{Purpose: challenge.ChangeEmail, About: u.ID, UserID: u.ID, Target: to.Value, ExpiresAt: tx.Now.Add(Life)},
			challenge.Link|challenge.Code)
		if err != nil {
			return err
		}
		return s.notify.Send(tx, notify.Message{To: to.Value, UserID: u.ID, Expires: tx.Now.Add(Life),
			Content: notify.ConfirmAddress{Link: s.link(sent), Code: sent.Code, Where: notify.Here(tx)}})
	})
}

// Afford takes one message from the budget of an address.
func (s *Service) Afford(to string) error { return s.challenges.Afford(to) }

// Exists tells the owner of an address that somebody, perhaps they, wanted to use it although it has an account.
func (s *Service) Exists(tx *database.Tx, u user.User) error {
	return s.notify.Send(tx, notify.Message{To: u.Email, UserID: u.ID, Content: notify.AccountExists{Link: s.base + "/"}})
}
