package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

// zen is the fixture of the certification scenario of AuthZEN 1.0, in an organization: Alice reads and writes records that are not
// archived and deletes softly, Bob reads, and writes archived ones when he is told to be an admin. The enforcement point is the owner.
type zen struct {
	pep, alice       *testkit.Client
	aliceID, bobID   string
	org, ownerID     string
	stranger         *testkit.Client
	strangerID, none string
}

func newZen(s *testkit.Server) *zen {
	s.Helper()
	declare(s, "read", "write", "delete")
	z := &zen{pep: person(s, "pep@example.com"), alice: person(s, "alice@example.com"), stranger: person(s, "eve@example.com"), none: "org_0000000000000000000000000z"}
	bob := person(s, "bob@example.com")
	id := func(c *testkit.Client) string { return c.Get("/auth/me").Text("id") }
	z.aliceID, z.bobID, z.ownerID, z.strangerID = id(z.alice), id(bob), id(z.pep), id(z.stranger)
	z.org = organization(z.pep, "Acme")
	at := "/api/v1/orgs/acme/roles"
	z.pep.Post(at, m{"name": "Alice", "permissions": []string{"read", `write if !has(resource.status) || resource.status != "archived"`, "delete if context.action.soft == true"}}).Want(201)
	z.pep.Post(at, m{"name": "Bob", "permissions": []string{"read", `write if context.subject.role == "admin" && resource.status == "archived"`}}).Want(201)
	join(s, z.pep, z.alice, z.org, "alice@example.com", "alice")
	join(s, z.pep, bob, z.org, "bob@example.com", "bob")
	return z
}

func (z *zen) subject(id string, properties ...m) m {
	return withProperties(m{"type": "user", "id": id}, properties)
}

func (z *zen) record(id string, properties ...m) m {
	r := withProperties(m{"type": "record", "id": id}, properties)
	if r["properties"] == nil {
		r["properties"] = m{}
	}
	r["properties"].(m)["org_id"] = z.org
	return r
}

func withProperties(e m, properties []m) m {
	for _, p := range properties {
		e["properties"] = p
	}
	return e
}

func action(name string, properties ...m) m { return withProperties(m{"name": name}, properties) }

// The eight decisions of the scenario, and all about the form of requests and answers: Basic, Batch, Discovery.
func TestAuthZENEvaluation(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Web.BaseURL = "https://pdp.example.com" }, func(s *testkit.Server) {
		z := newZen(s)
		archived, active, manager := m{"status": "archived"}, m{"status": "active"}, m{"role": "admin"}
		decisions := []struct {
			subject, action, resource m
			want                      bool
		}{
			{z.subject(z.aliceID), action("read"), z.record("record-1"), true},
			{z.subject(z.aliceID), action("write"), z.record("record-1"), true},
			{z.subject(z.bobID), action("read"), z.record("record-1"), true},
			{z.subject(z.bobID), action("write"), z.record("record-1"), false},
			{z.subject(z.aliceID), action("write"), z.record("record-2", archived), false},
			{z.subject(z.bobID, manager), action("write"), z.record("record-2", archived), true},
			{z.subject(z.aliceID), action("delete", m{"soft": true}), z.record("record-1"), true},
			{z.subject(z.aliceID), action("delete", m{"soft": false}), z.record("record-1"), false},
			{z.subject(z.aliceID, m{"department": "Sales", "role": "manager"}), action("read", m{"method": "GET"}), z.record("record-1", m{"owner": "bob", "status": "active"}), true},
			{z.subject(z.aliceID), action("read"), m{"type": "org", "id": "acme"}, true},
			{z.subject(z.aliceID), action("read"), m{"type": "org", "id": z.org}, true},
			{m{"type": "spaceship", "id": z.aliceID}, action("read"), z.record("record-1"), false},
			{z.subject("nobody"), action("read"), z.record("record-1"), false},
		}
		var all []m
		for i, d := range decisions {
			q := m{"subject": d.subject, "action": d.action, "resource": d.resource}
			all = append(all, q)
			for _, context := range []any{nil, m{"time": "2031-06-27T18:03-07:00", "ip": "192.168.1.1"}} {
				if context != nil {
					q = m{"subject": d.subject, "action": d.action, "resource": d.resource, "context": context, "futureField": m{"nested": true}, "foo": "bar"}
				}
				z.pep.Header.Set("X-Request-ID", fmt.Sprint("bfe9eb29-", i))
				a := z.pep.Post("/access/v1/evaluation", q).Want(200)
				if a.JSON["decision"] != d.want || a.Header.Get("X-Request-ID") != fmt.Sprint("bfe9eb29-", i) || a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Authz-Revision") == "" {
					t.Errorf("%d: %v %s", i, a.Header, a.Body)
				}
				single := z.pep.Post("/access/v1/evaluations", q).Want(200) // without a list it is the same
				if single.JSON["decision"] != d.want || single.JSON["evaluations"] != nil {
					t.Errorf("%d: %s", i, single.Body)
				}
			}
		}
		batch := z.pep.Post("/access/v1/evaluations", m{"evaluations": all}).Want(200)
		if batch.JSON["decision"] != nil {
			t.Errorf("%s", batch.Body)
		}
		for i, e := range batch.JSON["evaluations"].([]any) {
			if e.(m)["decision"] != decisions[i].want {
				t.Errorf("%d: %v", i, e)
			}
		}
		for name, c := range map[string]struct {
			body m
			want string
		}{
			"defaults":              {m{"subject": z.subject(z.bobID), "resource": z.record("record-1"), "evaluations": []m{{"action": action("read")}, {"action": action("write")}}}, "[true false]"},
			"properties of each":    {m{"subject": z.subject(z.aliceID), "action": action("write"), "evaluations": []m{{"resource": z.record("record-1", active)}, {"resource": z.record("record-2", archived)}}}, "[true false]"},
			"subjects of each":      {m{"action": action("write"), "resource": z.record("record-2", archived), "evaluations": []m{{"subject": z.subject(z.aliceID)}, {"subject": z.subject(z.bobID, manager)}}}, "[false true]"},
			"merging":               {m{"subject": z.subject(z.aliceID), "action": action("write"), "resource": m{"type": "record"}, "evaluations": []m{{"resource": m{"id": "record-1", "properties": m{"status": "active", "org_id": z.org}}}, {"resource": z.record("record-2", archived)}}}, "[true false]"},
			"a fault in one":        {m{"subject": z.subject(z.aliceID), "action": action("read"), "evaluations": []m{{"resource": z.record("record-1")}, {}}}, "[true false]"},
			"a foreign one":         {m{"subject": z.subject(z.aliceID), "action": action("read"), "evaluations": []m{{"resource": z.record("record-1")}, {"resource": m{"type": "org", "id": z.none}}}}, "[true false]"},
			"an empty list":         {m{"subject": z.subject(z.aliceID), "action": action("read"), "resource": z.record("record-1"), "evaluations": []m{}}, "true"},
			"all":                   {semantic(z, "execute_all", "read", "delete", "read"), "[true false true]"},
			"deny on first deny":    {semantic(z, "deny_on_first_deny", "read", "delete", "read"), "[true false]"},
			"permit on first":       {semantic(z, "permit_on_first_permit", "delete", "read", "read"), "[false true]"},
			"deny on an unknown":    {semantic(z, "deny_on_first_deny", "raed", "read"), "[false]"},
			"no denial":             {semantic(z, "deny_on_first_deny", "read", "read"), "[true true]"},
			"no permit":             {semantic(z, "permit_on_first_permit", "delete", "delete"), "[false false]"},
			"options of the future": {m{"subject": z.subject(z.aliceID), "action": action("read"), "resource": z.record("record-1"), "evaluations": []m{{}}, "options": m{"another_option": 1}}, "[true]"},
		} {
			a := z.pep.Post("/access/v1/evaluations", c.body).Want(200)
			got := fmt.Sprint(a.JSON["decision"])
			if list, ok := a.JSON["evaluations"].([]any); ok {
				var each []any
				for _, e := range list {
					each = append(each, e.(m)["decision"])
				}
				got = fmt.Sprint(each)
			}
			if got != c.want {
				t.Errorf("%s: %s, want %s: %s", name, got, c.want, a.Body)
			}
		}
		meta := s.Client().Get("/.well-known/authzen-configuration").Want(200)
		for name, path := range map[string]string{"policy_decision_point": "", "access_evaluation_endpoint": "/access/v1/evaluation", "access_evaluations_endpoint": "/access/v1/evaluations", "search_subject_endpoint": "/access/v1/search/subject",
			"search_resource_endpoint": "/access/v1/search/resource", "search_action_endpoint": "/access/v1/search/action"} {
			if meta.Text(name) != "https://pdp.example.com"+path {
				t.Errorf("%s", meta.Body)
			}
		}
	})
}

func semantic(z *zen, how string, actions ...string) m {
	var list []m
	for _, a := range actions {
		list = append(list, m{"action": action(a)})
	}
	return m{"subject": z.subject(z.aliceID), "resource": z.record("record-1"), "evaluations": list, "options": m{"evaluations_semantic": how}}
}

// Why a decision is what it is stands beside it, for who may know; what is wrong with a request is 400, and who may not ask is refused.
func TestAuthZENReasonsAndRefusals(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		z := newZen(s)
		ask := func(c *testkit.Client, name string, resource m) m {
			return c.Post("/access/v1/evaluation", m{"subject": z.subject(z.aliceID), "action": action(name), "resource": resource}).Want(200).JSON["context"].(m)
		}
		if why := ask(z.pep, "raed", z.record("1")); why["code"] != "unknown_permission" || !strings.Contains(asJSON(why), "Did you mean read?") {
			t.Errorf("%v", why)
		}
		if why := ask(z.pep, "delete", z.record("1")); why["code"] != "condition_error" || why["reason_admin"] == nil || why["reason_user"] == nil || !strings.HasPrefix(why["revision"].(string), "az1.") {
			t.Errorf("%v", why)
		}
		if why := ask(z.alice, "delete", z.record("1")); why["reason_admin"] != nil {
			t.Errorf("%v", why)
		}
		if there, none := ask(z.alice, "read", m{"type": "org", "id": organization(z.stranger, "Other")}), ask(z.alice, "read", m{"type": "org", "id": z.none}); there["code"] != "not_a_member" || asJSON(there["reason_user"]) != asJSON(none["reason_user"]) || there["code"] != none["code"] {
			t.Errorf("%v\n%v", there, none)
		}
		for _, org := range []string{z.org, "acme", z.none} {
			for _, path := range []string{"evaluation", "search/subject", "search/action"} {
				z.stranger.Post("/access/v1/"+path, m{"subject": z.subject(z.aliceID), "action": action("read"), "resource": m{"type": "org", "id": org}}).Want(404, "org_not_found")
			}
		}
		z.alice.Post("/access/v1/evaluation", m{"subject": z.subject(z.bobID), "action": action("read"), "resource": z.record("1")}).Want(403, "missing_permission")
		s.Client().Post("/access/v1/evaluation", m{}).Want(401)

		s2, a, r := z.subject(z.aliceID), action("read"), z.record("record-1")
		for path, bad := range map[string][]any{
			"evaluation": {m{"action": a, "resource": r}, m{"subject": s2, "resource": r}, m{"subject": s2, "action": a}, m{"subject": m{"id": "x"}, "action": a, "resource": r}, m{"subject": m{"type": "user"}, "action": a, "resource": r},
				m{"subject": s2, "action": m{}, "resource": r}, m{"subject": s2, "action": a, "resource": m{"id": "x"}}, m{"subject": s2, "action": a, "resource": m{"type": "x"}}, m{"subject": "alice", "action": a, "resource": r},
				m{"subject": s2, "action": m{"name": 123}, "resource": r}, m{"subject": s2, "action": a, "resource": m{"type": "x", "id": "1", "properties": "no"}}, m{"subject": s2, "action": a, "resource": m{"type": "x", "id": "1", "properties": m{"org_id": 7}}},
				"", "{", "null", "[]", `{"subject":{},"subject":{}}`},
			"evaluations":     {m{"evaluations": "no"}, m{"evaluations": []m{{}}, "options": m{"evaluations_semantic": "sometimes"}}, m{"action": a, "resource": r}, m{"subject": s2, "action": a, "resource": r, "evaluations": slices.Repeat([]m{{}}, 1001)}},
			"search/subject":  {m{"subject": m{"type": "user"}, "resource": r}, m{"subject": m{"type": "user"}, "action": a, "resource": m{"type": "record"}}, m{"action": a, "resource": r}, m{"subject": s2, "action": a, "resource": r, "page": m{"token": "nonsense"}}},
			"search/resource": {m{"action": a, "resource": m{"type": "org"}}, m{"subject": m{"type": "user"}, "action": a, "resource": m{"type": "org"}}},
			"search/action":   {m{"subject": s2}, m{"subject": s2, "resource": m{"type": "record"}}},
		} {
			for _, body := range bad {
				no := z.pep.Post("/access/v1/"+path, body).Want(400)
				if code := no.JSON["code"]; code != "authzen_request_invalid" && code != "malformed_body" {
					t.Errorf("%s %v: %s", path, body, no.Body)
				}
			}
		}
	})
}

// Searches find what evaluations permit, in parts that belong together, and nothing where nothing is known.
func TestAuthZENSearch(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		z := newZen(s)
		find := func(c *testkit.Client, what string, body m) (ids []string) {
			t.Helper()
			for {
				a := c.Post("/access/v1/search/"+what, body).Want(200)
				for _, r := range a.JSON["results"].([]any) {
					id, named := r.(m)["name"].(string)
					if !named {
						id = r.(m)["id"].(string)
						if r.(m)["type"] != body[what].(m)["type"] {
							t.Errorf("%s", a.Body)
						}
					}
					ids = append(ids, id)
				}
				next, is := a.JSON["page"].(m)["next_token"].(string)
				if !is || a.Header.Get("Authz-Revision") == "" {
					t.Errorf("%s", a.Body)
				}
				if next == "" {
					slices.Sort(ids)
					return ids
				}
				body["page"] = m{"token": next, "limit": 1}
			}
		}
		has := func(what string, got []string, want ...string) {
			t.Helper()
			for _, w := range want {
				if !slices.Contains(got, w) {
					t.Errorf("%s: %v lacks %s", what, got, w)
				}
			}
		}
		archived := z.record("record-2", m{"status": "archived"})
		manager := z.subject(z.bobID, m{"role": "admin"})
		for _, page := range []any{nil, m{"limit": 1}} {
			with := func(body m) m {
				if page != nil {
					body["page"] = page
				}
				return body
			}
			has("S1", find(z.pep, "subject", with(m{"subject": m{"type": "user"}, "action": action("read"), "resource": z.record("record-1")})), z.aliceID, z.bobID, z.ownerID)
			has("S2", find(z.alice, "resource", with(m{"subject": z.subject(z.aliceID), "action": action("read"), "resource": m{"type": "org"}})), z.org)
			has("S3", find(z.pep, "action", with(m{"subject": z.subject(z.aliceID), "resource": z.record("record-1")})), "read", "write")
			has("S4", find(z.pep, "subject", with(m{"subject": m{"type": "user", "properties": m{"role": "admin"}}, "action": action("write"), "resource": archived})), z.bobID)
			has("S6", find(z.pep, "action", with(m{"subject": manager, "resource": archived})), "write")
		}
		if got := find(z.pep, "subject", m{"subject": m{"type": "user"}, "action": action("write"), "resource": archived}); slices.Contains(got, z.aliceID) || slices.Contains(got, z.bobID) {
			t.Errorf("who may not write is found: %v", got)
		}
		for _, who := range find(z.pep, "subject", m{"subject": m{"type": "user"}, "action": action("delete"), "resource": z.record("1")}) {
			if a := z.pep.Post("/access/v1/evaluation", m{"subject": z.subject(who), "action": action("delete"), "resource": z.record("1")}).Want(200); a.JSON["decision"] != true {
				t.Errorf("%s is found and not permitted", who)
			}
		}
		for what, body := range map[string]m{
			"subject":  {"subject": m{"type": "spaceship"}, "action": action("read"), "resource": z.record("record-1")},
			"resource": {"subject": z.subject(z.aliceID), "action": action("read"), "resource": m{"type": "record"}}, // records are the app's
			"action":   {"subject": z.subject("nonexistent"), "resource": z.record("record-1")},
		} {
			if got := find(z.pep, what, body); len(got) != 0 {
				t.Errorf("%s: %v", what, got)
			}
		}
		unknown := z.pep.Post("/access/v1/search/subject", m{"subject": m{"type": "user"}, "action": action("raed"), "resource": z.record("1")}).Want(200)
		if len(unknown.JSON["results"].([]any)) != 0 || unknown.JSON["context"].(m)["code"] != "unknown_permission" {
			t.Errorf("%s", unknown.Body)
		}
	})
}
