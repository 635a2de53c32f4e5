package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// organization makes one and gives its id.
func organization(c *testkit.Client, name string) string {
	c.T.Helper()
	return c.Post("/api/v1/orgs", m{"name": name}).Want(201).Text("id")
}

// declare puts permissions into the catalogue as an operator does.
func declare(s *testkit.Server, names ...string) {
	s.Helper()
	list := authz.Manifest{App: "test"}
	for _, n := range names {
		list.Permissions = append(list.Permissions, authz.Permission{Name: n, Title: "Title of " + n})
	}
	if _, err := s.App().Authz.Declare(s.Context(), authz.System, list); err != nil {
		s.Fatal(err)
	}
}

// invitation is the token that was sent to somebody.
func invitation(s *testkit.Server, orgID, email string) string {
	s.Helper()
	p, err := s.App().Orgs.Invitations(s.Context(), authz.System, orgID, "", 100)
	if err != nil {
		s.Fatal(err)
	}
	for _, i := range p.Items {
		if i.Email == email {
			return s.App().Orgs.Token(i)
		}
	}
	s.Fatalf("%s is not invited", email)
	return ""
}

// join makes somebody with an account a member, by an invitation of c.
func join(s *testkit.Server, owner, c *testkit.Client, orgID, email string, roles ...string) {
	s.Helper()
	owner.Post("/api/v1/orgs/"+orgID+"/invitations", m{"email": email, "roles": roles}).Want(201)
	c.Post("/api/v1/invitations/accept", m{"token": invitation(s, orgID, email)}).Want(200)
}

// protected is a server with a route of an app before Admit's own.
func protected(s *testkit.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.Server)
	mux.Handle("POST /orgs/{org}/jobs", s.RequirePermission("post_job", admit.OrgFromPath("org"))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("posted"))
	})))
	return mux
}

// The story that issue and README tell: a permission, a role, an invitation, a protected route, and the role that loses the
// permission, all with one access token.
func TestRecruiterStory(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		url := s.Mount(protected(s))
		declare(s, "post_job")
		ann := person(s, "ann@example.com")
		acme := organization(ann, "Acme")
		s.Events("org.created", "member.added", "authorization.changed")
		role := ann.Post("/api/v1/orgs/"+acme+"/roles", m{"name": "Recruiter", "permissions": []string{"post_job"}}).Want(201)
		ann.Post("/api/v1/orgs/"+acme+"/invitations", m{"email": "bob@example.com", "roles": []string{"recruiter"}}).Want(201)
		s.Events("org_role.created", "authorization.changed", "invitation.sent", "message.queued")

		token := invitation(s, acme, "bob@example.com")
		shown := s.Client().Get("/api/v1/invitations/" + token).Want(200)
		if shown.Text("email") != "bob@example.com" || shown.Text("inviter") != "ann@example.com" {
			t.Errorf("%s", shown.Body)
		}
		bob := s.Client()
		u := bob.Post("/auth/signup?transport=token", m{"email": "bob@example.com", "password": pass, "invite_token": token}).Want(201)
		bob.Bearer = u.Text("access_token")
		me := bob.Get("/auth/me").Want(200)
		if me.JSON["email_verified"] != true || !strings.Contains(string(me.Body), acme) {
			t.Errorf("%s", me.Body)
		}
		if c := claims(t, bob.Bearer); c.Org == nil || *c.Org != acme || len(c.OrgRoles) != 1 || c.OrgRoles[0] != "recruiter" {
			t.Errorf("%+v", c)
		}

		bob.URL = url
		bob.Post("/orgs/"+acme+"/jobs", nil).Want(200)
		bob.Post("/orgs/acme/jobs", nil).Want(200) // by its slug, too
		eve := person(s, "eve@example.com")
		eve.URL = url
		no := eve.Post("/orgs/"+acme+"/jobs", nil).Want(403, "not_a_member")
		if !strings.Contains(no.Text("detail"), "post_job (Title of post_job)") {
			t.Errorf("%s", no.Body)
		}
		s.Client().Get("/api/v1/orgs/" + acme).Want(401)

		etag := role.Header.Get("ETag")
		ann.Do("PUT", "/api/v1/orgs/"+acme+"/roles/recruiter/permissions", m{"permissions": []string{}}).Want(412, "if_match_missing")
		ann.Header.Set("If-Match", etag)
		ann.Do("PUT", "/api/v1/orgs/"+acme+"/roles/recruiter/permissions", m{"permissions": []string{}}).Want(200)
		bob.Post("/orgs/"+acme+"/jobs", nil).Want(403, "missing_permission") // the very next request, with the same access token
		ann.Do("PUT", "/api/v1/orgs/"+acme+"/roles/recruiter/permissions", m{"permissions": []string{"post_job"}}).Want(412, "role_changed")
	})
}

func claims(t *testing.T, accessToken string) (c struct {
	Org      *string  `json:"org"`
	OrgRoles []string `json:"org_roles"`
	AMR      []string `json:"amr"`
	AuthTime int64    `json:"auth_time"`
}) {
	t.Helper()
	text, err := json.Marshal(part(t, accessToken, 1))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// An organization through its life, with its refusals.
func TestOrganizationLife(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		ann.Post("/api/v1/orgs", m{"name": " "}).Want(422, "org_name_invalid")
		ann.Post("/api/v1/orgs", m{"name": "Acme", "slug": "-"}).Want(422, "slug_invalid")
		a := ann.Post("/api/v1/orgs", m{"name": "Ärger & Söhne"}).Want(201)
		if a.Text("slug") != "arger-sohne" || a.Header.Get("Authz-Revision") == "" {
			t.Errorf("%v %s", a.Header, a.Body)
		}
		id := a.Text("id")
		bob.Post("/api/v1/orgs", m{"name": "Ärger & Söhne"}).Want(201) // the slug is another
		bob.Post("/api/v1/orgs", m{"name": "x", "slug": "arger-sohne"}).Want(409, "slug_taken")
		bob.Get("/api/v1/orgs/arger-sohne").Want(404, "org_not_found")
		bob.Do("PATCH", "/api/v1/orgs/"+id, m{"name": "Bob's"}).Want(404, "org_not_found")
		bob.Do("DELETE", "/api/v1/orgs/"+id, nil).Want(404, "org_not_found")
		s.Records()

		ann.Do("PATCH", "/api/v1/orgs/"+id, m{"name": "Acme", "slug": "acme"}).Want(200)
		s.Events("org.updated", "authorization.changed")
		ann.Do("PATCH", "/api/v1/orgs/"+id, m{"name": "Acme"}).Want(200)
		s.Events()
		if moved := ann.Get("/api/v1/orgs/arger-sohne").Want(308); moved.Header.Get("Location") != "/api/v1/orgs/acme" {
			t.Errorf("%v", moved.Header)
		}
		bob.Get("/api/v1/orgs/arger-sohne").Want(404) // a stranger is not told where it went
		bob.Post("/api/v1/orgs", m{"name": "x", "slug": "arger-sohne"}).Want(409, "slug_taken")

		join(s, ann, bob, id, "bob@example.com", "member")
		if list := bob.Get("/api/v1/orgs?limit=1").Want(200); len(list.JSON["items"].([]any)) != 1 || list.JSON["next_cursor"] == nil {
			t.Errorf("%s", list.Body)
		}
		bob.Get("/api/v1/orgs/acme/members").Want(403, "missing_permission")
		bob.Do("DELETE", "/api/v1/orgs/acme", nil).Want(403, "missing_permission")
		bob.Get("/api/v1/orgs?all=true").Want(403, "missing_permission")
		s.Records()
		ann.Do("DELETE", "/api/v1/orgs/acme", nil).Want(204)
		s.Events("member.removed", "member.removed", "org.deleted", "authorization.changed")
		ann.Get("/api/v1/orgs/acme").Want(404)
		bob.Post("/api/v1/orgs", m{"name": "x", "slug": "acme"}).Want(201) // nothing is left of it
	})
}

// Where only some may make organizations, others are told what they need.
func TestOrganizationsByPermission(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Org.Creation, c.Org.MostOwned = "platform", 2 }, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		ann.Post("/api/v1/orgs", m{"name": "Acme"}).Want(403, "missing_permission")
		s.Grant(ann.Get("/auth/me").Text("id"), authz.SuperAdmin)
		ann.Post("/api/v1/orgs", m{"name": "Acme"}).Want(201)
	})
	testkit.Each(t, func(c *admit.Config) { c.Org.MostOwned = 2 }, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		organization(ann, "One")
		organization(ann, "Two")
		ann.Post("/api/v1/orgs", m{"name": "Three"}).Want(409, "orgs_owned")
	})
}

// The last owner stays, whichever way they would go, and whoever goes at the same time.
func TestLastOwner(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		annID, bobID := ann.Get("/auth/me").Text("id"), bob.Get("/auth/me").Text("id")
		acme := organization(ann, "Acme")
		at := "/api/v1/orgs/" + acme + "/members/"
		ann.Do("DELETE", at+annID, nil).Want(409, "last_owner")
		ann.Do("PUT", at+annID+"/roles", m{"roles": []string{"admin"}}).Want(409, "last_owner")
		ann.Do("PATCH", at+annID, m{"suspended": true}).Want(409, "last_owner")
		if err := s.App().Accounts.Disable(t.Context(), authz.System, annID); err == nil || !strings.Contains(err.Error(), "last_owner") {
			t.Errorf("the last owner was disabled: %v", err)
		}
		if err := s.App().Accounts.Delete(t.Context(), authz.System, annID); err == nil || !strings.Contains(err.Error(), "last_owner") {
			t.Errorf("the last owner was deleted: %v", err)
		}
		join(s, ann, bob, acme, "bob@example.com", "owner")
		ann.Do("PUT", at+bobID+"/roles", m{"roles": []string{"owner"}, "expires_at": "2031-06-01T00:00:00Z"}).Want(200)
		carl := person(s, "carl@example.com")
		join(s, ann, carl, acme, "carl@example.com", "member")
		ann.Do("PUT", at+carl.Get("/auth/me").Text("id")+"/roles", m{"roles": []string{"owner"}, "expires_at": "2031-06-01T00:00:00Z"}).Want(422, "owner_expires")

		clients := []*testkit.Client{ann, bob}
		ids := []string{annID, bobID}
		answers := together(8, func(i int) testkit.Answer { return clients[i%2].Do("DELETE", at+ids[i%2], nil) })
		gone := 0
		for _, a := range answers {
			if a.Status == 204 {
				gone++
			}
		}
		root, err := s.App().Authz.Root(t.Context())
		if err != nil || gone != 1 || !root.HasOwner(acme) {
			t.Errorf("%d owners left, %v", gone, err)
		}
	})
}

// An owner hands the organization over and stays in it.
func TestTransfer(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		bobID := bob.Get("/auth/me").Text("id")
		acme := organization(ann, "Acme")
		join(s, ann, bob, acme, "bob@example.com", "admin")
		bob.Post("/api/v1/orgs/"+acme+"/transfer", m{"user_id": bobID}).Want(403, "missing_permission")
		s.Records()
		ann.Post("/api/v1/orgs/"+acme+"/transfer", m{"user_id": "usr_nobody"}).Want(404, "member_not_found")
		ann.Post("/api/v1/orgs/"+acme+"/transfer", m{"user_id": bobID}).Want(200)
		s.Events("member.roles_changed", "member.roles_changed", "authorization.changed")
		ann.Do("DELETE", "/api/v1/orgs/"+acme, nil).Want(403, "missing_permission")
		bob.Do("DELETE", "/api/v1/orgs/"+acme, nil).Want(204)
	})
}

// Nobody gives, invites with, or makes what they do not hold, nor touches who holds more.
func TestNoEscalationOverHTTP(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		declare(s, "jobs:post", "billing:read")
		ann, bob, carl := person(s, "ann@example.com"), person(s, "bob@example.com"), person(s, "carl@example.com")
		annID, bobID, carlID := ann.Get("/auth/me").Text("id"), bob.Get("/auth/me").Text("id"), carl.Get("/auth/me").Text("id")
		acme := organization(ann, "Acme")
		at := "/api/v1/orgs/" + acme
		ann.Post(at+"/roles", m{"name": "Host", "permissions": []string{"sys:members:*", "sys:roles:*", "jobs:post"}}).Want(201)
		join(s, ann, bob, acme, "bob@example.com", "host")
		join(s, ann, carl, acme, "carl@example.com", "member")
		s.Records()
		for what, a := range map[string]testkit.Answer{
			"invites an admin":        bob.Post(at+"/invitations", m{"email": "eve@example.com", "roles": []string{"admin"}}),
			"invites an owner":        bob.Post(at+"/invitations", m{"email": "eve@example.com", "roles": []string{"owner"}}),
			"makes a role above":      bob.Post(at+"/roles", m{"name": "Boss", "permissions": []string{"billing:read"}}),
			"makes a role of all":     bob.Post(at+"/roles", m{"name": "Boss", "permissions": []string{"*"}}),
			"makes a role on admin":   bob.Post(at+"/roles", m{"name": "Boss", "base": "admin", "permissions": []string{}}),
			"makes themself an admin": bob.Do("PUT", at+"/members/"+bobID+"/roles", m{"roles": []string{"host", "admin"}}),
			"makes another an admin":  bob.Do("PUT", at+"/members/"+carlID+"/roles", m{"roles": []string{"admin"}}),
			"demotes the owner":       bob.Do("PUT", at+"/members/"+annID+"/roles", m{"roles": []string{"member"}}),
			"removes the owner":       bob.Do("DELETE", at+"/members/"+annID, nil),
			"suspends the owner":      bob.Do("PATCH", at+"/members/"+annID, m{"suspended": true}),
		} {
			if code, _ := a.JSON["code"].(string); a.Status != 403 || code != "cannot_grant_more" && code != "cannot_manage_higher" {
				t.Errorf("%s: %d %s", what, a.Status, a.Body)
			}
		}
		bob.Header.Set("If-Match", "*")
		bob.Do("PUT", at+"/roles/host/permissions", m{"permissions": []string{"sys:members:*", "sys:roles:*", "jobs:*"}}).Want(403, "cannot_grant_more")
		ann.Do("DELETE", at+"/roles/owner", nil).Want(409, "role_system")
		s.Events()
		bob.Do("PUT", at+"/members/"+carlID+"/roles", m{"roles": []string{"host"}}).Want(200) // as much as they hold
	})
}

// An invitation is for one address, once, and worth what whoever invited may still give.
func TestInvitations(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob, carl := person(s, "ann@example.com"), person(s, "bob@example.com"), person(s, "carl@example.com")
		carlID := carl.Get("/auth/me").Text("id")
		acme := organization(ann, "Acme")
		at := "/api/v1/orgs/" + acme + "/invitations"
		ann.Post(at, m{"email": "nobody"}).Want(422, "email_invalid")
		ann.Post(at, m{"email": "bob@example.com", "roles": []string{"chief"}}).Want(422, "role_unknown")
		ann.Post(at, m{"email": "ann@example.com"}).Want(409, "member_exists")
		i := ann.Post(at, m{"email": "Bob@Example.com"}).Want(201)
		ann.Post(at, m{"email": "bob@example.com"}).Want(409, "invitation_exists")
		old := invitation(s, acme, "bob@example.com")
		carl.Post("/api/v1/invitations/accept", m{"token": old}).Want(403, "invitation_other_address")
		s.Client().Post("/auth/signup", m{"email": "eve@example.com", "password": pass, "invite_token": old}).Want(403, "invitation_other_address")
		s.Client().Post("/auth/login", m{"email": "eve@example.com", "password": pass}).Want(401) // and no account was made
		ann.Post(at+"/"+i.Text("id")+"/resend", nil).Want(200)
		token := invitation(s, acme, "bob@example.com")
		for _, worthless := range []string{old, token[:len(token)-1], "inv_x.1.x", strings.Repeat("a", 199)} {
			bob.Post("/api/v1/invitations/accept", m{"token": worthless}).Want(404, "invitation_not_found")
			bob.Get("/api/v1/invitations/"+worthless).Want(404, "invitation_not_found")
		}
		s.Records()
		won := 0
		for _, a := range together(8, func(int) testkit.Answer { return bob.Post("/api/v1/invitations/accept", m{"token": token}) }) {
			if a.Status == 200 {
				won++
			} else if a.Status != 404 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
		if won != 1 {
			t.Errorf("%d accepted", won)
		}
		s.Events("user.identifier_verified", "invitation.accepted", "member.added", "authorization.changed")

		// an admin who loses that place takes what they promised along
		join(s, ann, carl, acme, "carl@example.com", "admin")
		carl.Post(at, m{"email": "dora@example.com", "roles": []string{"admin"}}).Want(201)
		ann.Do("PUT", "/api/v1/orgs/"+acme+"/members/"+carlID+"/roles", m{"roles": []string{"member"}}).Want(200)
		dora := person(s, "dora@example.com")
		dora.Post("/api/v1/invitations/accept", m{"token": invitation(s, acme, "dora@example.com")}).Want(403, "invitation_outgrown")
		list := ann.Get(at).Want(200)
		id := list.JSON["items"].([]any)[0].(m)["id"].(string)
		ann.Do("DELETE", at+"/"+id, nil).Want(204)
		ann.Do("DELETE", at+"/"+id, nil).Want(404)

		ann.Post(at, m{"email": "dora@example.com"}).Want(201)
		late := invitation(s, acme, "dora@example.com")
		s.Advance(8 * 24 * 3600e9)
		dora = s.Client()
		dora.Post("/auth/login", m{"email": "dora@example.com", "password": pass}).Want(200)
		dora.Post("/api/v1/invitations/accept", m{"token": late}).Want(404, "invitation_not_found")
	})
}

// A person works in one organization at a time, and changes it without signing in again.
func TestSwitchOrganization(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		acme := organization(ann, "Acme")
		c, _ := native(s, "ann@example.com")
		if got := claims(t, c.Bearer); got.Org == nil || *got.Org != acme { // the only one
			t.Errorf("%+v", got)
		}
		umbrella := organization(ann, "Umbrella")
		a := c.Post("/auth/switch-org", m{"org_id": "umbrella"}).Want(200)
		if got := claims(t, a.Text("access_token")); a.Text("org_id") != umbrella || *got.Org != umbrella || got.OrgRoles[0] != "owner" {
			t.Errorf("%s %+v", a.Body, got)
		}
		s.Events("org.created", "member.added", "authorization.changed", "session.org_switched")
		ann.Post("/auth/switch-org", m{"org_id": "nowhere"}).Want(404, "org_not_found")
		bob := person(s, "bob@example.com")
		bob.Post("/auth/switch-org", m{"org_id": acme}).Want(404, "org_not_found")
		if a := c.Post("/auth/switch-org", m{"org_id": nil}).Want(200); a.JSON["org_id"] != nil {
			t.Errorf("%s", a.Body)
		}
	})
}

// A role that ends gives nothing from that moment on, and nobody has to notice.
func TestRoleEnds(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		declare(s, "post_job")
		url := s.Mount(protected(s))
		ann, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		acme := organization(ann, "Acme")
		ann.Post("/api/v1/orgs/"+acme+"/roles", m{"name": "Temp", "permissions": []string{"post_job"}}).Want(201)
		join(s, ann, bob, acme, "bob@example.com", "member")
		path := "/api/v1/orgs/" + acme + "/members/" + bob.Get("/auth/me").Text("id") + "/roles"
		ann.Do("PUT", path, m{"roles": []string{"member", "temp"}, "expires_at": "2001-01-01T00:00:00Z"}).Want(422, "expires_in_past")
		ann.Do("PUT", path, m{"roles": []string{"member", "temp"}, "expires_at": s.Now().Add(3600e9)}).Want(200)
		bob.URL = url
		bob.Post("/orgs/"+acme+"/jobs", nil).Want(200)
		s.Advance(3600e9)
		bob.Post("/orgs/"+acme+"/jobs", nil).Want(403, "missing_permission")
	})
}

// What was given in an organization rests while the member, or all of it, is suspended.
func TestSuspension(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		declare(s, "post_job")
		url := s.Mount(protected(s))
		root, ann, bob := person(s, "root@example.com"), person(s, "ann@example.com"), person(s, "bob@example.com")
		s.Grant(root.Get("/auth/me").Text("id"), authz.SuperAdmin)
		acme := organization(ann, "Acme")
		join(s, ann, bob, acme, "bob@example.com", "admin")
		path := "/api/v1/orgs/" + acme + "/members/" + bob.Get("/auth/me").Text("id")
		jobs := *bob
		jobs.URL = url
		jobs.Post("/orgs/acme/jobs", nil).Want(200)
		ann.Do("PATCH", path, m{"suspended": true}).Want(200)
		jobs.Post("/orgs/acme/jobs", nil).Want(403, "member_suspended")
		ann.Do("PATCH", path, m{"suspended": false}).Want(200)
		jobs.Post("/orgs/acme/jobs", nil).Want(200)
		ann.Post("/api/v1/orgs/acme/suspend", nil).Want(403, "missing_permission")
		root.Post("/api/v1/orgs/acme/suspend", nil).Want(200)
		jobs.Post("/orgs/acme/jobs", nil).Want(403, "org_suspended")
		ann.Do("PATCH", "/api/v1/orgs/acme", m{"name": "x"}).Want(403, "org_suspended")
		root.Post("/api/v1/orgs/acme/reinstate", nil).Want(200)
		jobs.Post("/orgs/acme/jobs", nil).Want(200)
	})
}
