package e2e_test

import (
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// Whoever says which language and which time are theirs is spoken to in these, on pages and in mails; what is neither is refused by name and
// changes nothing.
func TestLanguageAndTimeOfAPerson(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		if me := ann.Get("/auth/me").Want(200); me.JSON["language"] != nil || me.JSON["time_zone"] != nil {
			t.Errorf("chosen already: %s", me.Body)
		}
		for _, c := range []struct {
			field, value, code string
		}{
			{"language", "fr", "language_unknown"}, {"language", "de-DE", "language_unknown"}, {"language", "../en", "language_unknown"}, {"language", "e", "language_unknown"},
			{"time_zone", "Local", "time_zone_unknown"}, {"time_zone", "Berlin", "time_zone_unknown"}, {"time_zone", "Europe/../Europe/Berlin", "time_zone_unknown"},
			{"time_zone", "/etc/localtime", "time_zone_unknown"}, {"time_zone", "localtime", "time_zone_unknown"}, {"time_zone", "right/Europe/Berlin", "time_zone_unknown"},
			{"time_zone", "Europe", "time_zone_unknown"}, {"time_zone", "+02:00", "time_zone_unknown"},
		} {
			a := ann.Do("PATCH", "/auth/me", m{c.field: c.value})
			if faults, _ := a.JSON["errors"].([]any); a.Status != 422 || a.JSON["code"] != c.code || len(faults) != 1 || faults[0].(m)["field"] != c.field {
				t.Errorf("%s %q: %d %s", c.field, c.value, a.Status, a.Body)
			}
		}
		both := ann.Do("PATCH", "/auth/me", m{"language": "fr", "time_zone": "Nowhere/Town"}).Want(422, "invalid_request")
		if faults := both.JSON["errors"].([]any); len(faults) != 2 {
			t.Errorf("%s", both.Body)
		}
		s.Events()
		for _, zone := range []string{"UTC", "Asia/Kolkata", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "GB"} {
			if got := ann.Do("PATCH", "/auth/me", m{"time_zone": zone}).Want(200); got.Text("time_zone") != zone {
				t.Errorf("%s", got.Body)
			}
		}
		s.Records()
		ann.Do("PATCH", "/auth/me", m{"language": "DE", "time_zone": "Europe/Berlin"}).Want(200)
		s.Events("user.updated")
		if me := ann.Get("/auth/me").Want(200); me.Text("language") != "de" || me.Text("time_zone") != "Europe/Berlin" {
			t.Errorf("%s", me.Body)
		}
		ann.Do("PATCH", "/auth/me", m{"language": "de"}).Want(200)
		s.Events() // it was so already

		ann.Header.Set("Accept-Language", "en")
		ann.Post("/auth/password/change", m2(pass, "a quiet green lamp")).Want(200)
		if mail := s.Letter("ann@example.com"); !strings.Contains(mail.Text, "Ihr Passwort") || !strings.Contains(mail.Text, "2031-05-06 09:08 CEST") {
			t.Errorf("%s", mail.Text)
		}
		if page := string(ann.Get("/account/sessions").Want(200).Body); !strings.Contains(page, `<html lang="de"`) || !strings.Contains(page, `title="6. Mai 2031, 09:08 CEST"`) {
			t.Errorf("%s", page)
		}
		ann.Do("PATCH", "/auth/me", m{"language": "", "time_zone": ""}).Want(200)
		if page := string(ann.Get("/account/sessions").Want(200).Body); !strings.Contains(page, `<html lang="en"`) || !strings.Contains(page, `title="6 May 2031, 07:08 UTC"`) {
			t.Errorf("%s", page)
		}
	})
}

// A mail that somebody else causes is in the language of who reads it, not of who caused it.
func TestMailsSpeakTheLanguageOfTheirReader(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		ann.Do("PATCH", "/auth/me", m{"language": "de"}).Want(200)
		stranger := s.Client()
		stranger.Header.Set("Accept-Language", "en")
		stranger.Post("/auth/password/forgot", m{"email": "ann@example.com"}).Want(202)
		if mail := s.Letter("ann@example.com"); !strings.Contains(mail.Text, "Passwort") {
			t.Errorf("%s", mail.Text)
		}
	})
}
