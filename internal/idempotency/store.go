package idempotency

import (
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type row struct {
	ScopeHash []byte    `db:"scope_hash"`
	BodyHash  []byte    `db:"body_hash"`
	Answer    []byte    `db:"answer"` // sealed; NULL while the request is under way
	CreatedAt time.Time `db:"created_at"`
	ExpiresAt time.Time `db:"expires_at"`
}

// take inserts r, or takes over a row that has expired or whose request was begun before stale and never ended.
func take(tx *database.Tx, r row, stale time.Time) (bool, error) {
	n, err := tx.Exec(`INSERT INTO idempotency_keys (scope_hash, body_hash, created_at, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (scope_hash) DO UPDATE SET body_hash = excluded.body_hash, answer = NULL, created_at = excluded.created_at, expires_at = excluded.expires_at
		WHERE idempotency_keys.expires_at <= $3 OR (idempotency_keys.answer IS NULL AND idempotency_keys.created_at <= $5)`,
		r.ScopeHash, r.BodyHash, r.CreatedAt, r.ExpiresAt, stale)
	return n == 1, err
}

func find(tx *database.Tx, scope []byte) (row, error) {
	return database.One[row](tx.Context(), tx, `SELECT `+database.Columns[row]()+` FROM idempotency_keys WHERE scope_hash = $1`, scope)
}

func keep(tx *database.Tx, scope, answer []byte) error {
	_, err := tx.Exec(`UPDATE idempotency_keys SET answer = $2 WHERE scope_hash = $1 AND answer IS NULL`, scope, answer)
	return err
}

func remove(tx *database.Tx, scope []byte) error {
	_, err := tx.Exec(`DELETE FROM idempotency_keys WHERE scope_hash = $1 AND answer IS NULL`, scope)
	return err
}

func removeExpired(tx *database.Tx, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM idempotency_keys WHERE scope_hash IN (SELECT scope_hash FROM idempotency_keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, tx.Now, limit)
}
