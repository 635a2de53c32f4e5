package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

const programs = "/api/v1/service-accounts"

// programKey makes a key of a service account, and a client that shows it.
func programKey(s *testkit.Server, c *testkit.Client, account string, scopes ...string) (key *testkit.Client, id string) {
	s.Helper()
	a := c.Post(programs+"/"+account+"/keys", m{"name": "Key", "scopes": scopes}).Want(201)
	key = s.Client()
	key.Bearer = a.Text("key")
	return key, a.Text("id")
}

// exchange asks for an access token with a key.
func exchange(s *testkit.Server, account, key string, more url.Values) testkit.Answer {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {account}, "client_secret": {key}}
	for name, values := range more {
		form[name] = values
	}
	return s.Client().Post("/oauth2/token", form)
}

// A service account of an organization holds roles as people do, through the same gate, and does with its keys what it holds and they are for.
func TestServiceAccounts(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob, acme, _ := recruiters(s)
		made := ann.Post(programs, m{"org_id": "acme", "name": "Importer", "description": "Nightly", "roles": []string{"recruiter"}}).Want(201)
		s.Events("member.added", "service_account.created", "authorization.changed")
		id := made.Text("id")
		if !strings.HasPrefix(id, "svc_") || made.Text("org_id") != acme || made.Header.Get("Authz-Revision") == "" {
			t.Fatalf("%s", made.Body)
		}
		key, keyID := programKey(s, ann, id, "post_job")
		s.Events("api_key.created")
		if !regexp.MustCompile(`^admit_svc_[0-9a-z]{55}$`).MatchString(key.Bearer) {
			t.Error(key.Bearer)
		}
		if !may(key, "post_job", acme) || may(key, "read_job", acme) {
			t.Error("a service account does not do what its roles and its key let it")
		}
		if me := key.Get("/auth/me").Want(200); me.Text("id") != id || me.Text("name") != "Importer" || fmt.Sprint(me.JSON["organizations"]) != "["+acme+"]" {
			t.Errorf("%s", me.Body)
		}
		key.Get("/api/v1/users").Want(403)
		if items := ann.Get("/api/v1/orgs/" + acme + "/members").Want(200).JSON["items"].([]any); len(items) != 3 {
			t.Errorf("%v", items)
		}
		globex := organization(bob, "Globex")
		if may(key, "post_job", globex) {
			t.Error("it does something elsewhere")
		}
		key.Get("/api/v1/orgs/"+globex).Want(404, "org_not_found")

		ann.Do("PUT", "/api/v1/orgs/"+acme+"/members/"+id+"/roles", m{"roles": []string{"owner"}}).Want(422, "service_account_owns")
		ann.Do("PUT", "/api/v1/orgs/"+acme+"/members/"+id+"/roles", m{"roles": []string{"member"}}).Want(200)
		if may(key, "post_job", acme) {
			t.Error("a role that is gone goes on to count")
		}
		ann.Do("PATCH", programs+"/"+id, m{"name": "Exporter"}).Want(200)
		if a := ann.Get(programs + "/" + id).Want(200); a.Text("name") != "Exporter" || a.Text("description") != "Nightly" {
			t.Errorf("%s", a.Body)
		}
		if items := ann.Get(programs + "?org_id=acme").Want(200).JSON["items"].([]any); len(items) != 1 {
			t.Errorf("%v", items)
		}
		rotated := ann.Post(programs+"/"+id+"/keys/"+keyID+"/rotate", m{"overlap_hours": 0}).Want(201)
		key.Get("/auth/me").Want(401, "api_key_invalid")
		key.Bearer = rotated.Text("key")
		key.Get("/auth/me").Want(200)
		ann.Do("DELETE", programs+"/"+id+"/keys/"+rotated.Text("id"), nil).Want(204)
		key.Get("/auth/me").Want(401)
		last, _ := programKey(s, ann, id, "*")
		last.Get("/auth/me").Want(200)
		s.Records()
		ann.Do("DELETE", programs+"/"+id, nil).Want(204)
		s.Events("member.removed", "user.deleted", "authorization.changed")
		last.Get("/auth/me").Want(401)
		ann.Get(programs+"/"+id).Want(404, "service_account_not_found")
	})
}

// Nobody gives a service account more than they hold, or takes over one that holds more: by its roles, its keys or its end.
func TestServiceAccountsGiveNoMore(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob, acme, bobID := recruiters(s)
		at := "/api/v1/orgs/" + acme
		ann.Post(at+"/roles", m{"name": "Host", "permissions": []string{"sys:service-accounts:manage", "sys:members:*", "sys:roles:assign"}}).Want(201)
		ann.Do("PUT", at+"/members/"+bobID+"/roles", m{"roles": []string{"host"}}).Want(200)
		bob.Post(programs, m{"org_id": acme, "name": "x", "roles": []string{"recruiter"}}).Want(403, "cannot_grant_more")
		bob.Post(programs, m{"org_id": acme, "name": "x", "roles": []string{"owner"}}).Want(422, "service_account_owns")
		mine := bob.Post(programs, m{"org_id": acme, "name": "x", "roles": []string{"host"}}).Want(201).Text("id")
		programKey(s, bob, mine, "sys:members:read")
		high := ann.Post(programs, m{"org_id": acme, "name": "y", "roles": []string{"recruiter"}}).Want(201).Text("id")
		_, highKey := programKey(s, ann, high, "*")
		bob.Post(programs+"/"+high+"/keys", m{"name": "x", "scopes": []string{"*"}}).Want(403, "cannot_manage_higher")
		bob.Post(programs+"/"+high+"/keys/"+highKey+"/rotate", nil).Want(403, "cannot_manage_higher")
		bob.Do("DELETE", programs+"/"+high, nil).Want(403, "cannot_manage_higher")

		plain := person(s, "plain@example.com")
		join(s, ann, plain, acme, "plain@example.com", "member")
		plain.Post(programs, m{"org_id": acme, "name": "x"}).Want(403)
		plain.Get(programs+"/"+mine).Want(403, "missing_permission")
		plain.Get(programs+"?org_id="+acme).Want(403, "missing_permission")
		eve := person(s, "eve@example.com")
		eve.Get(programs+"/"+mine).Want(404, "service_account_not_found")
		eve.Get(programs+"?org_id="+acme).Want(404, "org_not_found")
		eve.Post(programs, m{"name": "x"}).Want(403, "missing_permission")
		eve.Get(programs).Want(403, "missing_permission")
		bob.Get(programs+"/"+bobID).Want(404, "service_account_not_found")

		program, _ := programKey(s, ann, mine, "*", "sys:*")
		program.Post(programs, m{"org_id": acme, "name": "child", "roles": []string{"host"}}).Want(201)
		program.Post(programs, m{"org_id": acme, "name": "child", "roles": []string{"recruiter"}}).Want(403, "cannot_grant_more")
		program.Post(programs+"/"+mine+"/keys", m{"name": "x", "scopes": []string{"*"}}).Want(403, "credential_ceiling")
		s.Advance(11 * time.Minute)
		ann.Post(programs+"/"+mine+"/keys", m{"name": "x", "scopes": []string{"*"}}).Want(403, "reauthentication_required")
	})
}

// A service account of the site holds global roles, and is disabled and deleted as people are; those of an organization end with it.
func TestServiceAccountsOfTheSite(t *testing.T) {
	testkit.Each(t, func(cfg *admit.Config) { cfg.MFA.Required = []string{"off"} }, func(s *testkit.Server) {
		root, _ := operator(s, "root@example.com")
		name, permissions := "Reader", []string{"sys:users:read"}
		if _, err := s.App().Authz.CreateGlobalRole(s.Context(), authz.System, authz.GlobalRoleEdit{Name: &name, Permissions: &permissions}); err != nil {
			t.Fatal(err)
		}
		id := root.Post(programs, m{"name": "Sync", "roles": []string{"reader"}}).Want(201).Text("id")
		root.Post(programs, m{"name": "Sync", "roles": []string{"super_admin"}}).Want(422, "service_account_owns")
		root.Do("PUT", "/api/v1/users/"+id+"/roles", m{"roles": []string{"super_admin"}}).Want(422, "service_account_owns")
		root.Post(programs, m{"name": " "}).Want(422, "name_invalid")
		key, _ := programKey(s, root, id, "sys:users:*")
		items := key.Get("/api/v1/users").Want(200).JSON["items"].([]any)
		if len(items) != 1 {
			t.Errorf("programs are listed among people: %v", items)
		}
		key.Do("PATCH", "/api/v1/users/"+id, m{"name": "Other"}).Want(403)
		root.Do("PATCH", "/api/v1/users/"+id, m{"username": "other"}).Want(404, "user_not_found")
		root.Post("/api/v1/users/"+id+"/impersonate", m{"reason": "to see what it sees"}).Want(409)
		root.Post("/api/v1/users/"+id+"/disable", nil).Want(200)
		key.Get("/auth/me").Want(401)
		root.Post("/api/v1/users/"+id+"/enable", nil).Want(200)
		key.Get("/auth/me").Want(200)
		root.Do("DELETE", programs+"/"+id, nil).Want(204)
		key.Get("/auth/me").Want(401)

		acme := organization(root, "Acme")
		gone := root.Post(programs, m{"org_id": acme, "name": "Importer"}).Want(201).Text("id")
		key, _ = programKey(s, root, gone, "*")
		key.Get("/auth/me").Want(200)
		root.Do("DELETE", "/api/v1/orgs/"+acme, nil).Want(204)
		key.Get("/auth/me").Want(401)
		root.Get(programs+"/"+gone).Want(404, "service_account_not_found")
	})
}

// Where every member needs a second factor, a program is none of those who could have one.
func TestServiceAccountsNeedNoSecondFactor(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob, acme, _ := recruiters(s)
		id := ann.Post(programs, m{"org_id": acme, "name": "Importer", "roles": []string{"recruiter"}}).Want(201).Text("id")
		program, _ := programKey(s, ann, id, "*")
		own, _ := makeKey(s, bob, m{"scopes": []string{"*"}})
		enrol(s, ann)
		ann.Do("PATCH", "/api/v1/orgs/"+acme, m{"require_mfa": true}).Want(200)
		if !may(program, "post_job", acme) {
			t.Error("a program is asked for a second factor")
		}
		own.Post("/api/v1/check", m{"permission": "post_job", "org_id": acme}).Want(403, "mfa_required") // its person has none
	})
}

// A service account gets a short access token for its key: signed like every other, for what is asked of what the key is for, and dead with the key.
func TestClientCredentials(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, _, acme, _ := recruiters(s)
		id := ann.Post(programs, m{"org_id": acme, "name": "Importer", "roles": []string{"recruiter"}}).Want(201).Text("id")
		key, keyID := programKey(s, ann, id, "post_job", "read_job")
		s.Records()
		a := exchange(s, id, key.Bearer, url.Values{"scope": {"read_job"}}).Want(200)
		if a.Text("token_type") != "Bearer" || a.JSON["expires_in"] != 900.0 || a.Text("scope") != "read_job" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %v", a.Body, a.Header)
		}
		claims := map[string]any{}
		payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(a.Text("access_token"), ".")[1])
		if err := json.Unmarshal(payload, &claims); err != nil {
			t.Fatal(err)
		}
		wanted := m{"sub": id, "client_id": id, "sid": keyID, "scope": "read_job", "typ": "access", "role": "user", "org": acme}
		for name, want := range wanted {
			if claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
		}
		if fmt.Sprint(claims["roles"], claims["org_roles"]) != "[] []" {
			t.Errorf("%v", claims)
		}
		c := s.Client()
		c.Bearer = a.Text("access_token")
		if !may(c, "read_job", acme) || may(c, "post_job", acme) {
			t.Error("the scope of a token does not bind it")
		}
		c.Post("/auth/password/change", m{"current_password": pass, "new_password": pass}).Want(403, "credential_ceiling")
		c.Post("/api/v1/logout", nil).Want(403, "credential_ceiling")
		if whole := exchange(s, id, key.Bearer, nil).Want(200); whole.Text("scope") != "post_job read_job" {
			t.Errorf("%s", whole.Body)
		}
		basic := s.Client()
		basic.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+key.Bearer)))
		basic.Post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}}).Want(200)

		cases := map[string]struct {
			change url.Values
			status int
			code   string
		}{
			"another account":  {url.Values{"client_id": {"svc_01900000000070008000000000"}}, 401, "invalid_client"},
			"a wrong key":      {url.Values{"client_secret": {key.Bearer + "0"}}, 401, "invalid_client"},
			"no key":           {url.Values{"client_secret": {""}}, 401, "invalid_client"},
			"more scope":       {url.Values{"scope": {"read_job sys:members:read"}}, 400, "invalid_scope"},
			"a wider scope":    {url.Values{"scope": {"*"}}, 400, "invalid_scope"},
			"no scope at all":  {url.Values{"scope": {"read job \x01"}}, 400, "invalid_scope"},
			"another grant":    {url.Values{"grant_type": {"password"}}, 400, "unsupported_grant_type"},
			"no grant":         {url.Values{"grant_type": {""}}, 400, "invalid_request"},
			"a parameter more": {url.Values{"scope": {"read_job", "post_job"}}, 400, "invalid_request"},
		}
		for name, wrong := range cases {
			if a := exchange(s, id, key.Bearer, wrong.change); a.Status != wrong.status || a.Text("error") != wrong.code || a.Text("error_description") == "" || (a.Status == 401) != (a.Header.Get("WWW-Authenticate") != "") {
				t.Errorf("%s: %d %s", name, a.Status, a.Body)
			}
		}
		if a := s.Client().Post("/oauth2/token", m{"grant_type": "client_credentials"}); a.Status != 400 || a.Text("error") != "invalid_request" {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		both := *basic
		if a := both.Post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_secret": {key.Bearer}}); a.Text("error") != "invalid_request" {
			t.Errorf("%s", a.Body)
		}
		own, _ := makeKey(s, ann, m{"scopes": []string{"*"}})
		if a := exchange(s, userID(ann), own.Bearer, nil); a.Status != 401 || a.Text("error") != "invalid_client" {
			t.Errorf("a person's key: %d %s", a.Status, a.Body)
		}

		s.Advance(15 * time.Minute)
		c.Get("/auth/me").Want(401)
		c.Bearer = exchange(s, id, key.Bearer, nil).Want(200).Text("access_token")
		c.Get("/auth/me").Want(200)
		ann.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		ann.Do("DELETE", programs+"/"+id+"/keys/"+keyID, nil).Want(204)
		c.Get("/auth/me").Want(401)
		if a := exchange(s, id, key.Bearer, nil); a.Status != 401 {
			t.Errorf("%s", a.Body)
		}
		short := ann.Post(programs+"/"+id+"/keys", m{"name": "Short", "scopes": []string{"read_job"}, "expires_in_days": 1}).Want(201)
		s.Advance(24*time.Hour - time.Minute)
		if a := exchange(s, id, short.Text("key"), nil).Want(200); a.JSON["expires_in"] != 60.0 {
			t.Errorf("a token outlives its key: %s", a.Body)
		}
	})
}
