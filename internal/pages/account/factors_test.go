package account_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

const number = "+491711234567"

func code(s *testkit.Server, to string) url.Values {
	s.Helper()
	return url.Values{"code": s.Letter(to).Codes}
}

// confirmed is a person whose address is known to be theirs, and who has no password: they came in by a code.
func confirmed(s *testkit.Server, email string) *testkit.Client {
	s.Helper()
	c := s.Client()
	a := c.Post("/auth/otp", testkit.M{"email": email}).Want(202)
	c.Post("/auth/otp/verify", testkit.M{"attempt": a.Text("attempt"), "code": s.Letter(email).Codes[0]}).Want(200)
	s.Records()
	return c
}

// A phone number is added, changed and removed on its page, as by its routes: it counts once its code was entered, and a wrong one
// leaves the page as it was.
func TestPhoneNumberOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := confirmed(s, "ann@example.com")
		says(c.Get("/account").Want(200), `href="/account/phone"`, "!+49")
		says(c.Fill("/account/phone", "/account/phone", url.Values{"phone": {"12"}}).Want(422), `id="phone-err"`, `value="12"`)
		s.Events()
		asked := c.Fill("/account/phone", "/account/phone", url.Values{"phone": {"+49 (171) 123-4567"}}).Want(200)
		says(asked, "<bdi>"+number+"</bdi>", `autocomplete="one-time-code"`)
		s.Events("phone.verification_sent", "message.queued")
		wrong := c.Submit(asked, "/account/phone/confirm", url.Values{"code": {"000000"}}).Want(400)
		says(wrong, `id="code-err"`, "<bdi>"+number+"</bdi>")
		led(c.Submit(wrong, "/account/phone/confirm", code(s, number)), "/account")
		s.Events("user.updated", "user.identifier_verified", "message.queued")
		says(c.Get("/account").Want(200), "The number is yours.", number[1:])

		page := c.Get("/account/phone").Want(200)
		led(c.Submit(page, "/account/phone/remove", nil), "/account")
		says(c.Get("/account").Want(200), "!"+number[1:])
		led(s.Client().Get("/account/phone"), "/signin?return_to=%2Faccount%2Fphone")
		s.Advance(11 * 60e9)
		led(c.Get("/account/phone"), "/confirm?return_to=%2Faccount%2Fphone")
	})
}

// Codes by mail and by text are turned on and off on the security page, as by their routes. It says how many recovery codes are left,
// and these are there to copy, to keep as a file and to print.
func TestCodesAsFactorsOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := confirmed(s, "ann@example.com")
		c.Post("/auth/phone", testkit.M{"phone": number}).Want(202)
		c.Post("/auth/phone/verify", testkit.M{"code": s.Letter(number).Codes[0]}).Want(200)
		s.Records()
		for method, to := range map[string]string{"email": "ann@example.com", "phone": number} {
			at := "/account/security/" + method
			asked := c.Fill("/account/security", at, nil).Want(200)
			s.Events("message.queued")
			says(c.Submit(asked, at+"/confirm", url.Values{"code": {"000000"}}).Want(400), `id="code-err"`)
			done := c.Submit(asked, at+"/confirm", code(s, to)).Want(200)
			codes := regexp.MustCompile(`<li>([0-9a-z]{4}-[0-9a-z-]+)</li>`).FindAllSubmatch(done.Body, -1)
			if len(codes) != 10 {
				t.Fatalf("%d recovery codes on\n%s", len(codes), done.Body)
			}
			says(done, `href="data:text/plain;charset=utf-8,`+string(codes[0][1])+"%0A", `download="recovery-codes.txt"`, "data-print", "data-copy")
			kinds := map[string]bool{}
			for _, r := range s.Records() {
				kinds[r.Kind] = true
			}
			if !kinds["factor.added"] || !kinds["recovery_codes.issued"] {
				t.Error(kinds)
			}
			says(c.Get("/account/security").Want(200), "10 of 10 left")
			c.Post("/auth/reauthenticate", testkit.M{"code": string(codes[0][1])}).Want(200)
			page := c.Get("/account/security").Want(200)
			says(page, "9 of 10 left")
			led(c.Submit(page, at+"/remove", nil), "/account/security")
			says(c.Get("/account/security").Want(200), "These codes are asked for no more.", "!of 10 left")
			s.Records()
		}
	})
}

// Who has no password sets a first one, with a fresh proof and without showing one that is not there. It ends no session, and is told of by
// mail; who has one changes it.
func TestFirstPassword(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Anonymous.Enabled = true }, func(s *testkit.Server) {
		c := confirmed(s, "ann@example.com")
		says(c.Get("/account/security").Want(200), "Set a password", "There is only one way into this account.")
		says(c.Fill("/account/security/password", "/account/security/password/first", url.Values{"new_password": {"short"}}).Want(422), `id="new_password-err"`)
		says(c.Get("/account/security/password").Want(200), "!current-password", `autocomplete="new-password"`)
		s.Advance(11 * 60e9)
		led(c.Get("/account/security/password"), "/confirm?return_to=%2Faccount%2Fsecurity%2Fpassword")
		c.Post("/auth/password", testkit.M{"new_password": sentence}).Want(403, "reauthentication_required")
		c = confirmed(s, "ann@example.com")
		other := confirmed(s, "ann@example.com")
		led(c.Fill("/account/security/password", "/account/security/password/first", url.Values{"new_password": {sentence}}), "/account/security")
		s.Events("password.changed", "message.queued")
		if mail := s.Letter("ann@example.com"); !strings.Contains(mail.Text, "/not-me") {
			t.Errorf("%+v", mail)
		}
		other.Get("/auth/me").Want(200)
		s.Client().Post("/auth/login", testkit.M{"email": "ann@example.com", "password": sentence}).Want(200)
		c.Post("/auth/password", testkit.M{"new_password": "a quiet red lamp"}).Want(409, "password_set")
		says(c.Get("/account/security").Want(200), "Change password", "!There is only one way")
		says(c.Get("/account/security/password").Want(200), "current-password")

		guest := s.Client()
		guest.Post("/auth/anonymous", nil).Want(201)
		guest.Post("/auth/password", testkit.M{"new_password": sentence}).Want(422, "identifier_missing")
	})
}
