package impersonation_test

import (
	"html"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/testkit/browser"
)

const (
	sentence = "a quiet green lamp"
	why      = "Ticket 4711: the list of invoices stays empty"
)

func says(a testkit.Answer, texts ...string) {
	a.T.Helper()
	body := html.UnescapeString(string(a.Body))
	for _, text := range texts {
		text, not := strings.CutPrefix(text, "!")
		if strings.Contains(body, text) == not {
			a.T.Errorf("%q is there: %t, in\n%s", text, not, body)
		}
	}
}

func led(a testkit.Answer, to string) {
	a.T.Helper()
	if got := a.Want(303).Header.Get("Location"); got != to {
		a.T.Errorf("led to %s, want %s", got, to)
	}
}

// people is an operator, and Bob, who has an account.
func people(s *testkit.Server) (root *testkit.Client, bob *testkit.Client, page string) {
	s.Helper()
	root, bob = s.Client(), s.Client()
	id := root.Post("/auth/signup", testkit.M{"email": "root@example.com", "password": sentence, "name": "Ruth"}).Want(201).Text("id")
	page = "/admin/users/" + bob.Post("/auth/signup", testkit.M{"email": "bob@example.com", "password": sentence, "name": "Bob"}).Want(201).Text("id") + "/impersonate"
	s.Grant(id, authz.SuperAdmin)
	return root, bob, page
}

// Without JavaScript an operator says why, sees on every page that they act as somebody else, and goes back with one button; the person sees
// it among their sessions. The events are those of the JSON route.
func TestActingOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root, bob, page := people(s)
		led(s.Client().Get(page), "/signin?return_to="+url.QueryEscape(page))
		says(bob.Get(page).Want(403), "sys:users:impersonate")
		if _, err := s.App().Authz.CreateGlobalRole(s.Context(), authz.System, authz.GlobalRoleEdit{Name: new("Reader"), Permissions: &[]string{"sys:users:read"}}); err != nil {
			t.Fatal(err)
		}
		s.Grant(strings.Split(page, "/")[3], "reader")
		says(bob.Get("/account").Want(200), `<a href="/admin">`) // which who acts as him is not led to
		says(root.Get(strings.TrimSuffix(page, "/impersonate")).Want(200), `href="`+page+`"`)
		s.Records()
		says(root.Get(page).Want(200), "Act as Bob", "60 minutes", "!120 minutes", "!You act as")
		says(root.Fill(page, page, url.Values{"reason": {"a"}, "minutes": {"15"}}).Want(422), `id="reason-err"`, `value="15" selected`)
		s.Events()
		led(root.Fill(page, page, url.Values{"reason": {why}, "minutes": {"15"}}), "/account")
		s.Events("session.created", "impersonation.began", "message.queued")
		for _, path := range []string{"/account", "/account/security", "/account/sessions", "/signin", "/signout", "/docs/errors"} {
			says(root.Get(path).Want(200), "You act as Bob.", `action="/impersonation/end"`, `!<a href="/admin">`)
		}
		says(bob.Get("/account/sessions").Want(200), "Ruth, who looks after accounts here, in your name: "+why, "!You act as")
		root.Get("/account/email").Want(403)
		root.Get(page).Want(403)
		says(root.Fill("/account", "/account", url.Values{"name": {"Mallory"}}).Want(403), "theirs alone to do")
		s.Events()
		led(root.Submit(root.Get("/account").Want(200), "/impersonation/end", nil), strings.TrimSuffix(page, "/impersonate"))
		s.Events("session.revoked")
		says(root.Get("/account").Want(200), "You are yourself again.", "root@example.com", "!You act as")

		root.Fill(page, page, url.Values{"reason": {why}, "minutes": {"15"}}).Want(303)
		led(root.Fill("/signout", "/signout", nil), strings.TrimSuffix(page, "/impersonate")) // signing out is going back
		says(root.Get("/account").Want(200), "root@example.com")
	})
}

// Where it ended by itself the browser is told so, does nothing as its owner that was meant as somebody else, and leads back.
func TestActingEndsByItself(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Session.ExpireHours = 2 }, func(s *testkit.Server) {
		root, _, page := people(s)
		root.Fill(page, page, url.Values{"reason": {why}, "minutes": {"15"}}).Want(303)
		form := root.Get("/account").Want(200)
		s.Advance(15 * time.Minute)
		s.Records()
		led(root.Submit(form, "/account", url.Values{"name": {"Mallory"}}), "/impersonation")
		ended := root.Get("/impersonation").Want(200)
		says(ended, "You no longer act", "Go on as Ruth")
		s.Events()
		led(root.Submit(ended, "/impersonation/end", nil), "/account")
		says(root.Get("/account").Want(200), `value="Ruth"`)
		led(root.Get("/impersonation"), "/")

		led(s.Client().Get("/impersonation"), "/") // a stranger is led nowhere by it
		led(s.Client().Send("/impersonation/end", nil), "/signin")
	})
}

// In a browser, with JavaScript and without, it is begun by its form and ended by the button of the banner.
func TestActingInABrowser(t *testing.T) {
	b := browser.New(t)
	s := testkit.StartAt(t, testkit.Config(t, testkit.DatabaseURL(t, "sqlite")), testkit.NewClock())
	at := s.Config.Web.BaseURL
	_, _, page := people(s)
	b.Open(at + "/docs/errors")
	b.Run(`await fetch('/auth/login', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({email: 'root@example.com', password: '` + sentence + `'})}); return {};`)
	s.Records()
	for _, scripts := range []bool{true, false} {
		b.Scripts(scripts)
		b.Open(at + page)
		b.Submit(`form[action="`+page+`"]`, "[name=reason]", why)
		s.Events("session.created", "impersonation.began", "message.queued")
		b.Open(at + "/account/security")
		b.Submit(`form[action="/impersonation/end"]`, "", "")
		s.Events("session.revoked")
	}
}
