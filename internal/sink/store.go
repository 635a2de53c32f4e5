package sink

import (
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type row struct {
	Name         string     `db:"name"`
	Tx           int64      `db:"tx"`
	Seq          int64      `db:"seq"`
	MovedAt      time.Time  `db:"moved_at"`
	Holder       string     `db:"holder"`
	HeldUntil    time.Time  `db:"held_until"`
	Failures     int64      `db:"failures"`
	FailingSince *time.Time `db:"failing_since"`
	DueAt        time.Time  `db:"due_at"`
	Reply        string     `db:"reply"`
}

func (r row) place() database.Cursor { return database.Cursor{Tx: r.Tx, Seq: r.Seq} }

func byName(ctx context.Context, q database.Querier, name string) (r row, found bool, err error) {
	r, err = database.One[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM event_sinks WHERE name = $1`, name)
	if errors.Is(err, database.ErrNone) {
		return r, false, nil
	}
	return r, err == nil, err
}

// Add begins a sink that is told of what comes after a place, unless it is there, as part of a change.
func Add(tx *database.Tx, name string, at database.Cursor) error {
	_, err := tx.Exec(`INSERT INTO event_sinks (name, tx, seq, moved_at, holder, held_until, failures, due_at, reply) VALUES ($1, $2, $3, $4, '', 0, 0, 0, '')
		ON CONFLICT (name) DO NOTHING`, name, at.Tx, at.Seq, tx.Now)
	return err
}

// Remove forgets a sink, as part of a change.
func Remove(tx *database.Tx, name string) error {
	_, err := tx.Exec(`DELETE FROM event_sinks WHERE name = $1`, name)
	return err
}

// claim takes a sink that stands where it was seen, unless another server is at it.
func claim(tx *database.Tx, name, me string, seen database.Cursor, until time.Time) (bool, error) {
	n, err := tx.Exec(`UPDATE event_sinks SET holder = $2, held_until = $3 WHERE name = $1 AND tx = $4 AND seq = $5 AND (holder = $2 OR held_until <= $6)`,
		name, me, until, seen.Tx, seen.Seq, tx.Now)
	return n == 1, err
}

func release(tx *database.Tx, me string) error {
	_, err := tx.Exec(`UPDATE event_sinks SET holder = '', held_until = 0 WHERE holder = $1`, me)
	return err
}

// move says up to where everything was taken on. It says whether it was true still that this server is at the sink, and that it stood there.
func move(tx *database.Tx, name, me string, from, to database.Cursor) (bool, error) {
	n, err := tx.Exec(`UPDATE event_sinks SET tx = $3, seq = $4, moved_at = $5 WHERE name = $1 AND holder = $2 AND tx = $6 AND seq = $7`, name, me, to.Tx, to.Seq, tx.Now, from.Tx, from.Seq)
	return n == 1, err
}

// PutBack has a sink go on after an earlier place, whoever is at it, as part of a change. One that stands there or before stays.
func PutBack(tx *database.Tx, name string, to database.Cursor) error {
	_, err := tx.Exec(`UPDATE event_sinks SET tx = $2, seq = $3, moved_at = $4 WHERE name = $1 AND (tx > $2 OR tx = $2 AND seq > $3)`, name, to.Tx, to.Seq, tx.Now)
	return err
}

// Well notes that a sink has taken something on, as part of a change.
func Well(tx *database.Tx, name string) error {
	_, err := tx.Exec(`UPDATE event_sinks SET failures = 0, failing_since = NULL, due_at = 0, reply = '' WHERE name = $1 AND failures > 0`, name)
	return err
}

func ill(tx *database.Tx, name string, due time.Time, reply string) error {
	_, err := tx.Exec(`UPDATE event_sinks SET failures = failures + 1, failing_since = COALESCE(failing_since, $2), due_at = $3, reply = $4 WHERE name = $1`, name, tx.Now, due, reply)
	return err
}
