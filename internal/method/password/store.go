package password

import (
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type row struct {
	UserID    string    `db:"user_id"`
	Hash      string    `db:"hash"`
	ChangedAt time.Time `db:"changed_at"`
}

// hashOf is the stored hash of a person, "" when there is none.
func hashOf(ctx context.Context, q database.Querier, userID string) (string, error) {
	h, err := database.One[string](ctx, q, `SELECT hash FROM passwords WHERE user_id = $1`, userID)
	if errors.Is(err, database.ErrNone) {
		return "", nil
	}
	return h, err
}

// Has reports whether a person has a password.
func Has(ctx context.Context, q database.Querier, userID string) (bool, error) {
	hash, err := hashOf(ctx, q, userID)
	return hash != "", err
}

// Stored is the stored hash of a person, "" when there is none: for a copy of everything that another server is to go on with.
func Stored(ctx context.Context, q database.Querier, userID string) (string, error) {
	return hashOf(ctx, q, userID)
}

// Import stores a hash that was made elsewhere, of a format that secret.Known accepts, as part of the change that makes its person.
func Import(tx *database.Tx, userID, hash string) error { return insert(tx, userID, hash) }

func insert(tx *database.Tx, userID, hash string) error {
	return database.Insert(tx, "passwords", row{userID, hash, tx.Now})
}

// first stores a password of somebody who has none. Of several that try, one succeeds.
func first(tx *database.Tx, userID, hash string) (bool, error) {
	n, err := tx.Exec(`INSERT INTO passwords (user_id, hash, changed_at) VALUES ($1, $2, $3) ON CONFLICT (user_id) DO NOTHING`, userID, hash, tx.Now)
	return n == 1, err
}

func set(tx *database.Tx, userID, hash string) error {
	_, err := tx.Exec(`INSERT INTO passwords (user_id, hash, changed_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at`, userID, hash, tx.Now)
	return err
}

func remove(tx *database.Tx, userID string) (int64, error) {
	return tx.Exec(`DELETE FROM passwords WHERE user_id = $1`, userID)
}

// replace stores a new hash if the old one is still there, and says whether it was.
func replace(tx *database.Tx, userID, old, hash string, changedAt *time.Time) (bool, error) {
	n, err := tx.Exec(`UPDATE passwords SET hash = $3, changed_at = COALESCE(CAST($4 AS BIGINT), changed_at) WHERE user_id = $1 AND hash = $2`, userID, old, hash, changedAt)
	return n == 1, err
}
