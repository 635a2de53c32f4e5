package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

// pages reads a list to its end, each part with at most so many items, and gives the ids in it and the revisions it had.
func pages(t testing.TB, c *testkit.Client, path string, body m, limit int, between func()) (ids []string, revision string) {
	t.Helper()
	body["limit"] = limit
	for {
		a := c.Post(path, body).Want(200)
		items := a.JSON["items"].([]any)
		if len(items) > limit {
			t.Errorf("%d items, asked for %d", len(items), limit)
		}
		for _, i := range items {
			for _, name := range []string{"user_id", "permission", "org_id"} {
				if id, ok := i.(m)[name].(string); ok {
					ids = append(ids, id)
				}
			}
		}
		if revision != "" && revision != a.Text("revision") || a.Header.Get("Authz-Revision") != a.Text("revision") {
			t.Errorf("a part at %s after one at %s", a.Text("revision"), revision)
		}
		revision = a.Text("revision")
		next, more := a.JSON["next_cursor"].(string)
		if !more {
			return ids, revision
		}
		body["cursor"] = next
		if between != nil {
			between()
		}
	}
}

// Lists are what checks say of everybody, everything and everywhere.
func TestListsAreWhatChecksSay(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := newAsking(s)
		beta := organization(a.bob, "Beta")
		a.owner.Post("/api/v1/orgs/acme/guards", m{"pattern": "jobs:close", "condition": "resource.open == true"}).Want(201)
		subjects, orgs := []string{a.ownerID, a.bobID, a.eveID, a.rootID}, []string{"", a.acme, beta}
		permissions := []string{"jobs:post", "jobs:edit", "jobs:close", "billing:read", "sys:roles:read", "sys:orgs:read", "sys:members:read"}
		for _, resource := range []m{{"owner": a.bobID, "open": true}, {}} {
			allowed := map[string]bool{}
			for _, org := range orgs {
				for _, subject := range subjects {
					for _, p := range permissions {
						q := m{"permission": p, "org_id": org, "subject": subject, "resource": resource}
						allowed[p+subject+org] = a.root.Post("/api/v1/check", q).Want(200).JSON["allowed"] == true
					}
				}
			}
			want := func(all []string, key func(string) string) (list []string) {
				for _, x := range all {
					if allowed[key(x)] {
						list = append(list, x)
					}
				}
				slices.Sort(list)
				return list
			}
			sure := func(path string, body m) (ids []string) { // without what more facts could turn
				body["resource"] = resource
				for _, i := range a.root.Post(path, body).Want(200).JSON["items"].([]any) {
					for _, name := range []string{"user_id", "permission", "org_id"} {
						if id, ok := i.(m)[name].(string); ok && i.(m)["conditional"] == false {
							ids = append(ids, id)
						}
					}
				}
				return ids
			}
			for _, org := range orgs {
				for _, p := range permissions {
					if got, want := sure("/api/v1/who-can", m{"permission": p, "org_id": org}), want(subjects, func(x string) string { return p + x + org }); !slices.Equal(got, want) {
						t.Errorf("who can %s in %q: %v, want %v", p, org, got, want)
					}
				}
				for _, subject := range subjects {
					got := sure("/api/v1/what-can", m{"subject": subject, "org_id": org, "limit": 1000})
					got = slices.DeleteFunc(got, func(p string) bool { return !slices.Contains(permissions, p) })
					if want := want(permissions, func(x string) string { return x + subject + org }); !slices.Equal(got, want) {
						t.Errorf("what can %s in %q: %v, want %v", subject, org, got, want)
					}
				}
			}
			for _, subject := range subjects {
				for _, p := range permissions {
					if got, want := sure("/api/v1/where-can", m{"subject": subject, "permission": p}), want(orgs[1:], func(x string) string { return p + subject + x }); !slices.Equal(got, want) {
						t.Errorf("where can %s %s: %v, want %v", subject, p, got, want)
					}
				}
			}
		}
		// who may see them
		a.bob.Post("/api/v1/who-can", m{"permission": "jobs:post", "org_id": "acme"}).Want(403, "missing_permission")
		a.eve.Post("/api/v1/who-can", m{"permission": "jobs:post", "org_id": "acme"}).Want(404, "org_not_found")
		a.owner.Post("/api/v1/who-can", m{"permission": "jobs:post"}).Want(403)
		a.owner.Post("/api/v1/who-can", m{"permission": "jobs:pots", "org_id": "acme"}).Want(422, "unknown_permission")
		a.bob.Post("/api/v1/what-can", m{"org_id": "acme", "subject": a.ownerID}).Want(403)
		a.owner.Post("/api/v1/where-can", m{"permission": "jobs:post", "subject": a.bobID}).Want(403)
		mine := a.bob.Post("/api/v1/what-can", m{"org_id": "acme"}).Want(200)
		if !strings.Contains(string(mine.Body), `{"permission":"jobs:post","roles":["recruiter"],"conditional":false}`) || !strings.Contains(string(mine.Body), `{"permission":"jobs:edit","roles":["recruiter"],"conditional":true}`) {
			t.Errorf("%s", mine.Body)
		}
		for _, cursor := range []string{"x", "1.", "-1.eA", "999.eA", "1." + strings.Repeat("A", 300)} {
			a.owner.Post("/api/v1/who-can", m{"permission": "jobs:post", "org_id": "acme", "cursor": cursor}).Want(422, "cursor_stale")
		}
	})
}

// A list that is read in parts is what it was when it began, whatever changes meanwhile: nobody is missing, nobody is there twice.
func TestListsStayWhileRolesChange(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := newAsking(s)
		for i := range 5 {
			name := fmt.Sprintf("p%d@example.com", i)
			join(s, a.owner, person(s, name), a.acme, name, "recruiter")
		}
		whole, _ := pages(t, a.owner, "/api/v1/who-can", m{"permission": "jobs:post", "org_id": "acme"}, 100, nil)
		if len(whole) < 7 {
			t.Fatalf("%v", whole)
		}
		a.owner.Header.Set("If-Match", "*")
		n := 0
		began, at := pages(t, a.owner, "/api/v1/who-can", m{"permission": "jobs:post", "org_id": "acme"}, 2, func() {
			n++
			a.owner.Do("PUT", "/api/v1/orgs/acme/roles/recruiter/permissions", m{"permissions": [][]string{{"jobs:post"}, {}}[n%2]}).Want(200)
		})
		if !slices.Equal(began, whole) || n < 3 {
			t.Errorf("%v\n%v", began, whole)
		}
		now, later := pages(t, a.owner, "/api/v1/who-can", m{"permission": "jobs:post", "org_id": "acme"}, 2, nil)
		if len(now) >= len(whole) || later == at {
			t.Errorf("%v at %s", now, later)
		}
		// one who loses the right to see it does not see the rest
		join(s, a.owner, a.eve, a.acme, "eve@example.com", "admin")
		part := a.eve.Post("/api/v1/who-can", m{"permission": "billing:read", "org_id": "acme", "limit": 1}).Want(200)
		a.owner.Do("PUT", "/api/v1/orgs/acme/members/"+a.eveID+"/roles", m{"roles": []string{"member"}}).Want(200)
		a.eve.Post("/api/v1/who-can", m{"permission": "billing:read", "org_id": "acme", "limit": 1, "cursor": part.JSON["next_cursor"]}).Want(403)
	})
}

// An explanation says what a check says and tells everybody only what they may know: each role it suggests would turn the answer, and
// when all it names as grants are taken, the answer turns.
func TestExplanationsAreSound(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := newAsking(s)
		at := "/api/v1/orgs/acme/members/" + a.bobID + "/roles"
		a.owner.Post("/api/v1/orgs/acme/roles", m{"name": "Poster", "permissions": []string{"jobs:*"}}).Want(201)
		a.owner.Post("/api/v1/orgs/acme/roles", m{"name": "Reader", "permissions": []string{"billing:read"}}).Want(201)
		list := func(v any) (keys []string) {
			for _, x := range v.([]any) {
				keys = append(keys, x.(m)["role"].(string))
			}
			return keys
		}
		for _, world := range [][]string{{"recruiter"}, {"recruiter", "poster"}, {"reader"}, {}, {"member", "reader"}, {"admin", "recruiter"}} {
			a.owner.Do("PUT", at, m{"roles": world}).Want(200)
			for _, p := range []string{"jobs:post", "jobs:close", "billing:read", "jobs:edit"} {
				q := m{"permission": p, "org_id": "acme", "subject": a.bobID}
				e := a.owner.Post("/api/v1/check/explain", q).Want(200)
				if c := a.owner.Post("/api/v1/check", q).Want(200); c.JSON["code"] != e.JSON["code"] || c.JSON["allowed"] != e.JSON["allowed"] {
					t.Errorf("%v %s: checked %s, explained %s", world, p, c.Body, e.Body)
				}
				granted, would := list(e.JSON["granted_by"]), list(e.JSON["would_allow"])
				if held := list(e.JSON["held_roles"]); len(held) != len(world) {
					t.Errorf("held %v, has %v", held, world)
				}
				rest := slices.DeleteFunc(slices.Clone(world), func(r string) bool { return slices.Contains(granted, r) })
				if e.JSON["allowed"] == true {
					try(t, a, m{"type": "member_roles", "org_id": "acme", "user_id": a.bobID, "roles": rest}, q, false)
					for _, one := range granted {
						try(t, a, m{"type": "member_roles", "org_id": "acme", "user_id": a.bobID, "roles": append(slices.Clone(rest), one)}, q, true)
					}
				} else if p != "jobs:edit" && len(would) == 0 {
					t.Errorf("%v %s: nothing is suggested: %s", world, p, e.Body)
				}
				for _, one := range would {
					if scope := e.JSON["would_allow"].([]any)[slices.Index(would, one)].(m)["scope"]; scope == "org" {
						try(t, a, m{"type": "member_roles", "org_id": "acme", "user_id": a.bobID, "roles": append(slices.Clone(world), one)}, q, true)
					}
				}
			}
		}
		a.owner.Do("PUT", at, m{"roles": []string{"recruiter"}}).Want(200)
		mine := a.bob.Post("/api/v1/check/explain", m{"permission": "jobs:close", "org_id": "acme"}).Want(200)
		if mine.JSON["reason_admin"] != nil || mine.JSON["would_allow"] != nil || mine.Text("reason_user") == "" || mine.JSON["missing"].([]any)[0] != "jobs:close" || mine.JSON["held_roles"].([]any)[0].(m)["role"] != "recruiter" {
			t.Errorf("%s", mine.Body)
		}
		edit := a.bob.Post("/api/v1/check/explain", m{"permission": "jobs:edit", "org_id": "acme"}).Want(200)
		if u := edit.JSON["unmet"].([]any); len(u) != 1 || u[0].(m)["condition"] != "resource.owner == subject.id" {
			t.Errorf("%s", edit.Body)
		}
		a.owner.Post("/api/v1/orgs/acme/guards", m{"pattern": "jobs:post", "condition": "context.auth_age < 900", "message": "Sign in again to post."}).Want(201)
		s.Advance(901e9)
		step := a.bob.Post("/api/v1/check/explain", m{"permission": "jobs:post", "org_id": "acme"}).Want(200)
		if b := step.JSON["blocked_by"].([]any)[0].(m); step.JSON["step_up"] != true || b["message"] != "Sign in again to post." || b["condition"] != nil || b["guard"] != nil {
			t.Errorf("%s", step.Body)
		}
		full := a.owner.Post("/api/v1/check/explain", m{"permission": "jobs:post", "org_id": "acme", "subject": a.bobID, "context": m{"auth_age": 1000}}).Want(200)
		if b := full.JSON["blocked_by"].([]any)[0].(m); b["condition"] != "context.auth_age < 900" || !strings.Contains(full.Text("reason_admin"), "granted by recruiter with jobs:post") {
			t.Errorf("%s", full.Body)
		}
		a.bob.Post("/api/v1/check/explain", m{"permission": "jobs:post", "org_id": "acme", "subject": a.ownerID}).Want(403)
		a.owner.Post("/api/v1/check/explain", m{"permission": "jobs:pots", "org_id": "acme"}).Want(422, "unknown_permission")
	})
}

// try holds what a question would be answered after a change, without making it.
func try(t testing.TB, a *asking, change, q m, want bool) {
	t.Helper()
	out := a.owner.Post("/api/v1/simulate", m{"changes": []m{change}, "checks": []m{q}}).Want(200)
	if got := out.JSON["checks"].([]any)[0].(m)["after"].(m)["allowed"]; got != want {
		t.Errorf("%v, then %v: %v, want %v", change, q, got, want)
	}
}

// With a policy engine checks, lists and explanations still say the same.
func TestEngineSaysTheSameEverywhere(t *testing.T) {
	model := `[request_definition]
r = sub, dom, perm
[policy_definition]
p = sub, dom, perm
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.perm == p.perm
`
	for mode, want := range map[string]m{"guard": {"jobs:post": "guard_failed", "jobs:close": "missing_permission", "owner": "guard_failed"}, "grant": {"jobs:post": "granted", "jobs:close": "granted", "owner": "granted"}} {
		testkit.Each(t, func(c *admit.Config) {
			c.Authz.Engine, c.Authz.Mode = "casbin", mode
			c.Authz.CasbinModel, c.Authz.CasbinPolicy = file(t, "model.conf", model), file(t, "policy.csv", "p, role:recruiter, *, jobs:close\n")
		}, func(s *testkit.Server) {
			a := newAsking(s)
			for _, p := range []string{"jobs:post", "jobs:close"} {
				q := m{"permission": p, "org_id": "acme", "subject": a.bobID}
				says(t, a.owner, q, want[p].(string))
				e := a.owner.Post("/api/v1/check/explain", q).Want(200)
				if e.JSON["code"] != want[p] || want[p] == "guard_failed" && e.JSON["blocked_by"].([]any)[0].(m)["engine"] != "casbin" || p == "jobs:close" && mode == "grant" && e.JSON["granted_by"].([]any)[0].(m)["scope"] != "engine" {
					t.Errorf("%s %s: %s", mode, p, e.Body)
				}
				who, _ := pages(t, a.owner, "/api/v1/who-can", m{"permission": p, "org_id": "acme"}, 10, nil)
				what, _ := pages(t, a.bob, "/api/v1/what-can", m{"org_id": "acme"}, 10, nil)
				where, _ := pages(t, a.bob, "/api/v1/where-can", m{"permission": p}, 10, nil)
				yes := want[p] == "granted"
				if slices.Contains(who, a.bobID) != yes || slices.Contains(what, p) != yes || slices.Contains(where, a.acme) != yes {
					t.Errorf("%s %s: %v %v %v", mode, p, who, what, where)
				}
			}
			says(t, a.owner, m{"permission": "jobs:post", "org_id": "acme"}, want["owner"].(string))
		})
	}
}
