package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

func TestMigrate(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, "MIGRATE_ON_START=false")
			b.env = append(b.env, "DATABASE_URL="+testkit.DatabaseURL(t, engine))
			b.run("migrate", "status").want(0, "0001\tpeople\tpending\n", "still to come")
			b.run("user", "create", "--email", "ann@example.com", "--no-password").want(1, "admit migrate up")
			b.run("serve", "--port", "0").want(1, "admit migrate up")
			b.run("migrate", "up").want(0, "0001\tpeople\t2", "Applied ")
			b.run("migrate", "up").want(0, "up to date already")
			b.run("user", "create", "--email", "ann@example.com", "--no-password").want(0)
			b.run("migrate", "down").want(2, "--yes")
			b.terminal.In = true
			b.typing("no\n", "migrate", "down").want(1, "Nothing was changed.")
			b.run("user", "get", "ann@example.com").want(0)
			b.typing("down\n", "migrate", "down").want(0, "Took back 1 step.")
			b.run("migrate", "down", "99", "--yes").want(0)
			b.run("migrate", "down", "--yes").want(0, "nothing to take back")
			b.run("user", "list").want(1, "admit migrate up")
			b.run("doctor").want(1, "✗ schema", "Fix: admit migrate up")
			b.run("migrate", "up", "--json").want(0, `"version": 1`)
			b.run("user", "get", "ann@example.com").want(3)
			if s := b.run("migrate", "status", "--json").want(0).json(); len(s.Items) == 0 || s.Items[0]["applied_at"] == nil {
				t.Fatal(s)
			}
		})
	}
}

func TestMigrateStatusMakesNoDatabase(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("migrate", "status").want(0, "pending", "There is no database at")
	b.run("migrate", "down", "--yes").want(1, "There is no database at")
	if left, _ := os.ReadDir(b.dir); len(left) > 0 {
		t.Fatal(left)
	}
}

func TestMigrateNew(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("migrate", "new", "add orgs").want(1, "not the source tree of Admit")
	dir := filepath.Join(b.dir, "internal", "database", "migrations")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": "module github.com/admit-dev/admit\n\ngo 1.26\n", "internal/database/migrations/0009_last.up.sql": "x"} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := b.run("migrate", "new", "Add orgs", "& more").want(0).out
	want := filepath.Join(dir, "0010_add_orgs_more.up.sql") + "\n" + filepath.Join(dir, "0010_add_orgs_more.down.sql") + "\n"
	if out != want {
		t.Fatalf("%s, want %s", out, want)
	}
	text, err := os.ReadFile(strings.Split(out, "\n")[0])
	if err != nil || string(text) != "-- Add orgs & more, up\n" {
		t.Fatal(err, string(text))
	}
	b.run("migrate", "new", "&").want(2)
}
