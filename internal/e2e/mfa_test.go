package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// requiring has a second factor be required of everyone or of roles.
func requiring(of ...string) func(c *admit.Config) {
	return func(c *admit.Config) { c.MFA.Required, c.Anonymous.Enabled = of, true }
}

// toSetUp is the attempt of an answer that asks for a second factor to be set up, and chosen how; nothing was let in.
func toSetUp(s *testkit.Server, a testkit.Answer, method string, more ...string) (id string, challenge m) {
	s.Helper()
	id = step(a)
	if prompt := a.JSON["attempt"].(m)["prompt"].(m); prompt["enrol"] != true || fmt.Sprint(a.JSON["attempt"].(m)["methods"]) != fmt.Sprint(append([]string{"passkey", "totp"}, more...)) {
		s.Errorf("%s", a.Body)
	}
	chosen := s.Client().Post("/auth/attempts/"+id+"/method", m{"method": method}).Want(200)
	return id, chosen.JSON["prompt"].(m)["challenge"].(m)
}

// app is an authenticator app that was set up with what a sign-in gave.
func app(s *testkit.Server, challenge m) *authenticator {
	return &authenticator{s, challenge["secret"].(string)}
}

// standing is what /auth/me says of second factors.
func standing(c *testkit.Client) string {
	c.T.Helper()
	mfa := c.Get("/auth/me").Want(200).JSON["mfa"].(m)
	return fmt.Sprint("required ", mfa["required"], ", enrolled ", mfa["enrolled"])
}

// Where a second factor is required of everyone, signing up and in leads through setting one up, and no session is without it.
func TestMFARequiredOfEveryone(t *testing.T) {
	testkit.Each(t, requiring("everyone"), func(s *testkit.Server) {
		c := s.Client()
		id, challenge := toSetUp(s, c.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}), "totp")
		first := app(s, challenge)
		// SES-06, TOT-04: what is not over opens nothing, wherever and however it is shown.
		for _, path := range []string{"/auth/me", "/protected", "/auth/sessions", "/api/v1/orgs"} {
			bearing(s, "session_id="+id).Get(path).Want(401)
			bearer := s.Client()
			bearer.Bearer = id
			bearer.Get(path).Want(401)
		}
		s.Client().Post("/api/v1/refresh", m{"refresh_token": id}).Want(401)
		bearing(s, "session_id="+id).Post("/auth/mfa/totp", nil).Want(401)
		bearing(s, "session_id="+id).Post("/auth/passkeys/register/options", nil).Want(401)
		for _, bad := range []string{"", "000000", "abcdefgh", pass} {
			verify(c, id, bad).Want(401, "code_invalid")
		}
		for _, method := range []string{"recoverycode", "password", ""} {
			s.Client().Post("/auth/attempts/"+id+"/method", m{"method": method}).Want(422)
		}
		c.Post("/auth/attempts/"+id+"/answer", m{"values": m{"password": pass}}).Want(401)
		c.Post("/auth/attempts/"+id+"/answer", m{"values": m{}}).Want(401)

		// TOT-03: a secret that was not confirmed counts for nothing, here and in another sign-in.
		id, challenge = toSetUp(s, signIn(s, "ann@example.com", pass), "totp")
		verify(c, id, first.code(0)).Want(401, "code_invalid")
		phone := app(s, challenge)
		s.Records()
		in := verify(c, id, phone.code(0)).Want(200)
		s.Events("totp.confirmed", "factor.added", "message.queued", "recovery_codes.issued", "session.created", "login.succeeded")
		spares := in.JSON["recovery_codes"].([]any)
		if len(spares) != 10 || c.Cookie("/", "session_id") == "" {
			t.Errorf("%s", in.Body)
		}
		if got := standing(c); got != "required true, enrolled true" {
			t.Error(got)
		}
		c.Get("/protected").Want(200)
		verify(s.Client(), id, phone.code(1)).Want(404, "attempt_not_found")

		s.Advance(30 * time.Second)
		again := step(signIn(s, "ann@example.com", pass))
		if a := verify(s.Client(), again, phone.code(0)).Want(200); a.JSON["recovery_codes"] != nil {
			t.Errorf("%s", a.Body)
		}
		verify(s.Client(), halfway(s, "ann@example.com"), spares[0].(string)).Want(200)

		// The last one is not taken away by its owner; one of two is.
		c.Do("DELETE", "/auth/mfa/totp", nil).Want(409, "mfa_last_factor")
		key := addPasskey(s, c, s.NewAuthenticator())
		c.Do("DELETE", "/auth/mfa/totp", nil).Want(204)
		c.Do("DELETE", "/auth/passkeys/"+key, nil).Want(409, "mfa_last_factor")

		// Who lost all is set free by an operator, and sets one up anew.
		if err := s.App().Resets.DropFactors(s.Context(), authz.System, userID(c)); err != nil {
			t.Fatal(err)
		}
		c.Get("/auth/me").Want(401)
		toSetUp(s, signIn(s, "ann@example.com", pass), "totp")

		guest := s.Client()
		guest.Post("/auth/anonymous", nil).Want(201)
		guest.Get("/protected").Want(200) // of whom nothing is known, nothing is asked
	})
}

// A passkey can be what is set up, by tokens too; after that it is asked for behind a password, and alone it is both factors.
func TestMFASetUpWithAPasskey(t *testing.T) {
	testkit.Each(t, requiring("everyone"), func(s *testkit.Server) {
		s.Client().Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(401, "step_required")
		phone, other := s.NewAuthenticator(), s.NewAuthenticator()
		stale, theirs := toSetUp(s, signIn(s, "ann@example.com", pass), "passkey")
		id, challenge := toSetUp(s, signIn(s, "ann@example.com", pass), "passkey")
		answer := func(attempt string, credential m) testkit.Answer {
			return s.Client().Post("/auth/passkeys/login?transport=token", m{"attempt": attempt, "credential": credential})
		}
		answer(id, other.Create(theirs["publicKey"].(m))).Want(401) // made for another sign-in
		answer(id, other.Create(challenge["publicKey"].(m), func(c *testkit.Ceremony) { c.RPID = "evil.example" })).Want(401)
		s.Records()
		in := answer(id, phone.Create(challenge["publicKey"].(m), flags(0, testkit.UV))).Want(200)
		s.Events("passkey.added", "message.queued", "recovery_codes.issued", "session.created", "login.succeeded")
		if got := claims(t, in.Text("access_token")).AMR; !slices.Equal(got, []string{"pwd", "hwk", "user", "mfa"}) || len(in.JSON["recovery_codes"].([]any)) != 10 {
			t.Errorf("%v %s", got, in.Body)
		}
		answer(stale, other.Create(theirs["publicKey"].(m))).Want(404) // every other sign-in ended

		a := signIn(s, "ann@example.com", pass).Want(401, "step_required")
		if got := fmt.Sprint(a.JSON["attempt"].(m)["methods"]); got != "[passkey recoverycode]" {
			t.Error(got)
		}
		answer(step(a), phone.Get(publicKey(a), flags(0, testkit.UV))).Want(200)
		verify(s.Client(), halfway(s, "ann@example.com"), in.JSON["recovery_codes"].([]any)[3].(string)).Want(200)
		enter(s, s.Client(), phone).Want(200)
	})
}

// Who is given a role that requires a second factor has no session that counts without one: it may show who it is of, set one up,
// prove again and end, and nothing else, by cookie and by token.
func TestMFARequiredOfARole(t *testing.T) {
	testkit.Each(t, requiring("manager", "super_admin"), func(s *testkit.Server) {
		mux := http.NewServeMux()
		mux.Handle("/", s.Server)
		mux.Handle("GET /app", s.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("in")) })))
		url := s.Mount(mux)
		c, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		phone, refresh := native(s, "ann@example.com")
		c.URL, phone.URL = url, url
		s.Grant(userID(c), "manager")
		for _, each := range []*testkit.Client{c, phone} {
			for _, path := range []string{"/protected", "/app", "/auth/sessions", "/api/v1/orgs", "/auth/passkeys"} {
				each.Get(path).Want(403, "mfa_required")
			}
			each.Post("/api/v1/orgs", m{"name": "Acme"}).Want(403, "mfa_required")
			each.Post("/auth/mfa/recovery-codes", nil).Want(403, "mfa_required")
			each.Do("DELETE", "/auth/mfa/totp", nil).Want(403, "mfa_required")
			each.Post("/auth/password/change", m{"current_password": pass, "new_password": "quite another password"}).Want(403, "mfa_required")
			if got := standing(each); got != "required true, enrolled false" {
				t.Error(got)
			}
		}
		bearer := phone.Bearer
		phone.Bearer = ""
		phone.Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(403, "mfa_required")
		s.Revoke(userID(c), "manager")
		c.Get("/app").Want(200)
		refresh = phone.Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(200).Text("refresh_token") // nothing was spent
		phone.Bearer = bearer
		s.Grant(userID(c), "manager")

		enrol(s, c)
		c.Get("/app").Want(200)
		c.Get("/protected").Want(200)
		phone.Get("/auth/me").Want(401)
		if got := standing(c); got != "required true, enrolled true" {
			t.Error(got)
		}
		if got := standing(bob); got != "required false, enrolled false" {
			t.Error(got)
		}
		bob.Get("/protected").Want(200)
		bob.Post("/auth/logout", nil).Want(200)
		bob.Post("/auth/login", m{"email": "bob@example.com", "password": pass}).Want(200)
		s.Grant(userID(bob), "super_admin")
		bob.Get("/api/v1/users").Want(403, "mfa_required")
		bob.Post("/auth/logout", nil).Want(200)
		toSetUp(s, signIn(s, "bob@example.com", pass), "totp")
		toSetUp(s, s.Client().Post("/auth/owner", m{"key": link(s), "email": "new@example.com", "password": pass}), "totp") // nor has an owner one
	})
}

// An organization requires it by the word of somebody who has shown theirs. From then on it is what members, those who join and those who
// make an account to join need, and until then nothing of theirs counts.
func TestMFARequiredByAnOrganization(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		url := s.Mount(protected(s))
		declare(s, "post_job")
		c, bob, carl := person(s, "ann@example.com"), person(s, "bob@example.com"), person(s, "carl@example.com")
		acme := organization(c, "Acme")
		join(s, c, bob, acme, "bob@example.com", "admin")
		join(s, c, carl, acme, "carl@example.com", "member")
		bob.URL = url
		bob.Post("/orgs/acme/jobs", nil).Want(200)
		require := func(c *testkit.Client, on bool) testkit.Answer {
			return c.Do("PATCH", "/api/v1/orgs/acme", m{"require_mfa": on})
		}
		require(carl, true).Want(403, "missing_permission")
		require(c, true).Want(403, "mfa_missing") // she would lock herself out
		phone, _ := enrol(s, c)
		s.Advance(10 * time.Minute)
		require(c, true).Want(403, "reauthentication_required")
		c.Post("/auth/reauthenticate", m{"code": phone.code(0)}).Want(200)
		s.Records()
		if a := require(c, true).Want(200); a.JSON["require_mfa"] != true {
			t.Errorf("%s", a.Body)
		}
		s.Events("org.mfa_required", "authorization.changed")
		require(c, true).Want(200)
		s.Events()

		bob.Post("/orgs/acme/jobs", nil).Want(403, "mfa_required")
		bob.Get("/api/v1/orgs/acme").Want(403, "mfa_required")
		if got := standing(bob); got != "required true, enrolled false" {
			t.Error(got)
		}
		bob.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		bob.Post("/orgs/acme/jobs", nil).Want(403, "mfa_required") // a password again is no second factor
		enrol(s, bob)
		bob.Post("/orgs/acme/jobs", nil).Want(200)
		toSetUp(s, signIn(s, "carl@example.com", pass), "totp", "email")
		c.Do("DELETE", "/auth/mfa/totp", nil).Want(409, "mfa_last_factor")

		dora := person(s, "dora@example.com")
		c.Post("/api/v1/orgs/acme/invitations", m{"email": "dora@example.com"}).Want(201)
		token := invitation(s, acme, "dora@example.com")
		dora.Post("/api/v1/invitations/accept", m{"token": token}).Want(403, "mfa_required")
		dora.Get("/protected").Want(200)
		enrol(s, dora)
		dora.Post("/api/v1/invitations/accept", m{"token": token}).Want(200)
		dora.Get("/api/v1/orgs/acme").Want(200)

		c.Post("/api/v1/orgs/acme/invitations", m{"email": "eve@example.com"}).Want(201)
		eve := s.Client()
		id, challenge := toSetUp(s, eve.Post("/auth/signup", m{"email": "eve@example.com", "password": pass, "invite_token": invitation(s, acme, "eve@example.com")}), "totp", "email")
		verify(eve, id, app(s, challenge).code(0)).Want(200)
		eve.Get("/api/v1/orgs/acme").Want(200)

		carl.Get("/api/v1/orgs").Want(403, "mfa_required")
		require(c, false).Want(200)
		carl.Get("/api/v1/orgs").Want(200)
		c.Do("DELETE", "/auth/mfa/totp", nil).Want(204)
	})
}

// Who has a passkey shows it once a second factor is required, and the password of a session that began before sets nothing else up.
func TestMFARequiredOfWhoHasAPasskey(t *testing.T) {
	testkit.Each(t, requiring("manager"), func(s *testkit.Server) {
		c, thief := person(s, "ann@example.com"), s.Client()
		phone := s.NewAuthenticator()
		addPasskey(s, c, phone)
		thief.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
		s.Grant(userID(c), "manager")
		c.Get("/protected").Want(200) // the passkey was added in this session
		for path, body := range map[string]m{"/auth/mfa/totp": nil, "/auth/mfa/totp/confirm": {"code": "123456"}, "/auth/mfa/recovery-codes": nil, "/auth/passkeys/register/options": nil} {
			thief.Post(path, body).Want(403, "mfa_required")
		}
		thief.Post("/auth/reauthenticate", m{"password": pass}).Want(422, "proof_unsuited")
		thief.Get("/protected").Want(403, "mfa_required")
		options := publicKey(thief.Post("/auth/reauthenticate/options", m{}).Want(200))
		thief.Post("/auth/reauthenticate", m{"credential": phone.Get(options)}).Want(200) // it was she
		thief.Get("/protected").Want(200)
		a := signIn(s, "ann@example.com", pass).Want(401, "step_required")
		if got := a.JSON["attempt"].(m); fmt.Sprint(got["methods"]) != "[passkey recoverycode]" || got["prompt"].(m)["enrol"] != nil {
			t.Errorf("%s", a.Body)
		}
		c.Post("/auth/mfa/recovery-codes", nil).Want(200)
		verify(s.Client(), step(a), "000000").Want(401)
	})
}

// A browser that its person trusts skips showing the second factor there is, and counts where one is required; it does not skip setting one up.
func TestMFARequiredOnATrustedBrowser(t *testing.T) {
	change := func(c *admit.Config) {
		known(c)
		requiring("everyone")(c)
	}
	testkit.Each(t, change, func(s *testkit.Server) {
		c := s.Client()
		id, challenge := toSetUp(s, c.Post("/auth/signup", m{"email": "ann@example.com", "password": pass}), "totp")
		phone := app(s, challenge)
		verify(c, id, phone.code(0)).Want(200)
		trusting(s, c, phone)
		c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
		c.Get("/protected").Want(200)
		if err := s.App().Resets.DropFactors(s.Context(), authz.System, userID(c)); err != nil {
			t.Fatal(err)
		}
		toSetUp(s, c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}), "totp")
	})
}

// A second factor that was set up counts at once on another server of the same store too, which may not have heard of it yet.
func TestMFACountsOnTheOtherServer(t *testing.T) {
	testkit.Each(t, requiring("manager"), func(s *testkit.Server) {
		if s.Engine == "sqlite" {
			return // its file belongs to one server
		}
		other := testkit.Start(s.T, s.Config, s.Clock)
		for i := range 10 {
			email := fmt.Sprintf("ann%d@example.com", i)
			c := person(s, email)
			there := bearing(s, "session_id="+c.Cookie("/", "session_id"))
			there.URL = other.URL
			s.Grant(userID(c), "manager")
			c.Get("/protected").Want(403, "mfa_required")
			enrol(s, c)
			there.Get("/protected").Want(200)
		}
	})
}

// A setting that names a role there is not would require nothing of anybody: the server does not start, and says so.
func TestMFARequiredOfAnUnknownRole(t *testing.T) {
	cfg := testkit.Config(t, testkit.DatabaseURL(t, "sqlite"))
	cfg.MFA.Required = []string{"superadmin"}
	if _, err := admit.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), `MFA_REQUIRED names the role "superadmin"`) || !strings.Contains(err.Error(), "super_admin") {
		t.Error(err)
	}
	cfg.MFA.Required = []string{"everyone", "manager"}
	if _, err := admit.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "MFA_REQUIRED says off or everyone beside something else") {
		t.Error(err)
	}
}

// Where a second factor is required, whoever is known to own an address or a number may have codes that go there be it, inside the sign-in.
// Of who came by mail, codes by mail are no second factor.
func TestMFASetUpWithACode(t *testing.T) {
	for _, f := range []struct{ method, to, amr string }{{"email", "ann@example.com", "[pwd otp mfa]"}, {"phone", number, "[pwd sms mfa]"}} {
		t.Run(f.method, func(t *testing.T) {
			testkit.Each(t, requiring("manager"), func(s *testkit.Server) {
				ann := reachable(s, "ann@example.com", number)
				s.Grant(userID(ann), "manager")
				a := signIn(s, "ann@example.com", pass).Want(401, "step_required")
				if got := fmt.Sprint(a.JSON["attempt"].(m)["methods"]); got != "[passkey totp email phone]" { // what is sent comes last
					t.Error(got)
				}
				s.Records()
				chosen := s.Client().Post("/auth/attempts/"+step(a)+"/method", m{"method": f.method}).Want(200)
				s.Events("message.queued")
				if prompt := chosen.JSON["prompt"].(m); prompt["enrol"] != true || prompt["method"] != f.method {
					t.Errorf("%s", chosen.Body)
				}
				s.Client().Post("/auth/attempts/"+step(a)+"/method", m{"method": f.method}).Want(200)
				s.Events() // it was sent just now
				code := codeIn(s, f.to)
				verify(s.Client(), step(a), other(code)).Want(401, "code_invalid")
				elsewhere := a
				a = signIn(s, "ann@example.com", pass).Want(401, "step_required")
				s.Client().Post("/auth/attempts/"+step(a)+"/method", m{"method": f.method}).Want(200)
				code = codeIn(s, f.to)
				verify(s.Client(), step(elsewhere), code).Want(401, "code_invalid") // it is of another sign-in
				in := s.Client().Post("/auth/mfa/verify?transport=token", m{"attempt": step(a), "code": code}).Want(200)
				if got := part(t, in.Text("access_token"), 1); fmt.Sprint(got["amr"]) != f.amr || len(in.JSON["recovery_codes"].([]any)) != 10 {
					t.Error(got, in.JSON)
				}
				verify(s.Client(), step(a), code).Want(404)
				noticeIn(s, "ann@example.com", "way to sign in")
				if got := fmt.Sprint(signIn(s, "ann@example.com", pass).Want(401, "step_required").JSON["attempt"].(m)["methods"]); got != "["+f.method+" recoverycode]" {
					t.Error(got)
				}
			})
		})
	}
	testkit.Each(t, requiring("manager"), func(s *testkit.Server) {
		ann := reachable(s, "ann@example.com", number)
		s.Grant(userID(ann), "manager")
		a := enterCode(s.Client(), sendCode(s.Client(), "ann@example.com"), codeIn(s, "ann@example.com")).Want(401, "step_required")
		if got := fmt.Sprint(a.JSON["attempt"].(m)["methods"]); got != "[passkey totp phone]" {
			t.Error(got)
		}
	})
}
