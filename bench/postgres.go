package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"time"
)

// postgres repeats the rows in which the store matters, where TEST_POSTGRES_URL names a server. CPU is Admit's alone.
func (b *bench) postgres() error {
	server := os.Getenv("TEST_POSTGRES_URL")
	if server == "" {
		fmt.Fprintln(os.Stderr, "postgres  not measured: TEST_POSTGRES_URL is not set (scripts/with-services.sh sets it)")
		return nil
	}
	for _, row := range []func(store string) error{
		b.coldOn,
		func(store string) error { return b.loginOn("Postgres", usual, store) },
		func(store string) error { return b.loginOn("Postgres", cheap, store) },
		func(store string) error {
			return b.refreshOn("refresh with rotation, Postgres", []string{store}, cpuAtMost(250))
		},
	} {
		if err := b.inSchema(server, row); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) coldOn(store string) error {
	s, cookie, err := b.signedUp("SESSION_CACHE_ENTRIES=0", store)
	if err != nil {
		return err
	}
	defer s.stop()
	return b.steady("me, cookie, cold, Postgres", s, me(cookie), ratioAtMost(3))
}

// inSchema gives f a DATABASE_URL whose tables are gone afterwards.
func (b *bench) inSchema(server string, f func(setting string) error) error {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer db.Close()
	schema := fmt.Sprintf("bench%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := db.ExecContext(b.ctx, "CREATE SCHEMA "+schema); err != nil {
		return err
	}
	defer func() {
		// also after Ctrl-C
		_, _ = db.ExecContext(context.WithoutCancel(b.ctx), "DROP SCHEMA "+schema+" CASCADE")
	}()
	u, err := url.Parse(server)
	if err != nil {
		return err
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return f("DATABASE_URL=" + u.String())
}
