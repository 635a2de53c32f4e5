package token

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/secret"
)

// ahead is how long a key is published before it signs, so that whoever keeps the key set has it by then.
const ahead = 15 * time.Minute

// Service signs and checks access tokens.
type Service struct {
	db      *database.DB
	cfg     Config
	box     *secret.Box
	issuer  string
	log     *slog.Logger
	shared  *key // set when ACCESS_SECRET is
	ring    atomic.Pointer[ring]
	stale   chan struct{}
	mu      sync.Mutex
	asked   time.Time // when an unknown key id last made us look
	silence error     // why that gave no answer
}

// ring is every key that counts now. It is never changed, only replaced.
type ring struct {
	keys []*key // newest first
	byID map[string]*key
	jwks []byte
}

// NewService makes tokens of this issuer. Load must follow.
func NewService(db *database.DB, cfg Config, box *secret.Box, issuer string, feed *event.Feed, log *slog.Logger) (*Service, error) {
	if cfg.Audience == "" {
		cfg.Audience = issuer
	}
	s := &Service{db: db, cfg: cfg, box: box, issuer: issuer, log: log, stale: make(chan struct{}, 1)}
	s.ring.Store(&ring{jwks: []byte(`{"keys":[]}`)})
	if cfg.Secret.Reveal() != "" {
		var err error
		if s.shared, err = sharedKey(cfg.Secret.Reveal()); err != nil {
			return nil, err
		}
	}
	feed.Subscribe(func(list []database.Record) {
		for _, r := range list {
			if strings.HasPrefix(r.Kind, "signing_key.") {
				select {
				case s.stale <- struct{}{}:
				default:
				}
			}
		}
	})
	return s, nil
}

// Load reads the keys, and makes the first one.
func (s *Service) Load(ctx context.Context) error {
	if s.shared != nil {
		return nil
	}
	if err := s.reload(ctx); err != nil {
		return err
	}
	if k := s.signing(s.db.Now()); k != nil && string(k.Algorithm) == s.cfg.Algorithm {
		return nil
	}
	now := s.db.Now()
	first, err := generate(s.cfg.Algorithm, s.box, now, now)
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		rows, err := keyRows(ctx, tx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if k, err := open(r, s.box); err == nil && k.signer != nil && r.Algorithm == s.cfg.Algorithm && !r.ActiveAt.After(tx.Now) {
				return nil // another server made it meanwhile
			}
		}
		tx.Emit(KeyCreated{first.ID, first.Algorithm, first.ActiveAt})
		return insertKey(tx, first)
	})
	if err != nil {
		return err
	}
	return s.reload(ctx)
}

func (s *Service) reload(ctx context.Context) error {
	rows, err := keyRows(ctx, s.db)
	if err != nil {
		return err
	}
	r := &ring{byID: map[string]*key{}}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	sealed := 0
	for i, row := range rows {
		if i > 0 && s.spent(rows[i-1], s.db.Now()) {
			break // this one and all that are older
		}
		k, err := open(row, s.box)
		if err != nil {
			return err
		}
		if k.signer == nil {
			sealed++
		}
		r.keys = append(r.keys, k)
		r.byID[k.ID] = k
		set.Keys = append(set.Keys, *k.public)
	}
	if sealed > 0 {
		s.log.Warn("signing keys in the database were sealed with another SESSION_SECRET_KEY; they can check tokens and sign none", "keys", sealed)
	}
	if r.jwks, err = json.Marshal(set); err != nil {
		return err
	}
	s.ring.Store(r)
	return nil
}

// spent reports whether the key before next can be forgotten: its last token has expired.
func (s *Service) spent(next keyRow, now time.Time) bool {
	return now.After(next.ActiveAt.Add(s.Life()))
}

// signing is the key that signs now: the newest active one of the algorithm that is set. While servers disagree about the
// algorithm, one of another is better than none.
func (s *Service) signing(now time.Time) (found *key) {
	if s.shared != nil {
		return s.shared
	}
	for _, k := range s.ring.Load().keys {
		if k.signer == nil || k.ActiveAt.After(now) {
			continue
		}
		if string(k.Algorithm) == s.cfg.Algorithm {
			return k
		}
		if found == nil {
			found = k
		}
	}
	return found
}

// Signing names the key that signs now and its algorithm, "" when none does. Unlike Load it makes no key.
func (s *Service) Signing(ctx context.Context) (keyID, algorithm string, err error) {
	if s.shared == nil {
		if err := s.reload(ctx); err != nil {
			return "", "", err
		}
	}
	k := s.signing(s.db.Now())
	if k == nil {
		return "", "", nil
	}
	return k.ID, string(k.Algorithm), nil
}

// Keys is how many keys count now, whether their private half can be opened or not.
func (s *Service) Keys() int { return len(s.ring.Load().keys) }

// List is the keys that count now, newest first: the one that ACCESS_SECRET makes, or those in the store.
func (s *Service) List() []Key {
	keys := s.ring.Load().keys
	if s.shared != nil {
		keys = []*key{s.shared}
	}
	now := s.db.Now()
	signing := s.signing(now)
	var list []Key
	for _, k := range keys {
		one := Key{ID: k.ID, Algorithm: string(k.Algorithm), State: Retired, Since: k.ActiveAt}
		switch {
		case k == signing:
			one.State = Signing
		case k.ActiveAt.After(now):
			one.State = Next
		}
		list = append(list, one)
	}
	return list
}

// Issue signs an access token.
func (s *Service) Issue(g Grant) (Issued, error) {
	now := s.db.Now()
	c := Claims{Issuer: s.issuer, Subject: g.User.ID, Audience: s.cfg.Audience, ExpiresAt: now.Add(s.cfg.lifetime()).Unix(), IssuedAt: now.Unix(), NotBefore: now.Unix(),
		ID: id.New("jti"), SessionID: g.SessionID, Type: "access", Role: g.User.Role(), Roles: g.User.Roles, Revision: g.Revision, Org: g.Org, OrgRoles: g.OrgRoles, AMR: g.AMR, AuthTime: g.AuthAt.Unix()}
	life := s.cfg.lifetime()
	if left := g.Until.Sub(now).Truncate(time.Second); !g.Until.IsZero() && left < life {
		life = max(left, time.Second)
		c.ExpiresAt = now.Add(life).Unix()
	}
	if g.Scope != "" {
		c.Scope, c.ClientID = g.Scope, g.User.ID
	}
	if g.Actor != "" {
		c.Act = &Actor{g.Actor}
	}
	if c.Roles == nil {
		c.Roles = []string{}
	}
	if c.OrgRoles == nil {
		c.OrgRoles = []string{}
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return Issued{}, err
	}
	k := s.signing(now)
	if k == nil {
		return Issued{}, errNoKey
	}
	text, err := compact(k.signer, payload)
	return Issued{text, life}, err
}

var errNoKey = errors.New("token: there is no key to sign with")

func compact(signer jose.Signer, payload []byte) (string, error) {
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Sign makes a JSON Web Signature of another type than access tokens have (RFC 7515, section 7.1), by the key that signs them.
func (s *Service) Sign(typ string, payload []byte) (string, error) {
	k := s.signing(s.db.Now())
	if k == nil {
		return "", errNoKey
	}
	signer, err := k.newSigner(jose.ContentType(typ))
	if err != nil {
		return "", err
	}
	return compact(signer, payload)
}

// Life is how long an access token is good for anywhere, clocks that differ included.
func (s *Service) Life() time.Duration { return s.cfg.lifetime() + leeway }

// longest is more than an access token of ours can have.
const longest = 8 << 10

// Verify checks the signature and the claims of an access token (RFC 8725). Whether its session is alive is not its matter.
func (s *Service) Verify(ctx context.Context, text string) (Claims, error) {
	if len(text) > longest || !canonical(text) {
		return Claims{}, ErrInvalid
	}
	algorithms := []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256}
	if s.shared != nil {
		algorithms = []jose.SignatureAlgorithm{jose.HS256}
	}
	signed, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return Claims{}, ErrInvalid
	}
	header := signed.Signatures[0].Protected
	k, err := s.find(ctx, header.KeyID)
	if err != nil {
		return Claims{}, err
	}
	if string(k.Algorithm) != header.Algorithm || header.ExtraHeaders[jose.HeaderType] != accessType {
		return Claims{}, ErrInvalid
	}
	payload, err := signed.Verify(k.verify)
	if err != nil {
		return Claims{}, ErrInvalid
	}
	var c Claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return Claims{}, ErrInvalid
	}
	return c, c.check(s.issuer, s.cfg.Audience, s.db.Now())
}

// canonical reports whether the signature is written in the one way RFC 7515 has for it: base64 has bits to spare, and a
// token that differs in them is not the one that was given.
func canonical(text string) bool {
	_, err := base64.RawURLEncoding.Strict().DecodeString(text[strings.LastIndexByte(text, '.')+1:])
	return err == nil
}

// find is the key with an id, or ErrInvalid. One that is not known may be new, on another server: that is asked at most
// once in 5 seconds, and while the store does not say, nobody may be told that the key is none.
func (s *Service) find(ctx context.Context, keyID string) (*key, error) {
	if s.shared != nil {
		if keyID != s.shared.ID {
			return nil, ErrInvalid
		}
		return s.shared, nil
	}
	if k := s.ring.Load().byID[keyID]; k != nil {
		return k, nil
	}
	if !id.Valid("sig", keyID) {
		return nil, ErrInvalid
	}
	s.mu.Lock() // whoever comes while another asks waits for the answer
	defer s.mu.Unlock()
	rest := 5 * time.Second
	if s.silence != nil {
		rest = time.Second
	}
	if time.Since(s.asked) > rest {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second) // it is asked for others, too
		defer cancel()
		s.silence = s.reload(ctx)
		s.asked = time.Now()
	}
	if k := s.ring.Load().byID[keyID]; k != nil {
		return k, nil
	}
	if s.silence != nil {
		return nil, s.silence
	}
	return nil, ErrInvalid
}

// JWKS is the JSON Web Key Set (RFC 7517) of every key whose tokens count, now or soon. It is empty under ACCESS_SECRET.
func (s *Service) JWKS() []byte { return s.ring.Load().jwks }

// Rotate publishes a new key. It signs a while later, and the old one is honoured until its last token has expired.
func (s *Service) Rotate(ctx context.Context) error {
	if s.shared != nil {
		return ErrShared
	}
	now := s.db.Now()
	next, err := generate(s.cfg.Algorithm, s.box, now, now.Add(ahead))
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		rows, err := keyRows(ctx, tx)
		if err != nil {
			return err
		}
		if len(rows) > 0 && rows[0].ActiveAt.After(tx.Now) {
			return nil // one is on its way already
		}
		tx.Emit(KeyCreated{next.ID, next.Algorithm, next.ActiveAt})
		return insertKey(tx, next)
	})
	if err != nil {
		return err
	}
	return s.reload(ctx)
}

// Run follows what other servers do with the keys and rotates them in time, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	if s.shared != nil {
		return
	}
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		err := s.Maintain(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("signing keys could not be maintained; trying again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.stale:
		case <-tick.C:
		}
	}
}

// Maintain rotates a key that is old, and deletes those that no token is left of.
func (s *Service) Maintain(ctx context.Context) error {
	if err := s.reload(ctx); err != nil {
		return err
	}
	rows, err := keyRows(ctx, s.db)
	if err != nil {
		return err
	}
	now := s.db.Now()
	if len(rows) > 0 && now.Sub(rows[0].ActiveAt) > time.Duration(s.cfg.RotateDays)*24*time.Hour {
		return s.Rotate(ctx)
	}
	for i, r := range rows {
		if i == 0 || !s.spent(rows[i-1], now) {
			continue
		}
		err := s.db.Write(ctx, func(tx *database.Tx) error {
			n, err := deleteKey(tx, r.ID)
			if n > 0 {
				tx.Emit(KeyDeleted{r.ID})
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
