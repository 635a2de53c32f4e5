package webhook

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type row struct {
	ID          string     `db:"id"`
	URL         string     `db:"url"`
	Description string     `db:"description"`
	Kinds       string     `db:"kinds"` // with spaces between
	Format      Format     `db:"format"`
	Secret      []byte     `db:"secret"`
	OldSecret   []byte     `db:"old_secret"`
	OldUntil    *time.Time `db:"old_until"`
	Paused      Pause      `db:"paused"`
	CreatedBy   string     `db:"created_by"`
	CreatedAt   time.Time  `db:"created_at"`
	UpdatedAt   time.Time  `db:"updated_at"`
}

// health is how the sink of a webhook stands.
type health struct {
	Failures     int64      `db:"failures"`
	FailingSince *time.Time `db:"failing_since"`
	Reply        string     `db:"reply"`
}

type both struct {
	row
	health
}

func (b both) webhook() Webhook {
	return Webhook{b.ID, b.URL, b.Description, strings.Fields(b.Kinds), b.Format, b.Paused, b.OldUntil, b.CreatedBy, b.CreatedAt, b.UpdatedAt, b.Failures, b.FailingSince, b.Reply}
}

const selected = `SELECT w.id, w.url, w.description, w.kinds, w.format, w.secret, w.old_secret, w.old_until, w.paused, w.created_by, w.created_at, w.updated_at,
	s.failures, s.failing_since, s.reply FROM webhooks w JOIN event_sinks s ON s.name = w.id `

func byID(ctx context.Context, q database.Querier, id string) (both, error) {
	b, err := database.One[both](ctx, q, selected+`WHERE w.id = $1`, id)
	if errors.Is(err, database.ErrNone) {
		err = ErrNone
	}
	return b, err
}

func all(ctx context.Context, q database.Querier) ([]both, error) {
	return database.All[both](ctx, q, selected+`ORDER BY w.id DESC`)
}

func count(tx *database.Tx) (int64, error) {
	return database.One[int64](tx.Context(), tx, `SELECT COUNT(*) FROM webhooks`)
}

// working are those that are not paused, nor left alone for a while.
func working(ctx context.Context, q database.Querier, now time.Time) ([]both, error) {
	return database.All[both](ctx, q, selected+`WHERE w.paused = '' AND s.due_at <= $1`, now)
}

// earliest is the place of the webhook that is furthest behind, of those that are not paused.
func earliest(ctx context.Context, q database.Querier) (place database.Cursor, found bool, err error) {
	type at struct {
		Tx  int64 `db:"tx"`
		Seq int64 `db:"seq"`
	}
	list, err := database.All[at](ctx, q, `SELECT s.tx, s.seq FROM event_sinks s JOIN webhooks w ON w.id = s.name WHERE w.paused = '' ORDER BY s.tx, s.seq LIMIT 1`)
	if len(list) == 0 {
		return place, false, err
	}
	return database.Cursor(list[0]), true, err
}

func save(tx *database.Tx, r row) error {
	_, err := tx.Exec(`UPDATE webhooks SET url = $2, description = $3, kinds = $4, secret = $5, old_secret = $6, old_until = $7, paused = $8, updated_at = $9, format = $10 WHERE id = $1`,
		r.ID, r.URL, r.Description, r.Kinds, r.Secret, r.OldSecret, r.OldUntil, r.Paused, tx.Now, r.Format)
	return err
}

// rest pauses a webhook that is not.
func rest(tx *database.Tx, id string, why Pause) (bool, error) {
	n, err := tx.Exec(`UPDATE webhooks SET paused = $2, updated_at = $3 WHERE id = $1 AND paused = ''`, id, why, tx.Now)
	return n == 1, err
}

func remove(tx *database.Tx, id string) (bool, error) {
	n, err := tx.Exec(`DELETE FROM webhooks WHERE id = $1`, id)
	return n == 1, err
}

// post is a delivery as its table keeps it.
type post struct {
	ID        string     `db:"id"`
	WebhookID string     `db:"webhook_id"`
	EventID   string     `db:"event_id"`
	Tx        int64      `db:"tx"`
	Seq       int64      `db:"seq"`
	At        time.Time  `db:"at"`
	Kind      string     `db:"kind"`
	Subject   string     `db:"subject"`
	State     State      `db:"state"`
	Tries     int64      `db:"tries"`
	DueAt     time.Time  `db:"due_at"`
	Status    int64      `db:"status"`
	TookMs    int64      `db:"took_ms"`
	Reply     string     `db:"reply"`
	CreatedAt time.Time  `db:"created_at"`
	TriedAt   *time.Time `db:"tried_at"`
	EndedAt   *time.Time `db:"ended_at"`
}

func (p post) place() database.Cursor { return database.Cursor{Tx: p.Tx, Seq: p.Seq} }

func (p post) delivery() Delivery {
	d := Delivery{p.ID, p.WebhookID, p.EventID, p.Kind, p.Subject, p.At, p.State, p.Tries, p.Status, time.Duration(p.TookMs) * time.Millisecond, p.Reply, p.CreatedAt, p.TriedAt, nil, p.EndedAt}
	if p.State == Waiting {
		d.DueAt = &p.DueAt
	}
	return d
}

func insert(tx *database.Tx, p post) error { return database.Insert(tx, "webhook_deliveries", p) }

// waiting are the deliveries that have not ended, in the order of their events.
func waiting(ctx context.Context, q database.Querier, webhookID string, limit int) ([]post, error) {
	return database.All[post](ctx, q, `SELECT `+database.Columns[post]()+` FROM webhook_deliveries WHERE webhook_id = $1 AND state = 'waiting' ORDER BY tx, seq, id LIMIT $2 + 0`, webhookID, limit)
}

func history(ctx context.Context, q database.Querier, webhookID string, only State, after string, limit int) ([]post, error) {
	return database.All[post](ctx, q, `SELECT `+database.Columns[post]()+` FROM webhook_deliveries WHERE webhook_id = $1 AND (CAST($2 AS TEXT) = '' OR state = $2)
		AND (CAST($3 AS TEXT) = '' OR id < $3) ORDER BY id DESC LIMIT $4 + 0`, webhookID, only, after, limit)
}

func deliveryByID(ctx context.Context, q database.Querier, webhookID, id string) (post, error) {
	p, err := database.One[post](ctx, q, `SELECT `+database.Columns[post]()+` FROM webhook_deliveries WHERE id = $1 AND webhook_id = $2`, id, webhookID)
	if errors.Is(err, database.ErrNone) {
		err = ErrNoDelivery
	}
	return p, err
}

// tried notes what became of a try, unless the delivery has ended meanwhile.
func tried(tx *database.Tx, p post) error {
	_, err := tx.Exec(`UPDATE webhook_deliveries SET state = $2, tries = $3, due_at = $4, status = $5, took_ms = $6, reply = $7, tried_at = $8, ended_at = $9 WHERE id = $1 AND state = 'waiting'`,
		p.ID, p.State, p.Tries, p.DueAt, p.Status, p.TookMs, p.Reply, tx.Now, p.EndedAt)
	return err
}

// again has a delivery that has ended tried as if for the first time.
func again(tx *database.Tx, webhookID, id string) (bool, error) {
	n, err := tx.Exec(`UPDATE webhook_deliveries SET state = 'waiting', tries = 0, due_at = $3, ended_at = NULL WHERE id = $1 AND webhook_id = $2 AND state <> 'waiting'`, id, webhookID, tx.Now)
	return n == 1, err
}

// hurry has everything that waits tried now.
func hurry(tx *database.Tx, webhookID string) error {
	_, err := tx.Exec(`UPDATE webhook_deliveries SET due_at = $2 WHERE webhook_id = $1 AND state = 'waiting' AND due_at > $2`, webhookID, tx.Now)
	return err
}

// drop forgets what waits of a webhook, since everything is read from the events again.
func drop(tx *database.Tx, webhookID string, after database.Cursor) error {
	_, err := tx.Exec(`DELETE FROM webhook_deliveries WHERE webhook_id = $1 AND state = 'waiting' AND (tx > $2 OR tx = $2 AND seq > $3)`, webhookID, after.Tx, after.Seq)
	return err
}

// removeEnded deletes at most limit deliveries that ended before a time.
func removeEnded(tx *database.Tx, ended time.Time, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE ended_at < $1 LIMIT $2 + 0)`, ended, limit)
}

// backlogRow is how many deliveries wait, of when the oldest of their events is, and how many were parked since a time.
type backlogRow struct {
	Waiting int64      `db:"waiting"`
	Oldest  *time.Time `db:"oldest"`
	Parked  int64      `db:"parked"`
	Failing int64      `db:"failing"`
	Stopped int64      `db:"stopped"`
}

func backlog(ctx context.Context, q database.Querier, since time.Time) (backlogRow, error) {
	return database.One[backlogRow](ctx, q, `SELECT COUNT(*), MIN(d.at), (SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'parked' AND ended_at > $1),
		(SELECT COUNT(*) FROM webhooks w JOIN event_sinks s ON s.name = w.id WHERE w.paused = '' AND s.failures > 0),
		(SELECT COUNT(*) FROM webhooks WHERE paused IN ('gone', 'failing'))
		FROM webhook_deliveries d JOIN webhooks v ON v.id = d.webhook_id WHERE d.state = 'waiting' AND v.paused = ''`, since)
}
