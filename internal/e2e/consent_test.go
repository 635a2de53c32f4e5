package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// PRV-02: what somebody agreed to is noted by document and version with the account itself, changes with a new version only, is taken back as
// easily, is theirs alone, and is in the copy of their data.
func TestConsents(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := s.Client()
		ann.Post("/auth/signup", m{"email": "ann@example.com", "password": pass, "consents": []m{{"document": "terms", "version": "2026-11-01"}, {"document": "newsletter", "version": "1"}}}).Want(201)
		s.Events("user.created", "consent.given", "consent.given", "session.created", "login.succeeded")
		list := func(c *testkit.Client) string {
			s.Helper()
			var out []string
			for _, one := range c.Get("/auth/me/consents").Want(200).JSON["items"].([]any) {
				out = append(out, fmt.Sprint(one.(m)["document"], " ", one.(m)["version"]))
			}
			return strings.Join(out, ", ")
		}
		if got := list(ann); got != "newsletter 1, terms 2026-11-01" {
			t.Fatal(got)
		}
		first := ann.Do("PUT", "/auth/me/consents/terms", m{"version": "2026-11-01"}).Want(200).Text("given_at")
		s.Events()
		s.Advance(time.Hour)
		if again := ann.Do("PUT", "/auth/me/consents/terms", m{"version": "2027-01-01"}).Want(200).Text("given_at"); again <= first {
			t.Error(first, again)
		}
		s.Events("consent.given")
		ann.Do("DELETE", "/auth/me/consents/newsletter", nil).Want(204)
		s.Events("consent.withdrawn")
		ann.Do("DELETE", "/auth/me/consents/newsletter", nil).Want(404, "consent_not_found")
		if got := list(ann); got != "terms 2027-01-01" {
			t.Fatal(got)
		}

		bob := s.Client()
		bob.Post("/auth/signup", m{"email": "bob@example.com", "password": pass}).Want(201)
		if got := list(bob); got != "" {
			t.Error(got)
		}
		ann.Do("PUT", "/auth/me/consents/a%20b", m{"version": "1"}).Want(422, "consent_document_invalid")
		ann.Do("PUT", "/auth/me/consents/a", m{"version": " "}).Want(422, "consent_version_invalid")
		s.Records()
		s.Client().Post("/auth/signup", m{"email": "kim@example.com", "password": pass, "consents": []m{{"document": "x y", "version": ""}}}).Want(422)
		s.Events()
		for i := range 99 {
			ann.Do("PUT", fmt.Sprintf("/auth/me/consents/d%d", i), m{"version": "1"}).Want(200)
		}
		ann.Do("PUT", "/auth/me/consents/one-more", m{"version": "1"}).Want(409, "consents_too_many")
		ann.Do("PUT", "/auth/me/consents/d1", m{"version": "2"}).Want(200)
	})
}
