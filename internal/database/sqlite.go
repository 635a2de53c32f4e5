package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver; it binds $1 by number

	"github.com/admit-dev/admit/internal/apperr"
)

const sqliteName = "sqlite"

// openSQLite opens the file: many connections read, one writes.
func (d *DB) openSQLite(ctx context.Context, path string, cfg Config) error {
	d.engine = engine{name: sqliteName}
	dir := filepath.Dir(path)
	if dir == "." || strings.HasPrefix(filepath.Base(dir), "admit") {
		// our own data directory is made; a mistyped path is not
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("the directory of the database cannot be made: %w", err)
		}
	}
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("there is no directory %s for the database (an absolute path takes four slashes: sqlite:////var/lib/admit.db): %w", dir, err)
	}
	// busy_timeout stands first: a connection must know to wait before it asks for WAL.
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(" + cfg.Synchronous + ")&_pragma=foreign_keys(ON)"
	var err error
	if d.write, err = sql.Open("sqlite", dsn); err != nil {
		return err
	}
	d.write.SetMaxOpenConns(1)
	if d.solo, err = newSoloWriter(ctx, d.write); err != nil {
		_ = d.write.Close()
		return unavailable(err)
	}
	_ = os.Chmod(path, 0o600) // it holds hashes of secrets
	if d.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(ON)"); err != nil {
		return errors.Join(err, d.write.Close())
	}
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	d.read.SetMaxOpenConns(readers)
	d.read.SetMaxIdleConns(readers)
	return nil
}

// ErrInUse is a file that another program has open.
var ErrInUse = apperr.New(apperr.Conflict, "database_in_use", "Another program has the database open. Stop the server first.")

// Alone holds that no other program has the SQLite file of cfg open, if it is there: a file is taken out of WAL only by who is alone with it.
func Alone(ctx context.Context, cfg Config) error {
	path := cfg.File()
	if _, err := os.Stat(path); path == "" || err != nil {
		return nil
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(1000)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var mode string
	err = db.QueryRowContext(ctx, `PRAGMA journal_mode = DELETE`).Scan(&mode)
	if busy(err) || err == nil && mode != "delete" {
		return ErrInUse
	}
	return err
}

// most is how many changes may share one commit.
const most = 128

// soloWriter is the one connection that writes to SQLite. Changes that wait at the same time share a transaction and its
// sync to disk, each in a savepoint of its own: nobody is told before the commit is durable.
type soloWriter struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	jobs  chan *job
	quit  chan struct{}
	done  chan struct{}
	once  sync.Once
}

// job is one change that waits for its turn.
type job struct {
	run      func(runner) error
	mu       sync.Mutex // held by whoever decides: the writer that begins, or the caller that goes away
	begun    bool
	gone     bool
	err      error
	panicked any
	done     chan struct{}
}

func newSoloWriter(ctx context.Context, pool *sql.DB) (*soloWriter, error) {
	conn, err := firstConn(ctx, pool)
	if err != nil {
		return nil, err
	}
	w := &soloWriter{conn: conn, stmts: map[string]*sql.Stmt{}, jobs: make(chan *job, most), quit: make(chan struct{}), done: make(chan struct{})}
	go w.loop()
	return w, nil
}

// firstConn opens the connection that writes. A new file becomes WAL by a lock that busy_timeout does not wait for: of
// programs that start together, all but one are refused, and come again here.
func firstConn(ctx context.Context, pool *sql.DB) (*sql.Conn, error) {
	for end := time.Now().Add(10 * time.Second); ; {
		conn, err := pool.Conn(ctx)
		if err == nil || !busy(err) || time.Now().After(end) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Millisecond + rand.N(10*time.Millisecond)):
		}
	}
}

func (w *soloWriter) close() {
	w.once.Do(func() { close(w.quit) })
	<-w.done
	for _, s := range w.stmts {
		_ = s.Close() // with one that is open, the file would stay open too
	}
	_ = w.conn.Close()
}

// do has run executed in a transaction and returns when it is durable, or undone.
func (w *soloWriter) do(ctx context.Context, run func(runner) error) error {
	if err := ctx.Err(); err != nil { // of two that are ready, select takes either
		return err
	}
	j := &job{run: run, done: make(chan struct{})}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return ErrClosed
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		if j.leave() {
			return ctx.Err()
		}
		<-j.done // it has begun, and may commit: the caller must know how it ends
	case <-w.done:
		if j.leave() {
			return ErrClosed
		}
		<-j.done
	}
	if j.panicked != nil {
		panic(j.panicked)
	}
	return j.err
}

func (j *job) leave() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.gone = !j.begun
	return j.gone
}

func (j *job) begin() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.begun = !j.gone
	return j.begun
}

func (w *soloWriter) loop() {
	defer close(w.done)
	for {
		var batch []*job
		select {
		case j := <-w.jobs:
			batch = append(batch, j)
		case <-w.quit:
			return
		}
		runtime.Gosched() // whoever was told just now has another change on the way: let it come along
		for len(batch) < most {
			select {
			case j := <-w.jobs:
				batch = append(batch, j)
				continue
			default:
			}
			break
		}
		w.commit(batch)
	}
}

// commit runs a batch in one transaction and tells each caller how it ended.
func (w *soloWriter) commit(batch []*job) {
	err := w.exec("BEGIN IMMEDIATE")
	if err == nil {
		for _, j := range batch {
			if !j.begin() {
				continue
			}
			if err = w.step(j, len(batch) > 1); err != nil {
				break // the transaction is lost, and with it everybody's change
			}
		}
		if err == nil {
			err = w.exec("COMMIT")
		}
		if err != nil {
			_ = w.exec("ROLLBACK") // it may be over already
		}
	}
	for _, j := range batch {
		if err != nil && j.err == nil && j.panicked == nil {
			j.err = err
		}
		close(j.done)
	}
}

// step runs one change, in a savepoint when it shares the transaction. The error it returns is the transaction's.
func (w *soloWriter) step(j *job, shared bool) error {
	if !shared {
		if w.call(j); j.err != nil || j.panicked != nil {
			if err := w.exec("ROLLBACK"); err != nil {
				return err
			}
			return w.exec("BEGIN IMMEDIATE") // so that there is something to commit
		}
		return nil
	}
	if err := w.exec("SAVEPOINT one"); err != nil {
		return err
	}
	if w.call(j); j.err != nil || j.panicked != nil {
		if err := w.exec("ROLLBACK TO one"); err != nil {
			return err
		}
	}
	return w.exec("RELEASE one")
}

func (w *soloWriter) call(j *job) {
	defer func() { j.panicked = recover() }()
	j.err = j.run(w)
}

func (w *soloWriter) exec(text string) error {
	_, err := w.ExecContext(context.Background(), text)
	return err
}

// stmt prepares a text once. Statements on this connection never see a caller's context: an interrupted one would
// roll back what others have written in the same transaction.
func (w *soloWriter) stmt(text string) (*sql.Stmt, error) {
	if s := w.stmts[text]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	w.stmts[text] = s
	return s, nil
}

func (w *soloWriter) ExecContext(_ context.Context, text string, args ...any) (sql.Result, error) {
	s, err := w.stmt(text)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args...)
}

func (w *soloWriter) QueryContext(_ context.Context, text string, args ...any) (*sql.Rows, error) {
	s, err := w.stmt(text)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), args...)
}
