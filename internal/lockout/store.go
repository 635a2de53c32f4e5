package lockout

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/knowndevice"
)

type row struct {
	About       string     `db:"about"`
	Failures    int64      `db:"failures"`
	CountedAt   time.Time  `db:"counted_at"`
	LockedUntil *time.Time `db:"locked_until"`
	Opened      int64      `db:"opened"`
}

// at is what is left of it now.
func (r row) at(now time.Time) row {
	if !r.CountedAt.After(now.Add(-memory)) {
		r.Failures = 0
	}
	if r.LockedUntil != nil && !r.LockedUntil.After(now) {
		r.LockedUntil = nil
	}
	return r
}

// found is how an account stands for a device: for one that its person is known on, how that device stands.
type found struct {
	Device      *string    `db:"id"`
	Failures    *int64     `db:"failures"`
	CountedAt   *time.Time `db:"counted_at"`
	LockedUntil *time.Time `db:"locked_until"`
	Opened      *int64     `db:"opened"`
}

func standing(ctx context.Context, q database.Querier, about string, device []byte, since time.Time) (deviceID string, r row, err error) {
	f, err := database.One[found](ctx, q, `SELECT d.id, l.failures, l.counted_at, l.locked_until, l.opened FROM (SELECT 1 AS one) o `+knowndevice.Join+
		` LEFT JOIN lockouts l ON l.about = COALESCE(d.id, $1)`, about, device, since)
	if f.Device != nil {
		deviceID = *f.Device
	}
	if f.Failures != nil {
		r = row{about, *f.Failures, *f.CountedAt, f.LockedUntil, *f.Opened}
	}
	return deviceID, r, err
}

// count counts a wrong answer and says how many there are. Those of long ago are forgotten.
func count(tx *database.Tx, about string, since time.Time) (int64, error) {
	return database.One[int64](tx.Context(), tx, `INSERT INTO lockouts (about, failures, counted_at, opened) VALUES ($1, 1, $2, 0)
		ON CONFLICT (about) DO UPDATE SET failures = CASE WHEN lockouts.counted_at > $3 THEN lockouts.failures + 1 ELSE 1 END, counted_at = excluded.counted_at
		RETURNING failures`, about, tx.Now, since)
}

func lock(tx *database.Tx, about string, until time.Time) error {
	_, err := tx.Exec(`UPDATE lockouts SET locked_until = $2 WHERE about = $1`, about, until)
	return err
}

func forget(tx *database.Tx, about string) error {
	_, err := tx.Exec(`UPDATE lockouts SET failures = 0, locked_until = NULL WHERE about = $1`, about)
	return err
}

// open forgets the wrong answers at an account and on the devices its person is known on, and has tries be counted anew in memory too, on every server. It reports whether there was anything.
func open(tx *database.Tx, userID string) (bool, error) {
	n, err := tx.Exec(`UPDATE lockouts SET failures = 0, locked_until = NULL, opened = opened + 1
		WHERE (about = $1 OR about IN (SELECT id FROM known_devices WHERE user_id = $1)) AND failures > 0`, userID)
	return n > 0, err
}

func between(ctx context.Context, q database.Querier, least, most string) ([]row, error) {
	return database.All[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM lockouts WHERE about >= $1 AND about <= $2`, least, most)
}

func removeOld(tx *database.Tx, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM lockouts WHERE about IN (SELECT about FROM lockouts WHERE counted_at <= $1 AND (locked_until IS NULL OR locked_until <= $2)
		ORDER BY counted_at LIMIT $3)`, tx.Now.Add(-memory), tx.Now, limit)
}
