package database

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const postgresName = "postgres"

// openPostgres makes the pool.
func (d *DB) openPostgres(ctx context.Context, address string, cfg Config) error {
	d.engine = engine{name: postgresName, isolation: sql.LevelSerializable}
	pg, err := parsePostgres("DATABASE_URL", address)
	if err != nil {
		return err
	}
	if !strings.Contains(address, "default_query_exec_mode") {
		// Unnamed statements are one round trip too, and work behind PgBouncer in transaction mode, where a named one may
		// be looked for on another connection. Named ones are planned once.
		pg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		if !pooled(ctx, pg) {
			pg.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
		}
	}
	d.write = stdlib.OpenDB(*pg)
	d.write.SetMaxOpenConns(cfg.MaxConnections)
	d.write.SetMaxIdleConns(cfg.MaxConnections)
	d.write.SetConnMaxLifetime(time.Hour)
	d.read = d.write
	return d.openReplicas(cfg)
}

// parsePostgres reads the address that a setting names.
func parsePostgres(setting, address string) (*pgx.ConnConfig, error) {
	pg, err := pgx.ParseConfig(address)
	if err != nil {
		// pgx's own words may hold the password
		return nil, errors.New(setting + " is no address Postgres understands: write postgres://user:password@host:5432/name?sslmode=require")
	}
	if pg.ConnectTimeout == 0 {
		pg.ConnectTimeout = 5 * time.Second
	}
	return pg, nil
}

// pooled reports whether somebody stands between us and the server, or nobody can tell: then the process that answers is not
// the one we were connected to.
func pooled(ctx context.Context, pg *pgx.ConnConfig) bool {
	conn, err := pgx.ConnectConfig(ctx, pg)
	if err != nil {
		return true
	}
	defer func() { _ = conn.Close(ctx) }()
	var pid int32
	err = conn.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&pid)
	return err != nil || uint32(pid) != conn.PgConn().PID()
}
