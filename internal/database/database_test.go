package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
)

var errNo = apperr.New(apperr.Conflict, "test_refusal", "No.")

type happened struct {
	What string `json:"what"`
}

func (happened) Kind() string    { return "test.happened" }
func (happened) Subject() string { return "usr_test" }

// config names a fresh store on one engine.
func config(t *testing.T, engine string) database.Config {
	t.Helper()
	c := database.Config{Synchronous: "full", MaxConnections: 10, URL: "sqlite:///" + filepath.Join(t.TempDir(), "t.db")}
	if engine == "sqlite" {
		return c
	}
	server := os.Getenv("TEST_POSTGRES_URL")
	if server == "" {
		t.Fatal("TEST_POSTGRES_URL is not set: run make test, or TEST_ENGINES=sqlite go test ./... for SQLite alone")
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	schema := fmt.Sprintf("d%d", time.Now().UnixNano())
	if _, err := db.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(server)
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	c.URL = u.String()
	return c
}

func each(t *testing.T, f func(t *testing.T, c database.Config)) {
	engines := []string{"sqlite", "postgres"}
	if e := os.Getenv("TEST_ENGINES"); e != "" {
		engines = strings.Split(e, ",")
	}
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) { f(t, config(t, engine)) })
	}
}

func open(t *testing.T, c database.Config) *database.DB {
	t.Helper()
	d, err := database.Open(t.Context(), c, database.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func insertUser(tx *database.Tx, id string) error {
	_, err := tx.Exec(`INSERT INTO users (id, name, created_at, updated_at) VALUES ($1, '', $2, $2)`, id, tx.Now)
	return err
}

func count(t *testing.T, d *database.DB, text string, args ...any) int64 {
	t.Helper()
	n, err := database.One[int64](t.Context(), d, text, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Servers that start together migrate once and all go on.
func TestManyServersMigrateAtOnce(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		var wg sync.WaitGroup
		var steps atomic.Int64
		for range 8 {
			wg.Go(func() {
				d, err := database.Open(t.Context(), c, database.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				defer d.Close()
				taken, err := d.Migrate(t.Context())
				if err != nil {
					t.Error(err)
				}
				steps.Add(int64(len(taken)))
			})
		}
		wg.Wait()
		d := open(t, c)
		all, err := d.Migrations(t.Context())
		if err != nil || steps.Load() != int64(len(all)) {
			t.Fatalf("%d steps were taken for %d migrations (%v)", steps.Load(), len(all), err)
		}
	})
}

// Every migration has a way down, and up again.
func TestMigrationsGoDownAndUp(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		d := open(t, c)
		all, _ := d.Migrations(t.Context())
		down, err := d.MigrateDown(t.Context(), len(all))
		if err != nil || len(down) != len(all) {
			t.Fatal(len(down), err)
		}
		if err := d.CheckSchema(t.Context()); !errors.Is(err, database.ErrSchema) {
			t.Fatal("a schema without tables was accepted:", err)
		}
		if up, err := d.Migrate(t.Context()); err != nil || len(up) != len(all) {
			t.Fatal(len(up), err)
		}
	})
}

// A change is whole: rows and events together, or neither.
func TestWriteIsWhole(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		d := open(t, c)
		boom := errors.New("boom")
		err := d.Write(t.Context(), func(tx *database.Tx) error {
			tx.Emit(happened{"never"})
			if err := insertUser(tx, "usr_1"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) || count(t, d, `SELECT COUNT(*) FROM users`) != 0 || count(t, d, `SELECT COUNT(*) FROM events`) != 0 {
			t.Fatal("half a change is there", err)
		}
	})
}

// A refusal keeps what was written and still says no; any other error keeps nothing.
func TestRefuseCommits(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		d := open(t, c)
		err := d.Write(t.Context(), func(tx *database.Tx) error {
			tx.Emit(happened{"counted"})
			if err := insertUser(tx, "usr_1"); err != nil {
				return err
			}
			return tx.Refuse(errNo)
		})
		if !errors.Is(err, errNo) || count(t, d, `SELECT COUNT(*) FROM users`) != 1 || count(t, d, `SELECT COUNT(*) FROM events`) != 1 {
			t.Fatal(err)
		}
	})
}

// A statement that failed ends the change, also when the code went on as if it had not.
func TestFailedStatementEndsTheChange(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		d := open(t, c)
		err := d.Write(t.Context(), func(tx *database.Tx) error {
			tx.Emit(happened{"x"})
			_ = insertUser(tx, "usr_1")
			_ = insertUser(tx, "usr_1")
			return nil
		})
		if !database.Taken(err) || count(t, d, `SELECT COUNT(*) FROM users`) != 0 {
			t.Fatal(err)
		}
	})
}

// A change that tells no one is a mistake that tests find.
func TestStrictWantsAnEvent(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		d := open(t, c)
		defer func() {
			if recover() == nil {
				t.Fatal("a silent change passed")
			}
			if n := count(t, d, `SELECT COUNT(*) FROM users`); n != 0 {
				t.Fatal("it was even stored")
			}
		}()
		_ = d.Write(t.Context(), func(tx *database.Tx) error { return insertUser(tx, "usr_1") })
	})
}

// Many writers at once: each change stands alone, whoever it shared a commit with, and events keep the order of commits.
func TestWritersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		d := open(t, c)
		var wg sync.WaitGroup
		var refused atomic.Int64
		for i := range 64 {
			wg.Go(func() {
				err := d.Write(t.Context(), func(tx *database.Tx) error {
					tx.Emit(happened{fmt.Sprint(i)})
					return insertUser(tx, fmt.Sprintf("usr_%d", i/2)) // two want the same
				})
				if database.Taken(err) {
					refused.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if users, events := count(t, d, `SELECT COUNT(*) FROM users`), count(t, d, `SELECT COUNT(*) FROM events`); users != 32 || events != 32 || refused.Load() != 32 {
			t.Fatal(users, events, refused.Load())
		}
	})
}

// A caller that goes away while it waits leaves nothing behind and holds nobody up.
func TestGoneCallerIsPassedOver(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		d := open(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := d.Write(ctx, func(tx *database.Tx) error { tx.Emit(happened{}); return insertUser(tx, "usr_gone") })
		if err == nil {
			t.Fatal("it went through")
		}
		if n := count(t, d, `SELECT COUNT(*) FROM users`); n != 0 {
			t.Fatal(n)
		}
	})
}

// A reader hears every event exactly once and in order, while many write and some fail.
func TestEventsSkipNothing(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		d := open(t, c)
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for i := range 25 {
					_ = d.Write(context.Background(), func(tx *database.Tx) error {
						tx.Emit(happened{fmt.Sprintf("%d-%d", w, i)})
						if i%5 == 0 {
							return errors.New("undone")
						}
						return nil
					})
				}
			})
		}
		over := make(chan struct{})
		go func() { wg.Wait(); close(over) }()
		heard, cursor, last, wait := map[string]int{}, database.Cursor{}, false, false
		for !last || wait {
			select {
			case <-over:
				last = true
			default:
			}
			for {
				list, err := d.Events(t.Context(), cursor, 7)
				if err != nil {
					t.Fatal(err)
				}
				settled := 0
				wait = false
				for _, r := range list {
					if wait = r.Unsettled; wait { // a transaction of another test may still be running on the server
						break
					}
					heard[r.ID]++
					cursor = r.Cursor
					settled++
				}
				if settled == 0 {
					break
				}
			}
		}
		for id, n := range heard {
			if n != 1 {
				t.Fatal(id, n)
			}
		}
		if len(heard) != 160 {
			t.Fatalf("heard %d of 160", len(heard))
		}
		if at, err := d.LastEvent(t.Context()); err != nil || at != cursor {
			t.Fatal(at, cursor, err)
		}
	})
}

// The place before a time is that of the first event that is not older, although one that is stands behind it.
func TestPlaceBefore(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		now := begin
		d, err := database.Open(t.Context(), c, database.Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		if _, err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		from, err := d.LastEvent(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []int{0, 100, 201, 200, 300} {
			now = begin.Add(time.Duration(m) * time.Minute)
			if err := d.Write(t.Context(), func(tx *database.Tx) error { tx.Emit(happened{fmt.Sprint(m)}); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		for m, want := range map[int]int{-9: 5, 0: 5, 1: 4, 200: 3, 201: 3, 202: 1, 300: 1} {
			place, err := d.PlaceBefore(t.Context(), begin.Add(time.Duration(m)*time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			if place.Before(from) {
				place = from
			}
			list, err := d.Events(t.Context(), place, 100)
			if err != nil || len(list) != want {
				t.Errorf("after %d minutes there are %d, want %d: %v", m, len(list), want, err)
			}
		}
		if place, err := d.PlaceBefore(t.Context(), begin.Add(301*time.Minute)); err != nil || place.Before(from) {
			t.Error(place, err)
		}
	})
}

// Every form of address people paste is understood, and a mistake is told in words that help.
func TestDatabaseURL(t *testing.T) {
	for _, ok := range []string{"sqlite:///./rel.db", "sqlite:///rel.db", "sqlite:////abs/x.db", "sqlite+aiosqlite:///x.db",
		"postgres://u:p@h/n", "postgresql://u:p@h:1/n", "postgresql+asyncpg://u:p@h/n?ssl=require", "postgres+asyncpg://u:p@h/n"} {
		if err := (database.Config{URL: ok}).Check(false); err != nil {
			t.Error(ok, err)
		}
	}
	for _, bad := range []string{"admit.db", "mysql://u:p@h/n", "sqlite://", "sqlite:///:memory:", "postgres://"} {
		if err := (database.Config{URL: bad}).Check(false); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") || !strings.Contains(err.Error(), "write") {
			t.Error(bad, err)
		}
	}
	twice := database.Config{URL: "postgres://u:p@h/n", ReplicaURLs: []string{"postgres://u:hidden@h2/n", "postgresql://v:hidden@h2/n"}}
	if err := twice.Check(false); err == nil || !strings.Contains(err.Error(), "h2/n twice") || strings.Contains(err.Error(), "hidden") { // metrics could not tell them apart
		t.Error(err)
	}
	for _, c := range []struct{ url, replica, says string }{
		{"postgres://u:p@h/n", "postgresql://u:hidden@h2:1/n", ""},
		{"sqlite:///x.db", "postgres://u:hidden@h2/n", "needs PostgreSQL"},
		{"", "postgres://u:hidden@h2/n", "needs PostgreSQL"},
		{"postgres://u:p@h/n", "sqlite:///x.db", "names a file"},
		{"postgres://u:p@h/n", "h2:hidden", "is no store"},
		{"postgres://u:p@h/n", "postgres://", "is no address"},
	} {
		err := (database.Config{URL: c.url, ReplicaURLs: []string{c.replica}}).Check(false)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), "DATABASE_REPLICA_URLS") || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hidden")) {
			t.Error(c, err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, sync := range []string{"full", "normal"} {
		b.Run(sync, func(b *testing.B) {
			d, err := database.Open(b.Context(), database.Config{Synchronous: sync, URL: "sqlite:///" + filepath.Join(b.TempDir(), "b.db")}, database.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			if _, err := d.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			write := func() {
				if err := d.Write(context.Background(), func(tx *database.Tx) error { tx.Emit(happened{"x"}); return nil }); err != nil {
					b.Error(err)
				}
			}
			b.Run("one", func(b *testing.B) {
				for b.Loop() {
					write()
				}
			})
			b.Run("32", func(b *testing.B) {
				b.SetParallelism(16)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						write()
					}
				})
			})
		})
	}
}
