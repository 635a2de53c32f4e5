package e2e_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// change is a change to try, and how it is made in earnest.
type change struct {
	name         string
	try          m
	method, path string
	body         any
}

// allowed is what everybody may do in Acme and on the platform, as checks say it.
func allowed(a *asking) map[string]bool {
	a.s.Helper()
	all := map[string]bool{}
	for _, org := range []string{"", a.acme} {
		for _, who := range []string{a.ownerID, a.bobID, a.eveID, a.rootID} {
			for _, l := range a.root.Post("/api/v1/what-can", m{"subject": who, "org_id": org, "limit": 1000}).Want(200).JSON["items"].([]any) {
				if i := l.(m); i["conditional"] == false {
					all[who+" "+org+" "+i["permission"].(string)] = true
				}
			}
		}
	}
	return all
}

// listed is what a simulation says somebody gains or loses.
func listed(t testing.TB, diff any) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	d := diff.(m)
	for _, x := range d["items"].([]any) {
		i := x.(m)
		org, _ := i["org_id"].(string)
		for _, p := range i["permissions"].([]any) {
			all[fmt.Sprint(i["user_id"], " ", org, " ", p)] = true
		}
	}
	if float64(len(all)) != d["count"] {
		t.Errorf("%v says %d", d["count"], len(all))
	}
	return all
}

// What a simulation says of a change is what the change does: who gains and loses what, and how it is refused. And it changes nothing.
func TestSimulateIsApply(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := newAsking(s)
		for _, c := range []*testkit.Client{a.owner, a.bob, a.root} {
			c.Header.Set("If-Match", "*")
		}
		at := "/api/v1/orgs/acme"
		role := func(name string, permissions ...string) change {
			return change{"make " + name, m{"type": "role_create", "org_id": "acme", "name": name, "permissions": permissions}, "POST", at + "/roles", m{"name": name, "permissions": permissions}}
		}
		roles := func(who string, roles ...string) change {
			return change{fmt.Sprint("give ", roles), m{"type": "member_roles", "org_id": "acme", "user_id": who, "roles": roles}, "PUT", at + "/members/" + who + "/roles", m{"roles": roles}}
		}
		grants := func(name string, permissions ...string) change {
			return change{fmt.Sprint(name, " grants ", permissions), m{"type": "role_permissions", "org_id": "acme", "role": name, "permissions": permissions}, "PUT", at + "/roles/" + name + "/permissions", m{"permissions": permissions}}
		}
		rest := func(who string, yes bool) change {
			return change{fmt.Sprint("suspended ", yes), m{"type": "member_suspend", "org_id": "acme", "user_id": who, "suspended": yes}, "PATCH", at + "/members/" + who, m{"suspended": yes}}
		}
		remove := func(who string) change {
			return change{"remove", m{"type": "member_remove", "org_id": "acme", "user_id": who}, "DELETE", at + "/members/" + who, nil}
		}
		drop := func(name string) change {
			return change{"delete " + name, m{"type": "role_delete", "org_id": "acme", "role": name}, "DELETE", at + "/roles/" + name, nil}
		}
		global := func(who string, roles ...string) change {
			return change{fmt.Sprint("globally ", roles), m{"type": "global_roles", "user_id": who, "roles": roles}, "PUT", "/api/v1/users/" + who + "/roles", m{"roles": roles}}
		}
		desk := change{"make desk", m{"type": "role_create", "name": "Desk", "reach": "all_orgs", "permissions": []string{"jobs:close"}}, "POST", "/api/v1/roles", m{"name": "Desk", "reach": "all_orgs", "permissions": []string{"jobs:close"}}}
		wide := change{"desk grants more", m{"type": "role_permissions", "role": "desk", "permissions": []string{"jobs:*", "sys:users:read"}}, "PATCH", "/api/v1/roles/desk", m{"permissions": []string{"jobs:*", "sys:users:read"}}}
		steps := []struct {
			who *testkit.Client
			change
		}{
			{a.owner, grants("recruiter", "jobs:*")}, {a.owner, role("Closer", "jobs:close", "billing:*")}, {a.owner, roles(a.bobID, "closer")}, {a.owner, roles(a.bobID, "closer", "recruiter")},
			{a.owner, rest(a.bobID, true)}, {a.owner, rest(a.bobID, false)}, {a.owner, drop("closer")}, {a.owner, role("Closer", "jobs:close")}, {a.owner, drop("owner")}, {a.owner, grants("admin", "jobs:post")},
			{a.owner, roles(a.ownerID, "member")}, {a.owner, remove(a.ownerID)}, {a.owner, rest(a.ownerID, true)},
			{a.owner, roles(a.bobID, "admin")}, {a.bob, roles(a.bobID, "owner")}, {a.bob, roles(a.ownerID, "admin")}, {a.bob, remove(a.ownerID)}, {a.bob, role("Mine", "sys:org:delete")}, {a.bob, grants("closer", "sys:*")}, {a.bob, drop("recruiter")},
			{a.owner, remove(a.bobID)}, {a.root, desk}, {a.root, global(a.eveID, "desk")}, {a.root, wide}, {a.root, global(a.eveID)}, {a.root, global(a.rootID)}, {a.root, global(a.rootID, "desk")},
		}
		for i, step := range steps {
			before := allowed(a)
			s.Records()
			said := step.who.Post("/api/v1/simulate", m{"changes": []m{step.try}}).Want(200)
			s.Events()
			if again := allowed(a); fmt.Sprint(again) != fmt.Sprint(before) {
				t.Fatalf("%d %s: the simulation changed something", i, step.name)
			}
			did := step.who.Do(step.method, step.path, step.body)
			refused, _ := said.JSON["refused"].(m)
			if did.Status < 300 != (refused == nil) || refused != nil && refused["code"] != did.JSON["code"] {
				t.Errorf("%d %s: said %v, did %d %s", i, step.name, refused, did.Status, did.Body)
			}
			if did.Status >= 300 {
				continue
			}
			after := allowed(a)
			gains, losses := map[string]bool{}, map[string]bool{}
			for x := range after {
				if !before[x] {
					gains[x] = true
				}
			}
			for x := range before {
				if !after[x] {
					losses[x] = true
				}
			}
			if g, l := listed(t, said.JSON["gains"]), listed(t, said.JSON["losses"]); fmt.Sprint(g) != fmt.Sprint(gains) || fmt.Sprint(l) != fmt.Sprint(losses) {
				t.Errorf("%d %s: said +%v -%v, did +%v -%v", i, step.name, g, l, gains, losses)
			}
		}
	})
}

// A simulation tells what would be lost for good, answers checks before and after, and is for holders of sys:authz:explain wherever
// something would change.
func TestSimulate(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := newAsking(s)
		out := a.owner.Post("/api/v1/simulate", m{
			"changes": []m{{"type": "role_create", "org_id": "acme", "name": "Closer", "permissions": []string{"jobs:close"}}, {"type": "member_roles", "org_id": "acme", "user_id": a.bobID, "roles": []string{"closer"}}},
			"checks":  []m{{"permission": "jobs:close", "org_id": "acme", "subject": a.bobID}, {"permission": "jobs:post", "org_id": "acme", "subject": a.bobID}, {"permission": "jobs:pots", "org_id": "acme"}}}).Want(200)
		var got []string
		for _, c := range out.JSON["checks"].([]any) {
			got = append(got, fmt.Sprint(c.(m)["before"].(m)["code"], " ", c.(m)["after"].(m)["code"]))
		}
		if want := []string{"missing_permission granted", "granted missing_permission", "unknown_permission unknown_permission"}; !slices.Equal(got, want) || out.JSON["refused"] != nil {
			t.Errorf("%s", out.Body)
		}
		lost := a.owner.Post("/api/v1/simulate", m{"changes": []m{{"type": "member_remove", "org_id": "acme", "user_id": a.ownerID}}}).Want(200)
		if orgs := lost.JSON["without_owner"].([]any); len(orgs) != 1 || orgs[0] != a.acme || lost.JSON["refused"].(m)["code"] != "last_owner" {
			t.Errorf("%s", lost.Body)
		}
		admin := a.root.Post("/api/v1/simulate", m{"changes": []m{{"type": "global_roles", "user_id": a.rootID}}}).Want(200)
		if admin.JSON["no_super_admin"] != true || admin.JSON["refused"].(m)["code"] != "last_super_admin" {
			t.Errorf("%s", admin.Body)
		}
		joins := m{"type": "member_roles", "org_id": "acme", "user_id": a.eveID, "roles": []string{"recruiter"}}
		if in := a.owner.Post("/api/v1/simulate", m{"changes": []m{joins}}).Want(200); !listed(t, in.JSON["gains"])[a.eveID+" "+a.acme+" jobs:post"] {
			t.Errorf("%s", in.Body)
		}
		// who may ask about the platform only is shown no organization
		a.root.Post("/api/v1/roles", m{"name": "Desk", "permissions": []string{"sys:authz:explain"}}).Want(201)
		s.Grant(a.eveID, "desk")
		far := a.eve.Post("/api/v1/simulate", m{"changes": []m{{"type": "global_roles", "user_id": a.bobID, "roles": []string{"super_admin"}}}}).Want(200)
		gains := far.JSON["gains"].(m)
		for _, i := range gains["items"].([]any) {
			if i.(m)["org_id"] != nil {
				t.Errorf("%s", far.Body)
			}
		}
		if len(gains["items"].([]any)) != 1 || gains["count"].(float64) <= float64(len(gains["items"].([]any)[0].(m)["permissions"].([]any))) || far.JSON["refused"].(m)["code"] != "missing_permission" && far.JSON["refused"].(m)["code"] != "cannot_grant_more" {
			t.Errorf("%s", far.Body)
		}
		s.Revoke(a.eveID, "desk")
		// who may not
		a.bob.Post("/api/v1/simulate", m{"changes": []m{joins}}).Want(403, "missing_permission")
		a.eve.Post("/api/v1/simulate", m{"changes": []m{joins}}).Want(404, "org_not_found")
		a.owner.Post("/api/v1/simulate", m{"changes": []m{joins, {"type": "global_roles", "user_id": a.eveID, "roles": []string{"manager"}}}}).Want(403)
		a.owner.Post("/api/v1/simulate", m{"changes": []m{}, "checks": []m{{"permission": "jobs:post", "subject": a.bobID}}}).Want(403)
		a.eve.Post("/api/v1/simulate", m{"changes": []m{}, "checks": []m{{"permission": "jobs:post", "org_id": "acme"}}}).Want(404)
		// what cannot be tried
		for _, bad := range []struct {
			change m
			status int
			code   string
		}{
			{m{"type": "member_remove", "org_id": "acme", "user_id": a.eveID}, 404, "member_not_found"},
			{m{"type": "member_roles", "org_id": "acme", "user_id": a.bobID, "roles": []string{"nothing"}}, 422, "role_unknown"},
			{m{"type": "member_roles", "org_id": "acme", "user_id": "x", "roles": []string{"member"}}, 422, "change_invalid"},
			{m{"type": "member_roles", "user_id": a.bobID}, 403, "missing_permission"},
			{m{"type": "role_permissions", "org_id": "acme", "role": "nothing"}, 404, "role_not_found"},
			{m{"type": "role_create", "org_id": "acme", "name": "owner"}, 422, "role_name_reserved"},
			{m{"type": "role_create", "org_id": "acme", "name": "New", "permissions": []string{"jobs:pots"}}, 422, "unknown_permission"},
			{m{"type": "role_create", "org_id": "acme", "name": "New", "permissions": []string{"jobs:post if nonsense ("}}, 422, "condition_invalid"},
			{m{"type": "role_create", "org_id": "acme", "name": "New", "base": "recruiter"}, 422, "role_unknown"},
			{m{"type": "nothing", "org_id": "acme"}, 422, "invalid_request"},
		} {
			a.owner.Post("/api/v1/simulate", m{"changes": []m{bad.change}}).Want(bad.status, bad.code)
		}
		if taken := a.owner.Post("/api/v1/simulate", m{"changes": []m{{"type": "role_create", "org_id": "acme", "name": "Recruiter"}}}).Want(200); taken.JSON["refused"].(m)["code"] != "role_taken" {
			t.Errorf("%s", taken.Body)
		}
	})
}
