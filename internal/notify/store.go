package notify

import (
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

// state is what has become of a message.
type state string

const (
	queued state = "queued"
	sent   state = "sent"
	caught state = "caught" // kept for the development inbox
	failed state = "failed"
	void   state = "void" // for nobody
)

type row struct {
	ID        string     `db:"id"`
	Channel   Channel    `db:"channel"`
	Template  string     `db:"template"`
	UserID    string     `db:"user_id"`
	Locale    string     `db:"locale"`
	Payload   []byte     `db:"payload"`
	State     state      `db:"state"`
	Tries     int64      `db:"tries"`
	Reply     string     `db:"reply"`
	DueAt     time.Time  `db:"due_at"`
	GiveUpAt  time.Time  `db:"give_up_at"`
	CreatedAt time.Time  `db:"created_at"`
	EndedAt   *time.Time `db:"ended_at"`
}

// voice is how somebody wants to be spoken to.
type voice struct {
	Language string `db:"language"`
	TimeZone string `db:"time_zone"`
}

// voiceOf reads it of a person. It is asked also of nobody, so that a message to nobody is as much work.
func voiceOf(tx *database.Tx, userID string) (voice, error) {
	v, err := database.One[voice](tx.Context(), tx, `SELECT language, time_zone FROM users WHERE id = $1`, userID)
	if errors.Is(err, database.ErrNone) {
		err = nil
	}
	return v, err
}

func newest(ctx context.Context, q database.Querier, only state, limit int) ([]row, error) {
	return database.All[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM deliveries WHERE (CAST($1 AS TEXT) = '' AND state <> 'void' OR state = $1) ORDER BY id DESC LIMIT $2 + 0`, only, limit)
}

func toUser(ctx context.Context, q database.Querier, userID string) ([]row, error) {
	return database.All[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM deliveries WHERE user_id = $1 AND state <> 'void' ORDER BY id DESC`, userID)
}

func byID(ctx context.Context, q database.Querier, id string) (row, error) {
	return database.One[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM deliveries WHERE id = $1`, id)
}

// place is where a message stands in the queue.
type place struct {
	ID    string    `db:"id"`
	DueAt time.Time `db:"due_at"`
}

// waiting are the messages of a channel that are due first, also those that are not due yet: somebody may be at them.
func waiting(ctx context.Context, q database.Querier, c Channel, limit int) ([]place, error) {
	return database.All[place](ctx, q, `SELECT id, due_at FROM deliveries WHERE channel = $1 AND state = 'queued' ORDER BY due_at LIMIT $2 + 0`, c, limit)
}

// claim takes a message for as long as until, if nobody else has: of several that try, one finds it as it was.
func claim(tx *database.Tx, p place, until time.Time) ([]row, error) {
	return database.All[row](tx.Context(), tx, `UPDATE deliveries SET due_at = $3 WHERE id = $1 AND state = 'queued' AND due_at = $2
		RETURNING `+database.Columns[row](), p.ID, p.DueAt, until)
}

// end closes a message, with what is left of its payload. It says whether it was open still.
func end(tx *database.Tx, id string, s state, payload []byte, tries int64, reply string) (bool, error) {
	n, err := tx.Exec(`UPDATE deliveries SET state = $2, payload = $3, tries = $4, reply = $5, ended_at = $6 WHERE id = $1 AND state = 'queued'`,
		id, s, payload, tries, reply, tx.Now)
	return n == 1, err
}

// kept is what becomes of a message that stays here.
func kept(nobody bool) state {
	if nobody {
		return void
	}
	return caught
}

// keep closes a message that stays here.
func keep(tx *database.Tx, id string, as state) (bool, error) {
	n, err := tx.Exec(`UPDATE deliveries SET state = $2, ended_at = $3 WHERE id = $1 AND state = 'queued'`, id, as, tx.Now)
	return n == 1, err
}

// giveBack lets go of a claimed message until it is due again, unless it was taken over meanwhile.
func giveBack(tx *database.Tx, claimed place, due time.Time, tries int64, reply string) error {
	_, err := tx.Exec(`UPDATE deliveries SET due_at = $3, tries = $4, reply = $5 WHERE id = $1 AND state = 'queued' AND due_at = $2`,
		claimed.ID, claimed.DueAt, due, tries, reply)
	return err
}

// overdue are messages that ran out and that nobody is at.
func overdue(ctx context.Context, q database.Querier, now time.Time, limit int) ([]row, error) {
	return database.All[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM deliveries WHERE state = 'queued' AND give_up_at <= $1 AND due_at <= $1 LIMIT $2 + 0`, now, limit)
}

func removeEnded(tx *database.Tx, before time.Time, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE ended_at < $1 OR ended_at IS NOT NULL AND state = 'void' LIMIT $2 + 0)`, before, limit)
}

// backlog are how many messages wait, since when the oldest does, and how many were given up since a time.
func backlog(ctx context.Context, q database.Querier, since time.Time) (b backlogRow, err error) {
	return database.One[backlogRow](ctx, q, `SELECT COUNT(*), MIN(created_at), (SELECT COUNT(*) FROM deliveries WHERE state = 'failed' AND ended_at > $1)
		FROM deliveries WHERE state = 'queued'`, since)
}

type backlogRow struct {
	Waiting int64      `db:"waiting"`
	Oldest  *time.Time `db:"oldest"`
	Failed  int64      `db:"failed"`
}
