package authz_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/authz"
)

// big is users spread over organizations of at most 100 with 20 roles of 50 permissions each, everybody holding two roles.
func big(users int) (authz.PlatformRows, []authz.OrgRows) {
	random := rand.New(rand.NewPCG(1, 2))
	p := authz.PlatformRows{Permissions: authz.SystemPermissions(), Templates: authz.SystemTemplates(), Globals: authz.SystemGlobals()}
	for i := range 200 {
		p.Permissions = append(p.Permissions, authz.Permission{Name: fmt.Sprintf("area%02d:action%d", i/10, i%10)})
	}
	declared := p.Permissions[len(p.Permissions)-200:]
	count := min(1000, max(1, users/100))
	var orgs []authz.OrgRows
	for i := range count {
		o := authz.OrgRows{ID: orgName(i)}
		for j := range 20 {
			r := authz.Role{ID: fmt.Sprintf("rol_%08d_%02d", i, j), Org: o.ID, Key: fmt.Sprintf("role%d", j), Scope: authz.ScopeOrg}
			for _, k := range random.Perm(len(declared))[:50] {
				r.Grants = append(r.Grants, authz.Grant{Pattern: declared[k].Name})
			}
			o.Roles = append(o.Roles, r)
		}
		for j := i * users / count; j < (i+1)*users/count; j++ {
			o.Members = append(o.Members, authz.Member{User: userName(j), Roles: []authz.Assignment{{Role: o.Roles[random.IntN(20)].ID}, {Role: o.Roles[random.IntN(20)].ID}}})
		}
		orgs = append(orgs, o)
	}
	return p, orgs
}

func orgName(i int) string  { return fmt.Sprintf("org_%026d", i) }
func userName(i int) string { return fmt.Sprintf("usr_%026d", i) }

// asked is many questions in no order, so that a large world does not stay in the cache.
func asked(p authz.PlatformRows, orgs []authz.OrgRows) []authz.Query {
	random := rand.New(rand.NewPCG(3, 4))
	list := make([]authz.Query, 1<<16)
	for i := range list {
		o := &orgs[random.IntN(len(orgs))]
		// clones, as strings of a request are: equal strings at one address are found without being read
		list[i] = authz.Query{Subject: strings.Clone(o.Members[random.IntN(len(o.Members))].User), Org: strings.Clone(o.ID), Permission: strings.Clone(p.Permissions[len(p.Permissions)-1-random.IntN(200)].Name), Now: epoch}
	}
	return list
}

type pair struct{ user, org string }

// BenchmarkCheck is the decision beside its floor: finding the same row in a plain map of Go, by the same strings.
func BenchmarkCheck(b *testing.B) {
	for _, users := range []int{10, 1_000, 100_000} {
		p, orgs := big(users)
		r := compile(b, world{p, orgs})
		queries := asked(p, orgs)
		bitsets := map[pair][4]uint64{}
		bit := map[string]int{}
		for i, d := range p.Permissions {
			bit[d.Name] = i
		}
		for _, o := range orgs {
			for _, m := range o.Members {
				bitsets[pair{m.User, o.ID}] = [4]uint64{}
			}
		}
		b.Run(fmt.Sprintf("users=%d/check", users), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_, _ = r.Check(queries[i&(len(queries)-1)])
			}
		})
		b.Run(fmt.Sprintf("users=%d/floor", users), func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for i := 0; b.Loop(); i++ {
				q := &queries[i&(len(queries)-1)]
				at := bit[q.Permission]
				if bitsets[pair{q.Subject, q.Org}][at/64]>>(at%64)&1 == 1 {
					n++
				}
			}
		})
		b.Run(fmt.Sprintf("users=%d/denied", users), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				q := queries[i&(len(queries)-1)]
				q.Permission = "sys:roles:create"
				_, _ = r.Check(q)
			}
		})
	}
}

// BenchmarkExplain is the explanation of a denial, with its suggestions.
func BenchmarkExplain(b *testing.B) {
	for _, users := range []int{1_000, 100_000} {
		p, orgs := big(users)
		r := compile(b, world{p, orgs})
		denied := slices.DeleteFunc(asked(p, orgs), func(q authz.Query) bool { d, _ := r.Check(q); return d.Allowed })
		b.Run(fmt.Sprintf("users=%d/denied", users), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_, _ = r.Explain(denied[i%len(denied)])
			}
		})
	}
}

// BenchmarkCondition is a grant that holds under a condition on the resource, and one under a guard.
func BenchmarkCondition(b *testing.B) {
	r := compile(b, conditional("resource.owner == subject.id"))
	guarded := conditional("true")
	guarded.P.Templates[0].Grants[0].Condition = ""
	guarded.Orgs[0].Guards = []authz.Guard{{ID: "g", Org: "o1", Pattern: "jobs:*", Condition: "context.mfa_age < 900"}}
	q := authz.Query{Subject: "u1", Permission: "jobs:post", Org: "o1", Now: epoch, Resource: map[string]any{"owner": "u1"}, Context: map[string]any{"mfa_age": 10}}
	for name, r := range map[string]*authz.Root{"grant": r, "guard": compile(b, guarded)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d, _ := r.Check(q); !d.Allowed {
					b.Fatal(d)
				}
			}
		})
	}
}

// BenchmarkWith is one member with other roles, by the narrow way, in organizations of two sizes, and one organization whole.
func BenchmarkWith(b *testing.B) {
	for _, size := range []int{200, 100_000} {
		p, orgs := big(1000)
		o := &orgs[0]
		o.Members = nil
		for i := range size {
			o.Members = append(o.Members, authz.Member{User: userName(i), Roles: []authz.Assignment{{Role: o.Roles[i%20].ID}}})
		}
		r := compile(b, world{p, orgs})
		b.Run(fmt.Sprintf("members=%d/member", size), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				m := []authz.Member{{User: userName(i * 7919 % size), Roles: []authz.Assignment{{Role: o.Roles[(i+1)%20].ID}}}}
				if _, err := r.WithMembers(2, o.ID, m, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("members=%d/whole", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.With(2, nil, orgs[:1], nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSimulate is one member who would hold another role: who gains and loses what, of 1,000 organizations.
func BenchmarkSimulate(b *testing.B) {
	p, orgs := big(100_000)
	r := compile(b, world{p, orgs})
	c := authz.Changes{Members: map[string][]authz.Member{orgs[0].ID: {{User: orgs[0].Members[0].User, Roles: []authz.Assignment{{Role: orgs[0].Roles[7].ID}}}}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Simulate(c, nil, epoch, 100); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAuthorize is the gate over one member in an organization of 100,000.
func BenchmarkAuthorize(b *testing.B) {
	p, orgs := big(1000)
	o := &orgs[0]
	for i := range 100_000 {
		o.Members = append(o.Members, authz.Member{User: userName(1_000_000 + i), Roles: []authz.Assignment{{Role: o.Roles[i%20].ID}}})
	}
	o.Members = append(o.Members, authz.Member{User: "olga", Roles: []authz.Assignment{{Role: authz.Owner}}})
	r := compile(b, world{p, orgs})
	next, err := r.WithMembers(2, o.ID, []authz.Member{{User: userName(1_000_000), Roles: []authz.Assignment{{Role: o.Roles[7].ID}}}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := authz.AuthorizeChange(r, next, authz.Actor{User: "olga", Org: o.ID, Now: epoch}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlatform is a new permission in the catalogue, which every organization is derived from.
func BenchmarkPlatform(b *testing.B) {
	p, orgs := big(100_000)
	r := compile(b, world{p, orgs})
	p.Permissions = append(slices.Clone(p.Permissions), authz.Permission{Name: "new:thing"})
	for b.Loop() {
		if _, err := r.With(2, &p, nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile is 100,000 users in 1,000 organizations with 1,000,000 grants, and what they weigh.
func BenchmarkCompile(b *testing.B) {
	p, orgs := big(100_000)
	for b.Loop() {
		compile(b, world{p, orgs})
	}
	p, orgs = authz.PlatformRows{}, nil
	empty := heap()
	weigh := func(members bool) (*authz.Root, float64) { // with the strings it keeps of rows that are gone
		p, orgs := big(100_000)
		for i := range orgs {
			if !members {
				orgs[i].Members = nil
			}
		}
		r := compile(b, world{p, orgs})
		p, orgs = authz.PlatformRows{}, nil
		return r, heap()
	}
	roles, lone := weigh(false)
	all, both := weigh(true)
	b.ReportMetric((lone-empty)/1e6, "B/grant")
	b.ReportMetric((both-lone-(lone-empty))/1e5, "B/user")
	runtime.KeepAlive([]*authz.Root{roles, all})
}

func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// BenchmarkWhoCan is the first page of an organization of 100,000.
func BenchmarkWhoCan(b *testing.B) {
	p, orgs := big(1000)
	o := &orgs[0]
	for i := range 100_000 {
		o.Members = append(o.Members, authz.Member{User: userName(1_000_000 + i), Roles: []authz.Assignment{{Role: o.Roles[i%20].ID}}})
	}
	r := compile(b, world{p, orgs})
	for b.Loop() {
		if _, err := r.WhoCan(authz.Query{Permission: "area01:action1", Org: o.ID, Now: epoch}, authz.Page{}); err != nil {
			b.Fatal(err)
		}
	}
}

// A question that no condition touches allocates nothing, allowed or denied.
func TestCheckAllocatesNothing(t *testing.T) {
	p, orgs := big(1000)
	r := compile(t, world{p, orgs})
	queries := asked(p, orgs)
	ceiling := &authz.Ceiling{Patterns: []authz.Pattern{pattern("area01:*")}}
	for _, change := range []func(q authz.Query) authz.Query{
		func(q authz.Query) authz.Query { return q },
		func(q authz.Query) authz.Query { q.Org = ""; return q },
		func(q authz.Query) authz.Query { q.Subject = "nobody"; return q },
		func(q authz.Query) authz.Query { q.Ceiling = ceiling; return q },
	} {
		i := 0
		if n := testing.AllocsPerRun(1000, func() {
			_, _ = r.Check(change(queries[i]))
			i++
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

// An explanation can be had for every denial: it allocates its two lists.
func TestExplainAllocatesLittle(t *testing.T) {
	p, orgs := big(1000)
	r := compile(t, world{p, orgs})
	denied := slices.DeleteFunc(asked(p, orgs), func(q authz.Query) bool { d, _ := r.Check(q); return d.Allowed })
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		_, _ = r.Explain(denied[i])
		i++
	}); n > 3 {
		t.Errorf("%v allocations", n)
	}
}
