package pages_test

import (
	"fmt"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/testkit/browser"
)

// people fills the organization acme-jobs: an app with permissions, roles of its own, and members who hold them.
func people(s *testkit.Server) (cy string) {
	s.Helper()
	var list []authz.Permission
	for _, p := range [][2]string{{"jobs:post", "Publish a new job"}, {"jobs:edit", "Change a published job"}, {"jobs:delete", "Remove a job"}, {"applicants:view", "See applicants"},
		{"applicants:export", "Download applicant data"}, {"billing", "Change the plan"}} {
		list = append(list, authz.Permission{Name: p[0], Title: p[1]})
	}
	if _, err := s.App().Authz.Declare(s.Context(), authz.System, authz.Manifest{App: "jobs", Permissions: list}); err != nil {
		s.Fatal(err)
	}
	for name, grants := range map[string][]string{"Recruiter": {"jobs:*", "applicants:view"}, "Hiring manager": {"jobs:post", "applicants:view", "applicants:export if resource.owner == subject.id"}} {
		if _, err := s.App().Orgs.CreateRole(s.Context(), authz.System, "acme-jobs", org.RoleEdit{Name: &name, Permissions: &grants}); err != nil {
			s.Fatal(err)
		}
	}
	for i, roles := range [][]string{{"recruiter"}, {"admin"}, {"recruiter", "hiring-manager"}, {"member"}} {
		c := s.Client()
		c.Post("/auth/signup", testkit.M{"email": fmt.Sprintf("somebody-with-a-long-name-%d@recruiting.example.com", i), "password": lamp}).Want(201)
		cy = c.Get("/auth/me").Want(200).Text("id")
		if _, err := s.App().Orgs.Add(s.Context(), authz.System, "acme-jobs", cy, roles); err != nil {
			s.Fatal(err)
		}
	}
	return cy
}

// ofOrganization is each page of an organization.
func ofOrganization(b *browser.Browser, s *testkit.Server) []shown {
	at := s.Config.Web.BaseURL + "/org/acme-jobs"
	open := func(path string) func() { return func() { b.Open(at + path) } }
	cy := ""
	ofCy := func(path string) func() { return func() { b.Open(at + "/members/" + cy + path) } }
	return []shown{
		{"org-new", open("")},
		{"org-overview", func() { cy = people(s); b.Open(at) }},
		{"org-members", open("/members")},
		{"org-members-none", open("/members?q=nobody")},
		{"org-member", ofCy("")},
		{"org-member-remove", ofCy("/remove")},
		{"org-member-transfer", ofCy("/transfer")},
		{"org-invitations-none", open("/invitations")},
		{"org-invitations-some", func() { post(b, "/org/acme-jobs/invitations", "fill('emails', 'dora@example.com, nonsense')") }},
		{"org-invitations", open("/invitations")},
		{"org-roles", open("/roles?q=")},
		{"org-roles-review", func() { b.Open(at + "/roles"); tick(b, "Hiring manager: Remove a job", "review") }},
		{"org-roles-changed", func() { b.Open(at + "/roles"); tick(b, "Recruiter: See applicants", "edit") }},
		{"org-role-new", open("/roles/new")},
		{"org-role", open("/roles/hiring-manager")},
		{"org-role-built-in", open("/roles/owner")},
	}
}

// tick changes one cell of the matrix and sends the form.
func tick(b *browser.Browser, cell, do string) {
	b.T.Helper()
	b.Run(`document.querySelector('[aria-label^="` + cell + `"]').click(); const f = document.querySelector('.matrix-form'); const i = document.createElement('input');
		i.name = 'do'; i.value = '` + do + `'; f.append(i); window.leaving = true; setTimeout(() => f.submit()); return {};`)
	b.Settle()
}
