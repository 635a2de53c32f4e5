package e2e_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

func verifying(policy string) func(*admit.Config) {
	return func(c *admit.Config) { c.Address.Verification = policy }
}

// linkIn is where the link of the newest mail to an address leads on this site.
func linkIn(s *testkit.Server, to string) string {
	s.Helper()
	mail := s.Letter(to)
	if len(mail.Links) == 0 {
		s.Fatalf("no link in %q to %s", mail.Subject, to)
	}
	path, ours := strings.CutPrefix(mail.Links[0], s.Config.Web.Origin())
	if !ours {
		s.Fatalf("%s leads elsewhere", mail.Links[0])
	}
	return path
}

// tokenIn is the token of that link.
func tokenIn(s *testkit.Server, to string) string {
	s.Helper()
	u, err := url.Parse(linkIn(s, to))
	if err != nil || u.Query().Get("token") == "" {
		s.Fatal(u, err)
	}
	return u.Query().Get("token")
}

// noticeIn is the token of the newest mail whose subject has a word in it.
func noticeIn(s *testkit.Server, to, word string) string {
	s.Helper()
	for _, mail := range s.Inbox(to) {
		if strings.Contains(mail.Subject, word) && len(mail.Links) > 0 {
			u, err := url.Parse(mail.Links[0])
			if err != nil {
				s.Fatal(err)
			}
			return u.Query().Get("token")
		}
	}
	s.Fatalf("no mail about %q to %s", word, to)
	return ""
}

func codeIn(s *testkit.Server, to string) string {
	s.Helper()
	mail := s.Letter(to)
	if len(mail.Codes) == 0 {
		s.Fatalf("no code in %q to %s", mail.Subject, to)
	}
	return mail.Codes[0]
}

func verified(c *testkit.Client) bool {
	c.T.Helper()
	return c.Get("/auth/me").Want(200).JSON["email_verified"].(bool)
}

// Who signs up gets a mail, and goes in meanwhile. Its link or its code shows that the address is theirs, once.
func TestVerifyEmail(t *testing.T) {
	testkit.Each(t, verifying("soft"), func(s *testkit.Server) {
		ann := s.Client()
		ann.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(201)
		s.Events("user.created", "email.verification_sent", "message.queued", "session.created", "login.succeeded")
		if verified(ann) {
			t.Fatal("verified already")
		}
		path := linkIn(s, "ann@example.com")
		page := s.Client().Get(path).Want(200)
		if !strings.Contains(string(page.Body), "ann@example.com") || verified(ann) {
			t.Error("looking at the page says nothing, or was enough")
		}
		token := tokenIn(s, "ann@example.com")
		a := s.Client().Post("/auth/email/verify", m{"token": token}).Want(200)
		if a.Text("email") != "ann@example.com" || !verified(ann) {
			t.Errorf("%s", a.Body)
		}
		s.Events("user.identifier_verified")
		s.Client().Post("/auth/email/verify", m{"token": token}).Want(400, "link_invalid")
		s.Client().Get(path).Want(400)
		ann.Post("/auth/email/verify/resend", nil).Want(409, "email_verified")

		bob := s.Client()
		bob.Post("/auth/signup", m{"email": "bob@example.com", "password": pass}).Want(201)
		first := codeIn(s, "bob@example.com")
		old := tokenIn(s, "bob@example.com")
		bob.Post("/auth/email/verify/resend", nil).Want(202)
		s.Client().Post("/auth/email/verify", m{"token": old}).Want(400, "link_invalid") // a newer one took its place
		if code := codeIn(s, "bob@example.com"); code != first {
			bob.Post("/auth/email/verify", m{"code": first}).Want(400, "code_wrong")
		}
		s.Client().Post("/auth/email/verify", m{"code": codeIn(s, "bob@example.com")}).Want(401) // whose?
		ann.Post("/auth/email/verify", m{"code": codeIn(s, "bob@example.com")}).Want(400, "code_wrong")
		bob.Post("/auth/email/verify", m{"code": codeIn(s, "bob@example.com")}).Want(200)
		if !verified(bob) {
			t.Error("the code was not enough")
		}
		bob.Post("/auth/email/verify", m{}).Want(422, "token_or_code")
		bob.Post("/auth/email/verify", m{"token": "x", "code": "123456"}).Want(422, "token_or_code")
	})
}

// OTP-02: five wrong answers and the code is dead, however often another is asked for in its time.
func TestFiveWrongCodes(t *testing.T) {
	testkit.Each(t, verifying("soft"), func(s *testkit.Server) {
		ann := s.Client()
		ann.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(201)
		for i := range 5 {
			if i == 3 {
				ann.Post("/auth/email/verify/resend", nil).Want(202)
			}
			ann.Post("/auth/email/verify", m{"code": other(codeIn(s, "ann@example.com"))}).Want(400, "code_wrong")
		}
		dead := codeIn(s, "ann@example.com")
		ann.Post("/auth/email/verify", m{"code": dead}).Want(400, "code_wrong")
		ann.Post("/auth/email/verify/resend", nil).Want(202)
		if mail := s.Letter("ann@example.com"); len(mail.Codes) != 0 || len(mail.Links) != 1 {
			t.Errorf("%+v", mail) // no dead code is sent
		}
		ann.Post("/auth/email/verify", m{"code": dead}).Want(400, "code_wrong")
		s.Client().Post("/auth/email/verify", m{"token": tokenIn(s, "ann@example.com")}).Want(200) // nobody guesses a link
	})
}

// other is another code.
func other(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// A link runs out.
func TestVerificationRunsOut(t *testing.T) {
	testkit.Each(t, verifying("soft"), func(s *testkit.Server) {
		ann := s.Client()
		ann.Post("/auth/signup?transport=token", m{"email": "ann@example.com", "password": pass}).Want(201)
		token := tokenIn(s, "ann@example.com")
		s.Advance(24 * time.Hour)
		s.Client().Post("/auth/email/verify", m{"token": token}).Want(400, "link_invalid")
	})
}

// Where it is required nobody gets in with an address that is not verified, by whatever door, and gets in with the code or with the link
// used elsewhere.
func TestVerificationRequired(t *testing.T) {
	testkit.Each(t, verifying("required"), func(s *testkit.Server) {
		ann := s.Client()
		attempt := step(ann.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}))
		if ann.Cookie("/", "session_id") != "" {
			t.Fatal("a session")
		}
		ann.Post("/auth/attempts/"+attempt+"/answer", m{"values": m{"code": other(codeIn(s, "ann@example.com"))}}).Want(401, "code_invalid")
		ann.Post("/auth/attempts/"+attempt+"/answer", m{"values": m{"code": codeIn(s, "ann@example.com")}}).Want(200)
		me := ann.Get("/auth/me").Want(200)
		if me.JSON["email_verified"] != true {
			t.Errorf("%s", me.Body)
		}
		signIn(s, "ann@example.com", pass).Want(200)

		bob := s.Client()
		step(bob.Post("/auth/signup", m{"email": "bob@example.com", "password": pass}))
		again := s.Client()
		a := again.Post("/auth/login", m{"email": "bob@example.com", "password": pass})
		if prompt := a.JSON["attempt"].(m)["prompt"].(m); prompt["method"] != "verify_email" {
			t.Errorf("%v", prompt)
		}
		if n := len(s.Inbox("bob@example.com")); n != 1 {
			t.Errorf("%d mails within a minute", n)
		}
		s.Client().Post("/auth/email/verify", m{"token": tokenIn(s, "bob@example.com")}).Want(200)
		again.Post("/auth/attempts/"+step(a)+"/answer", m{"values": m{}}).Want(200)

		carl := s.Client() // without an address there is nothing to verify
		carl.Post("/auth/signup", m{"username": "carl", "password": pass}).Want(201)
		s.Client().Post("/api/v1/register", m{"username": "dora", "email": "dora@example.com", "password": pass}).Want(201)
		step(s.Client().Post("/api/v1/login", url.Values{"username": {"dora@example.com"}, "password": {pass}}))
	})
}

// Another address counts once it is shown to be one's own. The old one hears of it, opens nothing, and can undo it for a week.
func TestChangeEmail(t *testing.T) {
	testkit.Each(t, verifying("soft"), func(s *testkit.Server) {
		ann := s.Client()
		ann.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(201)
		s.Client().Post("/auth/email/verify", m{"token": tokenIn(s, "ann@example.com")}).Want(200)
		elsewhere, _ := native(s, "ann@example.com")
		ann.Post("/auth/email/change", m{"email": "new@example.com"}).Want(202)
		if me := ann.Get("/auth/me").Want(200); me.Text("email") != "ann@example.com" {
			t.Errorf("%s", me.Body)
		}
		ann.Post("/auth/email/verify", m{"code": codeIn(s, "new@example.com")}).Want(200)
		if me := ann.Get("/auth/me").Want(200); me.Text("email") != "new@example.com" || me.JSON["email_verified"] != true {
			t.Errorf("%s", me.Body)
		}
		signIn(s, "ann@example.com", pass).Want(401)
		signIn(s, "new@example.com", pass).Want(200)
		s.Client().Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(409, "email_taken") // it is kept for ann

		s.Advance(6 * 24 * time.Hour)
		path := linkIn(s, "ann@example.com")
		if page := s.Client().Get(path).Want(200); !strings.Contains(string(page.Body), "The address of your account was changed") {
			t.Errorf("%s", page.Body)
		}
		token := tokenIn(s, "ann@example.com")
		s.Records()
		s.Client().Post("/auth/not-me", m{"token": token}).Want(200)
		s.Client().Post("/auth/not-me", m{"token": token}).Want(400, "link_invalid")
		ann.Get("/auth/me").Want(401)
		elsewhere.Get("/auth/me").Want(401)
		signIn(s, "new@example.com", pass).Want(401) // whoever changed it knew the password
		signIn(s, "ann@example.com", pass).Want(401)
		s.Client().Post("/auth/password/reset", m{"token": tokenIn(s, "ann@example.com"), "password": "another sentence"}).Want(200)
		signIn(s, "ann@example.com", "another sentence").Want(200)
		s.Client().Post("/auth/signup", m{"email": "new@example.com", "password": pass}).Want(201) // it is free again
	})
}

// LNK-04, SGN-09: a link to take an address is worth nothing once somebody has the address, and tells nobody that they have.
func TestChangeEmailToSomebodyElses(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		eve := person(s, "eve@example.com")
		free := eve.Post("/auth/email/change", m{"email": "victim@example.com"}).Want(202)
		kept := tokenIn(s, "victim@example.com")
		person(s, "victim@example.com")
		s.Client().Post("/auth/email/verify", m{"token": kept}).Want(400, "link_invalid")
		taken := eve.Post("/auth/email/change", m{"email": "victim@example.com"}).Want(202)
		same(t, "changing to a free and to a taken address", free, taken)
		if mail := s.Letter("victim@example.com"); !strings.Contains(mail.Subject, "already") {
			t.Error(mail.Subject)
		}
		eve.Post("/auth/email/change", m{"email": "eve@example.com"}).Want(422, "email_unchanged")
		eve.Post("/auth/email/change", m{"email": "not one"}).Want(422, "email_invalid")
		s.Advance(time.Hour)
		eve.Post("/auth/email/change", m{"email": "other@example.com"}).Want(403, "reauthentication_required")
	})
}

// A thief who changes the address, and then once more, cannot undo their way past the owner: what the owner's address undoes is every
// address that came later.
func TestTheOldestAddressWins(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		ann.Post("/auth/email/verify/resend", nil).Want(202)
		ann.Post("/auth/email/verify", m{"code": codeIn(s, "ann@example.com")}).Want(200)
		for _, to := range []string{"thief@example.com", "thief2@example.com"} {
			s.Advance(time.Second)
			ann.Post("/auth/email/change", m{"email": to}).Want(202)
			ann.Post("/auth/email/verify", m{"code": codeIn(s, to)}).Want(200)
		}
		s.Client().Post("/auth/not-me", m{"token": tokenIn(s, "thief@example.com")}).Want(200)
		s.Client().Post("/auth/not-me", m{"token": tokenIn(s, "ann@example.com")}).Want(200)
		s.Client().Post("/auth/password/reset", m{"token": tokenIn(s, "ann@example.com"), "password": "another sentence"}).Want(200)
		signIn(s, "ann@example.com", "another sentence").Want(200)
		s.Client().Post("/auth/password/forgot", m{"email": "thief2@example.com"}).Want(202)
		if n := len(s.Inbox("thief2@example.com")); n != 1 {
			t.Errorf("%d mails to the thief", n)
		}
	})
}
