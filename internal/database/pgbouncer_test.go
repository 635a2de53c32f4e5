package database_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

// PgBouncer in transaction mode gives each transaction another connection: nothing may rest on a session.
func TestBehindPgBouncer(t *testing.T) {
	if e := os.Getenv("TEST_ENGINES"); e != "" && !slices.Contains(strings.Split(e, ","), "postgres") {
		t.Skip("TEST_ENGINES leaves PostgreSQL out")
	}
	bouncer, server := os.Getenv("TEST_PGBOUNCER_URL"), os.Getenv("TEST_POSTGRES_URL")
	if bouncer == "" || server == "" {
		t.Fatal("TEST_PGBOUNCER_URL is not set: run make test, or TEST_ENGINES=sqlite go test ./... for SQLite alone")
	}
	name := fmt.Sprintf("b%d", time.Now().UnixNano())
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(bouncer)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	c := database.Config{URL: u.String(), MaxConnections: 10}
	var all sync.WaitGroup
	for server := range 6 {
		all.Go(func() {
			d, err := database.Open(t.Context(), c, database.Options{Strict: true})
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			if _, err := d.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
			var writers sync.WaitGroup
			for i := range 8 {
				writers.Go(func() {
					for j := range 10 {
						id := fmt.Sprintf("usr_%d_%d_%d", server, i, j)
						err := d.Write(t.Context(), func(tx *database.Tx) error {
							tx.Emit(happened{id})
							return insertUser(tx, id)
						})
						if err != nil {
							t.Error(err)
						}
						if n, err := database.One[int64](t.Context(), d, `SELECT COUNT(*) FROM users WHERE id = $1`, id); n != 1 || err != nil {
							t.Error(id, n, err)
						}
					}
				})
			}
			writers.Wait()
		})
	}
	all.Wait()
	d := open(t, c)
	if users, events := count(t, d, `SELECT COUNT(*) FROM users`), count(t, d, `SELECT COUNT(*) FROM events`); users != 480 || events != 480 {
		t.Errorf("%d users, %d events", users, events)
	}
}
