package session

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/redis"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

// shared are copies in Redis, for servers that have not read a session themselves yet. A copy is sealed, says up to which event its reader had
// heard of everything, and is believed while the news say so.
type shared struct {
	redis *redis.Client
	box   *secret.Box
	news  *news
}

type sharedCopy struct {
	Place   database.Cursor
	Until   time.Time
	Session Session
	User    user.User
}

// newShared is nil where there is no Redis.
func newShared(r *redis.Client, box *secret.Box, n *news) *shared {
	if r == nil {
		return nil
	}
	return &shared{redis: r, box: box, news: n}
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
	if json.Unmarshal(plain, &c) != nil || !s.news.holds(c.User.ID, c.Place) {
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
