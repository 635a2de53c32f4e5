package pages_test

import (
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

// Programs find at fixed addresses where a password is changed, where passkeys are added, and whom to tell of a hole.
func TestWellKnownAddresses(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Web.SecurityContact = "mailto:security@example.com" }, func(s *testkit.Server) {
		c := s.Client()
		if to := c.Get("/.well-known/change-password").Want(302).Header.Get("Location"); to != "/account/security/password" {
			t.Error(to)
		}
		keys := c.Get("/.well-known/passkey-endpoints").Want(200)
		if keys.Text("enroll") != s.Config.Web.Origin()+"/account/security/passkey" || keys.Text("manage") != s.Config.Web.Origin()+"/account/security" {
			t.Errorf("%s", keys.Body)
		}
		if text := string(c.Get("/.well-known/security.txt").Want(200).Body); !strings.HasPrefix(text, "Contact: mailto:security@example.com\nExpires: 2031-11-02T00:00:00Z\n") {
			t.Error(text)
		}
	})
	testkit.Each(t, nil, func(s *testkit.Server) { s.Client().Get("/.well-known/security.txt").Want(404) })
}
