package e2e_test

import (
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// Whoever changes the password is told so, in the language of their browser; the message is there as soon as the change is.
func TestPasswordChangeIsTold(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		c.Post("/auth/signup", testkit.M{"email": "ann@example.com", "password": "password123"}).Want(201)
		s.Records()
		c.Header.Set("Accept-Language", "de-AT,de;q=0.9,en;q=0.8")
		c.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		c.Post("/auth/password/change", testkit.M{"current_password": "password123", "new_password": "another password"}).Want(200)
		s.Events("password.changed", "message.queued")
		l := s.Letter("ann@example.com")
		if l.Subject != "Ihr Passwort für localhost wurde geändert" || !strings.Contains(l.Text, "Firefox unter Linux") || !strings.Contains(l.Text, "2031-05-06 07:08 UTC") {
			t.Fatalf("%s\n%s", l.Subject, l.Text)
		}
		if got := s.Inbox("bob@example.com"); len(got) != 0 {
			t.Fatalf("%d messages to somebody else", len(got))
		}
	})
}
