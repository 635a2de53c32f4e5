package database

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/id"
)

// Record is an event as it is stored: what happened, to whom, by whom, from where, and how it ended.
type Record struct {
	ID        string
	At        time.Time
	Kind      string
	Subject   string // the id it is about
	Outcome   string // success or failure
	Origin    Origin
	Data      json.RawMessage
	Cursor    Cursor // where it stands in the order of commits; zero in AfterCommit
	Unsettled bool   // an event that is earlier in the order may still appear
}

// Cursor is a place in the order of events. The zero Cursor is before all of them.
type Cursor struct {
	Tx  int64 `db:"tx"`
	Seq int64 `db:"seq"`
}

// String gives the cursor in the form ParseCursor reads.
func (c Cursor) String() string { return fmt.Sprintf("%d.%d", c.Tx, c.Seq) }

// Before reports whether c stands before other.
func (c Cursor) Before(other Cursor) bool {
	return c.Tx < other.Tx || c.Tx == other.Tx && c.Seq < other.Seq
}

// ParseCursor reads what String gave.
func ParseCursor(s string) (Cursor, error) {
	a, b, ok := strings.Cut(s, ".")
	tx, err1 := strconv.ParseInt(a, 10, 64)
	seq, err2 := strconv.ParseInt(b, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return Cursor{}, fmt.Errorf("database: %q is no event cursor", s)
	}
	return Cursor{tx, seq}, nil
}

// EventRow is an event as its table keeps it, but for its place.
type EventRow struct {
	ID        string    `db:"id"`
	At        time.Time `db:"at"`
	Kind      string    `db:"kind"`
	Subject   string    `db:"subject"`
	Outcome   string    `db:"outcome"`
	Actor     string    `db:"actor"`
	Session   string    `db:"session_id"`
	Org       string    `db:"org_id"`
	IP        string    `db:"ip"`
	UserAgent string    `db:"user_agent"`
	RequestID string    `db:"request_id"`
	Data      string    `db:"data"`
}

func newRecord(e Event, from Origin, now time.Time, data string) Record {
	r := Record{ID: id.New("evt"), At: now, Kind: e.Kind(), Subject: e.Subject(), Outcome: "success", Origin: from, Data: json.RawMessage(data)}
	if in, ok := e.(Placed); ok && from.Org == "" {
		r.Origin.Org = in.Place()
	}
	if _, no := e.(Failed); no {
		r.Outcome = "failure"
	}
	return r
}

func (r Record) row() EventRow {
	o := r.Origin
	return EventRow{r.ID, r.At, r.Kind, r.Subject, r.Outcome, o.Actor, o.Session, o.Org, o.IP, o.UserAgent, o.RequestID, string(r.Data)}
}

// Record is the event that the row tells of.
func (e EventRow) Record() Record {
	return Record{ID: e.ID, At: e.At, Kind: e.Kind, Subject: e.Subject, Outcome: e.Outcome, Data: json.RawMessage(e.Data),
		Origin: Origin{Actor: e.Actor, Session: e.Session, Org: e.Org, IP: e.IP, UserAgent: e.UserAgent, RequestID: e.RequestID}}
}

type orderedEvent struct {
	Tx      int64 `db:"tx"`
	Seq     int64 `db:"seq"`
	Settled bool  `db:"settled"`
	EventRow
}

// Events reads what happened after a cursor, in the order of commits. On Postgres a transaction with an earlier place may
// commit later than one that is already visible, so the order is (transaction, sequence) and everything from the oldest
// running transaction on is Unsettled: a reader that must miss nothing stops there; one that only wants to hear soon, and
// may hear twice, reads on.
func (d *DB) Events(ctx context.Context, after Cursor, limit int) ([]Record, error) {
	text := `SELECT 0, seq, TRUE, ` + Columns[EventRow]() + ` FROM events WHERE seq > $1 ORDER BY seq LIMIT $2 + 0` // SQLite prepares a bare LIMIT $2 anew each time
	args := []any{after.Seq, limit}
	if d.engine.name == postgresName {
		text = `SELECT tx, seq, tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + admit_tx_base(), ` + Columns[EventRow]() +
			` FROM events WHERE (tx, seq) > ($1, $2) ORDER BY tx, seq LIMIT $3`
		args = []any{after.Tx, after.Seq, limit}
	}
	rows, err := All[orderedEvent](ctx, d, text, args...)
	if err != nil {
		return nil, err
	}
	list := make([]Record, len(rows))
	for i, o := range rows {
		list[i] = o.Record()
		list[i].Cursor = Cursor{o.Tx, o.Seq}
		list[i].Unsettled = !o.Settled
	}
	return list, nil
}

// LastEvent is the place of the newest settled event: where a reader begins that wants to hear only what comes.
func (d *DB) LastEvent(ctx context.Context) (Cursor, error) {
	text := `SELECT 0 AS tx, COALESCE(MAX(seq), 0) FROM events`
	if d.engine.name == postgresName {
		text = `SELECT tx, seq FROM events WHERE tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + admit_tx_base() ORDER BY tx DESC, seq DESC LIMIT 1`
	}
	at, err := One[Cursor](ctx, d, text)
	if errors.Is(err, ErrNone) {
		err = nil
	}
	return at, err
}

// PlaceBefore is the place just before the first event that was made at a time or later; that of the newest one where there is none. It reads back from
// the newest event to one that is an hour older than the time: clocks of servers differ by less, and so does how long transactions take.
func (d *DB) PlaceBefore(ctx context.Context, at time.Time) (Cursor, error) {
	text := `SELECT 0 AS tx, seq - 1 AS seq FROM events WHERE seq > COALESCE((SELECT seq FROM events WHERE at < $2 ORDER BY seq DESC LIMIT 1), 0) AND at >= $1 ORDER BY seq LIMIT 1`
	if d.engine.name == postgresName {
		text = `WITH older AS (SELECT tx, seq FROM events WHERE at < $2 ORDER BY tx DESC, seq DESC LIMIT 1)
			SELECT tx, seq - 1 AS seq FROM events WHERE at >= $1 AND (tx, seq) > (COALESCE((SELECT tx FROM older), 0), COALESCE((SELECT seq FROM older), 0)) ORDER BY tx, seq LIMIT 1`
	}
	c, err := One[Cursor](ctx, d, text, at, at.Add(-time.Hour))
	if errors.Is(err, ErrNone) {
		return d.LastEvent(ctx)
	}
	return c, err
}
