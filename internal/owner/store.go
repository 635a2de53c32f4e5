package owner

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/user"
)

type linkRow struct {
	TokenHash []byte    `db:"token_hash"`
	CreatedAt time.Time `db:"created_at"`
	ExpiresAt time.Time `db:"expires_at"`
}

func insert(tx *database.Tx, hash []byte, expires time.Time) error {
	return database.Insert(tx, "owner_links", linkRow{hash, tx.Now, expires})
}

// spend takes a link. Of several that try, one succeeds.
func spend(tx *database.Tx, hash []byte) error {
	n, err := tx.Exec(`DELETE FROM owner_links WHERE token_hash = $1 AND expires_at > $2`, hash, tx.Now)
	if err == nil && n == 0 {
		return ErrLink
	}
	return err
}

func valid(ctx context.Context, db *database.DB, hash []byte) error {
	n, err := database.One[int64](ctx, db, `SELECT COUNT(*) FROM owner_links WHERE token_hash = $1 AND expires_at > $2`, hash, db.Now())
	if err == nil && n == 0 {
		return ErrLink
	}
	return err
}

func removeExpired(tx *database.Tx) error {
	_, err := tx.Exec(`DELETE FROM owner_links WHERE expires_at <= $1`, tx.Now)
	return err
}

func missing(ctx context.Context, db *database.DB) (bool, error) {
	n, err := database.One[int64](ctx, db, `SELECT COUNT(*) FROM user_roles r JOIN users u ON u.id = r.user_id JOIN passwords p ON p.user_id = u.id
		WHERE r.role = $1 AND u.disabled_at IS NULL AND u.erase_at IS NULL`, user.SuperAdmin)
	return n == 0, err
}
