package e2e_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
)

// locking locks after three wrong answers, knows devices, and believes this machine about where others are.
func locking(c *admit.Config) {
	known(c)
	c.Lockout = admit.DefaultConfig().Lockout
	c.Lockout.After = 3
	c.Web.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// wrongly answers wrongly so many times, each from an address of its own.
func wrongly(s *testkit.Server, email string, times int) (last testkit.Answer) {
	s.Helper()
	for i := range times {
		c := s.Client()
		c.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i+1))
		last = c.Post("/auth/login", m{"email": email, "password": "wrong"})
	}
	return last
}

func locked(t testing.TB, a testkit.Answer, wait time.Duration) {
	t.Helper()
	refused(t, "locked", a.Want(429, "too_many_attempts"))
	if got := a.Header.Get("Retry-After"); got != fmt.Sprint(int(wait.Seconds())) {
		t.Errorf("wait %s, not %v", got, wait)
	}
}

// Each wrong answer after some makes the wait longer, up to a limit, and a right one after it ends that. What is refused meanwhile counts for
// nothing. A name that nobody has is shut in the same way (ENU-07), and after a quiet day all is forgotten.
func TestLockoutGrows(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { locking(c); c.Lockout.MaxMinutes = 5 }, func(s *testkit.Server) {
		person(s, "ann@example.com")
		both := func(wait time.Duration) {
			t.Helper()
			a, b := wrongly(s, "ann@example.com", 1), wrongly(s, "nobody@example.com", 1)
			same(t, "try", a, b)
			if wait > 0 {
				locked(t, a, wait)
			} else {
				a.Want(401, "invalid_credentials")
			}
		}
		both(0)
		both(0)
		for _, minutes := range []time.Duration{1, 2, 4, 5, 5} {
			both(0)
			for range 3 {
				both(minutes * time.Minute)
			}
			s.Advance(minutes*time.Minute - 30*time.Second)
			both(30 * time.Second)
			s.Advance(30 * time.Second)
		}
		signIn(s, "ann@example.com", pass).Want(200)
		wrongly(s, "ann@example.com", 2).Want(401)
		s.Advance(24 * time.Hour)
		wrongly(s, "ann@example.com", 2).Want(401)
		wrongly(s, "nobody@example.com", 2).Want(401)
		wrongly(s, "nobody@example.com", 1).Want(401)
		wrongly(s, "nobody@example.com", 1).Want(429)
	})
}

// RL-07: whoever types wrong passwords from everywhere waits, and its owner does not: they go on on a device they are known on, with a passkey or
// a new password on any other. The right password from elsewhere waits too, and nobody is told that it was right.
func TestGuessesLockNobodyOut(t *testing.T) {
	limits := func(c *admit.Config) { locking(c); c.RateLimit.RateLimit, c.RateLimit.IPPerMinute = "memory", 10_000 }
	testkit.Each(t, limits, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		ann.Post("/auth/email/verify/resend", nil).Want(202)
		ann.Post("/auth/email/verify", m{"code": codeIn(s, "ann@example.com")}).Want(200)
		key := s.NewAuthenticator()
		addPasskey(s, ann, key)
		judged := s.App().Hasher.Stats().Done
		wrongly(s, "ann@example.com", 100).Want(429)
		if n := s.App().Hasher.Stats().Done - judged; n != 3 {
			t.Errorf("%d passwords were judged", n)
		}
		locked(t, signIn(s, "ann@example.com", pass), time.Minute)
		enterOn(ann, "ann@example.com")
		ann.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		enter(s, s.Client(), key).Want(200)
		locked(t, wrongly(s, "ann@example.com", 1), time.Minute) // none of that opened it

		lost := s.Client()
		lost.Post("/auth/password/reset", m{"token": forgotten(s, "ann@example.com"), "password": "another sentence"}).Want(200)
		wrongly(s, "ann@example.com", 100).Want(429)
		lost.Post("/auth/login", m{"email": "ann@example.com", "password": "another sentence"}).Want(200)

		for i := range 5 { // a device that was stolen has no more tries than anybody
			status := 401
			if i >= 3 {
				status = 429
			}
			lost.Post("/auth/login", m{"email": "ann@example.com", "password": "wrong"}).Want(status)
		}
		ann.Post("/auth/login", m{"email": "ann@example.com", "password": "another sentence"}).Want(200)
		person(s, "bob@example.com")
		bearing(s, "device="+ann.Cookie("/", "device")).Post("/auth/login", m{"email": "bob@example.com", "password": "wrong"}).Want(401)
		wrongly(s, "bob@example.com", 2).Want(401)
		bearing(s, "device="+ann.Cookie("/", "device")).Post("/auth/login", m{"email": "bob@example.com", "password": pass}).Want(429)
	})
}

// RL-04 and RL-06: one account has one count, by whatever name and at whatever door, and every door honours it.
func TestEveryDoorHonoursTheLock(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { locking(c); c.Lockout.After = 4 }, func(s *testkit.Server) {
		phone := s.Client()
		phone.Post("/auth/signup", m{"email": "ann@example.com", "username": "ann_o", "phone": "+49 171 1234567", "password": pass}).Want(201)
		tokens, _ := native(s, "ann@example.com")
		open := func() string {
			return s.Client().Post("/auth/attempts", m{"identifier": "ann@example.com"}).Want(201).Text("id")
		}
		before := open()
		doors := map[string]func(password string) testkit.Answer{
			"by address": func(p string) testkit.Answer { return signIn(s, "ANN@Example.com ", p) },
			"by username": func(p string) testkit.Answer {
				return s.Client().Post("/auth/login?transport=token", m{"username": "Ann_O", "password": p})
			},
			"by form": func(p string) testkit.Answer {
				return s.Client().Post("/api/v1/login", url.Values{"username": {"+49 (171) 123-45 67"}, "password": {p}})
			},
			"in an attempt": func(p string) testkit.Answer {
				return s.Client().Post("/auth/attempts/"+open()+"/answer", m{"values": m{"password": p}})
			},
			"in an attempt from before": func(p string) testkit.Answer {
				return s.Client().Post("/auth/attempts/"+before+"/answer", m{"values": m{"password": p}})
			},
			"proving again": func(p string) testkit.Answer { return tokens.Post("/auth/reauthenticate", m{"password": p}) },
			"changing it": func(p string) testkit.Answer {
				return tokens.Post("/auth/password/change", m{"current_password": p, "new_password": "another sentence"})
			},
		}
		for _, door := range []string{"by address", "by form", "proving again", "changing it"} {
			if a := doors[door]("wrong"); a.Status != 401 && a.Status != 403 {
				t.Fatalf("%s: %s", door, a.Body)
			}
		}
		for what, door := range doors {
			for _, p := range []string{"wrong", pass} {
				if a := door(p); a.Status != 429 || a.Header.Get("Retry-After") != "60" {
					t.Errorf("%s: %d %s", what, a.Status, a.Body)
				}
			}
		}
		enterOn(phone, "ann@example.com")
		tokens.Get("/auth/me").Want(200) // who is in stays in
	})
}

// RL-08: guesses at codes count together with those at the password, over however many sign-ins and days, and a right password forgets none.
// The owner is told once.
func TestGuessedCodesLock(t *testing.T) {
	testkit.Each(t, locking, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		app, _ := enrol(s, ann)
		attempts := []string{halfway(s, "ann@example.com"), halfway(s, "ann@example.com"), halfway(s, "ann@example.com"), halfway(s, "ann@example.com")}
		before := len(s.Inbox("ann@example.com"))
		for i, id := range attempts {
			status := 401
			if i == 3 {
				status = 429
			}
			verify(s.Client(), id, "000000").Want(status)
		}
		signIn(s, "ann@example.com", pass).Want(429)
		s.Advance(time.Minute)
		id := halfway(s, "ann@example.com")
		verify(s.Client(), id, "000000").Want(401)
		verify(s.Client(), id, app.code(0)).Want(429)
		if n := len(s.Inbox("ann@example.com")) - before; n != 1 {
			t.Errorf("%d mails", n)
		}
		verify(ann, step(ann.Post("/auth/login", m{"email": "ann@example.com", "password": pass})), app.code(0)).Want(200)
	})
}

// RL-05: a right answer forgets what was wrong at its own account, and nothing of the address it comes from. Whoever tries many accounts from one
// address waits, and neither anybody elsewhere nor who is known there does.
func TestOneAddressManyAccounts(t *testing.T) {
	limits := func(c *admit.Config) {
		locking(c)
		c.RateLimit.RateLimit, c.RateLimit.IPPerMinute, c.RateLimit.IPGuessBurst = "memory", 10_000, 8
	}
	testkit.Each(t, limits, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		person(s, "eve@example.com")
		from := func(email, password string) testkit.Answer { return signIn(s, email, password) }
		for i := range 8 {
			from(fmt.Sprintf("n%d@example.com", i), "wrong").Want(401)
			if i < 7 {
				from("eve@example.com", pass).Want(200)
			}
		}
		from("n9@example.com", "wrong").Want(429, "too_many_attempts")
		from("eve@example.com", pass).Want(429)
		elsewhere := s.Client()
		elsewhere.Header.Set("X-Forwarded-For", "203.0.113.9")
		enterOn(elsewhere, "eve@example.com")
		enterOn(ann, "ann@example.com")
		s.Advance(time.Minute)
		from("n9@example.com", "wrong").Want(401)
		from("n9@example.com", "wrong").Want(429)
	})
}

// RL-03: of many wrong answers at once no more are judged than the limits allow, and the account locks once and is written to once.
func TestBurstLocksOnce(t *testing.T) {
	limits := func(c *admit.Config) {
		locking(c)
		c.RateLimit.RateLimit, c.RateLimit.IPPerMinute, c.RateLimit.IdentifierBurst = "memory", 10_000, 5
		c.Lockout.After = 5
	}
	testkit.Each(t, limits, func(s *testkit.Server) {
		person(s, "ann@example.com")
		before := s.App().Hasher.Stats().Done
		tally(t, together(64, func(i int) testkit.Answer { return signIn(s, "ann@example.com", fmt.Sprint("guess number ", i)) }), map[int]int{401: 5, 429: 59})
		if n := s.App().Hasher.Stats().Done - before; n != 5 {
			t.Errorf("%d passwords were judged", n)
		}
		kinds := map[string]int{}
		for _, r := range s.Records() {
			kinds[r.Kind]++
		}
		if kinds["account.locked"] != 1 || kinds["login.failed"] != 5 || len(s.Inbox("ann@example.com")) != 1 {
			t.Errorf("%v, %d mails", kinds, len(s.Inbox("ann@example.com")))
		}
	})
}

// The count is one for all servers on a store, and outlives them.
func TestLockoutOutlivesServers(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg, clock := testkit.Config(t, testkit.DatabaseURL(t, engine)), testkit.NewClock()
			locking(&cfg)
			one, two := testkit.Start(t, cfg, clock), testkit.Start(t, cfg, clock)
			person(one, "ann@example.com")
			wrongly(one, "ann@example.com", 2).Want(401)
			wrongly(two, "ann@example.com", 1).Want(401)
			locked(t, signIn(one, "ann@example.com", pass), time.Minute)
			locked(t, signIn(testkit.Start(t, cfg, clock), "ann@example.com", pass), time.Minute)
		})
	}
}

// The mail about a lock has a link that opens the account and has its owner be known on the device, so that the next lock does not keep them out.
// Looking at it does nothing. It is of one account.
func TestUnlockByMail(t *testing.T) {
	testkit.Each(t, locking, func(s *testkit.Server) {
		person(s, "ann@example.com")
		wrongly(s, "ann@example.com", 3).Want(401)
		s.Events("login.failed", "login.failed", "login.failed", "account.locked", "message.queued")
		if mail := s.Letter("ann@example.com"); !strings.Contains(mail.Subject, "guessing") || strings.Contains(mail.Text, "wrong\n") {
			t.Errorf("%+v", mail)
		}
		path, token := linkIn(s, "ann@example.com"), tokenIn(s, "ann@example.com")
		c := s.Client()
		if page := c.Get(path).Want(200); !strings.Contains(string(page.Body), "ann@example.com") || c.Cookie("/", "device") != "" {
			t.Errorf("%s", page.Body)
		}
		signIn(s, "ann@example.com", pass).Want(429)
		c.Send("/unlock", url.Values{"token": {token}}).Want(200)
		s.Events("account.unlocked", "device.added")
		wrongly(s, "ann@example.com", 4).Want(429)
		enterOn(c, "ann@example.com")
		s.Client().Post("/auth/unlock", m{"token": token}).Want(400, "link_invalid")

		d := s.Client()
		d.Post("/auth/unlock", m{"token": tokenIn(s, "ann@example.com")}).Want(200)
		if d.Cookie("/", "device") == "" {
			t.Error("the device is not known")
		}
		signIn(s, "ann@example.com", pass).Want(200)
		for _, token := range []string{"", "nothing", strings.Repeat("A", 26)} {
			s.Client().Post("/auth/unlock", m{"token": token}).Want(400, "link_invalid")
		}
		if n := len(s.Inbox("nobody@example.com")); n != 0 {
			t.Error("nobody is written to")
		}
		wrongly(s, "nobody@example.com", 3).Want(401)
		if n := len(s.Inbox("nobody@example.com")); n != 0 {
			t.Errorf("%d mails to nobody", n)
		}
	})
}

// Who may help people sees who is locked, and unlocks them; nobody else does.
func TestOperatorsUnlock(t *testing.T) {
	testkit.Each(t, locking, func(s *testkit.Server) {
		ann, root := person(s, "ann@example.com"), person(s, "root@example.com")
		id := userID(ann)
		s.Grant(userID(root), "super_admin")
		at := "/api/v1/users/" + id
		wrongly(s, "ann@example.com", 4).Want(429)
		a := root.Get(at).Want(200)
		if a.JSON["failed_attempts"] != 3.0 || a.JSON["locked_until"] != s.Now().Add(time.Minute).Format(time.RFC3339) {
			t.Errorf("%s", a.Body)
		}
		items := root.Get("/api/v1/users").Want(200).JSON["items"].([]any)
		if i := slices.IndexFunc(items, func(u any) bool { return u.(m)["id"] == id }); items[i].(m)["failed_attempts"] != 3.0 || items[1-i].(m)["locked_until"] != nil {
			t.Errorf("%v", items)
		}
		ann.Post(at+"/unlock", nil).Want(403)
		s.Records()
		if a := root.Post(at+"/unlock", nil).Want(200); a.JSON["failed_attempts"] != 0.0 || a.JSON["locked_until"] != nil {
			t.Errorf("%s", a.Body)
		}
		s.Events("account.unlocked")
		root.Post(at+"/unlock", nil).Want(200)
		s.Events()
		for _, status := range []int{401, 401, 401, 429} { // on her own device
			ann.Post("/auth/login", m{"email": "ann@example.com", "password": "wrong"}).Want(status)
		}
		root.Post(at+"/unlock", nil).Want(200)
		enterOn(ann, "ann@example.com")
		signIn(s, "ann@example.com", pass).Want(200)
		wrongly(s, "ann@example.com", 3).Want(401)
		s.Advance(25 * time.Hour)
		enterOn(root, "root@example.com")
		if a := root.Get(at).Want(200); a.JSON["failed_attempts"] != 0.0 {
			t.Errorf("%s", a.Body)
		}
		if err := s.App().Locks.Sweep(s.Context()); err != nil {
			t.Fatal(err)
		}
		if n, err := database.One[int64](s.Context(), s.App().DB, `SELECT COUNT(*) FROM lockouts`); err != nil || n != 0 {
			t.Errorf("%d rows, %v", n, err)
		}
		root.Post("/api/v1/users/nobody/unlock", nil).Want(http.StatusNotFound)
	})
}
