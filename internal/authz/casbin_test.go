package authz_test

import (
	"bytes"
	"encoding/csv"
	"testing"

	casbin "github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
	"pgregory.net/rapid"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/authz/casbinengine"
)

const casbinModel = `
[request_definition]
r = sub, dom, perm
[policy_definition]
p = sub, dom, perm
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.dom == p.dom && g(r.sub, p.sub, r.dom) && (p.perm == "*" && !keyMatch(r.perm, "sys:*") || p.perm != "*" && keyMatch(r.perm, p.perm))
`

// casbinOf writes the unconditional part of a world as Casbin's rules, from the rows alone.
func casbinOf(t *rapid.T, w world) *casbin.Enforcer {
	m, err := model.NewModelFromString(casbinModel)
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		t.Fatal(err)
	}
	give := func(user, role, dom string, grants []authz.Grant) {
		_, _ = e.AddGroupingPolicy("u:"+user, "r:"+role, dom)
		for _, g := range grants {
			_, _ = e.AddPolicy("r:"+role, dom, g.Pattern)
		}
	}
	for _, u := range w.P.Users {
		for _, a := range u.Roles {
			for _, g := range w.P.Globals {
				if u.Disabled || g.ID != a.Role || !current(a, epoch) {
					continue
				}
				give(u.User, "global:"+g.ID, "", g.Grants)
				for _, o := range w.Orgs {
					if g.Reach == authz.ReachAllOrgs && !o.Suspended {
						give(u.User, "global:"+g.ID, o.ID, g.Grants)
					}
				}
			}
		}
	}
	for _, o := range w.Orgs {
		for _, m := range o.Members {
			for _, a := range m.Roles {
				grants, _ := oracleRoles(w, o, authz.Query{Subject: m.User, Org: o.ID, Now: epoch})
				if !o.Suspended && !m.Suspended && !userDisabled(w, m.User) && current(a, epoch) {
					give(m.User, "all-of:"+m.User, o.ID, grants)
				}
			}
		}
	}
	return e
}

// Invariant 2, the second oracle: Casbin agrees on what has no conditions. Where a permission may be asked is not in its model.
func Test02CasbinAgrees(t *testing.T) {
	pairs, allows := 0, 0
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{plain: true})
		for i := range w.P.Permissions {
			w.P.Permissions[i].Scope = ""
		}
		r, e := compile(t, w), casbinOf(t, w)
		for _, q := range questions(w) {
			want, err := e.Enforce("u:"+q.Subject, q.Org, q.Permission)
			if err != nil {
				t.Fatal(err)
			}
			pairs++
			if want {
				allows++
			}
			if allowed(t, r, q) != want {
				t.Fatalf("%+v: Casbin says %v", q, want)
			}
		}
	})
	t.Logf("%d questions, %d allowed", pairs, allows)
}

func questions(w world) (list []authz.Query) {
	for _, s := range people {
		for _, p := range w.P.Permissions {
			for _, o := range append([]string{""}, places...) {
				list = append(list, authz.Query{Subject: s, Permission: p.Name, Org: o, Now: epoch})
			}
		}
	}
	return list
}

// What is exported as policy lines is, to Casbin, what the roles say.
func TestExport(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t, options{plain: true})
		for i := range w.P.Permissions {
			w.P.Permissions[i].Scope = ""
		}
		r := compile(t, w)
		m, _ := model.NewModelFromString(casbinModel)
		e, err := casbin.NewEnforcer(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, org := range append([]string{""}, places...) {
			var lines bytes.Buffer
			if err := casbinengine.Export(&lines, r.View(), org, epoch); err != nil {
				t.Fatal(err)
			}
			in := csv.NewReader(&lines)
			in.FieldsPerRecord = -1
			rows, err := in.ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				if row[0] == "g" {
					_, _ = e.AddGroupingPolicy(row[1], row[2], row[3])
				} else {
					_, _ = e.AddPolicy(row[1], row[2], row[3])
				}
			}
		}
		for _, q := range questions(w) {
			if got, err := e.Enforce("user:"+q.Subject, q.Org, q.Permission); err != nil || got != allowed(t, r, q) {
				t.Fatalf("%+v: Casbin says %v, %v", q, got, err)
			}
		}
	})
}
