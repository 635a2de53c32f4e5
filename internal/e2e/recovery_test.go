package e2e_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

func forgotten(s *testkit.Server, email string) string {
	s.Helper()
	s.Client().Post("/auth/password/forgot", m{"email": email}).Want(202)
	return tokenIn(s, email)
}

// A new password is set with a link that is good once and for half an hour. Every session ends, nobody is signed in, and the old
// password opens nothing.
func TestPasswordReset(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		tokens, refresh := native(s, "ann@example.com")
		s.Records()
		token := forgotten(s, "ann@example.com")
		s.Events("password.reset_requested", "message.queued")
		path := linkIn(s, "ann@example.com")
		if page := s.Client().Get(path).Want(200); !strings.Contains(string(page.Body), `autocomplete="new-password"`) {
			t.Errorf("%s", page.Body)
		}
		s.Client().Post("/auth/password/reset", m{"token": token, "password": "short"}).Want(422, "password_too_short") // it is not lost by that
		c := s.Client()
		c.Post("/auth/password/reset", m{"token": token, "password": "another sentence"}).Want(200)
		if c.Cookie("/", "session_id") != "" {
			t.Error("it signs in")
		}
		ann.Get("/auth/me").Want(401)
		tokens.Get("/auth/me").Want(401)
		tokens.Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(401)
		signIn(s, "ann@example.com", pass).Want(401)
		signIn(s, "ann@example.com", "another sentence").Want(200)
		s.Client().Post("/auth/password/reset", m{"token": token, "password": "a third sentence"}).Want(400, "link_invalid")
		if mail := s.Letter("ann@example.com"); !strings.Contains(mail.Subject, "password") {
			t.Error(mail.Subject)
		}
	})
}

// LNK-04: a link is worth nothing after its time, after a newer one, after the password was changed, and after the address was.
func TestResetLinksDie(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		dead := func(token string) {
			t.Helper()
			s.Client().Post("/auth/password/reset", m{"token": token, "password": "another sentence"}).Want(400, "link_invalid")
		}
		token := forgotten(s, "ann@example.com")
		s.Advance(30 * time.Minute)
		dead(token)
		token = forgotten(s, "ann@example.com")
		forgotten(s, "ann@example.com")
		dead(token)
		token = forgotten(s, "ann@example.com")
		ann.Post("/auth/password/change", m{"current_password": pass, "new_password": pass + "4"}).Want(200)
		dead(token)
		token = forgotten(s, "ann@example.com")
		ann.Post("/auth/reauthenticate", m{"password": pass + "4"}).Want(200)
		ann.Post("/auth/email/change", m{"email": "new@example.com"}).Want(202)
		ann.Post("/auth/email/verify", m{"code": codeIn(s, "new@example.com")}).Want(200)
		dead(token)
		token = forgotten(s, "new@example.com")
		if err := s.App().Accounts.Disable(s.Context(), authz.System, ann.Get("/auth/me").Text("id")); err != nil {
			t.Fatal(err)
		}
		dead(token)
		dead("nothing")
	})
}

// LNK-03 and LNK-09: a link that an operator had sent opens the account it was made for, whatever else is sent with it, and once: not again after
// a password was set by it, and not to set one for an account that has got one by another link meanwhile.
func TestLinkOfAnOperator(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "bob@example.com")
		root, _ := operator(s, "root@example.com")
		id := root.Post("/api/v1/users", m{"email": "ann@example.com"}).Want(201).Text("id")
		link := func() string {
			root.Post("/api/v1/users/"+id+"/reset-password", nil).Want(202)
			return tokenIn(s, "ann@example.com")
		}
		token := link()
		s.Client().Post("/auth/password/reset", m{"token": token, "password": "another sentence", "email": "bob@example.com"}).Want(422)
		c := s.Client()
		c.Header.Set("Accept", "text/html")
		c.Submit(c.Get("/recover?token="+token).Want(200), "/recover", url.Values{"password": {"another sentence"}, "email": {"bob@example.com"}, "user_id": {"usr_1"}})
		signIn(s, "bob@example.com", pass).Want(200)
		signIn(s, "bob@example.com", "another sentence").Want(401)
		signIn(s, "ann@example.com", "another sentence").Want(200)
		s.Client().Post("/auth/password/reset", m{"token": token, "password": "a third sentence"}).Want(400, "link_invalid")
		first := link()
		s.Client().Post("/auth/password/reset", m{"token": link(), "password": "a fourth sentence"}).Want(200)
		s.Client().Post("/auth/password/reset", m{"token": first, "password": "a fifth sentence"}).Want(400, "link_invalid")
		signIn(s, "ann@example.com", "a fourth sentence").Want(200)
	})
}

// LNK-05: a reset takes no second factor away, and asks for it afterwards.
func TestResetLeavesTheSecondFactor(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		ann.Post("/auth/email/verify/resend", nil).Want(202)
		ann.Post("/auth/email/verify", m{"code": codeIn(s, "ann@example.com")}).Want(200)
		app, _ := enrol(s, ann)
		s.Client().Post("/auth/password/reset", m{"token": forgotten(s, "ann@example.com"), "password": "another sentence"}).Want(200)
		c := s.Client()
		attempt := step(c.Post("/auth/login", m{"email": "ann@example.com", "password": "another sentence"}))
		verify(c, attempt, app.code(0)).Want(200)
	})
}

// SGN-08: whoever made an account with an address that is not theirs has nothing left of it once its owner shows up: no password, no
// session, no second factor, no change under way.
func TestResetReclaimsAnUnverifiedAccount(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		eve := s.Client()
		eve.Post("/auth/signup", m{"email": "victim@example.com", "phone": "+491711234567", "password": pass}).Want(201)
		enrol(s, eve)
		eve.Post("/auth/email/change", m{"email": "eve@example.com"}).Want(202)
		change := tokenIn(s, "eve@example.com")
		s.Client().Post("/auth/password/reset", m{"token": forgotten(s, "victim@example.com"), "password": "another sentence"}).Want(200)
		eve.Get("/auth/me").Want(401)
		signIn(s, "victim@example.com", pass).Want(401)
		s.Client().Post("/auth/email/verify", m{"token": change}).Want(400, "link_invalid")
		victim := s.Client()
		victim.Post("/auth/login", m{"email": "victim@example.com", "password": "another sentence"}).Want(200) // and no second factor of eve's
		if !verified(victim) {
			t.Error("the address was shown to be theirs")
		}
		if me := victim.Get("/auth/me").Want(200); me.JSON["phone"] != nil {
			t.Errorf("a number of eve's: %s", me.Body)
		}
	})
}

// ENU-01: asking for a reset tells nobody whether there is an account, and whether it can be used.
func TestForgotTellsNothing(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		off := person(s, "off@example.com")
		if err := s.App().Accounts.Disable(s.Context(), authz.System, off.Get("/auth/me").Text("id")); err != nil {
			t.Fatal(err)
		}
		first := s.Client().Post("/auth/password/forgot", m{"email": "ann@example.com"}).Want(202)
		for _, email := range []string{"off@example.com", "nobody@example.com"} {
			same(t, email, first, s.Client().Post("/auth/password/forgot", m{"email": email}).Want(202))
			if n := len(s.Inbox(email)); n != 0 {
				t.Errorf("%d mails to %s", n, email)
			}
		}
		for _, email := range []string{"victim@v.test,attacker@a.test", "victim@v.test;attacker@a.test", "victim@v.test attacker@a.test", "victim@v.test\nattacker@a.test", ""} {
			s.Client().Post("/auth/password/forgot", m{"email": email}).Want(422, "email_invalid")
		}
		s.Client().Post("/auth/password/forgot", m{"email": []string{"victim@v.test", "attacker@a.test"}}).Want(422)
	})
}

// HDR-02: links lead where BASE_URL says, whatever a request calls this site.
func TestLinksIgnoreTheRequest(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		for name, value := range map[string]string{"X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test;proto=http", "X-Forwarded-Proto": "http", "X-Original-Host": "evil.test"} {
			c := s.Client()
			c.Header.Set(name, value)
			c.Post("/auth/password/forgot", m{"email": "ann@example.com"}).Want(202)
			if mail := s.Letter("ann@example.com"); strings.Contains(mail.Text+mail.HTML, "evil.test") || !strings.HasPrefix(mail.Links[0], s.Config.Web.Origin()+"/recover?") {
				t.Errorf("%s: %v", name, mail.Links)
			}
		}
	})
}

// RL-09: one address is sent a number of mails in an hour, known or not, and then the answer is no for both.
func TestMailsToOneAddressAreLimited(t *testing.T) {
	limited := func(c *admit.Config) { c.RateLimit.RateLimit = "memory" }
	testkit.Each(t, limited, func(s *testkit.Server) {
		person(s, "ann@example.com")
		for _, email := range []string{"ann@example.com", "nobody@example.com"} {
			for range 10 {
				s.Client().Post("/auth/password/forgot", m{"email": email}).Want(202)
			}
			a := s.Client().Post("/auth/password/forgot", m{"email": strings.ToUpper(email)}).Want(429, "rate_limited")
			if a.Header.Get("Retry-After") != "360" {
				t.Error(a.Header)
			}
		}
		if n := len(s.Inbox("ann@example.com")); n != 10 {
			t.Errorf("%d mails", n)
		}
	})
}

// What is done to an account is told to its owner, and can be disowned from there: the second factor somebody set up is gone, so are
// the sessions and the password.
func TestNotMe(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		eve := person(s, "ann@example.com") // eve knows ann's password
		eve.Post("/auth/email/verify/resend", nil).Want(202)
		eve.Post("/auth/email/verify", m{"code": codeIn(s, "ann@example.com")}).Want(200)
		enrol(s, eve)
		token := noticeIn(s, "ann@example.com", "way to sign in")
		page := s.Client().Get("/not-me?token=" + token).Want(200)
		if !strings.Contains(string(page.Body), "A second factor was added") {
			t.Errorf("%s", page.Body)
		}
		s.Records()
		done := s.Client().Send("/not-me", url.Values{"token": {token}}).Want(200)
		if !strings.Contains(string(done.Body), "safe again") {
			t.Errorf("%s", done.Body)
		}
		s.Events("totp.removed", "factor.removed", "recovery_codes.withdrawn", "password.removed", "session.revoked", "account.change_disowned", "message.queued")
		eve.Get("/auth/me").Want(401)
		signIn(s, "ann@example.com", pass).Want(401)
		c := s.Client()
		says := c.Send("/recover", url.Values{"token": {tokenIn(s, "ann@example.com")}, "password": {"short"}}).Want(422)
		if !strings.Contains(string(says.Body), "at least 8 characters") {
			t.Errorf("%s", says.Body)
		}
		c.Send("/recover", url.Values{"token": {tokenIn(s, "ann@example.com")}, "password": {"another sentence"}}).Want(200)
		c.Post("/auth/login", m{"email": "ann@example.com", "password": "another sentence"}).Want(200)
		s.Client().Get("/not-me?token=" + token).Want(400)
		s.Client().Get("/recover?token=").Want(400)
		s.Client().Get("/verify").Want(400)
	})
}

// Of several passkeys the one that is disowned is gone, and the others are not.
func TestNotMyPasskey(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		mine, theirs := s.NewAuthenticator(), s.NewAuthenticator()
		addPasskey(s, ann, mine)
		addPasskey(s, ann, theirs)
		s.Client().Post("/auth/not-me", m{"token": tokenIn(s, "ann@example.com")}).Want(200)
		enter(s, s.Client(), theirs).Want(401)
		enter(s, s.Client(), mine).Want(200)
	})
}
