package serviceaccount

import (
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
)

type row struct {
	ID          string     `db:"id"`
	OrgID       string     `db:"org_id"`
	Name        string     `db:"name"`
	Description string     `db:"description"`
	CreatedBy   string     `db:"created_by"`
	CreatedAt   time.Time  `db:"created_at"`
	DisabledAt  *time.Time `db:"disabled_at"`
}

const selected = `SELECT u.id, a.org_id, u.name, a.description, a.created_by, u.created_at, u.disabled_at FROM service_accounts a JOIN users u ON u.id = a.user_id `

func byID(ctx context.Context, q database.Querier, id string) (Account, error) {
	r, err := database.One[row](ctx, q, selected+`WHERE u.id = $1`, id)
	if errors.Is(err, database.ErrNone) {
		err = ErrNone
	}
	return Account(r), err
}

func list(ctx context.Context, q database.Querier, orgID, after string, limit int) ([]Account, error) {
	rows, err := database.All[row](ctx, q, selected+`WHERE a.org_id = $1 AND (CAST($2 AS TEXT) = '' OR u.id < $2) ORDER BY u.id DESC LIMIT $3`, orgID, after, limit)
	accounts := make([]Account, len(rows))
	for i, r := range rows {
		accounts[i] = Account(r)
	}
	return accounts, err
}

type ownRow struct {
	UserID      string `db:"user_id"`
	OrgID       string `db:"org_id"`
	Description string `db:"description"`
	CreatedBy   string `db:"created_by"`
}

func insert(tx *authz.Tx, a Account) error {
	return database.Insert(tx.Tx, "service_accounts", ownRow{a.ID, a.OrgID, a.Description, a.CreatedBy})
}

func describe(tx *database.Tx, a Account) error {
	_, err := tx.Exec(`UPDATE service_accounts SET description = $2 WHERE user_id = $1`, a.ID, a.Description)
	return err
}
