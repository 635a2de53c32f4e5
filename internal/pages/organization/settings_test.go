package organization_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// An organization is renamed, asks for second factors and is deleted by the calls of the API; the name is typed for what cannot be undone.
func TestOrganizationSettingsOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, _, _ := acme(s)
		bob, _ := member(s, "bob", "acme", "member")
		for _, path := range []string{"/settings", "/delete"} {
			bob.Get("/org/acme" + path).Want(403)
		}
		bob.Send("/org/acme/settings", url.Values{"name": {"Mine"}, "slug": {"mine"}}).Want(403)
		bob.Send("/org/acme/delete", url.Values{"confirm": {"Acme"}}).Want(403)
		says(ann.Fill("/org/acme/settings", "/org/acme/settings", url.Values{"slug": {"-"}}).Want(422), `id="slug-err"`, `value="-"`, `value="Acme"`)
		says(ann.Fill("/org/acme/settings", "/org/acme/settings/factor", url.Values{"required": {"true"}}).Want(403), "You did not show a second factor")
		s.Events()
		led(ann.Fill("/org/acme/settings", "/org/acme/settings", url.Values{"slug": {"acme-jobs"}}), "/org/acme-jobs/settings")
		s.Events("org.updated", "authorization.changed")
		says(ann.Fill("/org/acme-jobs/delete", "/org/acme-jobs/delete", url.Values{"confirm": {"acme"}}).Want(422), "Type it exactly", "2 people lose")
		s.Events()
		led(ann.Fill("/org/acme-jobs/delete", "/org/acme-jobs/delete", url.Values{"confirm": {"Acme"}}), "/account/organizations")
		s.Events("member.removed", "member.removed", "org.deleted", "authorization.changed")
		ann.Get("/org/acme-jobs").Want(404)
	})
}

// Whether somebody may do something is told with the path of grants, or with what is missing; about others only to who may know. The log is
// that of the organization alone.
func TestAccessAndLogOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, annID, _ := acme(s)
		ann.Post("/api/v1/orgs/acme/roles", testkit.M{"name": "Recruiter", "permissions": []string{"jobs:*", "applicants:view if resource.open == true"}}).Want(201)
		bob, _ := member(s, "bob", "acme", "member")
		cy, _ := member(s, "cy", "acme", "recruiter")
		eve, _ := member(s, "eve", "")
		at := "/org/acme/access"
		says(ann.Get(at+"?person=bob@example.com&permission=jobs:post").Want(200), ">Denied<", "bob@example.com</bdi>: Publish a job", "No role of this person gives it.", "<b>recruiter</b>")
		says(ann.Get(at+"?person=cy@example.com&permission=jobs:post").Want(200), ">Allowed<", "<b>recruiter</b>", "jobs:*")
		open := url.Values{"person": {"cy@example.com"}, "permission": {"applicants:view"}, "resource": {`{"open": false}`}}
		says(ann.Get(at+"?"+open.Encode()).Want(200), ">Denied<", "resource.open == true", "under a condition that does not hold")
		open.Set("resource", `{"open": true}`)
		says(ann.Get(at+"?"+open.Encode()).Want(200), ">Allowed<")
		open.Set("resource", `[`)
		says(ann.Get(at+"?"+open.Encode()).Want(422), "This is no JSON object.", "applicants:view")
		says(ann.Get(at+"?permission=jobs:pst").Want(422), "jobs:post")
		says(ann.Get(at+"?person=nobody&permission=jobs:post").Want(422), "There is no such member.")
		says(bob.Get(at+"?person=cy@example.com&permission=jobs:post").Want(200), ">Denied<", "bob@example.com</bdi>: Publish a job", "!recruiter")
		says(cy.Get(at+"?permission=jobs:post").Want(200), ">Allowed<")
		eve.Get(at).Want(404)

		log := "/org/acme/audit"
		says(ann.Get(log).Want(200), "org.created", "member.added", "ann@example.com")
		says(ann.Get(log+"?type=member.added&subject="+annID).Want(200), "member.added</span>", "ann@example.com", "!org.created")
		says(ann.Get(log+"?to=2001-01-01&q=nothing").Want(200), "Nothing fits.")
		ann.Get(log + "?q=%00%FF").Want(400)
		ann.Get(log + "?cursor=x").Want(400)
		bob.Get(log).Want(403)
		eve.Get(log).Want(404)

		// the overview shows the latest five to who may read it all
		for _, name := range []string{"A", "B", "Acme"} {
			ann.Do("PATCH", "/api/v1/orgs/acme", testkit.M{"name": name}).Want(200)
		}
		latest := ann.Get("/org/acme").Want(200)
		says(latest, "What happened last", `<a href="/org/acme/audit">`, "org.updated</span>", "member.added</span>", "!org.created", "!authorization.changed")
		if n := strings.Count(string(latest.Body), `<td class="kind">`); n != 5 {
			t.Errorf("%d events", n)
		}
		says(bob.Get("/org/acme").Want(200), "!What happened last", "!member.added", "!/org/acme/audit")
	})
}
