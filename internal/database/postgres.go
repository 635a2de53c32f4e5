package database

import (
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const postgresName = "postgres"

// openPostgres makes the pool. Nothing is asked of the server yet.
func (d *DB) openPostgres(address string, cfg Config) error {
	d.engine = engine{name: postgresName, isolation: sql.LevelSerializable}
	pg, err := pgx.ParseConfig(address)
	if err != nil {
		// pgx's own words may hold the password
		return errors.New("DATABASE_URL is no address Postgres understands: write postgres://user:password@host:5432/name?sslmode=require")
	}
	if !strings.Contains(address, "default_query_exec_mode") {
		// Unnamed statements are one round trip too, and work behind PgBouncer in transaction mode, where a named one
		// may be looked for on another connection.
		pg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	if pg.ConnectTimeout == 0 {
		pg.ConnectTimeout = 5 * time.Second
	}
	d.write = stdlib.OpenDB(*pg)
	d.write.SetMaxOpenConns(cfg.MaxConnections)
	d.write.SetMaxIdleConns(cfg.MaxConnections)
	d.write.SetConnMaxLifetime(time.Hour)
	d.read = d.write
	return nil
}
