package database

import (
	"context"
	"database/sql"
)

// AllOrgs is the scope of what belongs to no single organization: whoever reads so may not show what it finds to one.
const AllOrgs = "*"

// snapshot is one moment of the store.
type snapshot struct {
	tx     *sql.Tx
	engine string
}

func (s snapshot) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	done := traced(ctx, s.engine, text)
	rows, err := s.tx.QueryContext(ctx, text, args...)
	done(err)
	return rows, err
}

// Read runs f on one snapshot: every statement in it sees the same moment, whatever is committed meanwhile. Of the rows that
// belong to an organization it sees those of org, or with AllOrgs all; on Postgres the store itself holds that.
func (d *DB) Read(ctx context.Context, org string, f func(q Querier) error) error {
	d.asked.Add(1)
	opt := &sql.TxOptions{ReadOnly: true}
	if d.engine.name == postgresName {
		opt.Isolation = sql.LevelRepeatableRead
	}
	tx, err := d.read.BeginTx(ctx, opt)
	if err != nil {
		return unavailable(err)
	}
	defer func() { _ = tx.Rollback() }()
	if d.engine.name == postgresName {
		if _, err := tx.ExecContext(ctx, enter, org); err != nil {
			return unavailable(err)
		}
	}
	return unavailable(f(snapshot{tx, d.engine.name}))
}

// enter is what the policies of row-level security go by. It ends with the transaction, so a pooler may hand the connection on.
const enter = `SELECT set_config('admit.org', $1, true)`

// Enter has the change see and touch the rows of one organization from here on, or with AllOrgs of all. Before it, there are
// none on Postgres.
func (tx *Tx) Enter(org string) error {
	if tx.engine != postgresName || tx.org == org {
		return nil
	}
	tx.org = org
	if tx.failed != nil {
		return tx.failed
	}
	_, tx.failed = tx.run.ExecContext(tx.ctx, enter, org)
	return tx.failed
}
