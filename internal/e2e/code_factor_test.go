package e2e_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// coded has codes by mail or by text be somebody's second factor.
func coded(s *testkit.Server, c *testkit.Client, method, to string) (spares []any) {
	s.Helper()
	c.Post("/auth/mfa/"+method, nil).Want(202)
	return c.Post("/auth/mfa/"+method+"/confirm", m{"code": codeIn(s, to)}).Want(200).JSON["recovery_codes"].([]any)
}

// reachable is a person whose address and number are verified.
func reachable(s *testkit.Server, email, phone string) *testkit.Client {
	s.Helper()
	c := owned(s, email)
	texted(s, c, phone)
	s.Records()
	return c
}

// Looking at the page that asks who one is sends nothing: programs look at pages. Its button does, and the code leads on.
func TestConfirmPageSendsOnRequest(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := reachable(s, "ann@example.com", number)
		coded(s, ann, "phone", number)
		s.Records()
		const page = "/confirm?return_to=/account/security"
		ann.Get(page).Want(200)
		ann.Get(page).Want(200)
		s.Events()
		asked := ann.Fill(page, "/confirm", url.Values{"method": {"phone"}}).Want(200)
		s.Events("message.queued")
		led := ann.Submit(asked, "/confirm", url.Values{"code": {codeIn(s, number)}}).Want(303)
		if to := led.Header.Get("Location"); to != "/account/security" {
			t.Error(to)
		}
	})
}

// Codes by mail or by text are a second factor once one has arrived: asked for after the password, with recovery codes beside them, and for
// what is sensitive.
func TestCodesAsSecondFactor(t *testing.T) {
	for _, f := range []struct{ method, to, amr string }{{"email", "ann@example.com", "[pwd otp mfa]"}, {"phone", number, "[pwd sms mfa]"}} {
		t.Run(f.method, func(t *testing.T) {
			testkit.Each(t, nil, func(s *testkit.Server) {
				ann := reachable(s, "ann@example.com", number)
				ann.Post("/auth/mfa/"+f.method, nil).Want(202)
				code := codeIn(s, f.to)
				signIn(s, "ann@example.com", pass).Want(200) // not confirmed: it counts for nothing
				ann.Post("/auth/mfa/"+f.method+"/confirm", m{"code": other(code)}).Want(400, "code_wrong")
				ann.Post("/auth/mfa/"+f.method+"/confirm", m{"code": code}).Want(200)
				ann.Post("/auth/mfa/"+f.method+"/confirm", m{"code": code}).Want(400, "code_wrong")
				ann.Post("/auth/mfa/"+f.method, nil).Want(409, "factor_exists")
				if me := ann.Get("/auth/me").Want(200); fmt.Sprint(me.JSON["second_factors"]) != "["+f.method+"]" {
					t.Errorf("%s", me.Body)
				}
				noticeIn(s, "ann@example.com", "way to sign in")

				c := s.Client()
				a := c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(401, "step_required")
				if attempt := a.JSON["attempt"].(m); fmt.Sprint(attempt["methods"]) != "["+f.method+" recoverycode]" || attempt["prompt"].(m)["method"] != f.method {
					t.Errorf("%s", a.Body)
				}
				s.Client().Post("/auth/mfa/verify", m{"attempt": step(a), "code": other(codeIn(s, f.to))}).Want(401, "code_invalid")
				tokens := c.Post("/auth/mfa/verify?transport=token", m{"attempt": step(a), "code": codeIn(s, f.to)}).Want(200)
				if got := part(t, tokens.Text("access_token"), 1); fmt.Sprint(got["amr"]) != f.amr {
					t.Error(got)
				}
				stepUp(s, ann, f.to, f.method)
				ann.Do("DELETE", "/auth/mfa/"+f.method, nil).Want(204)
				ann.Do("DELETE", "/auth/mfa/"+f.method, nil).Want(404, "factor_not_found")
				signIn(s, "ann@example.com", pass).Want(200)
			})
		})
	}
}

// What comes the same way twice is one factor: after a link or a code by mail no code by mail is asked, nor taken, and after a code by text
// none by text.
func TestOneMailboxIsOneFactor(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := reachable(s, "ann@example.com", number)
		spares := coded(s, ann, "email", "ann@example.com")
		methods := func(a testkit.Answer) string {
			return fmt.Sprint(a.Want(401, "step_required").JSON["attempt"].(m)["methods"])
		}
		c := s.Client()
		sendLink(c, "ann@example.com")
		link := c.Post("/auth/magic-link/verify", m{"token": tokenIn(s, "ann@example.com")})
		code := enterCode(c, sendCode(c, "ann@example.com"), codeIn(s, "ann@example.com"))
		for _, a := range []testkit.Answer{link, code} {
			if got := methods(a); got != "[recoverycode]" {
				t.Error(got)
			}
			before := len(s.Inbox("ann@example.com"))
			c.Post("/auth/attempts/"+step(a)+"/method", m{"method": "email"}).Want(422, "method_unknown")
			if len(s.Inbox("ann@example.com")) != before {
				t.Error("a code was sent")
			}
		}
		c.Post("/auth/mfa/verify", m{"attempt": step(code), "code": spares[0]}).Want(200)

		a := enterCode(c, sendCode(c, number), codeIn(s, number)) // another way
		if got := methods(a); got != "[email recoverycode]" {
			t.Error(got)
		}
		c.Post("/auth/mfa/verify", m{"attempt": step(a), "code": codeIn(s, "ann@example.com")}).Want(200)
		stepUp(s, ann, "ann@example.com", "email")
		coded(s, ann, "phone", number)
		if got := methods(enterCode(c, sendCode(c, number), codeIn(s, number))); got != "[email recoverycode]" {
			t.Error(got)
		}
		if got := methods(enterCode(c, sendCode(c, "ann@example.com"), codeIn(s, "ann@example.com"))); got != "[phone recoverycode]" {
			t.Error(got)
		}
	})
}

// A number counts once it is shown to be one's own. Whose it is already is told to that one alone. The owner hears of every change by mail
// (LNK-11), and has the number back that they had.
func TestPhoneNumber(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := owned(s, "ann@example.com")
		ann.Post("/auth/phone", m{"phone": "12"}).Want(422, "phone_invalid")
		ann.Post("/auth/phone", m{"phone": "+498001234567"}).Want(422, "phone_not_texted")
		free := ann.Post("/auth/phone", m{"phone": "+49 (171) 123-45 67"}).Want(202)
		if me := ann.Get("/auth/me").Want(200); me.JSON["phone"] != nil {
			t.Errorf("%s", me.Body)
		}
		ann.Post("/auth/phone/verify", m{"code": other(codeIn(s, number))}).Want(400, "code_wrong")
		if me := ann.Post("/auth/phone/verify", m{"code": codeIn(s, number)}).Want(200); me.Text("phone") != number || me.JSON["phone_verified"] != true {
			t.Errorf("%s", me.Body)
		}
		ann.Post("/auth/phone", m{"phone": number}).Want(422, "phone_unchanged")
		if mail := s.Letter("ann@example.com"); !strings.Contains(mail.Text, number) {
			t.Error(mail.Text)
		}
		eve := person(s, "eve@example.com")
		same(t, "a free and a taken number", free, eve.Post("/auth/phone", m{"phone": number}).Want(202))
		if text := s.Letter(number); !strings.Contains(text.Text, "already") || len(text.Codes) != 0 {
			t.Error(text.Text)
		}
		const second = "+491711234568"
		eve.Post("/auth/phone", m{"phone": second}).Want(202) // and somebody is quicker
		code := codeIn(s, second)
		texted(s, person(s, "bob@example.com"), second)
		eve.Post("/auth/phone/verify", m{"code": code}).Want(400, "code_wrong")

		texted(s, ann, "+491711234569") // a thief with an open session
		s.Client().Post("/auth/not-me", m{"token": tokenIn(s, "ann@example.com")}).Want(200)
		enterCode(s.Client(), sendCode(s.Client(), number), codeIn(s, number)).Want(200)
		u, err := s.App().Users.Find(t.Context(), "ann@example.com")
		if err != nil || u.Phone != number || !u.PhoneVerified {
			t.Errorf("%+v %v", u, err)
		}
		s.Advance(11 * time.Minute)
		eve.Post("/auth/phone", m{"phone": "+491711234561"}).Want(403, "reauthentication_required")
		eve.Do("DELETE", "/auth/phone", nil).Want(403, "reauthentication_required")
	})
}

// A number that codes go to as a second factor cannot be taken away under it, and another that takes its place takes the factor over. The
// only way in stays.
func TestPhoneNumberAndItsFactor(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := reachable(s, "ann@example.com", number)
		coded(s, ann, "phone", number)
		ann.Do("DELETE", "/auth/phone", nil).Want(409, "phone_in_use")
		halfway := step(s.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass}))
		code := codeIn(s, number)
		const second = "+491711234568"
		texted(s, ann, second)
		verify(s.Client(), halfway, code).Want(401, "code_invalid") // it went to the number before
		verify(s.Client(), step(s.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass})), codeIn(s, second)).Want(200)

		texted(s, ann, "+491711234569") // a thief, and the owner says so: the factor goes where it went
		s.Client().Post("/auth/not-me", m{"token": tokenIn(s, "ann@example.com")}).Want(200)
		s.Client().Post("/auth/password/reset", m{"token": tokenIn(s, "ann@example.com"), "password": pass}).Want(200)
		a := s.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass})
		again := s.Client()
		verify(again, step(a), codeIn(s, second)).Want(200)

		again.Do("DELETE", "/auth/mfa/phone", nil).Want(204)
		again.Do("DELETE", "/auth/phone", nil).Want(204)
		again.Do("DELETE", "/auth/phone", nil).Want(404, "phone_not_found")
		signIn(s, "ann@example.com", pass).Want(200)

		alone := s.Client()
		enterCode(alone, sendCode(alone, number), codeIn(s, number)).Want(200)
		alone.Do("DELETE", "/auth/phone", nil).Want(409, "last_identifier")
	})
}

// A second factor by mail goes to the address there is: after a change to the new one, and never to the old.
func TestEmailFactorFollowsTheAddress(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := owned(s, "ann@example.com")
		coded(s, ann, "email", "ann@example.com")
		ann.Post("/auth/email/change", m{"email": "new@example.com"}).Want(202)
		ann.Post("/auth/email/verify", m{"code": codeIn(s, "new@example.com")}).Want(200)
		before := len(s.Inbox("ann@example.com"))
		attempt := step(s.Client().Post("/auth/login", m{"email": "new@example.com", "password": pass}))
		if len(s.Inbox("ann@example.com")) != before {
			t.Error("a code went to the old address")
		}
		verify(s.Client(), attempt, codeIn(s, "new@example.com")).Want(200)
	})
}

// One whose codes are offered no more is asked for them still, and a recovery code stands in: nobody gets by without. An operator who may
// takes them away.
func TestCodesOffAreStillAsked(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := owned(s, "ann@example.com")
		spares := coded(s, ann, "email", "ann@example.com")
		if s.Engine == "sqlite" {
			return // its file belongs to one server
		}
		cfg := s.Config
		cfg.OTP.Email = false
		there := testkit.Start(s.T, cfg, s.Clock)
		a := there.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(401, "step_required")
		if got := a.JSON["attempt"].(m)["methods"].([]any); !slices.Contains(got, any("recoverycode")) {
			t.Error(got)
		}
		verify(there.Client(), step(a), "000000").Want(401)
		verify(there.Client(), step(there.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass})), spares[0].(string)).Want(200)
		if err := there.App().Resets.DropFactors(t.Context(), authz.System, userID(ann)); err != nil {
			t.Fatal(err)
		}
		signIn(there, "ann@example.com", pass).Want(200)
	})
}

// RL-08: codes of a second factor are guessed at together with passwords, over all attempts, in any session.
func TestRL08CodeGuessesOverAttempts(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := reachable(s, "ann@example.com", number)
		coded(s, ann, "phone", number)
		judged := 0
		for range 40 {
			attempt := step(s.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass}))
			for range 3 {
				if a := verify(s.Client(), attempt, other(codeIn(s, number))); a.Status == 200 {
					judged = 1000
				}
			}
		}
		ends := verify(s.Client(), step(s.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass})), codeIn(s, number))
		if ends.Want(401, "code_invalid"); judged != 0 { // five were judged, and then none
			t.Error(judged)
		}
	})
}

// After five wrong codes none is sent in their place for as long as they would have lived. The step says so and how long it takes, and leads on
// by another way.
func TestNoDeadCodesAreSent(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := reachable(s, "ann@example.com", number)
		s.Grant(userID(ann), "super_admin") // without an owner the door leads to what makes one
		spares := coded(s, ann, "phone", number)
		a := signIn(s, "ann@example.com", pass)
		for range 5 {
			verify(s.Client(), step(a), other(codeIn(s, number))).Want(401, "code_invalid")
		}
		sent := len(s.Inbox(number))
		s.Advance(4 * time.Minute)
		a = signIn(s, "ann@example.com", pass)
		if prompt := a.JSON["attempt"].(m)["prompt"].(m); prompt["retry_after"] != 360.0 || len(s.Inbox(number)) != sent {
			t.Errorf("%s, %d messages", a.Body, len(s.Inbox(number))-sent)
		}
		verify(s.Client(), step(a), spares[0].(string)).Want(200)
		page := s.Client()
		says := page.Fill("/signin", "/signin", url.Values{"username": {"ann@example.com"}, "password": {pass}}).Want(401)
		if !strings.Contains(string(says.Body), "One can be sent in 6 minutes") {
			t.Errorf("%s", says.Body)
		}
		s.Advance(6 * time.Minute)
		verify(s.Client(), step(signIn(s, "ann@example.com", pass)), codeIn(s, number)).Want(200)
	})
}
