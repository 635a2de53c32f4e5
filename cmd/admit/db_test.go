package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// Everything goes from SQLite to Postgres: whoever was signed in is, everybody signs in with what they had, and the log verifies and
// goes on. PEOPLE=100000 does it with as many.
func TestMoveToPostgres(t *testing.T) {
	if !slices.Contains(testkit.Engines(), "postgres") {
		t.Skip("TEST_ENGINES leaves Postgres out")
	}
	t.Parallel()
	b := newBench(t)
	from, to := "sqlite:///"+filepath.Join(b.dir, "admit-data", "admit.db"), testkit.DatabaseURL(t, "postgres")
	b.run("db", "move", "--to", to).want(1, "There is no database at")
	s := b.serve()
	w := settle(b, s, from)
	records, head := w.sealed(b)
	b.run("db", "move", "--to", to).want(1, "Another program has the database open")
	s.stop()
	b.run("db", "move", "--to", from).want(2, "moved to Postgres")

	b.terminal.Err = true
	moved := b.run("db", "move", "--to", to, "--json").want(0, "moving [", "100 %", filepath.Join("admit-data", "session_secret_key"))
	b.terminal.Err = false
	var summary struct {
		Rows   int64
		Tables []struct {
			Table string
			Rows  int
			Sum   string
		}
	}
	if err := json.Unmarshal([]byte(moved.out), &summary); err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, c := range summary.Tables {
		rows[c.Table] = c.Rows
		if len(c.Sum) != 64 || (c.Rows == 0) != (strings.Trim(c.Sum, "0") == "") {
			t.Errorf("%+v", c)
		}
	}
	if rows["users"] != w.people+2 || rows["events"] < records || rows["api_keys"] != 1 || rows["totp_secrets"] != 1 || rows["signing_keys"] != 1 || rows["memberships"] != 1 {
		t.Errorf("%v", rows)
	}
	b.run("db", "move", "--to", to).want(1, "is not empty")

	b.env = append([]string{"DATABASE_URL=" + to}, b.env...)
	b.run("db", "move", "--to", to).want(1, "Only a SQLite database is moved")
	s = b.serve()
	w.lives(s)
	if after, _ := w.sealed(b, head); after <= records {
		t.Errorf("%d records, and %d before", after, records)
	}
	b.run("audit", "tail", "--type", "store.moved").want(0, `"from":"sqlite"`)
	b.run("doctor").want(10, "✓ database", "✓ signing key")
}
