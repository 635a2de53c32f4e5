package totp

import (
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type row struct {
	UserID       string     `db:"user_id"`
	Secret       []byte     `db:"secret"`
	LastStep     int64      `db:"last_step"`
	Pending      []byte     `db:"pending"`
	PendingUntil *time.Time `db:"pending_until"`
}

// find is what is kept of a person, empty when that is nothing.
func find(ctx context.Context, q database.Querier, userID string) (row, error) {
	r, err := database.One[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM totp_secrets WHERE user_id = $1`, userID)
	if errors.Is(err, database.ErrNone) {
		err = nil
	}
	return r, err
}

// setPending keeps a secret that waits to be confirmed, in place of another that did.
func setPending(tx *database.Tx, userID string, sealed []byte, until time.Time) error {
	_, err := tx.Exec(`INSERT INTO totp_secrets (user_id, last_step, pending, pending_until) VALUES ($1, 0, $2, $3)
		ON CONFLICT (user_id) DO UPDATE SET pending = excluded.pending, pending_until = excluded.pending_until`, userID, sealed, until)
	return err
}

// confirm makes a secret that waits the one that counts, and spends the step that showed it. Of several that try, one succeeds.
func confirm(tx *database.Tx, userID string, sealed []byte, step int64) (bool, error) {
	n, err := tx.Exec(`UPDATE totp_secrets SET secret = pending, last_step = $3, pending = NULL, pending_until = NULL
		WHERE user_id = $1 AND pending = $2 AND pending_until > $4`, userID, sealed, step, tx.Now)
	return n == 1, err
}

// spend uses a time step up. Of several that try, one succeeds.
func spend(tx *database.Tx, userID string, sealed []byte, step int64) (bool, error) {
	n, err := tx.Exec(`UPDATE totp_secrets SET last_step = $3 WHERE user_id = $1 AND secret = $2 AND last_step < $3`, userID, sealed, step)
	return n == 1, err
}

// remove forgets what is kept of a person who has an app, and says whether that was so.
// discard forgets an app, and one that waits to be confirmed. It says whether there was one that counted.
func discard(tx *database.Tx, userID string) (bool, error) {
	counted, err := remove(tx, userID)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(`DELETE FROM totp_secrets WHERE user_id = $1`, userID)
	return counted, err
}

func remove(tx *database.Tx, userID string) (bool, error) {
	n, err := tx.Exec(`DELETE FROM totp_secrets WHERE user_id = $1 AND secret IS NOT NULL`, userID)
	return n == 1, err
}

// keep stores a secret that counts already: its person showed it elsewhere.
func keep(tx *database.Tx, userID string, sealed []byte) error {
	return database.Insert(tx, "totp_secrets", row{UserID: userID, Secret: sealed})
}
