package revocation

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

// endedSince is the data of every end of a session since a time.
func endedSince(ctx context.Context, q database.Querier, at time.Time) ([]string, error) {
	return database.All[string](ctx, q, `SELECT data FROM events WHERE kind IN ('session.revoked', 'api_key.revoked') AND at >= $1`, at)
}
