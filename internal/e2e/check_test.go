package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// asking is an organization to ask about.
type asking struct {
	s                       *testkit.Server
	owner, bob, eve, root   *testkit.Client // an owner, a recruiter, a stranger, a super_admin
	ownerID, bobID, eveID   string
	acme                    string
	recruiter, etag, rootID string
}

// newAsking makes Acme, in which Bob is a recruiter.
func newAsking(s *testkit.Server) *asking {
	s.Helper()
	declare(s, "jobs:post", "jobs:edit", "jobs:close", "billing:read")
	a := &asking{s: s, owner: person(s, "ann@example.com"), bob: person(s, "bob@example.com"), eve: person(s, "eve@example.com")}
	id := func(c *testkit.Client) string { return c.Get("/auth/me").Text("id") }
	a.ownerID, a.bobID, a.eveID = id(a.owner), id(a.bob), id(a.eve)
	a.root, a.rootID = operator(s, "root@example.com")
	a.acme = organization(a.owner, "Acme")
	r := a.owner.Post("/api/v1/orgs/acme/roles", m{"name": "Recruiter", "permissions": []string{"jobs:post", "jobs:edit if resource.owner == subject.id"}}).Want(201)
	a.recruiter, a.etag = r.Text("id"), r.Header.Get("ETag")
	join(s, a.owner, a.bob, a.acme, "bob@example.com", "recruiter")
	s.Records()
	return a
}

// says holds what a check answers.
func says(t testing.TB, c *testkit.Client, body m, code string) testkit.Answer {
	t.Helper()
	a := c.Post("/api/v1/check", body).Want(200)
	if a.JSON["code"] != code || a.JSON["allowed"] != (code == "granted") || a.Header.Get("Authz-Revision") != a.Text("revision") {
		t.Errorf("%v: %s %s, want %s", body, a.Header.Get("Authz-Revision"), a.Body, code)
	}
	return a
}

// Every code a check can give is given when it should be, about oneself and about others.
func TestCheckCodes(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := newAsking(s)
		in := func(body m, org string) m { body["org_id"] = org; return body }
		says(t, a.bob, m{"permission": "jobs:post", "org_id": a.acme}, "granted")
		says(t, a.bob, m{"permission": "jobs:post", "org_id": "acme"}, "granted") // by its slug, in any case
		says(t, a.bob, m{"permission": "jobs:post", "org_id": "ACME"}, "granted")
		says(t, a.bob, m{"permission": "jobs:post", "org_id": "acme", "subject": a.bobID}, "granted")
		says(t, a.bob, m{"permission": "jobs:close", "org_id": "acme"}, "missing_permission")
		says(t, a.bob, m{"permission": "jobs:post"}, "missing_permission") // on the platform
		says(t, a.bob, m{"permission": "sys:org:update"}, "wrong_scope")
		says(t, a.bob, in(m{"permission": "sys:orgs:read"}, "acme"), "wrong_scope")
		says(t, a.bob, in(m{"permission": "jobs:edit"}, "acme"), "condition_error")
		says(t, a.bob, in(m{"permission": "jobs:edit", "resource": m{"owner": "usr_x"}}, "acme"), "condition_false")
		says(t, a.bob, in(m{"permission": "jobs:edit", "resource": m{"owner": a.bobID}}, "acme"), "granted")
		says(t, a.eve, in(m{"permission": "jobs:post"}, "acme"), "not_a_member")
		says(t, a.eve, in(m{"permission": "sys:orgs:read"}, "acme"), "wrong_scope") // whether there is an Acme or not
		says(t, a.eve, in(m{"permission": "sys:orgs:read"}, "nowhere"), "wrong_scope")
		says(t, a.root, in(m{"permission": "jobs:post"}, "acme"), "granted") // reaches every organization
		says(t, a.root, in(m{"permission": "jobs:post"}, "nowhere"), "unknown_org")

		// about others
		says(t, a.owner, in(m{"permission": "jobs:post", "subject": a.bobID}, "acme"), "granted")
		says(t, a.owner, in(m{"permission": "jobs:post", "subject": a.eveID}, "acme"), "not_a_member")
		says(t, a.owner, in(m{"permission": "jobs:post", "subject": "nobody"}, "acme"), "not_a_member")
		says(t, a.root, m{"permission": "jobs:post", "subject": a.eveID}, "missing_permission")
		a.bob.Post("/api/v1/check", in(m{"permission": "jobs:post", "subject": a.ownerID}, "acme")).Want(403, "missing_permission")
		a.eve.Post("/api/v1/check", in(m{"permission": "jobs:post", "subject": a.bobID}, "acme")).Want(404, "org_not_found")
		a.eve.Post("/api/v1/check", in(m{"permission": "jobs:post", "subject": a.bobID}, "nowhere")).Want(404, "org_not_found")
		a.owner.Post("/api/v1/check", m{"permission": "jobs:post", "subject": a.bobID}).Want(403, "missing_permission") // the platform is not hers

		// what is not known is an error, with what was probably meant
		no := a.bob.Post("/api/v1/check", in(m{"permission": "jobs:pots"}, "acme")).Want(422, "unknown_permission")
		if !strings.Contains(no.Text("detail"), "jobs:post") {
			t.Errorf("%s", no.Body)
		}
		s.Client().Post("/api/v1/check", m{"permission": "jobs:post"}).Want(401)

		// what stands against a grant
		g := a.owner.Post("/api/v1/orgs/acme/guards", m{"pattern": "jobs:post", "condition": "context.auth_age < 900", "message": "Sign in again to post."}).Want(201)
		s.Advance(901e9)
		says(t, a.bob, in(m{"permission": "jobs:post"}, "acme"), "needs_step_up")
		says(t, a.bob, in(m{"permission": "jobs:post", "context": m{"auth_age": 1}}, "acme"), "needs_step_up") // the server knows better
		says(t, a.owner, in(m{"permission": "jobs:post", "subject": a.bobID, "context": m{"auth_age": 1}}, "acme"), "granted")
		says(t, a.eve, in(m{"permission": "jobs:post"}, "acme"), "not_a_member")
		a.owner.Do("DELETE", "/api/v1/orgs/acme/guards/"+g.Text("id"), nil).Want(204)
		a.owner.Post("/api/v1/orgs/acme/guards", m{"pattern": "jobs:post", "condition": `context.transport == "token"`}).Want(201)
		says(t, a.bob, in(m{"permission": "jobs:post", "context": m{"transport": "token"}}, "acme"), "guard_failed")

		// suspension
		a.owner.Do("PATCH", "/api/v1/orgs/acme/members/"+a.bobID, m{"suspended": true}).Want(200)
		says(t, a.bob, in(m{"permission": "jobs:post"}, "acme"), "member_suspended")
		a.owner.Do("PATCH", "/api/v1/orgs/acme/members/"+a.bobID, m{"suspended": false}).Want(200)
		a.root.Post("/api/v1/users/"+a.bobID+"/disable", nil).Want(200)
		says(t, a.owner, in(m{"permission": "jobs:post", "subject": a.bobID}, "acme"), "user_suspended")
		a.root.Post("/api/v1/users/"+a.bobID+"/enable", nil).Want(200)
		a.root.Post("/api/v1/orgs/acme/suspend", nil).Want(200)
		says(t, a.owner, in(m{"permission": "jobs:post"}, "acme"), "org_suspended")
		says(t, a.eve, in(m{"permission": "jobs:post"}, "acme"), "not_a_member") // to her there is none
	})
}

// Asking about oneself, nobody learns whether an organization they do not belong to is there: not from a check, a batch, an
// explanation or a list, whatever stands in it.
func TestAskingTellsNoOrganization(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := newAsking(s)
		a.owner.Post("/api/v1/orgs/acme/guards", m{"pattern": "*", "condition": "false", "message": "Acme says no."}).Want(201)
		far := authz.ReachAllOrgs
		if _, err := s.App().Authz.CreateGlobalRole(s.Context(), authz.System, authz.GlobalRoleEdit{Name: new("Roamer"), Reach: &far, Permissions: &[]string{"jobs:close if resource.open == true"}}); err != nil {
			s.Fatal(err)
		}
		s.Grant(a.eveID, "roamer") // counts everywhere, under a condition
		for name, prepare := range map[string]func(){"as it is": func() {}, "suspended": func() { a.root.Post("/api/v1/orgs/acme/suspend", nil).Want(200) }} {
			prepare()
			for _, permission := range []string{"jobs:post", "jobs:close", "sys:org:update", "sys:orgs:read"} {
				for _, q := range []m{{"permission": permission}, {"permission": permission, "subject": a.eveID}, {"permission": permission, "context": m{"x": 1}}, {"permission": permission, "subject": a.bobID}} {
					for _, path := range []string{"/api/v1/check", "/api/v1/check/batch", "/api/v1/check/explain"} {
						ask := func(org string) string {
							body := m{"org_id": org}
							for k, v := range q {
								body[k] = v
							}
							if strings.HasSuffix(path, "batch") {
								body = m{"checks": []m{body}}
							}
							answer := a.eve.Post(path, body)
							delete(answer.JSON, "request_id")
							return fmt.Sprint(answer.Status, asJSON(answer.JSON))
						}
						there, none, slug := ask(a.acme), ask("org_0000000000000000000000000z"), ask("acme")
						if there != none || slug != none {
							t.Errorf("%s, %s %v:\n%s\n%s\n%s", name, path, q, there, slug, none)
						}
					}
				}
			}
			for path, q := range map[string]m{"/api/v1/what-can": {}, "/api/v1/who-can": {"permission": "jobs:post"}} {
				for _, org := range []string{a.acme, "acme", "nowhere"} {
					q["org_id"] = org
					a.eve.Post(path, q).Want(404, "org_not_found")
				}
			}
			if l := a.eve.Post("/api/v1/where-can", m{"permission": "jobs:close"}).Want(200); len(l.JSON["items"].([]any)) != 0 {
				t.Errorf("%s", l.Body)
			}
		}
	})
}

// Several questions are answered in their order at one revision; one about an unknown permission by itself; one that may not be
// asked ends all.
func TestCheckBatch(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := newAsking(s)
		out := a.owner.Post("/api/v1/check/batch", m{"checks": []m{
			{"permission": "jobs:post", "org_id": "acme"},
			{"permission": "jobs:pots", "org_id": "acme"},
			{"permission": "jobs:close", "org_id": "acme", "subject": a.bobID},
			{"permission": "jobs:edit", "org_id": "acme", "subject": a.bobID, "resource": m{"owner": a.bobID}},
			{"permission": "no name at all"}}}).Want(200)
		var got []string
		for _, r := range out.JSON["results"].([]any) {
			got = append(got, fmt.Sprint(r.(m)["allowed"], " ", r.(m)["code"], " ", r.(m)["error"] != nil))
		}
		want := "[true granted false false unknown_permission true false missing_permission false true granted false false unknown_permission true]"
		if fmt.Sprint(got) != want || out.Header.Get("Authz-Revision") != out.Text("revision") || !strings.Contains(string(out.Body), "jobs:post?") {
			t.Errorf("%s", out.Body)
		}
		a.bob.Post("/api/v1/check/batch", m{"checks": []m{{"permission": "jobs:post"}, {"permission": "jobs:post", "org_id": "acme", "subject": a.ownerID}}}).Want(403, "missing_permission")
		a.eve.Post("/api/v1/check/batch", m{"checks": []m{{"permission": "jobs:post"}, {"permission": "jobs:post", "org_id": "acme", "subject": a.ownerID}}}).Want(404, "org_not_found")
		many := make([]m, 1001)
		for i := range many {
			many[i] = m{"permission": "jobs:post"}
		}
		a.owner.Post("/api/v1/check/batch", m{"checks": many}).Want(422, "invalid_request")
		if all := a.owner.Post("/api/v1/check/batch", m{"checks": many[:1000]}).Want(200); len(all.JSON["results"].([]any)) != 1000 {
			t.Errorf("%d", len(all.Body))
		}
		a.owner.Post("/api/v1/check/batch", m{"checks": []m{}}).Want(422, "invalid_request")
	})
}

// The plain form of a check has a way of its own. It says what the other says, byte for byte, and leaves to it what it must not read.
func TestQuickChecksSayTheSame(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := newAsking(s)
		revision := a.bob.Post("/api/v1/check", m{"permission": "jobs:post"}).Text("revision")
		for _, body := range []string{
			`{"permission":"jobs:post"}`, `{"permission":"jobs:post","org_id":"acme"}`, `{"org_id":"acme","permission":"jobs:close"}`, `{"permission":"jobs:pots","org_id":"acme"}`,
			`{"permission":"jobs:post","org_id":"acme","subject":"` + a.ownerID + `"}`, `{"permission":"jobs:post","org_id":"nowhere"}`, `{"permission":""}`, `{"permission":"<&>"}`,
			`{"permission":"jobs:post","at_least":"` + revision + `"}`, `{"permission":"jobs:post","at_least":"nonsense"}`, `{"permission":"` + strings.Repeat("x", 200) + `"}`,
		} {
			for path, body := range map[string]string{"/api/v1/check": body, "/api/v1/check/batch": `{"checks":[` + body + `,` + body + `]}`} {
				if strings.Contains(path, "batch") && strings.Contains(body, "at_least") {
					continue
				}
				quick := a.bob.Post(path, body)
				slow := a.bob.Post(path, strings.ReplaceAll(body, `"permission":"`, `"resource":{},"permission":"`)) // which the quick way does not read
				delete(quick.JSON, "request_id")
				delete(slow.JSON, "request_id")
				if quick.Status != slow.Status || asJSON(quick.JSON) != asJSON(slow.JSON) || quick.Status == 200 && string(quick.Body) != string(slow.Body) || quick.Header.Get("Authz-Revision") != slow.Header.Get("Authz-Revision") {
					t.Errorf("%s %s:\n%d %s\n%d %s", path, body, quick.Status, quick.Body, slow.Status, slow.Body)
				}
			}
		}
		for _, body := range []string{`{"permission":"jobs:post","permission":"jobs:post"}`, `{"permission":"jobs:post","Permission":"jobs:post"}`, `{"permission":"jobs:post"}x`, `{"permission":"jobs:post",}`, `{"org_id":"acme"}`,
			`{"permission":1}`, `{"permission":"jobs:post","admin":"yes"}`, `{"permission":"` + strings.Repeat("x", 201) + `"}`, `{}`, ``} {
			for path, body := range map[string]string{"/api/v1/check": body, "/api/v1/check/batch": `{"checks":[` + body + `]}`} {
				if no := a.bob.Post(path, body); no.Status != 400 && no.Status != 422 {
					t.Errorf("%s %s: %d %s", path, body, no.Status, no.Body)
				}
			}
		}
		if ok := a.bob.Post("/api/v1/check", " {\n\"permission\" : \"jobs:p\\u006fst\" , \"org_id\": \"acme\"} ").Want(200); ok.JSON["allowed"] != true {
			t.Errorf("%s", ok.Body)
		}
	})
}

// A change answers with its revision; whoever passes it on is answered from there, on every server. A revision of another database
// is refused, and one that has not come yet is waited for by the client.
func TestRevisionTokens(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := newAsking(s)
		other := s
		if s.Engine == "postgres" {
			other = testkit.Start(t, s.Config, s.Clock)
		}
		jar := a.bob.Cookie("/", "session_id")
		elsewhere := other.Client()
		elsewhere.Header.Set("Cookie", "session_id="+jar)
		says(t, elsewhere, m{"permission": "jobs:post", "org_id": "acme"}, "granted")
		permissions := []string{"jobs:close"}
		for i := range 20 {
			a.owner.Header.Set("If-Match", "*")
			changed := a.owner.Do("PUT", "/api/v1/orgs/acme/roles/recruiter/permissions", m{"permissions": permissions}).Want(200)
			token := changed.Header.Get("Authz-Revision")
			want := "missing_permission"
			if i%2 == 1 {
				want = "granted"
			}
			permissions = [][]string{{"jobs:post"}, {"jobs:close"}}[i%2]
			got := says(t, elsewhere, m{"permission": "jobs:post", "org_id": "acme", "at_least": token}, want)
			if got.Text("revision") != token {
				t.Errorf("answered at %s, want %s", got.Text("revision"), token)
			}
			for path, body := range map[string]m{"/api/v1/check/batch": {"checks": []m{{"permission": "jobs:post", "org_id": "acme"}}, "at_least": token}, "/api/v1/check/explain": {"permission": "jobs:post", "org_id": "acme", "at_least": token}} {
				if b := elsewhere.Post(path, body).Want(200); b.Text("revision") != token || !strings.Contains(string(b.Body), want) {
					t.Errorf("%s: %s", path, b.Body)
				}
			}
		}
		now := says(t, elsewhere, m{"permission": "jobs:post", "org_id": "acme"}, "granted").Text("revision")
		parts := strings.Split(now, ".")
		for _, bad := range []string{"nonsense", "az1", "az1." + parts[1] + ".x", "az1." + parts[1] + ".-1", "az1.0000000000000000.1", "az2." + parts[1] + "." + parts[2], "az1." + parts[1] + ".99999999999999999999"} {
			elsewhere.Post("/api/v1/check", m{"permission": "jobs:post", "at_least": bad}).Want(400, "revision_invalid")
		}
		ahead := elsewhere.Post("/api/v1/check", m{"permission": "jobs:post", "at_least": "az1." + parts[1] + ".999999"}).Want(503, "revision_unavailable")
		if ahead.Header.Get("Retry-After") == "" {
			t.Errorf("%v", ahead.Header)
		}
	})
}

// On a warm server a check asks the database nothing: a thousand of them cost it no more questions than the server asks by itself
// in the background.
func TestCheckAsksNoDatabase(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a := newAsking(s)
		url := s.Mount(protected(s))
		declare(s, "post_job")
		a.bob.Post("/api/v1/check", m{"permission": "jobs:post", "org_id": "acme"}).Want(200)
		for path, body := range map[string]any{"/api/v1/check": m{"permission": "jobs:post", "org_id": "acme"}, "/api/v1/check/batch": m{"checks": []m{{"permission": "jobs:post", "org_id": "acme"}, {"permission": "jobs:edit", "org_id": "acme", "resource": m{"owner": "x"}}}},
			"/api/v1/check/explain": m{"permission": "jobs:close", "org_id": "acme"}, "/access/v1/evaluation": m{"subject": m{"type": "user", "id": a.bobID}, "action": m{"name": "jobs:post"}, "resource": m{"type": "org", "id": "acme"}}, "/orgs/acme/jobs": nil} {
			c := *a.bob
			if path == "/orgs/acme/jobs" {
				c.URL = url
			}
			const times = 300
			before := s.App().DB.Asked()
			for range times {
				c.Post(path, body)
			}
			if asked := s.App().DB.Asked() - before; asked > times/3 { // the feed asks twice a second
				t.Errorf("%s: %d questions to the database in %d requests", path, asked, times)
			}
		}
	})
}
