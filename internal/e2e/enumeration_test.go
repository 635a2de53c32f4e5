package e2e_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/user"
)

// everybody makes one person of each kind that a stranger must not tell from the others, and gives their addresses. Nobody has the last.
func everybody(s *testkit.Server, name string) (emails []string) {
	s.Helper()
	for _, kind := range []string{"known", "unverified", "suspended", "elsewhere", "factor", "locked", "nobody"} {
		email := kind + "-" + name + "@example.com"
		emails = append(emails, email)
		if kind == "nobody" {
			break
		}
		if kind == "elsewhere" { // another service opens the account, and nothing else does
			c := s.Client()
			back := develop(s, c, c.Get("/auth/development/login").Want(302).Header.Get("Location"), email)
			c.Get("/auth/development/callback?" + back).Want(303)
			continue
		}
		u, err := s.App().Passwords.Create(s.Context(), authz.System, user.New{Email: email}, pass)
		if err == nil && kind != "unverified" {
			err = s.App().DB.Write(s.Context(), func(tx *database.Tx) error { return user.VerifyEmail(tx, u.ID, email) })
		}
		if err == nil && kind == "suspended" {
			err = s.App().Accounts.Disable(s.Context(), authz.System, u.ID)
		}
		if err != nil {
			s.Fatal(err)
		}
		if kind == "factor" {
			c := s.Client()
			c.Post("/auth/login", m{"email": email, "password": pass}).Want(200)
			enrol(s, c)
		}
	}
	return emails
}

var signed = regexp.MustCompile(`"challenge":"[A-Za-z0-9_-]+"`)

// ENU-01, ENU-07: at every door, whoever is known, has not shown their address, is suspended, comes by another service alone, has a second
// factor, is locked or is nobody gets the same answer, but for ids. A lock is of a name, and nobody's name is locked alike.
func TestEveryDoorTellsNothing(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { strict(c); locking(c) }, func(s *testkit.Server) {
		for door, ask := range map[string]func(c *testkit.Client, email string) testkit.Answer{
			"sign-in": func(c *testkit.Client, email string) testkit.Answer {
				return c.Post("/auth/login", m{"email": email, "password": "wrong"}).Want(401)
			},
			"tokens": func(c *testkit.Client, email string) testkit.Answer {
				return c.Post("/api/v1/login", m{"username": email, "password": "wrong"}).Want(401)
			},
			"attempt": func(c *testkit.Client, email string) testkit.Answer {
				return c.Post("/auth/attempts", m{"identifier": email}).Want(201)
			},
			"reset": func(c *testkit.Client, email string) testkit.Answer {
				return c.Post("/auth/password/forgot", m{"email": email}).Want(202)
			},
			"link": func(c *testkit.Client, email string) testkit.Answer {
				return c.Post("/auth/magic-link", m{"email": email}).Want(202)
			},
			"code": func(c *testkit.Client, email string) testkit.Answer {
				return c.Post("/auth/otp", m{"email": email}).Want(202)
			},
			"passkey": func(c *testkit.Client, email string) testkit.Answer {
				a := c.Post("/auth/passkeys/login/options", m{"identifier": email}).Want(200)
				a.Body = signed.ReplaceAll(a.Body, nil)
				return a
			},
		} {
			emails := everybody(s, door)
			locked, nobody := emails[len(emails)-2], emails[len(emails)-1]
			wrongly(s, locked, 4).Want(429)
			lockable := door == "sign-in" || door == "tokens"
			first := ask(s.Client(), nobody)
			for _, email := range emails[:len(emails)-1] {
				if !lockable || email != locked {
					alike(t, email, first, ask(s.Client(), email))
				}
			}
			if lockable {
				missing := fmt.Sprintf("missing-%s@example.com", door)
				alike(t, door+" locked", wrongly(s, locked, 1).Want(429), wrongly(s, missing, 4).Want(429))
			}
		}
	})
}
