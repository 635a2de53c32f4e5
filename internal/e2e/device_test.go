package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
)

// known has devices be known, as they are without configuration.
func known(c *admit.Config) { c.Device = admit.DefaultConfig().Device }

// remembered has devices be known and nobody written to about new ones.
func remembered(c *admit.Config) {
	known(c)
	c.Device.Mail = false
}

// devices are those a person is known on, by what they list.
func devices(c *testkit.Client) (list []m) {
	c.T.Helper()
	for _, d := range c.Get("/auth/devices").Want(200).JSON["items"].([]any) {
		list = append(list, d.(m))
	}
	return list
}

// enterOn signs in with the password.
func enterOn(c *testkit.Client, email string) testkit.Answer {
	c.T.Helper()
	return c.Post("/auth/login", m{"email": email, "password": pass}).Want(200)
}

// The first device of somebody makes no mail, and neither does one they are known on; any other does, once. A device that was forgotten is
// new, also when it is the only one.
func TestNewDevices(t *testing.T) {
	testkit.Each(t, known, func(s *testkit.Server) {
		c := s.Client()
		a := c.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(201)
		s.Events("user.created", "session.created", "login.succeeded", "device.added")
		set := a.Header.Values("Set-Cookie")
		if i := slices.IndexFunc(set, func(line string) bool { return strings.HasPrefix(line, "device=") }); i < 0 ||
			!strings.Contains(set[i], "Path=/;") || !strings.Contains(set[i], "HttpOnly") || !strings.Contains(set[i], "SameSite=Lax") || !strings.Contains(set[i], fmt.Sprint("Max-Age=", 400*24*3600)) {
			t.Errorf("%q", set)
		}
		first := c.Cookie("/", "device")
		c.Post("/auth/logout", nil).Want(200)
		enterOn(c, "ann@example.com")
		if c.Cookie("/", "device") != first {
			t.Error("a device that is known goes on with its secret")
		}
		if n := len(s.Inbox("ann@example.com")); n != 0 {
			t.Fatalf("%d mails", n)
		}
		s.Records()
		other := s.Client()
		other.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
		enterOn(other, "ann@example.com")
		s.Events("session.created", "login.succeeded", "device.added", "message.queued")
		enterOn(other, "ann@example.com")
		mail := s.Letter("ann@example.com")
		if len(s.Inbox("ann@example.com")) != 1 || !strings.Contains(mail.Subject, "New sign-in") || !strings.Contains(mail.Text, "Firefox") || !strings.Contains(linkIn(s, "ann@example.com"), "/not-me?") {
			t.Errorf("%+v", mail)
		}
		list := devices(other)
		if len(list) != 2 || list[0]["name"] != "Firefox on Linux" || list[0]["current"] != true || list[1]["current"] != false || list[0]["ip"] != "127.0.0.1" || list[0]["trusted_until"] != nil {
			t.Errorf("%v", list)
		}
		s.Records()
		other.Do("DELETE", "/auth/devices/"+list[1]["id"].(string), nil).Want(204)
		s.Events("device.forgotten")
		other.Do("DELETE", "/auth/devices/"+list[1]["id"].(string), nil).Want(404, "device_not_found")
		enterOn(c, "ann@example.com")
		if len(s.Inbox("ann@example.com")) != 2 || c.Cookie("/", "device") == first {
			t.Error("a forgotten device is new")
		}
		if a := c.Do("DELETE", "/auth/devices", nil).Want(200); a.JSON["forgotten"] != 2.0 || len(devices(c)) != 0 {
			t.Errorf("%s", a.Body)
		}
		enterOn(c, "ann@example.com")
		if len(s.Inbox("ann@example.com")) != 3 {
			t.Error("the only device is not the first")
		}
		eve := person(s, "eve@example.com")
		eve.Do("DELETE", "/auth/devices/"+devices(c)[0]["id"].(string), nil).Want(404, "device_not_found")
		s.Client().Get("/auth/devices").Want(401)
	})
}

// Nobody is known by a secret that somebody else may have put there: who is new on a device gets a new one, and whoever was known on it goes
// on with that. What is made up, cut or sent twice is nothing.
func TestPlantedDevices(t *testing.T) {
	testkit.Each(t, known, func(s *testkit.Server) {
		eve := person(s, "eve@example.com")
		planted := eve.Cookie("/", "device")
		person(s, "ann@example.com")
		mails := func(email string) int { return len(s.Inbox(email)) }

		shared := s.Client()
		shared.Jar.SetCookies(at(t, s), []*http.Cookie{{Name: "device", Value: planted}})
		enterOn(shared, "ann@example.com")
		if now := shared.Cookie("/", "device"); now == planted || len(now) != 64 || mails("ann@example.com") != 1 {
			t.Fatalf("%q", now)
		}
		enterOn(shared, "eve@example.com")
		enterOn(shared, "ann@example.com")
		if mails("ann@example.com") != 1 || mails("eve@example.com") != 0 {
			t.Error("both are known on what they share")
		}
		copied := s.Client()
		copied.Jar.SetCookies(at(t, s), []*http.Cookie{{Name: "device", Value: planted}})
		enterOn(copied, "ann@example.com")
		if mails("ann@example.com") != 2 {
			t.Error("the copy that was planted opens something")
		}
		for _, cookie := range []string{"device=x", "device=" + strings.Repeat("0", 64), "device=" + strings.ToUpper(shared.Cookie("/", "device")), "device=" + shared.Cookie("/", "device") + "; device=" + planted} {
			before := mails("ann@example.com")
			enterOn(bearing(s, cookie), "ann@example.com")
			if mails("ann@example.com") != before+1 {
				t.Errorf("%s is known", cookie)
			}
		}
	})
}

func at(t testing.TB, s *testkit.Server) *url.URL {
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A program that keeps no cookie is known by its kind and its network, so that not every sign-in of it is a mail. The refresh cookie comes
// with the cookie of the device.
func TestDevicesWithoutCookies(t *testing.T) {
	testkit.Each(t, known, func(s *testkit.Server) {
		person(s, "ann@example.com")
		for range 3 {
			native(s, "ann@example.com")
		}
		if n := len(s.Inbox("ann@example.com")); n != 1 {
			t.Errorf("%d mails for one program", n)
		}
		app := s.Client()
		app.Header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1")
		app.Post("/auth/login?transport=token", m{"email": "ann@example.com", "password": pass}).Want(200)
		if n := len(s.Inbox("ann@example.com")); n != 2 || app.Cookie("/", "device") != "" {
			t.Errorf("%d mails", n)
		}
		form := s.Client()
		for range 2 {
			form.Post("/api/v1/login", url.Values{"username": {"ann@example.com"}, "password": {pass}}).Want(200)
		}
		if n := len(s.Inbox("ann@example.com")); n != 3 || form.Cookie("/", "device") == "" {
			t.Errorf("%d mails", n)
		}
	})
}

// The mail can be switched off, and devices as a whole.
func TestDevicesOff(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { known(c); c.Device.Mail = false }, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		enterOn(s.Client(), "ann@example.com")
		if len(s.Inbox("ann@example.com")) != 0 || len(devices(c)) != 2 {
			t.Error("a mail")
		}
	})
	testkit.Each(t, func(c *admit.Config) { known(c); c.Device.Days = 0 }, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		enterOn(s.Client(), "ann@example.com")
		if len(s.Inbox("ann@example.com")) != 0 || len(devices(c)) != 0 || c.Cookie("/", "device") != "" {
			t.Error("it is known")
		}
	})
}

// A device that was not used for KNOWN_DEVICE_DAYS is known no more, and its row goes.
func TestDevicesAreSwept(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { known(c); c.Device.Days = 10 }, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		rows := func() int64 {
			n, err := database.One[int64](s.Context(), s.App().DB, `SELECT COUNT(*) FROM known_devices`)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		s.Advance(9 * 24 * time.Hour)
		enterOn(c, "ann@example.com")
		s.Advance(9 * 24 * time.Hour)
		if err := s.App().Devices.Sweep(s.Context()); err != nil || rows() != 1 {
			t.Errorf("%v, %d rows", err, rows())
		}
		s.Advance(24 * time.Hour)
		old := bearing(s, "device="+c.Cookie("/", "device"))
		enterOn(old, "ann@example.com")
		if len(s.Inbox("ann@example.com")) != 1 {
			t.Error("it is known still")
		}
		if err := s.App().Devices.Sweep(s.Context()); err != nil || rows() != 1 {
			t.Errorf("%v, %d rows", err, rows())
		}
	})
}

// Whoever is told of a sign-in that was not theirs closes the account to whoever it was, with one click: session, password and device are worth
// nothing, and the way back is in the next mail.
func TestSignInThatWasNotMe(t *testing.T) {
	testkit.Each(t, known, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		eve := s.Client()
		enterOn(eve, "ann@example.com")
		path := linkIn(s, "ann@example.com")
		if page := s.Client().Get(path).Want(200); !strings.Contains(string(page.Body), "from a new device") {
			t.Errorf("%s", page.Body)
		}
		eve.Get("/auth/me").Want(200) // looking did nothing
		s.Records()
		s.Client().Send("/not-me", url.Values{"token": {tokenIn(s, "ann@example.com")}}).Want(200)
		s.Events("password.removed", "session.revoked", "session.revoked", "device.forgotten", "device.forgotten", "account.change_disowned", "message.queued")
		eve.Get("/auth/me").Want(401)
		eve.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(401)
		ann.Post("/auth/password/reset", m{"token": tokenIn(s, "ann@example.com"), "password": "another sentence"}).Want(200)
		ann.Post("/auth/login", m{"email": "ann@example.com", "password": "another sentence"}).Want(200)
		if len(devices(ann)) != 1 {
			t.Error("eve is known")
		}
	})
}

// trusting signs in with both factors and has the browser be trusted.
func trusting(s *testkit.Server, c *testkit.Client, app *authenticator) {
	s.Helper()
	s.Advance(30 * time.Second)
	id := step(c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}))
	c.Post("/auth/mfa/verify", m{"attempt": id, "code": app.code(0), "trust": true}).Want(200)
}

// Who says so is asked for no second factor on this device for a while, and on no other. The session says that it was not shown, and what is
// sensitive asks for it still.
func TestTrustedBrowser(t *testing.T) {
	testkit.Each(t, known, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		app, _ := enrol(s, c)
		a := c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(401, "step_required")
		if a.JSON["attempt"].(m)["trust_days"] != 30.0 {
			t.Errorf("%s", a.Body)
		}
		verify(c, step(a), app.code(0)).Want(200)
		step(c.Post("/auth/login", m{"email": "ann@example.com", "password": pass})) // it was not said
		s.Advance(30 * time.Second)
		s.Records()
		id := step(c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}))
		c.Post("/auth/attempts/"+id+"/answer", m{"values": m{"code": app.code(0)}, "trust": true}).Want(200)
		s.Events("login.begun", "session.revoked", "session.created", "login.succeeded", "device.trusted")
		enterOn(c, "ann@example.com")
		if got := fmt.Sprint(c.Get("/auth/sessions").JSON["items"].([]any)[0].(m)["methods"]); got != "[pwd trusted]" {
			t.Errorf("methods %s", got)
		}
		if devices(c)[0]["trusted_until"] != s.Now().Add(30*24*time.Hour).Format(time.RFC3339) {
			t.Errorf("%v", devices(c))
		}
		s.Advance(11 * time.Minute)
		c.Post("/auth/mfa/totp", nil).Want(403, "reauthentication_required")
		c.Post("/auth/reauthenticate", m{"password": pass}).Want(422, "proof_unsuited")
		c.Post("/auth/reauthenticate", m{"code": app.code(0)}).Want(200)
		halfway(s, "ann@example.com") // another device

		bob := person(s, "bob@example.com") // nor anybody else on the same one
		enrol(s, bob)
		bearing(s, "device="+c.Cookie("/", "device")).Post("/auth/login", m{"email": "bob@example.com", "password": pass}).Want(401, "step_required")

		bearing(s, "device="+c.Cookie("/", "device")).Post("/auth/login", m{"email": "ann@example.com", "password": "wrong"}).Want(401, "invalid_credentials")
		s.Advance(30*24*time.Hour - 13*time.Minute)
		enterOn(c, "ann@example.com")
		s.Advance(2 * time.Minute)
		step(c.Post("/auth/login", m{"email": "ann@example.com", "password": pass})) // using it makes it last no longer
	})
}

// Trust ends with everything after which what was shown on the device does not count.
func TestTrustEnds(t *testing.T) {
	ends := map[string]func(s *testkit.Server, c *testkit.Client, app *authenticator){
		"a new password": func(s *testkit.Server, c *testkit.Client, app *authenticator) {
			c.Post("/auth/password/change", m{"current_password": pass, "new_password": pass}).Want(200)
		},
		"a reset": func(s *testkit.Server, c *testkit.Client, app *authenticator) {
			c.Post("/auth/password/reset", m{"token": forgotten(s, "ann@example.com"), "password": pass}).Want(200)
		},
		"logout everywhere": func(s *testkit.Server, c *testkit.Client, app *authenticator) {
			c.Post("/auth/logout-all", m{"keep_current": true}).Want(200)
		},
		"logout by an operator": func(s *testkit.Server, c *testkit.Client, app *authenticator) {
			if _, err := s.App().Accounts.SignOut(s.Context(), authz.System, userID(c)); err != nil {
				t.Fatal(err)
			}
		},
		"another app": func(s *testkit.Server, c *testkit.Client, app *authenticator) {
			again, _ := enrol(s, c)
			*app = *again
		},
		"forgetting the device": func(s *testkit.Server, c *testkit.Client, app *authenticator) {
			c.Do("DELETE", "/auth/devices/"+devices(c)[0]["id"].(string), nil).Want(204)
		},
		"forgetting all": func(s *testkit.Server, c *testkit.Client, app *authenticator) {
			c.Do("DELETE", "/auth/devices", nil).Want(200)
		},
	}
	testkit.Each(t, known, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		c.Post("/auth/email/verify/resend", nil).Want(202)
		c.Post("/auth/email/verify", m{"code": codeIn(s, "ann@example.com")}).Want(200)
		app, _ := enrol(s, c)
		for what, end := range ends {
			trusting(s, c, app)
			enterOn(c, "ann@example.com")
			s.Advance(30 * time.Second)
			c.Post("/auth/reauthenticate", m{"code": app.code(0)}).Want(200)
			end(s, c, app)
			if a := c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}); a.JSON["code"] != "step_required" {
				t.Errorf("after %s: %d %s", what, a.Status, a.Body)
			}
		}
	})
	never := func(c *admit.Config) { known(c); c.Device.TrustDays = 0 }
	testkit.Each(t, never, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		app, _ := enrol(s, c)
		trusting(s, c, app)
		if a := c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(401, "step_required"); a.JSON["attempt"].(m)["trust_days"] != nil {
			t.Errorf("%s", a.Body)
		}
	})
}
