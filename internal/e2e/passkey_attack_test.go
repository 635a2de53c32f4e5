package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/user"
)

type ceremony = testkit.Ceremony

// inClient has the browser say something else.
func inClient(name string, value any) func(*ceremony) {
	return func(c *ceremony) { c.Client[name] = value }
}

// inJSON has the page send something else.
func inJSON(change func(m)) func(*ceremony) { return func(c *ceremony) { c.JSON = change } }

func inResponse(name string, value any) func(*ceremony) {
	return inJSON(func(v m) { v["response"].(m)[name] = value })
}

// flags sets and clears flags of the authenticator.
func flags(set, clear byte) func(*ceremony) {
	return func(c *ceremony) { c.Flags = c.Flags&^clear | set }
}

// tampered is what an authenticator, its browser or its page may say wrong in either ceremony.
func tampered() map[string]func(*ceremony) {
	other := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	huge := base64.RawURLEncoding.EncodeToString(make([]byte, 200<<10))
	return map[string]func(*ceremony){
		"wrong type":                  inClient("type", "payment.get"),
		"no type":                     inClient("type", nil),
		"wrong challenge":             inClient("challenge", other),
		"no challenge":                inClient("challenge", ""),
		"challenge of no text":        inClient("challenge", 7),
		"wrong origin":                inClient("origin", "https://evil.example"),
		"origin below":                inClient("origin", "http://localhost.evil.example:8000"),
		"other port":                  inClient("origin", "http://localhost:9000"),
		"other scheme":                inClient("origin", "https://localhost:8000"),
		"no origin":                   inClient("origin", ""),
		"cross-origin":                inClient("crossOrigin", true),
		"top origin":                  func(c *ceremony) { c.Client["crossOrigin"], c.Client["topOrigin"] = true, "http://localhost:8000" },
		"top origin, not cross":       inClient("topOrigin", "https://evil.example"),
		"token binding":               inClient("tokenBinding", m{"status": "nonsense"}),
		"wrong rpIdHash":              func(c *ceremony) { c.RPID = "evil.example" },
		"UP=0":                        flags(0, testkit.UP),
		"BS without BE":               flags(testkit.BS, testkit.BE),
		"extensions that are no":      flags(0x80, 0),
		"extra CBOR":                  func(c *ceremony) { c.Extra = []byte{0xa1, 0x61, 0x78, 0x01} },
		"extra bytes":                 func(c *ceremony) { c.Extra = make([]byte, 1000) },
		"client data that is no JSON": inResponse("clientDataJSON", base64.RawURLEncoding.EncodeToString([]byte(`{"type":`))),
		"client data of a list":       inResponse("clientDataJSON", base64.RawURLEncoding.EncodeToString([]byte(`[]`))),
		"client data of no base64":    inResponse("clientDataJSON", "%%%"),
		"client data of no text":      inResponse("clientDataJSON", 5),
		"no client data":              inResponse("clientDataJSON", nil),
		"huge client data":            inResponse("clientDataJSON", huge),
		"no response":                 inJSON(func(v m) { delete(v, "response") }),
		"response of no object":       inJSON(func(v m) { v["response"] = "x" }),
		"no id":                       inJSON(func(v m) { delete(v, "id") }),
		"id and rawId differ":         inJSON(func(v m) { v["rawId"] = other }),
		"id of no base64":             inJSON(func(v m) { v["id"], v["rawId"] = "%%%", "%%%" }),
		"type of no passkey":          inJSON(func(v m) { v["type"] = "password" }),
		"nothing":                     inJSON(func(v m) { clear(v) }),
	}
}

// WAN-01: whatever of a registration is not as asked, no passkey comes of it.
func TestTamperedRegistrations(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		phone := s.NewAuthenticator()
		addPasskey(s, c, phone)
		first := phone.Keys[0]
		cases := tampered()
		delete(cases, "no type") // below
		for name, f := range map[string]func(*ceremony){
			"type of an assertion":    inClient("type", "webauthn.get"),
			"no type":                 inClient("type", nil),
			"algorithm not offered":   func(c *ceremony) { c.Algorithm = -35 },
			"algorithm of its own":    func(c *ceremony) { c.Algorithm = -65000 },
			"RS256 with an EC key":    func(c *ceremony) { c.Algorithm = -257 },
			"unknown attestation":     func(c *ceremony) { c.Format = "homemade" },
			"no attestation":          func(c *ceremony) { c.Format = "" },
			"none with a statement":   func(c *ceremony) { c.Statement = []byte{0xa1, 0x61, 0x78, 0x01} },
			"packed without one":      func(c *ceremony) { c.Format = "packed" },
			"tpm without one":         func(c *ceremony) { c.Format = "tpm" },
			"android-key without":     func(c *ceremony) { c.Format = "android-key" },
			"safetynet without":       func(c *ceremony) { c.Format = "android-safetynet" },
			"fido-u2f without":        func(c *ceremony) { c.Format = "fido-u2f" },
			"apple without":           func(c *ceremony) { c.Format = "apple" },
			"compound without":        func(c *ceremony) { c.Format = "compound" },
			"a statement of no map":   func(c *ceremony) { c.Statement = []byte{0x01} },
			"a statement cut off":     func(c *ceremony) { c.Statement = []byte{0xa1} },
			"no key":                  flags(0, 0x40),
			"credentialId of 1024":    func(c *ceremony) { c.ID = make([]byte, 1024) },
			"credentialId of 65535":   func(c *ceremony) { c.ID = make([]byte, 65535) },
			"no credentialId":         func(c *ceremony) { c.ID = []byte{} },
			"credentialId of another": inJSON(func(v m) { v["id"], v["rawId"] = "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA" }),
			"huge attestation": func(c *ceremony) {
				c.Statement = append([]byte{0xa1, 0x61, 0x78, 0x5a, 0, 2, 0, 0}, make([]byte, 128<<10)...)
			},
			"object of no CBOR":    inResponse("attestationObject", "AAAA"),
			"object of a bomb":     inResponse("attestationObject", base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0x9f}, 20000))),
			"object of a long lie": inResponse("attestationObject", base64.RawURLEncoding.EncodeToString([]byte{0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})),
			"no object":            inResponse("attestationObject", nil),
		} {
			cases[name] = f
		}
		for name, f := range cases {
			options := publicKey(c.Post("/auth/passkeys/register/options", nil).Want(200))
			a := c.Post("/auth/passkeys/register", m{"credential": s.NewAuthenticator().Create(options, f)})
			refused(t, name, a, 400)
		}
		options := publicKey(c.Post("/auth/passkeys/register/options", nil).Want(200))
		for _, body := range []any{m{"credential": nil}, m{"credential": "x"}, m{"credential": []int{1}}, m{}, m{"credential": m{}, "name": strings.Repeat("x", 201)}} {
			refused(t, fmt.Sprint(body), c.Post("/auth/passkeys/register", body))
		}
		twice := func(c *ceremony) { c.ID = first.ID }
		c.Post("/auth/passkeys/register", m{"credential": s.NewAuthenticator().Create(options, twice)}).Want(409, "passkey_taken")
		bob := person(s, "bob@example.com") // nor may it become somebody else's
		options = publicKey(bob.Post("/auth/passkeys/register/options", nil).Want(200))
		bob.Post("/auth/passkeys/register", m{"credential": s.NewAuthenticator().Create(options, twice)}).Want(409, "passkey_taken")
		if list := c.Get("/auth/passkeys").Want(200).JSON["items"].([]any); len(list) != 1 {
			t.Errorf("%v", list)
		}
		s.Records()
		enter(s, s.Client(), phone).Want(200)
	})
}

// WAN-01: whatever of an assertion is not as asked, it opens nothing, and the answer does not say why.
func TestTamperedAssertions(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		phone := s.NewAuthenticator()
		addPasskey(s, c, phone)
		cases := tampered()
		for name, f := range map[string]func(*ceremony){
			"type of a registration": inClient("type", "webauthn.create"),
			"UV=0":                   flags(0, testkit.UV),
			"BE that was not":        flags(testkit.BE, 0),
			"bad signature":          func(c *ceremony) { c.Signature = func([]byte) []byte { return make([]byte, 70) } },
			"signature of nothing":   func(c *ceremony) { c.Signature = func([]byte) []byte { return nil } },
			"signature of zeroes":    func(c *ceremony) { c.Signature = func([]byte) []byte { return []byte{0x30, 6, 2, 1, 0, 2, 1, 0} } },
			"signature of something else": func(c *ceremony) {
				sign := c.Signature
				c.Signature = func(signed []byte) []byte { sum := sha256.Sum256(signed); return sign(sum[:]) }
			},
			"client data changed after": inResponse("clientDataJSON", base64.RawURLEncoding.EncodeToString([]byte(`{"type":"webauthn.get"}`))),
			"authenticator data cut":    inResponse("authenticatorData", "AAAA"),
			"no authenticator data":     inResponse("authenticatorData", nil),
			"no userHandle":             func(c *ceremony) { c.Handle = nil },
			"empty userHandle":          func(c *ceremony) { c.Handle = []byte{} },
			"unknown credential":        func(c *ceremony) { c.ID = make([]byte, 20) },
			"credentialId of 1024":      func(c *ceremony) { c.ID = make([]byte, 1024) },
			"huge userHandle":           func(c *ceremony) { c.Handle = make([]byte, 100<<10) },
		} {
			cases[name] = f
		}
		for name, f := range cases {
			attempt, options := begin(s)
			b := s.Client()
			a := b.Post("/auth/passkeys/login", m{"attempt": attempt, "credential": phone.Get(options, f)})
			refused(t, name, a, 400, 401)
			if a.JSON["code"] != "invalid_credentials" {
				t.Errorf("%s: %s", name, a.Body)
			}
			if b.Cookie("/", "session_id") != "" {
				t.Errorf("%s opens the door", name)
			}
			attempt, options = begin(s) // in the general flow too
			text, err := json.Marshal(phone.Get(options, f))
			if err != nil {
				t.Fatal(err)
			}
			refused(t, name, s.Client().Post("/auth/attempts/"+attempt+"/answer", m{"values": m{"credential": string(text)}}), 400, 401)
		}
		attempt, _ := begin(s)
		for _, text := range []string{"x", "{", "null", "[]", `""`, strings.Repeat("[", 100_000), "\x00"} {
			refused(t, text[:1], s.Client().Post("/auth/attempts/"+attempt+"/answer", m{"values": m{"credential": text}}), 400, 401)
		}
		enter(s, s.Client(), phone).Want(200)
	})
}

// WAN-03: a counter that goes forward is kept. One that goes back opens nothing, is told of, and does not move what is stored.
func TestPasskeyCounter(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		key := s.NewAuthenticator()
		at := func(n uint32) func(*ceremony) { return func(c *ceremony) { c.Count = n } }
		addPasskey(s, c, key, at(5))
		enter(s, s.Client(), key, at(10)).Want(200)
		s.Events("login.begun", "session.created", "login.succeeded")
		for _, back := range []uint32{10, 3, 0} {
			enter(s, s.Client(), key, at(back)).Want(401, "invalid_credentials")
			s.Events("login.begun", "passkey.clone_suspected", "login.failed")
		}
		one := c.Get("/auth/passkeys").Want(200).JSON["items"].([]any)[0].(m)
		if one["suspected_at"] != s.Now().Format(time.RFC3339) {
			t.Errorf("%v", one)
		}
		enter(s, s.Client(), key, at(11)).Want(200)
		s.Records()

		uncounted := s.NewAuthenticator() // most passkeys that are synced do not count
		addPasskey(s, c, uncounted)
		for range 2 {
			enter(s, s.Client(), uncounted).Want(200)
		}
		s.Advance(10 * time.Minute)
		options := publicKey(c.Post("/auth/reauthenticate/options", m{"method": "passkey"}).Want(200))
		s.Records()
		c.Post("/auth/reauthenticate", m{"credential": key.Get(m{"rpId": "localhost", "challenge": options["challenge"], "allowCredentials": []any{
			map[string]any{"id": base64.RawURLEncoding.EncodeToString(key.Keys[0].ID)}}}, at(2))}).Want(403, "proof_invalid")
		s.Events("passkey.clone_suspected", "login.proof_failed")
	})
}

// WAN-04: a registration belongs to the session that began it, which has proved a short time ago who it is, and to nobody else.
func TestRegistrationOnSomebodyElsesAccount(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, mallory := person(s, "ann@example.com"), person(s, "mallory@example.com")
		phone := s.NewAuthenticator()
		options := publicKey(mallory.Post("/auth/passkeys/register/options", nil).Want(200))
		made := m{"credential": phone.Create(options)}
		ann.Post("/auth/passkeys/register", made).Want(403, "passkey_not_begun")
		ann.Post("/auth/passkeys/register/options", nil).Want(200) // not with one of her own under way either
		refused(t, "another's challenge", ann.Post("/auth/passkeys/register", made), 400)
		other := s.Client()
		other.Post("/auth/login", m{"email": "mallory@example.com", "password": pass}).Want(200)
		other.Post("/auth/passkeys/register", made).Want(403, "passkey_not_begun") // another session of the same person
		s.Client().Post("/auth/passkeys/register", made).Want(401)
		s.Client().Post("/auth/passkeys/register/options", nil).Want(401)

		evil := bearing(s, "session_id="+mallory.Cookie("/", "session_id"))
		evil.Header.Set("Origin", "https://evil.example")
		evil.Header.Set("Sec-Fetch-Site", "cross-site")
		refused(t, "from another site", evil.Post("/auth/passkeys/register", made), 403)
		refused(t, "from another site", evil.Post("/auth/passkeys/register/options", nil), 403)

		s.Advance(5 * time.Minute) // too late
		mallory.Post("/auth/passkeys/register", made).Want(403, "passkey_not_begun")
		s.Advance(5 * time.Minute) // the proof is old
		mallory.Post("/auth/passkeys/register/options", nil).Want(403, "reauthentication_required")

		ann.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		enrol(s, ann)
		attempt := halfway(s, "ann@example.com") // the second factor is still to come
		for _, half := range []*testkit.Client{bearing(s, "session_id="+attempt), {T: t, URL: s.URL, Bearer: attempt, Header: http.Header{}, Client: http.DefaultClient}} {
			half.Post("/auth/passkeys/register/options", nil).Want(401)
			half.Post("/auth/passkeys/register", made).Want(401)
		}
		for _, c := range []*testkit.Client{ann, mallory} {
			if list := c.Get("/auth/passkeys").Want(200).JSON["items"].([]any); len(list) != 0 {
				t.Errorf("%v", list)
			}
		}
	})
}

// WAN-05: a passkey says whose it is and is that person's; it opens nothing in the name of somebody else.
func TestPasskeyOfSomebodyElse(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		hers, his := s.NewAuthenticator(), s.NewAuthenticator()
		addPasskey(s, ann, hers)
		addPasskey(s, bob, his)
		asBob := func(c *ceremony) { c.Handle = his.Keys[0].Handle }
		enter(s, s.Client(), hers, asBob).Want(401, "invalid_credentials")
		enter(s, s.Client(), hers, func(c *ceremony) { c.ID = his.Keys[0].ID }).Want(401, "invalid_credentials")
		enter(s, s.Client(), hers, func(c *ceremony) { c.ID, c.Handle = his.Keys[0].ID, his.Keys[0].Handle }).Want(401, "invalid_credentials")

		// Who said that he is Bob gets in with Bob's passkey alone.
		for _, device := range []struct {
			of     *testkit.Authenticator
			status int
		}{{hers, 401}, {his, 200}} {
			a := s.Client().Post("/auth/passkeys/login/options", m{"identifier": "bob@example.com"}).Want(200)
			s.Client().Post("/auth/passkeys/login", m{"attempt": a.Text("attempt"), "credential": device.of.Get(publicKey(a))}).Want(device.status)
			a = s.Client().Post("/auth/attempts", m{"identifier": "bob@example.com", "method": "passkey"}).Want(201)
			s.Client().Post("/auth/passkeys/login", m{"attempt": a.Text("id"), "credential": device.of.Get(publicKey(a))}).Want(device.status)
		}
		a := s.Client().Post("/auth/passkeys/login/options", m{"identifier": "nobody@example.com"}).Want(200)
		s.Client().Post("/auth/passkeys/login", m{"attempt": a.Text("attempt"), "credential": hers.Get(publicKey(a))}).Want(401, "invalid_credentials")

		// As a second factor only those that are asked for count.
		enrol(s, bob)
		a = s.Client().Post("/auth/login", m{"email": "bob@example.com", "password": pass}).Want(401, "step_required")
		options := publicKey(a)
		if list := options["allowCredentials"].([]any); len(list) != 1 || list[0].(m)["id"] != base64.RawURLEncoding.EncodeToString(his.Keys[0].ID) {
			t.Errorf("%v", options)
		}
		attempt := step(a)
		stolen := m{"rpId": "localhost", "challenge": options["challenge"]}
		s.Client().Post("/auth/passkeys/login", m{"attempt": attempt, "credential": hers.Get(stolen)}).Want(401, "invalid_credentials")
		s.Client().Post("/auth/passkeys/login", m{"attempt": attempt, "credential": hers.Get(stolen, asBob)}).Want(401, "invalid_credentials")

		// Nor does hers prove that he is still there.
		options = publicKey(bob.Post("/auth/reauthenticate/options", m{"method": "passkey"}).Want(200))
		bob.Post("/auth/reauthenticate", m{"credential": hers.Get(m{"rpId": "localhost", "challenge": options["challenge"]})}).Want(403, "proof_invalid")
		bob.Post("/auth/reauthenticate", m{"credential": his.Get(options)}).Want(200)
	})
}

// What is to be signed is good once: not for another sign-in, not for another purpose, not again, not later.
func TestChallengesAreUsedOnce(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		phone := s.NewAuthenticator()
		addPasskey(s, c, phone)
		attempt, options := begin(s)
		other, _ := begin(s)
		signed := phone.Get(options)
		s.Client().Post("/auth/passkeys/login", m{"attempt": other, "credential": signed}).Want(401)
		s.Client().Post("/auth/passkeys/login", m{"attempt": attempt, "credential": signed}).Want(200)
		s.Client().Post("/auth/passkeys/login", m{"attempt": attempt, "credential": signed}).Want(404, "attempt_not_found")
		c.Post("/auth/reauthenticate", m{"credential": signed}).Want(403, "proof_invalid")
		attempt, options = begin(s)
		s.Advance(10 * time.Minute)
		s.Client().Post("/auth/passkeys/login", m{"attempt": attempt, "credential": phone.Get(options)}).Want(404)

		c.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		again := publicKey(c.Post("/auth/reauthenticate/options", m{"method": "passkey"}).Want(200))
		proof := phone.Get(again)
		attempt, _ = begin(s)
		s.Client().Post("/auth/passkeys/login", m{"attempt": attempt, "credential": proof}).Want(401)
		c.Post("/auth/reauthenticate", m{"credential": proof}).Want(200)
		c.Post("/auth/reauthenticate", m{"credential": proof}).Want(403, "proof_invalid")

		making := publicKey(c.Post("/auth/passkeys/register/options", nil).Want(200))
		made := m{"credential": s.NewAuthenticator().Create(making)}
		c.Post("/auth/passkeys/register", made).Want(201)
		c.Post("/auth/passkeys/register", made).Want(403, "passkey_not_begun")

		c.Post("/auth/reauthenticate/options", m{"method": "passkey"}).Want(200)
		old := publicKey(c.Post("/auth/reauthenticate/options", m{"method": "passkey"}).Want(200))
		s.Advance(5 * time.Minute)
		c.Post("/auth/reauthenticate", m{"credential": phone.Get(old)}).Want(403, "proof_invalid")
	})
}

// Of many who show one assertion at once, one gets in, and the others are not taken for a copy of the key.
func TestOneAssertionManyCallers(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		key := s.NewAuthenticator()
		addPasskey(s, c, key, func(c *ceremony) { c.Count = 1 })
		attempt, options := begin(s)
		signed := key.Get(options)
		s.Records()
		won := 0
		for _, a := range together(16, func(int) testkit.Answer {
			return s.Client().Post("/auth/passkeys/login", m{"attempt": attempt, "credential": signed})
		}) {
			switch a.Status {
			case 200:
				won++
			case 404:
			default:
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
		if won != 1 {
			t.Errorf("%d got in", won)
		}
		s.Events("session.created", "login.succeeded")

		options = publicKey(c.Post("/auth/reauthenticate/options", m{"method": "passkey"}).Want(200))
		signed = key.Get(options)
		tally(t, together(16, func(int) testkit.Answer { return c.Post("/auth/reauthenticate", m{"credential": signed}) }), map[int]int{200: 1, 403: 15})
		for _, r := range s.Records() {
			if r.Kind == "passkey.clone_suspected" {
				t.Error("a second caller was taken for a copy")
			}
		}
		options = publicKey(c.Post("/auth/passkeys/register/options", nil).Want(200))
		made := m{"credential": key.Create(options)}
		tally(t, together(16, func(int) testkit.Answer { return c.Post("/auth/passkeys/register", made) }), map[int]int{201: 1, 403: 15})
	})
}

// ENU: what is asked of a passkey at the door is the same, byte for byte but for the challenge and the ids, whoever was named.
func TestPasskeyOptionsTellNothing(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		addPasskey(s, ann, s.NewAuthenticator())
		person(s, "without@example.com")
		suspended := person(s, "suspended@example.com")
		addPasskey(s, suspended, s.NewAuthenticator())
		enrol(s, ann)
		if err := s.App().Accounts.Disable(s.Context(), authz.System, userID(suspended)); err != nil {
			t.Fatal(err)
		}
		hers := s.NewAuthenticator()
		addPasskey(s, person(s, "mallory@example.com"), hers)
		told := map[string][]string{}
		for _, who := range []string{"", "ann@example.com", "without@example.com", "suspended@example.com", "nobody@example.com", "not an address", "+49171", strings.Repeat("x", 300)} {
			a := s.Client().Post("/auth/passkeys/login/options", m{"identifier": who}).Want(200)
			options := publicKey(a)
			answer := s.Client().Post("/auth/passkeys/login", m{"attempt": a.Text("attempt"), "credential": hers.Get(options, func(c *ceremony) { c.Handle = nil })}).Want(401, "invalid_credentials")
			text := strings.NewReplacer(a.Text("attempt"), "…", options["challenge"].(string), "…").Replace(string(a.Body))
			text += strings.ReplaceAll(string(answer.Body), answer.Text("request_id"), "…")
			if who != "" {
				b := s.Client().Post("/auth/attempts", m{"identifier": who, "method": "passkey"}).Want(201)
				text += strings.NewReplacer(b.Text("id"), "…", publicKey(b)["challenge"].(string), "…").Replace(string(b.Body))
				if !strings.HasSuffix(who, "@example.com") { // what can be sent to an address is offered to who types one, whoever that is
					text = strings.Replace(text, `"passkey","social"`, `"passkey","magiclink","email","social"`, 1)
				}
				told[text] = append(told[text], who)
			}
		}
		if len(told) != 1 {
			t.Errorf("%d different answers: %v", len(told), told)
		}
	})
}

// Who is suspended does not get in with a passkey, and under strict is told nothing of it.
func TestPasskeyOfTheSuspended(t *testing.T) {
	for code, change := range map[string]func(*admit.Config){"account_disabled": nil, "invalid_credentials": strict} {
		testkit.Each(t, change, func(s *testkit.Server) {
			if _, err := s.App().Passwords.Create(s.Context(), authz.System, user.New{Email: "ann@example.com"}, pass); err != nil {
				t.Fatal(err)
			}
			c := s.Client()
			c.Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(200)
			phone := s.NewAuthenticator()
			addPasskey(s, c, phone)
			id := userID(c)
			attempt, options := begin(s)
			if err := s.App().Accounts.Disable(s.Context(), authz.System, id); err != nil {
				t.Fatal(err)
			}
			s.Records()
			a := s.Client().Post("/auth/passkeys/login", m{"attempt": attempt, "credential": phone.Get(options)})
			if a.JSON["code"] != code {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			if list := s.Records(); len(list) != 1 || list[0].Kind != "login.failed" || list[0].Subject != id {
				t.Errorf("%v", list)
			}
		})
	}
}

// RL-07: who guesses at somebody's password, or shows nonsense for a passkey, keeps nobody's passkey out.
func TestGuessesDoNotLockPasskeysOut(t *testing.T) {
	limits := func(c *admit.Config) {
		c.RateLimit.RateLimit, c.RateLimit.IPPerMinute = "memory", 100_000
	}
	testkit.Each(t, limits, func(s *testkit.Server) {
		phone := s.NewAuthenticator()
		addPasskey(s, person(s, "ann@example.com"), phone)
		var last []int
		for range 30 {
			last = append(last, signIn(s, "ann@example.com", "wrong password").Status)
		}
		if !slices.Contains(last, 429) {
			t.Errorf("%v", last)
		}
		for range 30 {
			attempt, _ := begin(s)
			s.Client().Post("/auth/passkeys/login", m{"attempt": attempt, "credential": m{}}).Want(401)
		}
		enter(s, s.Client(), phone).Want(200)
	})
}

// An attempt that began without a name takes a passkey and nothing else.
func TestNamelessAttempts(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		s.Client().Post("/auth/attempts", m{}).Want(422, "identifier_required")
		s.Client().Post("/auth/attempts", m{"method": "password"}).Want(422, "identifier_required")
		s.Client().Post("/auth/attempts", m{"method": "totp"}).Want(422, "identifier_required")
		a := s.Client().Post("/auth/attempts", m{"method": "passkey"}).Want(201)
		if fmt.Sprint(a.JSON["methods"]) != "[passkey]" {
			t.Errorf("%s", a.Body)
		}
		at := "/auth/attempts/" + a.Text("id")
		s.Client().Post(at+"/method", m{"method": "password"}).Want(422, "method_unknown")
		s.Client().Post(at+"/answer", m{"values": m{"password": pass}}).Want(401, "invalid_credentials")
		s.Client().Post(at+"/answer", m{"values": m{"code": "123456"}}).Want(401, "invalid_credentials")
		verify(s.Client(), a.Text("id"), "123456").Want(401, "invalid_credentials")
		for range 7 { // ten answers in all
			s.Client().Post(at+"/answer", m{"values": m{"credential": "{}"}}).Want(401, "invalid_credentials")
		}
		s.Client().Post(at+"/answer", m{"values": m{"credential": "{}"}}).Want(404, "attempt_not_found")
	})
}
