package social

import (
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type identityRow struct {
	ID         string    `db:"id"`
	Provider   string    `db:"provider"`
	Issuer     string    `db:"issuer"`
	Subject    string    `db:"subject"`
	UserID     string    `db:"user_id"`
	Email      string    `db:"email"`
	Name       string    `db:"name"`
	Picture    string    `db:"picture"`
	Tokens     []byte    `db:"tokens"`
	CreatedAt  time.Time `db:"created_at"`
	LastUsedAt time.Time `db:"last_used_at"`
}

type tripRow struct {
	KeyHash   []byte    `db:"key_hash"`
	BoundHash []byte    `db:"bound_hash"`
	Sealed    []byte    `db:"sealed"`
	ExpiresAt time.Time `db:"expires_at"`
}

// insertIdentity refuses one that is there already: of several that try, one succeeds.
func insertIdentity(tx *database.Tx, r identityRow) error {
	err := database.Insert(tx, "identities", r)
	if database.Taken(err) {
		return ErrTaken.Because(err)
	}
	return err
}

func bySubject(ctx context.Context, q database.Querier, issuer, subject string) (identityRow, error) {
	return database.One[identityRow](ctx, q, `SELECT `+database.Columns[identityRow]()+` FROM identities WHERE issuer = $1 AND subject = $2`, issuer, subject)
}

func identityOf(ctx context.Context, q database.Querier, userID, id string) (identityRow, error) {
	r, err := database.One[identityRow](ctx, q, `SELECT `+database.Columns[identityRow]()+` FROM identities WHERE id = $1 AND user_id = $2`, id, userID)
	if errors.Is(err, database.ErrNone) {
		err = ErrNone
	}
	return r, err
}

func listOf(ctx context.Context, q database.Querier, userID string) ([]identityRow, error) {
	return database.All[identityRow](ctx, q, `SELECT `+database.Columns[identityRow]()+` FROM identities WHERE user_id = $1 ORDER BY id`, userID)
}

func used(tx *database.Tx, r identityRow) error {
	_, err := tx.Exec(`UPDATE identities SET email = $2, name = $3, picture = $4, tokens = COALESCE($5, tokens), last_used_at = $6 WHERE id = $1`,
		r.ID, r.Email, r.Name, r.Picture, r.Tokens, tx.Now)
	return err
}

func remove(tx *database.Tx, userID, id string) error {
	n, err := tx.Exec(`DELETE FROM identities WHERE id = $1 AND user_id = $2`, id, userID)
	if err == nil && n == 0 {
		return ErrNone
	}
	return err
}

func removeAll(tx *database.Tx, userID string) ([]identityRow, error) {
	return database.All[identityRow](tx.Context(), tx, `DELETE FROM identities WHERE user_id = $1 RETURNING `+database.Columns[identityRow](), userID)
}

// take takes a trip out. Of several that try, one succeeds; who comes back to another place than they left from does not.
func take(tx *database.Tx, key, bound, elsewhere []byte) (tripRow, error) {
	return database.One[tripRow](tx.Context(), tx, `DELETE FROM social_trips WHERE key_hash = $1 AND bound_hash IN ($2, $3) AND expires_at > $4 RETURNING `+database.Columns[tripRow](),
		key, bound, elsewhere, tx.Now)
}

func removeExpired(tx *database.Tx, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM social_trips WHERE key_hash IN (SELECT key_hash FROM social_trips WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, tx.Now, limit)
}
