package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// An operator makes, changes, pauses and deletes webhooks and asks for what was sent; a secret is alone on standard output, once.
func TestWebhookCommands(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.env = append(b.env, "DATABASE_URL="+testkit.DatabaseURL(t, engine))
			b.run("user", "create", "--email", "ann@example.com", "--no-password").want(0)
			b.run("webhook", "list").want(0, "no webhooks")
			b.run("webhook", "create", "example.com").want(2, "https://")
			b.run("webhook", "create", "https://example.com/hooks", "--kind", "members").want(2, "member.*")
			secret := b.run("webhook", "create", "https://example.com/hooks", "--kind", "member.*", "--kind", "org.deleted", "--description", "Warehouse").want(0, "only time").out
			if !regexp.MustCompile(`^whsec_[0-9A-Za-z+/]{43}=\n$`).MatchString(secret) {
				t.Fatal(secret)
			}
			list := b.run("webhook", "list", "--json").want(0)
			if strings.Contains(list.out, "whsec_") || len(list.json().Items) != 1 || list.json().Items[0]["created_by"] != "cli" {
				t.Fatal(list.out)
			}
			id := list.json().Items[0]["id"].(string)
			b.run("webhook", "list").want(0, id+"\thttps://example.com/hooks\tmember.*,org.deleted\twell\t\tWarehouse")
			b.run("webhook", "pause", id, "--json").want(0, `"paused": "paused"`)
			b.run("webhook", "resume", id, "--json").want(0, `"paused": null`)
			b.run("webhook", "update", id, "--all-kinds", "--url", "https://example.com/other", "--json").want(0, `"kinds": []`, "example.com/other")
			b.run("webhook", "update", id, "--all-kinds", "--kind", "org.*").want(2, "exclude each other")
			if next := b.run("webhook", "rotate", id, "--overlap-hours", "2", "--json").want(0).out; !strings.Contains(next, `"secret": "whsec_`) || strings.Contains(next, strings.TrimSpace(secret)) {
				t.Fatal(next)
			}
			b.run("webhook", "rotate", id, "--overlap-hours", "169").want(2, "168")
			b.run("webhook", "deliveries", id, "--json").want(0, `"items": []`)
			b.run("webhook", "deliveries", "whk_x").want(3, "no such webhook")
			b.run("webhook", "replay", id).want(2, "--since")
			b.run("webhook", "replay", id, "--delivery", "dlv_x").want(3, "no such delivery")
			b.run("webhook", "replay", id, "--since", "2031-05-06T07:08:09Z").want(0, "will be sent again")
			b.run("webhook", "delete", id).want(2, "--yes")
			b.run("webhook", "delete", id, "--yes", "--json").want(0, `"deleted": true`)
			b.run("webhook", "delete", id, "--yes").want(3, "no such webhook")
		})
	}
}
