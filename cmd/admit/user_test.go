package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/testkit"
)

func TestUserLifeCycle(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.env = append(b.env, "DATABASE_URL="+testkit.DatabaseURL(t, engine))
			id := strings.TrimSpace(b.typing("secret-pass-1\n", "user", "create", "--email", "Ann@Example.com", "--username", "ann_b", "--phone", "+49 171 1234567",
				"--name", "Ann B", "--password-file", "-", "--role", "super_admin", "--role", "manager").want(0).out)
			for _, name := range []string{id, "ann@example.com", "ANN_B", "+491711234567"} {
				if u := b.run("user", "get", name, "--json").want(0).json(); u.ID != id || !u.IsActive || !slices.Equal(u.Roles, []string{"manager", "super_admin"}) {
					t.Fatalf("%+v", u)
				}
			}
			b.run("user", "get", "bob@example.com").want(3, `admit: There is no user "bob@example.com".`)
			b.run("user", "create", "--email", "ann@example.com", "--no-password").want(1, "Somebody has this e-mail address")
			b.run("user", "create", "--email", "ann", "--no-password").want(2, "not an e-mail address")
			b.typing("short", "user", "create", "--email", "bob@example.com", "--password-file", "-").want(2, "at least")
			b.run("user", "create", "--email", "bob@example.com", "--no-password", "--role", "Bad Role").want(3, "There is no such role")
			b.run("user", "get", "bob@example.com").want(3) // one change: no role, no account

			b.run("user", "disable", id).want(1, "last super_admin")
			b.run("role", "revoke", id, "super_admin").want(1, "last super_admin")
			bob := b.run("user", "create", "--username", "bob_c", "--no-password", "--json").want(0).json().ID
			b.run("role", "grant", "bob_c", "super-admin").want(3, "Did you mean super_admin?")
			b.run("role", "grant", "bob_c", "super_admin").want(0, "bob_c has the role super_admin now.\n")
			b.run("role", "grant", "bob_c", "super_admin").want(0, "already")
			if out := b.run("role", "list", "bob_c").want(0).out; out != "super_admin\n" {
				t.Fatal(out)
			}
			b.run("role", "revoke", "bob_c", "editer").want(0, "Nothing was changed.")
			if u := b.run("role", "revoke", id, "super_admin", "--json").want(0).json(); !slices.Equal(u.Roles, []string{"manager"}) {
				t.Fatal(u.Roles)
			}
			if u := b.run("user", "disable", id, "--json", "-q").want(0).json(); u.IsActive {
				t.Fatal(u)
			}
			b.run("user", "list").want(0, id+"\tann@example.com\tann_b\t+491711234567\tAnn B\tmanager\tdisabled\t")
			b.run("user", "enable", id).want(0)

			first := b.run("user", "list", "--limit", "1", "--json").want(0).json()
			if len(first.Items) != 1 || first.Items[0]["id"] != bob || first.Next == nil {
				t.Fatalf("%+v", first)
			}
			rest := b.run("user", "list", "--after", *first.Next, "--json").want(0).json()
			if len(rest.Items) != 1 || rest.Items[0]["id"] != id || rest.Next != nil {
				t.Fatalf("%+v", rest)
			}
			if s := b.run("user", "sessions", id, "--json").want(0).json(); len(s.Items) != 0 || s.Items == nil {
				t.Fatal(s)
			}
			b.run("user", "logout", id, "--json").want(0, `"revoked": 0`)
			b.run("user", "delete", id).want(2, "--yes")
			b.run("user", "delete", id, "--yes", "--json").want(0, `"deleted": true`)
			b.run("user", "delete", id, "--yes").want(3)
		})
	}
}

func TestDeleteAsksForTheName(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("user", "create", "--email", "ann@example.com", "--no-password").want(0)
	b.terminal.In = true
	b.typing("yes\n", "user", "delete", "ann@example.com").want(1, "Type ann@example.com", "Nothing was changed.")
	b.typing("", "user", "delete", "ann@example.com").want(1)
	b.typing("ann@example.com\n", "--no-input", "user", "delete", "ann@example.com").want(2)
	b.typing("ann@example.com\n", "user", "delete", "ann@example.com").want(0)
	b.run("user", "get", "ann@example.com").want(3)
}

func TestPasswordSources(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ann := []string{"user", "create", "--email", "ann@example.com"}
	b.run(ann...).want(2, "--password-file", "--no-password")
	b.run("user", "create", "--no-password").want(2, "--email")
	b.run(append(ann, "--password-file", filepath.Join(b.dir, "none"))...).want(1, "no such file")
	b.run(append(ann, "--password-file", "-")...).want(2, "is empty")
	b.run(append(ann, "--password-file", "-", "--no-password")...).want(2)
	b.run(append(ann, "--password", "hunter2hunter2")...).want(2, "Did you mean --password-file?")
	b.terminal.In = true
	b.typed = []string{"secret-pass-1", "secret-pass-2"}
	b.run(ann...).want(1, "not the same")
	b.typed = []string{"", ""}
	b.run(ann...).want(2, "--no-password")
	b.run(append(ann, "--no-input")...).want(2)
	b.typed = []string{"secret-pass-1", "secret-pass-1"}
	b.run(ann...).want(0, "Password: \nOnce more: \n")
	file := filepath.Join(b.dir, "password")
	if err := os.WriteFile(file, []byte("secret-pass-2\r\nmore\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.run("user", "create", "--email", "bob@example.com", "--password-file", file).want(0)
	c := b.serve().client(t)
	c.Post("/auth/login", testkit.M{"email": "ann@example.com", "password": "secret-pass-1"}).Want(200)
	c.Post("/auth/login", testkit.M{"email": "bob@example.com", "password": "secret-pass-2"}).Want(200)
}

func TestTablesForPeople(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("user", "list").want(1, "There is no database at")
	if left, _ := os.ReadDir(b.dir); len(left) > 0 {
		t.Fatal("a command that only looks leaves something behind", left)
	}
	b.run("migrate", "up").want(0)
	b.run("user", "list").want(0, "There is nobody yet.")
	b.run("user", "create", "--email", "ann@example.com", "--name", "Ann", "--no-password").want(0)
	b.terminal.Out, b.terminal.Err = true, true
	a := b.run("user", "list").want(0, "Next: admit user get")
	lines := strings.Split(a.out, "\n")
	if len(lines) != 3 || strings.Index(lines[0], "E-MAIL") != strings.Index(lines[1], "ann@") || strings.Contains(a.out, "\t") {
		t.Fatalf("%q", lines)
	}
	if a := b.run("user", "list", "--quiet").want(0); a.err != "" {
		t.Fatal(a.err)
	}
	b.run("user", "list", "--limit", "0").want(2)
	if cli.Cell("a\tb\x1b[2J\u009bc") != "a b [2J c" {
		t.Error("what a client sent moves the cursor")
	}
}

// The audit log says that it was the command line.
func TestChangesSayWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("user", "create", "--email", "ann@example.com", "--no-password").want(0)
	b.serve().stop()
	text, err := os.ReadFile(filepath.Join(b.dir, "admit-data", "events.jsonl"))
	if err != nil || !strings.Contains(string(text), `"kind":"user.created","outcome":"success","subject":"usr_`) || !strings.Contains(string(text), `"actor":"cli","user_agent":"admit cli"`) {
		t.Fatal(err, string(text))
	}
}
