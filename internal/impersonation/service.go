package impersonation

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/mfa"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// Service begins and ends acting in the name of others.
type Service struct {
	db       *database.DB
	cfg      Config
	authz    *authz.Service
	mfa      *mfa.Policy
	sessions *session.Service
	notify   *notify.Service
	base     string // of links
}

// NewService writes to people through messages; links lead to base.
func NewService(db *database.DB, cfg Config, az *authz.Service, required *mfa.Policy, sessions *session.Service, messages *notify.Service, base string) *Service {
	return &Service{db, cfg, az, required, sessions, messages, base}
}

// Ask is in whose name somebody wants to act, why, and for how long.
type Ask struct {
	UserID    string
	Reason    string
	Minutes   int // 0 is as long as is allowed
	Transport session.Transport
}

// Begun is what came of it.
type Begun struct {
	User       user.User
	Session    session.Session
	Credential string // the session cookie or the refresh token
}

// Longest is how many minutes it may be at most.
func (s *Service) Longest() int { return s.cfg.Minutes }

// May refuses a caller who may not act in the name of a person, and gives the person.
func (s *Service) May(ctx context.Context, c authz.Caller, live *session.Live, userID string) (user.User, error) {
	if s.cfg.Minutes == 0 {
		return user.User{}, ErrOff
	}
	if live.Session.Act != nil {
		return user.User{}, authz.ErrActing
	}
	if err := s.authz.Require(ctx, c, Permission, ""); err != nil {
		return user.User{}, err
	}
	u, err := user.ByID(ctx, s.db, userID)
	switch {
	case err != nil:
		return u, err
	case u.ID == c.User:
		return u, ErrSelf
	case u.Guest || u.Service || !u.Active():
		return u, ErrDisabled
	}
	root, err := s.authz.Root(ctx)
	if err == nil {
		err = s.authz.AboveEverywhere(root, c, u.ID)
	}
	if err == nil { // what is asked of the person is asked of whoever comes in their name
		err = s.mfa.Enough(ctx, &session.Session{AMR: live.Session.AMR}, &u)
	}
	return u, err
}

// Begin starts a session in the name of a person for whoever is behind live, and tells the person.
func (s *Service) Begin(ctx context.Context, c authz.Caller, live *session.Live, in Ask) (b Begun, err error) {
	u, err := s.May(ctx, c, live, in.UserID)
	if err != nil {
		return b, err
	}
	reason := strings.TrimSpace(in.Reason)
	if n := utf8.RuneCountInString(reason); n < 5 || n > 500 || !utf8.ValidString(reason) || strings.ContainsFunc(reason, unicode.IsControl) {
		return b, ErrReason
	}
	if in.Minutes < 0 || in.Minutes > s.cfg.Minutes {
		return b, ErrMinutes
	}
	minutes := in.Minutes
	if minutes == 0 {
		minutes = s.cfg.Minutes
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		if err := session.Alive(tx, live.User.ID, live.Session.ID); err != nil {
			return err
		}
		until := tx.Now.Add(time.Duration(minutes) * time.Minute)
		if live.Session.ExpiresAt.Before(until) {
			until = live.Session.ExpiresAt // it ends with the one it began in
		}
		if b.User, err = user.ByID(ctx, tx, u.ID); err != nil {
			return err
		}
		b.Session, b.Credential, err = s.sessions.Begin(tx, session.Start{UserID: u.ID, AMR: live.Session.AMR, Transport: in.Transport,
			Act: &session.Act{UserID: live.User.ID, SessionID: live.Session.ID, Reason: reason}, Until: until})
		if err != nil {
			return err
		}
		tx.Emit(Began{u.ID, live.User.ID, b.Session.ID, reason, until})
		return s.tell(tx, b, live.User)
	})
	return b, err
}

// tell writes to the person, if they have an address.
func (s *Service) tell(tx *database.Tx, b Begun, by user.User) error {
	if b.User.Email == "" {
		return nil
	}
	return s.notify.Send(tx, notify.Message{To: b.User.Email, UserID: b.User.ID, Content: notify.Impersonated{By: by.Name, Reason: b.Session.Act.Reason,
		Link: s.base + "/account/sessions", Where: notify.Where{At: tx.Now}}})
}

// End stops acting in the name of a person.
func (s *Service) End(ctx context.Context, live *session.Live) error {
	if live.Session.Act == nil {
		return session.ErrNone
	}
	return s.sessions.Revoke(ctx, live.User.ID, live.Session.ID, session.ActingEnded)
}

// Holds refuses a session in the name of another whose actor could not begin it any more: they lost the permission, or stand below the
// person by now. Any other session holds.
func (s *Service) Holds(ctx context.Context, n *session.Session) error {
	if n.Act == nil {
		return nil
	}
	if s.cfg.Minutes == 0 { // by now
		return session.ErrUnknown
	}
	root, err := s.authz.Root(ctx)
	if err != nil {
		return err
	}
	by := authz.Caller{User: n.Act.UserID, Context: map[string]any{"ip": database.OriginOf(ctx).IP, "amr": n.AMR, "transport": string(n.Transport)}}
	err = s.authz.Require(ctx, by, Permission, "")
	if err == nil || errors.Is(err, authz.ErrStepUp) { // what a proof settles was settled at the beginning
		err = s.authz.AboveEverywhere(root, by, n.UserID)
	}
	if err == nil || apperr.Of(err).Kind == apperr.Unavailable {
		return err
	}
	return session.ErrUnknown
}
