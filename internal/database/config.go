package database

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// Config says which store, and how it is used.
type Config struct {
	URL            string   `env:"DATABASE_URL" secret:"true" doc:"The store: sqlite:///PATH (four slashes for an absolute path) or postgres://USER:PASSWORD@HOST/NAME. Empty is SQLite in DATA_DIR."`
	ReplicaURLs    []string `env:"DATABASE_REPLICA_URLS" secret:"true" doc:"Standby servers of PostgreSQL that are asked for sessions first, separated by commas. Each as DATABASE_URL is written. What one of them may not know yet is asked of DATABASE_URL."`
	MaxConnections int      `env:"DATABASE_MAX_CONNECTIONS" default:"20" min:"2" max:"1000" doc:"Most connections this process opens to Postgres."`
	Synchronous    string   `env:"SQLITE_SYNCHRONOUS" default:"full" oneof:"full,normal" doc:"full: what was acknowledged survives power loss. normal: it survives a crash of the process, and commits are faster."`
	MigrateOnStart bool     `env:"MIGRATE_ON_START" default:"true" doc:"Bring the schema up to date when the server starts. Servers that start together wait for each other."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(production bool) error {
	var t target
	if c.URL != "" { // otherwise the SQLite file in the data directory
		var err error
		if t, err = c.target(); err != nil {
			return err
		}
	}
	if len(c.ReplicaURLs) > 0 && t.postgres == "" {
		return errors.New("DATABASE_REPLICA_URLS needs PostgreSQL: a store in a file has no standby. Remove it, or set DATABASE_URL to postgres://user:password@host/name")
	}
	named := map[string]bool{}
	for _, address := range c.ReplicaURLs {
		r, err := parse("DATABASE_REPLICA_URLS", address)
		if err != nil {
			return err
		}
		if r.postgres == "" {
			return errors.New("DATABASE_REPLICA_URLS names a file: a standby is a server of PostgreSQL, postgres://user:password@host/name")
		}
		if named[r.name()] {
			return fmt.Errorf("DATABASE_REPLICA_URLS names %s twice: name each standby once", r.name())
		}
		named[r.name()] = true
	}
	return nil
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

// name is where a server of PostgreSQL is, without who connects and their password.
func (t target) name() string {
	u, err := url.Parse(t.postgres)
	if err != nil {
		return ""
	}
	return cmp.Or(u.Host, u.Query().Get("host")) + u.Path
}

func (c Config) target() (target, error) { return parse("DATABASE_URL", c.URL) }

// parse understands the address in every form people paste, those of Python's SQLAlchemy included.
func parse(setting, address string) (target, error) {
	scheme, rest, ok := strings.Cut(address, ":")
	if !ok {
		return target{}, errors.New(setting + " has no scheme: write sqlite:///admit.db or postgres://user:password@host/name")
	}
	switch strings.ToLower(scheme) {
	case "sqlite", "sqlite+aiosqlite", "sqlite3":
		path := strings.TrimPrefix(rest, "///")
		if path == "" || strings.HasPrefix(path, "//") || strings.Contains(path, ":memory:") {
			return target{}, errors.New(setting + " names no file: write sqlite:///admit.db (an in-memory database would forget everybody)")
		}
		path, _, _ = strings.Cut(path, "?")
		return target{sqlite: filepath.Clean(path)}, nil
	case "postgres", "postgresql", "postgres+asyncpg", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2", "postgres+pgx":
		u, err := url.Parse("postgres:" + rest)
		if err != nil || u.Host == "" && u.Query().Get("host") == "" {
			return target{}, errors.New(setting + " is no address: write postgres://user:password@host:5432/name")
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
	return target{}, fmt.Errorf("%s: %q is no store Admit knows: write sqlite:///admit.db or postgres://user:password@host/name", setting, scheme)
}
