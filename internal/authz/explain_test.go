package authz_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/admit-dev/admit/internal/authz"
)

// Invariant 39: an explanation is the decision with reasons, and carries nothing of another organization.
func Test39ExplainIsCheck(t *testing.T) {
	check(t, func(t *rapid.T) {
		r := compile(t, drawWorld(t, options{}))
		every(drawFacts(t), func(q authz.Query) {
			d, err := r.Check(q)
			e, why := r.Explain(q)
			if d != e.Decision || (err == nil) != (why == nil) || err != nil && err.Error() != why.Error() {
				t.Fatalf("%+v: %+v %v, explained as %+v %v", q, d, err, e.Decision, why)
			}
			if e.Allowed != (len(e.GrantedBy) > 0 && len(e.BlockedBy) == 0) {
				t.Fatalf("%+v: %+v", q, e)
			}
			if e.ForUser() == "" || !strings.HasPrefix(e.ForAdmin(), string(d.Code)) {
				t.Fatalf("%q, %q", e.ForUser(), e.ForAdmin())
			}
			shown := text(e) + e.ForUser() + e.ForAdmin()
			for _, other := range places {
				if other != q.Org && (strings.Contains(shown, other+"-r") || strings.Contains(shown, other+"g")) {
					t.Fatalf("%s in %s", other, shown)
				}
			}
		})
	})
}

// Invariant 38, soundness: without all the grants that are listed the answer is no, and any one of them alone is enough.
func Test38ExplainSoundness(t *testing.T) {
	allows := 0
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		r := compile(t, w)
		facts := drawFacts(t)
		facts.Ceiling = nil
		every(facts, func(q authz.Query) {
			e, err := r.Explain(q)
			if err != nil || !e.Allowed {
				return
			}
			allows++
			if d, _ := compile(t, without(w, e.GrantedBy, authz.Path{})).Check(q); d.Allowed {
				t.Fatalf("%+v is allowed without %+v", q, e.GrantedBy)
			}
			for _, kept := range e.GrantedBy {
				if d, _ := compile(t, without(w, e.GrantedBy, kept)).Check(q); !d.Allowed {
					t.Fatalf("%+v is denied with %+v: %s", q, kept, d.Code)
				}
			}
		})
	})
	t.Logf("%d allows", allows)
}

// without takes the grants of paths out of the roles that hold them, but for those of the path that is kept.
func without(w world, paths []authz.Path, kept authz.Path) world {
	w = clone(w)
	strip := func(list []authz.Role, scope authz.Scope) {
		for i := range list {
			list[i].Grants = slices.DeleteFunc(list[i].Grants, func(g authz.Grant) bool {
				listed := func(p authz.Path) bool {
					holder := p.Role
					if p.Via != "" {
						holder = p.Via
					}
					return p.Scope == scope && holder == list[i].ID && p.Pattern == g.Pattern && p.Condition == g.Condition
				}
				return slices.ContainsFunc(paths, listed) && !listed(kept)
			})
		}
	}
	strip(w.P.Globals, authz.ScopeGlobal)
	strip(w.P.Templates, authz.ScopeOrg)
	for _, o := range w.Orgs {
		strip(o.Roles, authz.ScopeOrg)
	}
	return w
}

// Invariant 38, completeness: every role that is suggested would allow it, and when nothing else stands against it, every role
// that would is suggested.
func Test38WouldAllow(t *testing.T) {
	suggested := 0
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		r := compile(t, w)
		every(drawFacts(t), func(q authz.Query) {
			e, err := r.Explain(q)
			if err != nil || e.Allowed || len(e.BlockedBy) > 0 || e.Code == authz.WrongScope || e.Code == authz.UnknownOrg || q.Subject == "" {
				if len(e.WouldAllow) > 0 {
					t.Fatalf("%+v: %+v", q, e)
				}
				return
			}
			for _, g := range w.P.Globals {
				tryRole(t, w, q, e, authz.ScopeGlobal, g.ID)
			}
			for _, o := range w.Orgs {
				for _, role := range slices.Concat(w.P.Templates, o.Roles) {
					if o.ID == q.Org {
						tryRole(t, w, q, e, authz.ScopeOrg, role.ID)
					}
				}
			}
			suggested += len(e.WouldAllow)
		})
	})
	t.Logf("%d suggestions", suggested)
}

func tryRole(t *rapid.T, w world, q authz.Query, e authz.Explanation, scope authz.Scope, role string) {
	given := clone(w)
	a := authz.Assignment{Role: role}
	if scope == authz.ScopeGlobal {
		i := slices.IndexFunc(given.P.Users, func(u authz.GlobalUser) bool { return u.User == q.Subject })
		if i < 0 {
			given.P.Users, i = append(given.P.Users, authz.GlobalUser{User: q.Subject}), len(given.P.Users)
		}
		given.P.Users[i].Roles = append(given.P.Users[i].Roles, a)
	} else {
		o := &given.Orgs[slices.IndexFunc(given.Orgs, func(o authz.OrgRows) bool { return o.ID == q.Org })]
		i := slices.IndexFunc(o.Members, func(m authz.Member) bool { return m.User == q.Subject })
		if i < 0 {
			o.Members, i = append(o.Members, authz.Member{User: q.Subject}), len(o.Members)
		}
		o.Members[i].Roles = append(o.Members[i].Roles, a)
	}
	would, _ := oracle(given, q)
	named := slices.ContainsFunc(e.WouldAllow, func(s authz.Suggestion) bool { return s.Scope == scope && s.Role == role })
	// A role may also allow by what a condition on another grant says of it, or be held by the impersonator too: then it is not named.
	if named && !would {
		t.Fatalf("%+v: %s %s is suggested and would not allow", q, scope, role)
	}
	if would && !named && q.Ceiling == nil && !asksForRoles(given) {
		t.Fatalf("%+v: %s %s would allow and is not suggested", q, scope, role)
	}
}

func asksForRoles(w world) bool { return strings.Contains(text(w), "in subject.roles") }

// An explanation says by which of several ways somebody holds a permission, and what would give it.
func TestExplain(t *testing.T) {
	w := world{
		P: authz.PlatformRows{Permissions: append(authz.SystemPermissions(), authz.Permission{Name: "jobs:post"}, authz.Permission{Name: "post_job", AliasOf: "jobs:post"}),
			Templates: authz.SystemTemplates(), Globals: authz.SystemGlobals(), Users: []authz.GlobalUser{{User: "root", Roles: []authz.Assignment{{Role: authz.SuperAdmin}}}}},
		Orgs: []authz.OrgRows{{ID: "o1", Roles: []authz.Role{{ID: "rol_1", Org: "o1", Key: "recruiter", Scope: authz.ScopeOrg, Base: "member", Grants: []authz.Grant{{Pattern: "post_job"}}}},
			Members: []authz.Member{{User: "max", Roles: []authz.Assignment{{Role: "member"}}}, {User: "root", Roles: []authz.Assignment{{Role: "admin"}}}}}},
	}
	r := compile(t, w)
	e, err := r.Explain(authz.Query{Subject: "max", Permission: "post_job", Org: "o1"})
	if err != nil || e.Code != authz.MissingPermission || e.Permission != "jobs:post" || len(e.Held) != 1 || e.Held[0].Matched {
		t.Fatalf("%+v, %v", e, err)
	}
	var roles []string
	for _, s := range e.WouldAllow {
		roles = append(roles, s.Key+" "+s.Pattern)
	}
	if want := []string{"recruiter post_job", "admin *", "owner *", "super_admin *"}; !slices.Equal(roles, want) {
		t.Errorf("%v, want %v", roles, want)
	}
	if want := "missing_permission; roles held: [member], none grants jobs:post"; e.ForAdmin() != want {
		t.Error(e.ForAdmin())
	}
	if e, _ = r.Explain(authz.Query{Subject: "root", Permission: "jobs:post", Org: "o1"}); len(e.GrantedBy) != 2 || e.AcrossOrgs {
		t.Errorf("%+v", e)
	}
	stranger := w
	stranger.Orgs = []authz.OrgRows{{ID: "o1"}}
	if e, _ = compile(t, stranger).Explain(authz.Query{Subject: "root", Permission: "jobs:post", Org: "o1"}); !e.Allowed || !e.AcrossOrgs {
		t.Errorf("%+v", e)
	}
}

// A role is suggested for what it gives under a condition only if the condition would hold for who has the role.
func TestSuggestConditional(t *testing.T) {
	role := func(key, condition string) authz.Role {
		return authz.Role{ID: key, Org: "o1", Key: key, Scope: authz.ScopeOrg, Grants: []authz.Grant{{Pattern: "jobs:post", Condition: condition}}}
	}
	r := compile(t, world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "jobs:post"}}}, Orgs: []authz.OrgRows{{ID: "o1", Roles: []authz.Role{
		role("editor", `"editor" in subject.roles`), role("viewer", `"editor" in subject.roles`), role("later", "context.ok == true"),
	}}}})
	e, err := r.Explain(authz.Query{Subject: "max", Permission: "jobs:post", Org: "o1"})
	if err != nil || len(e.WouldAllow) != 1 || e.WouldAllow[0].Role != "editor" {
		t.Errorf("%+v, %v", e.WouldAllow, err)
	}
}
