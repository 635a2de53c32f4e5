package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/user"
)

// publicKey is what an answer asks to sign.
func publicKey(a testkit.Answer) m {
	a.T.Helper()
	if options, ok := a.JSON["publicKey"].(m); ok {
		return options
	}
	if prompt, ok := a.JSON["prompt"].(m); ok {
		return prompt["challenge"].(m)["publicKey"].(m)
	}
	return a.JSON["attempt"].(m)["prompt"].(m)["challenge"].(m)["publicKey"].(m)
}

// addPasskey makes a passkey on a device and gives its id.
func addPasskey(s *testkit.Server, c *testkit.Client, on *testkit.Authenticator, change ...func(*testkit.Ceremony)) string {
	s.Helper()
	options := publicKey(c.Post("/auth/passkeys/register/options", nil).Want(200))
	id := c.Post("/auth/passkeys/register", m{"credential": on.Create(options, change...)}).Want(201).Text("id")
	s.Records()
	return id
}

// begin asks what to sign to get in.
func begin(s *testkit.Server) (attempt string, options m) {
	s.Helper()
	a := s.Client().Post("/auth/passkeys/login/options", nil).Want(200)
	return a.Text("attempt"), publicKey(a)
}

// enter signs in with the newest passkey of a device.
func enter(s *testkit.Server, c *testkit.Client, on *testkit.Authenticator, change ...func(*testkit.Ceremony)) testkit.Answer {
	s.Helper()
	attempt, options := begin(s)
	return c.Post("/auth/passkeys/login", m{"attempt": attempt, "credential": on.Get(options, change...)})
}

// A passkey is made, listed, opens the door without a name, by cookie and by token, and its owner hears of it.
func TestPasskey(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		phone := s.NewAuthenticator()
		phone.Flags |= testkit.BE | testkit.BS
		phone.AAGUID = [16]byte{0xba, 0xda, 0x55, 0x66, 0xa7, 0xaa, 0x40, 0x1f, 0xbd, 0x96, 0x45, 0x61, 0x9a, 0x55, 0x12, 0x0d}
		options := publicKey(c.Post("/auth/passkeys/register/options", nil).Want(200))
		s.Events()
		if options["rp"].(m)["id"] != "localhost" || options["attestation"] != "none" || options["user"].(m)["name"] != "ann@example.com" ||
			options["authenticatorSelection"].(m)["residentKey"] != "required" {
			t.Errorf("%v", options)
		}
		made := c.Post("/auth/passkeys/register", m{"credential": phone.Create(options)}).Want(201)
		s.Events("passkey.added", "message.queued")
		if made.Text("name") != "1Password" || made.Text("provider") != "1Password" || made.JSON["synced"] != true || made.JSON["device_bound"] != false || made.JSON["user_verified"] != true {
			t.Errorf("%s", made.Body)
		}
		if l := s.Letter("ann@example.com"); !strings.Contains(l.Text, "1Password") || !strings.Contains(strings.ToLower(l.Text), "passkey") {
			t.Errorf("%s", l.Text)
		}
		if me := c.Get("/auth/me").Want(200); fmt.Sprint(me.JSON["second_factors"]) != "[]" {
			t.Errorf("%s", me.Body)
		}
		signIn(s, "ann@example.com", pass).Want(200) // the password asks for no passkey
		s.Records()

		b := s.Client()
		s.Advance(time.Minute)
		attempt, options := begin(s)
		s.Events("login.begun")
		if options["allowCredentials"] != nil || options["userVerification"] != "required" || options["rpId"] != "localhost" {
			t.Errorf("%v", options)
		}
		a := b.Post("/auth/passkeys/login", m{"attempt": attempt, "credential": phone.Get(options)}).Want(200)
		s.Events("session.created", "login.succeeded")
		if a.Text("email") != "ann@example.com" || b.Get("/auth/me").Want(200).Text("id") != userID(c) {
			t.Errorf("%s", a.Body)
		}
		list := b.Get("/auth/passkeys").Want(200).JSON["items"].([]any)
		if one := list[0].(m); len(list) != 1 || one["id"] != made.Text("id") || one["last_used_at"] != s.Now().Format(time.RFC3339) || one["suspected_at"] != nil {
			t.Errorf("%v", list)
		}
		attempt, options = begin(s)
		tokens := s.Client().Post("/auth/passkeys/login?transport=token", m{"attempt": attempt, "credential": phone.Get(options)}).Want(200)
		if got := claims(t, tokens.Text("access_token")).AMR; !slices.Equal(got, []string{"swk", "user", "mfa"}) {
			t.Errorf("amr %v", got)
		}
		attempt, options = begin(s)
		d := s.Client()
		d.Post("/auth/passkeys/login", m{"attempt": attempt, "credential": phone.Get(options), "remember": true}).Want(200)
		s.Advance(20 * 24 * time.Hour)
		d.Get("/auth/me").Want(200)
		b.Get("/auth/me").Want(401)
	})
}

// Passkeys are told apart, named, renamed and removed by their owner; those of others are not there.
func TestPasskeyList(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, other := person(s, "ann@example.com"), person(s, "bob@example.com")
		c.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		phone := s.NewAuthenticator()
		first, second := addPasskey(s, c, phone), addPasskey(s, c, phone)
		options := publicKey(c.Post("/auth/passkeys/register/options", nil).Want(200))
		if list := options["excludeCredentials"].([]any); len(list) != 2 {
			t.Errorf("%v", list)
		}
		named := c.Post("/auth/passkeys/register", m{"credential": phone.Create(options), "name": " Work laptop "}).Want(201)
		names := func() (list []any) {
			for _, one := range c.Get("/auth/passkeys").Want(200).JSON["items"].([]any) {
				list = append(list, one.(m)["name"])
			}
			return list
		}
		if got := fmt.Sprint(names()); got != "[Firefox on Linux Firefox on Linux (2) Work laptop]" {
			t.Error(got)
		}
		s.Records()
		if a := c.Do("PATCH", "/auth/passkeys/"+first, m{"name": "Säule 🔑"}).Want(200); a.Text("name") != "Säule 🔑" || a.Text("id") != first {
			t.Errorf("%s", a.Body)
		}
		s.Events("passkey.renamed")
		for _, bad := range []string{"", " ", strings.Repeat("x", 61), "a\nb", "a\u0000b"} {
			refused(t, bad, c.Do("PATCH", "/auth/passkeys/"+first, m{"name": bad}), 400, 422)
		}
		for _, id := range []string{first, "pky_x", "x", "pky_01900000-0000-7000-8000-00000000dead"} { // of somebody else, and of nobody
			other.Do("PATCH", "/auth/passkeys/"+id, m{"name": "Mine"}).Want(404, "passkey_not_found")
			other.Do("DELETE", "/auth/passkeys/"+id, nil).Want(404, "passkey_not_found")
		}
		if list := other.Get("/auth/passkeys").Want(200).JSON["items"].([]any); len(list) != 0 {
			t.Errorf("%v", list)
		}
		s.Client().Get("/auth/passkeys").Want(401)
		s.Events()

		attempt, asked := begin(s)
		s.Records()
		c.Do("DELETE", "/auth/passkeys/"+named.Text("id"), nil).Want(204)
		s.Events("passkey.removed", "message.queued")
		if l := s.Letter("ann@example.com"); !strings.Contains(l.Text, "Work laptop") {
			t.Errorf("%s", l.Text)
		}
		s.Client().Post("/auth/passkeys/login", m{"attempt": attempt, "credential": phone.Get(asked)}).Want(401, "invalid_credentials")
		c.Do("DELETE", "/auth/passkeys/"+named.Text("id"), nil).Want(404)
		s.Advance(10 * time.Minute)
		c.Do("DELETE", "/auth/passkeys/"+second, nil).Want(403, "reauthentication_required")
		c.Do("PATCH", "/auth/passkeys/"+second, m{"name": "Phone"}).Want(200)
		if got := fmt.Sprint(names()); got != "[Säule 🔑 Phone]" {
			t.Error(got)
		}
	})
}

// A person has at most twenty passkeys, however they are added.
func TestMostPasskeys(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		other := s.Client()
		other.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
		for range 19 {
			addPasskey(s, c, s.NewAuthenticator())
		}
		late := other.Post("/auth/passkeys/register/options", nil).Want(200)
		addPasskey(s, c, s.NewAuthenticator())
		other.Post("/auth/passkeys/register", m{"credential": s.NewAuthenticator().Create(publicKey(late))}).Want(409, "passkeys_full")
		c.Post("/auth/passkeys/register/options", nil).Want(409, "passkeys_full")
	})
}

// A passkey that asked for a fingerprint, a face or a PIN is both factors: no code is asked after it. One that did not is no first
// factor, and may be the second beside the app. It proves again who somebody is, too.
func TestPasskeyAndTheSecondFactor(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		phone := s.NewAuthenticator()
		addPasskey(s, c, phone)
		if a := c.Post("/auth/reauthenticate/options", m{}).Want(200); fmt.Sprint(a.JSON["methods"]) != "[password passkey]" || a.JSON["prompt"].(m)["method"] != "password" {
			t.Errorf("%s", a.Body)
		}
		app, spares := enrol(s, c)
		if len(spares) != 10 {
			t.Errorf("%d recovery codes", len(spares))
		}
		enter(s, s.Client(), phone).Want(200)
		enter(s, s.Client(), phone, flags(0, testkit.UV)).Want(401, "invalid_credentials")

		a := s.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(401, "step_required")
		if got := fmt.Sprint(a.JSON["attempt"].(m)["methods"]); got != "[passkey totp recoverycode]" {
			t.Error(got)
		}
		options := publicKey(a)
		if options["userVerification"] != "preferred" || len(options["allowCredentials"].([]any)) != 1 {
			t.Errorf("%v", options)
		}
		tokens := s.Client().Post("/auth/passkeys/login?transport=token", m{"attempt": step(a), "credential": phone.Get(options, flags(0, testkit.UV))}).Want(200)
		if got := claims(t, tokens.Text("access_token")).AMR; !slices.Equal(got, []string{"pwd", "hwk", "user", "mfa"}) {
			t.Errorf("amr %v", got)
		}
		verify(s.Client(), halfway(s, "ann@example.com"), app.code(0)).Want(200) // the app goes on to count
		verify(s.Client(), halfway(s, "ann@example.com"), spares[0]).Want(200)

		s.Advance(10 * time.Minute)
		c.Do("DELETE", "/auth/mfa/totp", nil).Want(403, "reauthentication_required")
		c.Post("/auth/reauthenticate/options", m{"method": "password"}).Want(422, "method_unknown")
		options = publicKey(c.Post("/auth/reauthenticate/options", m{"method": "passkey"}).Want(200))
		c.Post("/auth/reauthenticate", m{"credential": phone.Get(options, flags(0, testkit.UV))}).Want(403, "proof_invalid")
		c.Post("/auth/reauthenticate", m{"credential": phone.Get(options)}).Want(200)
		c.Do("DELETE", "/auth/mfa/totp", nil).Want(204)
		signIn(s, "ann@example.com", pass).Want(200) // and the passkey alone asks for nothing
	})
}

// The only way into an account is not taken away.
func TestLastPasskeyStays(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		id := userID(c)
		one, two := addPasskey(s, c, s.NewAuthenticator()), addPasskey(s, c, s.NewAuthenticator())
		err := s.App().DB.Write(s.Context(), func(tx *database.Tx) error {
			tx.Quiet()
			_, err := tx.Exec(`DELETE FROM passwords WHERE user_id = $1`, id) // as for who signed up without one
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		tally(t, together(2, func(i int) testkit.Answer { return c.Do("DELETE", "/auth/passkeys/"+[]string{one, two}[i], nil) }), map[int]int{204: 1, 409: 1})
		left := c.Get("/auth/passkeys").Want(200).JSON["items"].([]any)[0].(m)["id"].(string)
		c.Do("DELETE", "/auth/passkeys/"+left, nil).Want(409, "passkey_last")
		err = s.App().DB.Write(s.Context(), func(tx *database.Tx) error { return user.VerifyEmail(tx, id, "ann@example.com") })
		if err != nil {
			t.Fatal(err)
		}
		c.Do("DELETE", "/auth/passkeys/"+left, nil).Want(204)
	})
}

// Where passkeys are off, or cannot be, nobody is offered one; those that were added are listed and can be removed.
func TestPasskeysOff(t *testing.T) {
	for name, off := range map[string]func(*admit.Config){
		"PASSKEY_ENABLED=false": func(c *admit.Config) { c.Passkey.Enabled = false },
		"an IP address":         func(c *admit.Config) { c.Web.BaseURL = "http://192.0.2.1:8000" },
		"plain http":            func(c *admit.Config) { c.Web.BaseURL = "http://auth.example.com" },
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Each(t, nil, func(s *testkit.Server) {
				c := person(s, "ann@example.com")
				id := addPasskey(s, c, s.NewAuthenticator())
				cookie := "session_id=" + c.Cookie("/", "session_id")
				cfg := s.Config
				off(&cfg)
				if s.Engine == "sqlite" {
					return // its file belongs to one server
				}
				there := testkit.Start(s.T, cfg, s.Clock)
				at := bearing(there, cookie)
				at.Post("/auth/passkeys/register/options", nil).Want(403, "passkeys_disabled")
				at.Post("/auth/passkeys/register", m{"credential": m{}}).Want(403, "passkeys_disabled")
				there.Client().Post("/auth/passkeys/login/options", nil).Want(422)
				if a := there.Client().Post("/auth/attempts", m{"identifier": "ann@example.com"}).Want(201); strings.Contains(fmt.Sprint(a.JSON["methods"]), "passkey") {
					t.Errorf("%s", a.Body)
				}
				enrol(there, at)
				if a := there.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass}); fmt.Sprint(a.JSON["attempt"].(m)["methods"]) != "[totp recoverycode]" {
					t.Errorf("%s", a.Body)
				}
				if list := at.Get("/auth/passkeys").Want(200).JSON["items"].([]any); len(list) != 1 {
					t.Errorf("%v", list)
				}
				at.Do("PATCH", "/auth/passkeys/"+id, m{"name": "Old"}).Want(200)
				at.Do("DELETE", "/auth/passkeys/"+id, nil).Want(204)
			})
		})
	}
}

// What was begun on one server is finished on another of the same store.
func TestPasskeyOnTheOtherServer(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		if s.Engine == "sqlite" {
			return // its file belongs to one server
		}
		c := person(s, "ann@example.com")
		other := testkit.Start(s.T, s.Config, s.Clock)
		there := bearing(other, "session_id="+c.Cookie("/", "session_id"))
		phone := s.NewAuthenticator()
		options := publicKey(c.Post("/auth/passkeys/register/options", nil).Want(200))
		there.Post("/auth/passkeys/register", m{"credential": phone.Create(options)}).Want(201)
		attempt, options := begin(s)
		other.Client().Post("/auth/passkeys/login", m{"attempt": attempt, "credential": phone.Get(options)}).Want(200)
		options = publicKey(there.Post("/auth/reauthenticate/options", m{"method": "passkey"}).Want(200))
		c.Post("/auth/reauthenticate", m{"credential": phone.Get(options)}).Want(200)
	})
}

// An account that turns out to be somebody else's is freed of the passkeys that were added to it.
func TestDiscardPasskeys(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, other := person(s, "ann@example.com"), person(s, "bob@example.com")
		phone, his := s.NewAuthenticator(), s.NewAuthenticator()
		addPasskey(s, c, phone)
		addPasskey(s, c, phone)
		addPasskey(s, other, his)
		id := userID(c)
		if err := s.App().DB.Write(s.Context(), func(tx *database.Tx) error { return s.App().Passkeys.Discard(tx, id) }); err != nil {
			t.Fatal(err)
		}
		s.Events("passkey.removed", "passkey.removed")
		enter(s, s.Client(), phone).Want(401, "invalid_credentials")
		enter(s, s.Client(), his).Want(200)
	})
}
