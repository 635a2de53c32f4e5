package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// makeKey makes a key, and a client that shows it and nothing else.
func makeKey(s *testkit.Server, c *testkit.Client, body m) (key *testkit.Client, id string) {
	s.Helper()
	if body["name"] == nil {
		body["name"] = "Nightly build"
	}
	a := c.Post("/api/v1/api-keys", body).Want(201)
	key = s.Client()
	key.Bearer = a.Text("key")
	return key, a.Text("id")
}

var keyForm = regexp.MustCompile(`^admit_key_[0-9a-hjkmnp-tv-z]{55}$`)

// recruiters is an organization of ann with a role that may post jobs, and bob in it.
func recruiters(s *testkit.Server) (ann, bob *testkit.Client, acme, bobID string) {
	s.Helper()
	declare(s, "post_job", "read_job")
	ann, bob = person(s, "ann@example.com"), person(s, "bob@example.com")
	acme, bobID = organization(ann, "Acme"), userID(bob)
	ann.Post("/api/v1/orgs/"+acme+"/roles", m{"name": "Recruiter", "permissions": []string{"post_job", "read_job"}}).Want(201)
	join(s, ann, bob, acme, "bob@example.com", "recruiter")
	s.Records()
	return ann, bob, acme, bobID
}

// may asks as the caller, about themself.
func may(c *testkit.Client, permission, org string) bool {
	c.T.Helper()
	return c.Post("/api/v1/check", m{"permission": permission, "org_id": org}).Want(200).JSON["allowed"] == true
}

// A key can do what it is for and whoever it belongs to may do now, and no more: in checks, on a route of an app, and on Admit's own.
func TestAPIKeys(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		app := s.Mount(protected(s))
		ann, bob, acme, bobID := recruiters(s)
		made := bob.Post("/api/v1/api-keys", m{"name": "Nightly build", "scopes": []string{"post_job", "post_job"}, "expires_in_days": 30}).Want(201)
		s.Events("api_key.created", "message.queued")
		text := made.Text("key")
		if !keyForm.MatchString(text) || made.Text("hint") != text[:14] || made.Text("user_id") != bobID || made.Text("expires_at") != s.Now().Add(30*24*time.Hour).Format(time.RFC3339) {
			t.Fatalf("%s", made.Body)
		}
		if mail := s.Letter("bob@example.com"); !strings.Contains(mail.Text, "Nightly build") || strings.Contains(mail.Text, text) || !strings.Contains(mail.Links[0], "/not-me") {
			t.Errorf("%+v", mail)
		}
		list := bob.Get("/api/v1/api-keys").Want(200)
		if strings.Contains(string(list.Body), text) || !strings.Contains(string(list.Body), made.Text("hint")) || !strings.Contains(string(list.Body), `"last_used_at":null`) {
			t.Errorf("%s", list.Body)
		}

		key := s.Client()
		key.Bearer = text
		me := key.Get("/auth/me").Want(200)
		if in, _ := me.JSON["api_key"].(m); me.Text("id") != bobID || fmt.Sprint(in["scopes"]) != "[post_job]" || in["org_id"] != nil {
			t.Errorf("%s", me.Body)
		}
		key.Get("/protected").Want(200)
		key.Get("/api/v1/about_me").Want(200)
		if !may(key, "post_job", acme) || may(key, "read_job", acme) || !may(bob, "read_job", acme) {
			t.Error("a key is not what it is for")
		}
		in := *key
		in.URL = app
		in.Post("/orgs/"+acme+"/jobs", nil).Want(200)
		reading, _ := makeKey(s, bob, m{"scopes": []string{"read_job"}})
		reading.URL = app
		reading.Post("/orgs/"+acme+"/jobs", nil).Want(403, "credential_ceiling")
		wide, _ := makeKey(s, bob, m{"scopes": []string{"*", "sys:*"}})
		wide.Get("/api/v1/orgs/"+acme+"/members").Want(403, "missing_permission")
		wide.Get("/api/v1/users").Want(403, "missing_permission")

		ann.Do("PUT", "/api/v1/orgs/"+acme+"/members/"+bobID+"/roles", m{"roles": []string{"member"}}).Want(200)
		if may(key, "post_job", acme) || may(wide, "post_job", acme) {
			t.Error("a key outlives the role of its person (AUTHORIZATION 9)")
		}
		in.Post("/orgs/"+acme+"/jobs", nil).Want(403, "missing_permission")
		ann.Do("PUT", "/api/v1/orgs/"+acme+"/members/"+bobID+"/roles", m{"roles": []string{"recruiter"}}).Want(200)
		in.Post("/orgs/"+acme+"/jobs", nil).Want(200)
		ann.Do("DELETE", "/api/v1/orgs/"+acme+"/members/"+bobID, nil).Want(204) // ORG-05
		in.Post("/orgs/"+acme+"/jobs", nil).Want(403)

		s.Advance(time.Minute)
		key.Get("/auth/me").Want(200)
		if err := s.App().Sessions.WriteSeen(s.Context()); err != nil {
			t.Fatal(err)
		}
		if list := bob.Get("/api/v1/api-keys").Want(200); !strings.Contains(string(list.Body), `"last_used_at":"`+s.Now().Format(time.RFC3339)+`"`) {
			t.Errorf("%s", list.Body)
		}
	})
}

// A key for one organization is good for nothing else: no other organization, and nothing of the platform, whatever its person may.
func TestKeyOfOneOrganization(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		declare(s, "post_job")
		root, _ := operator(s, "root@example.com")
		acme, globex := organization(root, "Acme"), organization(root, "Globex")
		key, _ := makeKey(s, root, m{"scopes": []string{"*", "sys:*"}, "org_id": "acme"})
		if !may(key, "post_job", acme) || may(key, "post_job", globex) || may(key, "sys:users:read", "") {
			t.Error("the organization of a key does not bind it")
		}
		key.Get("/api/v1/orgs/" + acme).Want(200)
		key.Get("/api/v1/orgs/" + acme + "/members").Want(200)
		key.Get("/api/v1/orgs/" + globex).Want(404)
		key.Get("/api/v1/orgs/" + globex + "/members").Want(404)
		key.Get("/api/v1/users").Want(403, "credential_ceiling")
		key.Get("/api/v1/roles").Want(403, "credential_ceiling")
		if items := key.Get("/api/v1/orgs").Want(200).JSON["items"].([]any); len(items) != 1 || items[0].(m)["id"] != acme {
			t.Errorf("%v", items)
		}
		if orgs := fmt.Sprint(key.Get("/auth/me").Want(200).JSON["organizations"]); orgs != "["+acme+"]" {
			t.Error(orgs)
		}
		root.Post("/api/v1/api-keys", m{"name": "x", "scopes": []string{"*"}, "org_id": "nowhere"}).Want(404, "org_not_found")
		bob := person(s, "bob@example.com")
		bob.Post("/api/v1/api-keys", m{"name": "x", "scopes": []string{"*"}, "org_id": acme}).Want(404, "org_not_found")
	})
}

// What wants a person takes no key: every operation that does not say that it does (KEY-01, PWD-05, WAN-04), and every page.
func TestWhatNoKeyDoes(t *testing.T) {
	testkit.Each(t, func(cfg *admit.Config) { remembered(cfg); guests(cfg) }, func(s *testkit.Server) {
		declare(s, "jobs:post")
		w := newWorld(s, "ann")
		s.Grant(userID(w.owner), authz.SuperAdmin)
		key, _ := makeKey(s, w.owner, m{"scopes": []string{"*", "sys:*"}})
		s.Records()
		personal := 0
		for _, o := range operations(t, w.owner) {
			if !o.User || o.Keyed {
				continue
			}
			personal++
			key.Do(o.Method, w.path(o), w.body(o)).Want(403, "credential_ceiling")
		}
		if personal < 30 {
			t.Errorf("%d operations", personal)
		}
		for _, path := range []string{"/account", "/account/security", "/admin"} {
			if a := key.Get(path); a.Status != 403 {
				t.Errorf("%s: %d", path, a.Status)
			}
		}
		key.Post("/auth/logout", nil).Want(403, "credential_ceiling")
		mine := w.owner.Get("/auth/me").Text("id")
		key.Do("PATCH", "/api/v1/users/"+mine, m{"name": "Mallory"}).Want(403, "credential_ceiling")
		key.Do("DELETE", "/api/v1/users/"+mine, nil).Want(403, "credential_ceiling")
		key.Post("/api/v1/users/"+mine+"/disable", nil).Want(403, "credential_ceiling")
		s.Events()

		narrow, _ := makeKey(s, w.owner, m{"scopes": []string{"jobs:*"}})
		narrow.Do("DELETE", "/api/v1/orgs/"+w.org+"/members/"+mine, nil).Want(403, "credential_ceiling") // leaving is a person's decision
		narrow.Do("PUT", "/api/v1/orgs/"+w.org+"/members/"+mine+"/roles", m{"roles": []string{}}).Want(403, "credential_ceiling")
		w.owner.Post("/api/v1/api-keys", m{"name": "x", "scopes": []string{"*"}, "user_id": w.member}).Want(422)
		s.Client().Post("/api/v1/api-keys", m{"name": "x", "scopes": []string{"*"}}).Want(401)
		s.Advance(11 * time.Minute)
		w.owner.Post("/api/v1/api-keys", m{"name": "x", "scopes": []string{"*"}}).Want(403, "reauthentication_required")
	})
}

// A key is one text: nothing that was cut off, added, or written in another case is it (SES-10); and it is looked for in the header alone (KEY-03).
func TestAKeyIsOneText(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		key, _ := makeKey(s, person(s, "ann@example.com"), m{"scopes": []string{"sys:members:read"}})
		text := key.Bearer
		asked := s.App().DB.Asked()
		var wrong []string
		for n := range len(text) {
			wrong = append(wrong, text[:n], text[n+1:])
		}
		for i := len("admit_key_"); i < len(text); i++ {
			wrong = append(wrong, text[:i]+string('0'+(text[i]+1)%8)+text[i+1:])
		}
		for _, more := range []string{"0", "=", ".", "00000000", "%20"} {
			wrong = append(wrong, text+more, more+text)
		}
		wrong = append(wrong, strings.ToUpper(text), strings.ToUpper(text[:5])+text[5:], text[:64]+strings.ToUpper(text[64:])+"a", strings.Replace(text, "_key_", "_svc_", 1), text+text)
		for _, w := range wrong {
			if w == text || w == "" {
				continue
			}
			key.Bearer = w
			if a := key.Get("/auth/me"); a.Status != 401 || strings.Contains(string(a.Body), text[12:30]) {
				t.Fatalf("%s: %d %s", w, a.Status, a.Body)
			}
		}
		if n := s.App().DB.Asked() - asked; n > int64(len(wrong)/4) { // what goes on beside asks now and then
			t.Errorf("the store was asked %d times for %d texts that cannot be keys", n, len(wrong))
		}
		c := s.Client()
		for _, path := range []string{"/auth/me?api_key=", "/auth/me?access_token=", "/auth/me?key="} {
			c.Get(path + url.QueryEscape(text)).Want(401)
		}
		c.Header.Set("X-API-Key", text)
		c.Get("/auth/me").Want(401)
		c.Header.Set("Authorization", "Basic "+text)
		c.Get("/auth/me").Want(401)
		c.Header.Set("Authorization", "bearer "+text)
		c.Get("/auth/me").Want(200)
	})
}

// A key that was revoked, replaced or has run out, or whose person is disabled or gone, is refused within a second on every server (KEY-03, SES-03).
func TestKeysEnd(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		other := testkit.Start(s.T, s.Config, s.Clock)
		root, _ := operator(s, "root@example.com")
		dead := func(key *testkit.Client, why string) {
			t.Helper()
			key.Get("/auth/me").Want(401, "api_key_invalid")
			there := *key
			there.URL = other.URL
			deadline := time.Now().Add(time.Second)
			for there.Get("/auth/me").Status != 401 {
				if time.Now().After(deadline) {
					t.Fatalf("%s: another server takes the key after a second", why)
				}
			}
		}
		alive := func(key *testkit.Client) {
			t.Helper()
			key.Get("/auth/me").Want(200)
			there := *key
			there.URL = other.URL
			there.Get("/auth/me").Want(200)
		}
		scopes := m{"scopes": []string{"sys:members:read"}}
		with := func(more m) m {
			body := m{"scopes": scopes["scopes"]}
			for k, v := range more {
				body[k] = v
			}
			return body
		}

		ann := person(s, "ann@example.com")
		key, id := makeKey(s, ann, with(nil))
		alive(key)
		person(s, "eve@example.com").Do("DELETE", "/api/v1/api-keys/"+id, nil).Want(404, "api_key_not_found") // ENU-06
		ann.Do("DELETE", "/api/v1/api-keys/"+id, nil).Want(204)
		dead(key, "revoked")
		ann.Do("DELETE", "/api/v1/api-keys/"+id, nil).Want(404, "api_key_not_found")

		key, id = makeKey(s, ann, with(nil))
		alive(key)
		s.Records()
		next := ann.Post("/api/v1/api-keys/"+id+"/rotate", m{"overlap_hours": 2}).Want(201)
		s.Events("api_key.rotated", "api_key.created", "message.queued")
		ann.Post("/api/v1/api-keys/"+id+"/rotate", nil).Want(409, "api_key_replaced")
		newer := s.Client()
		newer.Bearer = next.Text("key")
		alive(newer)
		alive(key)
		if old := ann.Get("/api/v1/api-keys/" + id).Want(200); old.Text("replaced_by") != next.Text("id") || old.Text("expires_at") != s.Now().Add(2*time.Hour).Format(time.RFC3339) {
			t.Errorf("%s", old.Body)
		}
		s.Advance(2 * time.Hour)
		dead(key, "replaced")
		alive(newer)

		ann.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		day, _ := makeKey(s, ann, with(m{"expires_in_days": 1}))
		s.Advance(24*time.Hour - time.Second)
		alive(day)
		s.Advance(time.Second)
		dead(day, "expired")

		annID := newer.Get("/auth/me").Text("id")
		root, _ = operator(s, "later@example.com")
		root.Post("/api/v1/users/"+annID+"/disable", nil).Want(200)
		dead(newer, "disabled")
		root.Post("/api/v1/users/"+annID+"/enable", nil).Want(200)
		alive(newer)
		root.Do("DELETE", "/api/v1/users/"+annID, nil).Want(204)
		dead(newer, "deleted")
	})
}

// Whoever says that a new key was not theirs has their account back, without any key (LNK-11); so has the owner of an address that somebody
// else signed up with (SGN-06).
func TestKeysOfSomebodyElse(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		key, _ := makeKey(s, ann, m{"scopes": []string{"*"}})
		page := s.Client().Get("/not-me?token=" + tokenIn(s, "ann@example.com")).Want(200)
		if !strings.Contains(string(page.Body), "An API key was made") {
			t.Errorf("%s", page.Body)
		}
		s.Client().Post("/auth/not-me", m{"token": tokenIn(s, "ann@example.com")}).Want(200)
		key.Get("/auth/me").Want(401, "api_key_invalid")

		mallory := person(s, "victim@example.com")
		key, _ = makeKey(s, mallory, m{"scopes": []string{"*"}})
		victim := s.Client()
		attempt := sendLink(victim, "victim@example.com")
		victim.Post("/auth/magic-link/verify", m{"attempt": attempt, "token": tokenIn(s, "victim@example.com")}).Want(200)
		key.Get("/auth/me").Want(401, "api_key_invalid")
	})
}

// What is wrong with a key to be is said field by field.
func TestKeysToBe(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		declare(s, "post_job")
		ann := person(s, "ann@example.com")
		many := make([]string, 101)
		for i := range many {
			many[i] = fmt.Sprintf("jobs%d:*", i)
		}
		for _, c := range []struct {
			change m
			code   string
		}{
			{m{"name": "  "}, "api_key_name_invalid"}, {m{"name": strings.Repeat("x", 101)}, "api_key_name_invalid"}, {m{"name": "a\nb"}, "api_key_name_invalid"},
			{m{"scopes": []string{}}, "invalid_request"}, {m{"scopes": many}, "invalid_request"}, {m{"scopes": []string{"post job"}}, "pattern_invalid"},
			{m{"scopes": []string{"pots_job"}}, "unknown_permission"}, {m{"expires_in_days": 366}, "api_key_expiry_invalid"}, {m{"expires_in_days": -1}, "api_key_expiry_invalid"},
			{m{"never_expires": true}, "api_key_must_expire"},
		} {
			body := m{"name": "Build", "scopes": []string{"post_job"}}
			for k, v := range c.change {
				body[k] = v
			}
			ann.Post("/api/v1/api-keys", body).Want(422, c.code)
		}
		for i := range 100 {
			if i == 0 {
				if a := ann.Post("/api/v1/api-keys", m{"name": "x", "scopes": []string{"post_job"}}).Want(201); a.Text("expires_at") != s.Now().Add(90*24*time.Hour).Format(time.RFC3339) {
					t.Errorf("%s", a.Body)
				}
				continue
			}
			ann.Post("/api/v1/api-keys", m{"name": "x", "scopes": []string{"jobs:*"}}).Want(201)
		}
		ann.Post("/api/v1/api-keys", m{"name": "x", "scopes": []string{"post_job"}}).Want(409, "api_key_limit")
		var ids []string
		cursor := ""
		for {
			a := ann.Get("/api/v1/api-keys?limit=40&cursor=" + cursor).Want(200)
			for _, i := range a.JSON["items"].([]any) {
				ids = append(ids, i.(m)["id"].(string))
			}
			if a.JSON["next_cursor"] == nil {
				break
			}
			cursor = a.Text("next_cursor")
		}
		if slices.Sort(ids); len(slices.Compact(ids)) != 100 {
			t.Errorf("%d keys are listed", len(ids))
		}
	})
	testkit.Each(t, func(cfg *admit.Config) { cfg.APIKey.NeverExpires = true; guests(cfg) }, func(s *testkit.Server) {
		key, _ := makeKey(s, person(s, "ann@example.com"), m{"scopes": []string{"*"}, "never_expires": true})
		s.Advance(10 * 365 * 24 * time.Hour)
		key.Get("/auth/me").Want(200)
		guest := s.Client()
		guest.Post("/auth/anonymous", nil).Want(201)
		guest.Post("/api/v1/api-keys", m{"name": "x", "scopes": []string{"*"}}).Want(403, "guest_not_allowed")
	})
}

// Who looks after the keys of others sees and ends them, on the platform or in one organization; nobody else learns of any.
func TestKeysOfOthers(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob, acme, bobID := recruiters(s)
		here, hereID := makeKey(s, bob, m{"scopes": []string{"post_job"}, "org_id": acme})
		_, everywhere := makeKey(s, bob, m{"scopes": []string{"post_job"}})
		if items := ann.Get("/api/v1/api-keys?org_id=" + acme).Want(200).JSON["items"].([]any); len(items) != 1 || items[0].(m)["id"] != hereID {
			t.Errorf("%v", items)
		}
		makeKey(s, ann, m{"scopes": []string{"post_job"}, "org_id": acme}) // newer, and not Bob's: it may not use up the page
		of := ann.Get("/api/v1/api-keys?limit=1&org_id=" + acme + "&user_id=" + bobID).Want(200)
		if items := of.JSON["items"].([]any); len(items) != 1 || items[0].(m)["id"] != hereID || of.JSON["next_cursor"] != nil {
			t.Errorf("%s", of.Body)
		}
		ann.Get("/api/v1/api-keys?user_id="+bobID).Want(403, "missing_permission")
		bob.Get("/api/v1/api-keys?org_id="+acme).Want(403, "missing_permission")
		person(s, "eve@example.com").Get("/api/v1/api-keys?org_id="+acme).Want(404, "org_not_found")
		ann.Do("DELETE", "/api/v1/api-keys/"+everywhere, nil).Want(404, "api_key_not_found")
		ann.Do("DELETE", "/api/v1/api-keys/"+hereID, nil).Want(204)
		here.Get("/auth/me").Want(401)
		help := desk(s, "help@example.com", authz.SystemPermissions()[0].Name, "sys:apikeys:manage")
		if items := help.Get("/api/v1/api-keys?user_id=" + bobID).Want(200).JSON["items"].([]any); len(items) != 1 {
			t.Errorf("%v", items)
		}
		help.Do("DELETE", "/api/v1/api-keys/"+everywhere, nil).Want(403, "cannot_manage_higher") // bob may do in Acme what help may not
		root, rootID := operator(s, "root@example.com")
		_, top := makeKey(s, root, m{"scopes": []string{"*"}})
		help.Do("DELETE", "/api/v1/api-keys/"+top, nil).Want(403, "cannot_manage_higher")
		if items := help.Get("/api/v1/api-keys?user_id=" + rootID).Want(200).JSON["items"].([]any); len(items) != 1 {
			t.Errorf("%v", items)
		}
		root.Do("DELETE", "/api/v1/api-keys/"+everywhere, nil).Want(204)
	})
}

// Nobody gives more with a key than it is for, whatever its person holds.
func TestKeysGiveNoMore(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, _, acme, bobID := recruiters(s)
		at := "/api/v1/orgs/" + acme
		key, _ := makeKey(s, ann, m{"scopes": []string{"sys:roles:*", "sys:members:*", "post_job"}})
		key.Post(at+"/roles", m{"name": "Poster", "permissions": []string{"post_job"}}).Want(201)
		key.Post(at+"/roles", m{"name": "Reader", "permissions": []string{"read_job"}}).Want(403, "cannot_grant_more")
		key.Do("PUT", at+"/members/"+bobID+"/roles", m{"roles": []string{"admin"}}).Want(403)
		key.Post(at+"/invitations", m{"email": "eve@example.com", "roles": []string{"owner"}}).Want(403, "cannot_grant_more")
		key.Post(at+"/transfer", m{"user_id": bobID}).Want(403, "credential_ceiling")
		narrow, _ := makeKey(s, ann, m{"scopes": []string{"post_job"}})
		narrow.Post(at+"/roles", m{"name": "Other", "permissions": []string{"post_job"}}).Want(403)
	})
}

// An app sees that a key was shown, and no role that would let it do more than the key is for; a proxy is told the same.
func TestKeysAtAnApp(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root, rootID := operator(s, "root@example.com")
		declare(s, "post_job")
		key, id := makeKey(s, root, m{"scopes": []string{"*", "sys:*"}})
		mux := http.NewServeMux()
		mux.Handle("GET /who", s.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			u := admit.UserFrom(r.Context())
			fmt.Fprint(w, u.ID, " ", u.KeyID, " ", u.SessionID, " ", u.Roles, u.HasRole("super_admin"))
		})))
		mux.Handle("GET /super", s.RequireGlobalRole("super_admin")(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {})))
		mux.Handle("GET /fresh", s.RequireFresh(time.Hour)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {})))
		app := *key
		app.URL = s.Mount(mux)
		if a := app.Get("/who").Want(200); string(a.Body) != rootID+" "+id+"  [] false" {
			t.Errorf("%s", a.Body)
		}
		app.Get("/super").Want(403, "credential_ceiling")
		app.Get("/fresh").Want(403, "credential_ceiling")
		a := key.Get("/forward-auth?permission=post_job").Want(204)
		if a.Header.Get("Remote-User") != rootID || a.Header.Get("Remote-Groups") != "" || a.Header.Get("Remote-Session") != id {
			t.Errorf("%v", a.Header)
		}
		reading, _ := makeKey(s, root, m{"scopes": []string{"sys:users:read"}})
		reading.Get("/forward-auth?permission=post_job").Want(403, "credential_ceiling")
		reading.Get("/api/v1/users").Want(200)
		reading.Do("PATCH", "/api/v1/users/"+userID(person(s, "bob@example.com")), m{"name": "B"}).Want(403, "credential_ceiling")
	})
}

// What is done with a key is counted for the key alone.
func TestKeysAreLimited(t *testing.T) {
	testkit.Each(t, func(cfg *admit.Config) {
		cfg.RateLimit.RateLimit, cfg.RateLimit.KeyPerMinute = "memory", 5
	}, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		key, _ := makeKey(s, ann, m{"scopes": []string{"*"}})
		for range 5 {
			key.Get("/auth/me").Want(200)
		}
		if a := key.Get("/auth/me").Want(429, "rate_limited"); a.Header.Get("Retry-After") == "" {
			t.Error("nobody is told when to come back")
		}
		ann.Get("/auth/me").Want(200)
		next, _ := makeKey(s, ann, m{"scopes": []string{"*"}})
		next.Get("/auth/me").Want(200)
		s.Advance(12 * time.Second)
		key.Get("/auth/me").Want(200)
	})
}

// The store keeps no key, and the log of events none either.
func TestKeysAreNotKept(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		key, _ := makeKey(s, ann, m{"scopes": []string{"*"}})
		key.Get("/auth/me").Want(200)
		secret := key.Bearer[len("admit_key_")+4:]
		for _, r := range s.Records() {
			if strings.Contains(string(r.Data), secret) {
				t.Errorf("%s holds the key", r.Kind)
			}
		}
		for _, l := range s.Inbox("") {
			if strings.Contains(l.Text+l.HTML, secret) {
				t.Error("a mail holds the key")
			}
		}
	})
}
