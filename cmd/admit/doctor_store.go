package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/redis"
)

// dataDirectory checks that the data directory can be used and that nobody else can look into it.
func (e *examination) dataDirectory() {
	dir := e.cfg.Server.DataDir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := writable(above(dir)); err != nil {
			e.Note(problem, "data", "DATA_DIR "+dir+" is not there and cannot be made: "+err.Error(), "Make it for the user who runs Admit, or set DATA_DIR to a directory they may write.")
			return
		}
		e.Note(warning, "data", dir+" is not there yet", "Run admit serve once, or run doctor where the server runs.")
	case err != nil:
		e.Note(problem, "data", err.Error(), "Let the user who runs Admit read DATA_DIR.")
	case !info.IsDir():
		e.Note(problem, "data", "DATA_DIR "+dir+" is not a directory", "Move it away, or set DATA_DIR to a directory.")
	default:
		if err := writable(dir); err != nil {
			e.Note(problem, "data", "DATA_DIR "+dir+" cannot be written: "+err.Error(), "Give it to the user who runs Admit: chown.")
			return
		}
		if open(info) {
			e.Note(warning, "data", fmt.Sprintf("%s has mode %04o: others on this machine may look into it", dir, info.Mode().Perm()), "chmod 700 "+dir)
			return
		}
		e.Note(fine, "data", fmt.Sprintf("%s, writable, mode %04o", dir, info.Mode().Perm()), "")
	}
}

// above is the nearest directory that is there.
func above(dir string) string {
	at, err := filepath.Abs(dir)
	for err == nil {
		at = filepath.Dir(at)
		if _, bad := os.Stat(at); bad == nil || at == filepath.Dir(at) {
			break
		}
	}
	return at
}

// writable tries it, as the bits of the mode are not the whole truth.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".admit-doctor-*")
	if err != nil {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			return p.Err
		}
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// open reports whether others may use a file. Windows does not keep that in the mode.
func open(info fs.FileInfo) bool { return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 }

// keyFile checks the generated root key.
func (e *examination) keyFile() {
	file := app.KeyFile(e.cfg)
	if file == "" {
		e.Note(fine, "root key", "SESSION_SECRET_KEY is set", "")
		return
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && e.lacksDatabase():
		// both are made at the first start
	case errors.Is(err, fs.ErrNotExist):
		e.Note(problem, "root key", file+" is gone, and the database is there: a new key signs everybody out and cannot open the signing keys", "Restore "+file+" from a backup, or set SESSION_SECRET_KEY.")
	case err != nil:
		e.Note(problem, "root key", err.Error(), "Let the user who runs Admit read it.")
	case open(info):
		e.Note(problem, "root key", fmt.Sprintf("%s has mode %04o: others on this machine can read it", file, info.Mode().Perm()), "chmod 600 "+file)
	default:
		e.Note(fine, "root key", fmt.Sprintf("%s, mode %04o", file, info.Mode().Perm()), "")
	}
}

func (e *examination) lacksDatabase() bool { return cli.Missing(app.DatabaseFile(e.cfg)) }

// store checks the database and what is in it.
func (e *examination) store() {
	if e.lacksDatabase() {
		e.Note(warning, "database", app.DatabaseFile(e.cfg)+" is not there yet", "Run admit serve once.")
		return
	}
	cfg := e.cfg.Database
	if cfg.URL == "" {
		cfg.URL = "sqlite:///" + app.DatabaseFile(e.cfg)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := database.Open(e.Ctx, cfg, database.Options{Log: quiet})
	if err != nil {
		e.Ill(err)
		return
	}
	defer func() { _ = db.Close() }()
	version, err := db.Version(e.Ctx)
	if err != nil {
		e.Ill(err)
		return
	}
	began := time.Now()
	if err := db.Ping(e.Ctx); err != nil {
		e.Ill(err)
		return
	}
	where := ""
	if file := app.DatabaseFile(e.cfg); file != "" {
		where = ", " + file
	}
	e.Note(fine, "database", fmt.Sprintf("%s%s, answers in %s", version, where, max(time.Since(began).Round(10*time.Microsecond), 10*time.Microsecond)), "")
	if !e.schema(db) {
		return
	}
	e.Replicas(e.Ctx, db)
	if !cli.Missing(app.KeyFile(e.cfg)) {
		e.inside(quiet)
	}
}

// schema checks that every step is applied, and says whether the tables can be used.
func (e *examination) schema(db *database.DB) bool {
	all, err := db.Migrations(e.Ctx)
	if err != nil {
		e.Ill(err)
		return false
	}
	n := len(all) - len(cli.Applied(all))
	if n > 0 {
		e.Note(problem, "schema", cli.Plural(n, "step")+" still to come", "admit migrate up")
		return false
	}
	e.Note(fine, "schema", "up to date, "+all[len(all)-1].String(), "")
	return true
}

// inside checks the signing key and the owner.
func (e *examination) inside(quiet *slog.Logger) {
	a, err := app.Open(e.Ctx, e.cfg, app.Options{Log: quiet})
	if err != nil {
		e.Ill(err)
		return
	}
	defer func() { _ = a.Close() }()
	e.Inside(e.Ctx, a)
}

// redis asks for a word of it, where one is named: a server does without, and counts and copies for itself.
func (e *examination) redis() {
	c, err := redis.Open(e.Ctx, e.cfg.Redis, slog.New(slog.DiscardHandler))
	if err != nil {
		e.Note(problem, "redis", err.Error(), "See admit config explain REDIS_URL.")
		return
	}
	if c != nil {
		defer c.Close()
		e.Redis(e.Ctx, c)
	}
}
