package apikey

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/user"
)

type row struct {
	ID         string     `db:"id"`
	UserID     string     `db:"user_id"`
	Hash       []byte     `db:"hash"`
	Hint       string     `db:"hint"`
	Name       string     `db:"name"`
	Scopes     string     `db:"scopes"` // with spaces between
	OrgID      string     `db:"org_id"`
	CreatedBy  string     `db:"created_by"`
	CreatedAt  time.Time  `db:"created_at"`
	ExpiresAt  *time.Time `db:"expires_at"`
	SeenAt     *time.Time `db:"seen_at"`
	ReplacedBy string     `db:"replaced_by"`
}

func (r row) key() Key {
	return Key{r.ID, r.UserID, r.Hint, r.Name, strings.Fields(r.Scopes), r.OrgID, r.CreatedBy, r.CreatedAt, r.ExpiresAt, r.SeenAt, r.ReplacedBy}
}

func insert(tx *database.Tx, k Key, hash []byte) error {
	return database.Insert(tx, "api_keys", row{k.ID, k.UserID, hash, k.Hint, k.Name, strings.Join(k.Scopes, " "), k.OrgID, k.CreatedBy, k.CreatedAt, k.ExpiresAt, k.SeenAt, k.ReplacedBy})
}

// both is a key and whose it is, in one row.
type both struct {
	row
	user.Row
}

func find(ctx context.Context, q database.Querier, where string, arg any) (Key, user.User, error) {
	b, err := database.One[both](ctx, q, `SELECT k.id, k.user_id, k.hash, k.hint, k.name, k.scopes, k.org_id, k.created_by, k.created_at, k.expires_at, k.seen_at, k.replaced_by, `+
		user.Select+` FROM api_keys k JOIN users u ON u.id = k.user_id `+user.Joins+` WHERE `+where, arg)
	if errors.Is(err, database.ErrNone) {
		err = ErrInvalid
	}
	return b.key(), b.User(), err
}

func byHash(ctx context.Context, q database.Querier, hash []byte) (Key, user.User, error) {
	return find(ctx, q, `k.hash = $1`, hash)
}

func byID(ctx context.Context, q database.Querier, id string) (Key, user.User, error) {
	return find(ctx, q, `k.id = $1`, id)
}

func keys(rows []row) []Key {
	list := make([]Key, len(rows))
	for i, r := range rows {
		list[i] = r.key()
	}
	return list
}

func listOf(ctx context.Context, q database.Querier, userID string) ([]Key, error) {
	rows, err := database.All[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM api_keys WHERE user_id = $1 ORDER BY id DESC`, userID)
	return keys(rows), err
}

func listIn(ctx context.Context, q database.Querier, orgID, userID, after string, limit int) ([]Key, error) {
	rows, err := database.All[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM api_keys WHERE org_id = $1 AND (CAST($2 AS TEXT) = '' OR user_id = $2)
		AND (CAST($3 AS TEXT) = '' OR id < $3) ORDER BY id DESC LIMIT $4`, orgID, userID, after, limit)
	return keys(rows), err
}

func count(tx *database.Tx, userID string) (int64, error) {
	return database.One[int64](tx.Context(), tx, `SELECT COUNT(*) FROM api_keys WHERE user_id = $1`, userID)
}

// replace notes which key takes the place of one that is alive, and until when the old one works. Of several that try, one succeeds.
func replace(tx *database.Tx, userID, id, by string, until time.Time) (int64, error) {
	return tx.Exec(`UPDATE api_keys SET replaced_by = $3, expires_at = CASE WHEN expires_at < $4 THEN expires_at ELSE $4 END
		WHERE id = $1 AND user_id = $2 AND replaced_by = '' AND (expires_at IS NULL OR expires_at > $5)`, id, userID, by, until, tx.Now)
}

func remove(tx *database.Tx, userID, id string) (int64, error) {
	return tx.Exec(`DELETE FROM api_keys WHERE id = $1 AND user_id = $2`, id, userID)
}

func removeAll(tx *database.Tx, userID string) ([]string, error) {
	return database.All[string](tx.Context(), tx, `DELETE FROM api_keys WHERE user_id = $1 RETURNING id`, userID)
}

func setSeen(tx *database.Tx, id string, at time.Time) error {
	_, err := tx.Exec(`UPDATE api_keys SET seen_at = $2 WHERE id = $1 AND (seen_at IS NULL OR seen_at < $2)`, id, at)
	return err
}

// removeExpired deletes at most limit keys that ran out a while ago, so that their people could see it.
func removeExpired(tx *database.Tx, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, tx.Now.Add(-shown), limit)
}
