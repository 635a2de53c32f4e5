package pages_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/admit-dev/admit/internal/risk"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/testkit/browser"
)

// walk is somebody at a browser, who does with forms what there is to do.
type walk struct {
	*testkit.Server
	*browser.Browser
	scripts bool
	mails   map[string]int // those that were read
}

// walks runs f in a real browser, with scripts, on a server below a path of its host, and without. Who signs up has to show whose the address is.
func walks(t *testing.T, f func(w *walk)) {
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			b := browser.New(t)
			cfg := testkit.Config(t, testkit.DatabaseURL(t, "sqlite"))
			cfg.Address.Verification = "required"
			if scripts {
				cfg.Web.BaseURL += "/accounts"
			}
			s := testkit.StartAt(t, cfg, testkit.NewClock())
			b.Scripts(scripts)
			f(&walk{s, b, scripts, map[string]int{}})
		})
	}
}

// visit opens a page of the server.
func (w *walk) visit(path string) {
	w.Helper()
	w.Open(w.Config.Web.BaseURL + path)
}

// send fills in the form whose action begins with a path, and presses its button.
func (w *walk) send(action string, typed ...string) {
	w.Helper()
	w.Fill(`form[action^="`+w.Config.Web.Path()+action+`"]`, typed...)
}

// letter is the next mail to an address: its link and its code.
func (w *walk) letter(to string) (link, code string) {
	w.Helper()
	var box struct {
		Items []struct {
			Links []string `json:"links"`
			Codes []string `json:"codes"`
		} `json:"items"`
	}
	c := w.Client()
	for end := time.Now().Add(time.Minute); len(box.Items) <= w.mails[to]; time.Sleep(10 * time.Millisecond) {
		if err := json.Unmarshal(c.Get("/dev/inbox.json?to="+to).Want(200).Body, &box); err != nil {
			w.Fatal(err)
		}
		if time.Now().After(end) {
			w.Fatalf("%s has no new mail within a minute:\n%s", to, w.Reads())
		}
	}
	w.mails[to] = len(box.Items)
	if list := box.Items[0].Links; len(list) > 0 {
		link = list[0]
	}
	if list := box.Items[0].Codes; len(list) > 0 {
		code = list[0]
	}
	return link, code
}

// says holds that the page has a text.
func (w *walk) says(text string) {
	w.Helper()
	if read := w.Reads(); !strings.Contains(read, text) {
		w.Fatalf("the page does not say %q:\n%s", text, read)
	}
}

// told holds what was done since the last time, among the rest.
func (w *walk) told(kinds ...string) {
	w.Helper()
	var done []string
	for _, r := range w.Records() {
		done = append(done, r.Kind)
	}
	for _, kind := range kinds {
		if !slices.Contains(done, kind) {
			w.Fatalf("no %s among %v:\n%s", kind, done, w.Reads())
		}
	}
}

// is holds who the browser is signed in as; "" is nobody.
func (w *walk) is(email string) {
	w.Helper()
	if who, _ := w.Run(`const r = await fetch('` + w.Config.Web.Path() + `/auth/me'); return r.ok ? r.json() : {};`)["email"].(string); who != email {
		w.Fatalf("signed in as %q, not %q:\n%s", who, email, w.Reads())
	}
}

// first goes through the first run: the printed link makes the owner.
func (w *walk) first(email string) {
	w.Helper()
	key, err := w.App().Owner.Link(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	w.visit("/start#k=" + key)
	if w.scripts {
		w.send("/start", "email", email, "password", lamp)
	} else {
		w.says("admit admin link")
		w.send("/start", "key", key, "email", email, "password", lamp)
	}
	w.told("user.created", "role.granted", "owner_link.used")
	_, code := w.letter(email)
	w.send("/signin/step", "code", code)
	w.told("user.identifier_verified", "session.created")
	w.is(email)
}

// signUp makes an account, shows with the link of the mail whose its address is, and signs in.
func (w *walk) signUp(email string) {
	w.Helper()
	w.visit("/signup")
	w.send("/signup", "email", email, "password", lamp)
	w.says("Look into your mail")
	link, _ := w.letter(email)
	w.told("user.created", "email.verification_sent")
	w.Open(link)
	w.send("/verify")
	w.told("user.identifier_verified")
	w.signIn(email, lamp)
	w.told("session.created")
	w.is(email)
}

func (w *walk) signIn(email, password string) {
	w.Helper()
	w.visit("/signin")
	w.send("/signin", "username", email, "password", password)
}

func (w *walk) signOut() {
	w.Helper()
	w.visit("/signout")
	w.send("/signout")
	w.told("session.revoked")
	w.is("")
}

// From the first run to a session: sign up, show whose the address is, sign out, sign in, with a second factor, and back in with a mail when the
// password is forgotten.
func TestWalkToASession(t *testing.T) {
	walks(t, func(w *walk) {
		w.visit("/")
		w.says("admit admin link") // nobody owns this server yet
		w.first("root@example.com")
		w.signOut()

		w.signUp("ann@example.com")
		w.signOut()
		w.signIn("ann@example.com", "not this one")
		w.told("login.failed")
		w.is("")
		w.send("/signin", "password", lamp) // the name is there still
		w.told("login.succeeded", "session.created")
		w.is("ann@example.com")

		w.visit("/account/security/app")
		w.send("/account/security/app")
		secret := strings.ReplaceAll(w.Run(`return {text: document.querySelector('.copy code').textContent};`)["text"].(string), " ", "")
		code := func() string {
			w.Advance(time.Minute) // each counts once
			code, err := totp.GenerateCode(secret, w.Now())
			if err != nil {
				w.Fatal(err)
			}
			return code
		}
		w.send("/account/security/app/confirm", "code", code())
		w.told("totp.confirmed", "recovery_codes.issued")
		w.signOut()
		w.signIn("ann@example.com", lamp)
		w.is("")
		w.send("/signin/step", "code", code())
		w.told("session.created")
		w.is("ann@example.com")
		w.signOut()

		w.visit("/recover")
		w.send("/recover", "email", "ann@example.com")
		w.told("password.reset_requested")
		link, _ := w.letter("ann@example.com")
		w.Open(link)
		w.send("/recover", "password", "another quiet lamp")
		w.told("password.reset")
		w.signIn("ann@example.com", "another quiet lamp")
		w.send("/signin/step", "code", code())
		w.told("session.created")
		w.is("ann@example.com")
	})
}

// challenged is a browser at a server that has an owner and keeps programs out, as which this browser counts. Who signs up there agrees to terms.
func challenged(t *testing.T) (*browser.Browser, *testkit.Server) {
	t.Helper()
	cfg := testkit.Config(t, testkit.DatabaseURL(t, "sqlite"))
	cfg.Risk.Bot, cfg.OTP.Email, cfg.OTP.Link, cfg.Consent.Terms = risk.Challenge, false, false, "https://example.com/terms"
	b, s := browser.New(t), testkit.StartAt(t, cfg, testkit.NewClock())
	key, err := s.App().Owner.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Client().Post("/auth/owner", testkit.M{"key": key, "email": "owner@example.com", "password": lamp}).Want(200)
	s.Records()
	return b, s
}

// Who is taken for a program shows that they are none, at sign-up and at sign-in. The browser does it by itself, in a worker that the policy of the
// page lets run; without scripts a code by mail stands in for that.
func TestWalkThroughAChallenge(t *testing.T) {
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			b, s := challenged(t)
			b.Scripts(scripts)
			w := &walk{s, b, scripts, map[string]int{}}
			w.visit("/signup")
			w.send("/signup", "email", "ann@example.com", "password", lamp)
			w.told("risk.detected", "login.begun")
			if scripts {
				w.says("Your browser answers this by itself")
				w.says("terms of use")
				w.send("/signup", "password", lamp)
				w.Wait(`document.body.textContent.includes("Look into your mail")`)
			} else {
				w.says("Without JavaScript")
				w.Press("button[value=mail_check]")
				_, code := w.letter("ann@example.com")
				w.send("/signup", "password", lamp, "code", code)
				w.says("Look into your mail")
			}
			w.told("user.created", "consent.given")

			w.signIn("ann@example.com", lamp)
			if scripts {
				w.Wait(`!!document.querySelector("form[action='/signin/step'] [name=password]")`)
			} else {
				w.says("Without JavaScript")
				w.Press("button[value=mail_check]")
				_, code := w.letter("ann@example.com")
				w.send("/signin/step", "code", code)
			}
			w.is("")
			w.send("/signin/step", "password", lamp)
			w.told("login.succeeded", "session.created")
			w.is("ann@example.com")
		})
	}
}

// An invitation is taken by somebody new and by who is signed in, and not by the account of somebody else.
func TestWalkWithAnInvitation(t *testing.T) {
	walks(t, func(w *walk) {
		w.first("root@example.com")
		w.signOut()
		w.signUp("ann@example.com")
		w.visit("/account/organizations")
		w.send("/account/organizations", "name", "Acme Jobs")
		w.told("org.created")
		invite := func(email string) string {
			w.visit("/org/acme-jobs/invitations")
			w.Fill(`form:has(#emails)`, "emails", email)
			w.told("invitation.sent")
			link, _ := w.letter(email)
			return link
		}
		news, bobs := invite("new@example.com"), invite("bob@example.com")
		w.signOut()

		w.Open(news)
		w.send("/invitation", "password", lamp)
		w.told("user.created", "invitation.accepted", "member.added", "session.created")
		w.is("new@example.com")
		w.Open(bobs)
		w.says("bob@example.com")
		w.send("/invitation") // the one thing there is to do is to sign out
		w.told("session.revoked")
		w.is("")

		w.signUp("bob@example.com")
		w.Open(bobs)
		w.send("/invitation")
		w.told("invitation.accepted", "member.added")
		w.visit("/org/acme-jobs")
		w.says("Acme Jobs")
	})
}

// Another device is signed out, everything that is known is fetched, and the account is deleted.
func TestWalkOut(t *testing.T) {
	walks(t, func(w *walk) {
		w.first("root@example.com") // so that somebody stays
		w.signOut()
		w.signUp("ann@example.com")
		other := w.Client()
		other.Post("/auth/login", testkit.M{"email": "ann@example.com", "password": lamp}).Want(200)
		w.visit("/account/sessions")
		w.Fill(`li:not(:has(.badge)) form[action^="` + w.Config.Web.Path() + `/account/sessions/"]`)
		w.told("session.revoked")
		other.Get("/auth/me").Want(401)
		w.is("ann@example.com")

		w.visit("/account/data")
		w.send("/account/data/export")
		w.told("export.requested")
		for end := time.Now().Add(time.Minute); !strings.Contains(w.Reads(), "Download"); w.visit("/account/data") {
			if time.Now().After(end) {
				w.Fatalf("no copy within a minute:\n%s", w.Reads())
			}
		}
		file := w.Run(`const f = document.querySelector('form[action$="/account/data/download"]');
			const r = await fetch(f.action, {method: 'POST', body: new URLSearchParams(new FormData(f))});
			return {status: r.status, kind: r.headers.get('Content-Type'), begins: new TextDecoder().decode((await r.arrayBuffer()).slice(0, 2))};`)
		if file["status"] != 200.0 || file["kind"] != "application/zip" || file["begins"] != "PK" {
			w.Errorf("%v", file)
		}
		w.told("export.downloaded")

		w.send("/account/data/delete", "confirm", "ann@example.com")
		w.told("user.deleted")
		w.is("")
	})
}
