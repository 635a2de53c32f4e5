package session

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
)

const (
	seenEvery  = 5 * time.Minute // how exact seen_at is; a request as such writes nothing
	sweepEvery = time.Minute
	sweepBatch = 500 // small enough that nobody waits for it
)

// touch remembers that a session is in use. The row hears of it later, at most once a minute.
func (s *Service) touch(l *Live, now time.Time) {
	at := now.UnixMicro()
	before := l.seen.Load()
	if at-before < time.Second.Microseconds() || !l.seen.CompareAndSwap(before, at) {
		return
	}
	s.mu.Lock()
	s.seen[l.Session.ID] = now
	s.mu.Unlock()
}

// lastSeen is when a session was used here after its row was written, or the zero time.
func (s *Service) lastSeen(sessionID string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[sessionID]
}

// SeenAt is when a session or a key was used last, here or as its row says.
func (s *Service) SeenAt(id string, row time.Time) time.Time {
	if at := s.lastSeen(id); at.After(row) {
		return at
	}
	return row
}

// seenAt is when a session was used last, here or as its row says.
func (s *Service) seenAt(n Session) time.Time {
	return s.SeenAt(n.ID, n.SeenAt)
}

// WriteSeen writes when sessions were used last, in one quiet change.
func (s *Service) WriteSeen(ctx context.Context) error {
	s.mu.Lock()
	seen := s.seen
	s.seen = make(map[string]time.Time, len(seen))
	s.mu.Unlock()
	if len(seen) == 0 {
		return nil
	}
	err := s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet()
		for name, at := range seen {
			set := setSeen
			if id.Valid("key", name) {
				set = s.keys.Seen
			}
			if err := set(tx, name, at); err != nil {
				return err
			}
		}
		return nil
	}, database.ReadCommitted) // each statement moves one row forward and depends on nothing else
	if err != nil {
		s.mu.Lock()
		for id, at := range seen {
			if s.seen[id].Before(at) {
				s.seen[id] = at
			}
		}
		s.mu.Unlock()
	}
	return err
}

// Sweep deletes sessions that have run out, a few at a time.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Sweep(ctx, sweepBatch, removeExpired)
}

// Run keeps the rows tidy until ctx ends.
func (s *Service) Run(ctx context.Context) {
	every := seenEvery
	if idle := s.cfg.idle(Cookie); idle > 0 {
		every = min(every, idle/4)
	}
	seen, sweep := time.NewTicker(every), time.NewTicker(sweepEvery)
	defer seen.Stop()
	defer sweep.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			_ = s.WriteSeen(last)
			return
		case <-seen.C:
			err = s.WriteSeen(ctx)
		case <-sweep.C:
			err = s.Sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("sessions could not be tidied; trying again", "err", err)
		}
	}
}
