// Package recovery is the way back into an account: a new password by mail, and undoing what somebody else did to it.
package recovery

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/admit-dev/admit/internal/account"
	"github.com/admit-dev/admit/internal/address"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/knowndevice"
	"github.com/admit-dev/admit/internal/lockout"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// ErrNoFactor is somebody without a second factor, from whom none can be taken.
var ErrNoFactor = apperr.New(apperr.Conflict, "no_second_factor", "This account has no second factor.")

// permission is what it takes to help others.
const permission = "sys:users:recover"

// Life is how long a link to set a password is good.
const Life = 30 * time.Minute

type (
	// Asked is told of somebody who says that they forgot a password, whether the address is known or not.
	Asked struct {
		UserID string `json:"user_id,omitempty"`
	}
	// Reset is told of a password that was set with a link.
	Reset struct {
		UserID string `json:"user_id"`
	}
	// Disowned is told of a change that its person says was not theirs.
	Disowned struct {
		UserID string `json:"user_id"`
		Change string `json:"change"` // email, phone, password, factor_added, factor_removed, signed_in, code_used, key_added
	}
)

func (Asked) Kind() string    { return "password.reset_requested" }
func (Reset) Kind() string    { return "password.reset" }
func (Disowned) Kind() string { return "account.change_disowned" }

func (e Asked) Subject() string    { return e.UserID }
func (e Reset) Subject() string    { return e.UserID }
func (e Disowned) Subject() string { return e.UserID }

// Service lets people back in.
type Service struct {
	db         *database.DB
	authz      *authz.Service
	challenges *challenge.Service
	notify     *notify.Service
	door       *login.Service
	passwords  *password.Service
	accounts   *account.Service
	notices    *notice.Service
	devices    *knowndevice.Service
	base       string // of links
}

// NewService works on db. Links in mails lead to base.
func NewService(db *database.DB, az *authz.Service, challenges *challenge.Service, messages *notify.Service, door *login.Service, passwords *password.Service, accounts *account.Service, notices *notice.Service, devices *knowndevice.Service, base string) *Service {
	return &Service{db, az, challenges, messages, door, passwords, accounts, notices, devices, base}
}

// Forgot sends a link to set a new password to an address, if it has an account. Nobody learns here whether it has.
func (s *Service) Forgot(ctx context.Context, email string) error {
	i, err := user.ParseEmail(email)
	if err != nil {
		return err
	}
	if err := s.challenges.Afford(i.Value); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *database.Tx) error {
		u, err := user.ByIdentifier(ctx, tx, i)
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return err
		}
		tx.Emit(Asked{u.ID})
		if err != nil || !u.Active() || !u.EmailVerified && !s.door.Claimable(u) {
			return s.send(tx, user.User{Email: i.Value}) // to nobody, as much work as to somebody
		}
		return s.send(tx, u)
	})
}

// send sends a link to set a new password, and to nobody when u is nobody.
func (s *Service) send(tx *database.Tx, u user.User) error {
	about := u.ID
	if about == "" {
		about = "nobody " + u.Email
	}
	sent, err := s.challenges.Issue(tx, challenge.Challenge{Purpose: challenge.ResetPassword, About: about, UserID: u.ID, Target: u.Email, ExpiresAt: tx.Now.Add(Life)}, challenge.Link)
	if err != nil {
		return err
	}
	return s.notify.Send(tx, notify.Message{To: u.Email, UserID: u.ID, Nobody: u.ID == "", Expires: tx.Now.Add(Life),
		Content: notify.ResetPassword{Link: s.base + "/recover?token=" + url.QueryEscape(sent.Token), Where: notify.Here(tx)}})
}

// Show finds whose password a link sets. Nothing is spent.
func (s *Service) Show(ctx context.Context, token string) (email string, err error) {
	c, err := s.challenges.ByLink(ctx, s.db, challenge.ResetPassword, token)
	return c.Target, err
}

// Reset sets a new password with the link of a mail. Every session ends, and nobody is signed in: whoever has a second factor shows it
// when they sign in with the new password. Whose the address is decides whose the password is, as it does where a code is shown. The account
// is open again, and the device is known: whoever guesses does not keep them out.
func (s *Service) Reset(ctx context.Context, token, chosen string) (d knowndevice.Arrival, err error) {
	asked, err := s.challenges.ByLink(ctx, s.db, challenge.ResetPassword, token)
	if err != nil {
		return d, err // before anything is hashed for a stranger
	}
	if asked.UserID == "" {
		return d, challenge.ErrLink
	}
	set, err := s.passwords.Prepare(ctx, asked.UserID, chosen)
	if err != nil {
		return d, err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		u, err := s.challenges.TakeLinkOf(tx, challenge.ResetPassword, token)
		if err != nil {
			return err
		}
		if !u.EmailVerified {
			if u, err = s.door.Claim(tx, u, user.Identifier{Kind: user.KindEmail, Value: u.Email}); err != nil {
				return err
			}
		}
		if err := s.door.Shut(tx, u.ID, session.PasswordReset); err != nil {
			return err
		}
		tx.Emit(Reset{u.ID})
		if err := lockout.Open(tx, u.ID, lockout.Password); err != nil {
			return err
		}
		if d, err = s.devices.Greet(tx, u.ID, true, false); err != nil {
			return err
		}
		return set(tx, u.ID)
	})
	return d, err
}

// Told is what a link of a notice undoes, for a page to say.
type Told struct {
	Email  string // whose account it is about: the address the notice went to
	Change notice.Change
}

// ShowNotMe finds what a link undoes. Nothing is spent.
func (s *Service) ShowNotMe(ctx context.Context, token string) (Told, error) {
	c, err := s.challenges.ByLink(ctx, s.db, challenge.NotMe, token)
	if err != nil {
		return Told{}, err
	}
	change, err := notice.Read(c)
	return Told{c.Target, change}, err
}

// NotMe takes an account back for whoever was told of a change and says that it was not theirs: the change is undone, every session
// ends, the password is worth nothing any more, and a link to set a new one goes to the address that was told.
func (s *Service) NotMe(ctx context.Context, token string) error {
	return s.authz.Write(ctx, authz.System, func(change *authz.Tx) error {
		tx := change.Tx
		c, err := s.challenges.TakeLink(tx, challenge.NotMe, token)
		if err != nil {
			return err
		}
		if err := account.Reopen(change, c.UserID); err != nil { // whoever it was may have wanted it deleted, too
			return err
		}
		told, err := notice.Read(c)
		if err != nil {
			return err
		}
		u, err := user.ByID(ctx, tx, c.UserID)
		if err != nil {
			return err
		}
		if u.Email != c.Target { // it was changed since, or that is what was told
			if err := user.RestoreEmail(tx, u.ID, c.Target); errors.Is(err, user.ErrNotFound) {
				return challenge.ErrLink
			} else if err != nil {
				return err
			}
		}
		if told.What == notice.FactorAdded {
			if err := s.door.DiscardOne(tx, u.ID, told.Value, told.ID); err != nil {
				return err
			}
		}
		if told.What == notice.Phone {
			if err := s.number(tx, u.ID, told.Value); err != nil {
				return err
			}
		}
		if err := s.door.Discard(tx, u.ID, "password"); err != nil {
			return err
		}
		if err := s.door.Shut(tx, u.ID, session.NotMe); err != nil {
			return err
		}
		if _, err := knowndevice.ForgetAll(tx, u.ID); err != nil {
			return err
		}
		tx.Emit(Disowned{u.ID, string(told.What)})
		if u, err = user.ByID(ctx, tx, u.ID); err != nil || !u.Active() {
			return err
		}
		return s.send(tx, u)
	})
}

// number gives a person the number back that they had. Without one, no code is asked that would go there.
func (s *Service) number(tx *database.Tx, userID, before string) error {
	if before != "" {
		_, err := user.ByIdentifier(tx.Context(), tx, user.Identifier{Kind: user.KindPhone, Value: before})
		if errors.Is(err, user.ErrNotFound) {
			return user.ChangePhone(tx, userID, before)
		}
		if err != nil {
			return err
		}
	}
	if err := user.RemovePhone(tx, userID); err != nil {
		return err
	}
	return s.door.Discard(tx, userID, "phone")
}

// Send sends a person a link to set a new password, for somebody who may help them.
func (s *Service) Send(ctx context.Context, c authz.Caller, userID string) error {
	return s.accounts.Change(ctx, c, permission, userID, func(tx *authz.Tx) error {
		u, err := user.ByID(ctx, tx.Tx, userID)
		if err == nil && u.Email == "" {
			err = address.ErrNone
		}
		if err != nil {
			return err
		}
		tx.Emit(Asked{u.ID})
		return s.send(tx.Tx, u)
	})
}

// DropFactors has no second factor be asked of a person any more who lost theirs, for somebody who may help them. Every session ends,
// and the person is told. Where one is required, they set one up when they sign in next.
func (s *Service) DropFactors(ctx context.Context, c authz.Caller, userID string) error {
	return s.accounts.Change(ctx, c, permission, userID, func(tx *authz.Tx) error {
		u, err := user.ByID(ctx, tx.Tx, userID)
		if err != nil {
			return err
		}
		dropped, err := s.door.DropFactors(tx.Tx, u)
		if err == nil && len(dropped) == 0 {
			err = ErrNoFactor
		}
		if err != nil {
			return err
		}
		if err := s.door.Shut(tx.Tx, u.ID, session.RevokedByAdmin); err != nil {
			return err
		}
		for _, method := range dropped {
			err := s.notices.Tell(tx.Tx, u, u.Email, notice.Change{What: notice.FactorRemoved, Value: method}, func(notMe string, w notify.Where) notify.Content {
				return notify.FactorRemoved{Factor: notify.Factor(method), NotMe: notMe, Where: w}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
