package organization_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

const sentence = "a quiet green lamp"

func says(a testkit.Answer, texts ...string) {
	a.T.Helper()
	for _, text := range texts {
		text, not := strings.CutPrefix(text, "!")
		if strings.Contains(string(a.Body), text) == not {
			a.T.Errorf("%q is there: %t, in\n%s", text, not, a.Body)
		}
	}
}

func led(a testkit.Answer, to string) {
	a.T.Helper()
	if got := a.Want(303).Header.Get("Location"); got != to {
		a.T.Errorf("led to %s, want %s", got, to)
	}
}

// member is somebody with an account; joined to an organization where one is named.
func member(s *testkit.Server, name, org string, roles ...string) (c *testkit.Client, userID string) {
	s.Helper()
	c = s.Client()
	c.Post("/auth/signup", testkit.M{"email": name + "@example.com", "password": sentence}).Want(201)
	userID = c.Get("/auth/me").Want(200).Text("id")
	if org != "" {
		if _, err := s.App().Orgs.Add(s.Context(), authz.System, org, userID, roles); err != nil {
			s.Fatal(err)
		}
	}
	s.Records()
	return c, userID
}

// acme is an organization with an owner, and with permissions to give.
func acme(s *testkit.Server) (ann *testkit.Client, annID, orgID string) {
	s.Helper()
	ann, annID = member(s, "ann", "")
	orgID = ann.Post("/api/v1/orgs", testkit.M{"name": "Acme"}).Want(201).Text("id")
	manifest := authz.Manifest{App: "jobs"}
	for _, p := range []string{"jobs:post Publish a job", "jobs:edit Change a job", "applicants:view See applicants", "applicants:export Download applicants"} {
		name, title, _ := strings.Cut(p, " ")
		manifest.Permissions = append(manifest.Permissions, authz.Permission{Name: name, Title: title})
	}
	if _, err := s.App().Authz.Declare(s.Context(), authz.System, manifest); err != nil {
		s.Fatal(err)
	}
	s.Records()
	return ann, annID, orgID
}

// A page shows only what its visitor may do, and the service refuses everything else; a stranger learns nothing, and a former slug leads on.
func TestOrganizationPagesAgreeWithPermissions(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, annID, org := acme(s)
		bob, bobID := member(s, "bob", "acme", "member")
		eve, _ := member(s, "eve", "")
		says(ann.Get("/account/organizations").Want(200), `href="/org/acme"`)
		says(ann.Get("/org/acme").Want(200), "Acme", "/org/acme/members", "/org/acme/invitations", "Owner")
		page := bob.Get("/org/acme").Want(200)
		for _, path := range []string{"/members", "/invitations"} {
			says(page, "!href=\"/org/acme"+path+"\"")
			bob.Get("/org/acme" + path).Want(403)
			eve.Get("/org/acme" + path).Want(404)
			eve.Get("/org/nowhere" + path).Want(404)
			led(s.Client().Get("/org/acme"+path), "/signin?return_to="+url.QueryEscape("/org/acme"+path))
		}
		eve.Get("/org/acme").Want(404)
		for path, form := range map[string]url.Values{
			"/members/" + annID + "/roles": {"roles": {"member"}}, "/members/" + annID + "/rest": {"suspended": {"true"}}, "/members/" + annID + "/remove": {},
			"/members/" + bobID + "/roles": {"roles": {"owner"}}, "/members/" + bobID + "/transfer": {}, "/invitations": {"emails": {"x@example.com"}},
		} {
			if a := bob.Send("/org/acme"+path, form); a.Status != 403 && a.Status != 404 {
				t.Errorf("%s: %d", path, a.Status)
			}
			eve.Send("/org/acme"+path, form).Want(404)
		}
		s.Events()
		says(bob.Get("/org/acme/members/"+bobID).Want(200), "Nothing beyond being a member.")
		bob.Get("/org/acme/members/" + annID).Want(403)

		ann.Do("PATCH", "/api/v1/orgs/acme", testkit.M{"slug": "acme-jobs"}).Want(200)
		for from, to := range map[string]string{"/org/acme/members?q=x": "/org/acme-jobs/members?q=x", "/org/" + org: "/org/acme-jobs"} {
			if a := ann.Get(from).Want(308); a.Header.Get("Location") != to {
				t.Errorf("%s leads to %s", from, a.Header.Get("Location"))
			}
			eve.Get(from).Want(404)
		}
	})
}

// Members are found, given several roles at once, suspended, removed and made owners, each by the call that the API makes.
func TestMembersOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, annID, _ := acme(s)
		role := ann.Post("/api/v1/orgs/acme/roles", testkit.M{"name": "Recruiter", "permissions": []string{"jobs:post"}}).Want(201).Text("id")
		bob, bobID := member(s, "bob", "acme", "member")
		bob.Fill("/account", "/account", url.Values{"name": {"=Bob of Nine"}})
		s.Records()
		for query, want := range map[string][]string{
			"": {"ann@example.com", "=Bob of Nine"}, "?q=nine": {"=Bob of Nine", "!ann@"}, "?q=ANN": {"ann@example.com", "!Bob"}, "?role=owner": {"ann@example.com", "!Bob"},
			"?role=" + role: {"Nobody fits."}, "?cursor=mem_x": {"ann@example.com"}, "?q=" + bobID: {"Bob", "!ann@"},
		} {
			says(ann.Get("/org/acme/members"+query).Want(200), want...)
		}
		says(ann.Get("/api/v1/orgs/acme/members?q=nine&role=member").Want(200), "=Bob of Nine", "!ann@")
		ann.Get("/api/v1/orgs/acme/members?q=%00&role=%FF").Want(400, "malformed_query")
		ann.Get("/org/acme/members?q=%00%FF&role=%00&cursor=mem_%00").Want(400)
		table := ann.Get("/org/acme/members.csv").Want(200)
		says(table, "user_id,name,email,username,roles,suspended,since\r\n", ",'=Bob of Nine,bob@example.com,")
		bob.Get("/org/acme/members.csv").Want(403)

		at := "/org/acme/members/" + bobID
		says(ann.Get(at).Want(200), `value="member" checked`, "Recruiter")
		led(ann.Fill(at, at+"/roles", url.Values{"roles": {"member", role}}), at)
		s.Events("member.roles_changed", "authorization.changed")
		says(ann.Get(at).Want(200), "Publish a job", "Recruiter")
		stale := ann.Get(at)
		ann.Do("PUT", "/api/v1/orgs/acme/members/"+bobID+"/roles", testkit.M{"roles": []string{"member", "admin"}}).Want(200)
		s.Records()
		led(ann.Submit(stale, at+"/roles", url.Values{"roles": {role}}), at) // member is taken; what somebody else gave and took meanwhile stays
		if keys := keys(s, bobID); !slices.Equal(keys, []string{"admin"}) {
			t.Error(keys)
		}
		s.Records()
		led(ann.Submit(ann.Get(at), at+"/rest", url.Values{"suspended": {"true"}}), at)
		s.Events("member.suspended", "authorization.changed")
		says(ann.Get(at).Want(200), "Reinstate", ">Suspended<")
		led(ann.Submit(ann.Get(at), at+"/rest", url.Values{"suspended": {"false"}}), at)
		s.Records()

		says(ann.Get("/org/acme/members/"+annID+"/remove").Want(200), "Leave Acme?")
		says(ann.Fill("/org/acme/members/"+annID+"/remove", "/org/acme/members/", nil).Want(409), "owner")
		led(ann.Fill(at+"/transfer", at+"/transfer", nil), "/org/acme")
		s.Events("member.roles_changed", "member.roles_changed", "authorization.changed")
		led(bob.Fill("/org/acme/members/"+annID+"/remove", "/org/acme/members/", nil), "/org/acme/members")
		s.Events("member.removed", "authorization.changed")
		ann.Get("/org/acme").Want(404)
	})
}

// Many are invited at once: who can be is, and whoever cannot stays in the field with the reason.
func TestInvitationsOfManyOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, _, _ := acme(s)
		member(s, "bob", "acme", "member")
		at := "/org/acme/invitations"
		says(ann.Get(at).Want(200), "Nobody is waiting.", `value="member" checked`)
		page := ann.Fill(at, at, url.Values{"emails": {"Cy Clark <cy@example.com>, dora@example.com; nonsense\nbob@example.com\n\ncy@example.com"}, "roles": {"member", "admin"}}).Want(422)
		s.Events("invitation.sent", "message.queued", "invitation.sent", "message.queued")
		says(page, "nonsense\nbob@example.com</textarea>", "This person is a member already.", "2 addresses were not invited", `value="admin" checked`, "<title>Error: ")
		if s.Letter("cy@example.com").Links == nil || s.Letter("dora@example.com").Links == nil {
			t.Error("no mail")
		}
		led(ann.Fill(at, at, url.Values{"emails": {"x@example.com"}, "roles": nil}), at)
		says(ann.Get(at).Want(200), "The invitations are on their way.", "x@example.com", "by <bdi>ann@example.com")
		s.Records()
		list := ann.Get(at)
		id := regexp.MustCompile(at + `/(inv_[^/]+)/resend`).FindSubmatch(list.Body)
		led(ann.Submit(list, at+"/"+string(id[1])+"/resend", nil), at)
		s.Events("invitation.sent", "message.queued")
		led(ann.Submit(list, at+"/"+string(id[1])+"/revoke", nil), at)
		s.Events("invitation.revoked")
		says(ann.Submit(list, at+"/"+string(id[1])+"/revoke", nil).Want(404), "cy@example.com", "!x@example.com")
		says(ann.Fill(at, at, url.Values{"emails": {" ,\n"}}).Want(422), "Enter at least one address.")
		var many strings.Builder
		for i := range 101 {
			fmt.Fprintf(&many, "p%d@example.com\n", i)
		}
		says(ann.Fill(at, at, url.Values{"emails": {many.String()}, "roles": {"member"}}).Want(422), "These are 101 addresses.", "p100@example.com")
		ann.Fill(at, at, url.Values{"emails": {"odd@example.com"}, "roles": {"\x00"}}).Want(400)
	})
}

// keys is the roles of a member of Acme.
func keys(s *testkit.Server, userID string) (list []string) {
	s.Helper()
	m, err := s.App().Orgs.Member(s.Context(), authz.System, "acme", userID)
	if err != nil {
		s.Fatal(err)
	}
	for _, h := range m.Roles {
		list = append(list, h.Key)
	}
	return list
}
