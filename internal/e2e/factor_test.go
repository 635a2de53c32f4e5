package e2e_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// authenticator is an app on somebody's phone.
type authenticator struct {
	s      *testkit.Server
	secret string
}

// setUp begins to set an app up.
func setUp(s *testkit.Server, c *testkit.Client) *authenticator {
	s.Helper()
	return &authenticator{s, c.Post("/auth/mfa/totp", nil).Want(200).Text("secret")}
}

// code is what the app shows some steps from now.
func (a *authenticator) code(steps int) string {
	a.s.Helper()
	code, err := totp.GenerateCode(a.secret, a.s.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		a.s.Fatal(err)
	}
	return code
}

// enrol sets an app up and gives the recovery codes that come with it. The step it was confirmed in is over.
func enrol(s *testkit.Server, c *testkit.Client) (app *authenticator, spares []string) {
	s.Helper()
	app = setUp(s, c)
	for _, code := range c.Post("/auth/mfa/totp/confirm", m{"code": app.code(0)}).Want(200).JSON["recovery_codes"].([]any) {
		spares = append(spares, code.(string))
	}
	s.Advance(30 * time.Second)
	s.Records()
	return app, spares
}

// step is the id of the attempt that asks for more.
func step(a testkit.Answer) string {
	a.T.Helper()
	a.Want(401, "step_required")
	return a.JSON["attempt"].(m)["id"].(string)
}

// halfway shows the password, and gives the attempt that asks for the second factor.
func halfway(s *testkit.Server, email string) string {
	s.Helper()
	return step(s.Client().Post("/auth/login", m{"email": email, "password": pass}))
}

func verify(c *testkit.Client, attempt, code string) testkit.Answer {
	return c.Post("/auth/mfa/verify", m{"attempt": attempt, "code": code})
}

// An app is set up, is asked for once it has shown a code, and signing in is the password and the code, by cookie and by token.
func TestSecondFactor(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		app := setUp(s, c)
		s.Events("totp.setup_begun")
		begun := c.Post("/auth/mfa/totp", nil).Want(200)
		picture, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(begun.Text("qr"), "data:image/png;base64,"))
		if err != nil || !strings.HasPrefix(string(picture), "\x89PNG") || !strings.HasPrefix(begun.Text("uri"), "otpauth://totp/localhost:ann@example.com?") {
			t.Errorf("%v %.200s", err, begun.Body)
		}
		c.Post("/auth/mfa/totp/confirm", m{"code": app.code(0)}).Want(422, "totp_code_wrong") // of the secret before this one
		app.secret = begun.Text("secret")
		signIn(s, "ann@example.com", pass).Want(200) // not confirmed: it counts for nothing
		s.Records()
		codes := c.Post("/auth/mfa/totp/confirm", m{"code": app.code(0)}).Want(200).JSON["recovery_codes"].([]any)
		if len(codes) != 10 {
			t.Errorf("%v", codes)
		}
		s.Events("totp.confirmed", "factor.added", "session.revoked", "message.queued", "recovery_codes.issued") // the session that began without it
		if me := c.Get("/auth/me").Want(200); fmt.Sprint(me.JSON["second_factors"]) != "[totp]" {
			t.Errorf("%s", me.Body)
		}
		c.Post("/auth/mfa/totp/confirm", m{"code": app.code(0)}).Want(409, "totp_not_begun")

		s.Advance(30 * time.Second)
		b := s.Client()
		a := b.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(401, "step_required")
		attempt := a.JSON["attempt"].(m)
		if fmt.Sprint(attempt["methods"]) != "[totp recoverycode]" || attempt["prompt"].(m)["method"] != "totp" || b.Cookie("/", "session_id") != "" {
			t.Errorf("%s", a.Body)
		}
		s.Events("login.begun")
		b.Get("/auth/me").Want(401)
		verify(b, attempt["id"].(string), app.code(0)).Want(200)
		s.Events("session.created", "login.succeeded")
		b.Get("/auth/me").Want(200)

		s.Advance(30 * time.Second)
		d := s.Client()
		id := step(d.Post("/auth/login?transport=token", m{"email": "ann@example.com", "password": pass}))
		tokens := d.Post("/auth/attempts/"+id+"/answer?transport=token", m{"values": m{"code": app.code(0)}}).Want(200)
		if got := claims(t, tokens.Text("access_token")).AMR; !slices.Equal(got, []string{"pwd", "otp", "mfa"}) {
			t.Errorf("amr %v", got)
		}
		if d.Cookie("/", "session_id") != "" {
			t.Error("a cookie beside the tokens")
		}
		s.Advance(30 * time.Second)
		e := s.Client()
		id = step(e.Post("/api/v1/login", m{"username": "ann@example.com", "password": pass}))
		e.Post("/auth/mfa/verify?transport=token", m{"attempt": id, "code": app.code(0)}).Want(200).Text("refresh_token")
	})
}

// Whoever asked to be remembered is, though the session begins a step later.
func TestRememberedOverSteps(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		app, _ := enrol(s, person(s, "ann@example.com"))
		c := s.Client()
		id := step(c.Post("/auth/login", m{"email": "ann@example.com", "password": pass, "remember": true}))
		verify(c, id, app.code(0)).Want(200)
		s.Advance(20 * 24 * time.Hour)
		c.Get("/auth/me").Want(200)
	})
}

// Codes of the step before and after are taken, since clocks differ, and no others; each step counts once, whatever for.
func TestTOTPSteps(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		app := setUp(s, c)
		used := app.code(0)
		c.Post("/auth/mfa/totp/confirm", m{"code": used}).Want(200)
		verify(s.Client(), halfway(s, "ann@example.com"), used).Want(401, "code_invalid") // confirming used it up
		s.Advance(10 * time.Minute)
		for _, try := range []struct{ ahead, status int }{{-2, 401}, {2, 401}, {-1, 200}, {-1, 401}, {1, 200}, {0, 401}, {1, 401}} {
			verify(s.Client(), halfway(s, "ann@example.com"), app.code(try.ahead)).Want(try.status)
		}
		s.Advance(time.Minute)
		code := app.code(0)
		verify(s.Client(), halfway(s, "ann@example.com"), code[:3]+" "+code[3:]).Want(200)
		c.Post("/auth/reauthenticate", m{"code": code}).Want(403, "proof_invalid") // TOT-01: nor for another purpose
		for _, bad := range []string{"", "0", "000000000", "abcdef", code + "0", strings.Repeat("9", 100), "\u0661\u0662\u0663\u0664\u0665\u0666"} {
			verify(s.Client(), halfway(s, "ann@example.com"), bad).Want(401, "code_invalid")
		}
	})
}

// TOT-01: of many who show one code at once, each in a sign-in of their own or all in one, one gets in.
func TestOneCodeManyCallers(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		app, spares := enrol(s, person(s, "ann@example.com"))
		for round, code := range []func() string{func() string { return app.code(0) }, func() string { return spares[0] }, func() string { return app.code(0) }, func() string { return spares[1] }} {
			s.Advance(30 * time.Second)
			attempts := make([]string, 8)
			for i := range attempts {
				if attempts[i] = attempts[0]; i == 0 || round < 2 {
					attempts[i] = halfway(s, "ann@example.com")
				}
			}
			shown := code()
			won := 0
			for _, a := range together(8, func(i int) testkit.Answer { return verify(s.Client(), attempts[i], shown) }) {
				switch a.Status {
				case 200:
					won++
				case 401, 404: // the code is used, or the attempt is over
				default:
					t.Errorf("%d %s", a.Status, a.Body)
				}
			}
			if won != 1 {
				t.Errorf("round %d: %d got in", round, won)
			}
		}
		began := 0
		for _, r := range s.Records() {
			if r.Kind == "session.created" {
				began++
			}
		}
		if began != 4 {
			t.Errorf("%d sessions", began)
		}
	})
}

// Of many who confirm at once one succeeds, and theirs are the recovery codes that count.
func TestOneConfirmation(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		app := setUp(s, c)
		code := app.code(0)
		var spares []any
		list := together(8, func(int) testkit.Answer { return c.Post("/auth/mfa/totp/confirm", m{"code": code}) })
		tally(t, list, map[int]int{200: 1, 409: 7})
		for _, a := range list {
			if a.Status == 200 {
				spares = a.JSON["recovery_codes"].([]any)
			}
		}
		verify(s.Client(), halfway(s, "ann@example.com"), spares[9].(string)).Want(200)
	})
}

// A recovery code opens the door once, as it was printed or as it is typed. New ones make the old worthless. None is stored as it is.
func TestRecoveryCodes(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		c.Post("/auth/mfa/recovery-codes", nil).Want(409, "second_factor_missing")
		app, spares := enrol(s, c)
		stored := everything(t, s)
		for _, code := range append(spares, app.secret) {
			if strings.Contains(stored, code) || strings.Contains(stored, strings.ReplaceAll(code, "-", "")) {
				t.Errorf("%q is stored as it is", code) // REC-02
			}
		}
		b := s.Client()
		verify(b, halfway(s, "ann@example.com"), spares[0]).Want(200)
		s.Events("login.begun", "recovery_code.used", "message.queued", "session.created", "login.succeeded")
		verify(s.Client(), halfway(s, "ann@example.com"), spares[0]).Want(401, "code_invalid")
		s.Events("login.begun", "login.failed")
		verify(s.Client(), halfway(s, "ann@example.com"), strings.ToUpper(strings.ReplaceAll(spares[1], "-", " "))).Want(200)

		id := halfway(s, "ann@example.com")
		chosen := s.Client().Post("/auth/attempts/"+id+"/method", m{"method": "recoverycode"}).Want(200)
		if chosen.JSON["prompt"].(m)["method"] != "recoverycode" {
			t.Errorf("%s", chosen.Body)
		}
		s.Client().Post("/auth/attempts/"+id+"/answer", m{"values": m{"code": spares[2]}}).Want(200)

		bob := person(s, "bob@example.com")
		_, other := enrol(s, bob)
		verify(s.Client(), halfway(s, "ann@example.com"), other[0]).Want(401, "code_invalid")
		again := b.Post("/auth/mfa/recovery-codes", nil).Want(200).JSON["recovery_codes"].([]any)
		verify(s.Client(), halfway(s, "ann@example.com"), spares[3]).Want(401, "code_invalid")
		verify(s.Client(), halfway(s, "ann@example.com"), again[0].(string)).Want(200)
		verify(s.Client(), halfway(s, "bob@example.com"), other[0]).Want(200)
	})
}

// An app that replaces another counts from the moment it is confirmed; until then the old one does. Removing it removes all that came
// with it, and ends the sign-ins under way that asked for it.
func TestReplaceAndRemoveTheApp(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		old, spares := enrol(s, c)
		app := setUp(s, c)
		verify(s.Client(), halfway(s, "ann@example.com"), app.code(0)).Want(401, "code_invalid")
		verify(s.Client(), halfway(s, "ann@example.com"), old.code(0)).Want(200)
		if kept := c.Post("/auth/mfa/totp/confirm", m{"code": app.code(0)}).Want(200).JSON["recovery_codes"].([]any); len(kept) != 0 {
			t.Errorf("%v", kept)
		}
		s.Advance(30 * time.Second)
		verify(s.Client(), halfway(s, "ann@example.com"), old.code(0)).Want(401, "code_invalid")
		verify(s.Client(), halfway(s, "ann@example.com"), app.code(0)).Want(200)
		verify(s.Client(), halfway(s, "ann@example.com"), spares[0]).Want(200) // on the same paper

		id := halfway(s, "ann@example.com")
		s.Records()
		c.Do("DELETE", "/auth/mfa/totp", nil).Want(204)
		s.Events("totp.removed", "factor.removed", "message.queued", "recovery_codes.withdrawn")
		c.Do("DELETE", "/auth/mfa/totp", nil).Want(404, "totp_not_found")
		verify(s.Client(), id, app.code(1)).Want(404, "attempt_not_found")
		signIn(s, "ann@example.com", pass).Want(200)
		if me := c.Get("/auth/me").Want(200); fmt.Sprint(me.JSON["second_factors"]) != "[]" {
			t.Errorf("%s", me.Body)
		}
	})
}

// A secret that is not confirmed within its time is worth nothing.
func TestPendingSecretEnds(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		c.Post("/auth/mfa/totp/confirm", m{"code": "123456"}).Want(409, "totp_not_begun")
		app := setUp(s, c)
		s.Advance(15 * time.Minute)
		c.Post("/auth/mfa/totp/confirm", m{"code": app.code(0)}).Want(409, "totp_not_begun")
	})
}

// An attempt ends with its time, its tries, its password, and belongs to one person.
func TestAttemptsEnd(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		app, _ := enrol(s, ann)
		other, _ := enrol(s, bob)
		verify(s.Client(), halfway(s, "ann@example.com"), other.code(0)).Want(401, "code_invalid") // TOT-04: Bob's code in Ann's attempt
		for _, id := range []string{"", "x", "att_" + strings.Repeat("0", 64), userID(ann)} {
			verify(s.Client(), id, app.code(0)).Want(404, "attempt_not_found")
		}
		id := halfway(s, "ann@example.com")
		s.Advance(10 * time.Minute)
		verify(s.Client(), id, app.code(0)).Want(404, "attempt_not_found")

		id = halfway(s, "ann@example.com")
		for range 10 {
			verify(s.Client(), id, "000000").Want(401, "code_invalid")
		}
		verify(s.Client(), id, app.code(0)).Want(404, "attempt_not_found")

		id = halfway(s, "ann@example.com")
		ann.Post("/auth/password/change", m{"current_password": pass, "new_password": "quite another password"}).Want(200)
		verify(s.Client(), id, app.code(0)).Want(404, "attempt_not_found")
		ann.Post("/auth/password/change", m{"current_password": "quite another password", "new_password": pass}).Want(200)

		id = halfway(s, "ann@example.com")
		if err := s.App().Accounts.Disable(s.Context(), authz.System, userID(ann)); err != nil {
			t.Fatal(err)
		}
		verify(s.Client(), id, app.code(0)).Want(403, "account_disabled")
	})
}

// Before the first factor is right, nothing tells whether there is an account or a second factor: the same words to all.
func TestNoHintBeforeTheFirstFactor(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "plain@example.com")
		enrol(s, person(s, "guarded@example.com"))
		told := map[string]bool{}
		for _, email := range []string{"plain@example.com", "guarded@example.com", "nobody@example.com"} {
			var all []string
			begun := s.Client().Post("/auth/attempts", m{"identifier": email}).Want(201)
			id := begun.Text("id")
			for _, a := range []testkit.Answer{
				begun,
				s.Client().Post("/auth/login", m{"email": email, "password": "wrong password"}).Want(401, "invalid_credentials"),
				s.Client().Post("/auth/attempts/"+id+"/answer", m{"values": m{"password": "wrong password"}}).Want(401, "invalid_credentials"),
				s.Client().Post("/auth/attempts/"+id+"/answer", m{"values": m{"code": "123456"}}).Want(401, "code_invalid"), // of a mail that nobody was sent
				verify(s.Client(), id, "123456").Want(401, "code_invalid"),
				s.Client().Post("/auth/attempts/"+id+"/method", m{"method": "totp"}).Want(422, "method_unknown"),
				s.Client().Post("/auth/attempts", m{"identifier": email, "method": "totp"}).Want(422, "method_unknown"),
			} {
				delete(a.JSON, "request_id")
				delete(a.JSON, "id")
				all = append(all, asJSON(a.JSON))
			}
			told[strings.Join(all, "\n")] = true
		}
		if len(told) != 1 {
			t.Errorf("%d different answers: %v", len(told), told)
		}
	})
}

// TOT-04: whatever is answered in whatever order, a session begins exactly when the password was right and then a code was.
func TestNoOrderOpensTheDoorEarly(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		app, _ := enrol(s, person(s, "ann@example.com"))
		moves := []string{"password", "code", "verify", "both", "totp", "wrong"}
		for order := range len(moves) * len(moves) * len(moves) {
			s.Advance(30 * time.Second)
			c := s.Client()
			id := c.Post("/auth/attempts", m{"identifier": "ann@example.com"}).Want(201).Text("id")
			password, in := false, false
			var done []string
			for n := order; len(done) < 3 && !in; n /= len(moves) {
				move := moves[n%len(moves)]
				done = append(done, move)
				var a testkit.Answer
				right := false // whether this ends it
				switch at := "/auth/attempts/" + id; move {
				case "password":
					a = c.Post(at+"/answer", m{"values": m{"password": pass}})
				case "code":
					right, a = password, c.Post(at+"/answer", m{"values": m{"code": app.code(0)}})
				case "verify":
					right, a = password, verify(c, id, app.code(0))
				case "both":
					right, a = password, c.Post(at+"/answer", m{"values": m{"password": pass, "code": app.code(0)}})
				case "totp":
					a = c.Post(at+"/method", m{"method": "totp"})
				case "wrong":
					a = c.Post(at+"/answer", m{"values": m{"code": "0", "password": "wrong password"}})
				}
				if a.JSON["code"] == "step_required" {
					if password || move != "password" && move != "both" {
						t.Fatalf("%v: %s", done, a.Body)
					}
					id, password = step(a), true
				}
				in = a.Status == 200 && move != "totp"
				if in != right || (c.Cookie("/", "session_id") != "") != right {
					t.Fatalf("%v: %d %s", done, a.Status, a.Body)
				}
			}
		}
	})
}

// RL-08: guesses at codes count together with guesses at the password, over however many sign-ins.
func TestCodeGuessesAreLimited(t *testing.T) {
	limits := func(c *admit.Config) {
		c.RateLimit.RateLimit, c.RateLimit.IPPerMinute = "memory", 100_000
	}
	testkit.Each(t, limits, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		app, _ := enrol(s, c)
		wrong := 0
		for range 40 {
			a := s.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass})
			if a.Status == http.StatusTooManyRequests {
				break
			}
			if verify(s.Client(), step(a), "000000").Status == http.StatusUnauthorized {
				wrong++
			}
		}
		if most := s.Config.RateLimit.IdentifierBurst; wrong == 0 || wrong > most {
			t.Errorf("%d guesses, of at most %d", wrong, most)
		}
		c.Post("/auth/reauthenticate", m{"code": app.code(0)}).Want(429, "too_many_attempts")
	})
}

// The owner link opens no way around the second factor of an account there is.
func TestOwnerLinkAsksForTheSecondFactor(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		app, _ := enrol(s, person(s, "ann@example.com"))
		c := s.Client()
		id := step(c.Post("/auth/owner", m{"key": link(s), "email": "ann@example.com", "password": pass}))
		if c.Cookie("/", "session_id") != "" {
			t.Error("a session without the second factor")
		}
		verify(c, id, app.code(0)).Want(200)
	})
}
