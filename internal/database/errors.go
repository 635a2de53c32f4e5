package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/admit-dev/admit/internal/apperr"
)

var (
	// ErrNone is a row that is not there.
	ErrNone = sql.ErrNoRows
	// ErrClosed is a store that has been closed.
	ErrClosed = errors.New("database: closed")
	// ErrUnavailable is a store that does not answer, has no room or may not be written.
	ErrUnavailable = apperr.New(apperr.Unavailable, "database_unavailable", "The database does not answer at the moment. Try again in a few seconds.")
)

// unavailable turns an error that is the store's illness, and not ours or a client's, into ErrUnavailable.
func unavailable(err error) error {
	if err == nil || !ill(err) {
		return err
	}
	return ErrUnavailable.Because(err)
}

func ill(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		// connection, resources, operator intervention, system error; read-only after a failover
		for _, class := range []string{"08", "53", "57", "58", "25006"} {
			if strings.HasPrefix(pg.Code, class) {
				return true
			}
		}
		return false
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM:
			return true
		}
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, e := range []error{driver.ErrBadConn, sql.ErrConnDone, ErrClosed, context.DeadlineExceeded, context.Canceled, net.ErrClosed} {
		if errors.Is(err, e) {
			return true
		}
	}
	// database/sql and pgconn say these in words only
	text := err.Error()
	return strings.Contains(text, "unexpected EOF") || strings.Contains(text, "conn closed") || strings.Contains(text, "database is closed") || strings.Contains(text, "statement is closed")
}

// lostRace reports whether the same change, tried again, may well succeed.
func lostRace(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "40001" || pg.Code == "40P01" // serialization failure, deadlock
	}
	return false
}

// busy reports whether SQLite refused because another program holds the file.
func busy(err error) bool {
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && lite.Code()&0xff == sqlite3.SQLITE_BUSY
}

// Taken reports whether err is a broken uniqueness.
func Taken(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505"
	}
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && (lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// Orphan reports whether err is a reference to a row that is not there.
func Orphan(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23503"
	}
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && lite.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}
