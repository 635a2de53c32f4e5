package account_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pquerna/otp/totp"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/words"
)

const sentence = "a quiet green lamp"

func says(a testkit.Answer, texts ...string) {
	a.T.Helper()
	for _, text := range texts {
		text, not := strings.CutPrefix(text, "!")
		if strings.Contains(string(a.Body), text) == not {
			a.T.Errorf("%q is there: %t, in\n%s", text, not, a.Body)
		}
	}
}

func led(a testkit.Answer, to string) {
	a.T.Helper()
	if got := a.Want(303).Header.Get("Location"); got != to {
		a.T.Errorf("led to %s, want %s", got, to)
	}
}

func person(s *testkit.Server, email string) *testkit.Client {
	s.Helper()
	c := s.Client()
	c.Post("/auth/signup", testkit.M{"email": email, "password": sentence}).Want(201)
	s.Records()
	return c
}

// Strangers are led to the door and back, and every page of the account is there for who is signed in, without JavaScript.
func TestAccountIsOnesOwn(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		for _, path := range []string{"/account", "/account/security", "/account/security/password", "/account/security/app", "/account/security/passkey", "/account/sessions", "/account/organizations", "/account/email"} {
			says(c.Get(path).Want(200), `aria-label="Your account"`, `aria-current="page"`, "ann@example.com")
			led(s.Client().Get(path), "/signin?return_to="+url.QueryEscape(path))
		}
		s.Advance(11 * 60e9)
		led(c.Get("/account/email"), "/confirm?return_to=%2Faccount%2Femail")
		says(c.Get("/confirm?return_to=%2Faccount%2Femail").Want(200), "Confirm that it is you", `type="password"`)
		says(c.Fill("/confirm?return_to=/account/email", "/confirm", url.Values{"password": {"no"}}).Want(403), "not right")
		led(c.Fill("/confirm?return_to=/account/email", "/confirm", url.Values{"password": {sentence}}), "/account/email")
		c.Get("/account/email").Want(200)
	})
}

// A form of the account does what its JSON route does: the same change, the same events.
func TestAccountFormsAreTheRoutes(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		led(c.Fill("/account", "/account", url.Values{"name": {"Ann"}, "username": {"annie"}}), "/account")
		s.Events("user.updated")
		says(c.Get("/account").Want(200), `<p class="note ok" role="status">Saved.</p>`, `value="Ann"`, `value="annie"`)
		says(c.Get("/account").Want(200), "!Saved.")
		says(c.Fill("/account", "/account", url.Values{"username": {"a"}}).Want(422), `id="username-err"`, `value="a"`, "<title>Error: ")
		s.Events()

		says(c.Fill("/account/security/password", "/account/security/password", url.Values{"current_password": {"no"}, "new_password": {"a quiet red lamp"}}).Want(403), "There is a problem")
		s.Events("password.change_failed")
		led(c.Fill("/account/security/password", "/account/security/password", url.Values{"current_password": {sentence}, "new_password": {"a quiet red lamp"}}), "/account/security")
		s.Events("password.changed", "message.queued")

		led(c.Fill("/account/email", "/account/email", url.Values{"email": {"new@example.com"}}), "/account")
		if mail := s.Letter("new@example.com"); len(mail.Links) == 0 {
			t.Errorf("%+v", mail)
		}
		s.Records()

		led(c.Fill("/account/organizations", "/account/organizations", url.Values{"name": {"Acme"}}), "/account/organizations")
		page := c.Get("/account/organizations").Want(200)
		says(page, "Acme", "owner", "You work here")
		says(c.Submit(page, regexp.MustCompile(`/account/organizations/[^"]+/leave`).FindString(string(page.Body)), nil).Want(409), "owner") // the last one stays
		s.Records()
		leave := regexp.MustCompile(`/account/organizations/[^"]+/leave`).FindString(string(page.Body))
		led(c.Send(strings.Replace(leave, "/leave", "/switch", 1), nil), "/account/organizations")
		if kinds := s.Records(); len(kinds) != 1 || kinds[0].Kind != "session.org_switched" {
			t.Errorf("%+v", kinds)
		}
	})
}

// An authenticator app is set up and removed, and a session is ended from another, without JavaScript.
func TestFactorsAndSessionsOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		other := s.Client()
		other.Post("/auth/login", testkit.M{"email": "ann@example.com", "password": sentence}).Want(200)
		page := c.Get("/account/sessions").Want(200)
		says(page, "This device", "Sign out everywhere else")
		ends := regexp.MustCompile(`/account/sessions/ses_[^"]+/end`).FindAllString(string(page.Body), -1)
		if len(ends) != 2 {
			t.Fatal(ends)
		}
		s.Records()
		led(c.Submit(page, ends[1], nil), "/account/sessions")
		s.Events("session.revoked")
		other.Get("/auth/me").Want(401)
		c.Get("/auth/me").Want(200)

		begun := c.Fill("/account/security/app", "/account/security/app", nil).Want(200)
		says(begun, `src="data:image/png;base64,`, `autocomplete="one-time-code"`)
		key := regexp.MustCompile(`<code>([A-Z2-7]+)</code>`).FindSubmatch(begun.Body)
		code, err := totp.GenerateCode(string(key[1]), s.Now())
		if err != nil {
			t.Fatal(err)
		}
		says(c.Submit(begun, "/account/security/app/confirm", url.Values{"code": {"000000"}}).Want(422), `id="code-err"`)
		done := c.Submit(begun, "/account/security/app/confirm", url.Values{"code": {code}}).Want(200)
		if n := len(regexp.MustCompile(`<li>[0-9a-z]{4}-`).FindAll(done.Body, -1)); n != 10 {
			t.Errorf("%d recovery codes on\n%s", n, done.Body)
		}
		security := c.Get("/account/security").Want(200)
		says(security, ">On</span>", "Get new codes")
		says(c.Submit(security, "/account/security/codes", nil).Want(200), "Keep your recovery codes")
		led(c.Submit(security, "/account/security/app/remove", nil), "/account/security")
		says(c.Get("/account/security").Want(200), ">Off</span>", "!Get new codes")
	})
}

// German is there for who asks for it, by the browser or by choice, with times and refusals in it.
func TestPagesInGerman(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		led(c.Send("/preferences", url.Values{"language": {"de"}, "here": {"/account/sessions"}}), "/account/sessions")
		says(c.Get("/account/sessions").Want(200), `lang="de"`, "Wo Sie angemeldet sind", "gerade eben", `title="6. Mai 2031, 07:08 UTC"`)
		led(c.Send("/preferences", url.Values{"scheme": {"dark"}, "here": {"https://evil.example/"}}), "/")
		says(c.Get("/account").Want(200), `data-scheme="dark"`)
		says(c.Fill("/account", "/account", url.Values{"username": {"a"}}).Want(422), "Fehler:", "Ein Benutzername hat 4 bis 24 Zeichen")
		stranger := s.Client()
		stranger.Header.Set("Accept-Language", "de-AT,en;q=0.5")
		says(stranger.Get("/account/nowhere").Want(404))
		says(stranger.Get("/recover").Want(200), "Setzen Sie Ihr Passwort zurück")
	})
}

// An account is deleted on its page, without JavaScript, by who types its name and proved a short time ago that it is theirs.
func TestAccountIsDeletedOnItsPage(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		s.Grant(person(s, "root@example.com").Get("/auth/me").Text("id"), "super_admin") // or else the door leads to what makes one
		c := person(s, "ann@example.com")
		s.Advance(11 * 60e9)
		led(c.Fill("/account/data", "/account/data/delete", url.Values{"confirm": {"ann@example.com"}}), "/confirm?return_to=%2F")
		led(c.Get("/account/data/delete"), "/confirm?return_to=%2Faccount%2Fdata%2Fdelete")
		led(c.Fill("/confirm?return_to=/account/data/delete", "/confirm", url.Values{"password": {sentence}}), "/account/data/delete")
		s.Records()
		says(c.Fill("/account/data/delete", "/account/data/delete", url.Values{"confirm": {"ann"}}).Want(422), `id="confirm-err"`)
		s.Events()
		led(c.Fill("/account/data", "/account/data/delete", url.Values{"confirm": {"ann@example.com"}}), "/signin")
		says(c.Get("/signin").Want(200), "Your account is deleted.")
		led(c.Get("/account"), "/signin?return_to=%2Faccount")
	})
}

// Language and time are chosen on the page of the profile, and count from the next page on; the switch at the foot of a page counts for who has
// chosen, too. Every time zone that is offered is one.
func TestLanguageAndTimeAreChosen(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		offered := regexp.MustCompile(`<option value="([A-Z][^"]+)"`).FindAllSubmatch(c.Get("/account").Want(200).Body, -1)
		if len(offered) < 400 {
			t.Fatalf("%d time zones", len(offered))
		}
		for _, name := range offered {
			if _, err := words.ParseZone(string(name[1])); err != nil {
				t.Errorf("%s: %v", name[1], err)
			}
		}
		led(c.Fill("/account", "/account/voice", url.Values{"language": {"de"}, "time_zone": {"America/New_York"}}), "/account")
		s.Events("user.updated")
		says(c.Get("/account").Want(200), `lang="de"`, `<option value="de" selected>`, `<option value="America/New_York" selected>`, "Gespeichert")
		says(c.Get("/account/sessions").Want(200), `title="6. Mai 2031, 03:08 EDT"`)
		says(c.Fill("/account", "/account/voice", url.Values{"language": {"xx"}, "time_zone": {"Nowhere"}}).Want(422), `id="language-err"`, `id="time_zone-err"`, "Das ist keine Zeitzone")
		s.Events()
		led(c.Send("/preferences", url.Values{"language": {"en"}, "here": {"/account"}}), "/account")
		s.Events("user.updated")
		says(c.Get("/account").Want(200), `lang="en"`, `<option value="en" selected>`)
		c.Do("PATCH", "/auth/me", testkit.M{"time_zone": "GB"}).Want(200)
		says(c.Get("/account").Want(200), `<option value="GB" selected>`)
	})
}

// Where there is a grace the page says so, and the link of the mail has a page that keeps the account, which looking at it does not do.
func TestAccountIsKeptOnItsPage(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Account.GraceDays = 14 }, func(s *testkit.Server) {
		s.Grant(person(s, "root@example.com").Get("/auth/me").Text("id"), "super_admin")
		c := person(s, "ann@example.com")
		says(c.Get("/account/data").Want(200), "deleted after 14 days")
		led(c.Fill("/account/data", "/account/data/delete", url.Values{"confirm": {"ann@example.com"}}), "/signin")
		says(c.Get("/signin").Want(200), "Your account is closed and will be deleted.")
		says(c.Fill("/signin", "/signin", url.Values{"username": {"ann@example.com"}, "password": {sentence}}).Want(403), "has a link that keeps it")
		at := strings.TrimPrefix(s.Letter("ann@example.com").Links[0], s.Config.Web.Origin())
		s.Records()
		says(c.Get(at).Want(200), "Keep your account", "ann@example.com")
		s.Events()
		says(c.Fill(at, "/keep", nil).Want(200), "Your account is open again")
		s.Events("user.reopened", "authorization.changed")
		says(c.Get(at).Want(400), "has run out, was used before")
		led(c.Fill("/signin", "/signin", url.Values{"username": {"ann@example.com"}, "password": {sentence}}), "/")
	})
}

// A copy of one's data is asked for, waited for and fetched on its page, without JavaScript.
func TestDataIsExportedOnItsPage(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		says(c.Get("/account/data").Want(200), "There is no copy yet.", "!Download")
		led(c.Fill("/account/data", "/account/data/export", nil), "/account/data")
		if _, err := s.App().Exports.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Events("export.requested", "export.ready", "message.queued")
		page := c.Get("/account/data").Want(200)
		says(page, "Your copy is ready.", "in 1 day", "Make a new copy")
		file := c.Submit(page, "/account/data/download", nil).Want(200)
		if file.Header.Get("Content-Type") != "application/zip" || !strings.HasPrefix(string(file.Body), "PK") {
			t.Errorf("%v", file.Header)
		}
		s.Events("export.downloaded")
		s.Advance(11 * 60e9)
		led(c.Submit(page, "/account/data/download", nil), "/confirm?return_to=%2F")
		led(c.Submit(page, "/account/data/export", nil), "/confirm?return_to=%2F")
		s.Advance(24 * 3600e9)
		says(c.Get("/account/data").Want(303))
		c.Post("/auth/login", testkit.M{"email": "ann@example.com", "password": sentence}).Want(200)
		says(c.Get("/account/data").Want(200), "There is no copy yet.")
		says(c.Send("/account/data/download", nil).Want(404), "There is no such export")
	})
}

// What an account agreed to when it was made on a page where the terms are is shown to its owner, who takes it back there.
func TestConsentsOnPages(t *testing.T) {
	change := func(cfg *admit.Config) {
		cfg.Consent.Terms, cfg.Consent.Version = "https://example.com/terms", "2026-11-01"
	}
	testkit.Each(t, change, func(s *testkit.Server) {
		c := s.Client()
		says(c.Get("/signup").Want(200), `href="https://example.com/terms"`)
		c.Fill("/signup", "/signup", url.Values{"email": {"ann@example.com"}, "password": {sentence}}).Want(200)
		s.Events("user.created", "consent.given")
		c.Post("/auth/login", testkit.M{"email": "ann@example.com", "password": sentence}).Want(200)
		s.Records()
		says(c.Get("/account/data").Want(200), "Terms of use", "2026-11-01")
		led(c.Fill("/account/data", "/account/data/consents/terms/withdraw", nil), "/account/data")
		s.Events("consent.withdrawn")
		says(c.Get("/account/data").Want(200), "!Terms of use", "You agree no longer.")
	})
}
