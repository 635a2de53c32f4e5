package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// on runs a test with a bench on every engine.
func on(t *testing.T, f func(b *bench)) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.env = append(b.env, "DATABASE_URL="+testkit.DatabaseURL(t, engine))
			f(b)
		})
	}
}

// people makes accounts without a password and gives their ids.
func (b *bench) people(names ...string) (ids []string) {
	b.Helper()
	for _, n := range names {
		ids = append(ids, strings.TrimSpace(b.run("user", "create", "--email", n+"@example.com", "--no-password").want(0).out))
	}
	return ids
}

// members is who belongs to an organization, and as what.
func (b *bench) members(org string) map[string]string {
	b.Helper()
	all := map[string]string{}
	for _, m := range b.run("org", "members", org, "--json").want(0).json().Items {
		var keys []string
		for _, r := range m["roles"].([]any) {
			keys = append(keys, r.(map[string]any)["key"].(string))
		}
		all[strings.TrimSuffix(m["email"].(string), "@example.com")] = strings.Join(keys, ",")
	}
	return all
}

func TestOrgLifeCycle(t *testing.T) {
	on(t, func(b *bench) {
		ids := b.people("ann")
		id := strings.TrimSpace(b.run("org", "create", "Acme Inc", "--slug", "Acme", "--owner", "ann@example.com").want(0, "ann@example.com owns").out)
		if o := b.run("org", "get", "acme", "--json").want(0).json(); o.ID != id || o.Slug != "acme" || o.Suspended {
			b.Fatalf("%+v", o)
		}
		b.run("org", "create", "Acme Inc", "--slug", "acme").want(1, "slug is taken")
		b.run("org", "create", "Acme Inc", "--owner", "eve@example.com").want(3, "There is no user")
		b.run("org", "create", "A", "--slug", "-").want(2, "A slug has")
		b.run("org", "get", "acmee").want(3, `There is no organization "acmee". Did you mean acme?`)

		b.run("org", "rename", "acme").want(2, "--slug")
		b.run("org", "rename", "acme", "Acme International", "--slug", "acme-int").want(0)
		for _, ref := range []string{id, "acme", "ACME-INT"} { // what it was called goes on leading to it
			b.run("org", "get", ref).want(0, "id\t"+id+"\n", "slug\tacme-int\n", "name\tAcme International\n", "owners\tann@example.com\n", "members\t1\n")
		}
		b.run("user", "get", "ann@example.com", "--json").want(0, `"organizations": [`, id)
		b.run("org", "create", "Empty").want(0, "Nobody owns it yet")
		if l := b.run("org", "list", "--limit", "1", "--json").want(0).json(); len(l.Items) != 1 || l.Items[0]["slug"] != "empty" || l.Next == nil {
			b.Fatalf("%+v", l)
		} else if l := b.run("org", "list", "--after", *l.Next, "--json").want(0).json(); len(l.Items) != 1 || l.Items[0]["id"] != id || l.Next != nil {
			b.Fatalf("%+v", l)
		}

		if o := b.run("org", "suspend", "acme", "--json").want(0).json(); !o.Suspended {
			b.Fatal(o)
		}
		b.run("permission", "check", "ann@example.com", "sys:org:update", "--org", "acme").want(4, "denied\torg_suspended\n")
		b.run("org", "reinstate", "acme").want(0)
		b.run("permission", "check", "ann@example.com", "sys:org:update", "--org", "acme").want(0, "allowed\tgranted\n")

		b.run("org", "delete", "acme").want(2, "1 membership and 0 roles of its own, cannot be undone", "--yes")
		b.run("org", "delete", "acme", "--yes", "--json").want(0, `"deleted": true`)
		b.run("org", "get", "acme").want(3)
		b.run("user", "get", ids[0]).want(0, "organizations\t\n")
	})
}

func TestOrgMembers(t *testing.T) {
	on(t, func(b *bench) {
		b.people("ann", "bob", "eve")
		b.run("org", "create", "Acme", "--owner", "ann@example.com").want(0)
		b.run("org", "role", "create", "acme", "Recruiter").want(0)
		holds := func(who, roles string) {
			b.Helper()
			if got := b.members("acme")[who]; got != roles {
				b.Fatalf("%s holds %q, not %q", who, got, roles)
			}
		}
		b.run("org", "add-member", "acme", "bob@example.com", "--role", "recruitr").want(3, `no role "recruitr" in acme. Did you mean recruiter?`)
		b.run("org", "add-member", "acme", "nobody@example.com").want(3, "There is no user")
		b.run("org", "role", "grant", "acme", "bob@example.com", "recruiter").want(3, "bob@example.com is not a member of acme.", "add-member")
		b.run("org", "add-member", "acme", "bob@example.com").want(0)
		b.run("org", "add-member", "acme", "bob@example.com").want(1, "is a member already")
		holds("bob", "member")
		b.run("org", "add-member", "acme", "eve@example.com", "--role", "admin", "--role", "recruiter").want(0)
		holds("eve", "admin,recruiter")

		b.run("org", "role", "grant", "acme", "bob@example.com", "recruiter", "--for", "8h").want(0, "member, recruiter until 2")
		b.run("org", "role", "grant", "acme", "bob@example.com", "recruiter", "--for=-8h").want(2, "over already")
		b.run("org", "role", "grant", "acme", "bob@example.com", "owner", "--for", "8h").want(2, "has no end")
		if a := b.run("org", "role", "grant", "acme", "bob@example.com", "recruiter").want(0); strings.Contains(a.err, "until") {
			b.Fatal("a role that is given for good has an end", a.err)
		}
		b.run("org", "role", "revoke", "acme", "bob@example.com", "recruiter").want(0)
		b.run("org", "role", "revoke", "acme", "bob@example.com", "recruiter").want(0)
		b.run("org", "role", "revoke", "acme", "bob@example.com", "member").want(0, "no role")
		holds("bob", "")

		b.run("org", "suspend", "acme", "eve@example.com").want(0)
		b.run("permission", "check", "eve@example.com", "sys:members:read", "--org", "acme").want(4, "member_suspended")
		b.run("org", "members", "acme").want(0, "eve@example.com\t\t\tadmin,recruiter\tsuspended\t")
		b.run("org", "reinstate", "acme", "eve@example.com").want(0)
		b.run("permission", "check", "eve@example.com", "sys:members:read", "--org", "acme").want(0)

		b.run("org", "role", "revoke", "acme", "ann@example.com", "owner").want(1, "needs an owner")
		b.run("org", "remove-member", "acme", "ann@example.com").want(1, "needs an owner")
		b.run("org", "suspend", "acme", "ann@example.com").want(1, "needs an owner")
		b.run("org", "role", "grant", "acme", "eve@example.com", "owner").want(0)
		b.run("org", "transfer", "acme", "bob@example.com").want(0, "bob@example.com owns acme now, and nobody else.")
		holds("ann", "admin") // who would have nothing left
		holds("eve", "admin,recruiter")
		holds("bob", "owner")
		b.run("org", "remove-member", "acme", "eve@example.com").want(0)
		b.run("org", "transfer", "acme", "eve@example.com").want(3, "is not a member")
		holds("bob", "owner")
		if l := b.run("org", "members", "acme", "--limit", "1", "--json").want(0).json(); l.Next == nil || l.Items[0]["email"] != "ann@example.com" {
			b.Fatalf("%+v", l)
		}
	})
}

// An invitation that is printed lets in who it is for, once, and only the last that was printed.
func TestInviteLink(t *testing.T) {
	on(t, func(b *bench) {
		b.people("ann")
		b.run("org", "create", "Acme", "--owner", "ann@example.com").want(0)
		b.run("org", "role", "create", "acme", "Recruiter").want(0)
		for _, n := range []string{"bob", "eve"} {
			b.typing("a password of theirs", "user", "create", "--email", n+"@example.com", "--password-file", "-").want(0)
		}
		s := b.serve()
		b.env = append(b.env, "BASE_URL="+s.origin)
		accept := func(who, link string) testkit.Answer {
			c := s.client(b.T)
			c.Post("/auth/login", testkit.M{"email": who + "@example.com", "password": "a password of theirs"}).Want(200)
			return c.Post("/api/v1/invitations/accept", testkit.M{"token": strings.TrimPrefix(strings.TrimSpace(link), s.origin+"/invitation?token=")})
		}
		b.run("org", "invite", "acme", "bob@example.com", "--role", "nobody").want(3, "There is no role")
		b.run("org", "invite", "acme", "not an address").want(2)
		b.run("org", "invite", "acme", "ann@example.com").want(1, "is a member already")
		first := b.run("org", "invite", "acme", "Bob@example.com", "--role", "recruiter").want(0, "It lets bob@example.com join acme until").out
		b.run("org", "invite", "acme", "bob@example.com").want(1, "is invited to acme already", "--again")
		b.run("org", "invitations", "acme").want(0, "\tbob@example.com\trecruiter\t")
		again := b.run("org", "invite", "acme", "bob@EXAMPLE.com", "--again", "--json").want(0).json().URL
		accept("bob", first).Want(404)
		accept("eve", again).Want(403)
		accept("bob", again).Want(200)
		accept("bob", again).Want(404)
		if m := b.members("acme"); m["bob"] != "recruiter" {
			b.Fatal(m)
		}
		b.run("org", "invite", "acme", "bob@example.com", "--again").want(3)

		lost := b.run("org", "invite", "acme", "eve@example.com").want(0).out
		b.run("org", "uninvite", "acme", "eve@example.com").want(0)
		b.run("org", "uninvite", "acme", "eve@example.com").want(3, "No invitation to acme waits for")
		accept("eve", lost).Want(404)
		if l := b.run("org", "invitations", "acme", "--json").want(0).json(); len(l.Items) != 0 || l.Items == nil {
			b.Fatal(l)
		}
	})
}

func TestOrgRoles(t *testing.T) {
	on(t, func(b *bench) {
		b.people("ann", "bob")
		b.run("org", "create", "Acme", "--owner", "ann@example.com").want(0)
		b.run("org", "create", "Other").want(0)
		for _, n := range []string{"post_job", "jobs:read", "jobs:close"} {
			b.run("permission", "declare", n).want(0)
		}
		permits := func(list ...string) {
			b.Helper()
			if got := b.run("org", "role", "get", "acme", "recruiter", "--json").want(0).json().Permissions; !slices.Equal(got, list) {
				b.Fatal(got, list)
			}
		}
		b.run("org", "role", "create", "acme", "Recruiter", "--permission", "post_job", "--permission", "post_jib").want(2, `"post_jib": This permission was never declared. Did you mean post_job?`)
		b.run("org", "role", "create", "acme", "Owner").want(2, "built in")
		if out := b.run("org", "role", "create", "acme", "Recruiter", "--permission", "post_job", "--permission", `jobs:* if resource.owner in ["a", "b"]`).want(0).out; out != "recruiter\n" {
			b.Fatal(out)
		}
		permits(`jobs:* if resource.owner in ["a", "b"]`, "post_job")
		b.run("org", "role", "create", "acme", "recruiter").want(1, "of that name already")
		b.run("org", "role", "get", "other", "recruiter").want(3, "There is no role")

		b.run("org", "role", "set", "acme", "recruiter").want(2, "--permission")
		b.run("org", "role", "set", "acme", "recruiter", "--permission", "post_job", "--add", "jobs:read").want(2, "together")
		b.run("org", "role", "set", "acme", "recruiter", "--remove", "post_jb").want(3, "Did you mean post_job?")
		b.run("org", "role", "set", "acme", "recruiter", "--add", "jobs:read", "--add", "jobs:close if now > now", "--remove", "post_job").want(0)
		permits(`jobs:* if resource.owner in ["a", "b"]`, "jobs:close if now > now", "jobs:read")
		b.run("org", "role", "set", "acme", "recruiter", "--add", "post_job if no such thing").want(2, "line 1, column")
		b.run("org", "role", "set", "acme", "recruiter", "--permission", "post_job", "--base", "admin", "--name", "Head Hunter").want(0, "head-hunter")
		b.run("org", "role", "get", "acme", "head-hunter").want(0, "base\tadmin\n", "permission\tpost_job\n")
		b.run("org", "role", "set", "acme", "head-hunter", "--base", "", "--name", "Recruiter").want(0)
		b.run("org", "role", "set", "acme", "recruiter", "--remove", "post_job").want(0, "permits nothing")
		permits()
		b.run("org", "role", "set", "acme", "admin", "--add", "post_job").want(1, "built in")

		b.run("org", "role", "list", "acme").want(0, "owner\tOwner\t\t1\t*, sys:*\n", "recruiter\tRecruiter\t\t0\t\n")
		b.run("org", "add-member", "acme", "bob@example.com", "--role", "recruiter").want(0)
		b.run("org", "role", "delete", "acme", "recruiter").want(1, "Somebody holds this role")
		b.run("org", "role", "revoke", "acme", "bob@example.com", "recruiter").want(0)
		b.run("org", "role", "delete", "acme", "recruiter").want(0)
		b.run("org", "role", "delete", "acme", "recruiter").want(3)
	})
}
