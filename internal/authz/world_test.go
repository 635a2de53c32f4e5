package authz_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/admit-dev/admit/internal/authz"
)

// Small worlds: mistakes are in how rules meet, not in how many there are.
var (
	epoch    = time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	people   = []string{"u1", "u2", "u3", "u4", "u5", "editor"} // a user may be named like a role
	places   = []string{"o1", "o2", "o3"}
	catalog  = []string{"jobs:post", "jobs:read", "jobs_x:read", "billing:read", "billing:invoices:read", "billing:invoices:refund", "sys:members:invite", "sys:users:disable"}
	patterns = append([]string{"jobs:*", "*", "sys:*", "billing:*", "billing:invoices:*", "sys:members:*", "post_job", "later:*"}, catalog...)
	sources  = slices.Sorted(maps.Keys(conditions))
)

// options leaves parts out of a world.
type options struct{ plain bool } // no conditions, guards and aliases

func drawWorld(t *rapid.T, o options) world {
	var w world
	for _, name := range catalog {
		if rapid.IntRange(0, 9).Draw(t, "declared") > 0 {
			p := authz.Permission{Name: name}
			p.Scope = rapid.SampledFrom([]authz.Scope{"", "", "", authz.ScopeOrg, authz.ScopeGlobal}).Draw(t, "scope")
			w.P.Permissions = append(w.P.Permissions, p)
			if name == "jobs:post" && !o.plain {
				w.P.Permissions = append(w.P.Permissions, authz.Permission{Name: "post_job", AliasOf: name})
			}
		}
	}
	for i := range rapid.SampledFrom([]int{1, 2, 0}).Draw(t, "templates") {
		id := []string{"owner", "admin"}[i]
		w.P.Templates = append(w.P.Templates, authz.Role{ID: id, Key: id, Name: id, Scope: authz.ScopeOrg, System: true, Grants: drawGrants(t, o)})
	}
	for i := range rapid.SampledFrom([]int{1, 2, 0}).Draw(t, "globals") {
		id := []string{"boss", "editor"}[i]
		reach := rapid.SampledFrom([]authz.Reach{authz.ReachPlatform, authz.ReachAllOrgs}).Draw(t, "reach")
		w.P.Globals = append(w.P.Globals, authz.Role{ID: id, Key: id, Name: id, Scope: authz.ScopeGlobal, Reach: reach, Grants: drawGrants(t, o)})
	}
	w.P.Guards = drawGuards(t, o, "")
	for _, user := range people {
		if rapid.Bool().Draw(t, "listed") {
			w.P.Users = append(w.P.Users, authz.GlobalUser{User: user, Disabled: rapid.IntRange(0, 5).Draw(t, "disabled") == 0, Roles: drawRoles(t, w.P.Globals)})
		}
	}
	for _, id := range places[:rapid.SampledFrom([]int{2, 3, 1, 0}).Draw(t, "orgs")] {
		w.Orgs = append(w.Orgs, drawOrg(t, o, w.P, id))
	}
	return w
}

func drawOrg(t *rapid.T, o options, p authz.PlatformRows, id string) authz.OrgRows {
	org := authz.OrgRows{ID: id, Suspended: rapid.IntRange(0, 7).Draw(t, "org suspended") == 0, Guards: drawGuards(t, o, id)}
	for i := range rapid.SampledFrom([]int{2, 3, 1, 0}).Draw(t, "roles") {
		r := authz.Role{ID: fmt.Sprintf("%s-r%d", id, i), Org: id, Key: []string{"editor", "viewer", "u1"}[i], Scope: authz.ScopeOrg, Grants: drawGrants(t, o)}
		if len(p.Templates) > 0 && rapid.Bool().Draw(t, "based") {
			r.Base = rapid.SampledFrom(p.Templates).Draw(t, "base").ID
		}
		org.Roles = append(org.Roles, r)
	}
	for _, user := range people {
		if rapid.Bool().Draw(t, "member") {
			org.Members = append(org.Members, drawMember(t, user, slices.Concat(p.Templates, org.Roles)))
		}
	}
	return org
}

func drawMember(t *rapid.T, user string, roles []authz.Role) authz.Member {
	return authz.Member{User: user, Suspended: rapid.IntRange(0, 5).Draw(t, "suspended") == 0, Roles: drawRoles(t, roles)}
}

func drawGrants(t *rapid.T, o options) (list []authz.Grant) {
	for range rapid.SampledFrom([]int{2, 1, 3, 0}).Draw(t, "grants") {
		g := authz.Grant{Pattern: rapid.SampledFrom(patterns).Draw(t, "pattern")}
		if !o.plain && rapid.IntRange(0, 2).Draw(t, "conditional") == 0 {
			g.Condition = rapid.SampledFrom(sources).Draw(t, "condition")
		}
		if o.plain && g.Pattern == "post_job" {
			continue
		}
		list = append(list, g)
	}
	return list
}

func drawGuards(t *rapid.T, o options, org string) (list []authz.Guard) {
	if o.plain || rapid.IntRange(0, 2).Draw(t, "guarded") > 0 {
		return nil
	}
	for i := range rapid.IntRange(1, 2).Draw(t, "guards") {
		list = append(list, authz.Guard{ID: fmt.Sprintf("%sg%d", org, i), Org: org, Pattern: rapid.SampledFrom(patterns).Draw(t, "guarded pattern"), Condition: rapid.SampledFrom(sources).Draw(t, "guard"), Message: "no"})
	}
	return list
}

func drawRoles(t *rapid.T, roles []authz.Role) (list []authz.Assignment) {
	if len(roles) == 0 {
		return nil
	}
	for range rapid.SampledFrom([]int{1, 2, 3, 0}).Draw(t, "assignments") {
		a := authz.Assignment{Role: rapid.SampledFrom(roles).Draw(t, "role").ID}
		if rapid.IntRange(0, 3).Draw(t, "ends") == 0 {
			end := epoch.Add(time.Duration(rapid.IntRange(-1, 2).Draw(t, "end")) * time.Minute)
			a.ExpiresAt = &end
		}
		list = append(list, a)
	}
	return list
}

// drawFacts is a question without its subject, permission and organization.
func drawFacts(t *rapid.T) authz.Query {
	q := authz.Query{Now: epoch.Add(time.Duration(rapid.IntRange(-90, 150).Draw(t, "now")) * time.Second)}
	pick := func(name string, values ...any) map[string]any {
		if v := rapid.SampledFrom(values).Draw(t, name); v != nil {
			return map[string]any{name: v}
		}
		return map[string]any{}
	}
	q.Resource = pick("owner", nil, "u1", "u2", 7, []string{"u1"})
	q.Context = pick("mfa_age", nil, 100, 1000, "soon")
	maps.Copy(q.Context, pick("ok", nil, true, false, "true"))
	switch rapid.IntRange(0, 5).Draw(t, "ceiling") {
	case 0:
		q.Ceiling = &authz.Ceiling{Patterns: []authz.Pattern{pattern(rapid.SampledFrom(patterns).Draw(t, "under")), pattern("billing:read")},
			Org: rapid.SampledFrom([]string{"", "", "o1"}).Draw(t, "within")}
	case 1:
		q.Ceiling = &authz.Ceiling{Actor: rapid.SampledFrom(people).Draw(t, "actor")}
	case 2:
		if rapid.Bool().Draw(t, "shut") {
			q.Ceiling = &authz.Ceiling{}
		}
	}
	return q
}

func pattern(s string) authz.Pattern {
	p, err := authz.ParsePattern(s)
	if err != nil {
		panic(err)
	}
	return p
}

func compile(t interface{ Fatal(...any) }, w world) *authz.Root {
	r, err := authz.Compile(1, w.P, w.Orgs)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// every asks all questions that there are in small worlds: everybody and a stranger, every permission and its alias and one that
// is not declared, no organization, every one and one that is not there.
func every(facts authz.Query, ask func(q authz.Query)) {
	for _, s := range append([]string{"stranger", ""}, people...) {
		for _, p := range append([]string{"post_job", "nobody:declared"}, catalog...) {
			for _, o := range append([]string{"", "nowhere"}, places...) {
				q := facts
				q.Subject, q.Permission, q.Org = s, p, o
				ask(q)
			}
		}
	}
}

func allowed(t interface{ Errorf(string, ...any) }, r *authz.Root, q authz.Query) bool {
	d, err := r.Check(q)
	if (err != nil) != (d.Code == authz.UnknownPermission) || d.Allowed != (d.Code == authz.Granted) || d.Rev != r.Rev() {
		t.Errorf("%+v: %+v, %v", q, d, err)
	}
	return d.Allowed
}

// decisions is the answers to all questions.
func decisions(t interface{ Errorf(string, ...any) }, r *authz.Root, facts authz.Query) (list []bool) {
	every(facts, func(q authz.Query) { list = append(list, allowed(t, r, q)) })
	return list
}

// check runs a property a few times; -rapid.checks runs it more often.
func check(t *testing.T, property func(t *rapid.T)) {
	t.Helper()
	rapid.Check(t, property)
}
