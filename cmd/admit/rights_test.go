package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

func TestGlobalRoles(t *testing.T) {
	on(t, func(b *bench) {
		b.people("ann")
		if out := b.run("role", "create", "Support Desk", "--permission", "sys:users:read").want(0).out; out != "support-desk\n" {
			b.Fatal(out)
		}
		b.run("role", "create", "support desk").want(1, "of that name already")
		b.run("role", "create", "x", "--reach", "moon").want(2)
		b.run("role", "list").want(0, "super_admin\tSuper admin\tall_orgs\t*, sys:*\n", "manager\tManager\tplatform\t\n", "support-desk\tSupport Desk\tplatform\tsys:users:read\n")
		b.run("role", "grant", "ann@example.com", "suport-desk").want(3, "Did you mean support-desk?")
		b.run("role", "grant", "ann@example.com", "support-desk").want(0)
		if out := b.run("role", "list", "ann@example.com").want(0).out; out != "support-desk\n" {
			b.Fatal(out)
		}
		b.run("permission", "check", "ann@example.com", "sys:users:read").want(0)
		b.run("role", "set", "support-desk").want(2, "--reach")
		b.run("role", "set", "support-desk", "--reach", "moon").want(2, "platform or all_orgs")
		b.run("role", "set", "support-desk", "--add", "sys:orgs:read", "--remove", "sys:users:read", "--reach", "all_orgs", "--name", "Desk").want(0)
		if r := b.run("role", "get", "support-desk", "--json").want(0).json(); !slices.Equal(r.Permissions, []string{"sys:orgs:read"}) || r.Reach != "all_orgs" || r.Name != "Desk" {
			b.Fatalf("%+v", r)
		}
		b.run("permission", "check", "ann@example.com", "sys:users:read").want(4)
		b.run("role", "get", "suport-desk").want(3, "Did you mean support-desk?")
		b.run("role", "set", "super_admin", "--permission", "sys:users:read").want(1, "built in")
		b.run("role", "delete", "support-desk").want(1, "Somebody holds this role")
		b.run("role", "revoke", "ann@example.com", "support-desk").want(0)
		b.run("role", "delete", "support-desk", "--json").want(0, `"deleted": true`)
		b.run("role", "delete", "support-desk").want(3)
	})
}

func TestCatalogue(t *testing.T) {
	on(t, func(b *bench) {
		b.run("permission", "declare", "post_job", "Post a job").want(0, "Declared post_job.")
		b.run("permission", "declare", "post_job").want(0, "Nothing was changed.")
		b.run("permission", "declare", "post_job", "--sensitive", "--description", "On the front page.").want(0, "in other words")
		b.run("permission", "declare", "post_job", "--no-sensitive", "--deprecated").want(0)
		b.run("permission", "declare", "publish_job", "--alias-of", "post_job", "--app", "shop").want(0)
		b.run("permission", "declare", "post_job", "--app", "shop").want(1, "Another app")
		b.run("permission", "declare", "Post Job").want(2, "A permission has one to three parts")
		b.run("permission", "declare", "sys:own").want(2, "belongs to the server")
		b.run("permission", "declare", "sys:users:read", "See them").want(2, "belongs to the server")
		b.run("permission", "list", "--app", "app").want(0, "post_job\tPost a job\tapp\tboth\tdeprecated\n")
		b.run("permission", "list").want(0, "publish_job\t\tshop\tboth\tmeans post_job\n", "sys:users:read\tSee users\tadmit\tplatform\t\n", "sys:members:read\tSee members\tadmit\torganizations\t\n")
		if l := b.run("permission", "list", "--app", "app", "--json").want(0).json(); len(l.Items) != 1 || l.Items[0]["description"] != "On the front page." || l.Items[0]["alias_of"] != nil {
			b.Fatalf("%+v", l)
		}

		b.run("permission", "remove", "post_jb").want(3, "Did you mean post_job?")
		b.run("permission", "remove", "sys:users:read", "--force").want(2, "belongs to the server")
		b.run("permission", "remove", "post_job", "--force").want(1, "publish_job is another name")
		b.run("permission", "remove", "publish_job").want(0)
		b.run("role", "set", "manager", "--add", "post_job").want(0)
		b.run("permission", "remove", "post_job").want(1, "Manager")
		b.run("permission", "remove", "post_job", "--force").want(0)
		b.people("ann")
		b.run("permission", "check", "ann@example.com", "post_job").want(3, "never declared")
		b.run("role", "set", "manager", "--add", "jobs:*").want(2, `"post_job": This permission was never declared.`)
		b.run("role", "set", "manager", "--add", "jobs:*", "--remove", "post_job").want(0)
	})
}

// What is said of each answer, in words.
func TestExplain(t *testing.T) {
	on(t, func(b *bench) {
		b.people("ann", "bob", "eve")
		b.run("org", "create", "Acme", "--owner", "ann@example.com").want(0)
		b.run("permission", "declare", "post_job", "Post a job").want(0)
		b.run("permission", "declare", "post_ad").want(0)
		b.run("org", "role", "create", "acme", "Recruiter", "--permission", "post_job").want(0)
		b.run("role", "set", "manager", "--permission", "post_job", "--reach", "all_orgs").want(0)
		explain := func(who string, code int, says ...string) {
			b.Helper()
			of := []string{who + "@example.com", "post_job", "--org", "acme"}
			b.run(append([]string{"permission", "check"}, of...)...).want(code)
			b.run(append([]string{"permission", "explain"}, of...)...).want(0, says...)
		}
		explain("ann", 0, "ann@example.com is allowed post_job in acme.\n", "It is given by the role owner of acme, which permits *.\n")
		explain("bob", 4, "bob@example.com is not allowed post_job in acme.\n", "They do not belong to acme.\n", "No role of theirs counts here.\n",
			"Any of these roles would give it: recruiter of acme, which permits post_job; admin of acme, which permits *; owner of acme, which permits *; manager (global), which permits post_job; super_admin (global), which permits *.\n")
		b.run("org", "add-member", "acme", "bob@example.com").want(0)
		explain("bob", 4, "None of their roles gives it: member of acme.\n")
		b.run("org", "role", "grant", "acme", "bob@example.com", "recruiter", "--for", "1h").want(0)
		explain("bob", 0, "It is given by the role recruiter of acme, which permits post_job, until 2")
		b.run("role", "grant", "eve@example.com", "manager").want(0)
		explain("eve", 0, "It is given by the role manager (global), which permits post_job.\n", "They are no active member of acme: only global roles count for them there.\n")
		b.run("permission", "who", "post_job", "--org", "acme").want(0, "\tann@example.com\towner\talways\n", "\tbob@example.com\trecruiter\talways\n", "\teve@example.com\tmanager\talways\n")
		if l := b.run("permission", "who", "post_job", "--org", "acme", "--limit", "2", "--json").want(0).json(); len(l.Items) != 2 || l.Next == nil {
			b.Fatalf("%+v", l)
		} else if l := b.run("permission", "who", "post_job", "--org", "acme", "--after", *l.Next, "--json").want(0).json(); len(l.Items) != 1 || l.Next != nil {
			b.Fatalf("%+v", l)
		}
		b.run("permission", "who", "post_ad").want(0, "Nobody is allowed post_ad.")

		b.run("org", "role", "set", "acme", "recruiter", "--permission", `post_job if resource.kind == "ad"`).want(0)
		explain("bob", 4, `It would be given by the role recruiter of acme, which permits post_job if resource.kind == "ad", until 2`, "reads more of resource or context")
		b.run("permission", "who", "post_job", "--org", "acme").want(0, "\tbob@example.com\trecruiter\tsometimes\n")
		of := []string{"bob@example.com", "post_job", "--org", "acme", "--resource"}
		b.run(append([]string{"permission", "explain"}, append(of, `{"kind":"post"}`)...)...).want(0, "That does not hold.\n")
		b.run(append([]string{"permission", "check"}, append(of, `{"kind":"ad"}`)...)...).want(0)
		b.run(append([]string{"permission", "check"}, append(of, `kind`)...)...).want(2, "--resource is a JSON object")

		b.run("org", "suspend", "acme", "bob@example.com").want(0)
		explain("bob", 4, "Their membership in acme is suspended.\n")
		b.run("org", "suspend", "acme").want(0)
		explain("ann", 4, "The organization is suspended")
		b.run("org", "reinstate", "acme").want(0)
		b.run("user", "disable", "eve@example.com").want(0)
		explain("eve", 4, "The account is disabled")

		b.run("permission", "explain", "ann@example.com", "sys:members:read").want(0, "Say which with --org.")
		b.run("permission", "explain", "ann@example.com", "sys:users:read", "--org", "acme").want(0, "Leave --org out.")
		b.run("permission", "explain", "ann@example.com", "post_jb").want(3, "Did you mean post_job?")
		b.run("permission", "who", "post_jb").want(3, "Did you mean post_job?")
		b.run("permission", "check", "ann@example.com", "post_job", "--org", "acmee").want(3, "Did you mean acme?")
		b.run("permission", "explain", "ann@example.com", "post_job", "--org", "acme", "--json").want(0, `"allowed": true`, `"code": "granted"`, `"revision": "az1.`, `"granted_by": [`, `"would_allow": []`)
	})
}

func TestGuards(t *testing.T) {
	on(t, func(b *bench) {
		b.people("ann")
		b.run("org", "create", "Acme", "--owner", "ann@example.com").want(0)
		b.run("permission", "declare", "billing:refund").want(0)
		refund := func(context string, code int, says ...string) {
			b.Helper()
			of := []string{"ann@example.com", "billing:refund", "--org", "acme", "--context", context}
			b.run(append([]string{"permission", "check"}, of...)...).want(code)
			b.run(append([]string{"permission", "explain"}, of...)...).want(0, says...)
		}
		refund("{}", 0)
		id := strings.TrimSpace(b.run("guard", "add", "billing:*", "context.auth_age < 900", "--org", "acme", "--message", "Sign in again.").want(0).out)
		refund("{}", 4, "A guard of acme ("+id+") stands against it: billing:* is permitted only if context.auth_age < 900.", "reads more of resource or context")
		refund(`{"auth_age":1000}`, 4, "just proved again")
		refund(`{"auth_age":10}`, 0)
		b.run("guard", "list", "--org", "acme").want(0, id+"\tbilling:*\tcontext.auth_age < 900\tSign in again.\n")
		b.run("guard", "list").want(0, "There is no guard here.")
		b.run("guard", "remove", id).want(3, "say --org")
		far := strings.TrimSpace(b.run("guard", "add", "billing:refund", "context.open == true").want(0).out)
		refund(`{"auth_age":10,"open":false}`, 4, "A guard that holds everywhere ("+far+") stands against it")
		b.run("guard", "remove", far, "--org", "acme").want(3, "There is no guard")
		b.run("guard", "remove", far).want(0)
		b.run("guard", "remove", id, "--org", "acme", "--json").want(0, `"deleted": true`)
		refund("{}", 0)
		b.run("guard", "add", "billing:*", "context.auth_age <").want(2, "line 1, column")
		b.run("guard", "add", "billing:refnd", "true").want(2, "Did you mean billing:refund?")
		b.run("guard", "add", "billing:refund", "true", "--org", "acmee").want(3, "Did you mean acme?")
	})
}

// A running server goes by a role within a second of the command that changed it: with the same session.
func TestServerSeesRoleChange(t *testing.T) {
	on(t, func(b *bench) {
		b.typing("a password of bob", "user", "create", "--email", "bob@example.com", "--password-file", "-").want(0)
		b.run("org", "create", "Acme").want(0)
		b.run("org", "role", "create", "acme", "Clerk", "--permission", "sys:members:read").want(0)
		b.run("org", "add-member", "acme", "bob@example.com", "--role", "clerk").want(0)
		c := b.serve().client(b.T)
		c.Post("/auth/login", testkit.M{"email": "bob@example.com", "password": "a password of bob"}).Want(200)
		seen := func(what, path string, status int) {
			b.Helper()
			eventually(b.T, time.Second, what, func() bool { return c.Get(path).Status == status })
		}
		members, users := "/api/v1/orgs/acme/members", "/api/v1/users"
		c.Get(members).Want(200)
		c.Get(users).Want(403)
		b.run("org", "role", "set", "acme", "clerk", "--permission", "sys:roles:read").want(0)
		seen("a permission is taken", members, 403)
		b.run("org", "role", "set", "acme", "clerk", "--add", "sys:members:read").want(0)
		seen("a permission is given", members, 200)
		b.run("guard", "add", "sys:members:read", "context.auth_age < 0", "--org", "acme").want(0)
		seen("a guard", members, 403)
		b.run("role", "set", "manager", "--add", "sys:users:read").want(0)
		b.run("role", "grant", "bob@example.com", "manager").want(0)
		seen("a global role", users, 200)
		b.run("role", "set", "manager", "--remove", "sys:users:read").want(0)
		seen("a global role that permits less", users, 403)
		b.run("org", "remove-member", "acme", "bob@example.com").want(0)
		seen("somebody is removed", members, 404)
		b.run("org", "rename", "acme", "--slug", "acme-two").want(0)
		b.run("org", "add-member", "acme", "bob@example.com", "--role", "owner").want(0)
		seen("a new slug", "/api/v1/orgs/acme-two", 200)
	})
}

func TestRightsForPeople(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("org", "list").want(1, "There is no database at")
	b.run("migrate", "up").want(0)
	b.run("org", "list").want(0, "There is no organization yet.")
	b.terminal.Out, b.terminal.Err = true, true
	b.run("org", "list").want(0, "Next: admit org create")
	b.run("org", "create", "Acme").want(0, "Next: admit org add-member acme USER --role owner")
	b.people("ann")
	if lines := strings.Split(b.run("org", "list").want(0).out, "\n"); len(lines) != 3 || strings.Index(lines[0], "SLUG") != strings.Index(lines[1], "acme") {
		t.Fatalf("%q", lines)
	}
	b.run("permission", "declare", "post_job").want(0)
	b.run("permission", "explain", "ann@example.com", "post_job", "--org", "acme").want(0, "Next: admit org add-member acme ann@example.com --role admin")
	if a := b.run("-q", "permission", "check", "ann@example.com", "post_job").want(4); a.err != "" {
		t.Error("a denial is an answer and no failure", a.err)
	}
	b.terminal.In = true
	b.typing("Acme\n", "org", "delete", "acme").want(1, "Type acme", "Nothing was changed.")
	b.typing("acme\n", "org", "delete", "acme").want(0)
	b.run("org", "roles").want(2, "Did you mean role?")
	b.run("org", "member", "acme").want(2, "Did you mean members?")
	b.run("org", "list", "--limit", "0").want(2, "--limit")
}
