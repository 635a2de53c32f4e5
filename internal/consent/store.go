package consent

import (
	"context"

	"github.com/admit-dev/admit/internal/database"
)

// put notes a consent, and reports 1 where that changed something.
func put(tx *database.Tx, userID string, c Consent) (int64, error) {
	return tx.Exec(`INSERT INTO consents (user_id, document, version, given_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id, document) DO UPDATE SET version = excluded.version, given_at = excluded.given_at WHERE consents.version <> excluded.version`,
		userID, c.Document, c.Version, tx.Now)
}

func one(tx *database.Tx, userID, document string) (Consent, error) {
	return database.One[Consent](tx.Context(), tx, `SELECT `+database.Columns[Consent]()+` FROM consents WHERE user_id = $1 AND document = $2`, userID, document)
}

func list(ctx context.Context, q database.Querier, userID string) ([]Consent, error) {
	return database.All[Consent](ctx, q, `SELECT `+database.Columns[Consent]()+` FROM consents WHERE user_id = $1 ORDER BY document`, userID)
}

func count(tx *database.Tx, userID string) (int64, error) {
	return database.One[int64](tx.Context(), tx, `SELECT COUNT(*) FROM consents WHERE user_id = $1`, userID)
}

// remove takes a consent back and says of which version it was.
func remove(tx *database.Tx, userID, document string) ([]string, error) {
	return database.All[string](tx.Context(), tx, `DELETE FROM consents WHERE user_id = $1 AND document = $2 RETURNING version`, userID, document)
}
