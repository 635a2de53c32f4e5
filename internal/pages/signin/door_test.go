package signin_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pquerna/otp/totp"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

const sentence = "a quiet green lamp"

// owned is a server that has an owner, as every server that people sign in to.
func owned(s *testkit.Server) {
	s.Helper()
	s.Client().Send("/start", form(link(s), "owner@example.com", sentence)).Want(303)
	s.Records()
}

func led(a testkit.Answer, to string) {
	a.T.Helper()
	if got := a.Want(303).Header.Get("Location"); got != to {
		a.T.Errorf("led to %s, want %s", got, to)
	}
}

// Without JavaScript: an account is made, its address confirmed, its password lost and set anew, and the sign-in leads to where one wanted
// to be. The events are those of the JSON routes.
func TestInWithoutJavaScript(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Login.Enumeration, c.Address.Verification = "strict", "soft" }, func(s *testkit.Server) {
		owned(s)
		byJSON := s.Client()
		byJSON.Post("/auth/signup", testkit.M{"email": "json@example.com", "password": sentence}).Want(202)
		want := kinds(s)
		c := s.Client()
		led(c.Get("/signin?return_to=/account/security"), "/signin")
		says(c.Get("/signin").Want(200), "Sign in to localhost", `autocomplete="username webauthn"`, `autocomplete="current-password"`, `href="/signup"`)
		says(c.Fill("/signup", "/signup", url.Values{"email": {"ann@example.com"}, "password": {"short"}}).Want(422), `id="password-err"`, `value="ann@example.com"`, "<title>Error: ")
		s.Records()
		says(c.Fill("/signup", "/signup", url.Values{"email": {"ann@example.com"}, "name": {"Ann"}, "password": {sentence}}).Want(200), "Look into your mail", "ann@example.com")
		if got := kinds(s); got != want {
			t.Errorf("events %s, by JSON %s", got, want)
		}
		again := c.Fill("/signup", "/signup", url.Values{"email": {"ann@example.com"}, "password": {sentence}}).Want(200)
		says(again, "Look into your mail", "ann@example.com")
		if subject := s.Letter("ann@example.com").Subject; !strings.Contains(subject, "already") {
			t.Errorf("the owner of the address is not told: %s", subject)
		}
		confirm := strings.TrimPrefix(s.Inbox("ann@example.com")[1].Links[0], s.Config.Web.Origin())
		says(c.Fill(confirm, "/verify", nil).Want(200), "Your address is confirmed", `href="/signin"`)

		says(c.Fill("/signin", "/signin", url.Values{"username": {"ann@example.com"}, "password": {"another one"}}).Want(401), "do not match", `value="ann@example.com"`, "!another one")
		says(c.Fill("/signin", "/signin", url.Values{"username": {"nobody@example.com"}, "password": {"another one"}}).Want(401), "do not match")

		for _, email := range []string{"ann@example.com", "nobody@example.com"} {
			says(c.Fill("/recover", "/recover", url.Values{"email": {email}}).Want(200), "Look into your mail")
		}
		reset := strings.TrimPrefix(s.Letter("ann@example.com").Links[0], s.Config.Web.Origin())
		says(c.Fill(reset, "/recover", url.Values{"password": {"short"}}).Want(422), `id="password-err"`)
		says(c.Fill(reset, "/recover", url.Values{"password": {"a quiet red lamp"}}).Want(200), "Your password is changed")

		s.Records()
		s.Client().Post("/auth/login", testkit.M{"email": "ann@example.com", "password": "a quiet red lamp"}).Want(200)
		want = kinds(s)
		c.Get("/signin?return_to=/account/security").Want(303)
		led(c.Fill("/signin", "/signin", url.Values{"username": {"ann@example.com"}, "password": {"a quiet red lamp"}}), "/account/security")
		if got := kinds(s); got != want {
			t.Errorf("events %s, by JSON %s", got, want)
		}
		c.Get("/auth/me").Want(200)
		led(c.Fill("/signout", "/signout", nil), "/signin")
		says(c.Get("/signin").Want(200), "You are signed out.")
		c.Get("/auth/me").Want(401)
	})
}

// kinds are the kinds of the events since the last look.
func kinds(s *testkit.Server) string {
	var list []string
	for _, r := range s.Records() {
		if r.Kind != "message.sent" && r.Kind != "device.added" && r.Kind != "message.queued" { // a second browser is a new device
			list = append(list, r.Kind)
		}
	}
	return strings.Join(list, " ")
}

// A second factor is asked on a page of its own, whose address holds nothing. Wrong codes are answered there; another way may be chosen.
func TestSecondFactorOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		owned(s)
		c := s.Client()
		c.Post("/auth/signup", testkit.M{"email": "ann@example.com", "password": sentence}).Want(201)
		key := c.Post("/auth/mfa/totp", nil).Want(200).Text("secret")
		code := func() string {
			s.Advance(31e9)
			code, err := totp.GenerateCode(key, s.Now())
			if err != nil {
				t.Fatal(err)
			}
			return code
		}
		spares := c.Post("/auth/mfa/totp/confirm", testkit.M{"code": code()}).Want(200).JSON["recovery_codes"].([]any)

		c = s.Client()
		in := url.Values{"username": {"ann@example.com"}, "password": {sentence}}
		step := c.Fill("/signin", "/signin", in).Want(401)
		says(step, "Enter the code of your app", `autocomplete="one-time-code"`, `inputmode="numeric"`, "Use another way", "!att_", "!maxlength")
		says(c.Submit(step, "/signin/step", url.Values{"code": {"000000"}}).Want(401), `id="code-err"`, "Enter the code of your app")
		c.Get("/auth/me").Want(401)
		led(c.Submit(step, "/signin/step", url.Values{"code": {code()}}), "/")
		c.Get("/auth/me").Want(200)

		c = s.Client()
		step = c.Fill("/signin", "/signin", in).Want(401)
		other := c.Send("/signin/step", url.Values{"method": {"recoverycode"}})
		says(other.Want(200), "Enter a recovery code")
		led(c.Submit(other, "/signin/step", url.Values{"code": {spares[0].(string)}}), "/")

		// a page whose attempt is over begins again
		says(s.Client().Send("/signin/step", url.Values{"code": {"123456"}}).Want(404), "Begin again", `action="/signin"`)

		// what is sensitive asks for the code again, and leads back
		s.Advance(11 * 60e9)
		led(c.Fill("/confirm?return_to=/account/security", "/confirm", url.Values{"code": {code()}}), "/account/security")
		says(c.Get("/confirm?return_to=https://evil.example").Want(400), "no place")
	})
}

// No form is taken that does not carry the token of the browser it came to, and nobody is led to another site.
func TestFormsCarryAToken(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		owned(s)
		c := s.Client()
		page := c.Get("/signin").Want(200)
		in := url.Values{"username": {"owner@example.com"}, "password": {sentence}}
		says(c.Post("/signin", in).Want(403), "form_token_invalid")
		other := s.Client()
		other.Get("/signin").Want(200)
		says(other.Submit(page, "/signin", in).Want(403), "form_token_invalid")
		if c.Cookie("/", "session_id") != "" || other.Cookie("/", "session_id") != "" {
			t.Error("a session without the token")
		}
		says(c.Get("/signin?return_to=https://evil.example/").Want(400), "return_to_invalid")
		c.Header.Set("Cookie", "return_to="+url.QueryEscape("https://evil.example/"))
		led(c.Submit(c.Get("/signin").Want(200), "/signin", in), "/")
	})
}

// Who types an address may have a link mailed instead of a code: it opens the door in the browser that asked with one click, and its code does on
// the page that waits. The page is the same for who has no account, and the events are those of the route.
func TestLinkFromTheDoor(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		owned(s)
		s.Client().Post("/auth/magic-link", testkit.M{"email": "json@example.com"}).Want(202)
		want := kinds(s)
		c := s.Client()
		says(c.Get("/signin").Want(200), "E-mail me a link instead", "E-mail me a code instead")
		c.Get("/signin?return_to=/account/security").Want(303)
		ask := url.Values{"username": {"ann@example.com"}, "method": {"magiclink"}}
		waits := c.Fill("/signin", "/signin", ask).Want(200)
		says(waits, "Look into your mail", "The six digits of the mail", `autocomplete="one-time-code"`)
		if got := kinds(s); got != want {
			t.Errorf("events %s, by JSON %s", got, want)
		}
		link := strings.TrimPrefix(s.Letter("ann@example.com").Links[0], s.Config.Web.Origin())
		says(s.Client().Get(link).Want(200), "another browser", `name="code"`)
		page := c.Get(link).Want(200)
		says(page, "One more click", `!name="code"`)
		c.Submit(page, "/signin/link", nil)
		c.Get("/auth/me").Want(200)

		other := s.Client()
		waits = other.Fill("/signin", "/signin", ask).Want(200)
		led(other.Submit(waits, "/signin/step", url.Values{"code": s.Letter("ann@example.com").Codes}), "/")
		other.Get("/auth/me").Want(200)
	})
}

// A slip in a well-known domain is asked about before an account is made, on the page alone and whoever has an account; who says that the
// address is right keeps it.
func TestSlipOfAnAddress(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		owned(s)
		s.Client().Post("/auth/signup", testkit.M{"email": "known@gmial.com", "password": sentence}).Want(201)
		s.Records()
		c := s.Client()
		for _, name := range []string{"known", "ann"} {
			page := c.Fill("/signup", "/signup", url.Values{"email": {name + "@gmial.com"}, "password": {sentence}}).Want(422)
			says(page, "Did you mean "+name+"@gmail.com?", `value="`+name+`@gmial.com"`, `name="keep"`, "!"+sentence)
			s.Events()
			says(c.Submit(page, "/signup", url.Values{"email": {name + "@gmial.com"}, "password": {sentence}}).Want(422), "Did you mean")
			if name == "ann" {
				says(c.Submit(page, "/signup", url.Values{"email": {"ann@hotmial.com"}, "password": {sentence}, "keep": {"ann@gmial.com"}}).Want(422), "Did you mean ann@hotmail.com?")
			}
			s.Events()
			says(c.Submit(page, "/signup", url.Values{"password": {sentence}, "keep": {name + "@gmial.com"}}).Want(200), "Look into your mail", name+"@gmial.com")
			s.Records()
		}
		says(c.Fill("/signup", "/signup", url.Values{"email": {"ann@ymail.com"}, "password": {sentence}}).Want(200), "Look into your mail")
		says(c.Get("/signup").Want(200), `!name="keep"`)
	})
}
