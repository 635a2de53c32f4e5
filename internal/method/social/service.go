package social

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/admit-dev/admit/internal/address"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/outbound"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// Service sends people to providers, and knows them when they come back.
type Service struct {
	Method
	Development *Development // nil when there is none

	db        *database.DB
	cfg       Config
	box       *secret.Box
	door      *login.Service
	notices   *notice.Service
	addresses *address.Service
	lines     map[string]*line
}

// Site is this server as providers know it.
type Site struct {
	Base       string // its BASE_URL
	Production bool
}

// local reports whether people reach this server from its own machine only.
func (s Site) local() bool {
	u, err := url.Parse(s.Base)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback() || u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost")
}

// NewMethod makes the providers that cfg enables.
func NewMethod(db *database.DB, cfg Config, site Site, box *secret.Box) (Method, error) {
	list, err := cfg.Providers(site.Production)
	if err != nil {
		return Method{}, err
	}
	m := Method{db: db, site: site, providers: list}
	if cfg.Development == "on" || cfg.Development == "auto" && len(list) == 0 && !site.Production && site.local() {
		m.development = newDevelopment(site.Base, box, db.Now)
		m.providers = append(m.providers, m.development.provider())
	}
	return m, nil
}

// NewService signs people in by way of door.
func NewService(m Method, cfg Config, network outbound.Config, box *secret.Box, door *login.Service, notices *notice.Service, addresses *address.Service) *Service {
	s := &Service{Method: m, Development: m.development, db: m.db, cfg: cfg, box: box, door: door, notices: notices, addresses: addresses, lines: map[string]*line{}}
	for _, p := range m.providers {
		var through http.RoundTripper
		if m.development != nil && p.Name == m.development.provider().Name {
			through = m.development
		}
		s.lines[p.Name] = newLine(p, network, time.Duration(cfg.TimeoutSeconds)*time.Second, through, m.db.Now, m.site.Base+"/auth/"+p.Name+"/callback")
	}
	return s
}

// Providers are those that are offered, in the order they are shown.
func (s *Service) Providers() []Provider { return s.providers }

// Offers reports whether a provider is there.
func (s *Service) Offers(provider string) bool { return s.lines[provider] != nil }

// settle signs in who came back, or links the identity to whoever sent them. One transaction; tried again if somebody else was
// quicker with the same identity or address.
func (s *Service) settle(ctx context.Context, under leg, f login.Finish) (out Arrival, err error) {
	for again := true; ; again = false {
		err = s.db.Write(ctx, func(tx *database.Tx) error {
			out = Arrival{}
			if under.UserID != "" {
				out.Linked, err = s.link(tx, under)
				return err
			}
			u, err := s.meet(tx, under)
			if err != nil {
				return err
			}
			out.Outcome, err = s.door.Welcome(tx, u, login.Shown{Method: Name, AMR: AMR}, f)
			return err
		})
		if !again || !(errors.Is(err, ErrTaken) && under.UserID == "") && !errors.Is(err, user.ErrEmailTaken) {
			break
		}
	}
	if err != nil {
		return Arrival{}, s.fail(ctx, under, err)
	}
	out.Outcome, err = s.door.Continue(ctx, out.Outcome, nil)
	return out, err
}

// meet is who an identity belongs to: the person it opened an account for before, or one that is made for it.
func (s *Service) meet(tx *database.Tx, under leg) (user.User, error) {
	known, err := bySubject(tx.Context(), tx, under.Profile.Issuer, under.Profile.Subject)
	if errors.Is(err, database.ErrNone) {
		return s.welcome(tx, under)
	}
	if err != nil {
		return user.User{}, err
	}
	u, err := user.ByID(tx.Context(), tx, known.UserID)
	if err == nil && !u.Active() {
		err = login.Barred(u)
	}
	if err != nil {
		return u, err
	}
	now := s.row(tx, known.ID, u.ID, under)
	tx.Emit(Used{u.ID, known.ID, known.Provider})
	return u, used(tx, now)
}

// welcome makes an account for an identity that is new here. An address never opens an account that is there: unless it was
// never shown to be of whoever made that, and now is shown to be of somebody.
func (s *Service) welcome(tx *database.Tx, under leg) (user.User, error) {
	ids, u, err := s.address(tx, under.Profile)
	switch {
	case err != nil:
		return u, err
	case u.ID != "":
		return s.claim(tx, u, under)
	case !s.door.Config.SignUp:
		return u, login.ErrSignUpOff
	}
	if u, err = user.Create(tx, ids, under.Profile.Name); err != nil {
		return u, err
	}
	u, _, err = s.furnish(tx, u.ID, ids, under)
	return u, err
}

// address is what an account would be called by an identity that is new here, and whose it is already.
func (s *Service) address(tx *database.Tx, p Profile) ([]user.Identifier, user.User, error) {
	i, err := user.ParseEmail(p.Email)
	if err != nil || !p.Verified && (s.door.Config.Strict() || !s.door.Config.SignUp) { // nobody may learn by it whether there is an account
		return nil, user.User{}, nil
	}
	u, err := user.ByIdentifier(tx.Context(), tx, i)
	if errors.Is(err, user.ErrNotFound) {
		err = nil
	}
	return []user.Identifier{i}, u, err
}

// furnish gives an account that was just made for an identity what is known by it.
func (s *Service) furnish(tx *database.Tx, userID string, ids []user.Identifier, under leg) (u user.User, r identityRow, err error) {
	for _, i := range ids {
		if !under.Profile.Verified {
			break
		}
		if err := user.VerifyEmail(tx, userID, i.Value); err != nil {
			return u, r, err
		}
	}
	if r, err = s.add(tx, userID, under); err != nil {
		return u, r, err
	}
	if u, err = user.ByID(tx.Context(), tx, userID); err != nil {
		return u, r, err
	}
	return u, r, s.addresses.Welcome(tx, u, true)
}

// settleGuest makes somebody of a guest who links an identity: they can come back by it. An address of somebody else stays theirs.
func (s *Service) settleGuest(tx *database.Tx, guestID string, under leg) (identityRow, error) {
	if !s.door.Config.SignUp {
		return identityRow{}, login.ErrSignUpOff
	}
	ids, other, err := s.address(tx, under.Profile)
	if other.ID != "" {
		ids = nil
	}
	if err == nil {
		_, err = user.Settle(tx, guestID, ids, under.Profile.Name)
	}
	if err != nil {
		return identityRow{}, err
	}
	_, r, err := s.furnish(tx, guestID, ids, under)
	return r, err
}

// claim gives an account that somebody made with an address they never showed to be theirs to whoever it is of, without
// anything that would still open it for who made it. Whoever holds a role here has one that is not given by an address.
func (s *Service) claim(tx *database.Tx, u user.User, under leg) (user.User, error) {
	switch {
	case !under.Profile.Verified || u.EmailVerified || len(u.Roles) > 0:
		return u, ErrLink
	case !u.Active():
		return u, login.Barred(u)
	}
	u, err := s.door.Claim(tx, u, user.Identifier{Kind: user.KindEmail, Value: u.Email})
	if err != nil {
		return u, err
	}
	r, err := s.add(tx, u.ID, under)
	if err != nil {
		return u, err
	}
	if u, err = user.ByID(tx.Context(), tx, u.ID); err != nil {
		return u, err
	}
	return u, s.tell(tx, u, notice.FactorAdded, r)
}

// link has an identity open the account of who sent them to the provider, as long as they are still signed in.
func (s *Service) link(tx *database.Tx, under leg) (*Identity, error) {
	if err := session.Alive(tx, under.UserID, under.SessionID); err != nil {
		return nil, err
	}
	known, err := bySubject(tx.Context(), tx, under.Profile.Issuer, under.Profile.Subject)
	switch {
	case err == nil && known.UserID != under.UserID:
		return nil, ErrTaken
	case err == nil:
		now := s.row(tx, known.ID, known.UserID, under)
		now.CreatedAt = known.CreatedAt
		tx.Emit(Used{known.UserID, known.ID, known.Provider})
		return s.identity(now), used(tx, now)
	case !errors.Is(err, database.ErrNone):
		return nil, err
	}
	u, err := user.ByID(tx.Context(), tx, under.UserID)
	if err != nil {
		return nil, err
	}
	if u.Guest {
		r, err := s.settleGuest(tx, u.ID, under)
		return s.identity(r), err
	}
	r, err := s.add(tx, u.ID, under)
	if err != nil {
		return nil, err
	}
	return s.identity(r), s.tell(tx, u, notice.FactorAdded, r)
}

func (s *Service) add(tx *database.Tx, userID string, under leg) (identityRow, error) {
	r := s.row(tx, id.New("idn"), userID, under)
	tx.Emit(Linked{userID, r.ID, r.Provider})
	return r, insertIdentity(tx, r)
}

// row is an identity as it is now. An address that cannot be one is not kept.
func (s *Service) row(tx *database.Tx, identityID, userID string, under leg) identityRow {
	p := under.Profile
	address, _ := user.ParseEmail(p.Email)
	r := identityRow{ID: identityID, Provider: under.Provider, Issuer: p.Issuer, Subject: p.Subject, UserID: userID, Email: address.Value, Name: p.Name, Picture: p.Picture,
		CreatedAt: tx.Now, LastUsedAt: tx.Now}
	if under.Tokens != nil {
		r.Tokens = s.box.Seal(under.Tokens, aboutTokens(identityID))
	}
	return r
}

func aboutTokens(identityID string) string { return "identities.tokens:" + identityID }

// tell writes to a person that an identity of theirs came or went.
func (s *Service) tell(tx *database.Tx, u user.User, what notice.What, r identityRow) error {
	return s.notices.Tell(tx, u, u.Email, notice.Change{What: what, Value: Name, ID: r.ID}, func(notMe string, w notify.Where) notify.Content {
		if what == notice.FactorAdded {
			return notify.FactorAdded{Factor: notify.Identity, Label: s.title(r.Provider), NotMe: notMe, Where: w}
		}
		return notify.FactorRemoved{Factor: notify.Identity, Label: s.title(r.Provider), NotMe: notMe, Where: w}
	})
}

// fail tells of somebody who came back and is let in nowhere, and says no.
func (s *Service) fail(ctx context.Context, under leg, no error) error {
	e := apperr.Of(no)
	if e.Kind == apperr.Internal || e.Kind == apperr.Unavailable && e.Code != ErrDown.Code {
		return no
	}
	err := s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(Failed{under.UserID, under.Provider, e.Code})
		return nil
	})
	if err != nil {
		return err
	}
	return no // not from within the change: a provider that does not answer would look like a store that does not
}

// List is what opens an account beside its own credentials, the oldest first.
func (s *Service) List(ctx context.Context, userID string) ([]Identity, error) {
	rows, err := listOf(ctx, s.db, userID)
	list := make([]Identity, len(rows))
	for i, r := range rows {
		list[i] = *s.identity(r)
	}
	return list, err
}

func (s *Service) identity(r identityRow) *Identity {
	return &Identity{r.ID, r.Provider, s.title(r.Provider), r.Issuer, r.Subject, r.UserID, r.Email, r.Name, r.Picture, r.CreatedAt, r.LastUsedAt}
}

// title is what people call a provider, also one that is offered no more.
func (s *Service) title(provider string) string {
	if l := s.lines[provider]; l != nil {
		return l.Title
	}
	return provider
}

// Unlink has an identity open its account no more, unless nothing else would. Every other session ends: it may have begun with it.
func (s *Service) Unlink(ctx context.Context, userID, sessionID, identityID string) error {
	return s.db.Write(ctx, func(tx *database.Tx) error {
		r, err := identityOf(ctx, tx, userID, identityID)
		if err != nil {
			return err
		}
		if err := remove(tx, userID, identityID); err != nil {
			return err
		}
		open, err := s.door.Reachable(tx, userID)
		if err == nil && !open {
			err = ErrLast
		}
		if err != nil {
			return err
		}
		tx.Emit(Unlinked{userID, identityID, r.Provider})
		if err := login.Forget(tx, userID); err != nil {
			return err
		}
		if _, err := session.RevokeAll(tx, userID, sessionID, session.IdentityRemoved); err != nil {
			return err
		}
		u, err := user.ByID(ctx, tx, userID)
		if err != nil {
			return err
		}
		return s.tell(tx, u, notice.FactorRemoved, r)
	})
}

// Tokens are what the provider of an identity gave out when it was used last, if SOCIAL_KEEP_TOKENS has them kept.
func (s *Service) Tokens(ctx context.Context, userID, identityID string) (*oauth2.Token, error) {
	r, err := identityOf(ctx, s.db, userID, identityID)
	if err != nil || r.Tokens == nil {
		return nil, err
	}
	plain, err := s.box.Open(r.Tokens, aboutTokens(r.ID))
	if err != nil {
		return nil, err
	}
	var t oauth2.Token
	return &t, json.Unmarshal(plain, &t)
}
