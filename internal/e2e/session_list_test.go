package e2e_test

import (
	"fmt"
	"github.com/admit-dev/admit/internal/authz"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

// SES-06: an attempt that waits for an answer is no session, and its id no token; what it asks is judged as often as anywhere.
func TestPendingAttemptIsNoSession(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		begin := func() string {
			return s.Client().Post("/auth/attempts", m{"identifier": "ann@example.com"}).Want(201).Text("id")
		}
		id := begin()
		for _, cookie := range []string{"session_id=" + id, "session_id=" + strings.TrimPrefix(id, "att_"), "refresh_token=" + id} {
			bearing(s, cookie).Get("/auth/me").Want(401)
			bearing(s, cookie).Post("/api/v1/refresh", nil).Want(401)
		}
		c := s.Client()
		c.Bearer = id
		c.Get("/auth/me").Want(401)
		c.Bearer = ""
		answer := func(id string, values m) testkit.Answer {
			return s.Client().Post("/auth/attempts/"+id+"/answer", m{"values": values})
		}
		for range 9 {
			answer(id, m{}).Want(401, "invalid_credentials")
		}
		answer(id, m{"password": "no"}).Want(401, "invalid_credentials")
		answer(id, m{"password": pass}).Want(404, "attempt_not_found") // the eleventh
		answer(begin()+"x", m{"password": pass}).Want(404)
		answer(strings.ToUpper(begin()), m{"password": pass}).Want(404)
		late := begin()
		s.Advance(10 * time.Minute)
		answer(late, m{"password": pass}).Want(404)

		s.Records()
		id = begin()
		won := together(16, func(int) testkit.Answer { return answer(id, m{"password": pass}) })
		tally(t, won, map[int]int{200: 1, 404: 15})
		if kinds := s.Records(); len(kinds) != 3 { // login.begun, session.created, login.succeeded
			t.Errorf("%d events", len(kinds))
		}
	})
}

// OPV-20 and ENU-06: the list of devices is one's own, newest first, in parts; nobody's session is ended by another, and
// whether it exists is not told.
func TestSessionList(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		for range 4 {
			native(s, "ann@example.com")
		}
		eve := person(s, "eve@example.com")
		items := func(c *testkit.Client, query string) (ids []string, next any) {
			a := c.Get("/auth/sessions?" + query).Want(200)
			for _, i := range a.JSON["items"].([]any) {
				ids = append(ids, i.(m)["id"].(string))
			}
			return ids, a.JSON["next_cursor"]
		}
		all, next := items(c, "")
		if len(all) != 5 || next != nil || !slices.IsSortedFunc(all, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Fatalf("%v %v", all, next)
		}
		var walked []string
		for query := "limit=2"; ; {
			part, next := items(c, query)
			walked = append(walked, part...)
			if next == nil {
				break
			}
			query = "limit=2&cursor=" + next.(string)
		}
		if !slices.Equal(walked, all) {
			t.Errorf("%v\n%v", walked, all)
		}
		for _, query := range []string{"limit=0", "limit=-1", "limit=201", "limit=1e3", "limit=99999999999999999999", "limit=", "limit=1&limit=2", "cursor=" + all[0] + "'", "cursor=" + strings.ToUpper(all[0]), "cursor=" + userID(c)} {
			a := c.Get("/auth/sessions?" + query)
			if query == "limit=" && a.Status == 200 {
				continue
			}
			refused(t, query, a, 400, 422)
		}
		hers, _ := items(eve, "cursor="+all[4]) // another's cursor shows nothing of theirs
		if len(hers) != 0 {
			t.Errorf("%v", hers)
		}
		s.Records()
		for _, id := range []string{all[0], "ses_06gzrebwtswgk8ycbrjawvx1qr", "nonsense"} {
			eve.Do("DELETE", "/auth/sessions/"+id, nil).Want(404, "session_not_found")
		}
		s.Events()
		c.Do("DELETE", "/auth/sessions/"+all[1], nil).Want(204)
		s.Events("session.revoked")
		c.Do("DELETE", "/auth/sessions/"+all[1], nil).Want(404)
		if a := c.Post("/auth/logout-all", m{"keep_current": true}).Want(200); a.JSON["revoked"] != 3.0 {
			t.Errorf("%s", a.Body)
		}
		s.Events("session.revoked", "session.revoked", "session.revoked")
		c.Get("/auth/me").Want(200)
		if a := c.Post("/auth/logout-all", nil).Want(200); a.JSON["revoked"] != 1.0 || c.Cookie("/", "session_id") != "" {
			t.Errorf("%s", a.Body)
		}
		c.Get("/auth/me").Want(401)
		eve.Get("/auth/me").Want(200)
	})
}

// A sign-in that began before its person was suspended, or their password changed, leaves no session behind.
func TestSignInRaces(t *testing.T) {
	changes := map[string]func(s *testkit.Server, id string) error{
		"disable": func(s *testkit.Server, id string) error {
			return s.App().Accounts.Disable(s.Context(), authz.System, id)
		},
		"delete": func(s *testkit.Server, id string) error {
			return s.App().Accounts.Delete(s.Context(), authz.System, id)
		},
		"change": func(s *testkit.Server, id string) error {
			return s.App().Passwords.Change(s.Context(), id, "", pass, "an entirely new one")
		},
	}
	slow := func(c *admit.Config) { c.Hash.MemoryKiB = 4096 }
	testkit.Each(t, slow, func(s *testkit.Server) {
		for name, change := range changes {
			for round := range 3 {
				email := fmt.Sprintf("%s-%d@example.com", name, round)
				id := userID(person(s, email))
				var clients []*testkit.Client
				for range 8 {
					clients = append(clients, s.Client())
				}
				answers := together(9, func(i int) testkit.Answer {
					if i < 8 {
						return clients[i].Post([]string{"/auth/login", "/api/v1/login"}[i%2], m{"email": email, "password": pass})
					}
					time.Sleep(time.Duration(round*4) * time.Millisecond)
					if err := change(s, id); err != nil {
						t.Error(err)
					}
					return testkit.Answer{}
				})
				for _, a := range answers[:8] {
					if a.Status >= 500 || a.Status == 409 {
						t.Errorf("%s: %d %s", name, a.Status, a.Body)
					}
				}
				if name == "disable" {
					if err := s.App().Accounts.Enable(t.Context(), authz.System, id); err != nil {
						t.Fatal(err)
					}
				}
				list, err := s.App().Sessions.List(t.Context(), id)
				if err != nil || len(list) > 0 {
					t.Errorf("%s: %d sessions survived, %v", name, len(list), err)
				}
			}
		}
	})
}
