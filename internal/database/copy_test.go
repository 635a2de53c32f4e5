package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/database"
)

// fill copies everything of one store into another.
func fill(ctx context.Context, from, to *database.DB, schema int64, replace bool) ([]database.Count, error) {
	var tally database.Tally
	err := to.Fill(ctx, database.Filling{Schema: schema, Replace: replace,
		From: func(sink database.Sink) error {
			if schema < database.Newest() {
				sink = &earlier{Sink: sink}
			}
			tally.To = sink
			return from.Dump(ctx, &tally, nil)
		},
		Finish: func(tx *database.Tx) error { tx.Emit(happened{"filled"}); return nil }})
	if err != nil {
		return nil, err
	}
	return tally.Counts(), nil
}

// earlier is a sink of a step that lacks tables of the next one, and columns that it adds: of a copy from then they would not be a part.
type earlier struct {
	database.Sink
	later bool // the table
	less  int  // how many columns, the last ones
}

var addsColumn = regexp.MustCompile(`ALTER TABLE (\w+) ADD COLUMN `)

func (e *earlier) Table(t database.Table) error {
	e.less = 0
	newest, _ := filepath.Glob(fmt.Sprintf("migrations/%04d_*.up.sql", database.Newest()))
	text, err := os.ReadFile(newest[0])
	if err != nil {
		return err
	}
	for _, adds := range addsColumn.FindAllSubmatch(text, -1) {
		if string(adds[1]) == t.Name {
			e.less++
		}
	}
	t.Columns = t.Columns[:len(t.Columns)-e.less]
	err = e.Sink.Table(t)
	e.later = err != nil && strings.Contains(err.Error(), "there is no table")
	if e.later {
		return nil
	}
	return err
}

func (e *earlier) Row(values []any) error {
	if e.later {
		return nil
	}
	return e.Sink.Row(values[:len(values)-e.less])
}

// lived is a store in which things have happened: on Postgres in another order than their numbers say.
func lived(t *testing.T, c database.Config) *database.DB {
	t.Helper()
	ctx := t.Context()
	d := migrated(t, c)
	emit := func(what string) {
		if err := d.Write(ctx, func(tx *database.Tx) error { tx.Emit(happened{what}); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	emit("first")
	raw := rawly(t, c)
	if d.Engine() == "postgres" {
		late, err := raw.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := late.Exec(`SELECT pg_current_xact_id()`); err != nil { // begins before, writes after
			t.Fatal(err)
		}
		emit("second")
		if _, err := late.Exec(`INSERT INTO events (id, at, kind, subject, outcome, actor, session_id, org_id, ip, user_agent, request_id, data) VALUES ('evt_late', 1, 'test', '', 'success', '', '', '', '', '', '', '{}')`); err != nil {
			t.Fatal(err)
		}
		if err := late.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{
		`INSERT INTO users (id, name, created_at, updated_at, disabled_at) VALUES ('usr_a', 'Ann "Å" 😀', 1, 2, NULL), ('usr_b', '', 3, 4, 5)`,
		`INSERT INTO audit_people (user_id, salt, gone) VALUES ('usr_a', ` + map[string]string{"sqlite": `x'00ff27'`, "postgres": `'\x00ff27'`}[d.Engine()] + `, TRUE)`,
		`UPDATE audit_floor SET turn = 7`,
		`INSERT INTO orgs (id, slug, name, created_at, updated_at) VALUES ('org_a', 'a', 'A', 1, 1)`,
		`INSERT INTO org_roles (org_id, id, key, name, base, system, version, created_at, updated_at) VALUES ('org_a', 'owner', 'owner', 'Owner', '', TRUE, 1, 1, 1)`,
	} {
		if _, err := raw.Exec(text); err != nil {
			t.Fatal(text, err)
		}
	}
	for i := range 120 { // more than go with one statement
		emit(fmt.Sprint(i))
	}
	return d
}

func migrated(t *testing.T, c database.Config) *database.DB {
	t.Helper()
	d, err := database.Open(t.Context(), c, database.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func rawly(t *testing.T, c database.Config) *sql.DB {
	t.Helper()
	driver, address := "pgx", c.URL
	if file := c.File(); file != "" {
		driver, address = "sqlite", file+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func told(t *testing.T, d *database.DB) []database.Record {
	t.Helper()
	list, err := d.Events(t.Context(), database.Cursor{}, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A store is filled with everything of another: the rows are the same, events keep their places and their order, and what happens
// then is later than all of them, also later than what the other did after it was copied.
func TestFill(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		from := lived(t, c)
		each(t, func(t *testing.T, c2 database.Config) {
			if from.Engine() == "postgres" && c2.File() != "" {
				_, err := fill(t.Context(), from, migrated(t, c2), database.Newest(), false)
				if !errors.Is(err, database.ErrOrder) {
					t.Fatal(err)
				}
				return
			}
			before := told(t, from)
			to := migrated(t, c2)
			given, err := fill(t.Context(), from, to, database.Newest()-1, false) // what is of an earlier step is brought up to date
			if err != nil {
				t.Fatal(err)
			}
			if err := to.CheckSchema(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if err := to.Write(t.Context(), func(tx *database.Tx) error { tx.Emit(happened{"after"}); return nil }); err != nil {
					t.Fatal(err)
				}
			}
			after := told(t, to)
			if len(after) != len(before)+4 {
				t.Fatalf("%d events, of %d", len(after), len(before))
			}
			for i, r := range before {
				if after[i].Unsettled = false; after[i].ID != r.ID || after[i].Cursor != r.Cursor || string(after[i].Data) != string(r.Data) {
					t.Fatalf("%d: %+v, was %+v", i, after[i], r)
				}
			}
			last, err := to.LastEvent(t.Context())
			if err != nil || last.Before(after[len(before)].Cursor) || after[len(before)].Cursor.Before(database.Cursor{Tx: before[len(before)-1].Cursor.Tx, Seq: before[len(before)-1].Cursor.Seq + 1_000_000}) {
				t.Errorf("the newest is at %v, and those that were copied end at %v: %v", last, before[len(before)-1].Cursor, err)
			}
			var tally database.Tally
			if err := to.Dump(t.Context(), &tally, nil); err != nil {
				t.Fatal(err)
			}
			for i, got := range tally.Counts() {
				if got.Table != "events" && got != given[i] {
					t.Errorf("%+v, was %+v", got, given[i])
				}
			}
		})
	})
}

// Where sinks of events stand is copied, on an engine too whose events lack one half of it.
func TestFillKeepsPlaces(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		from := migrated(t, c)
		if _, err := rawly(t, c).Exec(`INSERT INTO event_sinks (name, tx, seq, moved_at, holder, held_until, failures, due_at, reply) VALUES ('kafka', 7, 3, 1, '', 0, 0, 0, '')`); err != nil {
			t.Fatal(err)
		}
		each(t, func(t *testing.T, c2 database.Config) {
			to := migrated(t, c2)
			if _, err := fill(t.Context(), from, to, database.Newest(), false); err != nil {
				t.Fatal(err)
			}
			got, err := database.All[database.Cursor](t.Context(), to, `SELECT tx, seq FROM event_sinks`)
			if err != nil || len(got) != 1 || got[0] != (database.Cursor{Tx: 7, Seq: 3}) {
				t.Fatal(got, err)
			}
		})
	})
}

// A store that is not empty is filled only when it is to be replaced, and stays as it is when that fails on the way.
func TestFillIsWhole(t *testing.T) {
	each(t, func(t *testing.T, c database.Config) {
		ctx := t.Context()
		d := lived(t, c)
		src := c
		if c.File() != "" {
			src.URL += ".other"
		} else {
			src = config(t, "postgres")
		}
		other := migrated(t, src)
		if _, err := fill(ctx, other, d, database.Newest(), false); !errors.Is(err, database.ErrNotEmpty) {
			t.Fatal(err)
		}
		before := told(t, d)
		stop := errors.New("the disk is gone")
		for _, at := range []string{"events", "users", "audit_floor"} {
			err := d.Fill(ctx, database.Filling{Schema: database.Newest(), Replace: true, Finish: func(*database.Tx) error { return nil },
				From: func(to database.Sink) error { return other.Dump(ctx, breaks{to, at, stop}, nil) }})
			if !errors.Is(err, stop) {
				t.Fatal(err)
			}
			if after := told(t, d); !slices.EqualFunc(before, after, func(a, b database.Record) bool { return a.ID == b.ID }) {
				t.Fatalf("%d events, were %d", len(after), len(before))
			}
		}
		for what, from := range map[string]func(database.Sink) error{
			"tables are missing": func(to database.Sink) error { return nil },
			"there is no table":  func(to database.Sink) error { return to.Table(database.Table{Name: "users; DROP TABLE users"}) },
			"has no column": func(to database.Sink) error {
				return to.Table(database.Table{Name: "audit_people", Columns: []database.Column{{Name: "user_id", Type: "TEXT"}, {Name: "salt", Type: "TEXT"}, {Name: "gone", Type: "BOOLEAN"}}})
			},
			"columns, not":        func(to database.Sink) error { return to.Table(database.Table{Name: "audit_people"}) },
			"or it was given twi": func(to database.Sink) error { return errors.Join(other.Dump(ctx, to, nil), other.Dump(ctx, to, nil)) },
		} {
			err := d.Fill(ctx, database.Filling{Schema: database.Newest(), Replace: true, From: from, Finish: func(*database.Tx) error { return nil }})
			if err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("%v, want %q", err, what)
			}
		}
		if len(told(t, d)) != len(before) {
			t.Fatal("the store is another")
		}
		if _, err := fill(ctx, other, d, database.Newest(), true); err != nil {
			t.Fatal(err)
		}
		if after := told(t, d); len(after) != 1 {
			t.Errorf("%v", after)
		}
	})
}

// breaks is a sink that ends at a table.
type breaks struct {
	database.Sink
	at  string
	err error
}

func (b breaks) Table(t database.Table) error {
	if t.Name == b.at {
		return b.err
	}
	return b.Sink.Table(t)
}

// A file that somebody has open is not taken for oneself; a closed one is let go.
func TestAlone(t *testing.T) {
	c := config(t, "sqlite")
	if err := database.Alone(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	d := migrated(t, c)
	if err := database.Alone(t.Context(), c); !errors.Is(err, database.ErrInUse) {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := database.Alone(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}
