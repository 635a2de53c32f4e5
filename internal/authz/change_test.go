package authz_test

import (
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/admit-dev/admit/internal/authz"
)

// step changes a world and its Root in the same way, as far as possible by the narrow way.
func step(t *rapid.T, w *world, r *authz.Root) *authz.Root {
	next, err := (*authz.Root)(nil), error(nil)
	rev := r.Rev() + 1
	switch rapid.SampledFrom([]string{"member", "members", "org", "drop", "platform", "users"}).Draw(t, "step") {
	case "platform":
		fresh := drawWorld(t, options{})
		fresh.P.Templates = slices.Clone(w.P.Templates)
		for i := range fresh.P.Templates {
			fresh.P.Templates[i].Grants = drawGrants(t, options{})
		}
		if rapid.Bool().Draw(t, "new template") && len(w.P.Templates) < 2 {
			id := []string{"owner", "admin"}[len(w.P.Templates)]
			fresh.P.Templates = append(fresh.P.Templates, authz.Role{ID: id, Key: id, Name: id, Scope: authz.ScopeOrg, System: true})
		}
		if rapid.Bool().Draw(t, "same catalogue") {
			fresh.P.Permissions = w.P.Permissions
		}
		w.P = fresh.P
		next, err = r.With(rev, &w.P, nil, nil)
	case "org":
		id := rapid.SampledFrom(places).Draw(t, "place")
		o := drawOrg(t, options{}, w.P, id)
		w.Orgs = append(slices.DeleteFunc(w.Orgs, func(o authz.OrgRows) bool { return o.ID == id }), o)
		next, err = r.With(rev, nil, []authz.OrgRows{o}, nil)
	case "drop":
		id := rapid.SampledFrom(places).Draw(t, "place")
		w.Orgs = slices.DeleteFunc(w.Orgs, func(o authz.OrgRows) bool { return o.ID == id })
		next, err = r.With(rev, nil, nil, []string{id})
	case "users":
		user := rapid.SampledFrom(people).Draw(t, "user")
		w.P.Users = slices.DeleteFunc(w.P.Users, func(u authz.GlobalUser) bool { return u.User == user })
		if rapid.Bool().Draw(t, "gone") {
			next, err = r.WithMembers(rev, "", nil, []string{user})
			break
		}
		u := authz.GlobalUser{User: user, Disabled: rapid.Bool().Draw(t, "disabled"), Roles: drawRoles(t, w.P.Globals)}
		w.P.Users = append(w.P.Users, u)
		next, err = r.WithMembers(rev, "", []authz.Member{{User: user, Suspended: u.Disabled, Roles: u.Roles}}, nil)
	default:
		if len(w.Orgs) == 0 {
			return r
		}
		o := &w.Orgs[rapid.IntRange(0, len(w.Orgs)-1).Draw(t, "org")]
		user := rapid.SampledFrom(people).Draw(t, "user")
		o.Members = slices.DeleteFunc(o.Members, func(m authz.Member) bool { return m.User == user })
		if rapid.IntRange(0, 3).Draw(t, "gone") == 0 {
			next, err = r.WithMembers(rev, o.ID, nil, []string{user})
			break
		}
		m := drawMember(t, user, slices.Concat(w.P.Templates, o.Roles))
		o.Members = append(o.Members, m)
		next, err = r.WithMembers(rev, o.ID, []authz.Member{m}, nil)
	}
	if err != nil || next.Rev() != rev {
		t.Fatalf("revision %d, want %d: %v", next.Rev(), rev, err)
	}
	return next
}

// Invariants 2, 3 and 31: after every step a Root is what it would be compiled anew, answers as the oracle does, and the one before
// it still answers as it did.
func Test03IncrementalIsRebuild(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		r := compile(t, w)
		facts := drawFacts(t)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			dump, before := r.Dump(), decisions(t, r, facts)
			w = clone(w)
			next := step(t, &w, r)
			if got, want := next.Dump(), compile(t, w).Dump(); got != want {
				t.Fatalf("got\n%s\nwant\n%s", got, want)
			}
			every(facts, func(q authz.Query) {
				if want, _ := oracle(w, q); want != allowed(t, next, q) {
					t.Fatalf("%+v: the oracle says %v", q, want)
				}
			})
			if r.Dump() != dump {
				t.Fatal("the old Root has changed")
			}
			same(t, before, decisions(t, r, facts))
			r = next
		}
	})
}

// Invariants 7 and 8: doing it twice is doing it once, and undoing it brings everything back.
func Test07IdempotenceAndInverse(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		if len(w.Orgs) == 0 {
			return
		}
		r := compile(t, w)
		o := w.Orgs[0]
		m := drawMember(t, rapid.SampledFrom(people).Draw(t, "user"), slices.Concat(w.P.Templates, o.Roles))
		once := with(t, r, o.ID, []authz.Member{m}, nil)
		m.Roles = append(m.Roles, m.Roles...)
		twice := with(t, once, o.ID, []authz.Member{m}, nil)
		if once.Dump() != twice.Dump() {
			t.Fatal("twice is not once")
		}
		var back *authz.Root
		if i := slices.IndexFunc(o.Members, func(was authz.Member) bool { return was.User == m.User }); i >= 0 {
			back = with(t, twice, o.ID, o.Members[i:i+1], nil)
		} else {
			back = with(t, twice, o.ID, nil, []string{m.User})
		}
		if back.Dump() != r.Dump() {
			t.Fatal("undone is not as it was")
		}
	})
}

func with(t *rapid.T, r *authz.Root, org string, changed []authz.Member, removed []string) *authz.Root {
	next, err := r.WithMembers(r.Rev()+1, org, changed, removed)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// Invariant 9: what changes in one organization changes nothing in another, not even in memory.
func Test09OrgIsolation(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		r := compile(t, w)
		id := rapid.SampledFrom(places).Draw(t, "place")
		next, err := r.With(2, nil, []authz.OrgRows{drawOrg(t, options{}, w.P, id)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range w.Orgs {
			if o.ID != id && (!authz.SameOrg(r, next, o.ID) || r.DumpOrg(o.ID) != next.DumpOrg(o.ID)) {
				t.Fatalf("%s was touched", o.ID)
			}
		}
		every(drawFacts(t), func(q authz.Query) {
			if q.Org != id && allowed(t, r, q) != allowed(t, next, q) {
				t.Fatalf("%+v has changed", q)
			}
		})
	})
}

// Invariant 31: Roots answer the same forever, while their successors are made. For the race detector.
func Test31Concurrency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		r := compile(t, w)
		facts := drawFacts(t)
		facts.Now = epoch
		want := decisions(t, r, facts)
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				var got []bool
				every(facts, func(q authz.Query) {
					d, _ := r.Check(q)
					e, _ := r.Explain(q)
					got = append(got, d.Allowed && e.Allowed)
				})
				if !slices.Equal(want, got) {
					panic("the decisions differ")
				}
			})
		}
		next := r
		for range 3 {
			next = step(t, &w, next)
		}
		group.Wait()
	})
}

// Bad rows are refused, and the refusal names them.
func TestBadRows(t *testing.T) {
	role := func(r authz.Role) world { return world{Orgs: []authz.OrgRows{{ID: "o1", Roles: []authz.Role{r}}}} }
	long := string(make([]byte, 300))
	for name, c := range map[string]struct {
		w    world
		want string
	}{
		"pattern":            {role(authz.Role{ID: "r1", Org: "o1", Key: "k", Scope: authz.ScopeOrg, Grants: []authz.Grant{{Pattern: "Jobs:*"}}}), `organization o1: role r1, grant "Jobs:*": pattern_invalid`},
		"condition":          {role(authz.Role{ID: "r1", Org: "o1", Key: "k", Scope: authz.ScopeOrg, Grants: []authz.Grant{{Pattern: "jobs:*", Condition: "resource.x ==\n  == 3"}}}), "role r1, grant jobs:*: condition_invalid: This condition cannot be used: line 2, column 3"},
		"not a condition":    {role(authz.Role{ID: "r1", Org: "o1", Key: "k", Scope: authz.ScopeOrg, Grants: []authz.Grant{{Pattern: "jobs:*", Condition: "1 + 1"}}}), "must give true or false"},
		"unknown variable":   {role(authz.Role{ID: "r1", Org: "o1", Key: "k", Scope: authz.ScopeOrg, Grants: []authz.Grant{{Pattern: "jobs:*", Condition: "user.id == 'x'"}}}), "line 1, column 1: undeclared reference to 'user'"},
		"foreign role":       {role(authz.Role{ID: "r1", Org: "o2", Key: "k", Scope: authz.ScopeOrg}), `role "r1" belongs to "o2"`},
		"scope":              {role(authz.Role{ID: "r1", Org: "o1", Key: "k", Scope: authz.ScopeGlobal}), `scope "global"`},
		"reach":              {role(authz.Role{ID: "r1", Org: "o1", Key: "k", Scope: authz.ScopeOrg, Reach: authz.ReachAllOrgs}), "reach"},
		"base":               {role(authz.Role{ID: "r1", Org: "o1", Key: "k", Scope: authz.ScopeOrg, Base: "r1"}), `base "r1" is no template`},
		"no key":             {role(authz.Role{ID: "r1", Org: "o1", Scope: authz.ScopeOrg}), "role r1"},
		"no id":              {role(authz.Role{Org: "o1", Key: "k", Scope: authz.ScopeOrg}), "an id has"},
		"long id":            {role(authz.Role{ID: long, Org: "o1", Key: "k", Scope: authz.ScopeOrg}), "has 300"},
		"role twice":         {world{Orgs: []authz.OrgRows{{ID: "o1", Roles: []authz.Role{{ID: "r", Org: "o1", Key: "a", Scope: authz.ScopeOrg}, {ID: "r", Org: "o1", Key: "b", Scope: authz.ScopeOrg}}}}}, "two roles"},
		"unknown role":       {world{Orgs: []authz.OrgRows{{ID: "o1", Members: []authz.Member{{User: "u", Roles: []authz.Assignment{{Role: "r9"}}}}}}}, `organization o1: member u: there is no role "r9"`},
		"member twice":       {world{Orgs: []authz.OrgRows{{ID: "o1", Members: []authz.Member{{User: "u"}, {User: "u"}}}}}, "member u is there twice"},
		"organization twice": {world{Orgs: []authz.OrgRows{{ID: "o1"}, {ID: "o1"}}}, "organization o1 is there twice"},
		"guard":              {world{P: authz.PlatformRows{Guards: []authz.Guard{{ID: "g1", Pattern: "jobs:*", Condition: "true &&"}}}}, "guard g1: condition_invalid"},
		"guard without":      {world{P: authz.PlatformRows{Guards: []authz.Guard{{ID: "g1", Pattern: "jobs:*"}}}}, "guard g1: condition_invalid"},
		"foreign guard":      {world{P: authz.PlatformRows{Guards: []authz.Guard{{ID: "g1", Org: "o1", Pattern: "jobs:*", Condition: "true"}}}}, "guard \"g1\""},
		"permission":         {world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "jobs:*"}}}}, `permission "jobs:*": permission_invalid`},
		"permission twice":   {world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "a"}, {Name: "a"}}}}, "permission a is declared twice"},
		"alias of nothing":   {world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "a", AliasOf: "b"}}}}, `alias of "b"`},
		"alias of an alias":  {world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "a", AliasOf: "b"}, {Name: "b", AliasOf: "c"}, {Name: "c"}}}}, `alias of "b"`},
		"alias into sys":     {world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "a", AliasOf: "sys:a"}, {Name: "sys:a"}}}}, "sys:"},
	} {
		_, err := authz.Compile(1, c.w.P, c.w.Orgs)
		if err == nil || !contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// A set of roles that nobody holds any more makes room for the next: changing members for years does not fill the memory.
func TestSetsAreReused(t *testing.T) {
	w := world{Orgs: []authz.OrgRows{{ID: "o1"}}}
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		w.Orgs[0].Roles = append(w.Orgs[0].Roles, authz.Role{ID: id, Org: "o1", Key: id, Scope: authz.ScopeOrg})
	}
	r := compile(t, w)
	for i := range 256 {
		m := authz.Member{User: "u"}
		for j, role := range w.Orgs[0].Roles {
			if i>>j&1 == 1 {
				m.Roles = append(m.Roles, authz.Assignment{Role: role.ID})
			}
		}
		var err error
		if r, err = r.WithMembers(int64(i), "o1", []authz.Member{m}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := authz.Sets(r, "o1"); n != 1 {
		t.Errorf("%d sets are kept for one member", n)
	}
}
