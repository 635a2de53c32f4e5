package organization_test

import (
	"net/url"
	"regexp"
	"slices"
	"testing"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// grants is what a role of Acme gives.
func grants(s *testkit.Server, role string) (list []string) {
	s.Helper()
	r, err := s.App().Orgs.Role(s.Context(), authz.System, "acme", role)
	if err != nil {
		s.Fatal(err)
	}
	for _, g := range r.Grants {
		list = append(list, g.String())
	}
	return list
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

const matrix = "/org/acme/roles"

// A role is made, given permissions in the matrix, reviewed by what people gain and lose, and only then saved: with the events of the API.
func TestRolesMatrix(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, _, _ := acme(s)
		made := ann.Fill(matrix+"/new", matrix+"/new", url.Values{"name": {"Recruiter"}, "from": {""}, "base": {""}})
		s.Events("org_role.created", "authorization.changed")
		id := regexp.MustCompile(`rol_.*`).FindString(made.Want(303).Header.Get("Location"))
		member(s, "bob", "acme", id)
		grant := "grant." + id
		page := ann.Get(matrix).Want(200)
		says(page, `aria-label="Recruiter: Publish a job"`, `aria-label="Owner: Publish a job, Built in" checked disabled`, "1 person", "Everything of jobs")

		review := ann.Submit(page, matrix, url.Values{grant: {"jobs:post", "applicants:*"}, "do": {"review"}}).Want(200)
		s.Events() // nothing is saved by looking
		says(review, "Publish a job", "bob@example.com", "Nobody loses anything.", "1 person")
		says(ann.Submit(review, matrix, url.Values{"do": {"edit"}}).Want(200), `value="jobs:post" aria-label="Recruiter: Publish a job" checked`, "2 changes, not saved.", "applicants:*</span>")
		s.Events()
		led(ann.Submit(review, matrix, url.Values{"do": {"save"}}), matrix)
		s.Events("org_role.updated", "authorization.changed")
		same(t, grants(s, id), "applicants:*", "jobs:post")

		says(ann.Get(matrix+"?only=differences").Want(200), "Recruiter: Publish a job", "Recruiter: Change a job")
		filtered := ann.Get(matrix + "?q=publish").Want(200)
		says(filtered, "Recruiter: Publish a job", "!Recruiter: Change a job")
		review = ann.Submit(filtered, matrix, url.Values{grant: {"applicants:*"}, "do": {"review"}}).Want(200) // what no row shows is kept
		says(review, "bob@example.com", "no longer gives it", "Nobody gains anything.")
		led(ann.Submit(review, matrix, url.Values{"do": {"save"}}), matrix)
		same(t, grants(s, id), "applicants:*")
		says(ann.Submit(ann.Get(matrix), matrix, url.Values{"do": {"review"}}).Want(422), "Nothing is changed.")
		s.Records()

		says(ann.Get(matrix+"/new?from="+id).Want(200), `value="`+id+`" selected`)
		led(ann.Fill(matrix+"/"+id, matrix+"/"+id, url.Values{"name": {"Scout"}, "base": {""}}), matrix+"?role="+id)
		s.Events("org_role.updated", "authorization.changed")
		says(ann.Fill(matrix+"/"+id, matrix+"/"+id, url.Values{"name": {"owner"}, "base": {""}}).Want(422), "belongs to a role that is built in")
		text := ann.Submit(ann.Get(matrix+"/"+id), matrix, url.Values{"do": {"review"}, grant: {"jobs:edit if resource.owner == subject.id\n\napplicants:*"}})
		led(ann.Submit(text.Want(200), matrix, url.Values{"do": {"save"}}), matrix)
		same(t, grants(s, id), "applicants:*", "jobs:edit if resource.owner == subject.id")
		s.Records()
		says(ann.Get(matrix+"/"+id).Want(200), "Somebody holds it.", "!/delete\"")
		says(ann.Send(matrix+"/"+id+"/delete", nil).Want(409), "Somebody holds this role")
		empty := ann.Post("/api/v1/orgs/acme/roles", testkit.M{"name": "Empty", "permissions": []string{}}).Want(201).Text("id")
		s.Records()
		led(ann.Fill(matrix+"/"+empty, matrix+"/"+empty+"/delete", nil), matrix)
		s.Events("org_role.deleted", "authorization.changed")
	})
}

// Two people cannot overwrite each other: whoever comes second sees what the first saved with their own choices on top.
func TestTwoPeopleAtTheMatrix(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, _, _ := acme(s)
		id := ann.Post("/api/v1/orgs/acme/roles", testkit.M{"name": "Recruiter", "permissions": []string{"jobs:post"}}).Want(201).Text("id")
		bob, _ := member(s, "bob", "acme", "admin")
		grant := "grant." + id
		anns, bobs := ann.Get(matrix), bob.Get(matrix)
		review := bob.Submit(bobs, matrix, url.Values{grant: {"jobs:post", "jobs:edit"}, "do": {"review"}}).Want(200)
		led(ann.Submit(anns, matrix, url.Values{grant: {"applicants:view"}, "do": {"save"}}), matrix)
		s.Records()
		for _, do := range []string{"review", "save"} {
			from := map[string]testkit.Answer{"review": bobs, "save": review}[do]
			late := bob.Submit(from, matrix, url.Values{grant: {"jobs:post", "jobs:edit"}, "do": {do}}).Want(412)
			s.Events()
			says(late, "Somebody else changed Recruiter", `aria-label="Recruiter: Change a job" checked data-changed`, `aria-label="Recruiter: See applicants" checked>`, `aria-label="Recruiter: Publish a job">`)
			bobs = late
		}
		led(bob.Submit(bobs, matrix, url.Values{"do": {"save"}}), matrix)
		same(t, grants(s, id), "applicants:view", "jobs:edit")
	})
}

// Nobody gives what they do not hold: the cell is shut with the reason, the review says that it would be refused, and it is.
func TestMatrixGivesNoMoreThanOneHolds(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, _, _ := acme(s)
		id := ann.Post("/api/v1/orgs/acme/roles", testkit.M{"name": "Recruiter", "permissions": []string{}}).Want(201).Text("id")
		for name, list := range map[string][]string{"Keeper": {"sys:roles:*", "jobs:post"}, "Asker": {"sys:authz:explain", "sys:members:read"}} {
			ann.Post("/api/v1/orgs/acme/roles", testkit.M{"name": name, "permissions": list}).Want(201)
		}
		bob, _ := member(s, "bob", "acme", "keeper")
		cy, _ := member(s, "cy", "acme", "keeper", "asker")
		eve, _ := member(s, "eve", "acme", "member")
		page := bob.Get(matrix).Want(200)
		says(page, `aria-label="Recruiter: Publish a job">`, `aria-label="Recruiter: Change a job, You do not hold this, so you cannot give it" disabled`)
		form := url.Values{"grant." + id: {"jobs:edit"}, "do": {"review"}}
		says(bob.Submit(page, matrix, form).Want(200), "told to those who may see why")
		says(cy.Submit(cy.Get(matrix), matrix, form).Want(200), "This would be refused.", "You do not hold jobs:edit", `!value="save"`)
		form.Set("do", "save")
		says(bob.Submit(page, matrix, form).Want(403), "You do not hold jobs:edit", `value="jobs:edit"`)
		eve.Get(matrix).Want(403)
		eve.Send(matrix, form).Want(403)
		eve.Send(matrix+"/new", url.Values{"name": {"Mine"}}).Want(403)
		eve.Send(matrix+"/"+id+"/delete", nil).Want(403)
		same(t, grants(s, id))
	})
}
