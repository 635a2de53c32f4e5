package apikey

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/ratelimit"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

const (
	day   = 24 * time.Hour
	most  = 100             // keys of one person
	shown = 30 * day        // how long one that has run out is listed
	ages  = 100 * 365 * day // how long one lives that never expires
)

// Manage is the permission to look after the keys of others.
const Manage = "sys:apikeys:manage"

// Service makes, checks and ends keys.
type Service struct {
	db       *database.DB
	cfg      Config
	hashKey  []byte
	authz    *authz.Service
	sessions *session.Service
	notices  *notice.Service
	limiter  *ratelimit.Limiter // nil when limits are off
	rule     ratelimit.Rule
	parts    part.Config
}

// Deps are what keys stand on.
type Deps struct {
	DB       *database.DB
	Box      *secret.Box
	Authz    *authz.Service
	Sessions *session.Service
	Notices  *notice.Service
	Limiter  *ratelimit.Limiter
	PerKey   ratelimit.Rule
	Parts    part.Config // keys of what is not served are none
}

// NewService keeps keys hashed with a key of the box: a copy of the database is not enough to try any. It has them count as sessions.
func NewService(cfg Config, d Deps) *Service {
	s := &Service{d.DB, cfg, d.Box.Derive("api keys", 32), d.Authz, d.Sessions, d.Notices, d.Limiter, d.PerKey, d.Parts}
	d.Sessions.Serve(session.Keys{ByID: s.byID, Seen: setSeen})
	return s
}

func (s *Service) hash(text string) []byte {
	mac := hmac.New(sha256.New, s.hashKey)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// ByText is who a key belongs to, as a session that can do what the key is for; or ErrInvalid.
func (s *Service) ByText(ctx context.Context, text string) (*session.Live, error) {
	if !sound(text) || !s.parts.On(partOf(strings.HasPrefix(text, ofService))) {
		return nil, ErrInvalid
	}
	live, err := s.sessions.ByKey(ctx, text, func(ctx context.Context, q database.Querier) (session.Session, user.User, error) {
		k, u, err := byHash(ctx, q, s.hash(text))
		return k.session(), barred(u), err
	})
	if errors.Is(err, session.ErrUnknown) {
		err = ErrInvalid
	}
	return live, err
}

// partOf is the part that a key belongs to.
func partOf(service bool) string {
	if service {
		return part.ServiceAccounts
	}
	return part.APIKeys
}

// Afford counts a request that is made with a key, or with a token that was made from one.
func (s *Service) Afford(keyID string) error {
	if s.limiter == nil {
		return nil
	}
	return s.limiter.Take(keyID, s.rule).Err()
}

func (s *Service) byID(ctx context.Context, q database.Querier, keyID string) (session.Session, user.User, error) {
	k, u, err := byID(ctx, q, keyID)
	if errors.Is(err, ErrInvalid) || err == nil && !s.parts.On(partOf(u.Service)) {
		err = session.ErrUnknown
	}
	return k.session(), barred(u), err
}

// barred is a person without their global roles: whoever looks at those alone would not see what a key is for.
func barred(u user.User) user.User {
	u.Roles = nil
	return u
}

// session is what a key counts as.
func (k Key) session() session.Session {
	n := session.Session{ID: k.ID, UserID: k.UserID, Transport: session.Key, AMR: []string{}, AuthAt: time.UnixMicro(0), CreatedAt: k.CreatedAt,
		SeenAt: k.CreatedAt, ExpiresAt: k.CreatedAt.Add(ages), Ceiling: &authz.Ceiling{Patterns: []authz.Pattern{}, Org: k.OrgID}}
	if k.SeenAt != nil {
		n.SeenAt = *k.SeenAt
	}
	if k.ExpiresAt != nil {
		n.ExpiresAt = *k.ExpiresAt
	}
	for _, scope := range k.Scopes {
		if p, err := authz.ParsePattern(scope); err == nil {
			n.Ceiling.Patterns = append(n.Ceiling.Patterns, p)
		}
	}
	return n
}

// Draft is a key that can be made.
type Draft struct {
	key  Key
	life time.Duration // 0 never ends
	text string
}

// Draft reads what a key is to be, for a person or a service account.
func (s *Service) Draft(ctx context.Context, u user.User, in New) (Draft, error) {
	k := Key{ID: id.New("key"), UserID: u.ID, Name: strings.TrimSpace(in.Name)}
	if n := utf8.RuneCountInString(k.Name); n < 1 || n > 100 || !utf8.ValidString(k.Name) || strings.ContainsFunc(k.Name, unicode.IsControl) {
		return Draft{}, ErrName
	}
	days := in.Days
	if days == 0 {
		days = usual
	}
	switch {
	case days < 1 || days > 365:
		return Draft{}, ErrExpiry
	case in.Forever && !s.cfg.NeverExpires:
		return Draft{}, ErrForever
	case in.Forever:
		days = 0
	}
	if len(in.Scopes) < 1 || len(in.Scopes) > 100 {
		return Draft{}, ErrScopes
	}
	root, err := s.authz.Root(ctx)
	if err != nil {
		return Draft{}, err
	}
	if k.Scopes, err = root.ParseScopes(in.Scopes); err != nil {
		return Draft{}, err
	}
	if in.Org != "" {
		k.OrgID = root.OrgID(strings.ToLower(in.Org))
		if s.authz.See(ctx, authz.Caller{User: u.ID}, k.OrgID) != nil || !root.Knows(k.OrgID) {
			return Draft{}, authz.ErrOrg.In("org_id")
		}
	}
	prefix := ofPerson
	if u.Service {
		prefix = ofService
	}
	d := Draft{key: k, life: time.Duration(days) * day, text: newText(prefix)}
	d.key.Hint = d.text[:hintLength]
	return d, nil
}

// Add makes a key as part of a change, and gives its text. It is shown this once.
func (s *Service) Add(tx *database.Tx, d Draft) (Key, string, error) {
	n, err := count(tx, d.key.UserID)
	if err == nil && n >= most {
		err = ErrTooMany
	}
	if err != nil {
		return Key{}, "", err
	}
	k := d.key
	k.CreatedAt = tx.Now
	told := Created{UserID: k.UserID, KeyID: k.ID, Scopes: k.Scopes, OrgID: k.OrgID}
	if d.life > 0 {
		told.ExpiresAt = tx.Now.Add(d.life)
		k.ExpiresAt = &told.ExpiresAt
	}
	if by := database.OriginOf(tx.Context()).Actor; by != k.UserID {
		k.CreatedBy = by
	}
	tx.Emit(told)
	return k, d.text, insert(tx, k, s.hash(d.text))
}

// Create makes a key of a person, and writes to them.
func (s *Service) Create(ctx context.Context, userID string, in New) (k Key, text string, err error) {
	u, err := user.ByID(ctx, s.db, userID)
	if err == nil && u.Guest {
		err = user.ErrGuest
	}
	if err != nil {
		return k, "", err
	}
	d, err := s.Draft(ctx, u, in)
	if err != nil {
		return k, "", err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		if k, text, err = s.Add(tx, d); err != nil {
			return err
		}
		return s.tell(tx, k)
	})
	return k, text, err
}

// tell writes to the person that there is a new key.
func (s *Service) tell(tx *database.Tx, k Key) error {
	u, err := user.ByID(tx.Context(), tx, k.UserID)
	if err != nil {
		return err
	}
	return s.notices.Tell(tx, u, u.Email, notice.Change{What: notice.KeyAdded, ID: k.ID}, func(notMe string, w notify.Where) notify.Content {
		return notify.KeyAdded{Name: k.Name, NotMe: notMe, Where: w}
	})
}

// Rotate makes a key like another, which works on for a while.
func (s *Service) Rotate(ctx context.Context, userID, keyID string, overlap time.Duration) (k Key, text string, err error) {
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		if k, text, err = s.RotateIn(tx, userID, keyID, overlap); err != nil {
			return err
		}
		return s.tell(tx, k)
	})
	return k, text, err
}

// RotateIn is Rotate as part of a change.
func (s *Service) RotateIn(tx *database.Tx, userID, keyID string, overlap time.Duration) (Key, string, error) {
	if overlap < 0 || overlap > 7*day {
		return Key{}, "", ErrOverlap
	}
	old, u, err := byID(tx.Context(), tx, keyID)
	if errors.Is(err, ErrInvalid) || err == nil && u.ID != userID {
		return Key{}, "", ErrNone
	}
	if err != nil {
		return Key{}, "", err
	}
	d := Draft{key: Key{ID: id.New("key"), UserID: userID, Name: old.Name, Scopes: old.Scopes, OrgID: old.OrgID}, text: newText(old.Hint[:len(ofPerson)])}
	d.key.Hint = d.text[:hintLength]
	if old.ExpiresAt != nil {
		d.life = min(old.ExpiresAt.Sub(old.CreatedAt), 365*day)
	}
	until := tx.Now.Add(overlap)
	n, err := replace(tx, userID, keyID, d.key.ID, until)
	if err == nil && n == 0 {
		err = ErrReplaced
	}
	if err != nil {
		return Key{}, "", err
	}
	tx.Emit(Rotated{userID, keyID, d.key.ID, until})
	if overlap == 0 {
		tx.Emit(Ended{userID, keyID, Replaced}) // whoever verifies tokens elsewhere hears of nothing else
	}
	return s.Add(tx, d)
}

// List is the keys of a person, newest first. Those that ran out are in it for a month.
func (s *Service) List(ctx context.Context, userID string) ([]Key, error) {
	list, err := listOf(ctx, s.db, userID)
	return s.used(list), err
}

// used adds what only memory knows yet of when keys were used last.
func (s *Service) used(list []Key) []Key {
	for i, k := range list {
		var row time.Time
		if k.SeenAt != nil {
			row = *k.SeenAt
		}
		if at := s.sessions.SeenAt(k.ID, row); !at.IsZero() {
			list[i].SeenAt = &at
		}
	}
	return list
}

// Get is one key of a person.
func (s *Service) Get(ctx context.Context, userID, keyID string) (Key, error) {
	list, err := s.List(ctx, userID)
	if i := slices.IndexFunc(list, func(k Key) bool { return k.ID == keyID }); i >= 0 {
		return list[i], nil
	}
	if err == nil {
		err = ErrNone
	}
	return Key{}, err
}

// Find is a key of anybody, for the operator at the machine.
func (s *Service) Find(ctx context.Context, keyID string) (Key, error) {
	k, _, err := byID(ctx, s.db, keyID)
	if errors.Is(err, ErrInvalid) {
		err = ErrNone
	}
	return k, err
}

// Revoke ends a key of a person, as part of a change.
func Revoke(tx *database.Tx, userID, keyID string, why Reason) error {
	n, err := remove(tx, userID, keyID)
	if err == nil && n == 0 {
		return ErrNone
	}
	tx.Emit(Ended{userID, keyID, why})
	return err
}

// RevokeAll ends every key of a person, as part of a change that makes them unsafe.
func RevokeAll(tx *database.Tx, userID string, why Reason) error {
	gone, err := removeAll(tx, userID)
	for _, keyID := range gone {
		tx.Emit(Ended{userID, keyID, why})
	}
	return err
}

// Revoke ends a key: one of the caller's own, or one that they may look after.
func (s *Service) Revoke(ctx context.Context, c authz.Caller, keyID string) error {
	k, u, err := byID(ctx, s.db, keyID)
	if errors.Is(err, ErrInvalid) {
		return ErrNone
	}
	if err != nil {
		return err
	}
	why := Revoked
	if !c.Self(u.ID) {
		why = ByManager
		if err := s.manages(ctx, c, k); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(tx *database.Tx) error { return Revoke(tx, u.ID, keyID, why) }, database.ReadCommitted) // one conditional write
}

// manages refuses who may not look after a key of somebody else. To them there is none.
func (s *Service) manages(ctx context.Context, c authz.Caller, k Key) error {
	root, err := s.authz.Root(ctx)
	if err != nil {
		return err
	}
	if k.OrgID != "" && s.authz.RequireAt(ctx, root, c, Manage, k.OrgID) == nil {
		return nil
	}
	if s.authz.RequireAt(ctx, root, c, Manage, "") != nil {
		return ErrNone
	}
	return s.authz.AboveEverywhere(root, c, k.UserID)
}

// Of is the keys of somebody else, for holders of sys:apikeys:manage.
func (s *Service) Of(ctx context.Context, c authz.Caller, userID string) ([]Key, error) {
	if !c.Self(userID) {
		if err := s.authz.Require(ctx, c, Manage, ""); err != nil {
			return nil, err
		}
	}
	return s.List(ctx, userID)
}

// In is the keys that can be used in one organization alone, of one person unless userID is "", newest first, for holders of sys:apikeys:manage
// there, and after which to go on.
func (s *Service) In(ctx context.Context, c authz.Caller, org, userID, after string, limit int) ([]Key, string, error) {
	orgID, err := s.authz.OrgID(ctx, org)
	if err == nil {
		err = s.authz.Require(ctx, c, Manage, orgID)
	}
	if err != nil {
		return nil, "", err
	}
	list, err := listIn(ctx, s.db, orgID, userID, after, limit+1)
	next := ""
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return s.used(list), next, err
}

// Sweep deletes keys that ran out a while ago, a few at a time.
func (s *Service) Sweep(ctx context.Context) error { return s.db.Sweep(ctx, 500, removeExpired) }
