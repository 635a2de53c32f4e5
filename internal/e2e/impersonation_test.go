package e2e_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

const why = "Ticket 4711: the list of invoices stays empty"

func impersonate(c *testkit.Client, user string) testkit.Answer {
	return c.Post("/api/v1/users/"+user+"/impersonate", m{"reason": why})
}

// desk is somebody with a global role of these permissions.
func desk(s *testkit.Server, email string, permissions ...string) *testkit.Client {
	s.Helper()
	c := person(s, email)
	name := "Desk " + strings.Split(email, "@")[0]
	if _, err := s.App().Authz.CreateGlobalRole(s.Context(), authz.System, authz.GlobalRoleEdit{Name: &name, Permissions: &permissions}); err != nil {
		s.Fatal(err)
	}
	s.Grant(userID(c), strings.ReplaceAll(strings.ToLower(name), " ", "-"))
	return c
}

// Whoever may acts in the name of a person for a while: in a session of its own, which says who is behind it to the person, in events and
// in tokens, and ends in their own.
func TestImpersonation(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root, rootID := operator(s, "root@example.com")
		bob := person(s, "bob@example.com")
		bobID := userID(bob)
		s.Records()
		own := root.Cookie("/", "session_id")
		begun := impersonate(root, bobID).Want(200)
		s.Events("session.created", "impersonation.began", "message.queued")
		if begun.Text("id") != bobID || root.Cookie("/", "session_id") == own {
			t.Errorf("%s", begun.Body)
		}
		me := root.Get("/auth/me").Want(200)
		by, _ := me.JSON["actor"].(map[string]any)
		if me.Text("id") != bobID || by["id"] != rootID || by["reason"] != why || by["until"] != s.Now().Add(time.Hour).Format(time.RFC3339) {
			t.Errorf("%s", me.Body)
		}
		if bob.Get("/auth/me").JSON["actor"] != nil {
			t.Error("the person is taken for somebody else")
		}

		list := bob.Get("/auth/sessions").Want(200).JSON["items"].([]any)
		theirs := list[0].(map[string]any)
		if by, _ := theirs["actor"].(map[string]any); len(list) != 2 || by["id"] != rootID || theirs["ip"] != "" || list[1].(map[string]any)["actor"] != nil {
			t.Errorf("%v", list)
		}
		if mail := s.Letter("bob@example.com"); !strings.Contains(mail.Text, why) || !strings.Contains(mail.Links[0], "/account/sessions") {
			t.Errorf("%+v", mail)
		}

		root.Post("/auth/switch-org", m{"org_id": nil}).Want(200)
		told := s.Records()
		if last := told[len(told)-1]; last.Origin.Actor != rootID || last.Subject != bobID || !strings.Contains(string(last.Data), `"on_behalf_of":"`+bobID+`"`) {
			t.Errorf("%+v %s", last, last.Data)
		}

		root.Post("/auth/impersonation/end", nil).Want(200)
		s.Events("session.revoked")
		if userID(root) != rootID || root.Cookie("/", "session_id") != own || root.Cookie("/", "own_session") != "" {
			t.Error("the way back leads elsewhere")
		}
		root.Post("/auth/impersonation/end", nil).Want(404)

		a := root.Post("/api/v1/users/"+bobID+"/impersonate?transport=token", m{"reason": why, "minutes": 5}).Want(200)
		claims := map[string]any{}
		payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(a.Text("access_token"), ".")[1])
		if err := json.Unmarshal(payload, &claims); err != nil {
			t.Fatal(err)
		}
		if act, _ := claims["act"].(map[string]any); claims["sub"] != bobID || act["sub"] != rootID || claims["auth_time"] != 0.0 {
			t.Errorf("%v", claims)
		}
		next := s.Client().Post("/api/v1/refresh", m{"refresh_token": a.Text("refresh_token")}).Want(200)
		s.Advance(5 * time.Minute) // renewing does not prolong it
		s.Client().Post("/api/v1/refresh", m{"refresh_token": next.Text("refresh_token")}).Want(401)
		if kinds := s.Records(); len(kinds) == 0 {
			t.Error("nothing is told")
		}
	})
}

// It asks for the permission, a fresh proof and a reason, and for no longer than is allowed.
func TestImpersonationAsks(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Impersonation.Minutes, c.Anonymous.Enabled = 30, true }, func(s *testkit.Server) {
		root, rootID := operator(s, "root@example.com")
		bob, eve := person(s, "bob@example.com"), person(s, "eve@example.com")
		bobID := userID(bob)
		at := "/api/v1/users/" + bobID + "/impersonate"
		s.Client().Post(at, m{"reason": why}).Want(401)
		eve.Post(at, m{"reason": why}).Want(403, "missing_permission")
		eve.Post("/api/v1/users/"+userID(eve)+"/impersonate", m{"reason": why}).Want(403)
		root.Post(at, m{}).Want(422)
		for reason, want := range map[string]int{"": 422, "   a ": 422, "a\areason": 422, strings.Repeat("a", 501): 422} {
			root.Post(at, m{"reason": reason}).Want(want)
		}
		for _, minutes := range []int{-1, 31, 1 << 40} {
			root.Post(at, m{"reason": why, "minutes": minutes}).Want(422)
		}
		root.Post("/api/v1/users/"+rootID+"/impersonate", m{"reason": why}).Want(409, "impersonation_of_oneself")
		root.Post("/api/v1/users/usr_01900000-0000-7000-8000-00000000dead/impersonate", m{"reason": why}).Want(404)
		guest := s.Client()
		guest.Post("/auth/anonymous", nil).Want(201)
		impersonate(root, userID(guest)).Want(409, "impersonation_of_nobody")
		root.Post("/api/v1/users/"+userID(eve)+"/disable", nil).Want(200)
		s.Records()
		s.Advance(10 * time.Minute)
		root.Post(at, m{"reason": why}).Want(403, "reauthentication_required")
		s.Events()
		root.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		root.Post(at, m{"reason": why}).Want(200)
		s.Advance(30 * time.Minute)
		root.Get("/auth/me").Want(401) // and is not somebody else unnoticed
	})
	testkit.Each(t, func(c *admit.Config) { c.Impersonation.Minutes = 0 }, func(s *testkit.Server) {
		root, _ := operator(s, "root@example.com")
		impersonate(root, userID(person(s, "bob@example.com"))).Want(403, "impersonation_off")
	})
}

// Nobody acts in the name of somebody who holds what they do not, on the platform or in an organization, and not through a third.
func TestImpersonationNeverUpward(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root, rootID := operator(s, "root@example.com")
		helper := desk(s, "helper@example.com", "sys:users:impersonate", "sys:users:read")
		other := desk(s, "other@example.com", "sys:users:impersonate", "sys:users:delete")
		owner, plain := person(s, "owner@example.com"), person(s, "plain@example.com")
		organization(owner, "Acme")
		s.Records()
		for _, c := range []*testkit.Client{root, other, owner} {
			impersonate(helper, userID(c)).Want(403, "cannot_manage_higher")
		}
		s.Events()
		impersonate(root, userID(helper)).Want(200)
		impersonate(root, userID(plain)).Want(403) // not while acting already
		root.Post("/auth/impersonation/end", nil).Want(200)
		impersonate(root, userID(owner)).Want(200)
		if root.Get("/auth/me").JSON["id"] == rootID {
			t.Error("not begun")
		}
	})
}

// What is the person's alone is refused to who acts in their name, by cookie and by token: everything that changes the account, gives rights,
// proves who one is, or takes data along.
func TestImpersonationChangesNothing(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root, _ := operator(s, "root@example.com")
		bob := person(s, "bob@example.com")
		organization(bob, "Acme")
		bobID := userID(bob)
		a := root.Post("/api/v1/users/"+bobID+"/impersonate?transport=token", m{"reason": why}).Want(200)
		token := s.Client()
		token.Bearer = a.Text("access_token")
		impersonate(root, bobID).Want(200)
		s.Records()
		looks := map[string]bool{"/auth/impersonation/end": true, "/auth/switch-org": true, "/api/v1/check": true, "/api/v1/check/batch": true, "/api/v1/check/explain": true,
			"/api/v1/who-can": true, "/api/v1/what-can": true, "/api/v1/where-can": true, "/api/v1/simulate": true}
		refused := 0
		for _, o := range operations(t, s.Client()) {
			if !o.User || o.Method == "GET" || looks[o.Path] || strings.HasPrefix(o.Path, "/access/") {
				continue
			}
			path := parameter.ReplaceAllStringFunc(o.Path, func(name string) string {
				return cmp.Or(map[string]string{"{org}": "acme", "{user}": bobID}[name], "x")
			})
			for _, c := range []*testkit.Client{root, token} {
				c.Do(o.Method, path, o.example()).Want(403, "acting_as_another")
				refused++
			}
		}
		if refused < 60 {
			t.Errorf("only %d were tried", refused)
		}
		root.Get("/api/v1/audit-events/export").Want(403, "acting_as_another")
		root.Post("/auth/email/verify", m{"code": "123456"}).Want(403, "acting_as_another")
		s.Events()
	})
}

// SES-03: it ends with the session it began in, when its actor loses the right to it, and when the person rises above them.
func TestImpersonationEndsWithItsActor(t *testing.T) {
	ends := map[string]func(s *testkit.Server, own, bob, root *testkit.Client){
		"its actor signs out": func(s *testkit.Server, own, bob, root *testkit.Client) { own.Post("/auth/logout", nil).Want(200) },
		"its actor's sessions are ended": func(s *testkit.Server, own, bob, root *testkit.Client) {
			root.Post("/api/v1/users/"+userID(own)+"/logout-all", nil).Want(200)
		},
		"its actor is disabled": func(s *testkit.Server, own, bob, root *testkit.Client) {
			root.Post("/api/v1/users/"+userID(own)+"/disable", nil).Want(200)
		},
		"its actor is deleted": func(s *testkit.Server, own, bob, root *testkit.Client) {
			root.Do("DELETE", "/api/v1/users/"+userID(own), nil).Want(204)
		},
		"its actor loses the permission": func(s *testkit.Server, own, bob, root *testkit.Client) { s.Revoke(userID(own), "desk-helper") },
		"the person rises":               func(s *testkit.Server, own, bob, root *testkit.Client) { s.Grant(userID(bob), authz.SuperAdmin) },
		"the person owns something":      func(s *testkit.Server, own, bob, root *testkit.Client) { organization(bob, "Acme") },
		"the person ends it": func(s *testkit.Server, own, bob, root *testkit.Client) {
			id := bob.Get("/auth/sessions").Want(200).JSON["items"].([]any)[0].(map[string]any)["id"].(string)
			bob.Do("DELETE", "/auth/sessions/"+id, nil).Want(204)
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			testkit.Each(t, nil, func(s *testkit.Server) {
				root, _ := operator(s, "root@example.com")
				helper := desk(s, "helper@example.com", "sys:users:impersonate", "sys:users:read")
				own := bearing(s, "session_id="+helper.Cookie("/", "session_id"))
				bob := person(s, "bob@example.com")
				a := helper.Post("/api/v1/users/"+userID(bob)+"/impersonate?transport=token", m{"reason": why}).Want(200)
				impersonate(helper, userID(bob)).Want(200)
				helper.Get("/auth/me").Want(200)
				token := s.Client()
				token.Bearer = a.Text("access_token")
				token.Get("/auth/me").Want(200)
				end(s, own, bob, root)
				if name == "the person ends it" {
					helper.Get("/auth/me").Want(401)
					return
				}
				helper.Get("/auth/me").Want(401)
				token.Get("/auth/me").Want(401)
				s.Client().Post("/api/v1/refresh", m{"refresh_token": a.Text("refresh_token")}).Want(401)
			})
		})
	}
}

// What is asked of the person is asked of whoever comes in their name: where a second factor is required of them, the operator has shown one.
func TestImpersonationAndTheSecondFactor(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.MFA.Required = []string{"jobseeker"} }, func(s *testkit.Server) {
		root, _ := operator(s, "root@example.com")
		bob := person(s, "bob@example.com")
		bobID := userID(bob)
		s.Grant(bobID, "jobseeker")
		impersonate(root, bobID).Want(403, "mfa_required")
		enrol(s, root)
		impersonate(root, bobID).Want(200)
		root.Get("/auth/sessions").Want(200)
	})
}

// Whoever steals the session cookie of an operator who acts as another has no way back to the operator with it, and a cookie that is planted
// beside it leads nowhere.
func TestImpersonationLeadsNoThiefBack(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root, rootID := operator(s, "root@example.com")
		bob := person(s, "bob@example.com")
		impersonate(root, userID(bob)).Want(200)
		thief := s.Client()
		thief.Jar = nil
		thief.Header.Set("Cookie", "session_id="+root.Cookie("/", "session_id")+"; own_session="+strings.Repeat("a", 64))
		answer := thief.Post("/auth/impersonation/end", nil).Want(200)
		for _, c := range answer.Header.Values("Set-Cookie") {
			if !strings.Contains(c, "Max-Age=0") {
				t.Errorf("was given %s", c)
			}
		}
		if root.Get("/auth/me").Want(401); root.Cookie("/", "own_session") == "" {
			t.Error("the operator's own is gone")
		}
		own := bearing(s, "session_id="+root.Cookie("/", "own_session"))
		if userID(own) != rootID {
			t.Error("the operator's own has ended")
		}
	})
}

// Inside, nobody may more than they may themselves, and an app's own routes know who is behind it.
func TestImpersonationIsACeiling(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		declare(s, "post_job")
		mux := http.NewServeMux()
		mux.Handle("POST /job", s.RequirePermission("post_job", admit.Platform)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			u := admit.UserFrom(r.Context())
			_, _ = w.Write([]byte(u.ID + " " + u.ActorID))
		})))
		mux.Handle("POST /danger", s.RequireFresh(10*time.Minute)(http.NotFoundHandler()))
		mux.Handle("/", s)
		url := s.Mount(mux)
		helper := desk(s, "helper@example.com", "sys:users:impersonate", "post_job")
		helper.URL = url
		bob := desk(s, "bob@example.com", "post_job")
		helperID, bobID := userID(helper), userID(bob)
		impersonate(helper, bobID).Want(200)
		if got := helper.Post("/job", nil).Want(200); string(got.Body) != bobID+" "+helperID {
			t.Errorf("%s", got.Body)
		}
		helper.Post("/danger", nil).Want(403, "acting_as_another")
		helper.Post("/api/v1/check", m{"permission": "post_job"}).Want(200)
		helper.Get("/api/v1/users").Want(403) // bob may not, whatever helper may
	})
}
