package e2e_test

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/user"
)

var attemptID = regexp.MustCompile(`att_[0-9a-f]{64}`)

// alike holds that two answers differ in nothing but their ids.
func alike(t testing.TB, what string, a, b testkit.Answer) {
	t.Helper()
	for _, one := range []*testkit.Answer{&a, &b} {
		one.Body = attemptID.ReplaceAll(one.Body, []byte("att_"))
		one.Header = one.Header.Clone()
		for i, cookie := range one.Header["Set-Cookie"] {
			one.Header["Set-Cookie"][i] = attemptID.ReplaceAllString(cookie, "att_")
		}
	}
	same(t, what, a, b)
}

// send asks for a code or a link for somebody.
type send struct {
	what, kind string
	ask        func(c *testkit.Client, to string) testkit.Answer
}

var sends = []send{
	{"code by mail", "email", func(c *testkit.Client, to string) testkit.Answer { return c.Post("/auth/otp", m{"email": to}) }},
	{"code by text", "phone", func(c *testkit.Client, to string) testkit.Answer { return c.Post("/auth/otp", m{"phone": to}) }},
	{"link", "email", func(c *testkit.Client, to string) testkit.Answer {
		return c.Post("/auth/magic-link", m{"email": to})
	}},
}

// ENU-01: asking for a code or a link, and answering it wrongly, is the same for who is known, unverified, suspended or nobody, and the
// same work. Who may not go in is sent nothing.
func TestCodesTellNothing(t *testing.T) {
	for name, open := range map[string]bool{"sign-up is open": true, "sign-up is closed": false} {
		t.Run(name, func(t *testing.T) {
			testkit.Each(t, func(c *admit.Config) { c.Login.SignUp = open }, func(s *testkit.Server) {
				for _, o := range sends {
					base := len(o.what)
					at := func(i int) (string, user.New) {
						if o.kind == "phone" {
							n := fmt.Sprintf("+4917112345%d%d", base, i)
							return n, user.New{Phone: n}
						}
						n := fmt.Sprintf("p%d-%d@example.com", base, i)
						return n, user.New{Email: n}
					}
					var first, wrong testkit.Answer
					for i, who := range []string{"known", "unverified", "suspended", "role", "nobody"} {
						to, in := at(i)
						if who != "nobody" {
							u, err := s.App().Passwords.Create(t.Context(), authz.System, in, pass)
							if err != nil {
								t.Fatal(err)
							}
							if who == "known" {
								sendCode(s.Client(), to)
								enterCode(s.Client(), sendCode(s.Client(), to), codeIn(s, to)).Want(200)
								s.Advance(2 * time.Minute)
							}
							if who == "suspended" {
								if err := s.App().Accounts.Disable(t.Context(), authz.System, u.ID); err != nil {
									t.Fatal(err)
								}
							}
							if who == "role" {
								s.Grant(u.ID, "manager")
							}
						}
						before := len(s.Inbox(to))
						s.Records()
						a := o.ask(s.Client(), to).Want(202)
						told := len(s.Records())
						bad := s.Client().Post("/auth/otp/verify", m{"attempt": a.Text("attempt"), "code": "not it"}).Want(401, "code_invalid")
						sent := len(s.Inbox(to)) - before
						want := 1
						if who == "suspended" || who == "role" || who == "nobody" && !open {
							want = 0
						}
						if sent != want || told != 2 {
							t.Errorf("%s, %s: %d messages, %d events", o.what, who, sent, told)
						}
						if i == 0 {
							first, wrong = a, bad
						}
						alike(t, o.what+", "+who, first, a)
						alike(t, o.what+", "+who+", wrong", wrong, bad)
					}
				}
			})
		})
	}
}

// OTP-01: a code is good in the attempt that it was sent in, for what it was sent for, and nowhere else.
func TestOTP01CodesAreBound(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := owned(s, "ann@example.com")
		texted(s, ann, number)
		for _, to := range []string{"ann@example.com", number} {
			mine := sendCode(s.Client(), to)
			code := codeIn(s, to)
			theirs := sendCode(s.Client(), "eve@example.com")
			enterCode(s.Client(), theirs, code).Want(401, "code_invalid")
			later := sendCode(s.Client(), to) // it takes the place of the one before
			if codeIn(s, to) != code {
				enterCode(s.Client(), later, code).Want(401, "code_invalid")
			}
			enterCode(s.Client(), mine, codeIn(s, to)).Want(401, "code_invalid")
			enterCode(s.Client(), later, codeIn(s, to)).Want(200)
		}
		sendCode(s.Client(), number)
		ann.Post("/auth/phone/verify", m{"code": codeIn(s, number)}).Want(400, "code_wrong") // signing in is not taking a number
		sendCode(s.Client(), "ann@example.com")
		code := codeIn(s, "ann@example.com")
		ann.Post("/auth/mfa/email/confirm", m{"code": code}).Want(400, "code_wrong")
		ann.Post("/auth/reauthenticate", m{"code": code, "method": "email"}).Want(403, "proof_invalid")
		elsewhere, _ := native(s, "ann@example.com")
		ann.Post("/auth/mfa/email", nil).Want(202)
		elsewhere.Post("/auth/mfa/email/confirm", m{"code": codeIn(s, "ann@example.com")}).Want(400, "code_wrong") // of another session
	})
}

// OTP-02: five wrong answers and a code is dead, and another in its time as well. One account stands at most ten guesses in any hour and
// eighty in a day, over all attempts, servers and restarts; who guesses at an address without one is answered the same.
func TestOTP02GuessesAreRationed(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		owned(s, "ann@example.com")
		for _, to := range []string{"ann@example.com", "nobody@example.com"} {
			guess := func(attempt string, status int) {
				t.Helper()
				enterCode(s.Client(), attempt, other(codeIn(s, to))).Want(status)
			}
			attempt := ""
			for range 3 { // a new attempt gives no new tries
				attempt = sendCode(s.Client(), to)
				guess(attempt, 401)
				guess(attempt, 401)
			}
			enterCode(s.Client(), attempt, codeIn(s, to)).Want(401, "code_invalid") // it is dead
			sent := len(s.Inbox(to))
			if a := s.Client().Post("/auth/otp", destination(to)).Want(429, "code_guessed"); a.Header.Get("Retry-After") != "600" || len(s.Inbox(to)) != sent {
				t.Error(a.Header, len(s.Inbox(to)), sent) // no dead code is sent
			}
			link := sendLink(s.Client(), to)
			if mail := s.Letter(to); len(mail.Codes) != 0 || len(mail.Links) != 1 {
				t.Errorf("%+v", mail) // a link needs none
			}
			enterCode(s.Client(), link, "000000").Want(401, "code_invalid")
			s.Advance(11 * time.Minute)
			attempt = sendCode(s.Client(), to)
			guess(attempt, 401)
			guess(attempt, 401)
			guess(attempt, 429)
			if a := enterCode(s.Client(), attempt, codeIn(s, to)).Want(429, "rate_limited"); a.Header.Get("Retry-After") != "540" {
				t.Error(a.Header)
			}
			s.Advance(20 * time.Minute)
			enterCode(s.Client(), sendCode(s.Client(), to), codeIn(s, to)).Want(200)
		}
		owned(s, "bob@example.com")
		began := s.Now()
		var judged []time.Time
		for s.Now().Sub(began) < 24*time.Hour {
			attempt := sendCode(s.Client(), "bob@example.com")
			for enterCode(s.Client(), attempt, other(codeIn(s, "bob@example.com"))).Status == 401 && (len(judged) < 5 || judged[len(judged)-5].Before(s.Now())) {
				judged = append(judged, s.Now())
			}
			s.Advance(10 * time.Minute)
		}
		for i := range judged {
			if i >= 10 && judged[i].Sub(judged[i-10]) <= 59*time.Minute {
				t.Errorf("eleven guesses from %v to %v", judged[i-10], judged[i])
			}
		}
		if len(judged) > 80 || len(judged) < 70 {
			t.Errorf("%d guesses in a day", len(judged))
		}
	})
}

// OTP-05: where the codes of a second factor go is what is known to be its owner's, whatever a request says.
func TestOTP05NoOtherRecipient(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		eve := person(s, "victim@example.com") // knows a password, and not the mailbox
		eve.Post("/auth/mfa/email", nil).Want(409, "address_unverified")
		eve.Post("/auth/mfa/phone", nil).Want(409, "address_unverified")
		ann := owned(s, "ann@example.com")
		texted(s, ann, number)
		for _, body := range []any{m{"email": "eve@example.com", "phone": "+491719999999", "to": "eve@example.com", "target": "eve@example.com"}, nil} {
			for _, method := range []string{"email", "phone"} {
				ann.Header.Set("X-Forwarded-Email", "eve@example.com")
				ann.Post("/auth/mfa/"+method+"?email=eve@example.com&phone=%2B491719999999", body)
				ann.Post("/auth/mfa/"+method, body)
			}
		}
		if len(s.Inbox("eve@example.com"))+len(s.Inbox("+491719999999")) != 0 {
			t.Error("a code went astray")
		}
		ann.Post("/auth/mfa/phone", nil).Want(202)
		ann.Post("/auth/mfa/phone/confirm", m{"code": codeIn(s, number)}).Want(200)
		s.Advance(11 * time.Minute)
		ann.Post("/auth/mfa/email", nil).Want(403, "reauthentication_required")
	})
}

// SGN-08: whoever made an account with an address or a number that is not theirs has nothing left of it once its owner signs in with what is
// sent there: no password, no session, no second factor, no change under way.
func TestSGN08CodesReclaimUnverifiedAccounts(t *testing.T) {
	for _, kind := range []string{"email", "phone", "link"} {
		t.Run(kind, func(t *testing.T) {
			testkit.Each(t, nil, func(s *testkit.Server) {
				to, signUp := "victim@example.com", m{"email": "victim@example.com", "username": "victim", "password": pass}
				if kind == "phone" {
					to, signUp = number, m{"phone": number, "username": "victim", "email": "eve@example.com", "password": pass}
				}
				eve := s.Client()
				eve.Post("/auth/signup", signUp).Want(201)
				enrol(s, eve)
				eve.Post("/auth/email/change", m{"email": "eve2@example.com"}).Want(202)
				change := tokenIn(s, "eve2@example.com")
				tokens := s.Client()
				id := userID(eve)
				victim := s.Client()
				if kind == "link" {
					sendLink(victim, to)
					victim.Post("/auth/magic-link/verify", m{"token": tokenIn(s, to)}).Want(200)
				} else {
					enterCode(victim, sendCode(victim, to), codeIn(s, to)).Want(200) // and no second factor of eve's
				}
				if userID(victim) != id {
					t.Error("another account")
				}
				eve.Get("/auth/me").Want(401)
				tokens.Post("/auth/login", m{"identifier": "victim", "password": pass}).Want(401)
				tokens.Post("/auth/login", m{"identifier": to, "password": pass}).Want(401)
				s.Client().Post("/auth/email/verify", m{"token": change}).Want(400, "link_invalid")
				me := victim.Get("/auth/me").Want(200)
				if kind == "phone" && me.JSON["email"] != nil || fmt.Sprint(me.JSON["second_factors"]) != "[]" {
					t.Errorf("%s", me.Body)
				}
				reclaimed := 0
				for _, r := range s.Records() {
					if r.Kind == "account.reclaimed" {
						reclaimed++
					}
				}
				if reclaimed != 1 {
					t.Errorf("%d times", reclaimed)
				}
			})
		})
	}
}

// A number or an address that somebody mistyped, who has shown another to be theirs, opens nothing of theirs to whoever it is of: that one
// has an account of their own.
func TestMistypedIdentifiersOpenNothing(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := s.Client()
		ann.Post("/auth/signup", m{"email": "ann@example.com", "phone": number, "password": pass}).Want(201)
		ann.Post("/auth/email/verify/resend", nil).Want(202)
		ann.Post("/auth/email/verify", m{"code": codeIn(s, "ann@example.com")}).Want(200)
		stranger := s.Client()
		enterCode(stranger, sendCode(stranger, number), codeIn(s, number)).Want(200)
		if userID(stranger) == userID(ann) {
			t.Fatal("ann's account was given away")
		}
		if me := ann.Get("/auth/me").Want(200); me.JSON["phone"] != nil || me.Text("email") != "ann@example.com" {
			t.Errorf("%s", me.Body)
		}
		signIn(s, "ann@example.com", pass).Want(200)

		bob := s.Client()
		enterCode(bob, sendCode(bob, "+491711234568"), codeIn(s, "+491711234568")).Want(200)
		typed(s, userID(bob), "wrong@example.com")
		other := s.Client()
		sendLink(other, "wrong@example.com")
		other.Post("/auth/magic-link/verify", m{"token": tokenIn(s, "wrong@example.com")}).Want(200)
		if userID(other) == userID(bob) {
			t.Error("bob's account was given away")
		}
	})
}

// A reset by mail and a claim by another service show whose an address is, as a code does: somebody who has shown a phone number keeps
// their account, and loses an address that was never theirs to whoever it is of.
func TestMistypedAddressesGiveNoAccountAway(t *testing.T) {
	const wrong = "wrong@example.com"
	for name, owner := range map[string]func(s *testkit.Server) *testkit.Client{
		"reset": func(s *testkit.Server) *testkit.Client {
			s.Client().Post("/auth/password/forgot", m{"email": wrong}).Want(202)
			s.Client().Post("/auth/password/reset", m{"token": tokenIn(s, wrong), "password": pass}).Want(200)
			c := s.Client()
			c.Post("/auth/login", m{"email": wrong, "password": pass}).Want(200)
			return c
		},
		"social": func(s *testkit.Server) *testkit.Client {
			c := s.Client()
			q := develop(s, c, c.Get("/auth/development/login").Want(302).Header.Get("Location"), wrong)
			c.Get("/auth/development/callback?" + q)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Each(t, func(c *admit.Config) {
				c.Social.Development = "on"
			}, func(s *testkit.Server) {
				bob := s.Client()
				enterCode(bob, sendCode(bob, number), codeIn(s, number)).Want(200)
				typed(s, userID(bob), wrong)
				if userID(owner(s)) == userID(bob) {
					t.Fatal("bob's account was given away")
				}
				if me := bob.Get("/auth/me").Want(200); me.JSON["phone"] != number || me.JSON["email"] != nil {
					t.Errorf("%s", me.Body)
				}
			})
		})
	}
}

// Where nobody may make an account, a reset of an address that was never shown to be its person's sends nothing, and tells nobody that.
func TestMistypedAddressesWhereSignUpIsClosed(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		bob := s.Client()
		enterCode(bob, sendCode(bob, number), codeIn(s, number)).Want(200)
		typed(s, userID(bob), "wrong@example.com")
		s.App().Door.Config.SignUp = false
		known := s.Client().Post("/auth/password/forgot", m{"email": "wrong@example.com"}).Want(202)
		unknown := s.Client().Post("/auth/password/forgot", m{"email": "nobody@example.com"}).Want(202)
		if string(known.Body) != string(unknown.Body) || len(s.Inbox("wrong@example.com")) != 0 {
			t.Errorf("%s %s %v", known.Body, unknown.Body, s.Inbox("wrong@example.com"))
		}
	})
}

// typed gives somebody an address that they have not shown to be theirs.
func typed(s *testkit.Server, userID, email string) {
	s.Helper()
	err := s.App().DB.Write(s.Context(), func(tx *database.Tx) error {
		tx.Quiet()
		_, err := tx.Exec(`INSERT INTO identifiers (kind, value, user_id, is_primary, created_at) VALUES ('email', $1, $2, TRUE, $3)`, email, userID, tx.Now)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

// SGN-01, LNK-08: an address is one address, and nothing in it reaches a header.
func TestSGN01CodesGoToOneAddress(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		for _, path := range []string{"/auth/otp", "/auth/magic-link"} {
			for _, email := range []string{"victim@v.test,attacker@a.test", "victim@v.test;attacker@a.test", "victim@v.test attacker@a.test", "victim@v.test\nattacker@a.test", "victim@v.test\r\nBcc: attacker@a.test",
				"<a href=evil>@v.test", "\"{{.}}\"@v.test", "Victim <victim@v.test>"} {
				s.Client().Post(path, m{"email": email}).Want(422, "email_invalid")
			}
			s.Client().Post(path, m{"email": []string{"victim@v.test", "attacker@a.test"}}).Want(422)
			s.Client().Post(path, `{"email":"victim@v.test","email":"attacker@a.test"}`).Want(400)
			s.Client().Post(path, "email=victim@v.test&email=attacker@a.test").Want(400)
		}
		for _, phone := range []string{number + ";" + number, number + "," + number, "+49171\n1234567,0", "12", "+999 1234567"} {
			s.Client().Post("/auth/otp", m{"phone": phone}).Want(422, "phone_invalid")
		}
		for _, to := range []string{"victim@v.test", "attacker@a.test", number} {
			if n := len(s.Inbox(to)); n != 0 {
				t.Errorf("%d messages to %s", n, to)
			}
		}
	})
}

// HDR-02: links and the site a text is bound to are what BASE_URL says, whatever a request calls this site.
func TestHDR02CodesIgnoreTheRequest(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		for name, value := range map[string]string{"X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test;proto=http", "X-Forwarded-Proto": "http", "X-Original-Host": "evil.test"} {
			c := s.Client()
			c.Header.Set(name, value)
			sendLink(c, "ann@example.com")
			sendCode(c, number)
			mail, text := s.Letter("ann@example.com"), s.Letter(number)
			if strings.Contains(mail.Text+mail.HTML+text.Text, "evil.test") || !strings.HasPrefix(mail.Links[0], s.Config.Web.Origin()+"/auth/magic-link?") {
				t.Errorf("%s: %v", name, mail.Links)
			}
		}
	})
}

// SGN-11: where sign-up is closed a code or a link makes no account, and is sent to nobody without one, also when it was open a moment ago.
func TestSGN11CodesMakeNoAccounts(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Login.SignUp = false }, func(s *testkit.Server) {
		if _, err := s.App().Passwords.Create(t.Context(), authz.System, user.New{Email: "ann@example.com"}, ""); err != nil {
			t.Fatal(err)
		}
		enterCode(s.Client(), sendCode(s.Client(), "ann@example.com"), codeIn(s, "ann@example.com")).Want(200)
		s.Records()
		for _, to := range []string{"eve@example.com", number} {
			enterCode(s.Client(), sendCode(s.Client(), to), "000000").Want(401, "code_invalid")
			if n := len(s.Inbox(to)); n != 0 {
				t.Errorf("%d messages to %s", n, to)
			}
		}
		s.Events("login.begun", "message.queued", "login.failed", "login.begun", "message.queued", "login.failed")
	})
	testkit.Each(t, nil, func(s *testkit.Server) {
		late := sendCode(s.Client(), "late@example.com")
		s.App().Door.Config.SignUp = false
		enterCode(s.Client(), late, codeIn(s, "late@example.com")).Want(401)
		if _, err := s.App().Users.Find(t.Context(), "late@example.com"); err == nil {
			t.Error("an account was made")
		}
	})
}

// LNK-04: what was sent is worth nothing after its time, after a newer one, after the password, the address or the number was changed, and
// for who is suspended.
func TestLNK04CodesAndLinksDie(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := owned(s, "ann@example.com")
		texted(s, ann, number)
		both := func(email string, kill func()) {
			t.Helper()
			c := s.Client()
			attempt := sendCode(c, number)
			code := codeIn(s, number)
			sendLink(c, email)
			token := tokenIn(s, email)
			kill()
			c.Post("/auth/magic-link/verify", m{"token": token}).Want(400, "link_invalid")
			if a := enterCode(c, attempt, code); a.Status != 401 && a.Status != 404 {
				t.Errorf("%s", a.Body)
			}
			s.Advance(11 * time.Minute)
			ann.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		}
		both("ann@example.com", func() { s.Advance(10 * time.Minute) })
		both("ann@example.com", func() { sendLink(s.Client(), "ann@example.com"); sendCode(s.Client(), number) })
		both("ann@example.com", func() {
			ann.Post("/auth/password/change", m{"current_password": pass, "new_password": pass}).Want(200)
		})
		both("ann@example.com", func() {
			ann.Post("/auth/email/change", m{"email": "new@example.com"}).Want(202)
			ann.Post("/auth/email/verify", m{"code": codeIn(s, "new@example.com")}).Want(200)
		})
		c := s.Client()
		attempt := sendCode(c, number)
		code := codeIn(s, number)
		texted(s, ann, "+491711234568")
		enterCode(c, attempt, code).Want(401, "code_invalid")
		sendLink(c, "new@example.com")
		if err := s.App().Accounts.Disable(s.Context(), authz.System, userID(ann)); err != nil {
			t.Fatal(err)
		}
		c.Post("/auth/magic-link/verify", m{"token": tokenIn(s, "new@example.com")}).Want(403, "account_disabled")
	})
}

// RL-06: who guesses at a password keeps nobody out who has a link. Codes have a count of their own.
func TestLinksPassWhereGuessesDoNot(t *testing.T) {
	testkit.Each(t, limited, func(s *testkit.Server) {
		owned(s, "ann@example.com")
		c := s.Client()
		sendLink(c, "ann@example.com")
		for range 5 {
			signIn(s, "ann@example.com", "wrong").Want(401)
		}
		signIn(s, "ann@example.com", pass).Want(429, "too_many_attempts")
		s.Client().Post("/auth/magic-link/verify", m{"token": tokenIn(s, "ann@example.com"), "code": other(codeIn(s, "ann@example.com"))}).Want(401, "code_invalid")
		c.Post("/auth/magic-link/verify", m{"token": tokenIn(s, "ann@example.com")}).Want(200)
	})
}

// RL-09: messages are rationed for each address, each number, those beside it, each caller and the day, on all servers together, for known
// and unknown alike.
func TestRL09MessagesAreRationed(t *testing.T) {
	change := func(c *admit.Config) {
		limited(c)
		c.RateLimit.TextsPerIP, c.RateLimit.TextsPerBlock, c.RateLimit.TextsPerDay, c.RateLimit.RecipientPerHour = 8, 5, 10, 3
		c.User.TextCountries = []string{"DE", "US"}
		c.Web.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	testkit.Each(t, change, func(s *testkit.Server) {
		sent := 0
		ask := func(ip, phone string) testkit.Answer {
			c := s.Client()
			c.Header.Set("X-Forwarded-For", ip)
			a := c.Post("/auth/otp", m{"phone": phone})
			if a.Status == 202 {
				sent++
			}
			return a
		}
		for range 3 {
			ask("192.0.2.1", number).Want(202)
		}
		if a := ask("192.0.2.2", number).Want(429, "rate_limited"); a.Header.Get("Retry-After") != "1200" {
			t.Error(a.Header)
		}
		ask("192.0.2.1", "+491711234560").Want(202)
		ask("192.0.2.1", "+491711234561").Want(202)
		ask("192.0.2.1", "+491711234562").Want(429) // ten thousand numbers beside each other
		for i := range 3 {
			ask("192.0.2.1", fmt.Sprintf("+49171222000%d", i)).Want(202)
		}
		ask("192.0.2.1", "+491713330000").Want(429) // one caller
		ask("192.0.2.9", "+491713330000").Want(202)
		ask("192.0.2.9", "+491714440000").Want(202)
		ask("192.0.2.9", "+491715550000").Want(429)                                                          // the day
		for _, phone := range []string{"+33612345678", "+4990091234567", "+498001234567", "+493012345678"} { // another country, premium, free, a landline
			if a := ask("192.0.2.10", phone).Want(422, "phone_not_texted"); len(s.Inbox(phone)) != 0 {
				t.Errorf("%s", a.Body)
			}
			id := s.Client().Post("/auth/attempts", m{"identifier": phone, "method": "phone"})
			id.Want(422, "phone_not_texted")
		}
		if sent != 10 {
			t.Errorf("%d texts", sent)
		}
		s.Advance(24 * time.Hour)
		ask("192.0.2.1", number).Want(202)

		owned(s, "ann@example.com")
		s.Advance(time.Hour)
		for _, email := range []string{"ann@example.com", "nobody@example.com"} {
			for range 3 {
				sendCode(s.Client(), email)
			}
			s.Client().Post("/auth/otp", m{"email": email}).Want(429, "rate_limited")
			s.Client().Post("/auth/magic-link", m{"email": strings.ToUpper(email)}).Want(429, "rate_limited")
		}
	})
}
