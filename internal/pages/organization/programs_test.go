package organization_test

import (
	"net/url"
	"regexp"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

var ownKey = regexp.MustCompile(`<code>(admit_svc_[0-9a-z]{55})</code>`)

// A service account is made, named anew, given keys and deleted on its pages, without JavaScript, with the events of the JSON routes and for
// whom they are. Its keys are shown once, replaced and ended as those of people are.
func TestServiceAccountsOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, _, _ := acme(s)
		ann.Post("/api/v1/orgs/acme/roles", testkit.M{"name": "Recruiter", "permissions": []string{"jobs:*"}}).Want(201)
		ann.Post("/api/v1/orgs", testkit.M{"name": "Other"}).Want(201)
		bob, _ := member(s, "bob", "acme", "member")
		eve, _ := member(s, "eve", "")
		at := "/org/acme/service-accounts"
		says(bob.Get("/org/acme").Want(200), "!"+at)
		for path, form := range map[string]url.Values{at: nil, at + "/new": {"name": {"Mine"}}} {
			bob.Get(path).Want(403)
			eve.Get(path).Want(404)
			if form != nil {
				bob.Send(path, form).Want(403)
				eve.Send(path, form).Want(404)
			}
		}
		s.Events()
		says(ann.Get(at).Want(200), "There are no service accounts yet.", "/api/v1/service-accounts", `href="`+at+`/new"`, `aria-current="page"`)
		says(ann.Get(at+"/new").Want(200), "Recruiter", `!value="owner"`)
		says(ann.Fill(at+"/new", at+"/new", url.Values{"name": {""}, "description": {"Reads jobs"}, "roles": {"recruiter"}}).Want(422), `id="name-err"`, `value="Reads jobs"`)
		s.Events()
		byJSON := ann.Post("/api/v1/service-accounts", testkit.M{"org_id": "acme", "name": "By JSON", "roles": []string{"recruiter"}}).Want(201)
		want := kinds(s)
		here := ann.Fill(at+"/new", at+"/new", url.Values{"name": {"Importer <b>"}, "description": {"Reads jobs"}, "roles": {"recruiter"}}).Want(303).Header.Get("Location")
		if got := kinds(s); got != want || byJSON.Text("id") == "" {
			t.Errorf("events %s, by JSON %s", got, want)
		}
		says(ann.Get(here).Want(200), "Importer &lt;b&gt;", "Reads jobs", "Recruiter", "It has no keys yet.", "The service account is there.")
		other := "/org/other" + here[len("/org/acme"):]
		ann.Get(other).Want(404)
		ann.Send(other+"/delete", url.Values{"confirm": {"Importer <b>"}}).Want(404)
		bob.Get(here).Want(403)
		bob.Send(here, url.Values{"name": {"Mine"}}).Want(403)
		bob.Send(here+"/delete", url.Values{"confirm": {"Importer <b>"}}).Want(403)
		bob.Get(here + "/keys/new").Want(403)
		bob.Send(here+"/keys/new", url.Values{"name": {"x"}, "scopes": {"jobs:post"}, "expires_in_days": {"1"}}).Want(403)
		led(ann.Fill(here, here, url.Values{"name": {"Importer"}, "description": {""}}), here)
		s.Events("service_account.updated")

		says(ann.Fill(here+"/keys/new", here+"/keys/new", url.Values{"name": {"A"}, "scopes": {"no such"}, "expires_in_days": {"30"}}).Want(422), `id="scopes-err"`, "!Everywhere")
		s.Events()
		made := ann.Fill(here+"/keys/new", here+"/keys/new", url.Values{"name": {"Server 1"}, "scopes": {"jobs:*"}, "expires_in_days": {"30"}}).Want(200)
		s.Events("api_key.created")
		key := s.Client()
		key.Bearer = string(ownKey.FindSubmatch(made.Body)[1])
		id := key.Get("/auth/me").Want(200).JSON["api_key"].(testkit.M)["id"].(string)
		one := here + "/keys/" + id
		says(made, `href="`+here+`/keys"`)
		led(ann.Get(here+"/keys"), here)
		says(ann.Get(here).Want(200), "Server 1", one, "!"+key.Bearer[20:])
		says(ann.Get(one).Want(200), "jobs:*", "Acme", "!"+key.Bearer[20:])
		bob.Get(one).Want(403)
		ann.Get(here + "/keys/key_none").Want(404)
		next := ann.Fill(one, one+"/rotate", url.Values{"overlap_hours": {"1"}}).Want(200)
		s.Events("api_key.rotated", "api_key.created")
		newer := s.Client()
		newer.Bearer = string(ownKey.FindSubmatch(next.Body)[1])
		newer.Get("/auth/me").Want(200)
		key.Get("/auth/me").Want(200)
		says(ann.Fill(one, one+"/revoke", url.Values{"confirm": {"server"}}).Want(422), `id="confirm-err"`)
		led(ann.Fill(one, one+"/revoke", url.Values{"confirm": {"Server 1"}}), here)
		s.Events("api_key.revoked")
		key.Get("/auth/me").Want(401)

		says(ann.Fill(here, here+"/delete", url.Values{"confirm": {"importer"}}).Want(422), `id="confirm-err"`)
		newer.Get("/auth/me").Want(200)
		led(ann.Fill(here, here+"/delete", url.Values{"confirm": {"Importer"}}), at)
		newer.Get("/auth/me").Want(401)
		says(ann.Get(at).Want(200), "By JSON", "!"+here, "are gone")

		s.Advance(11 * 60e9)
		made = ann.Get(at + "/" + byJSON.Text("id") + "/keys/new")
		led(made, "/confirm?return_to="+url.QueryEscape(at+"/"+byJSON.Text("id")+"/keys/new"))
	})
}

// kinds are the kinds of the events since the last look.
func kinds(s *testkit.Server) (list string) {
	for _, r := range s.Records() {
		list += r.Kind + " "
	}
	return list
}
