package e2e_test

import (
	"errors"
	"fmt"
	"github.com/admit-dev/admit/internal/authz"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/user"
)

func link(s *testkit.Server) string {
	s.Helper()
	key, err := s.App().Owner.Link(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return key
}

// ADM-01: there is no default account, and the owner is made by a printed link only: once, in time, whoever is first.
func TestOwnerLink(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		for _, name := range []string{"admin", "root", "admin@example.com", "admin@localhost"} {
			for _, p := range []string{"admin", "password", "", "root", "changeme"} {
				s.Client().Post("/auth/login", m{"identifier": name, "password": p}).Want(401)
			}
		}
		claim := claimer(s)
		s.Records()
		before := s.App().Hasher.Stats().Done
		for _, key := range []string{"", "x", strings.Repeat("A", 26), "' OR 1=1 --", strings.Repeat("A", 200), strings.Repeat("A", 201)} {
			refused(t, key, claim(key, "eve@example.com", pass), 403, 422)
		}
		if s.App().Hasher.Stats().Done != before {
			t.Error("a stranger had a password hashed")
		}
		s.Events()
		late := link(s)
		s.Advance(30 * time.Minute)
		claim(late, "eve@example.com", pass).Want(403, "owner_link_invalid")

		person(s, "ann@example.com")
		key := link(s)
		s.Records()
		for _, mangled := range []string{strings.ToLower(key), key[1:], key + "A", " " + key} {
			claim(mangled, "ann@example.com", pass).Want(403)
		}
		claim(key, "ann@example.com", "wrong").Want(401, "invalid_credentials")
		claim(key, "new@example.com", "short").Want(422)
		claim(key, "new@example.com", "").Want(422)
		claim(key, "nonsense", pass).Want(422)
		s.Events()
		if claim(key, "ann@example.com", pass).Want(200).Text("role") != user.SuperAdmin { // the link was good all the time
			t.Error("no owner")
		}
		claim(key, "ann@example.com", pass).Want(403)
		s.Events("owner_link.used", "role.granted", "session.created", "login.succeeded", "authorization.changed")

		key = link(s)
		s.Records()
		names := []string{"one@example.com", "two@example.com", "ann@example.com"}
		tally(t, together(16, func(i int) testkit.Answer { return claim(key, names[i%3], pass) }), map[int]int{200: 1, 403: 15})
	})
}

func claimer(s *testkit.Server) func(key, email, p string) testkit.Answer {
	return func(key, email, p string) testkit.Answer {
		return s.Client().Post("/auth/owner", m{"key": key, "email": email, "password": p})
	}
}

// A link lets nobody in who is suspended, with a password or without.
func TestOwnerLinkOfTheSuspended(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		off := userID(person(s, "off@example.com"))
		if err := s.App().Accounts.Disable(t.Context(), authz.System, off); err != nil {
			t.Fatal(err)
		}
		if _, err := s.App().Passwords.Create(t.Context(), authz.System, user.New{Email: "bare@example.com"}, ""); err != nil {
			t.Fatal(err)
		}
		bare, _ := s.App().Users.Find(t.Context(), "bare@example.com")
		if err := s.App().Accounts.Disable(t.Context(), authz.System, bare.ID); err != nil {
			t.Fatal(err)
		}
		key, claim := link(s), claimer(s)
		s.Records()
		refused(t, "suspended", claim(key, "off@example.com", pass), 401, 403)
		refused(t, "suspended without a password", claim(key, "bare@example.com", pass), 401, 403)
		s.Events()
	})
}

// The last super_admin stays: neither suspended nor erased nor stripped, also when two remove each other at the same moment.
func TestLastOwnerStays(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		app := s.App()
		strip := func(id string) error {
			return app.Accounts.Revoke(t.Context(), authz.System, id, user.SuperAdmin)
		}
		ways := map[string]func(id string) error{
			"disable": func(id string) error { return app.Accounts.Disable(t.Context(), authz.System, id) },
			"delete":  func(id string) error { return app.Accounts.Delete(t.Context(), authz.System, id) },
			"revoke":  strip,
		}
		ann := person(s, "ann@example.com")
		first := userID(ann)
		s.Grant(first, user.SuperAdmin)
		for name, do := range ways {
			if err := do(first); !errors.Is(err, authz.ErrLastSuperAdmin) {
				t.Errorf("%s: %v", name, err)
			}
		}
		s.Events()
		ann.Get("/auth/me").Want(200)
		for i, one := range []string{"disable", "revoke", "disable", "delete"} {
			for _, other := range []string{"revoke", "disable"} {
				bob := userID(person(s, fmt.Sprintf("%s-%s-%d@example.com", one, other, i)))
				s.Grant(bob, user.SuperAdmin)
				var errs [2]error
				together(2, func(i int) testkit.Answer {
					if i == 0 {
						errs[0] = ways[one](bob)
					} else {
						errs[1] = ways[other](first)
					}
					return testkit.Answer{}
				})
				if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs[:]...), authz.ErrLastSuperAdmin) {
					t.Errorf("%s and %s: %v", one, other, errs)
				}
				if has, err := app.Users.HasOwner(t.Context()); !has || err != nil {
					t.Fatal("nobody is owner any more", err)
				}
				if errs[1] == nil { // bob stayed; go on with him
					first = bob
				}
			}
		}
	})
}
