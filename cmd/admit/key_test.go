package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// An operator makes, lists, replaces and ends keys; the key itself is alone on standard output, once.
func TestKeyCommands(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.env = append(b.env, "DATABASE_URL="+testkit.DatabaseURL(t, engine))
			b.run("user", "create", "--email", "ann@example.com", "--no-password").want(0)
			b.run("key", "list", "ann@example.com").want(0, "has no API keys")
			b.run("key", "list", "bob@example.com").want(3)
			b.run("key", "create", "ann@example.com", "--name", "Build", "--scope", "nothing").want(2, "never declared")
			b.run("key", "create", "ann@example.com", "--name", "Build").want(2, "--scope")
			b.run("key", "create", "ann@example.com", "--name", "Build", "--scope", "jobs:*", "--forever").want(2, "API_KEY_NEVER_EXPIRES")
			text := b.run("key", "create", "ann@example.com", "--name", "Build", "--scope", "jobs:*", "--scope", "sys:members:read", "--days", "30").want(0, "only time").out
			if !regexp.MustCompile(`^admit_key_[0-9a-z]{55}\n$`).MatchString(text) {
				t.Fatal(text)
			}
			list := b.run("key", "list", "ann@example.com", "--json").want(0)
			if strings.Contains(list.out, strings.TrimSpace(text)) || len(list.json().Items) != 1 || list.json().Items[0]["created_by"] != "cli" {
				t.Fatal(list.out)
			}
			id := list.json().Items[0]["id"].(string)
			b.run("key", "list", "ann@example.com").want(0, id+"\t"+text[:14]+"\tBuild\tjobs:*,sys:members:read\t\t")
			if next := b.run("key", "rotate", id, "--overlap-hours", "2", "--json").want(0).out; !strings.Contains(next, `"key": "admit_key_`) {
				t.Fatal(next)
			}
			b.run("key", "rotate", id).want(1, "replaced already")
			b.run("key", "rotate", id, "--overlap-hours", "169").want(2, "168")
			b.run("key", "revoke", id).want(2, "--yes")
			b.run("key", "revoke", id, "--yes", "--json").want(0, `"deleted": true`)
			b.run("key", "revoke", id, "--yes").want(3, "no such API key")
		})
	}
}
