package authz_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/admit-dev/admit/internal/authz"
)

// Invariant 2: what is compiled answers as the model is written.
func Test02OracleEquality(t *testing.T) {
	worlds, pairs, allows := 0, 0, 0
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		r := compile(t, w)
		worlds++
		every(drawFacts(t), func(q authz.Query) {
			pairs++
			want, unknown := oracle(w, q)
			got, err := r.Check(q)
			if want {
				allows++
			}
			if got.Allowed != want || (err != nil) != (unknown != nil) {
				t.Fatalf("%+v: %+v %v, the oracle says %v %v", q, got, err, want, unknown)
			}
		})
	})
	t.Logf("%d worlds, %d questions, %d allowed", worlds, pairs, allows)
}

// Invariant 2 in a catalogue of hundreds, which small worlds do not have: more than one word of bits is needed.
func Test02LargeCatalogue(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := world{Orgs: []authz.OrgRows{{ID: "o1"}}}
		var known []string
		for i := range rapid.IntRange(60, 140).Draw(t, "permissions") {
			known = append(known, fmt.Sprintf("area%d:do%d", i%7, i))
			w.P.Permissions = append(w.P.Permissions, authz.Permission{Name: known[i]})
		}
		some := func() (list []authz.Grant) {
			for range rapid.IntRange(0, 4).Draw(t, "grants") {
				g := authz.Grant{Pattern: rapid.SampledFrom(append([]string{"area3:*"}, known...)).Draw(t, "pattern")}
				if rapid.IntRange(0, 3).Draw(t, "conditional") == 0 {
					g.Condition = rapid.SampledFrom(sources).Draw(t, "condition")
				}
				list = append(list, g)
			}
			return list
		}
		w.P.Templates = []authz.Role{{ID: "owner", Key: "owner", Scope: authz.ScopeOrg, Grants: some()}}
		w.P.Globals = []authz.Role{{ID: "boss", Key: "boss", Scope: authz.ScopeGlobal, Reach: authz.ReachAllOrgs, Grants: some()}}
		w.Orgs[0].Roles = []authz.Role{{ID: "r", Org: "o1", Key: "r", Scope: authz.ScopeOrg, Base: "owner", Grants: some()}}
		w.Orgs[0].Guards = []authz.Guard{{ID: "g", Org: "o1", Pattern: rapid.SampledFrom(known).Draw(t, "guarded"), Condition: rapid.SampledFrom(sources).Draw(t, "guard")}}
		end := epoch.Add(time.Minute)
		w.Orgs[0].Members = []authz.Member{{User: "u1", Roles: []authz.Assignment{{Role: "owner"}}}, {User: "u2", Roles: []authz.Assignment{{Role: "r", ExpiresAt: &end}}}}
		w.P.Users = []authz.GlobalUser{{User: "u3", Roles: []authz.Assignment{{Role: "boss"}}}}
		r, facts := compile(t, w), drawFacts(t)
		for _, p := range known {
			for _, user := range people[:3] {
				for _, org := range []string{"", "o1"} {
					q := facts
					q.Subject, q.Permission, q.Org = user, p, org
					if want, _ := oracle(w, q); want != allowed(t, r, q) {
						t.Fatalf("%+v: the oracle says %v", q, want)
					}
					if e, err := r.Explain(q); err != nil || e.Allowed != allowed(t, r, q) {
						t.Fatalf("%+v: explained as %+v, %v", q, e, err)
					}
				}
			}
		}
	})
}

// Invariant 1: where there is nothing, nothing is allowed.
func Test01DefaultDeny(t *testing.T) {
	r := compile(t, world{})
	every(authz.Query{Now: epoch}, func(q authz.Query) {
		if allowed(t, r, q) {
			t.Errorf("%+v is allowed", q)
		}
	})
	r = compile(t, world{P: authz.PlatformRows{Permissions: authz.SystemPermissions(), Templates: authz.SystemTemplates(), Globals: authz.SystemGlobals()}, Orgs: []authz.OrgRows{{ID: "o1"}}})
	for _, p := range authz.SystemPermissions() {
		for _, org := range []string{"", "o1"} {
			if allowed(t, r, authz.Query{Subject: "u1", Permission: p.Name, Org: org, Now: epoch}) {
				t.Errorf("%s is allowed", p.Name)
			}
		}
	}
}

// Invariant 4: one role or grant more never takes anything away.
func Test04RoleMonotonicity(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		facts := drawFacts(t)
		before := decisions(t, compile(t, w), facts)
		more := clone(w)
		if !addGrant(t, &more) {
			return
		}
		for i, now := range decisions(t, compile(t, more), facts) {
			if before[i] && !now {
				t.Fatalf("question %d was allowed and no longer is", i)
			}
		}
	})
}

// Invariant 5: one guard more never gives anything.
func Test05GuardAntiMonotonicity(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		facts := drawFacts(t)
		before := decisions(t, compile(t, w), facts)
		more := clone(w)
		g := authz.Guard{ID: "new", Pattern: rapid.SampledFrom(patterns).Draw(t, "pattern"), Condition: rapid.SampledFrom(sources).Draw(t, "condition")}
		if len(more.Orgs) > 0 && rapid.Bool().Draw(t, "in an organization") {
			g.Org = more.Orgs[0].ID
			more.Orgs[0].Guards = append(more.Orgs[0].Guards, g)
		} else {
			more.P.Guards = append(more.P.Guards, g)
		}
		for i, now := range decisions(t, compile(t, more), facts) {
			if !before[i] && now {
				t.Fatalf("question %d was denied and no longer is", i)
			}
		}
	})
}

// Invariant 6: the order of rows means nothing.
func Test06OrderIndependence(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		facts := drawFacts(t)
		same(t, decisions(t, compile(t, w), facts), decisions(t, compile(t, shuffled(t, w)), facts))
	})
}

// Invariant 10: who is no member may do nothing, unless by a global role that counts everywhere.
func Test10NonMember(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		for i := range w.P.Globals {
			w.P.Globals[i].Reach = authz.ReachPlatform
		}
		r := compile(t, w)
		every(drawFacts(t), func(q authz.Query) {
			if q.Org != "" && !isMember(w, q) && allowed(t, r, q) {
				t.Fatalf("%+v is allowed", q)
			}
		})
	})
}

// Invariant 11: suspension takes everything, and taking it back gives exactly what there was. (A suspended membership takes
// what the membership gave: a global role that counts everywhere stays.)
func Test11Suspension(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		facts := drawFacts(t)
		r := compile(t, w)
		before := decisions(t, r, facts)
		subject, org := rapid.SampledFrom(people).Draw(t, "who"), rapid.SampledFrom(places).Draw(t, "where")
		for _, suspend := range []func(w *world){
			func(w *world) { disable(w, subject) },
			func(w *world) { suspendOrg(w, org) },
			func(w *world) { suspendMember(w, subject, org) },
		} {
			out := clone(w)
			suspend(&out)
			next := compile(t, out)
			every(facts, func(q authz.Query) {
				d, err := next.Check(q)
				if err != nil || !d.Allowed {
					return
				}
				if userDisabled(out, q.Subject) || orgSuspended(out, q.Org) {
					t.Fatalf("%+v is allowed", q)
				}
				if memberSuspended(out, q) && !viaGlobal(t, next, q) {
					t.Fatalf("%+v is allowed", q)
				}
			})
			back, err := next.With(3, &w.P, w.Orgs, nil)
			if err != nil {
				t.Fatal(err)
			}
			same(t, before, decisions(t, back, facts))
		}
	})
}

// Invariant 12: what global roles give and what roles of an organization give adds up, guards aside.
func Test12Union(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{plain: true})
		global, org := clone(w), clone(w)
		for i := range global.Orgs {
			global.Orgs[i].Members = nil
		}
		for i := range org.P.Users {
			org.P.Users[i].Roles = nil
		}
		facts := authz.Query{Now: epoch}
		both, a, b := decisions(t, compile(t, w), facts), decisions(t, compile(t, global), facts), decisions(t, compile(t, org), facts)
		for i := range both {
			if both[i] != (a[i] || b[i]) {
				t.Fatalf("question %d: %v, but %v and %v apart", i, both[i], a[i], b[i])
			}
		}
	})
}

// Invariant 13: a role of the platform says nothing about an organization, and the other way round.
func Test13Scope(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{plain: true})
		for i := range w.P.Globals {
			w.P.Globals[i].Reach = authz.ReachPlatform
		}
		nobody := clone(w)
		for i := range nobody.Orgs {
			nobody.Orgs[i].Members = nil
		}
		lone := clone(w)
		for i := range lone.P.Users {
			lone.P.Users[i].Roles = nil
		}
		a, b := compile(t, nobody), compile(t, lone)
		every(authz.Query{Now: epoch}, func(q authz.Query) {
			if q.Org != "" && allowed(t, a, q) || q.Org == "" && allowed(t, b, q) {
				t.Fatalf("%+v is allowed", q)
			}
		})
	})
}

// Invariant 15: a permission that was never declared is an error, with the one that was meant; one that nobody has is not.
func Test15UnknownPermission(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		r := compile(t, w)
		every(drawFacts(t), func(q authz.Query) {
			_, unknown := oracle(w, q)
			if _, err := r.Check(q); (unknown != nil) != is(err, authz.ErrUnknownPermission) {
				t.Fatalf("%+v: %v", q, err)
			}
		})
	})
	r := compile(t, world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "jobs:post"}, {Name: "read"}}}})
	for asked, meant := range map[string]string{"jobs:pots": "jobs:post", "job:post": "jobs:post", "raed": "read", "jobs:archive": "", "JOBS:POST": "jobs:post", "jobs:*": "", "*": "", "": ""} {
		if e, err := r.Explain(authz.Query{Permission: asked}); !is(err, authz.ErrUnknownPermission) || e.Nearest != meant {
			t.Errorf("%q: %v, %q", asked, err, e.Nearest)
		}
	}
}

// Invariant 18: a ceiling only takes away.
func Test18Ceiling(t *testing.T) {
	check(t, func(t *rapid.T) {
		r := compile(t, drawWorld(t, options{}))
		every(drawFacts(t), func(q authz.Query) {
			free := q
			free.Ceiling = nil
			if allowed(t, r, q) && !allowed(t, r, free) {
				t.Fatalf("%+v is allowed", q)
			}
			if c := q.Ceiling; c != nil && c.Actor != "" {
				free.Subject = c.Actor
				if allowed(t, r, q) && !allowed(t, r, free) {
					t.Fatalf("%+v is allowed, and not to who acts", q)
				}
			}
		})
	})
}

// Invariant 19: a role that has ended gives nothing, from that very moment, without anybody doing anything.
func Test19Expiry(t *testing.T) {
	end := epoch.Add(time.Minute)
	w := world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "jobs:post"}}, Templates: []authz.Role{{ID: "poster", Key: "poster", Scope: authz.ScopeOrg, Grants: []authz.Grant{{Pattern: "jobs:*"}}}}},
		Orgs: []authz.OrgRows{{ID: "o1", Members: []authz.Member{{User: "u1", Roles: []authz.Assignment{{Role: "poster", ExpiresAt: &end}}}}}}}
	r := compile(t, w)
	for at, want := range map[time.Time]bool{epoch: true, end.Add(-1): true, end: false, end.Add(1): false, end.Add(1e18): false, {}: false} {
		if got := allowed(t, r, authz.Query{Subject: "u1", Permission: "jobs:post", Org: "o1", Now: at}); got != want {
			t.Errorf("at %v: %v", at, got)
		}
	}
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{})
		facts := drawFacts(t)
		ended := clone(w)
		drop := func(list []authz.Assignment) []authz.Assignment {
			return slices.DeleteFunc(list, func(a authz.Assignment) bool { return !current(a, facts.Now) })
		}
		for i := range ended.P.Users {
			ended.P.Users[i].Roles = drop(ended.P.Users[i].Roles)
		}
		for _, o := range ended.Orgs {
			for i := range o.Members {
				o.Members[i].Roles = drop(o.Members[i].Roles)
			}
		}
		same(t, decisions(t, compile(t, w), facts), decisions(t, compile(t, ended), facts))
	})
}

// A role that is held for good and for a time is one role, held for good; of two ends the later counts.
func TestOneRoleTwice(t *testing.T) {
	soon, later := epoch.Add(time.Minute), epoch.Add(time.Hour)
	w := conditional("true")
	for _, c := range []struct {
		ends []*time.Time
		want *time.Time
	}{{[]*time.Time{nil, &soon}, nil}, {[]*time.Time{&soon, nil}, nil}, {[]*time.Time{&soon, &later}, &later}, {[]*time.Time{&later, &soon}, &later}} {
		m := &w.Orgs[0].Members[0]
		m.Roles = nil
		for _, end := range c.ends {
			m.Roles = append(m.Roles, authz.Assignment{Role: "poster", ExpiresAt: end})
		}
		e, err := compile(t, w).Explain(authz.Query{Subject: "u1", Permission: "jobs:post", Org: "o1", Now: epoch})
		if err != nil || len(e.Held) != 1 || len(e.GrantedBy) != 1 {
			t.Fatalf("%+v, %v", e, err)
		}
		if got := e.GrantedBy[0].ExpiresAt; (got == nil) != (c.want == nil) || got != nil && !got.Equal(*c.want) {
			t.Errorf("it ends at %v, want %v", got, c.want)
		}
	}
}
