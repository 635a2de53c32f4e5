package e2e_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/user"
)

func guests(c *admit.Config) { c.Anonymous.Enabled = true }

// A guest has an id and a session and nothing else. With an account they keep the id; the session of the guest is dead, and the password
// opens the same account.
func TestGuest(t *testing.T) {
	testkit.Each(t, guests, func(s *testkit.Server) {
		c := s.Client()
		a := c.Post("/auth/anonymous", nil).Want(201)
		s.Events("user.created", "session.created", "login.succeeded")
		id := a.Text("id")
		if a.JSON["is_anonymous"] != true || a.JSON["email"] != nil {
			t.Errorf("%s", a.Body)
		}
		c.Post("/api/v1/orgs", m{"name": "Acme"}).Want(403, "guest_not_allowed")
		old := s.Client()
		old.Header.Set("Cookie", "session_id="+c.Cookie("/", "session_id"))
		old.Get("/auth/me").Want(200)
		c.Post("/auth/signup", m{"email": "ann@example.com", "password": "short"}).Want(422)
		s.Records()
		a = c.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(201)
		s.Events("user.settled", "session.revoked", "session.created", "login.succeeded")
		if a.Text("id") != id || a.JSON["is_anonymous"] != false {
			t.Errorf("%s", a.Body)
		}
		old.Get("/auth/me").Want(401)
		if signIn(s, "ann@example.com", pass).Want(200).Text("id") != id {
			t.Error("another account")
		}
		c.Post("/api/v1/orgs", m{"name": "Acme"}).Want(201)

		other := s.Client()
		other.Post("/auth/anonymous", nil).Want(201)
		other.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(409, "email_taken")
		if other.Get("/auth/me").Want(200).JSON["is_anonymous"] != true {
			t.Error("half a change")
		}
	})
	testkit.Each(t, nil, func(s *testkit.Server) {
		s.Client().Post("/auth/anonymous", nil).Want(403, "anonymous_disabled")
		s.Events()
	})
}

// A guest who gives an address and shows that it is theirs is none any more. Tokens work as cookies do.
func TestGuestWithAnAddress(t *testing.T) {
	testkit.Each(t, guests, func(s *testkit.Server) {
		c := s.Client()
		c.Bearer = c.Post("/auth/anonymous?transport=token", nil).Want(201).Text("access_token")
		s.Advance(14 * time.Minute)
		c.Post("/auth/email/change", m{"email": "ann@example.com"}).Want(202)
		c.Post("/auth/email/verify", m{"code": codeIn(s, "ann@example.com")}).Want(200)
		if me := c.Get("/auth/me").Want(200); me.JSON["is_anonymous"] != false || me.JSON["email_verified"] != true {
			t.Errorf("%s", me.Body)
		}
		s.Client().Post("/auth/password/reset", m{"token": forgotten(s, "ann@example.com"), "password": pass}).Want(200)
		signIn(s, "ann@example.com", pass).Want(200)
	})
}

// A guest who links an account at a provider is none any more: they keep their id, and can come back. Where nobody may sign up, no guest
// may (SGN-11).
func TestGuestWithAProvider(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) { acme(cfg, f); guests(cfg) }, func(s *testkit.Server, f *fake) {
		link := func(c *testkit.Client) string {
			s.Helper()
			id := c.Post("/auth/anonymous", nil).Want(201).Text("id")
			arrive(c, "acme", f.consent(c.Post("/auth/acme/link", m{}).Want(200).Text("redirect"))).Want(303)
			return id
		}
		c := s.Client()
		id := link(c)
		me := c.Get("/auth/me").Want(200)
		if me.JSON["is_anonymous"] != false || me.Text("email") != "ann@example.com" || me.JSON["email_verified"] != true || me.Text("name") != "Ann" {
			s.Errorf("%s", me.Body)
		}
		c.Post("/auth/logout", nil).Want(200)
		if err := s.App().Guests.Sweep(s.Context()); err != nil {
			s.Fatal(err)
		}
		travel(c, f, "acme").Want(303)
		if userID(c) != id {
			s.Error("another account")
		}
		f.claims["sub"] = "s-2" // an address that is somebody's already stays with them
		two := s.Client()
		link(two)
		if me := two.Get("/auth/me").Want(200); me.JSON["is_anonymous"] != false || me.JSON["email"] != nil {
			s.Errorf("%s", me.Body)
		}
	})
	eachSocial(t, func(cfg *admit.Config, f *fake) { acme(cfg, f); guests(cfg); cfg.Login.SignUp = false }, func(s *testkit.Server, f *fake) {
		c := s.Client()
		c.Post("/auth/anonymous", nil).Want(201)
		arrive(c, "acme", f.consent(c.Post("/auth/acme/link", m{}).Want(200).Text("redirect"))).Want(403, "signup_disabled")
		if len(identities(c)) > 0 || c.Get("/auth/me").Want(200).JSON["is_anonymous"] != true {
			s.Error("signed up")
		}
	})
}

// One guest becomes one person, however many sign them up at once.
func TestOneGuestManySignUps(t *testing.T) {
	testkit.Each(t, guests, func(s *testkit.Server) {
		c := s.Client()
		c.Post("/auth/anonymous", nil).Want(201)
		cookie := "session_id=" + c.Cookie("/", "session_id")
		var all sync.WaitGroup
		answers := make([]testkit.Answer, 8)
		for i := range answers {
			all.Go(func() {
				one := s.Client()
				one.Header.Set("Cookie", cookie)
				answers[i] = one.Post("/auth/signup", m{"username": "name_" + string(rune('a'+i)), "password": pass})
			})
		}
		all.Wait()
		settled := 0
		for _, r := range s.Records() {
			if r.Kind == "user.settled" {
				settled++
			}
		}
		if settled != 1 {
			t.Errorf("%d became of one guest", settled)
		}
		for _, a := range answers {
			if a.Status >= 500 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
	})
}

// A guest as whom nobody can come back is deleted; one who has an account by then is not.
func TestLeftGuestsAreDeleted(t *testing.T) {
	testkit.Each(t, guests, func(s *testkit.Server) {
		gone, stays, settled := s.Client(), s.Client(), s.Client()
		lost := gone.Post("/auth/anonymous", nil).Want(201).Text("id")
		kept := stays.Post("/auth/anonymous", nil).Want(201).Text("id")
		real := settled.Post("/auth/anonymous", nil).Want(201).Text("id")
		settled.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(201)
		settled.Post("/auth/logout", nil).Want(200)
		gone.Post("/auth/logout", nil).Want(200)
		if err := s.App().Guests.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.App().Accounts.DeleteGuest(t.Context(), real); err != nil {
			t.Fatal(err)
		}
		for id, there := range map[string]bool{lost: false, kept: true, real: true} {
			_, err := s.App().Users.Get(t.Context(), id)
			if errors.Is(err, user.ErrNotFound) == there {
				t.Errorf("%s: %v, want there: %t", id, err, there)
			}
		}
	})
}

// Under strict a guest learns nothing of a name that is taken.
func TestStrictGuest(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { guests(c); strict(c) }, func(s *testkit.Server) {
		s.Client().Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(202)
		one, two := s.Client(), s.Client()
		one.Post("/auth/anonymous", nil).Want(201)
		two.Post("/auth/anonymous", nil).Want(201)
		a := one.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(202)
		same(t, "taken and free", a, two.Post("/auth/signup", m{"email": "bob@example.com", "password": pass}).Want(202))
	})
}
