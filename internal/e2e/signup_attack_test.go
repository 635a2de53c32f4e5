package e2e_test

import (
	"fmt"
	"github.com/admit-dev/admit/internal/authz"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/user"
)

// SGN-01: one identifier is one address.
func TestTwoAddressesInOne(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		const a, b = "victim@v.test", "attacker@a.test"
		for _, path := range []string{"/auth/signup", "/api/v1/register"} {
			for _, both := range []any{a + "," + b, a + ";" + b, a + " " + b, a + "\n" + b, a + "\r\nBcc: " + b, []string{a, b}, m{"0": a}, a + "%0a" + b, "<" + a + ">", a + "\x00", "\"" + a + "\"@a.test", a + "@a.test", "victim@v.test(comment)"} {
				refused(t, fmt.Sprint(both), s.Client().Post(path, m{"email": both, "password": pass}), 400, 422)
			}
			refused(t, "twice", s.Client().Post(path, `{"email":"`+a+`","email":"`+b+`","password":"`+pass+`"}`), 400)
		}
		refused(t, "two names", s.Client().Post("/auth/login", m{"email": a, "username": "attacker", "password": pass}), 422)
		refused(t, "form", s.Client().Post("/api/v1/login", "username="+a), 400, 422)
		s.Events()
	})
}

// SGN-02: an address is judged after it was brought to its one form, and taken once in all the ways it can be written.
func TestAddressForms(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		for _, bad := range []string{"victim\uff20v.test", "victim\ufe6bv.test", "vict\u200dim@v.test", "vict\u200fim@v.test", "\ufb01sh@v.test", "vict\u202eim@v.test", "ｖictim@v.test", "victim@v\u3002\u3002test", "victim@-v.test", "victim@127.0.0.1", "victim@[::1]", "victim@v.test.", ".victim@v.test", "victim@xn--a", strings.Repeat("a", 65) + "@v.test"} {
			refused(t, bad, s.Client().Post("/auth/signup", m{"email": bad, "password": pass}), 422)
		}
		s.Events()
		person(s, "ren\u00e9@b\u00fccher.test")
		for _, same := range []string{"rene\u0301@bu\u0308cher.test", "REN\u00c9@B\u00dcCHER.TEST", "ren\u00e9@xn--bcher-kva.test", "ren\u00e9@b\u00fccher\u3002test", " ren\u00e9@b\u00fccher.test "} {
			s.Client().Post("/auth/signup", m{"email": same, "password": pass}).Want(409, "email_taken")
			signIn(s, same, pass).Want(200)
		}
	})
}

// SGN-04 and LNK-07: nobody writes what is not theirs to write, at sign-up or in the profile.
func TestMassAssignment(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		for _, name := range []string{"role", "roles", "is_admin", "is_superuser", "email_verified", "phone_verified", "org_id", "id", "mfa_enabled", "password_hash", "permissions", "created_at", "is_active", "disabled_at", "Role", "emailVerified"} {
			for _, value := range []any{"super_admin", true, []string{"super_admin"}, nil} {
				for _, path := range []string{"/auth/signup", "/api/v1/register"} {
					refused(t, name, s.Client().Post(path, m{"email": "eve@example.com", "password": pass, name: value}), 422)
				}
				refused(t, name, c.Do("PATCH", "/auth/me", m{"name": "Eve", name: value}), 422)
			}
		}
		refused(t, "email", c.Do("PATCH", "/auth/me", m{"email": "victim@example.com"}), 422)
		s.Events()
		me := c.Get("/auth/me").Want(200)
		if me.JSON["email_verified"] != false || me.Text("role") != "user" || me.Text("name") != "" {
			t.Errorf("%s", me.Body)
		}
	})
}

// SGN-05: of 32 sign-ups at once one makes the account.
func TestSignUpAtOnce(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		for round := range 4 {
			forms := []m{{"email": fmt.Sprintf("ann%d@example.com", round)}, {"email": fmt.Sprintf("ANN%d@Example.com", round), "username": fmt.Sprintf("other%d", round)}}
			if round%2 == 1 {
				forms = []m{{"username": fmt.Sprintf("ann_%d", round)}, {"username": fmt.Sprintf("Ann_%d", round), "phone": "+491711234567"}}
			}
			tally(t, together(32, func(i int) testkit.Answer {
				body := maps.Clone(forms[i/2%2])
				body["password"] = pass
				return s.Client().Post([]string{"/auth/signup", "/api/v1/register"}[i%2], body)
			}), map[int]int{201: 1, 409: 31})
			n := 0
			for _, r := range s.Records() {
				if r.Kind == "user.created" {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d people", n)
			}
		}
	})
}

// SGN-11: where sign-up is closed, nobody makes an account, and nobody learns who has one.
func TestSignUpClosed(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Login.SignUp = false }, func(s *testkit.Server) {
		if _, err := s.App().Passwords.Create(t.Context(), authz.System, user.New{Email: "ann@example.com"}, pass); err != nil {
			t.Fatal(err)
		}
		s.Records()
		for _, email := range []string{"ann@example.com", "eve@example.com", "nonsense"} {
			for _, path := range []string{"/auth/signup", "/auth/signup?transport=token", "/api/v1/register"} {
				refused(t, path, s.Client().Post(path, m{"email": email, "password": pass}).Want(403, "signup_disabled"))
			}
		}
		s.Events()
		signIn(s, "ann@example.com", pass).Want(200)
		signIn(s, "eve@example.com", pass).Want(401)
	})
}

// same holds that two answers differ in nothing but the id of the request.
func same(t testing.TB, what string, a, b testkit.Answer) {
	t.Helper()
	text := func(a testkit.Answer) string {
		id := a.Header.Get("X-Request-Id")
		h := a.Header.Clone()
		h.Del("Date")
		h.Del("RateLimit") // counts requests, not accounts
		h.Set("X-Request-Id", fmt.Sprint(len(id)))
		var lines []string
		for _, name := range slices.Sorted(maps.Keys(h)) {
			lines = append(lines, name+": "+strings.Join(h[name], ", "))
		}
		return fmt.Sprint(a.Status, lines, strings.ReplaceAll(string(a.Body), id, "id"))
	}
	if text(a) != text(b) {
		t.Errorf("%s:\n%s\n%s", what, text(a), text(b))
	}
}

// ENU-01: who is unknown, gave a wrong password, is suspended or has no password is answered the same, for one hash each.
func TestLoginTellsNothing(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "known@example.com")
		off := userID(person(s, "suspended@example.com"))
		if err := s.App().Accounts.Disable(t.Context(), authz.System, off); err != nil {
			t.Fatal(err)
		}
		if _, err := s.App().Passwords.Create(t.Context(), authz.System, user.New{Email: "without@example.com"}, ""); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/auth/login", "/api/v1/login", "attempt"} {
			var first *testkit.Answer
			for _, who := range []string{"known@example.com", "unknown@example.com", "suspended@example.com", "without@example.com", "not an address", "+49171", strings.Repeat("x", 300), strings.Repeat("\u00e9", 300), "x" + strings.Repeat("\u00e9", 300), "a@" + strings.Repeat("\u20ac", 200)} {
				before := s.App().Hasher.Stats().Done
				var a testkit.Answer
				if path == "attempt" {
					step := s.Client().Post("/auth/attempts", m{"identifier": who}).Want(201)
					if methods := fmt.Sprint(step.JSON["methods"], step.JSON["prompt"]); strings.Contains(methods, "[password passkey magiclink email social] map[") != strings.HasSuffix(who, "@example.com") || !strings.Contains(methods, "[password passkey ") {
						t.Error(methods) // what was typed decides, and not who that is
					}
					a = s.Client().Post("/auth/attempts/"+step.Text("id")+"/answer", m{"values": m{"password": "wrong password"}})
				} else {
					a = s.Client().Post(path, m{"identifier": who, "password": "wrong password"})
				}
				a.Want(401, "invalid_credentials")
				if first == nil {
					first = &a
				}
				same(t, path+" "+who, *first, a)
				if n := s.App().Hasher.Stats().Done - before; n != 1 {
					t.Errorf("%s %s: %d hashes", path, who, n)
				}
			}
		}
	})
}

// Under ENUMERATION_PROTECTION=strict signing up with a taken and with a free address is the same, and so is a suspended account.
func TestStrictTellsNothing(t *testing.T) {
	testkit.Each(t, strict, func(s *testkit.Server) {
		for _, path := range []string{"/auth/signup", "/api/v1/register", "/auth/signup?transport=token"} {
			free := m{"email": fmt.Sprintf("new%d@example.com", len(path)), "password": pass, "username": fmt.Sprintf("name%d", len(path))}
			before := s.App().Hasher.Stats().Done
			a := s.Client().Post(path, free).Want(202)
			s.Events("user.created")
			b := s.Client().Post(path, free).Want(202)
			s.Events("user.signup_repeated", "message.queued") // to the owner of the address, and to nobody else
			if mail := s.Letter(free["email"].(string)); !strings.Contains(mail.Subject, "already") {
				t.Error(mail.Subject)
			}
			same(t, path, a, b)
			if n := s.App().Hasher.Stats().Done - before; n != 2 || len(a.Header["Set-Cookie"]) > 0 {
				t.Errorf("%d hashes, %v", n, a.Header)
			}
			signIn(s, free["email"].(string), pass).Want(200)
			s.Records()
			refused(t, path, s.Client().Post(path, m{"email": free["email"], "password": "short"}), 422)
		}
		u, err := s.App().Users.Find(t.Context(), "new12@example.com")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.App().Accounts.Disable(t.Context(), authz.System, u.ID); err != nil {
			t.Fatal(err)
		}
		same(t, "suspended", signIn(s, "new12@example.com", pass).Want(401), signIn(s, "new12@example.com", "wrong"))
	})
}
