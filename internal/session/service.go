package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/knowndevice"
	"github.com/admit-dev/admit/internal/redis"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

// Verified is what an access token says of itself.
type Verified struct {
	SessionID string // or the id of the API key it was made from
	Until     time.Time
	Scope     []authz.Pattern // of one that was made from a key
}

// Verifier reads an access token, or says that it is not valid.
type Verifier func(ctx context.Context, token string) (Verified, error)

// Keys are credentials of another kind that count as sessions, and are remembered and forgotten as those are.
type Keys struct {
	ByID func(ctx context.Context, q database.Querier, id string) (Session, user.User, error)
	Seen func(tx *database.Tx, id string, at time.Time) error // notes when one was used last
}

// Service starts, checks, renews and ends sessions.
type Service struct {
	db         *database.DB
	cfg        Config
	refreshKey []byte
	verify     Verifier
	keys       Keys
	cache      *cache
	feed       *event.Feed
	news       *news   // nil without Redis and without replicas
	shared     *shared // nil without Redis
	log        *slog.Logger
	looked     struct{ memory, shared, replica, database atomic.Uint64 }

	mu   sync.Mutex
	seen map[string]time.Time // sessions used since their row was written
}

// NewService works on db. Sessions are kept in memory, and copies are shared by common, only while feed hears of every change. Without verify there
// are no access tokens.
func NewService(db *database.DB, cfg Config, box *secret.Box, feed *event.Feed, common *redis.Client, verify Verifier, log *slog.Logger) *Service {
	s := &Service{db: db, cfg: cfg, verify: verify, feed: feed, log: log, seen: map[string]time.Time{}}
	if common != nil || db.HasReplicas() {
		s.news = newNews(feed)
		s.shared = newShared(common, box, s.news)
	}
	s.cache = newCache(cfg.Cache, feed.Fresh, s.news)
	s.refreshKey = []byte(cfg.RefreshSecret.Reveal())
	if len(s.refreshKey) == 0 {
		s.refreshKey = box.Derive("refresh tokens", 32)
	}
	feed.Subscribe(s.cache.heard)
	return s
}

// Serve has keys count as sessions. It is called once, before the first request.
func (s *Service) Serve(keys Keys) { s.keys = keys }

// Start is what a sign-in knows of the session it begins.
type Start struct {
	UserID    string
	AMR       []string
	Transport Transport
	Remember  bool
	Replaces  string    // the session cookie the same browser came with, if any
	Act       *Act      // who acts in the name of the person; nobody proved then to be the person
	Until     time.Time // when the session ends at the latest, where it is not to live as long as others
}

// Begin adds a session in the sign-in's own change. The credential is the cookie's value or the refresh token; it is
// always new, so nobody can plant one before the sign-in.
func (s *Service) Begin(tx *database.Tx, in Start) (Session, string, error) {
	from := database.OriginOf(tx.Context())
	n := Session{ID: id.New("ses"), UserID: in.UserID, Transport: in.Transport, AMR: in.AMR, AuthAt: tx.Now, IP: from.IP, UserAgent: from.UserAgent,
		CreatedAt: tx.Now, SeenAt: tx.Now, ExpiresAt: tx.Now.Add(s.cfg.lifetime(in.Transport, in.Remember)), salt: secret.Random(16)}
	if in.Act != nil {
		n.Act, n.AuthAt, n.ExpiresAt = in.Act, time.UnixMicro(0), in.Until
	}
	if in.Replaces != "" {
		if err := end(tx, Replaced, ofCookie(secret.Sum(in.Replaces), in.UserID)); err != nil {
			return Session{}, "", err
		}
	}
	var credential string
	var hash []byte
	if in.Transport == Token {
		n.generation = 1
		credential = refreshToken(s.refreshKey, n, 1)
	} else {
		credential = secret.Hex32()
		hash = secret.Sum(credential)
	}
	if err := insert(tx, n, hash); err != nil {
		return Session{}, "", err
	}
	tx.Emit(Created{UserID: n.UserID, SessionID: n.ID, Transport: n.Transport, AMR: n.AMR})
	return n, credential, nil
}

const cookieLength = 64 // 32 random bytes in hex

// ByCookie is who a session cookie belongs to, or ErrUnknown.
func (s *Service) ByCookie(ctx context.Context, cookie string) (*Live, error) {
	if len(cookie) != cookieLength {
		return nil, ErrUnknown
	}
	k := key(sha256.Sum256([]byte(cookie)))
	if l := s.recall(k); l != nil {
		return l, nil
	}
	return s.find(ctx, k, func(ctx context.Context, q database.Querier) (*Live, error) {
		n, u, err := byCookie(ctx, q, k[:])
		return &Live{Session: n, User: u, until: n.ExpiresAt}, err
	})
}

// ByAccessToken is who an access token belongs to, or ErrUnknown. A token outlives its session nowhere here.
func (s *Service) ByAccessToken(ctx context.Context, token string) (*Live, error) {
	if s.verify == nil || len(token) <= cookieLength { // no token is as short, and no cookie may pass for one
		return nil, ErrUnknown
	}
	k := key(sha256.Sum256([]byte(token)))
	if l := s.recall(k); l != nil {
		return l, nil
	}
	v, err := s.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	return s.find(ctx, k, func(ctx context.Context, q database.Querier) (*Live, error) {
		if id.Valid("key", v.SessionID) {
			n, u, err := s.keys.ByID(ctx, q, v.SessionID)
			if err == nil { // what it may do at most is part of what was signed
				n.Ceiling = &authz.Ceiling{Patterns: v.Scope, Org: n.Ceiling.Org}
			}
			return &Live{Session: n, User: u, until: v.Until}, err
		}
		n, u, err := byID(ctx, q, v.SessionID)
		return &Live{Session: n, User: u, until: v.Until}, err
	})
}

// ByKey is who a credential of another kind belongs to, as read says or as it is remembered.
func (s *Service) ByKey(ctx context.Context, text string, read func(context.Context, database.Querier) (Session, user.User, error)) (*Live, error) {
	k := key(sha256.Sum256([]byte(text)))
	if l := s.recall(k); l != nil {
		return l, nil
	}
	return s.find(ctx, k, func(ctx context.Context, q database.Querier) (*Live, error) {
		n, u, err := read(ctx, q)
		return &Live{Session: n, User: u, until: n.ExpiresAt}, err
	})
}

// recall is a credential that is in memory and good now, or nil.
func (s *Service) recall(k key) *Live {
	l, now := s.cache.get(k), s.db.Now()
	if l == nil {
		return nil
	}
	if !s.valid(l, now) {
		s.cache.drop(k, l)
		return nil // idle by what we remember; the row may know better
	}
	s.looked.memory.Add(1)
	s.touch(l, now)
	return l
}

// find has a credential read, remembers it, and decides whether it is good now.
func (s *Service) find(ctx context.Context, k key, read reader) (*Live, error) {
	now, epoch := s.db.Now(), s.cache.epoch.Load()
	l, err := s.elsewhere(ctx, k, read, now)
	if err != nil {
		return nil, err
	}
	s.cache.put(k, l, epoch)
	s.touch(l, now)
	return l, nil
}

// reader reads a credential from the store, or from a standby of it.
type reader func(ctx context.Context, q database.Querier) (*Live, error)

// elsewhere is a credential from a copy that another server made, from a standby, or from the store, which alone may say that there is none.
func (s *Service) elsewhere(ctx context.Context, k key, read reader, now time.Time) (*Live, error) {
	if s.news != nil && s.feed.Fresh() {
		if l := s.shared.get(ctx, k); l != nil && s.valid(l, now) {
			s.looked.shared.Add(1)
			return l, nil
		}
		if l, place := s.near(ctx, read); l != nil && s.valid(l, now) {
			s.looked.replica.Add(1)
			s.shared.put(ctx, k, l, place, now)
			return l, nil
		}
	}
	place := s.feed.Place()
	s.looked.database.Add(1)
	l, err := read(ctx, s.db)
	if err != nil {
		return nil, err
	}
	s.sawLast(l)
	if !s.valid(l, now) {
		return nil, ErrUnknown
	}
	s.shared.put(ctx, k, l, place, now)
	return l, nil
}

// near reads from a standby what nothing has happened to since.
func (s *Service) near(ctx context.Context, read reader) (l *Live, place database.Cursor) {
	place, err := s.db.Near(ctx, func(ctx context.Context, q database.Querier) (err error) {
		l, err = read(ctx, q)
		return err
	})
	if err != nil || !s.news.holds(l.User.ID, place) {
		return nil, place
	}
	s.sawLast(l)
	return l, place
}

// sawLast notes when a session was used last, which its row may not know yet.
func (s *Service) sawLast(l *Live) {
	l.seen.Store(max(l.Session.SeenAt.UnixMicro(), s.lastSeen(l.Session.ID).UnixMicro()))
}

// Lookups is where checks of sessions got their answer from since the start.
type Lookups struct{ Memory, Shared, Replica, Database uint64 }

// Lookups counts the checks.
func (s *Service) Lookups() Lookups {
	return Lookups{s.looked.memory.Load(), s.looked.shared.Load(), s.looked.replica.Load(), s.looked.database.Load()}
}

func (s *Service) valid(l *Live, now time.Time) bool {
	return l.User.Active() && now.Before(l.until) && alive(l.Session, time.UnixMicro(l.seen.Load()), now, s.cfg.idle(l.Session.Transport))
}

// Renewal is what a refresh token was exchanged for.
type Renewal struct {
	Session Session
	User    user.User
	Token   string // the successor
}

// Refresh exchanges a refresh token for its successor. The token used last gets the same successor again within the grace;
// one that comes later ends the session. A session that is not enough for its person gets none.
func (s *Service) Refresh(ctx context.Context, token string, enough func(context.Context, *Session, *user.User) error) (Renewal, error) {
	sessionID, generation, ok := parseRefresh(token)
	if !ok {
		return Renewal{}, ErrRefresh
	}
	n, u, err := byID(ctx, s.db, sessionID)
	if errors.Is(err, ErrUnknown) || err == nil && (!authentic(s.refreshKey, n, generation, token) || !u.Active()) {
		return Renewal{}, ErrRefresh
	}
	if err != nil {
		return Renewal{}, err
	}
	if !alive(n, s.seenAt(n), s.db.Now(), s.cfg.idle(n.Transport)) {
		return Renewal{}, ErrRefresh
	}
	if err := enough(ctx, &n, &u); err != nil {
		return Renewal{}, err
	}
	from := database.OriginOf(ctx)
	grace := time.Duration(s.cfg.GraceSeconds) * time.Second
	if judge(n, generation, from.UserAgent, s.db.Now(), grace) != repeat { // which changes nothing
		n.Sign(from)
		err = s.db.Write(ctx, func(tx *database.Tx) error { return s.exchange(tx, &n, generation, grace) }, database.ReadCommitted)
		// Each step of exchange is one conditional statement on the row of the session; what it found is read again after it.
	}
	return Renewal{n, u, refreshToken(s.refreshKey, n, generation+1)}, err
}

// exchange moves the session on, or finds out why it cannot.
func (s *Service) exchange(tx *database.Tx, n *Session, generation int64, grace time.Duration) error {
	from := database.OriginOf(tx.Context())
	if judge(*n, generation, from.UserAgent, tx.Now, grace) == rotate {
		expires := s.cfg.renewed(*n, tx.Now)
		moved, err := advance(tx, *n, from.IP, from.UserAgent, expires)
		if err != nil {
			return err
		}
		if moved == 1 {
			n.ExpiresAt, n.UserAgent = expires, from.UserAgent
			tx.Emit(Refreshed{UserID: n.UserID, SessionID: n.ID, Generation: generation + 1})
			return nil
		}
		now, _, err := byID(tx.Context(), tx, n.ID) // somebody else moved it, or ended it
		if errors.Is(err, ErrUnknown) {
			return ErrRefresh
		}
		if err != nil {
			return err
		}
		*n = now
	}
	switch judge(*n, generation, from.UserAgent, tx.Now, grace) {
	case repeat:
		return nil
	case reused:
		gone, err := remove(tx, ofUser(n.ID, n.UserID))
		if err != nil {
			return err
		}
		if len(gone) == 0 {
			return ErrRefresh // it has ended meanwhile, and of several copies at once one is told
		}
		tx.Emit(Reused{UserID: n.UserID, SessionID: n.ID, Generation: generation, Current: n.generation})
		tell(tx, gone, TokenReused)
		return tx.Refuse(ErrReused)
	default:
		return ErrRefresh
	}
}

// List is every session of a person that is alive, newest first. From where somebody acts in their name is not theirs to know.
func (s *Service) List(ctx context.Context, userID string) ([]Session, error) {
	all, err := listOf(ctx, s.db, userID, s.db.Now())
	var list []Session
	for _, n := range all {
		n.SeenAt = s.seenAt(n)
		if n.Act != nil {
			n.IP, n.UserAgent = "", ""
		}
		if alive(n, n.SeenAt, s.db.Now(), s.cfg.idle(n.Transport)) {
			list = append(list, n)
		}
	}
	return list, err
}

// Count is how many sessions have not run out.
func (s *Service) Count(ctx context.Context) (int64, error) { return count(ctx, s.db, s.db.Now()) }

// Revoke ends one session of a person.
func (s *Service) Revoke(ctx context.Context, userID, sessionID string, why Reason) error {
	return s.db.Write(ctx, func(tx *database.Tx) error { return Revoke(tx, userID, sessionID, why) })
}

// Revoke ends one session of a person, as part of a change.
func Revoke(tx *database.Tx, userID, sessionID string, why Reason) error {
	gone, err := remove(tx, ofUser(sessionID, userID))
	if err == nil && len(gone) == 0 {
		return ErrNone
	}
	tell(tx, gone, why)
	return err
}

// RevokeRefresh ends the session a refresh token belongs to, also when the token is not the current one.
func (s *Service) RevokeRefresh(ctx context.Context, token string) error {
	sessionID, generation, ok := parseRefresh(token)
	if !ok {
		return ErrRefresh
	}
	n, _, err := byID(ctx, s.db, sessionID)
	if errors.Is(err, ErrUnknown) || err == nil && !authentic(s.refreshKey, n, generation, token) {
		return ErrRefresh
	}
	if err != nil {
		return err
	}
	from := database.OriginOf(ctx)
	n.Sign(from)
	return s.Revoke(ctx, n.UserID, n.ID, SignedOut)
}

// RevokeAll ends every session of a person but the one with the id except, and says how many.
func (s *Service) RevokeAll(ctx context.Context, userID, except string, why Reason) (n int, err error) {
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		n, err = RevokeAll(tx, userID, except, why)
		return err
	})
	return n, err
}

// RevokeAll ends every session of a person but one, and their trust in every device, as part of a change that makes them unsafe.
func RevokeAll(tx *database.Tx, userID, except string, why Reason) (int, error) {
	gone, err := remove(tx, allOf(userID, except))
	if err != nil {
		return 0, err
	}
	tell(tx, gone, why)
	return len(gone), knowndevice.Distrust(tx, userID)
}

func end(tx *database.Tx, why Reason, which chosen) error {
	gone, err := remove(tx, which)
	tell(tx, gone, why)
	return err
}

func tell(tx *database.Tx, gone []ended, why Reason) {
	for _, e := range gone {
		tx.Emit(Revoked{UserID: e.UserID, SessionID: e.ID, Reason: why, AgeSeconds: int64(tx.Now.Sub(e.CreatedAt).Seconds())})
	}
}

// Switch has a session work in another organization, or with "" in none. Whether its person belongs there is asked whenever it
// matters, so one who leaves need not be switched back.
func (s *Service) Switch(ctx context.Context, userID, sessionID, orgID string) error {
	return s.db.Write(ctx, func(tx *database.Tx) error {
		n, err := setOrg(tx, userID, sessionID, orgID)
		if err == nil && n == 0 {
			return ErrNone
		}
		tx.Emit(OrgSwitched{UserID: userID, SessionID: sessionID, OrgID: orgID})
		return err
	}, database.ReadCommitted) // one conditional write
}

// Fresh reports whether the person of a session proved less than most ago that it is them. What memory does not know yet, another
// server may have written.
func (s *Service) Fresh(ctx context.Context, l *Live, most time.Duration) (bool, error) {
	if l.Session.Fresh(s.db.Now(), most) {
		return true, nil
	}
	n, _, err := byID(ctx, s.db, l.Session.ID)
	return err == nil && n.Fresh(s.db.Now(), most), err
}

// Raised reports whether a second factor was shown in a session by now. What memory does not know yet, another server may have written.
func (s *Service) Raised(ctx context.Context, l *Live) (bool, error) {
	n, _, err := byID(ctx, s.db, l.Session.ID)
	return err == nil && n.MFA(), err
}

// Prove notes that the person of a session proved again that it is them, as part of the change that consumes the proof.
func Prove(tx *database.Tx, userID, sessionID, method string) error {
	n, err := setProved(tx, userID, sessionID)
	if err == nil && n == 0 {
		return ErrUnknown
	}
	tx.Emit(Proved{UserID: userID, SessionID: sessionID, Method: method})
	return err
}

// Raise notes that a second factor was shown or set up in a session, as part of the change that did it. The words say how (RFC 8176).
func Raise(tx *database.Tx, userID, sessionID string, words ...string) error {
	n, _, err := byID(tx.Context(), tx, sessionID)
	if err == nil && n.UserID != userID {
		err = ErrUnknown
	}
	if err != nil {
		return err
	}
	for _, word := range append(words, "mfa") {
		if !slices.Contains(n.AMR, word) {
			n.AMR = append(n.AMR, word)
		}
	}
	return setAMR(tx, sessionID, n.AMR)
}

// Alive refuses what a session began that has ended since, as part of the change that would complete it.
func Alive(tx *database.Tx, userID, sessionID string) error {
	n, _, err := byID(tx.Context(), tx, sessionID)
	if err == nil && (n.UserID != userID || !tx.Now.Before(n.ExpiresAt)) {
		return ErrUnknown
	}
	return err
}
