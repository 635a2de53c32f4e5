package database

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// Config says which store, and how it is used.
type Config struct {
	URL            string `env:"DATABASE_URL" secret:"true" doc:"The store: sqlite:///PATH (four slashes for an absolute path) or postgres://USER:PASSWORD@HOST/NAME. Empty is SQLite in DATA_DIR."`
	MaxConnections int    `env:"DATABASE_MAX_CONNECTIONS" default:"20" min:"2" max:"1000" doc:"Most connections this process opens to Postgres."`
	Synchronous    string `env:"SQLITE_SYNCHRONOUS" default:"full" oneof:"full,normal" doc:"full: what was acknowledged survives power loss. normal: it survives a crash of the process, and commits are faster."`
	MigrateOnStart bool   `env:"MIGRATE_ON_START" default:"true" doc:"Bring the schema up to date when the server starts. Servers that start together wait for each other."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(production bool) error {
	if c.URL == "" {
		return nil // the SQLite file in the data directory
	}
	_, err := c.target()
	return err
}

// File is the SQLite file that the address names, or "".
func (c Config) File() string {
	t, err := c.target()
	if err != nil {
		return ""
	}
	return t.sqlite
}

type target struct{ sqlite, postgres string } // a file, or an address

// target understands the address in every form people paste, those of Python's SQLAlchemy included.
func (c Config) target() (target, error) {
	scheme, rest, ok := strings.Cut(c.URL, ":")
	if !ok {
		return target{}, errors.New("DATABASE_URL has no scheme: write sqlite:///admit.db or postgres://user:password@host/name")
	}
	switch strings.ToLower(scheme) {
	case "sqlite", "sqlite+aiosqlite", "sqlite3":
		path := strings.TrimPrefix(rest, "///")
		if path == "" || strings.HasPrefix(path, "//") || strings.Contains(path, ":memory:") {
			return target{}, errors.New("DATABASE_URL names no file: write sqlite:///admit.db (an in-memory database would forget everybody)")
		}
		path, _, _ = strings.Cut(path, "?")
		return target{sqlite: filepath.Clean(path)}, nil
	case "postgres", "postgresql", "postgres+asyncpg", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2", "postgres+pgx":
		u, err := url.Parse("postgres:" + rest)
		if err != nil || u.Host == "" && u.Query().Get("host") == "" {
			return target{}, errors.New("DATABASE_URL is no address: write postgres://user:password@host:5432/name")
		}
		q := u.Query()
		if ssl := q.Get("ssl"); ssl != "" && q.Get("sslmode") == "" { // asyncpg's word for it
			q.Set("sslmode", map[string]string{"true": "require", "false": "disable"}[ssl])
			if q.Get("sslmode") == "" {
				q.Set("sslmode", ssl)
			}
		}
		q.Del("ssl")
		u.RawQuery = q.Encode()
		return target{postgres: u.String()}, nil
	}
	return target{}, fmt.Errorf("DATABASE_URL: %q is no store Admit knows: write sqlite:///admit.db or postgres://user:password@host/name", scheme)
}
