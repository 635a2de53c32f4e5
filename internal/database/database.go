// Package database keeps rows in SQLite or Postgres with one SQL text, and writes every change together with its events.
package database

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what Open needs beside the address.
type Options struct {
	Now    func() time.Time // the one clock; time.Now when nil
	Strict bool             // panic at a Write that changed rows and emitted nothing; tests set it
	Log    *slog.Logger     // slog.Default() when nil
}

// DB is an open store. Reading goes through One and All, changing through Write.
type DB struct {
	engine engine
	read   *sql.DB
	write  *sql.DB
	solo   *soloWriter // SQLite only: one connection that writes, for everybody
	opt    Options

	replicas []*replica
	turn     atomic.Uint64 // which of them is asked first

	asked atomic.Int64
	stmts sync.Map // text → *sql.Stmt of the read pool, SQLite only
	mu    sync.RWMutex
	after []func([]Record) // told of every commit of this process
}

// engine is the little in which the two stores differ.
type engine struct {
	name      string // "sqlite" or "postgres"
	isolation sql.IsolationLevel
}

// Open connects to the store that cfg names. It changes nothing: see Migrate.
func Open(ctx context.Context, cfg Config, opt Options) (*DB, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	target, err := cfg.target()
	if err != nil {
		return nil, err
	}
	d := &DB{opt: opt}
	if target.sqlite != "" {
		err = d.openSQLite(ctx, target.sqlite, cfg)
	} else {
		err = d.openPostgres(ctx, target.postgres, cfg)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Close ends the connections. Writes that wait are refused.
func (d *DB) Close() error {
	if d.solo != nil {
		d.solo.close()
	}
	d.stmts.Range(func(_, s any) bool { _ = s.(*sql.Stmt).Close(); return true })
	if d.read == d.write {
		return errors.Join(d.closeReplicas(), d.write.Close())
	}
	return errors.Join(d.read.Close(), d.write.Close())
}

// Engine is "sqlite" or "postgres".
func (d *DB) Engine() string { return d.engine.name }

// Now is the time by the clock the store was opened with, in UTC and whole microseconds, as rows keep it.
func (d *DB) Now() time.Time { return d.opt.Now().UTC().Truncate(time.Microsecond) }

// Ping asks the store for an answer.
func (d *DB) Ping(ctx context.Context) error {
	_, err := One[int64](ctx, d, `SELECT 1`)
	return err
}

// Version is what the store calls itself, such as "SQLite 3.50.4".
func (d *DB) Version(ctx context.Context) (string, error) {
	name, text := "SQLite ", `SELECT sqlite_version()`
	if d.engine.name == postgresName {
		name, text = "PostgreSQL ", `SELECT current_setting('server_version')`
	}
	version, err := One[string](ctx, d, text)
	return name + version, err
}

// Stats are the counters of the read pool.
func (d *DB) Stats() sql.DBStats { return d.read.Stats() }

// Asked is how often the store was asked for anything since Open: a query, a snapshot, or a try at a change.
func (d *DB) Asked() int64 { return d.asked.Load() }

// AfterCommit has f told of the events of every Write of this process, after they are committed and before Write
// returns. What other processes commit is read with Events.
func (d *DB) AfterCommit(f func([]Record)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.after = append(d.after, f)
}

func (d *DB) tell(done []Record) {
	if len(done) == 0 {
		return
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, f := range d.after {
		f(done)
	}
}

func (d *DB) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	d.asked.Add(1)
	done := traced(ctx, d.engine.name, text)
	rows, err := d.ask(ctx, text, args)
	done(err)
	return rows, err
}

func (d *DB) ask(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	if d.engine.name != sqliteName {
		return d.read.QueryContext(ctx, text, args...)
	}
	s, err := d.prepared(ctx, text)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// A context that can end costs a goroutine for each query, and a read of a local file is over before anybody gives up.
	return s.QueryContext(context.WithoutCancel(ctx), args...)
}

// prepared keeps one statement per text; pgx does the same on its own.
func (d *DB) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	if s, ok := d.stmts.Load(text); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := d.read.PrepareContext(context.WithoutCancel(ctx), text)
	if err != nil {
		return nil, err
	}
	if other, loaded := d.stmts.LoadOrStore(text, s); loaded {
		_ = s.Close()
		return other.(*sql.Stmt), nil
	}
	return s, nil
}
