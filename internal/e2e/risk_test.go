package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/risk"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/testkit/geoip"
	"github.com/admit-dev/admit/internal/user"
)

const firefox, chrome = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// watching knows devices, counts what networks do, and believes this machine about where others are. It does what docs/risk.md recommends, but
// for what needs a database of addresses.
func watching(c *admit.Config) {
	remembered(c)
	c.RateLimit.RateLimit, c.RateLimit.IPPerMinute = "memory", 10_000
	c.Web.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	c.Risk.NewDevice, c.Risk.Velocity, c.Risk.Stuffing, c.Risk.Bot, c.Risk.Fixation = risk.Notify, risk.Challenge, risk.Challenge, risk.Notify, risk.Block
	c.Risk.Failures, c.Risk.Names, c.Risk.SignUps = 4, 3, 2
}

// located is watching with a database of addresses.
func located(t *testing.T) func(c *admit.Config) {
	return func(c *admit.Config) {
		watching(c)
		c.Risk.Travel, c.Risk.GeoIP = risk.StepUp, []string{geoip.Write(t)}
	}
}

// netAt is a client at an address, with a browser.
func netAt(s *testkit.Server, ip string) *testkit.Client {
	c := s.Client()
	move(c, ip, firefox)
	return c
}

func move(c *testkit.Client, ip, browser string) {
	c.Header.Set("X-Forwarded-For", ip)
	c.Header.Set("User-Agent", browser)
}

// proven makes a person whose address is known to be theirs, at an address of the network.
func proven(s *testkit.Server, email, ip string) *testkit.Client {
	s.Helper()
	c := netAt(s, ip)
	c.Post("/auth/signup", m{"email": email, "password": pass})
	id := tryIn(c, email, pass).Want(200).Text("id")
	if err := s.App().DB.Write(s.Context(), func(tx *database.Tx) error { return user.VerifyEmail(tx, id, email) }); err != nil {
		s.Fatal(err)
	}
	s.Records()
	return c
}

// seen is what was told of risks since the last time: "outcome signal,signal".
func seen(s *testkit.Server) (list []string) {
	s.Helper()
	for _, r := range s.Records() {
		if r.Kind != "risk.detected" {
			continue
		}
		var d risk.Detected
		if err := json.Unmarshal(r.Data, &d); err != nil {
			s.Fatal(err)
		}
		var signals []string
		for _, why := range d.Reasons {
			if why.Why == "" || len(why.Why) > 200 {
				s.Errorf("%s says %q", why.Signal, why.Why)
			}
			signals = append(signals, string(why.Signal))
		}
		list = append(list, string(d.Outcome)+" "+strings.Join(signals, ","))
	}
	return list
}

func sees(s *testkit.Server, want ...string) {
	s.Helper()
	if got := seen(s); !slices.Equal(got, want) {
		s.Errorf("told %q, want %q", got, want)
	}
}

// wanted is the attempt that an answer asks to go on with.
func wanted(a testkit.Answer, method string) (id string, challenge m) {
	a.T.Helper()
	attempt, _ := a.Want(401, "step_required").JSON["attempt"].(map[string]any)
	prompt, _ := attempt["prompt"].(map[string]any)
	if prompt["method"] != method {
		a.T.Fatalf("asks %v, want %s", prompt["method"], method)
	}
	challenge, _ = prompt["challenge"].(map[string]any)
	id, _ = attempt["id"].(string)
	return id, challenge
}

// solve does the work.
func solve(t testing.TB, c m) string {
	t.Helper()
	below, _ := c["below"].(float64)
	for n := range int(below) {
		if sum := sha256.Sum256([]byte(c["salt"].(string) + strconv.Itoa(n))); hex.EncodeToString(sum[:]) == c["hash"] {
			return strconv.Itoa(n)
		}
	}
	t.Fatalf("%v has no solution", c)
	return ""
}

func tryIn(c *testkit.Client, email, password string) testkit.Answer {
	c.T.Helper()
	return c.Post("/auth/login", m{"email": email, "password": password})
}

func answer(c *testkit.Client, attempt string, values m) testkit.Answer {
	c.T.Helper()
	return c.Post("/auth/attempts/"+attempt+"/answer", m{"values": values})
}

// Nothing is told of somebody who signs up, signs out and in again, mistypes once, and moves to another network with their device.
func TestNothingIsUnusualOfMostPeople(t *testing.T) {
	all := func(c *admit.Config) {
		located(t)(c)
		c.Risk.NewDevice, c.Risk.Travel, c.Risk.Velocity, c.Risk.Stuffing, c.Risk.Bot, c.Risk.Fixation = risk.Block, risk.Block, risk.Block, risk.Block, risk.Block, risk.Block
	}
	testkit.Each(t, all, func(s *testkit.Server) {
		ann := proven(s, "ann@example.com", geoip.Berlin)
		tryIn(ann, "ann@example.com", "wrong").Want(401)
		tryIn(ann, "ann@example.com", pass).Want(200)
		s.Advance(2 * time.Hour)
		move(ann, geoip.Munich, firefox)
		id := ann.Post("/auth/attempts", m{"identifier": "ann@example.com"}).Want(201).Text("id")
		move(ann, geoip.Berlin, firefox)
		answer(ann, id, m{"password": pass}).Want(200)
		s.Advance(20 * time.Hour)
		move(ann, geoip.Tokyo, firefox)
		tryIn(ann, "ann@example.com", pass).Want(200)
		sees(s)
	})
}

// Until somebody asks for it nothing is looked at: whatever happens, there is no event, no step and no refusal that was not there before.
func TestRisksAreOffAtFirst(t *testing.T) {
	off := func(c *admit.Config) {
		located(t)(c)
		known := c.Risk.GeoIP
		c.Risk = admit.DefaultConfig().Risk
		c.Risk.Failures, c.Risk.Names, c.Risk.SignUps, c.Risk.GeoIP = 1, 2, 1, known
	}
	testkit.Each(t, off, func(s *testkit.Server) {
		proven(s, "ann@example.com", geoip.Berlin)
		if s.App().Risk.AsksDevices() {
			t.Error("devices are asked for")
		}
		eve := s.Client()
		move(eve, geoip.Tokyo, "Mozilla/5.0 HeadlessChrome/140.0")
		for i := range 3 {
			tryIn(eve, fmt.Sprintf("nobody%d@example.com", i), "wrong").Want(401, "invalid_credentials")
			eve.Post("/auth/signup", m{"email": fmt.Sprintf("eve%d@example.com", i), "password": pass}).Want(201)
		}
		sees(s)
		id := netAt(s, geoip.Berlin).Post("/auth/attempts", m{"identifier": "ann@example.com"}).Want(201).Text("id")
		s.Events("login.begun")
		answer(eve, id, m{"password": pass}).Want(200)
		s.Events("session.created", "login.succeeded", "device.added")
	})
}

// A sign-in on a new device is told of, and goes on; or takes a code from the mail; or is refused, until its owner has shown by mail that
// the device is theirs. A password that was wrong learns none of it.
func TestNewDevicesAreARisk(t *testing.T) {
	for _, outcome := range []risk.Outcome{risk.Off, risk.Notify, risk.Challenge, risk.StepUp, risk.Block} {
		testkit.Each(t, func(c *admit.Config) { watching(c); c.Risk.NewDevice = outcome }, func(s *testkit.Server) {
			proven(s, "ann@example.com", geoip.Berlin)
			c := netAt(s, geoip.Munich)
			tryIn(c, "ann@example.com", "wrong").Want(401, "invalid_credentials")
			sees(s)
			a := tryIn(c, "ann@example.com", pass)
			switch outcome {
			case risk.Off:
				a.Want(200)
				sees(s)
				return
			case risk.Notify:
				a.Want(200)
			case risk.Challenge:
				id, work := wanted(a, "human")
				answer(c, id, m{"solution": solve(t, work)}).Want(200)
			case risk.StepUp:
				id, _ := wanted(a, "mail_check")
				answer(c, id, m{"code": "000000"}).Want(401, "code_invalid")
				answer(c, id, m{"code": codeIn(s, "ann@example.com")}).Want(200)
				if list := c.Get("/auth/sessions").Want(200); strings.Contains(string(list.Body), `"mfa"`) {
					t.Errorf("a code by mail makes no second factor: %s", list.Body)
				}
			case risk.Block:
				a.Want(403, "risk_blocked")
				mailed := netAt(s, geoip.Munich) // their mail is worth as much as a link to reset the password
				id := mailed.Post("/auth/otp", m{"email": "ann@example.com"}).Want(202).Text("attempt")
				mailed.Post("/auth/otp/verify", m{"attempt": id, "code": codeIn(s, "ann@example.com")}).Want(200)
				c.Post("/auth/password/forgot", m{"email": "ann@example.com"}).Want(202)
				link := s.Letter("ann@example.com").Links[0]
				_, token, _ := strings.Cut(link, "token=")
				c.Post("/auth/password/reset", m{"token": token, "password": pass + "2"}).Want(200)
				tryIn(c, "ann@example.com", pass+"2").Want(200)
			}
			want, password := []string{string(outcome) + " new_device"}, pass
			if outcome == risk.Block {
				want, password = append(want, "step_up new_device"), pass+"2"
			}
			sees(s, want...)
			tryIn(c, "ann@example.com", password).Want(200)
			sees(s)
		})
	}
}

// Nobody is in Berlin and in Tokyo within an hour: more is asked, also on a device that is known and trusted, and its person gets a mail. A day later
// somebody may be. Who has a second factor shows that one.
func TestImpossibleTravel(t *testing.T) {
	testkit.Each(t, located(t), func(s *testkit.Server) {
		ann := proven(s, "ann@example.com", geoip.Berlin)
		s.Advance(time.Hour)
		move(ann, geoip.Tokyo, firefox)
		id, _ := wanted(tryIn(ann, "ann@example.com", pass), "mail_check")
		sees(s, "step_up impossible_travel")
		answer(ann, id, m{"code": codeIn(s, "ann@example.com")}).Want(200)
		if subject := s.Letter("ann@example.com").Subject; !strings.Contains(strings.ToLower(subject), "sign-in") {
			t.Errorf("the mail says %q", subject)
		}
		s.Advance(20 * time.Hour)
		move(ann, geoip.Berlin, firefox)
		tryIn(ann, "ann@example.com", pass).Want(200)
		sees(s)

		enrol(s, ann)
		s.Records()
		s.Advance(time.Hour)
		move(ann, geoip.Tokyo, firefox)
		wanted(tryIn(ann, "ann@example.com", pass), "totp")
		sees(s, "step_up impossible_travel")
	})
}

// Too many wrong answers from a network have every stranger there prove that they are no program, whoever they name; not those who are on a
// device of theirs, nor who shows what cannot be guessed. It is over after a while.
func TestVelocity(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { strict(c); watching(c); c.Risk.Stuffing = risk.Off }, func(s *testkit.Server) {
		ann := proven(s, "ann@example.com", "203.0.113.7")
		early := map[string]string{}
		for _, name := range []string{"ann@example.com", "nobody@example.com"} {
			early[name] = netAt(s, "203.0.113.7").Post("/auth/attempts", m{"identifier": name}).Want(201).Text("id")
		}
		for range 4 {
			tryIn(netAt(s, "203.0.113.7"), "eve@example.com", "wrong").Want(401, "invalid_credentials")
		}
		sees(s)
		stranger := netAt(s, "203.0.113.7")
		a, b := tryIn(stranger, "ann@example.com", pass), tryIn(netAt(s, "203.0.113.7"), "nobody@example.com", pass)
		id, work := wanted(a, "human")
		nobody, other := wanted(b, "human")
		a.Body, b.Body = blur(a.Body, id, work), blur(b.Body, nobody, other)
		alike(t, "whoever is named", a, b)
		sees(s, "challenge velocity", "challenge velocity")

		tryIn(ann, "ann@example.com", pass).Want(200)
		sees(s, "notify velocity")
		stranger.Post("/auth/otp", m{"email": "ann@example.com"}).Want(202)
		sees(s)
		tryIn(netAt(s, "203.0.114.7"), "ann@example.com", pass).Want(200)
		seen(s)

		// One solution is good in its own attempt, once.
		answer(stranger, id, m{"solution": solve(t, other)}).Want(400, "challenge_wrong")
		solution := solve(t, work)
		a = answer(stranger, id, m{"solution": solution})
		password, _ := wanted(a, "password")
		answer(stranger, id, m{"solution": solution}).Want(404, "attempt_not_found")
		answer(stranger, password, m{"solution": solution}).Want(401)
		answer(stranger, password, m{"password": pass}).Want(200)
		id, _ = wanted(answer(netAt(s, "203.0.113.7"), nobody, m{"solution": solve(t, other)}), "password")
		answer(netAt(s, "203.0.113.7"), id, m{"password": pass}).Want(401, "invalid_credentials")

		// Who begins with what cannot be guessed is asked all the same when they turn to what can, and so is who began before.
		for _, name := range []string{"ann@example.com", "nobody@example.com"} {
			for _, begun := range []m{{"identifier": name, "method": "email"}, {"identifier": name, "method": "passkey"}} {
				c := netAt(s, "203.0.113.7")
				id := c.Post("/auth/attempts", begun).Want(201).Text("id")
				wanted(answer(c, id, m{"password": pass}), "human")
				step := c.Post("/auth/attempts/"+id+"/method", m{"method": "password"}).Want(200)
				if prompt := step.JSON["prompt"].(m); prompt["method"] != "human" || step.Text("id") == id {
					t.Errorf("%v goes on with %s", begun, step.Body)
				}
			}
			wanted(answer(netAt(s, "203.0.113.7"), early[name], m{"password": pass}), "human")
		}

		// Without scripts a code by mail stands in for it, and it is a way to sign in.
		stranger = netAt(s, "203.0.113.7")
		id, _ = wanted(tryIn(stranger, "ann@example.com", pass), "human")
		stranger.Post("/auth/attempts/"+id+"/method", m{"method": "email"}).Want(200)
		answer(stranger, id, m{"code": codeIn(s, "ann@example.com")}).Want(200)

		s.Advance(2 * time.Hour)
		seen(s)
		tryIn(netAt(s, "203.0.113.7"), "ann@example.com", "wrong").Want(401, "invalid_credentials")
		sees(s)
	})
}

// blur takes from an answer what is different each time.
func blur(body []byte, id string, c m) []byte {
	return []byte(strings.NewReplacer(id, "ID", c["salt"].(string), "SALT", c["hash"].(string), "HASH").Replace(string(body)))
}

// Where no way to sign in by mail is offered, a code by mail still stands in for the work, and opens nothing by itself.
func TestChallengeWithoutScripts(t *testing.T) {
	none := func(c *admit.Config) { watching(c); c.OTP.Email, c.OTP.Link = false, false }
	testkit.Each(t, none, func(s *testkit.Server) {
		proven(s, "ann@example.com", "203.0.113.7")
		for range 4 {
			tryIn(netAt(s, "203.0.113.7"), "eve@example.com", "wrong").Want(401)
		}
		c := netAt(s, "203.0.113.7")
		id, _ := wanted(tryIn(c, "ann@example.com", pass), "human")
		c.Post("/auth/attempts/"+id+"/method", m{"method": "mail_check"}).Want(200)
		id, _ = wanted(answer(c, id, m{"code": codeIn(s, "ann@example.com")}), "password")
		answer(c, id, m{"password": pass}).Want(200)
		id, _ = wanted(tryIn(c, "nobody@example.com", pass), "human")
		c.Post("/auth/attempts/"+id+"/method", m{"method": "mail_check"}).Want(200)
		answer(c, id, m{"code": "123456"}).Want(401, "code_invalid")
		if n := len(s.Inbox("nobody@example.com")); n != 0 {
			t.Errorf("%d mails to nobody", n)
		}
	})
}

// Wrong answers count for the /24 and for the provider too, where many addresses are of one hand.
func TestVelocityOfNetworks(t *testing.T) {
	for name, c := range map[string]struct{ from, victim string }{
		"network":  {"203.0.113.%d", "203.0.113.250"},
		"provider": {"198.51.%d.1", "198.51.250.1"},
	} {
		t.Run(name, func(t *testing.T) {
			known := func(cfg *admit.Config) {
				located(t)(cfg)
				cfg.Risk.Failures = 1
			}
			testkit.Each(t, known, func(s *testkit.Server) {
				many := 5
				if name == "provider" {
					many = 50
				}
				for i := range many {
					tryIn(netAt(s, fmt.Sprintf(c.from, i)), fmt.Sprintf("eve%d@example.com", i%10), "wrong").Want(401, "invalid_credentials")
				}
				sees(s)
				wanted(tryIn(netAt(s, c.victim), "nobody@example.com", "wrong"), "human")
				tryIn(netAt(s, "192.0.2.1"), "nobody@example.com", "wrong").Want(401, "invalid_credentials")
				sees(s, "challenge velocity")
			})
		})
	}
}

// A list that is tried from one address is noticed before any account locks, and whether its accounts exist plays no part.
func TestCredentialStuffing(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { watching(c); c.Risk.Failures, c.Risk.Stuffing = 1000, risk.Block }, func(s *testkit.Server) {
		ann := proven(s, "ann@example.com", "203.0.113.7")
		thief := netAt(s, "203.0.113.7")
		for range 5 {
			tryIn(thief, "ann@example.com", "wrong").Want(401)
		}
		tryIn(thief, "bob@example.com", "wrong").Want(401)
		sees(s)
		tryIn(thief, "eve@example.com", "wrong").Want(401)
		tryIn(thief, "ann@example.com", pass).Want(403, "risk_blocked")
		tryIn(thief, "nobody@example.com", pass).Want(403, "risk_blocked")
		sees(s, "block credential_stuffing", "block credential_stuffing")
		tryIn(ann, "ann@example.com", pass).Want(200)
		sees(s, "notify credential_stuffing")
		id := thief.Post("/auth/otp", m{"email": "ann@example.com"}).Want(202).Text("attempt")
		thief.Post("/auth/otp/verify", m{"attempt": id, "code": codeIn(s, "ann@example.com")}).Want(200)
	})
}

// What says that it is a program without a person is treated as one, and libraries that make requests are not.
func TestBots(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) {
		watching(c)
		c.Risk.Bot, c.Risk.SignUps, c.Risk.NewDevice = risk.Challenge, 100, risk.Off
	}, func(s *testkit.Server) {
		proven(s, "ann@example.com", geoip.Berlin)
		c := s.Client()
		for _, fine := range []string{"", "curl/8.5.0", "python-requests/2.32", "okhttp/4.12.0", chrome, firefox} {
			move(c, geoip.Berlin, fine)
			tryIn(c, "ann@example.com", pass).Want(200)
		}
		sees(s)
		for _, program := range []string{"Mozilla/5.0 HeadlessChrome/140.0", "sqlmap/1.8", "Googlebot/2.1 (+http://www.google.com/bot.html)"} {
			c := s.Client()
			move(c, geoip.Berlin, program)
			wanted(tryIn(c, "ann@example.com", pass), "human")
			wanted(c.Post("/auth/signup", m{"email": "bot@example.com", "password": pass}), "human")
			sees(s, "challenge bot", "challenge bot")
		}
	})
}

// A sign-in that somebody began on their machine and planted in the browser of another goes nowhere. Its owner begins again.
func TestSessionFixation(t *testing.T) {
	testkit.Each(t, watching, func(s *testkit.Server) {
		ann := proven(s, "ann@example.com", geoip.Berlin)
		eve := s.Client()
		move(eve, geoip.Tokyo, chrome)
		id := eve.Post("/auth/attempts", m{"identifier": "ann@example.com"}).Want(201).Text("id")
		answer(ann, id, m{"password": pass}).Want(403, "risk_blocked")
		ann.Post("/auth/attempts/"+id+"/method", m{"method": "email"}).Want(403, "risk_blocked")
		sees(s, "block session_fixation", "block session_fixation")
		tryIn(ann, "ann@example.com", pass).Want(200)
		sees(s)
	})
}

// A sign-up from where many came is asked for the work first, at each door, under each rule of what may be told; what was solved makes one
// account, of the address that it was asked for.
func TestSignUpIsChallenged(t *testing.T) {
	for _, enumeration := range []string{"compat", "strict"} {
		for _, path := range []string{"/auth/signup", "/api/v1/register"} {
			testkit.Each(t, func(c *admit.Config) { watching(c); c.Login.Enumeration = enumeration }, func(s *testkit.Server) {
				c := netAt(s, "203.0.113.7")
				made := 201
				if enumeration == "strict" {
					made = 202
				}
				up := func(email string, given m) testkit.Answer {
					body := m{"email": email, "password": pass, "consents": []m{{"document": "terms", "version": "2"}}}
					if path != "/auth/signup" {
						body["username"] = strings.Split(email, "@")[0] + "name"
					}
					if given != nil {
						body["challenge"] = given
					}
					return c.Post(path, body)
				}
				up("ann@example.com", nil).Want(made)
				up("bob@example.com", nil).Want(made)
				id, work := wanted(up("carl@example.com", nil), "human")
				if enumeration == "strict" {
					wanted(up("ann@example.com", nil), "human")
				}
				seen(s)
				answer(c, id, m{"solution": solve(t, work)}).Want(404, "attempt_not_found")
				up("carl@example.com", m{"attempt": id, "values": m{"solution": "-1"}}).Want(400, "challenge_wrong")
				right := m{"attempt": id, "values": m{"solution": solve(t, work)}}
				wanted(up("other@example.com", right), "human")
				up("carl@example.com", right).Want(made)
				wanted(up("carl@example.com", right), "human")
				signed := c.Post("/auth/attempts", m{"identifier": "dora@example.com"}).Want(201).Text("id")
				wanted(up("dora@example.com", m{"attempt": signed, "values": m{"password": pass}}), "human")

				id, _ = wanted(up("dora@example.com", nil), "human")
				c.Post("/auth/attempts/"+id+"/method", m{"method": "mail_check"}).Want(200)
				up("dora@example.com", m{"attempt": id, "values": m{"code": codeIn(s, "dora@example.com")}}).Want(made)
				for _, made := range []string{"ann", "carl", "dora"} {
					in := s.Client()
					tryIn(in, made+"@example.com", pass).Want(200)
					if list := in.Get("/auth/me/consents").Want(200); !strings.Contains(string(list.Body), `"version":"2"`) {
						t.Errorf("%s agreed to %s", made, list.Body)
					}
				}
				signIn(s, "other@example.com", pass).Want(401)
			})
		}
	}
}

// The captcha of each service is believed when it says yes. One that does not answer lets nobody in and shuts nobody out.
func TestCaptchas(t *testing.T) {
	for _, provider := range []string{"turnstile", "hcaptcha", "recaptcha"} {
		t.Run(provider, func(t *testing.T) {
			var mood string
			fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ok := r.FormValue("secret") == "the secret" && r.FormValue("response") == "good" && r.FormValue("remoteip") == "203.0.113.7" && r.Method == "POST"
				w.Header().Set("Content-Type", "application/json")
				switch {
				case mood == "down":
					w.WriteHeader(503)
				case mood == "misconfigured":
					fmt.Fprint(w, `{"success":false,"error-codes":["invalid-input-secret"]}`)
				case ok:
					fmt.Fprint(w, `{"success":true,"challenge_ts":"2031-05-06T07:08:09Z","hostname":"localhost"}`)
				case r.FormValue("response") == "no token":
					w.WriteHeader(400)
					fmt.Fprint(w, `{"success":false,"error-codes":["bad-request"]}`)
				case r.FormValue("response") == "another site's":
					fmt.Fprint(w, `{"success":false,"error-codes":["sitekey-secret-mismatch"]}`)
				case r.FormValue("response") == "bad":
					fmt.Fprint(w, `{"success":false,"error-codes":["invalid-input-response"]}`)
				default: // no client shall bring about an answer that turns the captcha off
					w.WriteHeader(500)
				}
			}))
			t.Cleanup(fake.Close)
			cfg := testkit.Config(t, testkit.DatabaseURL(t, testkit.Engines()[0]))
			watching(&cfg)
			cfg.Outbound.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			cfg.Human.Provider, cfg.Human.SiteKey, cfg.Human.Secret, cfg.Human.URL = provider, "the key", "the secret", fake.URL
			s := testkit.Start(t, cfg, testkit.NewClock())
			proven(s, "ann@example.com", "203.0.113.7")
			for range 4 {
				tryIn(netAt(s, "203.0.113.7"), "eve@example.com", "wrong")
			}
			c := netAt(s, "203.0.113.7")
			id, shown := wanted(tryIn(c, "ann@example.com", pass), "human")
			if shown["kind"] != "captcha" || shown["provider"] != provider || shown["site_key"] != "the key" || shown["salt"] != nil {
				t.Fatalf("shows %v", shown)
			}
			answer(c, id, m{"solution": "1"}).Want(400, "challenge_wrong")
			for _, bad := range []string{"bad", "no token", "another site's", strings.Repeat("long", 5000)} {
				answer(c, id, m{"token": bad}).Want(400, "challenge_wrong")
			}
			id, _ = wanted(answer(c, id, m{"token": "good"}), "password")
			answer(c, id, m{"password": pass}).Want(200)

			for _, mood = range []string{"down", "misconfigured"} {
				c = netAt(s, "203.0.113.7")
				id, _ = wanted(tryIn(c, "ann@example.com", pass), "human")
				answer(c, id, m{"token": "good"}).Want(503, "challenge_unavailable")
				step := c.Post("/auth/attempts/"+id+"/method", m{"method": "human"}).Want(200)
				prompt := step.JSON["prompt"].(map[string]any)["challenge"].(map[string]any)
				answer(c, id, m{"solution": "-1"}).Want(400, "challenge_wrong")
				id, _ = wanted(answer(c, id, m{"solution": solve(t, prompt)}), "password")
				answer(c, id, m{"password": pass}).Want(200)
				s.Advance(11 * time.Minute)
			}
			mood = ""
			c = netAt(s, "203.0.113.7")
			if _, shown = wanted(tryIn(c, "ann@example.com", pass), "human"); shown["kind"] != "captcha" {
				t.Errorf("a service that answers again is not asked: %v", shown)
			}
			form(c, s).Want(200)
			page := form(c, s).Want(401)
			if p := page.Header.Get("Content-Security-Policy"); !strings.Contains(p, "frame-src https://") || strings.Contains(p, "unsafe") {
				t.Errorf("policy %s", p)
			}
			if p := c.Get("/signup").Want(200).Header.Get("Content-Security-Policy"); strings.Contains(p, "https:") {
				t.Errorf("the policy of a page that needs no captcha is widened: %s", p)
			}
		})
	}
}

// form sends the sign-in page.
func form(c *testkit.Client, s *testkit.Server) testkit.Answer {
	s.Helper()
	return c.Fill("/signup", "/signup", map[string][]string{"email": {"new@example.com"}, "password": {pass}})
}
