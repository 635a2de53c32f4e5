package session

import (
	"sync"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
)

// news says of a copy that was made elsewhere whether it is still true: a copy says up to which event everything is in it, and is believed only by
// a server that has heard of everything since and of nothing that concerns the person. So neither a copy that was made too late, nor one that was
// put back, nor a standby that is behind brings a session back to life.
type news struct {
	feed *event.Feed

	mu    sync.Mutex
	since *database.Cursor // what came before is not known here
	of    map[string]*latest
}

// latest is where the last event stands that concerns a person.
type latest struct {
	at    database.Cursor
	round uint64 // of the feed, by which an event of this server that had no place yet has been told again with one
}

// remembered is how many people there may be news of.
const remembered = 100_000

func newNews(feed *event.Feed) *news { return &news{feed: feed, of: map[string]*latest{}} }

// holds reports whether what is said of a person is still true, where it has everything up to a place.
func (n *news) holds(userID string, place database.Cursor) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.since == nil {
		place := n.feed.Place()
		n.since = &place
	}
	l := n.of[userID]
	return !place.Before(*n.since) && (l == nil || l.round <= n.feed.Rounds() && !place.Before(l.at))
}

// heard notes where what concerns a person stands.
func (n *news) heard(r database.Record) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.of[r.Subject]
	if l == nil {
		if len(n.of) >= remembered {
			n.forget()
		}
		l = &latest{}
		n.of[r.Subject] = l
	}
	if r.Cursor == (database.Cursor{}) {
		l.round = n.feed.Rounds() + 2
	}
	if l.at.Before(r.Cursor) {
		l.at = r.Cursor
	}
}

// forget drops what is known of everybody but those whose events may have no place yet, and every copy that is older than any of it.
func (n *news) forget() {
	since := n.feed.Place()
	for id, l := range n.of {
		if l.round > n.feed.Rounds() {
			continue
		}
		if since.Before(l.at) {
			since = l.at
		}
		delete(n.of, id)
	}
	n.since = &since
}
