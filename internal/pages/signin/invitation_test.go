package signin_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/admit-dev/admit/internal/testkit"
)

// invited makes an organization, invites an address, and gives the path of the link in the mail.
func invited(s *testkit.Server, owner *testkit.Client, email string) string {
	s.Helper()
	id := owner.Post("/api/v1/orgs", testkit.M{"name": "Acme <b>& Sons"}).Want(201).Text("id")
	owner.Post("/api/v1/orgs/"+id+"/invitations", testkit.M{"email": email, "roles": []string{"admin"}}).Want(201)
	mail := s.Inbox(email)
	if len(mail) == 0 || len(mail[0].Links) == 0 || !strings.Contains(mail[0].Text, "ann@example.com") {
		s.Fatalf("%+v", mail)
	}
	path, ours := strings.CutPrefix(mail[0].Links[0], s.Config.Web.Origin())
	if !ours {
		s.Fatal(mail[0].Links[0])
	}
	return path
}

func joining(path, password string) url.Values {
	u, _ := url.Parse(path)
	return url.Values{"token": {u.Query().Get("token")}, "name": {"Bob"}, "password": {password}}
}

// An invitation is accepted in any browser, without JavaScript: by somebody new, by somebody with an account, by who is signed in
// already, and not by another. Looking at it takes nothing.
func TestInvitationPage(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := s.Client()
		ann.Post("/auth/signup", testkit.M{"email": "ann@example.com", "password": "a quiet green lamp"}).Want(201)
		path := invited(s, ann, "bob@example.com")
		bob := s.Client()
		for range 2 {
			says(bob.Get(path).Want(200), "Join Acme &lt;b&gt;&amp; Sons", "ann@example.com</bdi> invites you", "Admin", "bob@example.com", "Make an account and join", `autocomplete="new-password"`)
		}
		says(bob.Send("/invitation", joining(path, "short")).Want(422), "There is a problem", `id="password-err"`, `value="Bob"`)
		if a := bob.Send("/invitation", joining(path, "a quiet red lamp")).Want(303); a.Header.Get("Location") != "/invitation?joined" {
			t.Error(a.Header)
		}
		says(bob.Get("/invitation?joined").Want(200), "You are a member now")
		if me := bob.Get("/auth/me").Want(200); me.JSON["email_verified"] != true || me.Text("name") != "Bob" || len(me.JSON["organizations"].([]any)) != 1 {
			t.Errorf("%s", me.Body)
		}
		says(s.Client().Get(path).Want(404), "accepted, revoked")
		says(s.Client().Send("/invitation", joining(path, "a quiet red lamp")).Want(404), "accepted, revoked")

		carl := s.Client()
		carl.Post("/auth/signup", testkit.M{"email": "carl@example.com", "password": "a quiet blue lamp"}).Want(201)
		path = invited(s, ann, "carl@example.com")
		says(bob.Get(path).Want(200), "You are signed in as <bdi>bob@example.com</bdi>", "Sign out and go on", "!type=\"password\"")
		says(bob.Send("/invitation", joining(path, "")).Want(403), "for another address")
		leave := joining(path, "")
		leave.Set("leave", "1")
		bob.Send("/invitation", leave).Want(303)
		bob.Get("/auth/me").Want(401)
		says(bob.Get(path).Want(200), "Sign in and join", `autocomplete="current-password"`)
		says(bob.Send("/invitation", joining(path, "not this one")).Want(401), "not its password")
		bob.Send("/invitation", joining(path, "a quiet blue lamp")).Want(303)
		if me := bob.Get("/auth/me").Want(200); me.Text("email") != "carl@example.com" || len(me.JSON["organizations"].([]any)) != 1 {
			t.Errorf("%s", me.Body)
		}

		path = invited(s, ann, "dora@example.com")
		dora := s.Client()
		dora.Post("/auth/signup", testkit.M{"email": "dora@example.com", "password": "a quiet gray lamp"}).Want(201)
		says(dora.Get(path).Want(200), ">Join</button>")
		dora.Send("/invitation", joining(path, "")).Want(303)

		// an account with a second factor is asked for it, on the same page
		s.Records()
		elsewhere := s.Client()
		elsewhere.Post("/auth/signup", testkit.M{"email": "eve@example.com", "password": "a quiet pink lamp"}).Want(201)
		key := elsewhere.Post("/auth/mfa/totp", nil).Want(200).Text("secret")
		code := func() string {
			code, err := totp.GenerateCode(key, s.Now())
			if err != nil {
				s.Fatal(err)
			}
			return code
		}
		elsewhere.Post("/auth/mfa/totp/confirm", testkit.M{"code": code()}).Want(200)
		s.Advance(time.Minute)
		path = invited(s, ann, "eve@example.com")
		eve := s.Client()
		page := eve.Send("/invitation", joining(path, "a quiet pink lamp")).Want(401)
		says(page, `autocomplete="one-time-code"`, "!type=\"password\"")
		next := joining(path, "")
		next.Set("attempt", regexp.MustCompile(`att_[0-9a-f]+`).FindString(string(page.Body)))
		next.Set("code", "000000")
		says(eve.Send("/invitation", next).Want(401), `id="code-err"`, `name="attempt"`)
		next.Set("code", code())
		eve.Send("/invitation", next).Want(303)
		if me := eve.Get("/auth/me").Want(200); me.Text("email") != "eve@example.com" || len(me.JSON["organizations"].([]any)) != 1 {
			t.Errorf("%s", me.Body)
		}
		next.Set("attempt", "att_gone")
		path = invited(s, ann, "fay@example.com")
		next.Set("token", joining(path, "").Get("token"))
		says(s.Client().Send("/invitation", next).Want(404), `type="password"`)
	})
}
