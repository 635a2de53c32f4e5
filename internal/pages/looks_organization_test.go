package pages_test

import (
	"fmt"
	"testing"

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
		{"org-access", open("/access")},
		{"org-access-allowed", open("/access?person=somebody-with-a-long-name-0@recruiting.example.com&permission=jobs:post")},
		{"org-access-denied", open("/access?person=somebody-with-a-long-name-3@recruiting.example.com&permission=jobs:post")},
		{"org-audit", open("/audit")},
		{"org-audit-none", open("/audit?q=nothing")},
		{"org-programs-none", open("/service-accounts")},
		{"org-program-new", open("/service-accounts/new")},
		{"org-program-new-wrong", func() { post(b, "/org/acme-jobs/service-accounts/new", "fill('name', ' ')") }},
		{"org-program", func() {
			b.Open(at + "/service-accounts/new")
			post(b, "/org/acme-jobs/service-accounts/new", "fill('name', 'Importer'); fill('description', 'Takes over the jobs of the old site every night')")
		}},
		{"org-program-key-new", func() {
			b.Run(`window.leaving = true; document.querySelector('a[href$="/keys/new"]').click(); return {};`)
			b.Settle()
		}},
		{"org-program-key-made", func() {
			post(b, "/org/acme-jobs/service-accounts/svc", "fill('name', 'Server 1'); fill('scopes', 'jobs:*')")
		}},
		{"org-program-keys", func() {
			b.Run(`window.leaving = true; document.querySelector('main a.primary').click(); return {};`)
			b.Settle()
		}},
		{"org-program-key", func() {
			b.Run(`window.leaving = true; document.querySelector('.items a').click(); return {};`)
			b.Settle()
		}},
		{"org-programs", open("/service-accounts")},
		{"org-settings", open("/settings")},
		{"org-delete", open("/delete")},
	}
}

// tick changes one cell of the matrix and sends the form.
func tick(b *browser.Browser, cell, do string) {
	b.T.Helper()
	b.Run(`document.querySelector('[aria-label^="` + cell + `"]').click(); const f = document.querySelector('.matrix-form'); const i = document.createElement('input');
		i.name = 'do'; i.value = '` + do + `'; f.append(i); window.leaving = true; setTimeout(() => f.submit()); return {};`)
	b.Settle()
}

// A role of one's own in the matrix, an invitation of many, and a removal: in a real browser, with scripts and without.
func TestOrganizationInABrowser(t *testing.T) {
	b := browser.New(t)
	for _, scripts := range []bool{true, false} {
		s := testkit.StartAt(t, testkit.Config(t, testkit.DatabaseURL(t, "sqlite")), testkit.NewClock())
		at := s.Config.Web.BaseURL
		key, err := s.App().Owner.Link(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.Scripts(true)
		b.Open(at + "/start#k=" + key)
		post(b, "/start", "fill('email', 'ann@example.com'); fill('password', '"+lamp+"')")
		b.Open(at + "/account/organizations")
		post(b, "/account/organizations", "fill('name', 'Acme Jobs')")
		leaver := people(s)
		s.Records()

		b.Scripts(scripts)
		b.Open(at + "/org/acme-jobs/roles/new")
		b.Submit(`form[action$="/roles/new"]`, "[name=name]", "Scout")
		s.Events("org_role.created", "authorization.changed")
		said := b.Run(`document.querySelector('[aria-label="Scout: Publish a new job"]').click(); return {now: document.querySelector("[data-count]").textContent};`)
		if want := map[bool]string{true: "1 change, not saved.", false: "Nothing is changed yet."}[scripts]; said["now"] != want {
			t.Errorf("%v, want %s", said, want)
		}
		b.Submit(".savebar .row", "", "")
		s.Events()
		b.Submit("main > form.row:not([role])", "", "")
		s.Events("org_role.updated", "authorization.changed")

		b.Open(at + "/org/acme-jobs/invitations")
		b.Run(`document.getElementById("emails").value = "dora@example.com, emil@example.com"; document.querySelector("main form").id = "sent"; return {};`)
		b.Submit("#sent", "", "")
		s.Events("invitation.sent", "message.queued", "invitation.sent", "message.queued")

		b.Open(at + "/org/acme-jobs/members/" + leaver + "/remove")
		b.Submit(`form[action$="/remove"]`, "", "")
		s.Events("member.removed", "authorization.changed")
	}
}
