package database

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// ErrSchema is a database whose schema this program cannot use as it is.
var ErrSchema = apperr.New(apperr.Unavailable, "schema_mismatch", "The schema of the database does not fit this version of Admit. Run: admit migrate up")

// Migration is one step of the schema.
type Migration struct {
	Version   int64
	Name      string
	AppliedAt *time.Time // nil when it is still to come
	up, down  string
}

// String is the step's number and name, as its files have them.
func (m Migration) String() string { return fmt.Sprintf("%04d_%s", m.Version, m.Name) }

// Checksum tells whether the text that was applied is the text of today.
func (m Migration) checksum() string {
	sum := sha256.Sum256([]byte(m.up))
	return hex.EncodeToString(sum[:])
}

var migrationName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)\.(up|down)\.sql$`)

// steps reads the embedded files, in order.
func steps(files fs.FS) ([]Migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	byVersion := map[int64]*Migration{}
	for _, name := range names {
		m := migrationName.FindStringSubmatch(strings.TrimPrefix(name, "migrations/"))
		if m == nil {
			return nil, fmt.Errorf("database: %s is no name for a migration", name)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		version, _ := strconv.ParseInt(m[1], 10, 64)
		step := byVersion[version]
		if step == nil {
			step = &Migration{Version: version, Name: m[2]}
			byVersion[version] = step
		}
		if step.Name != m[2] {
			return nil, fmt.Errorf("database: two migrations are numbered %s", m[1])
		}
		if m[3] == "up" {
			step.up = string(text)
		} else {
			step.down = string(text)
		}
	}
	list := make([]Migration, 0, len(byVersion))
	for v := int64(1); v <= int64(len(byVersion)); v++ {
		step := byVersion[v]
		if step == nil || step.up == "" || step.down == "" {
			return nil, fmt.Errorf("database: migration %04d lacks its up or its down", v)
		}
		list = append(list, *step)
	}
	return list, nil
}

type appliedRow struct {
	Version   int64     `db:"version"`
	Name      string    `db:"name"`
	Checksum  string    `db:"checksum"`
	AppliedAt time.Time `db:"applied_at"`
}

// Migrate brings the schema to the newest version and says which steps it took. Programs that start together wait for
// each other: the lock is part of the one transaction all steps share, so it holds behind PgBouncer too.
func (d *DB) Migrate(ctx context.Context) (taken []Migration, err error) {
	if pending, err := d.pending(ctx); err == nil && pending == 0 {
		return nil, nil // nothing to lock for, the usual start
	}
	err = d.migrating(ctx, func(tx *Tx, all []Migration, done map[int64]appliedRow) error {
		var left []Migration
		for _, m := range all {
			if _, ok := done[m.Version]; !ok {
				left = append(left, m)
			}
		}
		taken = left
		return d.climb(tx, left)
	})
	return taken, err
}

// MigrateDown takes the newest n steps back and says which.
func (d *DB) MigrateDown(ctx context.Context, n int) (taken []Migration, err error) {
	err = d.migrating(ctx, func(tx *Tx, all []Migration, done map[int64]appliedRow) error {
		taken = nil
		for _, m := range slices.Backward(all) {
			if _, ok := done[m.Version]; ok && len(taken) < n {
				taken = append(taken, m)
			}
		}
		return d.descend(tx, taken)
	})
	return taken, err
}

// climb takes steps, and notes in each when it was taken.
func (d *DB) climb(tx *Tx, list []Migration) error {
	for i, m := range list {
		if err := d.apply(tx, m.up); err != nil {
			return fmt.Errorf("migration %s: %w", m, err)
		}
		if err := Insert(tx, "schema_migrations", appliedRow{m.Version, m.Name, m.checksum(), tx.Now}); err != nil {
			return err
		}
		list[i].AppliedAt = &tx.Now
	}
	return nil
}

// descend takes steps back, the newest first.
func (d *DB) descend(tx *Tx, list []Migration) error {
	for _, m := range list {
		if err := d.apply(tx, m.down); err != nil {
			return fmt.Errorf("migration %s, down: %w", m, err)
		}
		if _, err := tx.Exec(`DELETE FROM schema_migrations WHERE version = $1`, m.Version); err != nil {
			return err
		}
	}
	return nil
}

// Steps lists every step this program knows, for a store that is not there yet.
func Steps() ([]Migration, error) { return steps(migrationFiles) }

// Migrations lists every step and when it was applied.
func (d *DB) Migrations(ctx context.Context) ([]Migration, error) {
	all, err := steps(migrationFiles)
	if err != nil {
		return nil, err
	}
	there, err := d.hasMigrations(ctx)
	if err != nil || !there {
		return all, err
	}
	rows, err := All[appliedRow](ctx, d, `SELECT `+Columns[appliedRow]()+` FROM schema_migrations`)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if i := slices.IndexFunc(all, func(m Migration) bool { return m.Version == r.Version }); i >= 0 {
			all[i].AppliedAt = &r.AppliedAt
		} else {
			all = append(all, Migration{Version: r.Version, Name: r.Name + " (of a newer Admit)", AppliedAt: &r.AppliedAt})
		}
	}
	return all, nil
}

// CheckSchema refuses a database that lacks steps. One that a newer Admit has taken further is fine: every step is safe
// with the code before it.
func (d *DB) CheckSchema(ctx context.Context) error {
	n, err := d.pending(ctx)
	if err == nil && n > 0 {
		err = ErrSchema.Because(fmt.Errorf("%d migrations are missing", n))
	}
	return err
}

func (d *DB) pending(ctx context.Context) (int, error) {
	all, err := d.Migrations(ctx)
	n := 0
	for _, m := range all {
		if m.AppliedAt == nil {
			n++
		}
	}
	return n, err
}

func (d *DB) hasMigrations(ctx context.Context) (bool, error) {
	text := `SELECT COUNT(*) FROM sqlite_master WHERE name = 'schema_migrations'`
	if d.engine.name == postgresName {
		text = `SELECT COUNT(*) FROM pg_tables WHERE tablename = 'schema_migrations' AND schemaname = current_schema()`
	}
	n, err := One[int64](ctx, d, text)
	return n > 0, err
}

// migrating runs f with the lock in hand and what is applied.
func (d *DB) migrating(ctx context.Context, f func(tx *Tx, all []Migration, done map[int64]appliedRow) error) error {
	all, err := steps(migrationFiles)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 24*time.Hour) // a step over a large table takes its time
	defer cancel()
	return d.Write(ctx, func(tx *Tx) error {
		tx.Quiet()
		if d.engine.name == postgresName {
			if _, err := tx.Exec(`SELECT pg_advisory_xact_lock(7046029254386353)`); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`CREATE TABLE IF NOT EXISTS schema_migrations
			(version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)`); err != nil {
			return err
		}
		rows, err := All[appliedRow](ctx, tx, `SELECT `+Columns[appliedRow]()+` FROM schema_migrations`)
		if err != nil {
			return err
		}
		done := map[int64]appliedRow{}
		for _, r := range rows {
			done[r.Version] = r
		}
		for _, m := range all {
			if r, ok := done[m.Version]; ok && r.Checksum != m.checksum() {
				return ErrSchema.Because(fmt.Errorf("migration %04d_%s was changed after it had been applied", m.Version, m.Name))
			}
		}
		return f(tx, all, done)
	}, ReadCommitted) // the advisory lock, not the isolation, keeps two programs apart: one that waited must see what the other did
}

// apply runs the statements of a step. A line that begins with --sqlite or --postgres is for that engine alone.
func (d *DB) apply(tx *Tx, text string) error {
	text = strings.ReplaceAll(text, "--"+d.engine.name, "")
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			lines = append(lines, line)
		}
	}
	for statement := range strings.SplitSeq(strings.Join(lines, ""), ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := tx.Exec(statement); err != nil {
			return err
		}
	}
	return nil
}
