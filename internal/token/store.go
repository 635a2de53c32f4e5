package token

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type keyRow struct {
	ID        string    `db:"id"`
	Algorithm string    `db:"algorithm"`
	Public    string    `db:"public"`  // JWK
	Private   []byte    `db:"private"` // PKCS #8, sealed
	CreatedAt time.Time `db:"created_at"`
	ActiveAt  time.Time `db:"active_at"`
}

// keyRows reads every key, the one that became active last first.
func keyRows(ctx context.Context, q database.Querier) ([]keyRow, error) {
	return database.All[keyRow](ctx, q, `SELECT `+database.Columns[keyRow]()+` FROM signing_keys ORDER BY active_at DESC, id DESC`)
}

func insertKey(tx *database.Tx, r keyRow) error { return database.Insert(tx, "signing_keys", r) }

func deleteKey(tx *database.Tx, id string) (int64, error) {
	return tx.Exec(`DELETE FROM signing_keys WHERE id = $1`, id)
}
