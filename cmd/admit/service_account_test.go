package main

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// An operator makes a service account, gives it roles and keys, and disables and deletes it; a server that runs goes by it.
func TestServiceAccountCommands(t *testing.T) {
	on(t, func(b *bench) {
		b.run("service-account", "create", "Importer").want(1)
		b.run("org", "create", "Acme").want(0)
		s := b.serve()
		b.run("service-account", "list", "--org", "acme").want(0, "There is no service account there")
		b.run("service-account", "create", "Importer", "--org", "nowhere").want(3)
		b.run("service-account", "create", "Importer", "--org", "acme", "--role", "chief").want(2, "no such role")
		b.run("service-account", "create", "Importer", "--org", "acme", "--role", "owner").want(2, "own")
		b.run("service-account", "create", "Importer", "--role", "super_admin").want(2)
		b.run("service-account", "create", "").want(2)
		svc := strings.TrimSpace(b.run("service-account", "create", "Importer", "--org", "acme", "--description", "Nightly").want(0).out)
		site := b.run("service-account", "create", "Watcher", "--role", "manager", "--json").want(0, `"org_id": null`, `"is_active": true`, `"created_by": "cli"`).json().ID
		b.run("service-account", "list").want(0, site+"\tWatcher\tactive\t")
		if list := b.run("service-account", "list", "--org", "acme", "--json").want(0).json().Items; len(list) != 1 || list[0]["id"] != svc || list[0]["description"] != "Nightly" {
			b.Fatal(list)
		}
		b.run("service-account", "list", "--after", "nonsense").want(2)
		b.run("service-account", "get", "svc_nobody").want(3, "admit service-account list")
		b.run("service-account", "set", svc).want(2, "--name or --description")
		b.run("service-account", "set", svc, "--name", "Exporter", "--json").want(0, `"name": "Exporter"`, `"description": "Nightly"`)
		b.run("service-account", "get", svc).want(0, "name\tExporter\n", "state\tactive\n")

		text := b.run("key", "create", svc, "--name", "Server 1", "--scope", "*", "--scope", "sys:*").want(0, "only time").out
		if !regexp.MustCompile(`^admit_svc_[0-9a-z]{55}\n$`).MatchString(text) {
			b.Fatal(text)
		}
		c := s.client(b.T)
		c.Bearer = strings.TrimSpace(text)
		if me := c.Get("/auth/me").Want(200); me.Text("id") != svc {
			b.Fatalf("%s", me.Body)
		}
		seen := func(what, path string, status int) {
			b.Helper()
			eventually(b.T, 2*time.Second, what, func() bool { return c.Get(path).Status == status })
		}
		c.Get("/api/v1/orgs/acme/members").Want(403)
		b.run("org", "role", "grant", "acme", svc, "admin").want(0)
		seen("a role", "/api/v1/orgs/acme/members", 200)
		b.run("org", "members", "acme").want(0, svc)
		b.run("org", "role", "grant", "acme", svc, "owner").want(2, "own")
		b.run("role", "grant", svc, "super_admin").want(2)
		b.run("service-account", "disable", svc, "--json").want(0, `"is_active": false`)
		seen("it is disabled", "/auth/me", 401)
		b.run("service-account", "list", "--org", "acme").want(0, "\tdisabled\t")
		b.run("service-account", "enable", svc).want(0)
		seen("it is enabled", "/auth/me", 200)

		key := b.run("key", "list", svc, "--json").want(0).json().Items[0]["id"].(string)
		next := b.run("key", "rotate", key, "--overlap-hours", "0").want(0, "only time").out
		seen("the key is replaced", "/auth/me", 401)
		c.Bearer = strings.TrimSpace(next)
		c.Get("/auth/me").Want(200)
		for _, k := range b.run("key", "list", svc, "--json").want(0).json().Items {
			if id := k["id"].(string); id != key {
				b.run("key", "revoke", id, "--yes").want(0)
			}
		}
		seen("the key is revoked", "/auth/me", 401)

		b.run("service-account", "delete", site).want(2, "--yes")
		b.run("service-account", "delete", site, "--yes", "--json").want(0, `"deleted": true`)
		b.run("service-account", "get", site).want(3)
		b.run("user", "list", "--json").want(0, `"items": []`) // they are nobody
		b.run("message", "list", "--json").want(0, `"items": []`)
	})
}
