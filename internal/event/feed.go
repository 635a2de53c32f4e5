package event

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

const (
	interval = 500 * time.Millisecond // how often the feed asks
	patience = time.Second            // how old its last answer may be
	batch    = 10_000
)

// Feed hears of every event, whichever process wrote it: those of this process before the Write that wrote them returns,
// those of others within a second. It may tell of an event twice.
type Feed struct {
	db      *database.DB
	log     *slog.Logger
	mu      sync.RWMutex
	hear    []func([]database.Record)
	began   time.Time
	heardAt atomic.Int64 // since began, in nanoseconds; 0 is never
	place   atomic.Pointer[database.Cursor]
	rounds  atomic.Uint64
}

// NewFeed listens to db. It is stale until Run has had its first answer.
func NewFeed(db *database.DB, log *slog.Logger) *Feed {
	f := &Feed{db: db, log: log, began: time.Now()}
	db.AfterCommit(f.tell)
	return f
}

// Subscribe has hear called with what happened. It must be quick.
func (f *Feed) Subscribe(hear func([]database.Record)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hear = append(f.hear, hear)
}

func (f *Feed) tell(list []database.Record) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, hear := range f.hear {
		hear(list)
	}
}

// Fresh reports whether the feed has heard from the database within the last second. Nobody may trust a copy of a row
// while it has not.
func (f *Feed) Fresh() bool {
	at := f.heardAt.Load()
	return at != 0 && time.Since(f.began)-time.Duration(at) < patience
}

// Place is up to where every event was told: none that comes later has a place at it or before it. Whoever reads a row after asking sees what
// all of them did.
func (f *Feed) Place() database.Cursor {
	if p := f.place.Load(); p != nil {
		return *p
	}
	return database.Cursor{}
}

// Rounds is how often the feed has told everything there was. What is committed now was told by the time this has grown by two.
func (f *Feed) Rounds() uint64 { return f.rounds.Load() }

// Run asks for news until ctx ends. Copies of rows may be made once it has found its place; ready is called then.
func (f *Feed) Run(ctx context.Context, ready func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var cursor database.Cursor
	placed, ill := false, false
	for {
		asked := time.Since(f.began)
		var err error
		whole := true
		if !placed {
			cursor, err = f.db.LastEvent(ctx)
			if placed = err == nil; placed {
				ready()
			}
		} else {
			cursor, whole, err = f.read(ctx, cursor)
		}
		place := cursor
		f.place.Store(&place)
		if err == nil && whole {
			f.rounds.Add(1)
		}
		switch {
		case err == nil:
			f.heardAt.Store(int64(max(asked, 1)))
			ill = false
		case ctx.Err() == nil && !ill:
			f.log.Warn("the event feed has no answer from the database; nothing is cached until it has", "err", err)
			ill = true
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// read tells everything after the cursor and moves it over what is settled. whole is false where more has happened than it could tell.
func (f *Feed) read(ctx context.Context, cursor database.Cursor) (_ database.Cursor, whole bool, _ error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		list, err := f.db.Events(ctx, cursor, batch)
		if err != nil || len(list) == 0 {
			return cursor, true, err
		}
		f.tell(list)
		for _, r := range list {
			if r.Unsettled {
				return cursor, len(list) < batch, nil
			}
			cursor = r.Cursor
		}
		if len(list) < batch {
			return cursor, true, nil
		}
	}
}
