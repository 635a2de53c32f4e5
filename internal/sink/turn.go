package sink

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/admit-dev/admit/internal/database"
)

// Turn is a sink as this server has seen it, and once held in its hands.
type Turn struct {
	Place database.Cursor // up to where everything was taken on

	s   *Service
	row row
	mu  sync.Mutex // over row.HeldUntil
}

// Look is the sink of a name, nil when there is none.
func (s *Service) Look(ctx context.Context, name string) (*Turn, error) {
	r, found, err := byName(ctx, s.db, name)
	if err != nil || !found {
		return nil, err
	}
	return &Turn{Place: r.place(), s: s, row: r}, nil
}

// Free reports whether it may be worked at: no other server is at it, and it is not left alone for a while.
func (t *Turn) Free() bool {
	now := t.s.db.Now()
	return (t.row.Holder == t.s.me || !t.row.HeldUntil.After(now)) && !t.row.DueAt.After(now)
}

// Failures is how often it has failed since it last took anything on.
func (t *Turn) Failures() int64 { return t.row.Failures }

// FailingSince is when the first of those was; nil when there are none.
func (t *Turn) FailingSince() *time.Time { return t.row.FailingSince }

// MovedAt is when its place was written last.
func (t *Turn) MovedAt() time.Time { return t.row.MovedAt }

// Next is what comes after a place and is settled: nothing that is earlier can appear still.
func (t *Turn) Next(ctx context.Context, after database.Cursor, limit int) ([]database.Record, error) {
	list, err := t.s.db.Events(ctx, after, limit)
	for i, r := range list {
		if r.Unsettled {
			return list[:i], err
		}
	}
	return list, err
}

// Hold makes sure that this server is at the sink, for half a lease at least; ErrLost when another one is, or has been meanwhile.
func (t *Turn) Hold(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.row.Holder == t.s.me && t.row.HeldUntil.After(t.s.db.Now().Add(lease/2)) {
		return nil
	}
	var until time.Time
	err := t.s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet()
		until = tx.Now.Add(lease)
		mine, err := claim(tx, t.row.Name, t.s.me, t.Place, until)
		if err == nil && !mine {
			err = ErrLost
		}
		return err
	}, database.ReadCommitted) // the affected row decides
	if err == nil {
		t.row.Holder, t.row.HeldUntil = t.s.me, until
		t.s.held.Store(true)
	}
	return err
}

// Move says, as part of a change, that everything up to a place was taken on. It undoes the change with ErrLost when that is another server's to say.
func (t *Turn) Move(tx *database.Tx, to database.Cursor) error {
	tx.Quiet()
	mine, err := move(tx, t.row.Name, t.s.me, t.Place, to)
	if err == nil && !mine {
		err = ErrLost
	}
	return err
}

// Ill notes, as part of a change, that the sink did not take on what it was sent. It is left alone for a while: the longer, the more often that was so,
// and as long as it asked for.
func (t *Turn) Ill(tx *database.Tx, reply string, asked time.Duration) error {
	tx.Quiet()
	return ill(tx, t.row.Name, tx.Now.Add(max(pause(t.row.Failures+1), asked)), Plain(reply))
}

// longest is how much is kept of what another side said, in characters.
const longest = 300

// Plain is the beginning of what another side said, in one line.
func Plain(text string) string {
	r := []rune(strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)))
	return string(r[:min(len(r), longest)])
}
