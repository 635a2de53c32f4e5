package knowndevice

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type row struct {
	ID           string     `db:"id"`
	UserID       string     `db:"user_id"`
	Hash         []byte     `db:"hash"`
	Browser      string     `db:"browser"`
	System       string     `db:"system"`
	IP           string     `db:"ip"`
	FirstSeen    time.Time  `db:"first_seen"`
	LastSeen     time.Time  `db:"last_seen"`
	TrustedUntil *time.Time `db:"trusted_until"`
}

// Join lets another store read the device in the same statement as its own row: of the person $1, by the hash $2, seen after $3.
const Join = `LEFT JOIN known_devices d ON d.user_id = $1 AND d.hash = $2 AND d.last_seen > $3`

func (r row) device(shown []byte, now time.Time) Device {
	d := Device{ID: r.ID, Browser: r.Browser, System: r.System, IP: r.IP, FirstSeen: r.FirstSeen, LastSeen: r.LastSeen, Current: shown != nil && bytes.Equal(r.Hash, shown)}
	if r.TrustedUntil != nil && r.TrustedUntil.After(now) {
		d.TrustedUntil = r.TrustedUntil
	}
	return d
}

func insert(tx *database.Tx, r row) error { return database.Insert(tx, "known_devices", r) }

func see(tx *database.Tx, n row, since time.Time) (id string, found bool, err error) {
	id, err = database.One[string](tx.Context(), tx, `UPDATE known_devices SET browser = $3, system = $4, ip = $5, last_seen = $6, trusted_until = COALESCE($7, trusted_until)
		WHERE user_id = $1 AND hash = $2 AND last_seen > $8 RETURNING id`, n.UserID, n.Hash, n.Browser, n.System, n.IP, n.LastSeen, n.TrustedUntil, since)
	if errors.Is(err, database.ErrNone) {
		return "", false, nil
	}
	return id, err == nil, err
}

// move has everybody else who is known on a device be known by its new secret.
func move(tx *database.Tx, from, to []byte, but string) error {
	_, err := tx.Exec(`UPDATE known_devices SET hash = $2 WHERE hash = $1 AND user_id <> $3`, from, to, but)
	return err
}

// first reports whether a person never signed in before. Of several sign-ins at once one is the first.
func first(tx *database.Tx, userID string) (bool, error) {
	n, err := tx.Exec(`INSERT INTO first_sign_ins (user_id, at) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING`, userID, tx.Now)
	return n == 1, err
}

// hasBefore reports whether a person ever signed in.
func hasBefore(tx *database.Tx, userID string) (bool, error) {
	_, err := database.One[string](tx.Context(), tx, `SELECT user_id FROM first_sign_ins WHERE user_id = $1`, userID)
	if errors.Is(err, database.ErrNone) {
		return false, nil
	}
	return err == nil, err
}

type seen struct {
	IP       string    `db:"ip"`
	LastSeen time.Time `db:"last_seen"`
	Known    int64     `db:"known"`
}

// lastOf is where a person signed in last, and whether they are known by a hash.
func lastOf(tx *database.Tx, userID string, hash []byte, since time.Time) (last seen, known bool, err error) {
	last, err = database.One[seen](tx.Context(), tx, `SELECT ip, last_seen, (SELECT COUNT(*) FROM known_devices WHERE user_id = $1 AND hash = $2 AND last_seen > $3) AS known
		FROM known_devices WHERE user_id = $1 AND last_seen > $3 ORDER BY last_seen DESC, id DESC LIMIT 1`, userID, hash, since)
	if errors.Is(err, database.ErrNone) {
		return seen{}, false, nil
	}
	return last, last.Known > 0, err
}

func isKnown(ctx context.Context, q database.Querier, userID string, hash []byte, since time.Time) (bool, error) {
	_, err := database.One[string](ctx, q, `SELECT id FROM known_devices WHERE user_id = $1 AND hash = $2 AND last_seen > $3`, userID, hash, since)
	if errors.Is(err, database.ErrNone) {
		return false, nil
	}
	return err == nil, err
}

func isTrusted(tx *database.Tx, userID string, hash []byte, since time.Time) (bool, error) {
	_, err := database.One[string](tx.Context(), tx, `SELECT id FROM known_devices WHERE user_id = $1 AND hash = $2 AND last_seen > $3 AND trusted_until > $4`, userID, hash, since, tx.Now)
	if errors.Is(err, database.ErrNone) {
		return false, nil
	}
	return err == nil, err
}

func list(ctx context.Context, q database.Querier, userID string, since time.Time) ([]row, error) {
	return database.All[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM known_devices WHERE user_id = $1 AND last_seen > $2 ORDER BY last_seen DESC, id DESC`, userID, since)
}

// remove forgets a device and says which. Of several that try, one is told.
func remove(tx *database.Tx, userID, id string) ([]string, error) {
	return database.All[string](tx.Context(), tx, `DELETE FROM known_devices WHERE user_id = $1 AND id = $2 RETURNING id`, userID, id)
}

func removeOf(tx *database.Tx, userID string) ([]string, error) {
	return database.All[string](tx.Context(), tx, `DELETE FROM known_devices WHERE user_id = $1 RETURNING id`, userID)
}

func distrust(tx *database.Tx, userID string) (int64, error) {
	return tx.Exec(`UPDATE known_devices SET trusted_until = NULL WHERE user_id = $1 AND trusted_until IS NOT NULL`, userID)
}

func removeOld(tx *database.Tx, since time.Time, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM known_devices WHERE id IN (SELECT id FROM known_devices WHERE last_seen <= $1 ORDER BY last_seen LIMIT $2)`, since, limit)
}
