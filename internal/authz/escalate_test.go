package authz_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/admit-dev/admit/internal/authz"
)

// drawOffice is a world in which people hold some of the rights to manage each other.
func drawOffice(t *rapid.T) world {
	w := drawWorld(t, options{})
	w.P.Permissions = authz.SystemPermissions()
	for _, name := range catalog {
		if !slices.ContainsFunc(w.P.Permissions, func(p authz.Permission) bool { return p.Name == name }) {
			w.P.Permissions = append(w.P.Permissions, authz.Permission{Name: name})
		}
	}
	manage := authz.Grant{Pattern: rapid.SampledFrom([]string{"sys:*", "sys:roles:*", "sys:members:*", "jobs:*"}).Draw(t, "management")}
	give := func(list []authz.Role) {
		for i := range list {
			if rapid.IntRange(0, 2).Draw(t, "manages") > 0 {
				list[i].Grants = append(list[i].Grants, manage, authz.Grant{Pattern: "sys:roles:*"})
			}
		}
	}
	give(w.P.Templates)
	give(w.P.Globals)
	for i := range w.Orgs {
		give(w.Orgs[i].Roles)
	}
	return w
}

// attempt is one change somebody tries in an organization, or on the platform.
func attempt(t *rapid.T, w *world, org string) {
	var roles *[]authz.Role
	var guards *[]authz.Guard
	if org == "" {
		roles, guards = &w.P.Globals, &w.P.Guards
		attemptUser(t, w)
	} else {
		i := slices.IndexFunc(w.Orgs, func(o authz.OrgRows) bool { return o.ID == org })
		roles, guards = &w.Orgs[i].Roles, &w.Orgs[i].Guards
		if rapid.Bool().Draw(t, "a member") {
			attemptMember(t, &w.Orgs[i], slices.Concat(w.P.Templates, *roles))
			return
		}
	}
	switch rapid.SampledFrom([]string{"new role", "edit role", "guard", "reach"}).Draw(t, "attempt") {
	case "new role":
		r := authz.Role{ID: org + "new", Org: org, Key: "new", Scope: authz.ScopeOrg, Grants: drawGrants(t, options{})}
		if org == "" {
			r.Scope, r.Reach = authz.ScopeGlobal, rapid.SampledFrom([]authz.Reach{authz.ReachPlatform, authz.ReachAllOrgs}).Draw(t, "reach")
		} else if len(w.P.Templates) > 0 && rapid.Bool().Draw(t, "based") {
			r.Base = w.P.Templates[0].ID
		}
		if !slices.ContainsFunc(*roles, func(x authz.Role) bool { return x.ID == r.ID }) {
			*roles = append(*roles, r)
		}
	case "edit role":
		if len(*roles) > 0 {
			(*roles)[rapid.IntRange(0, len(*roles)-1).Draw(t, "role")].Grants = drawGrants(t, options{})
		}
	case "guard":
		*guards = drawGuards(t, options{}, org)
	case "reach":
		if org == "" && len(*roles) > 0 {
			(*roles)[0].Reach = authz.ReachAllOrgs
		}
	}
}

func attemptMember(t *rapid.T, o *authz.OrgRows, roles []authz.Role) {
	user := rapid.SampledFrom(people).Draw(t, "user")
	o.Members = slices.DeleteFunc(o.Members, func(m authz.Member) bool { return m.User == user })
	if rapid.IntRange(0, 4).Draw(t, "stays") > 0 {
		o.Members = append(o.Members, drawMember(t, user, roles))
	}
}

func attemptUser(t *rapid.T, w *world) {
	user := rapid.SampledFrom(people).Draw(t, "user")
	w.P.Users = slices.DeleteFunc(w.P.Users, func(u authz.GlobalUser) bool { return u.User == user })
	w.P.Users = append(w.P.Users, authz.GlobalUser{User: user, Disabled: rapid.IntRange(0, 4).Draw(t, "disabled") == 0, Roles: drawRoles(t, w.P.Globals)})
}

// Invariants 20, 21 and 23: whatever actors do through the gate, nobody ever holds what none of them held at the start; one who acts
// alone gains nothing; and who holds more than the actor stays as they are.
func Test20NoEscalation(t *testing.T) {
	passed, refused := 0, 0
	check(t, func(t *rapid.T) {
		w := drawOffice(t)
		r := compile(t, w)
		alone := ""
		if rapid.Bool().Draw(t, "alone") {
			alone = rapid.SampledFrom(people).Draw(t, "who")
		}
		start := holdings(compile(t, awake(w)), people)
		own := holdings(r, []string{alone})
		for range rapid.IntRange(1, 10).Draw(t, "attempts") {
			a := authz.Actor{User: alone, Org: rapid.SampledFrom(append(orgIDs(w), "")).Draw(t, "where"), Now: epoch}
			if alone == "" {
				a.User = rapid.SampledFrom(people).Draw(t, "actor")
			}
			tried := clone(w)
			attempt(t, &tried, a.Org)
			next := compile(t, tried)
			if err := authz.AuthorizeChange(r, next, a); err != nil {
				refused++
				continue
			}
			if r.Dump() != next.Dump() {
				passed++
			}
			upward(t, r, next, a)
			w, r = tried, next
			for org, held := range holdings(r, people) {
				if !authz.CoversAll(start[org], held) {
					t.Fatalf("in %q there is %v, and at the start there was %v", org, held, start[org])
				}
			}
			for org, held := range holdings(r, []string{alone}) {
				if alone != "" && !authz.CoversAll(own[org], held) {
					t.Fatalf("%s holds %v in %q, and held %v", alone, held, org, own[org])
				}
			}
		}
	})
	t.Logf("%d changes, %d refused", passed, refused)
}

// awake is the world with nobody suspended: who is enabled again on the platform is in each organization what they were.
func awake(w world) world {
	w = clone(w)
	for i := range w.P.Users {
		w.P.Users[i].Disabled = false
	}
	for i := range w.Orgs {
		w.Orgs[i].Suspended = false
		for j := range w.Orgs[i].Members {
			w.Orgs[i].Members[j].Suspended = false
		}
	}
	return w
}

func orgIDs(w world) (ids []string) {
	for _, o := range w.Orgs {
		ids = append(ids, o.ID)
	}
	return ids
}

// holdings is what some people hold together, in each place.
func holdings(r *authz.Root, who []string) map[string][]authz.Grant {
	all := map[string][]authz.Grant{}
	for _, org := range append([]string{""}, places...) {
		for _, user := range who {
			all[org] = append(all[org], r.Holds(user, org, epoch)...)
		}
	}
	return all
}

func upward(t *rapid.T, before, after *authz.Root, a authz.Actor) {
	mine := before.Holds(a.User, a.Org, a.Now)
	for _, user := range people {
		theirs := before.Holds(user, a.Org, a.Now)
		if user != a.User && !authz.CoversAll(mine, theirs) && !authz.CoversAll(after.Holds(user, a.Org, a.Now), theirs) {
			t.Fatalf("%s took from %s, who held %v, with %v", a.User, user, theirs, mine)
		}
	}
}

// Invariant 22, its pure part: to join with roles is allowed exactly when being given them is.
func Test22InviteEquivalence(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawOffice(t)
		if len(w.Orgs) == 0 {
			return
		}
		o := &w.Orgs[0]
		o.Members = slices.DeleteFunc(o.Members, func(m authz.Member) bool { return m.User == "u1" })
		roles := drawRoles(t, slices.Concat(w.P.Templates, o.Roles))
		a := authz.Actor{User: rapid.SampledFrom(people[1:]).Draw(t, "actor"), Org: o.ID, Now: epoch}
		out := compile(t, w)
		in := with(t, out, o.ID, []authz.Member{{User: "u1"}}, nil)
		full := with(t, out, o.ID, []authz.Member{{User: "u1", Roles: roles}}, nil)
		join, assign := authz.AuthorizeChange(out, in, a), authz.AuthorizeChange(in, full, a)
		both := authz.AuthorizeChange(out, full, a)
		given, err := out.RoleGrants(o.ID, ids(roles))
		if err != nil {
			t.Fatal(err)
		}
		if len(given) > 0 && (both == nil) != (join == nil && assign == nil) {
			t.Fatalf("join %v, assign %v, both %v", join, assign, both)
		}
	})
}

func ids(list []authz.Assignment) (ids []string) {
	for _, a := range list {
		ids = append(ids, a.Role)
	}
	return ids
}

func TestAuthorizeChange(t *testing.T) {
	soon := epoch.Add(time.Hour)
	base := world{
		P: authz.PlatformRows{Permissions: append(authz.SystemPermissions(), authz.Permission{Name: "jobs:post"}, authz.Permission{Name: "billing:read"}),
			Templates: authz.SystemTemplates(), Globals: append(authz.SystemGlobals(), authz.Role{ID: "desk", Key: "desk", Scope: authz.ScopeGlobal, Reach: authz.ReachPlatform, Grants: []authz.Grant{{Pattern: "*"}, {Pattern: "sys:*"}}}),
			Users: []authz.GlobalUser{{User: "root", Roles: []authz.Assignment{{Role: "super_admin"}}}, {User: "clerk", Roles: []authz.Assignment{{Role: "desk"}}}, {User: "rex", Disabled: true, Roles: []authz.Assignment{{Role: "super_admin"}}}}},
		Orgs: []authz.OrgRows{{ID: "o1", Guards: []authz.Guard{{ID: "g", Org: "o1", Pattern: "sys:org:delete", Condition: "context.mfa_age < 900"}},
			Roles: []authz.Role{
				{ID: "hr", Org: "o1", Key: "hr", Scope: authz.ScopeOrg, Grants: []authz.Grant{{Pattern: "jobs:*"}, {Pattern: "sys:roles:assign"}, {Pattern: "sys:members:invite"}}},
				{ID: "host", Org: "o1", Key: "host", Scope: authz.ScopeOrg, Grants: []authz.Grant{{Pattern: "sys:members:invite"}}},
				{ID: "some", Org: "o1", Key: "some", Scope: authz.ScopeOrg, Grants: []authz.Grant{{Pattern: "jobs:*", Condition: "now > now"}, {Pattern: "sys:roles:*"}}},
			},
			Members: []authz.Member{{User: "olga", Roles: []authz.Assignment{{Role: "owner"}}}, {User: "adam", Roles: []authz.Assignment{{Role: "admin"}}}, {User: "hans", Roles: []authz.Assignment{{Role: "hr"}}},
				{User: "sue", Roles: []authz.Assignment{{Role: "some"}}}, {User: "max", Roles: []authz.Assignment{{Role: "member"}}}, {User: "helga", Roles: []authz.Assignment{{Role: "host"}}}, {User: "root"}, {User: "tim", Roles: []authz.Assignment{{Role: "hr", ExpiresAt: &soon}}}, {User: "out", Suspended: true, Roles: []authz.Assignment{{Role: "owner"}}}}}},
	}
	assign := func(user string, roles ...string) func(*world) {
		return func(w *world) {
			m := authz.Member{User: user}
			for _, r := range roles {
				m.Roles = append(m.Roles, authz.Assignment{Role: r})
			}
			w.Orgs[0].Members = append(slices.DeleteFunc(w.Orgs[0].Members, func(m authz.Member) bool { return m.User == user }), m)
		}
	}
	remove := func(user string) func(*world) {
		return func(w *world) {
			w.Orgs[0].Members = slices.DeleteFunc(w.Orgs[0].Members, func(m authz.Member) bool { return m.User == user })
		}
	}
	role := func(grants ...authz.Grant) func(*world) {
		return func(w *world) {
			w.Orgs[0].Roles = append(w.Orgs[0].Roles, authz.Role{ID: "x", Org: "o1", Key: "x", Scope: authz.ScopeOrg, Grants: grants})
		}
	}
	global := func(user, role string) func(*world) {
		return func(w *world) {
			w.P.Users = append(w.P.Users, authz.GlobalUser{User: user, Roles: []authz.Assignment{{Role: role}}})
		}
	}
	for _, c := range []struct {
		what   string
		actor  authz.Actor
		change func(*world)
		want   error
	}{
		{"nothing", authz.Actor{User: "nobody", Org: "o1"}, func(*world) {}, nil},
		{"an owner makes an owner", authz.Actor{User: "olga", Org: "o1"}, assign("max", "owner"), nil},
		{"an admin makes an owner", authz.Actor{User: "adam", Org: "o1"}, assign("max", "owner"), authz.ErrCannotGrantMore},
		{"an admin becomes an owner", authz.Actor{User: "adam", Org: "o1"}, assign("adam", "admin", "owner"), authz.ErrCannotGrantMore},
		{"an admin makes an admin", authz.Actor{User: "adam", Org: "o1"}, assign("max", "admin"), nil},
		{"an admin demotes an owner", authz.Actor{User: "adam", Org: "o1"}, assign("olga", "member"), authz.ErrCannotManageHigher},
		{"an admin removes an owner", authz.Actor{User: "adam", Org: "o1"}, remove("olga"), authz.ErrCannotManageHigher},
		{"an admin reinstates an owner", authz.Actor{User: "adam", Org: "o1"}, assign("out", "owner"), authz.ErrCannotGrantMore},
		{"an admin removes a member", authz.Actor{User: "adam", Org: "o1"}, remove("max"), nil},
		{"a member leaves", authz.Actor{User: "max", Org: "o1"}, remove("max"), nil},
		{"an admin gives up a role", authz.Actor{User: "adam", Org: "o1"}, assign("adam"), nil},
		{"a member removes another", authz.Actor{User: "max", Org: "o1"}, remove("sue"), authz.ErrCannotManageHigher},
		{"the assigner gives less", authz.Actor{User: "hans", Org: "o1"}, assign("max", "hr"), nil},
		{"the assigner gives more", authz.Actor{User: "hans", Org: "o1"}, assign("max", "admin"), authz.ErrCannotGrantMore},
		{"the assigner makes a role", authz.Actor{User: "hans", Org: "o1"}, role(authz.Grant{Pattern: "jobs:post"}), authz.ErrPermissionRequired},
		{"the assigner removes", authz.Actor{User: "hans", Org: "o1"}, remove("max"), authz.ErrPermissionRequired},
		{"a temporary role made permanent by its holder", authz.Actor{User: "tim", Org: "o1"}, assign("tim", "hr"), nil},
		{"a temporary role made permanent by another", authz.Actor{User: "sue", Org: "o1"}, assign("tim", "hr"), authz.ErrCannotGrantMore},
		{"what is conditional is not given without", authz.Actor{User: "sue", Org: "o1"}, role(authz.Grant{Pattern: "jobs:*"}), authz.ErrCannotGrantMore},
		{"what is conditional is given alike", authz.Actor{User: "sue", Org: "o1"}, role(authz.Grant{Pattern: "jobs:post", Condition: "now > now"}), nil},
		{"today's members of a pattern are not the pattern", authz.Actor{User: "hans", Org: "o1"}, role(authz.Grant{Pattern: "*"}), authz.ErrPermissionRequired},
		{"a star is not sys", authz.Actor{User: "adam", Org: "o1"}, role(authz.Grant{Pattern: "sys:org:delete"}), authz.ErrCannotGrantMore},
		{"an admin lifts a guard", authz.Actor{User: "adam", Org: "o1"}, func(w *world) { w.Orgs[0].Guards = nil }, authz.ErrCannotGrantMore},
		{"an admin relaxes a guard", authz.Actor{User: "adam", Org: "o1"}, func(w *world) { w.Orgs[0].Guards[0].Condition = "true" }, authz.ErrCannotGrantMore},
		{"an admin widens a guard", authz.Actor{User: "adam", Org: "o1"}, func(w *world) { w.Orgs[0].Guards[0].Pattern = "sys:org:*" }, nil},
		{"an admin removes a super_admin", authz.Actor{User: "adam", Org: "o1"}, remove("root"), authz.ErrCannotManageHigher},
		{"a host invites", authz.Actor{User: "helga", Org: "o1"}, assign("eve", "member"), nil},
		{"a host invites a host", authz.Actor{User: "helga", Org: "o1"}, assign("eve", "host"), authz.ErrPermissionRequired},
		{"a host makes a host", authz.Actor{User: "helga", Org: "o1"}, assign("max", "host"), authz.ErrPermissionRequired},
		{"an owner lifts a guard", authz.Actor{User: "olga", Org: "o1"}, func(w *world) { w.Orgs[0].Guards = nil }, nil},
		{"an admin deletes a role of equals", authz.Actor{User: "adam", Org: "o1"}, func(w *world) {
			w.Orgs[0].Roles = w.Orgs[0].Roles[1:]
			w.Orgs[0].Members = slices.DeleteFunc(w.Orgs[0].Members, func(m authz.Member) bool { return m.User == "hans" || m.User == "tim" })
		}, nil},
		{"a stranger", authz.Actor{User: "eve", Org: "o1"}, assign("eve", "owner"), authz.ErrCannotGrantMore},
		{"a stranger joins", authz.Actor{User: "eve", Org: "o1"}, assign("eve", "member"), authz.ErrPermissionRequired},
		{"the super_admin joins", authz.Actor{User: "root", Org: "o1"}, assign("root", "owner"), nil},
		{"a key of an owner", authz.Actor{User: "olga", Org: "o1", Ceiling: &authz.Ceiling{Patterns: []authz.Pattern{pattern("jobs:*"), pattern("sys:roles:*")}}}, assign("max", "admin"), authz.ErrCannotGrantMore},
		{"a wide key of an owner", authz.Actor{User: "olga", Org: "o1", Ceiling: &authz.Ceiling{Patterns: []authz.Pattern{pattern("*"), pattern("sys:*")}}}, assign("max", "admin"), nil},
		{"a wide key for another organization", authz.Actor{User: "olga", Org: "o1", Ceiling: &authz.Ceiling{Org: "o2", Patterns: []authz.Pattern{pattern("*"), pattern("sys:*")}}}, assign("max", "admin"), authz.ErrCannotGrantMore},
		{"a wide key for this one", authz.Actor{User: "olga", Org: "o1", Ceiling: &authz.Ceiling{Org: "o1", Patterns: []authz.Pattern{pattern("*"), pattern("sys:*")}}}, assign("max", "admin"), nil},
		{"acting as an owner", authz.Actor{User: "olga", Org: "o1", Ceiling: &authz.Ceiling{Actor: "adam"}}, assign("max", "owner"), authz.ErrCannotGrantMore},
		{"a super_admin makes another", authz.Actor{User: "root"}, global("max", "super_admin"), nil},
		{"a disabled super_admin makes another", authz.Actor{User: "rex"}, global("max", "super_admin"), authz.ErrCannotGrantMore},
		{"who reaches no organization gives reach", authz.Actor{User: "clerk"}, global("max", "super_admin"), authz.ErrCannotGrantMore},
		{"who reaches no organization gives the same", authz.Actor{User: "clerk"}, global("max", "desk"), nil},
		{"who reaches no organization widens a role", authz.Actor{User: "clerk"}, func(w *world) { w.P.Globals[1].Reach = authz.ReachAllOrgs }, authz.ErrCannotGrantMore},
		{"who reaches no organization disables who does", authz.Actor{User: "clerk"}, func(w *world) { w.P.Users[0].Disabled = true }, authz.ErrCannotManageHigher},
		{"nowhere", authz.Actor{User: "root", Org: "o9"}, func(*world) {}, authz.ErrUnknownOrganization},
	} {
		after := clone(base)
		c.change(&after)
		c.actor.Now = epoch
		if err := authz.AuthorizeChange(compile(t, base), compile(t, after), c.actor); !is(err, c.want) && err != c.want {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
}
