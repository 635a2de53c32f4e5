package database

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals of copying.
var (
	ErrNotEmpty = apperr.New(apperr.Conflict, "database_not_empty", "The database to be filled is not empty.")
	ErrNewer    = apperr.New(apperr.Conflict, "schema_newer", "This is of a newer Admit than this program. Use one that is as new.")
	ErrOrder    = apperr.New(apperr.Conflict, "postgres_into_sqlite", "What was in Postgres does not go into SQLite: the seals of the audit log hold the order of its commits, which SQLite has no place for.")
)

// Table is a table that is copied.
type Table struct {
	Name    string   `json:"table"`
	Columns []Column `json:"columns"`
}

// Column is a column of it. Type is TEXT, BIGINT, BOOLEAN or BYTEA; its values are string, int64, bool and []byte, or nil.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Sink takes what is copied: each table, and then its rows.
type Sink interface {
	Table(Table) error
	Row(values []any) error
}

// Count is how many rows of a table were copied, and a sum over them that does not depend on their order.
type Count struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	Sum   string `json:"sum"`
}

// Tally is a sink that counts, and passes on to another unless that is nil.
type Tally struct {
	To     Sink
	counts []Count
	sums   [][4]uint64
}

// Table begins to count a table.
func (t *Tally) Table(table Table) error {
	t.counts = append(t.counts, Count{Table: table.Name})
	t.sums = append(t.sums, [4]uint64{})
	if t.To == nil {
		return nil
	}
	return t.To.Table(table)
}

// Row counts a row of the last table: the sum grows by the SHA-256 of the row, in four parts that wrap around.
func (t *Tally) Row(values []any) error {
	text, err := json.Marshal(values)
	if err != nil {
		return err
	}
	h, n := sha256.Sum256(text), len(t.counts)-1
	for i := range t.sums[n] {
		t.sums[n][i] += binary.BigEndian.Uint64(h[8*i:])
	}
	t.counts[n].Rows++
	if t.To == nil {
		return nil
	}
	return t.To.Row(values)
}

// Counts is what was counted.
func (t *Tally) Counts() []Count {
	for i, parts := range t.sums {
		var sum []byte
		for _, part := range parts {
			sum = binary.BigEndian.AppendUint64(sum, part)
		}
		t.counts[i].Sum = hex.EncodeToString(sum)
	}
	return t.counts
}

// Dump gives every row of the store, as of one moment, to a sink: parents come before what refers to them. Servers may write
// meanwhile. progress is told of rows, and may be nil.
func (d *DB) Dump(ctx context.Context, to Sink, progress func(done, of int64)) error {
	if err := d.exact(ctx); err != nil {
		return err
	}
	list, err := tablesOf(Newest())
	if err != nil {
		return err
	}
	return d.Read(ctx, AllOrgs, func(q Querier) error {
		var done, of int64
		for _, name := range list {
			n, err := One[int64](ctx, q, `SELECT COUNT(*) FROM `+name)
			if err != nil {
				return err
			}
			of += n
		}
		for _, name := range list {
			t, err := d.columns(ctx, q, name)
			if err == nil {
				err = to.Table(t)
			}
			if err != nil {
				return err
			}
			err = d.each(ctx, q, t, func(values []any) error {
				if done++; progress != nil {
					progress(done, of)
				}
				return to.Row(values)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// exact holds that the schema is the one this program knows, no step less and none more.
func (d *DB) exact(ctx context.Context) error {
	if err := d.CheckSchema(ctx); err != nil {
		return err
	}
	all, err := d.Migrations(ctx)
	if err == nil && int64(len(all)) > Newest() {
		err = ErrNewer
	}
	return err
}

// order is the place of an event among transactions, which only Postgres keeps.
const order = "tx"

// unordered reports whether a table lacks that column.
func (d *DB) unordered(table string) bool { return table == "events" && d.engine.name == sqliteName }

// columns asks what a table has. The events of SQLite get the column that they lack: there it is 0 in everything that is sealed.
func (d *DB) columns(ctx context.Context, q Querier, name string) (Table, error) {
	text := `SELECT * FROM ` + name + ` LIMIT 0`
	if d.engine.name == postgresName { // it remembers a text for each connection, and refuses it once a step has added a column: no two are the same
		text += fmt.Sprintf(` -- %d`, d.asked.Load())
	}
	rows, err := q.query(ctx, text, nil)
	if err != nil {
		return Table{}, err
	}
	defer func() { _ = rows.Close() }()
	list, err := rows.ColumnTypes()
	if err != nil {
		return Table{}, err
	}
	t := Table{Name: name}
	if d.unordered(name) {
		t.Columns = append(t.Columns, Column{order, "BIGINT"})
	}
	for _, c := range list {
		kind := map[string]string{"INT8": "BIGINT", "INTEGER": "BIGINT", "BOOL": "BOOLEAN"}[c.DatabaseTypeName()]
		t.Columns = append(t.Columns, Column{c.Name(), cmp.Or(kind, c.DatabaseTypeName())})
	}
	return t, rows.Err()
}

// each reads every row of a table.
func (d *DB) each(ctx context.Context, q Querier, t Table, f func(values []any) error) error {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		if names[i] = c.Name; c.Name == order && d.unordered(t.Name) {
			names[i] = "0"
		}
	}
	rows, err := q.query(ctx, `SELECT `+strings.Join(names, ", ")+` FROM `+t.Name, nil)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range into {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, c := range t.Columns {
			if values[i], err = c.plain(values[i]); err != nil {
				return fmt.Errorf("database: %s.%s: %w", t.Name, c.Name, err)
			}
		}
		if err := f(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// plain is a value as both engines take it.
func (c Column) plain(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		if c.Type == "BOOLEAN" {
			return v != 0, nil
		}
		if c.Type == "BIGINT" {
			return v, nil
		}
	case bool:
		if c.Type == "BOOLEAN" {
			return v, nil
		}
	case string:
		if c.Type == "TEXT" && utf8.ValidString(v) {
			return v, nil
		}
	case []byte:
		if c.Type == "BYTEA" {
			return append([]byte{}, v...), nil // never nil, which would be NULL
		}
	}
	return nil, fmt.Errorf("a %T is no %s that can be copied", v, c.Type)
}

// Newest is the number of the newest step this program knows.
func Newest() int64 {
	all, err := steps(migrationFiles)
	if err != nil {
		panic(err) // the files are part of the program, and tested
	}
	return int64(len(all))
}
