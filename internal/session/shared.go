package session

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"sync"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/redis"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

// shared are copies in Redis, for servers that have not read a session themselves yet. A copy is sealed, says up to which event its reader had
// heard of everything, and is believed only by a server that has heard of everything since and of nothing that concerns it. So neither a copy
// that was written too late, nor one that was put back, brings a session back to life.
type shared struct {
	redis *redis.Client
	box   *secret.Box
	feed  *event.Feed

	mu    sync.Mutex
	since *database.Cursor // what came before is not known here
	news  map[string]*news // by person
}

// news is where the last event stands that concerns a person.
type news struct {
	at    database.Cursor
	round uint64 // of the feed, by which an event of this server that had no place yet has been told again with one
}

// remembered is how many people there may be news of.
const remembered = 100_000

type sharedCopy struct {
	Place   database.Cursor
	Until   time.Time
	Session Session
	User    user.User
}

// newShared is nil where there is no Redis.
func newShared(r *redis.Client, box *secret.Box, feed *event.Feed) *shared {
	if r == nil {
		return nil
	}
	return &shared{redis: r, box: box, feed: feed, news: map[string]*news{}}
}

func (s *shared) get(ctx context.Context, k key) *Live {
	if s == nil {
		return nil
	}
	sealed, err := s.redis.Get(ctx, name(k))
	if err != nil || sealed == nil {
		return nil
	}
	plain, err := s.box.Open(sealed, name(k))
	if err != nil {
		return nil
	}
	var c sharedCopy
	if json.Unmarshal(plain, &c) != nil || !s.holds(c) {
		return nil
	}
	l := &Live{Session: c.Session, User: c.User, until: c.Until}
	l.seen.Store(c.Session.SeenAt.UnixMicro())
	return l
}

// put shares what was read after place.
func (s *shared) put(ctx context.Context, k key, l *Live, place database.Cursor, now time.Time) {
	if s == nil {
		return
	}
	plain, err := json.Marshal(sharedCopy{place, l.until, l.Session, l.User})
	if err == nil {
		_ = s.redis.Set(ctx, name(k), s.box.Seal(plain, name(k)), l.until.Sub(now))
	}
}

func name(k key) string { return "admit:session:" + base64.RawURLEncoding.EncodeToString(k[:]) }

// here is up to where everything was heard.
func (s *shared) here() database.Cursor {
	if s == nil {
		return database.Cursor{}
	}
	return s.feed.Place()
}

func (s *shared) holds(c sharedCopy) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since == nil {
		place := s.feed.Place()
		s.since = &place
	}
	n := s.news[c.User.ID]
	return !c.Place.Before(*s.since) && (n == nil || n.round <= s.feed.Rounds() && !c.Place.Before(n.at))
}

// heard notes where what concerns a person stands.
func (s *shared) heard(r database.Record) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.news[r.Subject]
	if n == nil {
		if len(s.news) >= remembered {
			s.forget()
		}
		n = &news{}
		s.news[r.Subject] = n
	}
	if r.Cursor == (database.Cursor{}) {
		n.round = s.feed.Rounds() + 2
	}
	if n.at.Before(r.Cursor) {
		n.at = r.Cursor
	}
}

// forget drops what is known of everybody but those whose events may have no place yet, and every copy that is older than any of it.
func (s *shared) forget() {
	since := s.feed.Place()
	for id, n := range s.news {
		if n.round > s.feed.Rounds() {
			continue
		}
		if since.Before(n.at) {
			since = n.at
		}
		delete(s.news, id)
	}
	s.since = &since
}
