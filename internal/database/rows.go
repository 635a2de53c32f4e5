package database

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// Querier is what reading needs: a *DB, or the *Tx of a Write.
type Querier interface {
	query(ctx context.Context, text string, args []any) (*sql.Rows, error)
}

// plan is how a type is read from a row: the columns of its db tags, in order.
type plan struct {
	columns []string
	paths   [][]int // where the field of each column is
	text    string
	insert  string // the tail of an INSERT: (a, b) VALUES ($1, $2)
}

var plans sync.Map // reflect.Type → *plan

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := &plan{}
	p.walk(t, nil)
	marks := make([]string, len(p.columns))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	p.text = strings.Join(p.columns, ", ")
	p.insert = " (" + p.text + ") VALUES (" + strings.Join(marks, ", ") + ")"
	plans.Store(t, p)
	return p
}

// walk adds the fields of a struct, those of a struct it embeds in its place.
func (p *plan) walk(t reflect.Type, above []int) {
	for f := range t.Fields() {
		path := append(slices.Clone(above), f.Index...)
		if f.Anonymous {
			p.walk(f.Type, path)
			continue
		}
		p.columns = append(p.columns, f.Tag.Get("db"))
		p.paths = append(p.paths, path)
	}
}

// Columns lists the db tags of T in order, for a SELECT or a RETURNING.
func Columns[T any]() string { return planOf(reflect.TypeFor[T]()).text }

// All reads every row as a T: a struct with a db tag on each field, which text selects in that order, or one scalar.
// A time.Time is stored as BIGINT, in microseconds since 1970 UTC.
func All[T any](ctx context.Context, q Querier, text string, args ...any) ([]T, error) {
	rows, err := q.query(ctx, text, outgoing(args))
	if err != nil {
		if _, ok := q.(*Tx); ok {
			return nil, err
		}
		return nil, unavailable(err)
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		var v T
		if err := rows.Scan(incoming(reflect.ValueOf(&v).Elem())...); err != nil {
			return nil, unavailable(err)
		}
		out = append(out, v)
	}
	err = rows.Err()
	if tx, ok := q.(*Tx); ok {
		tx.wrote = tx.wrote || len(out) > 0 && !strings.HasPrefix(text, "SELECT")
		tx.failed = err
		return out, err // Write must see a lost race as it is
	}
	return out, unavailable(err)
}

// One reads the only row, or ErrNone.
func One[T any](ctx context.Context, q Querier, text string, args ...any) (T, error) {
	list, err := All[T](ctx, q, text, args...)
	if err == nil && len(list) == 0 {
		err = ErrNone
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return list[0], nil
}

// Insert adds row to table by its db tags.
func Insert[T any](tx *Tx, table string, row T) error {
	v := reflect.ValueOf(row)
	p := planOf(v.Type())
	args := make([]any, len(p.paths))
	for i, path := range p.paths {
		args[i] = v.FieldByIndex(path).Interface()
	}
	_, err := tx.Exec("INSERT INTO "+table+p.insert, args...)
	return err
}

// incoming gives Scan somewhere to put a row.
func incoming(v reflect.Value) []any {
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		return []any{place(v)}
	}
	paths := planOf(v.Type()).paths
	into := make([]any, len(paths))
	for i, path := range paths {
		into[i] = place(v.FieldByIndex(path))
	}
	return into
}

func place(v reflect.Value) any {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		return micros{at: p}
	case **time.Time:
		return micros{maybe: p}
	default:
		return p
	}
}

// micros reads a BIGINT as a time.
type micros struct {
	at    *time.Time
	maybe **time.Time
}

// Scan implements sql.Scanner.
func (m micros) Scan(src any) error {
	if src == nil && m.maybe != nil {
		*m.maybe = nil
		return nil
	}
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("database: %T is no time in microseconds", src)
	}
	t := time.UnixMicro(n).UTC()
	if m.maybe != nil {
		*m.maybe = &t
	} else {
		*m.at = t
	}
	return nil
}

// outgoing turns times into what rows keep.
func outgoing(args []any) []any {
	for i, a := range args {
		switch t := a.(type) {
		case time.Time:
			args[i] = t.UnixMicro()
		case *time.Time:
			if t == nil {
				args[i] = nil
			} else {
				args[i] = t.UnixMicro()
			}
		}
	}
	return args
}
