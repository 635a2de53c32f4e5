package authz_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/admit-dev/admit/internal/authz"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("a", 48)
	for s, want := range map[string]struct{ name, pattern bool }{
		"post_job":                            {true, true},
		"jobs:post":                           {true, true},
		"billing:invoices:read":               {true, true},
		"a":                                   {true, true},
		"a-b_c9:x":                            {true, true},
		"sys:members:invite":                  {true, true},
		long + ":" + long + ":" + long:        {true, true},
		"*":                                   {false, true},
		"jobs:*":                              {false, true},
		"billing:invoices:*":                  {false, true},
		"sys:*":                               {false, true},
		"a:b:c:*":                             {false, false},
		"a:b:c:d":                             {false, false},
		"":                                    {},
		":":                                   {},
		"jobs:":                               {},
		":post":                               {},
		"jobs::post":                          {},
		"Jobs:post":                           {},
		"jobs:Post":                           {},
		"9jobs:post":                          {},
		"_jobs":                               {},
		"jobs post":                           {},
		" jobs:post":                          {},
		"jobs:post\n":                         {},
		"jobs:post\x00":                       {},
		"jobs：post":                           {},
		"jöbs":                                {},
		"jobs*":                               {},
		"job*:post":                           {},
		"*:post":                              {},
		"jobs:*:read":                         {},
		"**":                                  {},
		":*":                                  {},
		"jobs:**":                             {},
		"jobs$$post":                          {},
		long + "a":                            {},
		"jobs:" + long + "a":                  {},
		strings.Repeat("a:", 1<<19) + "*":     {},
		strings.Repeat("a", 1<<20):            {},
		strings.Repeat("a", 1<<20) + ":b":     {},
		long + ":" + long + ":" + long + ":*": {},
	} {
		_, err := authz.ParseName(s)
		if (err == nil) != want.name || err != nil && !is(err, authz.ErrPermission) {
			t.Errorf("name %.60q: %v", s, err)
		}
		p, err := authz.ParsePattern(s)
		if (err == nil) != want.pattern || err != nil && !is(err, authz.ErrPattern) || err == nil && p.String() != s {
			t.Errorf("pattern %.60q: %v", s, err)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		wide, narrow string
		want         bool
	}{
		{"jobs:post", "jobs:post", true}, {"jobs:post", "jobs:read", false}, {"jobs:post", "jobs:*", false},
		{"jobs:*", "jobs:post", true}, {"jobs:*", "jobs:a:b", true}, {"jobs:*", "jobs:a:*", true}, {"jobs:*", "jobs:*", true},
		{"jobs:*", "jobs", false}, {"jobs:*", "jobs_x:y", false}, {"jobs:*", "*", false}, {"jobs:a:*", "jobs:*", false}, {"jobs:a:*", "jobs:a", false},
		{"*", "jobs:post", true}, {"*", "jobs:*", true}, {"*", "*", true}, {"*", "post_job", true},
		{"*", "sys:members:invite", false}, {"*", "sys:*", false}, {"*", "sys:members:*", false}, {"*", "sys", true}, {"*", "system:x", true},
		{"sys:*", "sys:members:invite", true}, {"sys:*", "*", false}, {"sys:*", "jobs:post", false},
	} {
		if got := authz.Covers(pattern(c.wide), pattern(c.narrow)); got != c.want {
			t.Errorf("%s covers %s: %v", c.wide, c.narrow, got)
		}
	}
	if authz.Covers(authz.Pattern{}, authz.Pattern{}) || authz.Covers(pattern("*"), authz.Pattern{}) || authz.Covers(authz.Pattern{}, pattern("jobs:post")) {
		t.Error("no pattern covers something")
	}
}

// Invariant 14: one pattern covers another if and only if it matches every name that the other matches.
func Test14PatternLaw(t *testing.T) {
	words := []string{"a", "ab", "a_b", "sys"}
	var names []string
	for _, x := range words {
		names = append(names, x)
		for _, y := range words {
			names = append(names, x+":"+y)
			for _, z := range words {
				names = append(names, x+":"+y+":"+z)
			}
		}
	}
	patterns := []string{"*"}
	for _, n := range names {
		patterns = append(patterns, n)
		if strings.Count(n, ":") < 2 {
			patterns = append(patterns, n+":*")
		}
	}
	matched := make([][]bool, len(patterns))
	for i, p := range patterns {
		for _, n := range names {
			m := matchesAny(p, []string{n})
			if got := authz.Covers(pattern(p), pattern(n)); got != m {
				t.Fatalf("%s matches %s: %v", p, n, got)
			}
			matched[i] = append(matched[i], m)
		}
	}
	for i, wide := range patterns {
		for j, narrow := range patterns {
			all := true
			for k := range names {
				all = all && (matched[i][k] || !matched[j][k])
			}
			if got := authz.Covers(pattern(wide), pattern(narrow)); got != all {
				t.Fatalf("%s covers %s: %v, by names %v", wide, narrow, got, all)
			}
		}
	}
}

// Invariant 16: what an id looks like changes nothing.
func Test16IDHygiene(t *testing.T) {
	nasty := []string{"jobs:post", "editor", "o1", "o1-r0", "alice$$o1", "a\x00", "ﬁ", "fi", strings.Repeat("x", 1<<20), "", "*", "owner", "super_admin", "global:boss", "' OR 1=1"}
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{plain: true})
		r := compile(t, w)
		for _, id := range nasty {
			for _, name := range catalog {
				for _, o := range append(slices.Clone(nasty), places...) {
					q := authz.Query{Subject: id, Permission: name, Org: o, Now: epoch}
					if want, _ := oracle(w, q); allowed(t, r, q) != want {
						t.Fatalf("%.40q in %.40q", id, o)
					}
				}
			}
		}
	})
	org := authz.OrgRows{ID: "o1"}
	for _, id := range nasty {
		if id != "" && len(id) < 100 {
			org.Members = append(org.Members, authz.Member{User: id})
		}
	}
	org.Members[0].Roles = []authz.Assignment{{Role: "owner"}}
	w := world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "jobs:post"}}, Templates: authz.SystemTemplates()}, Orgs: []authz.OrgRows{org}}
	r := compile(t, w)
	for i, m := range org.Members {
		if got := allowed(t, r, authz.Query{Subject: m.User, Permission: "jobs:post", Org: "o1"}); got != (i == 0) {
			t.Errorf("%q: %v", m.User, got)
		}
	}
}

func TestRoleKey(t *testing.T) {
	for name, want := range map[string]string{"Recruiter": "recruiter", "Hiring  manager": "hiring-manager", "ＨＲ": "hr", "Ｏｗｎｅｒs": "owners", "Über_admin-2": "über_admin-2", "Büro": "büro", "Bu\u0308ro": "büro"} {
		if got, err := authz.RoleKey(name); err != nil || got != want {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"Owner", "OWNER", "Ｏｗｎｅｒ", " owner ", "ﬁ\x00", "Super admin", "super_admin", "Anonymous", "member", "", "  ", "9lives", "a:b", "global:boss", "a\u200bb", strings.Repeat("a", 49), strings.Repeat("a", 1<<20), "a\xff"} {
		if got, err := authz.RoleKey(name); err == nil {
			t.Errorf("%.40q is accepted as %q", name, got)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range append(slices.Clone(patterns), "", "*:*", "a:b:c:*", "jobs:*:x", "sys:") {
		f.Add(s, "jobs:post")
		f.Add("jobs:*", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		p, err := authz.ParsePattern(a)
		q, errB := authz.ParsePattern(b)
		if err != nil || errB != nil {
			return
		}
		if p.String() != a || !authz.Covers(p, p) {
			t.Fatalf("%q is not itself", a)
		}
		if _, err := authz.ParseName(b); err == nil && authz.Covers(p, q) != matchesAny(a, []string{b}) {
			t.Fatalf("%q and %q", a, b)
		}
		if authz.Covers(p, q) && authz.Covers(q, p) && a != b {
			t.Fatalf("%q and %q cover each other", a, b)
		}
	})
}
