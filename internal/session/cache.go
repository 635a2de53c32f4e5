package session

import (
	"sync"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/admit-dev/admit/internal/database"
)

// key is the SHA-256 of a credential.
type key [32]byte

// cache remembers which credentials are valid. An entry is dropped, never trusted, when anything is told of its person.
type cache struct {
	fresh   func() bool // whether we hear of every change
	entries *otter.Cache[key, *Live]
	news    *news         // nil where nobody else makes copies
	epoch   atomic.Uint64 // moves with every invalidation

	mu     sync.Mutex
	byUser map[string][]key
}

func newCache(size int, fresh func() bool, n *news) *cache {
	c := &cache{fresh: fresh, news: n, byUser: map[string][]key{}}
	if size == 0 {
		return c
	}
	c.entries = otter.Must(&otter.Options[key, *Live]{
		MaximumSize: size,
		OnDeletion: func(e otter.DeletionEvent[key, *Live]) {
			if e.WasEvicted() {
				c.unlink(e.Value.User.ID, e.Key)
			}
		},
	})
	return c
}

func (c *cache) get(k key) *Live {
	if c.entries == nil || !c.fresh() {
		return nil
	}
	l, _ := c.entries.GetIfPresent(k)
	return l
}

// put remembers l, unless something was invalidated since epoch: the row it was read from may be older than that.
func (c *cache) put(k key, l *Live, epoch uint64) {
	if c.entries == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch.Load() != epoch {
		return
	}
	if _, added := c.entries.Set(k, l); !added {
		return
	}
	c.byUser[l.User.ID] = append(c.byUser[l.User.ID], k)
}

func (c *cache) drop(k key, l *Live) {
	c.entries.Invalidate(k)
	c.unlink(l.User.ID, k)
}

// unlink forgets whose k was, unless k is remembered anew: an entry nobody finds by its person could not be dropped.
func (c *cache) unlink(userID string, k key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, back := c.entries.GetEntryQuietly(k); back {
		return
	}
	keys := c.byUser[userID]
	for i := range keys {
		if keys[i] == k {
			keys[i] = keys[len(keys)-1]
			keys = keys[:len(keys)-1]
			break
		}
	}
	if len(keys) == 0 {
		delete(c.byUser, userID)
	} else {
		c.byUser[userID] = keys
	}
}

// harmless are the events about a person after which everything remembered of them is still true. Any other, also one that
// is not invented yet, is a reason to look again.
var harmless = map[string]bool{"session.created": true, "token.refreshed": true, "login.succeeded": true, "login.failed": true, "login.proof_failed": true, "password.change_failed": true, "user.created": true, "identity.used": true,
	"account.locked": true, "risk.detected": true, "account.unlocked": true, "device.added": true, "device.trusted": true, "device.distrusted": true, "device.forgotten": true,
	"message.queued": true, "message.sent": true, "message.failed": true}

// heard forgets everybody of whom something was told.
func (c *cache) heard(list []database.Record) {
	for _, r := range list {
		if r.Subject == "" || harmless[r.Kind] {
			continue
		}
		if c.news != nil {
			c.news.heard(r)
		}
		if c.entries == nil {
			continue
		}
		c.mu.Lock()
		c.epoch.Add(1)
		for _, k := range c.byUser[r.Subject] {
			c.entries.Invalidate(k)
		}
		delete(c.byUser, r.Subject)
		c.mu.Unlock()
	}
}
