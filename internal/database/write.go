package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// Event is something that happened. A concrete event is a struct of small facts with json tags and no secrets in it.
type Event interface {
	Kind() string    // its stable name, past tense: session.revoked
	Subject() string // the id it is about, "" when that is nobody known
}

// Failed marks an event that tells of a failure; every other tells of a success.
type Failed interface{ Failed() }

// Placed marks an event that is of one organization by itself: it is so also in a change that is about none, or about many.
type Placed interface{ Place() string }

// Tx is one change. What is done in it is done whole, with its events, or not at all.
type Tx struct {
	Now time.Time // fixed for the whole change

	ctx    context.Context
	run    runner
	events []Event
	done   []Record
	wrote  bool
	quiet  bool
	failed error
	engine string
	org    string // whose rows it shows, where the store keeps those of organizations apart
}

// runner is a transaction of either engine.
type runner interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// Emit tells what happened. It is stored with the change, stamped with the Origin of its context.
func (tx *Tx) Emit(e Event) { tx.events = append(tx.events, e) }

// Quiet marks a change that is no event: a counter, a lease, a clean-up.
func (tx *Tx) Quiet() { tx.quiet = true }

// Exec runs a statement and says how many rows it changed. After a failed statement every further one fails: Postgres
// works so, and SQLite must not differ.
func (tx *Tx) Exec(text string, args ...any) (int64, error) {
	if tx.failed != nil {
		return 0, tx.failed
	}
	done := traced(tx.ctx, tx.engine, text)
	r, err := tx.run.ExecContext(tx.ctx, text, outgoing(args)...)
	done(err)
	if err != nil {
		tx.failed = err
		return 0, err
	}
	n, err := r.RowsAffected()
	tx.wrote = tx.wrote || n > 0
	return n, err
}

func (tx *Tx) query(_ context.Context, text string, args []any) (*sql.Rows, error) {
	if tx.failed != nil {
		return nil, tx.failed
	}
	done := traced(tx.ctx, tx.engine, text)
	rows, err := tx.run.QueryContext(tx.ctx, text, args...)
	done(err)
	if err != nil {
		tx.failed = err
	}
	return rows, err
}

type refusal struct{ no *apperr.Error }

func (r refusal) Error() string { return r.no.Error() }

// Refuse keeps what was written so far (a counter, an event) and has Write return err, when err is a refusal of ours. Any
// other error undoes the change.
func (tx *Tx) Refuse(err error) error {
	if e, ok := errors.AsType[*apperr.Error](err); ok && tx.failed == nil {
		return refusal{e}
	}
	return err
}

// Mode asks Write for other than its default.
type Mode int

// ReadCommitted asks Postgres for that isolation instead of SERIALIZABLE. It is right only where every decision of the
// change is the affected-row count of one conditional write; say why at the call.
const ReadCommitted Mode = 1

// slowest is how long a change may take that sets no limit of its own.
const slowest = 15 * time.Second

// Write runs f in a transaction, and again when it lost a race: f must do nothing that cannot be undone, and nothing slow.
func (d *DB) Write(ctx context.Context, f func(tx *Tx) error, mode ...Mode) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, slowest)
		defer cancel()
	}
	isolation := d.engine.isolation
	if len(mode) > 0 && isolation != sql.LevelDefault {
		isolation = sql.LevelReadCommitted
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		err := d.once(ctx, isolation, f)
		if !lostRace(err) {
			return unavailable(err)
		}
		select {
		case <-ctx.Done():
			return ErrUnavailable.Because(err)
		case <-time.After(rand.N(wait)):
		}
	}
}

func (d *DB) once(ctx context.Context, isolation sql.IsolationLevel, f func(tx *Tx) error) error {
	d.asked.Add(1)
	var tx *Tx
	var refused error
	change := func(run runner) error {
		tx = &Tx{Now: d.Now(), ctx: ctx, run: run, engine: d.engine.name}
		err := f(tx)
		if no, ok := errors.AsType[refusal](err); ok {
			refused = no.no
			err = nil
		}
		if err == nil {
			err = tx.failed // a swallowed failure still ends the change
		}
		if err != nil {
			return err
		}
		if d.opt.Strict && tx.wrote && len(tx.events) == 0 && !tx.quiet {
			panic("database: a change that tells no one: Emit an event or say Quiet")
		}
		return tx.record()
	}
	var err error
	if d.solo != nil {
		err = d.solo.do(ctx, change)
	} else {
		err = d.inTx(ctx, isolation, change)
	}
	if err != nil {
		return err
	}
	d.tell(tx.done)
	return refused
}

func (d *DB) inTx(ctx context.Context, isolation sql.IsolationLevel, change func(runner) error) error {
	t, err := d.write.BeginTx(ctx, &sql.TxOptions{Isolation: isolation})
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }()
	if err := change(t); err != nil {
		return err
	}
	return t.Commit()
}

// record stores the events of the change.
func (tx *Tx) record() error {
	from := OriginOf(tx.ctx)
	for _, e := range tx.events {
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		r := newRecord(e, *from, tx.Now, from.behalf(string(data)))
		if err := Insert(tx, "events", r.row()); err != nil {
			return err
		}
		tx.done = append(tx.done, r)
	}
	return nil
}

// Context is the context of the change.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Sweep has remove delete what has expired, at most limit rows in each change so that nobody waits for it, until less is left.
func (d *DB) Sweep(ctx context.Context, limit int, remove func(tx *Tx, limit int) (int64, error)) error {
	for {
		var n int64
		err := d.Write(ctx, func(tx *Tx) (err error) {
			tx.Quiet() // it ended by itself, at a time that was known
			n, err = remove(tx, limit)
			return err
		}, ReadCommitted) // what has expired stays so
		if err != nil || n < int64(limit) {
			return err
		}
	}
}

// Refused reports whether err is what Refuse gave: the change is kept.
func Refused(err error) bool {
	_, is := errors.AsType[refusal](err)
	return is
}
