package authz_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/admit-dev/admit/internal/authz"
)

// pages reads a whole list in small pages.
func pages(t *rapid.T, list func(authz.Page) (authz.List, error)) (sure []string) {
	page := authz.Page{Limit: rapid.IntRange(1, 3).Draw(t, "limit")}
	last := ""
	for {
		l, err := list(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range l.Items {
			if item.ID <= last {
				t.Fatalf("%s comes after %s", item.ID, last)
			}
			if last = item.ID; !item.Conditional {
				sure = append(sure, item.ID)
			}
		}
		if len(l.Items) > page.Limit || l.Next == "" != (len(l.Items) < page.Limit) && l.Next != "" {
			t.Fatalf("%d items, next %q", len(l.Items), l.Next)
		}
		if page.Cursor = l.Next; l.Next == "" {
			return sure
		}
		if rev, err := authz.CursorRev(l.Next); err != nil || rev != l.Rev {
			t.Fatalf("the cursor is of revision %d, %v", rev, err)
		}
	}
}

// Invariants 30 and 37: lists hold exactly those for whom the answer is yes, each once, in pages of one revision.
func Test37Lists(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		r := compile(t, w)
		facts := drawFacts(t)
		yes := func(q authz.Query) bool { ok, _ := oracle(w, q); return ok }
		q := facts
		for _, q.Org = range append(orgIDs(w), "") {
			for _, p := range w.P.Permissions {
				q.Permission = p.Name
				var want []string
				for _, q.Subject = range people {
					if yes(q) {
						want = append(want, q.Subject)
					}
				}
				got := pages(t, func(p authz.Page) (authz.List, error) { return r.WhoCan(q, p) })
				if slices.Sort(want); !slices.Equal(got, want) {
					t.Fatalf("%v can %s in %q, want %v", got, q.Permission, q.Org, want)
				}
			}
			for _, q.Subject = range people {
				var want []string
				for _, p := range w.P.Permissions {
					if q.Permission = p.Name; p.AliasOf == "" && yes(q) {
						want = append(want, p.Name)
					}
				}
				got := pages(t, func(p authz.Page) (authz.List, error) { return r.WhatCan(q, p) })
				if slices.Sort(want); !slices.Equal(got, want) {
					t.Fatalf("%s can %v in %q, want %v", q.Subject, got, q.Org, want)
				}
			}
		}
		for _, p := range w.P.Permissions {
			q.Permission, q.Subject = p.Name, rapid.SampledFrom(people).Draw(t, "subject")
			var want []string
			for _, q.Org = range orgIDs(w) {
				if yes(q) {
					want = append(want, q.Org)
				}
			}
			if got := pages(t, func(p authz.Page) (authz.List, error) { return r.WhereCan(q, p) }); !slices.Equal(got, want) {
				t.Fatalf("%s can %s in %v, want %v", q.Subject, q.Permission, got, want)
			}
		}
	})
}

// A cursor of another revision, or of nobody's, is refused: a list is of one revision.
func TestCursor(t *testing.T) {
	w := world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "a"}, {Name: "b"}}, Globals: authz.SystemGlobals(), Users: []authz.GlobalUser{{User: "u1", Roles: []authz.Assignment{{Role: "super_admin"}}}}}}
	r := compile(t, w)
	l, err := r.WhatCan(authz.Query{Subject: "u1"}, authz.Page{Limit: 1})
	if err != nil || len(l.Items) != 1 || l.Next == "" {
		t.Fatalf("%+v, %v", l, err)
	}
	next, _ := r.With(2, nil, nil, nil)
	if _, err := next.WhatCan(authz.Query{Subject: "u1"}, authz.Page{Cursor: l.Next}); !is(err, authz.ErrCursor) {
		t.Error(err)
	}
	for _, bad := range []string{"x", ".", "1.", "1.!", ".YQ", "1", "x.YQ", "99999999999999999999.YQ"} {
		if _, err := r.WhatCan(authz.Query{Subject: "u1"}, authz.Page{Cursor: bad}); !is(err, authz.ErrCursor) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, list := range []func(authz.Query, authz.Page) (authz.List, error){r.WhoCan, r.WhereCan} {
		if _, err := list(authz.Query{Permission: "c"}, authz.Page{}); !is(err, authz.ErrUnknownPermission) {
			t.Error(err)
		}
	}
	if _, err := r.WhoCan(authz.Query{Permission: "a", Org: "o9"}, authz.Page{}); !is(err, authz.ErrUnknownOrganization) {
		t.Error(err)
	}
}

// Invariant 40: what is simulated is what happens, and simulating changes nothing.
func Test40SimulateIsApply(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		r := compile(t, w)
		dump := r.Dump()
		after := clone(w)
		changes := drawChanges(t, &after)
		facts := drawFacts(t)
		facts.Ceiling = nil
		var checks []authz.Query
		every(facts, func(q authz.Query) { checks = append(checks, q) })
		s, err := r.Simulate(changes, checks, facts.Now, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		next := compile(t, after)
		if r.Dump() != dump || s.Next.Dump() != next.Dump() {
			t.Fatal("simulated is not applied")
		}
		for i, q := range checks {
			was, _ := r.Check(q)
			is, _ := next.Check(q)
			if was != s.Before[i] || is != s.After[i] {
				t.Fatalf("%+v: %+v then %+v, simulated %+v then %+v", q, was, is, s.Before[i], s.After[i])
			}
		}
		diff(t, r, next, s, facts)
	})
}

func diff(t *rapid.T, r, next *authz.Root, s authz.Simulation, facts authz.Query) {
	gains, losses := map[string]bool{}, map[string]bool{}
	names := map[string]bool{} // without aliases
	for _, root := range []*authz.Root{r, next} {
		for _, p := range root.PlatformRows().Permissions {
			names[p.Name] = p.AliasOf == ""
		}
	}
	every(authz.Query{Now: facts.Now}, func(q authz.Query) {
		was, _ := r.Check(q)
		is, _ := next.Check(q)
		if !names[q.Permission] {
			return
		}
		if is.Allowed && !was.Allowed {
			gains[q.Subject+" "+q.Org+" "+q.Permission] = true
		}
		if was.Allowed && !is.Allowed {
			losses[q.Subject+" "+q.Org+" "+q.Permission] = true
		}
	})
	for what, d := range map[*authz.Diff]map[string]bool{&s.Gains: gains, &s.Losses: losses} {
		n := 0
		for _, c := range what.List {
			for _, p := range c.Permissions {
				if n++; !d[c.User+" "+c.Org+" "+p] {
					t.Fatalf("%s in %q: %s did not change", c.User, c.Org, p)
				}
			}
		}
		if n != len(d) || what.Count != n {
			t.Fatalf("%d listed, %d counted, there are %d: %v", n, what.Count, len(d), d)
		}
	}
}

func drawChanges(t *rapid.T, w *world) (c authz.Changes) {
	if rapid.Bool().Draw(t, "platform") {
		fresh := drawWorld(t, options{})
		fresh.P.Templates = w.P.Templates
		if rapid.Bool().Draw(t, "same catalogue") {
			fresh.P.Permissions = w.P.Permissions
		}
		w.P = fresh.P
		c.Platform = &w.P
	}
	if id := rapid.SampledFrom(append([]string{""}, places...)).Draw(t, "changed"); id != "" {
		o := drawOrg(t, options{}, w.P, id)
		w.Orgs = append(slices.DeleteFunc(w.Orgs, func(o authz.OrgRows) bool { return o.ID == id }), o)
		c.Orgs = append(c.Orgs, o)
	}
	if len(w.Orgs) > 0 && rapid.Bool().Draw(t, "members") {
		o := &w.Orgs[0]
		m := drawMember(t, rapid.SampledFrom(people).Draw(t, "user"), slices.Concat(w.P.Templates, o.Roles))
		o.Members = append(slices.DeleteFunc(o.Members, func(x authz.Member) bool { return x.User == m.User }), m)
		c.Members = map[string][]authz.Member{o.ID: {m}}
	}
	if rapid.Bool().Draw(t, "user") {
		u := authz.GlobalUser{User: rapid.SampledFrom(people).Draw(t, "user"), Disabled: rapid.Bool().Draw(t, "disabled"), Roles: drawRoles(t, w.P.Globals)}
		w.P.Users = append(slices.DeleteFunc(slices.Clone(w.P.Users), func(x authz.GlobalUser) bool { return x.User == u.User }), u)
		if c.Members == nil {
			c.Members = map[string][]authz.Member{}
		}
		c.Members[""] = []authz.Member{{User: u.User, Suspended: u.Disabled, Roles: u.Roles}}
		if c.Platform != nil {
			c.Platform = &authz.PlatformRows{Permissions: w.P.Permissions, Templates: w.P.Templates, Globals: w.P.Globals, Guards: w.P.Guards, Users: w.P.Users}
		}
	}
	return c
}

// A simulation says which organization would be left without an owner, and counts all however few it lists.
func TestSimulateOwners(t *testing.T) {
	w := world{P: authz.PlatformRows{Permissions: authz.SystemPermissions(), Templates: authz.SystemTemplates(), Globals: authz.SystemGlobals(), Users: []authz.GlobalUser{{User: "root", Roles: []authz.Assignment{{Role: "super_admin"}}}}},
		Orgs: []authz.OrgRows{{ID: "o1", Members: []authz.Member{{User: "a", Roles: []authz.Assignment{{Role: "owner"}}}, {User: "b", Roles: []authz.Assignment{{Role: "admin"}}}}}}}
	r := compile(t, w)
	soon := epoch.Add(1)
	for name, c := range map[string]struct {
		changes authz.Changes
		org     bool
		root    bool
	}{
		"nothing":             {authz.Changes{}, false, false},
		"the owner leaves":    {authz.Changes{Gone: map[string][]string{"o1": {"a"}}}, true, false},
		"the owner suspended": {authz.Changes{Members: map[string][]authz.Member{"o1": {{User: "a", Suspended: true, Roles: []authz.Assignment{{Role: "owner"}}}}}}, true, false},
		"the owner disabled":  {authz.Changes{Members: map[string][]authz.Member{"": {{User: "a", Suspended: true}}}}, true, false},
		"the owner for a day": {authz.Changes{Members: map[string][]authz.Member{"o1": {{User: "a", Roles: []authz.Assignment{{Role: "owner", ExpiresAt: &soon}}}}}}, true, false},
		"handed over":         {authz.Changes{Members: map[string][]authz.Member{"o1": {{User: "a"}, {User: "b", Roles: []authz.Assignment{{Role: "owner"}}}}}}, false, false},
		"no super_admin":      {authz.Changes{Gone: map[string][]string{"": {"root"}}}, false, true},
	} {
		s, err := r.Simulate(c.changes, nil, epoch, 0)
		if err != nil || (len(s.WithoutOwner) == 1) != c.org || s.NoSuperAdmin != c.root || len(s.Gains.List)+len(s.Losses.List) > 0 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		if name == "handed over" && (s.Gains.Count == 0 || s.Losses.Count == 0) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
