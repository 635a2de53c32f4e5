package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/webhook"
)

// world is an organization with one of everything, and what stands beside it.
type world struct {
	owner                                      *testkit.Client
	email                                      string
	org, member, heir, role, invitation, guard string // of the organization
	user, globalRole, globalGuard              string // of the platform
	token                                      string // invites the owner elsewhere
	session, refresh, attempt, link            string
	ready                                      map[string]func() any // bodies that are good only at the moment they are sent
	passkey, identity, device, export          string
	webhook, delivery                          string                 // of nobody's organization; the delivery has ended
	key, program, programKey                   string                 // of the owner; a service account, and one of it
	phone                                      *testkit.Authenticator // what keeps the passkey
	away                                       string                 // a session of user
	arrival                                    func() string          // the query somebody comes back from a provider with
	letter                                     func() string          // the token of a link to sign in with
}

// newWorld makes a world; names keeps it apart from others.
func newWorld(s *testkit.Server, name string) *world {
	s.Helper()
	w := &world{owner: person(s, name+"@example.com"), email: name + "@example.com"}
	w.org = organization(w.owner, name)
	at := "/api/v1/orgs/" + w.org
	member := person(s, name+"-member@example.com")
	w.member = member.Get("/auth/me").Text("id")
	join(s, w.owner, member, w.org, name+"-member@example.com", "member")
	heir := person(s, name+"-heir@example.com")
	w.heir = heir.Get("/auth/me").Text("id")
	join(s, w.owner, heir, w.org, name+"-heir@example.com", "admin")
	w.role = w.owner.Post(at+"/roles", m{"name": "Role " + name, "permissions": []string{"jobs:*"}}).Want(201).Text("id")
	w.invitation = w.owner.Post(at+"/invitations", m{"email": name + "-invited@example.com"}).Want(201).Text("id")
	w.guard = w.owner.Post(at+"/guards", m{"pattern": "later:*", "condition": "context.auth_age < 900", "message": name}).Want(201).Text("id")
	w.user = person(s, name+"-user@example.com").Get("/auth/me").Text("id")
	operator := authz.GlobalRoleEdit{Name: new("Desk " + name)}
	r, err := s.App().Authz.CreateGlobalRole(s.Context(), authz.System, operator)
	if err != nil {
		s.Fatal(err)
	}
	w.globalRole = r.Key
	g, err := s.App().Authz.AddGuard(s.Context(), authz.System, authz.Guard{Pattern: "later:*", Condition: "true"})
	if err != nil {
		s.Fatal(err)
	}
	w.globalGuard = g.ID
	hook, _, err := s.App().Webhooks.Create(s.Context(), authz.System, webhook.Edit{URL: new("https://127.0.0.1:1/hooks")})
	if err == nil {
		_, err = s.App().Webhooks.Update(s.Context(), authz.System, hook.ID, webhook.Edit{Paused: new(true)})
	}
	if err != nil {
		s.Fatal(err)
	}
	w.webhook, w.delivery = hook.ID, id.New("dlv")
	err = s.App().DB.Write(s.Context(), func(tx *database.Tx) error {
		tx.Quiet()
		_, err := tx.Exec(`INSERT INTO webhook_deliveries (id, webhook_id, event_id, tx, seq, at, kind, subject, state, tries, due_at, status, took_ms, reply, created_at, tried_at, ended_at)
			VALUES ($1, $2, 'evt_x', 1, 1, $3, 'user.created', '', 'parked', 10, $3, 500, 1, '', $3, $3, $3)`, w.delivery, w.webhook, tx.Now)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	host := person(s, name+"-host@example.com")
	elsewhere := organization(host, "Elsewhere "+name)
	host.Post("/api/v1/orgs/"+elsewhere+"/invitations", m{"email": w.email}).Want(201)
	w.token = invitation(s, elsewhere, w.email)
	w.phone = s.NewAuthenticator()
	w.passkey = addPasskey(s, w.owner, w.phone)
	back := develop(s, w.owner, w.owner.Post("/auth/development/link", m{}).Want(200).Text("redirect"), name+"-linked@example.com")
	w.owner.Get("/auth/development/callback?" + back).Want(303)
	w.identity = identities(w.owner)[0]["id"].(string)
	w.key = w.owner.Post("/api/v1/api-keys", m{"name": name, "scopes": []string{"jobs:*"}, "org_id": w.org}).Want(201).Text("id")
	w.program = w.owner.Post("/api/v1/service-accounts", m{"name": name, "org_id": w.org}).Want(201).Text("id")
	w.programKey = w.owner.Post("/api/v1/service-accounts/"+w.program+"/keys", m{"name": name, "scopes": []string{"jobs:*"}}).Want(201).Text("id")
	if list := devices(w.owner); len(list) > 0 {
		w.device = list[0]["id"].(string)
	}
	w.export = strings.TrimPrefix(askExport(w.owner), "/auth/me/export/")
	exported(s)
	w.session = w.owner.Get("/auth/sessions").Want(200).JSON["items"].([]any)[0].(m)["id"].(string)
	s.Records()
	return w
}

// nowhere is a world of which nothing is there, in ids of the same form.
func nowhere() *world {
	id := func(kind string) string { return kind + "_01900000-0000-7000-8000-00000000dead" }
	return &world{org: id("org"), member: id("usr"), heir: id("usr"), role: id("rol"), invitation: id("inv"), guard: id("grd"), user: id("usr"), globalRole: "nowhere",
		globalGuard: id("grd"), token: "inv_x.1.nothing", session: id("ses"), passkey: id("pky"), identity: id("idn"), device: id("dev"), key: id("key"), program: id("svc"), programKey: id("key"), webhook: id("whk"), delivery: id("dlv"), export: id("exp"), email: "nobody@example.com"}
}

// path is where an operation finds its thing in the world.
func (w *world) path(o op) string {
	ofOrg := strings.HasPrefix(o.Path, "/api/v1/orgs/")
	pick := func(first bool, a, b string) string {
		if first {
			return a
		}
		return b
	}
	id := w.session
	switch {
	case strings.Contains(o.Path, "/users/{user}/sessions/") && w.away != "":
		id = w.away
	case strings.Contains(o.Path, "/invitations/"):
		id = w.invitation
	case strings.Contains(o.Path, "/guards/"):
		id = pick(ofOrg, w.guard, w.globalGuard)
	case strings.Contains(o.Path, "/attempts/"):
		id = w.attempt
	case strings.Contains(o.Path, "/passkeys/"):
		id = w.passkey
	case strings.Contains(o.Path, "/identities/"):
		id = w.identity
	case strings.Contains(o.Path, "/service-accounts/"):
		id = w.programKey
	case strings.Contains(o.Path, "/deliveries/"):
		id = w.delivery
	case strings.Contains(o.Path, "/api-keys/"):
		id = w.key
	case strings.Contains(o.Path, "/devices/"):
		id = w.device
	case strings.Contains(o.Path, "/export/"):
		id = w.export
	case o.Method == "GET" && o.Path == "/auth/magic-link" && w.letter != nil:
		return o.Path + "?token=" + w.letter()
	case strings.HasSuffix(o.Path, "/callback") && w.arrival != nil:
		return strings.Replace(o.Path, "{provider}", "development", 1) + "?" + w.arrival()
	}
	return strings.NewReplacer("{org}", w.org, "{account}", w.program, "{role}", pick(ofOrg, w.role, w.globalRole), "{user}", pick(ofOrg, w.member, w.user), "{id}", id, "{token}", w.token, "{webhook}", w.webhook, "{provider}", "development", "{document}", "terms").Replace(o.Path)
}

// body is what an operation accepts, about the things of the world.
func (w *world) body(o op) any {
	if now := w.ready[o.Method+" "+o.Path]; now != nil {
		return now()
	}
	all := map[string]any{
		"POST /api/v1/orgs":                               m{"name": "Another"},
		"PATCH /api/v1/orgs/{org}":                        m{"name": "Renamed"},
		"POST /api/v1/orgs/{org}/transfer":                m{"user_id": w.heir},
		"PATCH /api/v1/orgs/{org}/members/{user}":         m{"suspended": false},
		"PUT /api/v1/orgs/{org}/members/{user}/roles":     m{"roles": []string{"member", w.role}},
		"POST /api/v1/orgs/{org}/invitations":             m{"email": "another@example.com"},
		"POST /api/v1/orgs/{org}/roles":                   m{"name": "Another", "permissions": []string{"jobs:post"}},
		"PATCH /api/v1/orgs/{org}/roles/{role}":           m{"name": "Renamed"},
		"PUT /api/v1/orgs/{org}/roles/{role}/permissions": m{"permissions": []string{"jobs:post"}},
		"POST /api/v1/orgs/{org}/guards":                  m{"pattern": "jobs:post", "condition": "true"},
		"POST /api/v1/invitations/accept":                 m{"token": w.token},
		"POST /api/v1/roles":                              m{"name": "Another"},
		"PATCH /api/v1/roles/{role}":                      m{"permissions": []string{"jobs:post"}},
		"POST /api/v1/guards":                             m{"pattern": "jobs:post", "condition": "true"},
		"PUT /api/v1/permissions":                         m{"permissions": []m{{"name": "post_job"}}},
		"POST /api/v1/users":                              m{"email": "made@example.com"},
		"PATCH /api/v1/users/{user}":                      m{"name": "Renamed"},
		"PUT /api/v1/users/{user}/roles":                  m{"roles": []string{"manager"}},
		"POST /api/v1/users/{user}/impersonate":           m{"reason": "to see what they see"},
		"POST /oauth2/token":                              url.Values{"grant_type": {"client_credentials"}, "client_id": {w.program}, "client_secret": {"nothing"}},
		"POST /api/v1/service-accounts":                   m{"name": "Another", "org_id": w.org},
		"PATCH /api/v1/service-accounts/{account}":        m{"name": "Renamed"},
		"POST /api/v1/service-accounts/{account}/keys":    m{"name": "Another", "scopes": []string{"jobs:post"}},
		"POST /api/v1/webhooks":                           m{"url": "https://127.0.0.1:1/hooks"},
		"PATCH /api/v1/webhooks/{webhook}":                m{"description": "Renamed"},
		"POST /api/v1/webhooks/{webhook}/replay":          m{"since": "2031-05-06T07:08:09Z"},
		"POST /api/v1/api-keys":                           m{"name": "Another", "scopes": []string{"jobs:post"}},
		"POST /api/v1/check":                              m{"subject": w.member, "permission": "jobs:post", "org_id": w.org},
		"POST /api/v1/check/batch":                        m{"checks": []m{{"permission": "jobs:post", "org_id": w.org}, {"subject": w.member, "permission": "jobs:post", "org_id": w.org}}},
		"POST /api/v1/check/explain":                      m{"permission": "jobs:post", "org_id": w.org},
		"POST /api/v1/who-can":                            m{"permission": "jobs:post", "org_id": w.org},
		"POST /api/v1/what-can":                           m{"org_id": w.org},
		"POST /api/v1/where-can":                          m{"permission": "jobs:post", "subject": w.member},
		"POST /api/v1/simulate":                           m{"changes": []m{{"type": "member_remove", "org_id": w.org, "user_id": w.member}}},
		"POST /access/v1/evaluation":                      m{"subject": m{"type": "user", "id": w.member}, "action": m{"name": "jobs:post"}, "resource": m{"type": "org", "id": w.org}},
		"POST /access/v1/evaluations":                     m{"subject": m{"type": "user", "id": w.member}, "action": m{"name": "jobs:post"}, "evaluations": []m{{"resource": m{"type": "org", "id": w.org}}}},
		"POST /access/v1/search/subject":                  m{"subject": m{"type": "user"}, "action": m{"name": "jobs:post"}, "resource": m{"type": "org", "id": w.org}},
		"POST /access/v1/search/resource":                 m{"subject": m{"type": "user", "id": w.member}, "action": m{"name": "jobs:post"}, "resource": m{"type": "org"}},
		"POST /access/v1/search/action":                   m{"subject": m{"type": "user", "id": w.member}, "resource": m{"type": "org", "id": w.org}},
		"POST /auth/switch-org":                           m{"org_id": w.org},
		"POST /auth/signup":                               m{"email": "new@example.com", "password": pass},
		"POST /api/v1/register":                           m{"username": "new_one", "password": pass},
		"POST /auth/login":                                m{"email": w.email, "password": pass},
		"POST /api/v1/login":                              m{"username": w.email, "password": pass},
		"POST /auth/attempts":                             m{"identifier": w.email},
		"POST /auth/attempts/{id}/answer":                 m{"values": m{"password": pass}},
		"POST /auth/attempts/{id}/method":                 m{"method": "password"},
		"POST /api/v1/refresh":                            m{"refresh_token": w.refresh},
		"POST /api/v1/logout":                             m{"refresh_token": w.refresh},
		"PATCH /auth/me":                                  m{"name": "Ann"},
		"POST /auth/password":                             m{"new_password": "a lamp of quiet green"},
		"POST /auth/password/change":                      m{"current_password": pass, "new_password": pass},
		"POST /auth/owner":                                m{"key": w.link, "email": "owner@example.com", "password": pass},
		"POST /auth/logout-all":                           m{},
		"POST /auth/reauthenticate":                       m{"password": pass},
		"POST /auth/mfa/totp/confirm":                     m{"code": "123456"},
		"POST /auth/mfa/verify":                           m{"attempt": w.attempt, "code": "123456"},
		"POST /auth/email/verify":                         m{"token": "nothing"},
		"POST /auth/email/change":                         m{"email": "changed-" + w.email},
		"POST /auth/password/forgot":                      m{"email": w.email},
		"POST /auth/password/reset":                       m{"token": "nothing", "password": pass},
		"POST /auth/anonymous":                            nil,
		"POST /auth/password/strength":                    m{"password": pass},
		"POST /auth/not-me":                               m{"token": "nothing"},
		"POST /auth/unlock":                               m{"token": "nothing"},
		"POST /auth/keep":                                 m{"token": "nothing"},
		"POST /auth/reauthenticate/options":               m{},
		"POST /auth/magic-link":                           m{"email": "linked-" + w.email},
		"POST /auth/magic-link/verify":                    m{"token": "nothing"},
		"POST /auth/otp":                                  m{"email": "coded-" + w.email},
		"POST /auth/otp/verify":                           m{"attempt": w.attempt, "code": "123456"},
		"POST /auth/phone":                                m{"phone": "+491711234501"},
		"POST /auth/phone/verify":                         m{"code": "123456"},
		"POST /auth/mfa/email/confirm":                    m{"code": "123456"},
		"POST /auth/mfa/phone/confirm":                    m{"code": "123456"},
		"POST /auth/passkeys/register":                    m{"credential": m{}},
		"POST /auth/passkeys/login/options":               m{"identifier": w.email},
		"POST /auth/passkeys/login":                       m{"attempt": w.attempt, "credential": m{}},
		"PUT /auth/me/consents/{document}":                m{"version": "1"},
		"PATCH /auth/passkeys/{id}":                       m{"name": "Phone"},
		"POST /auth/social/token":                         m{"code": "123456", "code_verifier": "1"},
		"POST /auth/{provider}/link":                      m{"return_to": "/"},
	}
	return all[o.Method+" "+o.Path]
}

// TenantIsolation (TEN-01 to TEN-09): whoever asks with the ids of another organization is answered as if they were of none, on
// every operation there is, and nothing of the other changes.
func TestForeignOrganization(t *testing.T) {
	testkit.Each(t, remembered, func(s *testkit.Server) {
		declare(s, "jobs:post")
		mine, theirs, none := newWorld(s, "mine"), newWorld(s, "theirs"), nowhere()
		for _, w := range []*world{theirs, none} { // what shows who somebody is, is one's own
			w.email, w.token, w.refresh = mine.email, none.token, ""
		}
		before := rowsOf(s, theirs)
		walked := 0
		for _, o := range operations(t, mine.owner) {
			body := theirs.body(o)
			if o.Required && body == nil {
				t.Errorf("%s %s: say in world.body what it accepts", o.Method, o.Path)
			}
			walked++
			for _, how := range []struct {
				what          string
				theirs, nones *world
			}{
				{"all of theirs", theirs, none},
				{"theirs in my organization", inside(mine, theirs), inside(mine, none)},
				{"their role for my member", hired(mine, theirs), hired(mine, none)},
			} {
				if how.theirs != theirs && !refers(o, theirs) || how.theirs.member == mine.member && !strings.Contains(asJSON(body), theirs.role) {
					continue
				}
				a, b := asked(s, o, how.theirs), asked(s, o, how.nones)
				if strings.Contains(o.Path, "{") || strings.Contains(asJSON(body), theirs.org) {
					if a.Status != b.Status || masked(a, how.theirs) != masked(b, how.nones) {
						t.Errorf("%s %s with %s: %d %s, and with what is not there: %d %s", o.Method, o.Path, how.what, a.Status, a.Body, b.Status, b.Body)
					}
				}
				if strings.Contains(o.Path, "{org}") && a.Status != 404 && how.theirs.member != mine.member && !strings.HasSuffix(o.Path, "/suspend") && !strings.HasSuffix(o.Path, "/reinstate") { // those two are nobody's in an organization
					t.Errorf("%s %s: %d %s", o.Method, o.Path, a.Status, a.Body)
				}
				if text := string(a.Body); strings.Contains(text, "theirs") {
					t.Errorf("%s %s with %s tells of them: %s", o.Method, o.Path, how.what, text)
				}
			}
			if after := rowsOf(s, theirs); after != before {
				t.Fatalf("%s %s changed them:\n%s\n%s", o.Method, o.Path, before, after)
			}
		}
		if walked < 60 {
			t.Errorf("only %d operations", walked)
		}
	})
}

// refers reports whether an operation names something of an organization beside the organization.
func refers(o op, w *world) bool {
	if !strings.Contains(o.Path, "{org}") {
		return false
	}
	body := asJSON(w.body(o))
	return strings.Count(o.Path, "{") > 1 || strings.Contains(body, w.heir) || strings.Contains(body, w.role)
}

// inside is my organization with the things of another.
func inside(mine, other *world) *world {
	w := *other
	w.org = mine.org
	return &w
}

// hired is my organization and its member, with a role of another.
func hired(mine, other *world) *world {
	w := inside(mine, other)
	w.member = mine.member
	return w
}

// asked carries out an operation as the owner of mine, signed in anew: some operations end what they came with.
func asked(s *testkit.Server, o op, w *world) testkit.Answer {
	c := s.Client()
	if o.User {
		c.Post("/auth/login", m{"email": "mine@example.com", "password": pass}).Want(200)
	}
	c.Header.Set("If-Match", "*")
	body := w.body(o)
	if o.Method == http.MethodGet {
		body = nil
	}
	return c.Do(o.Method, w.path(o), body)
}

// masked is an answer without what differs by its nature.
func masked(a testkit.Answer, w *world) string {
	if a.JSON == nil {
		return string(a.Body)
	}
	delete(a.JSON, "request_id")
	delete(a.JSON, "redirect") // another each time
	text, _ := json.Marshal(a.JSON)
	for _, id := range []string{w.org, w.member, w.heir, w.role, w.invitation, w.guard, w.user, w.globalGuard, w.session, w.passkey} {
		text = bytes.ReplaceAll(text, []byte(id), []byte("…"))
	}
	return string(text)
}

func asJSON(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// rowsOf is all that is stored of a world.
func rowsOf(s *testkit.Server, w *world) string {
	s.Helper()
	root, err := s.App().Authz.Root(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	rows, _ := root.OrgRows(w.org)
	o, err := s.App().Orgs.Find(s.Context(), authz.System, w.org)
	if err != nil {
		s.Fatal(err)
	}
	list, err := s.App().Orgs.Invitations(s.Context(), authz.System, w.org, "", 100)
	if err != nil {
		s.Fatal(err)
	}
	roles, err := s.App().Orgs.Roles(s.Context(), authz.System, w.org)
	if err != nil {
		s.Fatal(err)
	}
	return asJSON([]any{rows, o, list, roles})
}
