package pages_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/testkit/browser"
)

// post sends a form of the page that is open, as a person does, and waits for the next page.
func post(b *browser.Browser, action, fill string) {
	b.T.Helper()
	b.Run(`const f = document.querySelector('form[action^="` + action + `"]'); const fill = (name, value) => (f.elements[name].value = value); ` + fill + `; window.leaving = true; setTimeout(() => HTMLFormElement.prototype.submit.call(f)); return {};`)
	b.Settle()
}

// shown is a page, and how it comes to be shown.
type shown struct {
	name string
	open func()
}

const (
	lamp   = "a quiet green lamp"
	number = "+491711234567"
)

// every is each page of the way in and of the account, in an order in which each leads to the next.
func every(t *testing.T, b *browser.Browser, s *testkit.Server) []shown {
	at := s.Config.Web.BaseURL
	open := func(path string) func() { return func() { b.Open(at + path) } }
	sent := func(to string) func() {
		return func() { b.Open(at + strings.TrimPrefix(s.Letter(to).Links[0], at)) }
	}
	key, err := s.App().Owner.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	inbox := open("/dev/inbox")
	return slices.Concat([]shown{
		{"start", open("/start")},
		{"start-link", open("/start#k=" + key)},
		{"welcome", func() {
			post(b, "/start", "fill('email', 'ann@example.com'); fill('password', '"+lamp+"')")
		}},
		{"profile", open("/account")},
		{"email", open("/account/email")},
		{"security", open("/account/security")},
		{"password", open("/account/security/password")},
		{"passkey", open("/account/security/passkey")},
		{"app", func() {
			b.Open(at + "/account/security/app")
			post(b, "/account/security/app", "")
		}},
		{"sessions", open("/account/sessions")},
		{"linked", open("/account/linked")},
		{"keys-none", open("/account/keys")},
		{"key-new", open("/account/keys/new")},
		{"key-new-wrong", func() { post(b, "/account/keys/new", "fill('name', ' '); fill('scopes', 'sys:members:read')") }},
		{"key-made", func() {
			post(b, "/account/keys/new", "fill('name', 'Nightly build'); fill('scopes', 'sys:members:read sys:orgs:read')")
		}},
		{"keys", open("/account/keys")},
		{"key", func() {
			open("/account/keys")()
			b.Run(`window.leaving = true; document.querySelector('.items a').click(); return {};`)
			b.Settle()
		}},
		{"data", open("/account/data")},
		{"data-copy", func() {
			post(b, "/account/data/export", "")
			if _, err := s.App().Exports.Work(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.Open(at + "/account/data")
		}},
		{"organizations-none", open("/account/organizations")},
		{"organizations", func() { post(b, "/account/organizations", "fill('name', 'Acme Jobs')") }},
	}, ofOrganization(b, s), ofAdministration(b, s), []shown{
		{"confirm", open("/confirm?return_to=/account")},
		{"phone", open("/account/phone")},
		{"phone-code", func() { post(b, "/account/phone", "fill('phone', '"+number+"')") }},
		{"profile-phone", func() { post(b, "/account/phone/confirm", "fill('code', '"+s.Letter(number).Codes[0]+"')") }},
		{"factor-code", func() {
			b.Open(at + "/account/security")
			post(b, "/account/security/phone", "")
		}},
		{"codes", func() { post(b, "/account/security/phone/confirm", "fill('code', '"+s.Letter(number).Codes[0]+"')") }},
		{"security-full", open("/account/security")},
		{"signout", open("/signout")},
		{"signed-out", func() { post(b, "/signout", "") }},
		{"signin-wrong", func() {
			post(b, "/signin", "fill('username', 'ann@example.com'); fill('password', 'no')")
		}},
		{"signup", open("/signup")},
		{"signup-wrong", func() { post(b, "/signup", "fill('email', 'bob'); fill('password', 'short')") }},
		{"signup-slip", func() { post(b, "/signup", "fill('email', 'bob@gmial.com'); fill('password', '"+lamp+"')") }},
		{"signup-sent", func() {
			b.Open(at + "/signup")
			post(b, "/signup", "fill('email', 'bob@example.com'); fill('password', '"+lamp+"')")
		}},
		{"verify", sent("bob@example.com")},
		{"verified", func() { post(b, "/verify", "") }},
		{"forgot", open("/recover")},
		{"forgot-sent", func() { post(b, "/recover", "fill('email', 'bob@example.com')") }},
		{"recover", sent("bob@example.com")},
		{"recovered", func() { post(b, "/recover", "fill('password', 'a quiet red lamp')") }},
		{"keep", func() {
			c := s.Client()
			c.Post("/auth/signup", testkit.M{"email": "dan@example.com", "password": lamp}).Want(201)
			c.Do("DELETE", "/auth/me", nil).Want(204)
			sent("dan@example.com")()
		}},
		{"kept", func() { post(b, "/keep", "") }},
		{"not-found", open("/recover?token=no")},
		{"inbox", inbox},
		{"errors", open("/docs/errors")},
	})
}

// ofAdministration is the pages of who runs the site.
func ofAdministration(b *browser.Browser, s *testkit.Server) []shown {
	open := func(path string) func() { return func() { b.Open(s.Config.Web.BaseURL + path) } }
	first := func(path string) func() {
		return func() {
			open(path)()
			b.Run(`window.leaving = true; document.querySelector('td a').click(); return {};`)
			b.Settle()
		}
	}
	return []shown{
		{"admin-overview", open("/admin")},
		{"admin-users", open("/admin/users")},
		{"admin-user", first("/admin/users")},
		{"admin-user-new", open("/admin/users/new")},
		{"admin-lockouts", open("/admin/lockouts")},
		{"admin-organizations", open("/admin/organizations")},
		{"admin-organization", first("/admin/organizations")},
		{"admin-roles", open("/admin/roles")},
		{"admin-role", open("/admin/roles/manager")},
		{"admin-role-stale", func() { post(b, "/admin/roles/manager", "fill('match', 'older')") }},
		{"admin-permissions", open("/admin/permissions")},
		{"admin-audit", open("/admin/audit?outcome=success")},
		{"admin-verify", open("/admin/audit/verify")},
		{"admin-health", open("/admin/health?services=yes")},
		{"admin-methods", open("/admin/methods")},
		{"admin-keys", open("/admin/keys")},
		{"admin-theme", open("/admin/theme?accent=%23ffe600&text_dark=%23333333")},
		{"admin-settings", open("/admin/settings")},
		{"impersonate", func() {
			id := s.Client().Post("/auth/signup", testkit.M{"email": "cid@example.com", "password": lamp}).Want(201).Text("id")
			open("/admin/users/" + id + "/impersonate")()
		}},
		{"acting", func() { post(b, "/admin/users/", "fill('reason', 'Ticket 4711')") }},
		{"acting-security", open("/account/security")},
		{"acting-ended", func() { post(b, "/impersonation/end", "") }},
	}
}

// Every page can be used by everybody: axe-core finds nothing on it, in light and in dark, on a phone and on a desk, and at 320 pixels
// nothing has to be scrolled sideways; Tab reaches everything that can be pressed. With SCREENSHOTS each is written there as a picture.
func TestEveryPageCanBeUsed(t *testing.T) {
	b := browser.New(t)
	cfg := testkit.Config(t, testkit.DatabaseURL(t, "sqlite"))
	cfg.Address.Verification, cfg.Notify.App = "soft", "Acme Jobs"
	cfg.Social.Development, cfg.Account.GraceDays = "on", 14
	s := testkit.StartAt(t, cfg, testkit.NewClock())
	canBeUsed(t, b, every(t, b, s))
}

func canBeUsed(t *testing.T, b *browser.Browser, pages []shown) {
	t.Helper()
	pictures := os.Getenv("SCREENSHOTS")
	for _, page := range pages {
		page.open()
		for _, width := range []int64{320, 375, 1280} {
			for _, dark := range []bool{false, true} {
				b.View(width, dark)
				if width == 320 {
					if got := b.Run(`return {is: document.documentElement.scrollWidth, of: innerWidth}`); got["is"].(float64) > 320 {
						t.Errorf("%s is %v wide at 320", page.name, got)
					}
					continue
				}
				if width == 1280 && !dark {
					for _, missed := range b.Unreached() {
						t.Errorf("%s: Tab does not reach %s", page.name, missed)
					}
				}
				var rules []string
				if dark { // the same page in other colours
					rules = []string{"color-contrast"}
				}
				for _, found := range b.Violations(rules...) {
					t.Errorf("%s at %d, dark %t: %s", page.name, width, dark, found)
				}
				if pictures == "" {
					continue
				}
				name := fmt.Sprintf("%s-%d-%s.png", page.name, width, map[bool]string{false: "light", true: "dark"}[dark])
				if err := os.WriteFile(filepath.Join(pictures, name), b.Picture(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// The same of what programs are kept out with. A page that runs its scripts leads on before anybody has looked: so it comes without, as to who has none.
func TestEveryChallengeCanBeUsed(t *testing.T) {
	b, s := challenged(t)
	at := s.Config.Web.BaseURL
	still := func(open func()) func() {
		return func() {
			b.Scripts(false)
			open()
			b.Scripts(true) // those of the test
		}
	}
	byMail := still(func() { b.Press("button[value=mail_check]") })
	canBeUsed(t, b, []shown{
		{"challenge", still(func() {
			b.Open(at + "/signin")
			b.Fill(`form[action^="/signin"]`, "username", "ann@example.com", "password", lamp)
		})},
		{"challenge-mail", byMail},
		{"signup-challenge", still(func() {
			b.Open(at + "/signup")
			b.Fill(`form[action="/signup"]`, "email", "bob@example.com", "password", lamp)
		})},
		{"signup-challenge-mail", byMail},
	})
}

// In a real browser a passkey is added on its page, opens the door by itself from the field of the name, and is taken away again: also below a
// path of a host, since its script finds every address on the page.
func TestPasskeyOnPages(t *testing.T) {
	b := browser.New(t)
	cfg := testkit.Config(t, testkit.DatabaseURL(t, "sqlite"))
	cfg.Web.BaseURL += "/accounts"
	s := testkit.StartAt(t, cfg, testkit.NewClock())
	at := s.Config.Web.BaseURL
	b.Device()
	key, err := s.App().Owner.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.Open(at + "/start#k=" + key)
	post(b, "/accounts/start", "fill('email', 'ann@example.com'); fill('password', '"+lamp+"')")
	b.Open(at + "/account/security/passkey")
	b.Run(`window.leaving = true; document.querySelector('form[data-passkey] button[type=button]').click(); return {};`)
	b.Settle()
	on := b.Run(`return {at: location.pathname, passkeys: document.querySelectorAll('form[action*="/passkeys/"][action$="/remove"]').length, said: document.querySelector('[role=status]').textContent};`)
	if on["at"] != "/accounts/account/security" || on["passkeys"] != 1.0 || on["said"] != "Your passkey is added." {
		t.Fatal(on)
	}
	b.Open(at + "/signout")
	post(b, "/accounts/signout", "")
	b.Wait(`location.pathname === '/accounts/account'`)
	b.Open(at + "/account/security")
	post(b, "/accounts/account/security/passkeys/", "")
	if on = b.Run(`return {passkeys: document.querySelectorAll('form[action*="/passkeys/"]').length};`); on["passkeys"] != 0.0 {
		t.Fatal(on)
	}
}

// How far a copy of one's data is can be seen, by everybody, and the page shows by itself that it is ready.
func TestProgressOfAnExport(t *testing.T) {
	b := browser.New(t)
	s := testkit.StartAt(t, testkit.Config(t, testkit.DatabaseURL(t, "sqlite")), testkit.NewClock())
	at := s.Config.Web.BaseURL
	store := func(text string) {
		if err := s.App().DB.Write(t.Context(), func(tx *database.Tx) error { tx.Quiet(); _, err := tx.Exec(text); return err }); err != nil {
			t.Fatal(err)
		}
	}
	work := func() {
		if _, err := s.App().Exports.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	key, err := s.App().Owner.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.Open(at + "/start#k=" + key)
	post(b, "/start", "fill('email', 'ann@example.com'); fill('password', '"+lamp+"')")
	store(`CREATE TRIGGER spoiled BEFORE INSERT ON export_files WHEN NEW.name = 'sessions.json' BEGIN SELECT RAISE(ABORT, 'spoiled'); END`)
	b.Open(at + "/account/data")
	post(b, "/account/data/export", "")
	work()
	b.Open(at + "/account/data")
	if on := b.Run(`const p = document.querySelector('progress'); return {value: p.value, max: p.max, of: p.labels.length};`); on["value"].(float64) == 0 || on["max"].(float64) <= on["value"].(float64) || on["of"] != 1.0 {
		t.Errorf("%v", on)
	}
	for _, dark := range []bool{false, true} {
		b.View(375, dark)
		for _, found := range b.Violations() {
			t.Error(found)
		}
	}
	store(`DROP TRIGGER spoiled`)
	s.Advance(2 * time.Minute)
	work()
	b.Wait(`document.querySelector('form[action="/account/data/download"]') !== null`)
}
