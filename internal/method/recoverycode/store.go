package recoverycode

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type row struct {
	UserID    string    `db:"user_id"`
	Hash      []byte    `db:"hash"`
	CreatedAt time.Time `db:"created_at"`
}

func insert(tx *database.Tx, userID string, hash []byte) error {
	return database.Insert(tx, "recovery_codes", row{userID, hash, tx.Now})
}

// spend uses a code up. Of several that try, one succeeds.
func spend(tx *database.Tx, userID string, hash []byte) (bool, error) {
	n, err := tx.Exec(`DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2`, userID, hash)
	return n == 1, err
}

func removeAll(tx *database.Tx, userID string) (int64, error) {
	return tx.Exec(`DELETE FROM recovery_codes WHERE user_id = $1`, userID)
}

func left(ctx context.Context, q database.Querier, userID string) (int64, error) {
	return database.One[int64](ctx, q, `SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1`, userID)
}
