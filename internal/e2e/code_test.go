package e2e_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

const number = "+491711234567"

// sendLink asks for a link to sign in with.
func sendLink(c *testkit.Client, email string) (attempt string) {
	c.T.Helper()
	return c.Post("/auth/magic-link", m{"email": email}).Want(202).Text("attempt")
}

// sendCode asks for a code, at an address or a number.
func sendCode(c *testkit.Client, to string) (attempt string) {
	c.T.Helper()
	return c.Post("/auth/otp", destination(to)).Want(202).Text("attempt")
}

func destination(to string) m {
	if strings.HasPrefix(to, "+") {
		return m{"phone": to}
	}
	return m{"email": to}
}

func enterCode(c *testkit.Client, attempt, code string) testkit.Answer {
	c.T.Helper()
	return c.Post("/auth/otp/verify", m{"attempt": attempt, "code": code})
}

// texted gives somebody a phone number that they have shown to be theirs.
func texted(s *testkit.Server, c *testkit.Client, phone string) {
	s.Helper()
	c.Post("/auth/phone", m{"phone": phone}).Want(202)
	c.Post("/auth/phone/verify", m{"code": codeIn(s, phone)}).Want(200)
}

// owned is a person whose address is verified.
func owned(s *testkit.Server, email string) *testkit.Client {
	s.Helper()
	c := person(s, email)
	c.Post("/auth/email/verify/resend", nil).Want(202)
	c.Post("/auth/email/verify", m{"code": codeIn(s, email)}).Want(200)
	s.Records()
	return c
}

// A link in a mail signs in whoever asked for it, once: looking at it does nothing, and programs look at links. Who has no account gets one,
// and the address is theirs.
func TestMagicLink(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := s.Client()
		sendLink(ann, "ann@example.com")
		s.Events("login.begun", "message.queued")
		path, token := linkIn(s, "ann@example.com"), tokenIn(s, "ann@example.com")
		if !strings.HasPrefix(path, "/auth/magic-link?token=") {
			t.Error(path)
		}
		for range 3 {
			ann.Get(path).Want(200)
			s.Client().Get(path).Want(200)
		}
		me := ann.Post("/auth/magic-link/verify", m{"token": token}).Want(200)
		if me.Text("email") != "ann@example.com" || me.JSON["email_verified"] != true || me.JSON["phone"] != nil {
			t.Errorf("%s", me.Body)
		}
		s.Events("user.created", "user.identifier_verified", "session.created", "login.succeeded")
		ann.Post("/auth/magic-link/verify", m{"token": token}).Want(400, "link_invalid")
		ann.Get(path).Want(400)

		app := s.Client() // keeps no cookies, and so says which attempt is its own
		app.Jar = nil
		attempt := sendLink(app, "ANN@example.com")
		token = tokenIn(s, "ann@example.com")
		app.Post("/auth/magic-link/verify?transport=token", m{"token": token}).Want(403, "code_required")
		tokens := app.Post("/auth/magic-link/verify?transport=token", m{"token": token, "attempt": attempt}).Want(200)
		if got := part(t, tokens.Text("access_token"), 1); got["sub"] != me.Text("id") || fmt.Sprint(got["amr"]) != "[otp]" {
			t.Error(got)
		}

		id := s.Client().Post("/auth/attempts", m{"identifier": "ann@example.com", "method": "magiclink"}).Want(201).Text("id")
		s.Client().Post("/auth/attempts/"+id+"/answer", m{"values": m{"token": tokenIn(s, "ann@example.com")}}).Want(200)
	})
}

// A link that was forwarded, or is followed in another browser, asks for the code of the same mail. Asking spends nothing, and the code is
// guessed at no oftener than any other.
func TestMagicLinkElsewhere(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, phone := s.Client(), s.Client()
		sendLink(ann, "ann@example.com")
		token, code := tokenIn(s, "ann@example.com"), codeIn(s, "ann@example.com")
		for range 10 {
			phone.Post("/auth/magic-link/verify", m{"token": token}).Want(403, "code_required")
		}
		phone.Post("/auth/magic-link/verify", m{"token": token, "code": other(code)}).Want(401, "code_invalid")
		phone.Post("/auth/magic-link/verify", m{"token": token, "code": code[:3] + " " + code[3:]}).Want(200)
		phone.Get("/auth/me").Want(200)
		ann.Post("/auth/magic-link/verify", m{"token": token}).Want(400, "link_invalid")

		sendLink(ann, "ann@example.com")
		sendLink(phone, "eve@example.com") // a cookie of another attempt is none of this one
		token, code = tokenIn(s, "ann@example.com"), codeIn(s, "ann@example.com")
		phone.Post("/auth/magic-link/verify", m{"token": token}).Want(403, "code_required")
		for range 5 {
			phone.Post("/auth/magic-link/verify", m{"token": token, "code": other(code)}).Want(401, "code_invalid")
		}
		phone.Post("/auth/magic-link/verify", m{"token": token, "code": code}).Want(401, "code_invalid") // it is dead
		ann.Post("/auth/magic-link/verify", m{"token": token}).Want(200)                                 // nobody guesses a link
	})
}

// The page of a link has a button, works without a script, and leads where its browser wanted to be: what that is stays on the server, and
// is allowed before.
func TestMagicLinkPage(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, phone := s.Client(), s.Client()
		for _, evil := range openRedirects() {
			if evil != "" {
				ann.Post("/auth/magic-link", m{"email": "ann@example.com", "return_to": evil}).Want(400)
			}
		}
		begin := func() (token, code string) {
			ann.Post("/auth/magic-link", m{"email": "ann@example.com", "return_to": "/jobs?page=2"}).Want(202)
			return tokenIn(s, "ann@example.com"), codeIn(s, "ann@example.com")
		}
		token, code := begin()
		if strings.Contains(s.Letter("ann@example.com").Text, "jobs") {
			t.Error("the link says where it leads")
		}
		at := "/auth/magic-link?token="
		page := ann.Get(at + token).Want(200)
		if text := string(page.Body); strings.Contains(text, `name="code"`) || !strings.Contains(text, "ann@example.com") {
			t.Error(text)
		}
		if in := ann.Submit(page, "/signin/link", nil).Want(303); in.Header.Get("Location") != "/jobs?page=2" {
			t.Error(in.Header)
		}
		ann.Get("/auth/me").Want(200)

		token, code = begin()
		page = phone.Get(at + token).Want(200)
		if !strings.Contains(string(page.Body), `name="code"`) {
			t.Errorf("%s", page.Body)
		}
		phone.Submit(page, "/signin/link", nil).Want(403)
		again := phone.Submit(page, "/signin/link", url.Values{"code": {other(code)}}).Want(401)
		if !strings.Contains(string(again.Body), `aria-invalid="true"`) {
			t.Errorf("%s", again.Body)
		}
		if in := phone.Submit(again, "/signin/link", url.Values{"code": {code}}).Want(303); in.Header.Get("Location") != "/jobs?page=2" {
			t.Error(in.Header)
		}
		phone.Get("/auth/me").Want(200)
		phone.Submit(page, "/signin/link", nil).Want(400)

		app, _ := enrol(s, ann)
		token, _ = begin()
		asked := ann.Submit(ann.Get(at+token).Want(200), "/signin/link", nil).Want(401)
		if last := ann.Submit(asked, "/signin/step", url.Values{"code": {app.code(0)}}).Want(303); last.Header.Get("Location") != "/jobs?page=2" {
			t.Error(last.Header)
		}
	})
}

// A code that is sent to an address, or to a number however it is written, signs in whoever asked for it, once. Who has no account gets one.
func TestCodes(t *testing.T) {
	for _, c := range []struct{ to, typed, kind, amr string }{{"ann@example.com", " Ann@Example.COM", "email", "otp"}, {number, "+49 (0)171 / 123-4567", "phone", "sms"}} {
		t.Run(c.kind, func(t *testing.T) {
			testkit.Each(t, nil, func(s *testkit.Server) {
				ann := s.Client()
				attempt := ann.Post("/auth/otp", m{c.kind: c.typed}).Want(202).Text("attempt")
				s.Events("login.begun", "message.queued")
				code := codeIn(s, c.to)
				enterCode(ann, attempt, other(code)).Want(401, "code_invalid")
				s.Events("login.failed")
				me := enterCode(ann, attempt, code[:3]+"-"+code[3:]).Want(200)
				if me.Text(c.kind) != c.to || me.JSON[c.kind+"_verified"] != true {
					t.Errorf("%s", me.Body)
				}
				s.Events("user.created", "user.identifier_verified", "session.created", "login.succeeded")
				enterCode(ann, attempt, code).Want(404, "attempt_not_found")

				attempt = sendCode(s.Client(), c.to)
				again := s.Client().Post("/auth/otp/verify?transport=token", m{"attempt": attempt, "code": codeIn(s, c.to)}).Want(200)
				if got := part(t, again.Text("access_token"), 1); got["sub"] != me.Text("id") || fmt.Sprint(got["amr"]) != "["+c.amr+"]" {
					t.Error(got)
				}
				step := s.Client().Post("/auth/attempts", m{"identifier": c.to, "method": c.kind}).Want(201)
				s.Client().Post("/auth/attempts/"+step.Text("id")+"/answer", m{"values": m{"code": codeIn(s, c.to)}}).Want(200)
				stepUp(s, ann, c.to, c.kind)
			})
		})
	}
	testkit.Each(t, nil, func(s *testkit.Server) {
		for _, both := range []m{{}, {"email": "ann@example.com", "phone": number}} {
			s.Client().Post("/auth/otp", both).Want(422, "address_required")
		}
	})
}

// stepUp proves again with a code, for what is sensitive.
func stepUp(s *testkit.Server, c *testkit.Client, to, method string) {
	s.Helper()
	s.Advance(11 * time.Minute)
	c.Post("/auth/mfa/totp", nil).Want(403, "reauthentication_required")
	asked := c.Post("/auth/reauthenticate/options", m{"method": method}).Want(200)
	if !slices.Contains(asked.JSON["methods"].([]any), any(method)) {
		s.Errorf("%s", asked.Body)
	}
	code := codeIn(s, to)
	c.Post("/auth/reauthenticate", m{"code": other(code), "method": method}).Want(403, "proof_invalid")
	c.Post("/auth/reauthenticate", m{"code": code, "method": method}).Want(200)
	c.Post("/auth/mfa/totp", nil).Want(200)
}

// Loading what is asked again sends nothing for a minute, and then a new code in place of the old.
func TestPromptsSendOnce(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		for _, to := range []string{"ann@example.com", number} {
			method := "email"
			if to == number {
				method = "phone"
			}
			attempt := sendCode(s.Client(), to)
			again := func() { s.Client().Post("/auth/attempts/"+attempt+"/method", m{"method": method}).Want(200) }
			s.Advance(59 * time.Second)
			for range 3 {
				again()
			}
			if n := len(s.Inbox(to)); n != 1 {
				t.Errorf("%d messages within a minute", n)
			}
			s.Advance(time.Second)
			again()
			if n := len(s.Inbox(to)); n != 2 {
				t.Errorf("%d messages", n)
			}
			enterCode(s.Client(), attempt, codeIn(s, to)).Want(200)
		}
	})
}

// Each is offered where it is switched on and messages get there, to who typed an address of its kind, and refused otherwise.
func TestCodesOff(t *testing.T) {
	for _, c := range []struct {
		name, methods string
		off           func(*admit.Config)
	}{
		{"on", "magiclink email", func(*admit.Config) {}},
		{"links off", "email", func(c *admit.Config) { c.OTP.Link = false }},
		{"codes off", "magiclink", func(c *admit.Config) { c.OTP.Email, c.OTP.Phone = false, false }},
	} {
		t.Run(c.name, func(t *testing.T) {
			testkit.Each(t, c.off, func(s *testkit.Server) {
				for _, to := range []string{"ann@example.com", number, "ann_o"} {
					want := "[password passkey " + c.methods + " social]"
					switch {
					case to == "ann_o", to == number && !s.Config.OTP.Phone:
						want = "[password passkey social]"
					case to == number:
						want = "[password passkey phone social]"
					}
					if a := s.Client().Post("/auth/attempts", m{"identifier": to}).Want(201); fmt.Sprint(a.JSON["methods"]) != want {
						t.Errorf("%s: %v, want %s", to, a.JSON["methods"], want)
					}
				}
				for path, on := range map[string]bool{"/auth/otp": s.Config.OTP.Email, "/auth/magic-link": s.Config.OTP.Link} {
					a := s.Client().Post(path, m{"email": "ann@example.com"})
					if on {
						a.Want(202)
					} else {
						a.Want(422, "method_unknown")
					}
				}
			})
		})
	}
	production := func(c *admit.Config) {
		c.Server.Environment, c.Server.RootKey, c.Web.BaseURL = "production", "0b1f5c7a9d3e4f60718293a4b5c6d7e8", "https://auth.example.com"
		c.Hash.MemoryKiB, c.Hash.Iterations = 19456, 2
	}
	testkit.Each(t, production, func(s *testkit.Server) { // nothing carries anything
		s.Client().Post("/auth/otp", m{"email": "ann@example.com"}).Want(422, "method_unknown")
		s.Client().Post("/auth/otp", m{"phone": number}).Want(422, "method_unknown")
		s.Client().Post("/auth/magic-link", m{"email": "ann@example.com"}).Want(422, "method_unknown")
	})
}

// A text says what the code is for, and its last line binds it to this site, so that phones offer it nowhere else.
func TestTextIsBoundToTheSite(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		sendCode(s.Client(), number)
		text := s.Letter(number).Text
		lines := strings.Split(text, "\n")
		if last := lines[len(lines)-1]; last != "@localhost #"+codeIn(s, number) || strings.Contains(text, "http") {
			t.Errorf("%q", text)
		}
	})
}
