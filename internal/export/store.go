package export

import (
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type row struct {
	ID        string    `db:"id"`
	UserID    string    `db:"user_id"`
	State     State     `db:"state"`
	Done      int64     `db:"done"`
	Total     int64     `db:"total"`
	Tries     int64     `db:"tries"`
	DueAt     time.Time `db:"due_at"`
	CreatedAt time.Time `db:"created_at"`
	ExpiresAt time.Time `db:"expires_at"`
}

func (r row) export() Export {
	return Export{r.ID, r.State, r.Done, r.Total, r.CreatedAt, r.ExpiresAt}
}

// of is the export of a person that has not run out.
func of(ctx context.Context, q database.Querier, userID string, now time.Time) (row, error) {
	r, err := database.One[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM exports WHERE user_id = $1 AND expires_at > $2`, userID, now)
	if errors.Is(err, database.ErrNone) {
		err = ErrNotFound
	}
	return r, err
}

// begin has an export take the place of the one before.
func begin(tx *database.Tx, r row) error {
	if _, err := tx.Exec(`DELETE FROM exports WHERE user_id = $1`, r.UserID); err != nil {
		return err
	}
	return database.Insert(tx, "exports", r)
}

// place is where an export stands in the queue.
type place struct {
	ID    string    `db:"id"`
	DueAt time.Time `db:"due_at"`
}

// waiting are the exports that are due first, also those that are not due yet: somebody may be at them.
func waiting(ctx context.Context, q database.Querier, limit int) ([]place, error) {
	return database.All[place](ctx, q, `SELECT id, due_at FROM exports WHERE state = 'running' ORDER BY due_at LIMIT $1 + 0`, limit)
}

// claim takes an export for as long as until, if nobody else has: of several that try, one finds it as it was.
func claim(tx *database.Tx, p place, until time.Time) ([]row, error) {
	return database.All[row](tx.Context(), tx, `UPDATE exports SET due_at = $3, tries = tries + 1 WHERE id = $1 AND state = 'running' AND due_at = $2
		RETURNING `+database.Columns[row](), p.ID, p.DueAt, until)
}

// hold keeps a claimed export until another time, with what is done of it. It says whether the claim still held.
func hold(tx *database.Tx, r row, until time.Time) (bool, error) {
	n, err := tx.Exec(`UPDATE exports SET due_at = $3, done = $4, total = $5 WHERE id = $1 AND state = 'running' AND due_at = $2`, r.ID, r.DueAt, until, r.Done, r.Total)
	return n == 1, err
}

// end closes a claimed export. It says whether the claim still held.
func end(tx *database.Tx, r row, as State, expires time.Time) (bool, error) {
	n, err := tx.Exec(`UPDATE exports SET state = $3, expires_at = $4, done = $5 WHERE id = $1 AND state = 'running' AND due_at = $2`, r.ID, r.DueAt, as, expires, r.Done)
	return n == 1, err
}

type fileRow struct {
	Export  string `db:"export_id"`
	Name    string `db:"name"`
	Content []byte `db:"content"`
}

// put keeps a file of an export, in place of one that was made before whoever made it died.
func put(tx *database.Tx, f fileRow) error {
	_, err := tx.Exec(`INSERT INTO export_files (export_id, name, content) VALUES ($1, $2, $3) ON CONFLICT (export_id, name) DO UPDATE SET content = excluded.content`, f.Export, f.Name, f.Content)
	return err
}

func names(ctx context.Context, q database.Querier, exportID string) ([]string, error) {
	return database.All[string](ctx, q, `SELECT name FROM export_files WHERE export_id = $1 ORDER BY name`, exportID)
}

func content(ctx context.Context, q database.Querier, exportID, name string) ([]byte, error) {
	return database.One[[]byte](ctx, q, `SELECT content FROM export_files WHERE export_id = $1 AND name = $2`, exportID, name)
}

func removeExpired(tx *database.Tx, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM exports WHERE id IN (SELECT id FROM exports WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 + 0)`, tx.Now, limit)
}
