package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// nowhereIn holds that nobody came in: no session, no account, no identity.
func nowhereIn(s *testkit.Server, c *testkit.Client, what string) {
	s.Helper()
	if c.Cookie("/", "session_id") != "" {
		s.Errorf("%s: a session", what)
	}
	for _, r := range s.Records() {
		if r.Kind != "identity.failed" {
			s.Errorf("%s: %s", what, r.Kind)
		}
	}
}

// SOC-01, CSR-06: the address of a callback is worth nothing in another browser, and leaves what is there as it is.
func TestSOC01StateIsBoundToTheBrowser(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		attacker := s.Client()
		q := depart(attacker, f, "acme", "")
		asked := f.asked[q.Get("code")]
		for _, kept := range []string{q.Get("state"), asked.Get("nonce"), attacker.Cookie("/auth/", "social_trip")} {
			if len(kept) != 64 || strings.Contains(everything(s, s), kept) {
				s.Errorf("%q can be read in the store", kept)
			}
		}
		victim := person(s, "victim@example.com")
		before := victim.Cookie("/", "session_id")
		for _, c := range []*testkit.Client{victim, s.Client()} {
			refused(t, "no cookie", arrive(c, "acme", q), 400)
		}
		depart(victim, f, "acme", "") // who has a trip of their own
		refused(t, "another cookie", arrive(victim, "acme", q), 400)
		if victim.Cookie("/", "session_id") != before || victim.Get("/auth/me").Want(200).Text("email") != "victim@example.com" || len(identities(victim)) > 0 {
			s.Error("the victim's session is another")
		}
		s.Events()
		attacker.Post("/auth/signup", m{"email": "attacker@example.com", "password": pass}).Want(201)
		q = f.consent(attacker.Post("/auth/acme/link", m{}).Want(200).Text("redirect"))
		refused(t, "a link", arrive(victim, "acme", q), 400)
		arrive(attacker, "acme", q).Want(303)
	})
}

// CSR-06: a page of another site cannot have an image or a frame begin or end a trip.
func TestCSR06ForcedTrips(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		c := s.Client()
		q := depart(c, f, "acme", "")
		for _, dest := range []string{"image", "iframe", "empty", "script", "embed", "object"} {
			c.Header.Set("Sec-Fetch-Dest", dest)
			c.Header.Set("Sec-Fetch-Site", "cross-site")
			refused(t, dest, c.Get("/auth/acme/login"), 403)
			refused(t, dest, arrive(c, "acme", q), 403)
		}
		c.Header.Set("Origin", "https://evil.test")
		refused(t, "link", c.Post("/auth/acme/link", m{}), 403)
		c.Header = http.Header{"Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}}
		if a := c.Do("HEAD", "/auth/acme/callback?"+q.Encode(), nil); a.Status != 405 {
			s.Errorf("HEAD: %d", a.Status)
		}
		arrive(c, "acme", q).Want(303)
	})
}

// SOC-02: what was begun with one provider does not end at another.
func TestSOC02CallbacksAreNotSwapped(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) { acme(cfg, f); cfg.Social.GitHub = elsewhere(f) }, func(s *testkit.Server, f *fake) {
		f.profiles["/api/v3/user"], f.profiles["/api/v3/user/emails"] = m{"id": 1, "login": "ann"}, []m{}
		c := s.Client()
		q := depart(c, f, "acme", "")
		before := len(f.requests)
		refused(t, "at another", arrive(c, "github", q).Want(400, "sign_in_expired"), 400)
		if len(f.requests) != before {
			s.Error("the code was shown to another provider")
		}
		own := depart(c, f, "github", "")
		mixed := url.Values{"state": {q.Get("state")}, "code": {own.Get("code")}}
		refused(t, "the code of another", arrive(c, "acme", mixed), 400)
		nowhereIn(s, c, "swapped")
		travel(c, f, "github").Want(303)
	})
}

// SOC-03: issuer and subject are who somebody is, and an address never is.
func TestSOC03IdentityIsIssuerAndSubject(t *testing.T) {
	var other sync.Map // of each engine
	eachSocial(t, func(cfg *admit.Config, f *fake) {
		acme(cfg, f)
		second := newFake(f.t, f.now)
		second.rotate("k1")
		other.Store(f.URL, second)
		cfg.Social.GitLab = client(second)
	}, func(s *testkit.Server, f *fake) {
		c := s.Client()
		travel(c, f, "acme").Want(303)
		ann := userID(c)
		f.claims["sub"] = "s-2"
		s.Client().Get("/auth/providers").Want(200)
		travel(s.Client(), f, "acme").Want(409, "identity_link_required")
		found, _ := other.Load(f.URL)
		second := found.(*fake)
		second.claims["email"] = "else@example.com"
		c = s.Client()
		travel(c, second, "gitlab").Want(303)
		if userID(c) == ann {
			s.Error("the same subject of another issuer is the same person")
		}
		f.claims["sub"], f.claims["email"] = "s-1", "moved@example.com"
		c = s.Client()
		travel(c, f, "acme").Want(303)
		if me := c.Get("/auth/me").Want(200); me.Text("id") != ann || me.Text("email") != "ann@example.com" {
			s.Errorf("%s", me.Body)
		}
		if list := identities(c); list[0]["email"] != "moved@example.com" {
			s.Error(list)
		}
	})
}

// An address that has an account opens it only by its owner's own doing: they sign in, and link.
func TestLinkingAsksForTheOwner(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		c := s.Client()
		travel(c, f, "acme").Want(303) // an account with a verified address
		f.claims["sub"] = "s-2"
		page := s.Client()
		page.Header.Set("Accept", "text/html")
		if a := travel(page, f, "acme").Want(409); !strings.Contains(string(a.Body), "Sign in to it the way you usually do") {
			s.Errorf("%s", a.Body)
		}
		nobody := s.Client()
		s.Records()
		travel(nobody, f, "acme").Want(409, "identity_link_required")
		nowhereIn(s, nobody, "linked silently")
		arrive(c, "acme", f.consent(c.Post("/auth/acme/link", m{"return_to": "/account"}).Want(200).Text("redirect"))).Want(303)
		s.Events("identity.linked", "message.queued")
		if l := s.Letter("ann@example.com"); !strings.Contains(l.Text, "Acme") {
			s.Errorf("%s", l.Text)
		}
		travel(nobody, f, "acme").Want(303)
		if userID(nobody) != userID(c) || len(identities(c)) != 2 {
			s.Error(identities(c))
		}
	})
	eachSocial(t, func(cfg *admit.Config, f *fake) { acme(cfg, f); cfg.Social.Own.Trusted = false }, func(s *testkit.Server, f *fake) {
		person(s, "ann@example.com") // not verified on either side
		travel(s.Client(), f, "acme").Want(409, "identity_link_required")
	})
	eachSocial(t, func(cfg *admit.Config, f *fake) {
		acme(cfg, f)
		cfg.Social.Own.Trusted = false
		strict(cfg)
	}, func(s *testkit.Server, f *fake) { // nobody learns from an address that nobody verified whether it has an account
		s.Client().Post("/auth/signup", m{"email": "ann@example.com", "password": pass}).Want(202)
		for i, email := range []string{"ann@example.com", "unknown@example.com"} {
			f.claims["sub"], f.claims["email"] = fmt.Sprint("s-", i), email
			c := s.Client()
			travel(c, f, "acme").Want(303)
			if me := c.Get("/auth/me").Want(200); me.JSON["email"] != nil {
				s.Errorf("%s", me.Body)
			}
		}
	})
	eachSocial(t, func(cfg *admit.Config, f *fake) { acme(cfg, f); cfg.Login.SignUp = false }, func(s *testkit.Server, f *fake) {
		c := s.Client()
		travel(c, f, "acme").Want(403, "signup_disabled")
		nowhereIn(s, c, "signed up")
	})
}

// SGN-06: who makes an account with an address of somebody else and waits is left with nothing once its owner comes with a provider.
func TestSGN06UnverifiedAccountsAreReclaimed(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) { acme(cfg, f); cfg.Social.GitHub = elsewhere(f) }, func(s *testkit.Server, f *fake) {
		f.profiles["/api/v3/user"], f.profiles["/api/v3/user/emails"] = m{"id": 666, "login": "evil"}, []m{}
		attacker := s.Client()
		attacker.Post("/auth/signup", m{"email": "ann@example.com", "phone": "+491711234567", "password": pass}).Want(201)
		id := userID(attacker)
		app, refresh := native(s, "ann@example.com")
		arrive(attacker, "github", f.consent(attacker.Post("/auth/github/link", m{}).Want(200).Text("redirect"))).Want(303)
		pending := f.consent(attacker.Post("/auth/acme/link", m{}).Want(200).Text("redirect")) // under way
		late := s.Client()
		q := depart(late, f, "acme", "")
		attempt := s.Client().Post("/auth/attempts", m{"identifier": "ann@example.com"}).Want(201).Text("id")
		second := setUp(s, attacker)
		attacker.Post("/auth/mfa/totp/confirm", m{"code": second.code(0)}).Want(200)
		s.Records()

		victim := s.Client()
		arrive(late, "acme", q).Want(303)
		travel(victim, f, "acme").Want(303)
		me := victim.Get("/auth/me").Want(200)
		if me.Text("id") != id || me.JSON["email_verified"] != true || me.JSON["phone"] != nil || asJSON(me.JSON["second_factors"]) != "[]" {
			s.Errorf("%s", me.Body)
		}
		attacker.Get("/auth/me").Want(401)
		app.Get("/auth/me").Want(401)
		s.Client().Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(401)
		s.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(401, "invalid_credentials")
		s.Client().Post("/auth/attempts/"+attempt+"/answer", m{"values": m{"password": pass}}).Want(404)
		refused(t, "a link under way", arrive(attacker, "acme", pending), 401)
		if list := identities(victim); len(list) != 1 || list[0]["provider"] != "acme" {
			s.Error(list)
		}
		c := s.Client()
		travel(c, f, "github").Want(303)
		if userID(c) == id {
			s.Error("the attacker's other account still opens it")
		}
	})
	eachSocial(t, acme, func(s *testkit.Server, f *fake) { // a role was never given to an address
		owner := person(s, "ann@example.com")
		s.Grant(userID(owner), authz.SuperAdmin)
		travel(s.Client(), f, "acme").Want(409, "identity_link_required")
		owner.Get("/auth/me").Want(200)
	})
}

// SOC-07: linking asks for a fresh proof; an identity is one person's; the last way in stays.
func TestSOC07LinkAndUnlink(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) { acme(cfg, f); cfg.Social.Own.Trusted = false }, func(s *testkit.Server, f *fake) {
		f.claims["email"] = ""
		ann, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		s.Advance(11 * time.Minute)
		ann.Post("/auth/acme/link", m{}).Want(403, "reauthentication_required")
		ann.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		bob.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		s.Records()
		link := func(c *testkit.Client) testkit.Answer {
			s.Helper()
			return arrive(c, "acme", f.consent(c.Post("/auth/acme/link", m{}).Want(200).Text("redirect")))
		}
		link(ann).Want(303)
		s.Events("identity.linked", "message.queued")
		link(bob).Want(409, "identity_taken")
		s.Events("identity.failed")
		link(ann).Want(303) // again is nothing new
		s.Events("identity.used")
		mine := identities(ann)[0]["id"].(string)
		bob.Do("DELETE", "/auth/identities/"+mine, nil).Want(404, "identity_not_found")
		s.Client().Do("DELETE", "/auth/identities/"+mine, nil).Want(401)
		phone, _ := native(s, "ann@example.com")
		ann.Do("DELETE", "/auth/identities/"+mine, nil).Want(204) // there is the password
		s.Events("identity.unlinked", "session.revoked", "message.queued")
		phone.Get("/auth/me").Want(401)
		ann.Do("DELETE", "/auth/identities/"+mine, nil).Want(404)

		only := s.Client()
		travel(only, f, "acme").Want(303)
		one := identities(only)[0]["id"].(string)
		only.Do("DELETE", "/auth/identities/"+one, nil).Want(409, "last_way_in")
		s.Client().Post("/auth/logout", nil)
		f.claims["sub"] = "s-2"
		link(only).Want(303)
		two := identities(only)[1]["id"].(string)
		s.Records()
		tally(t, together(2, func(i int) testkit.Answer {
			return only.Do("DELETE", "/auth/identities/"+[]string{one, two}[i], nil)
		}), map[int]int{204: 1, 409: 1}) // whoever is first; something stays
		if len(identities(only)) != 1 {
			s.Error(identities(only))
		}
	})
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		ann := person(s, "ann@example.com")
		q := f.consent(ann.Post("/auth/acme/link", m{}).Want(200).Text("redirect"))
		ann.Post("/auth/logout", nil).Want(200)
		arrive(ann, "acme", q).Want(401, "session_invalid") // whoever began it is not signed in any more
	})
}

// SOC-09: a callback counts once, and whatever it says, nothing breaks and nothing is repeated.
func TestSOC09CallbacksThatLie(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		c := s.Client()
		q := depart(c, f, "acme", "")
		arrive(c, "acme", q).Want(303)
		refused(t, "replayed", arrive(c, "acme", q), 400)
		s.Records()
		for what, change := range map[string]func(q url.Values){
			"no code":     func(q url.Values) { q.Del("code") },
			"wrong code":  func(q url.Values) { q.Set("code", marker) },
			"long code":   func(q url.Values) { q.Set("code", strings.Repeat("c", 8000)) },
			"error":       func(q url.Values) { q.Set("error", "<script>"+marker); q.Set("error_description", "<script>"+marker) },
			"long error":  func(q url.Values) { q.Set("error", strings.Repeat("e", 8000)) },
			"denied":      func(q url.Values) { q.Set("error", "access_denied") },
			"another iss": func(q url.Values) { q.Set("iss", "https://evil.test") },
			"no state":    func(q url.Values) { q.Del("state") },
			"wrong state": func(q url.Values) { q.Set("state", marker) },
			"1 MB state":  func(q url.Values) { q.Set("state", strings.Repeat("s", 500<<10)) },
			"NUL":         func(q url.Values) { q.Set("state", "\x00"+marker) },
		} {
			for _, accept := range []string{"", "text/html"} {
				c := s.Client()
				q := depart(c, f, "acme", "")
				change(q)
				c.Header.Set("Accept", accept)
				a := arrive(c, "acme", q)
				if a.Status < 400 || a.Status > 499 {
					s.Errorf("%s: %d %.200s", what, a.Status, a.Body)
				}
				echo(t, what, a)
				if accept != "" && a.Status != 431 && !strings.Contains(string(a.Body), "Begin again with Acme") {
					s.Errorf("%s: %s", what, a.Body)
				}
				nowhereIn(s, c, what)
			}
		}
		refused(t, "state twice", c.Get("/auth/acme/callback?state=a&state=b"), 400)
		q = depart(c, f, "acme", "")
		s.Advance(11 * time.Minute)
		refused(t, "late", arrive(c, "acme", q), 400)
	})
}

// SOC-10: who is on the way while a provider is turned off does not arrive.
func TestSOC10DisabledInFlight(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		c := s.Client()
		q := depart(c, f, "acme", "")
		app := s.Client()
		cfg := s.Config
		cfg.Social.Own.Enabled = false
		off := testkit.Start(t, cfg, s.Clock)
		c.URL, app.URL = off.URL, off.URL
		refused(t, "in flight", arrive(c, "acme", q), 404)
		nowhereIn(off, c, "in flight")
		refused(t, "anew", app.Get("/auth/acme/login"), 404)
	})
}

// hostile is a provider that is not what it should be.
var hostile = map[string]func(f *fake){
	"alg none": func(f *fake) {
		f.sign = func(c m) string {
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(asJSON(c))) + "."
		}
	},
	"HS256 with the public secret": func(f *fake) {
		f.sign = func(c m) string {
			text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(asJSON(c)))
			mac := hmac.New(sha256.New, []byte("shared"))
			mac.Write([]byte(text))
			return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		}
	},
	"another's key": func(f *fake) {
		other := newFake(f.t, f.now)
		other.rotate("k1")
		f.sign = other.signed
	},
	"wrong issuer":          func(f *fake) { f.change = func(c m) { c["iss"] = "https://evil.test" } },
	"no issuer":             func(f *fake) { f.change = func(c m) { delete(c, "iss") } },
	"wrong audience":        func(f *fake) { f.change = func(c m) { c["aud"] = "another" } },
	"no audience":           func(f *fake) { f.change = func(c m) { delete(c, "aud") } },
	"audiences without azp": func(f *fake) { f.change = func(c m) { c["aud"] = []string{"client", "another"} } },
	"azp of another":        func(f *fake) { f.change = func(c m) { c["aud"], c["azp"] = []string{"client", "another"}, "another" } },
	"wrong nonce":           func(f *fake) { f.change = func(c m) { c["nonce"] = strings.Repeat("0", 64) } },
	"no nonce":              func(f *fake) { f.noNonce = true },
	"expired":               func(f *fake) { f.change = func(c m) { c["exp"] = f.now().Add(-time.Minute).Unix() } },
	"no expiry":             func(f *fake) { f.change = func(c m) { delete(c, "exp") } },
	"not yet":               func(f *fake) { f.change = func(c m) { c["nbf"] = f.now().Add(time.Hour).Unix() } },
	"no subject":            func(f *fake) { f.change = func(c m) { delete(c, "sub") } },
	"subject of 300":        func(f *fake) { f.claims["sub"] = strings.Repeat("s", 300) },
	"subject with NUL":      func(f *fake) { f.claims["sub"] = "a\x00b" },
	"hash of another token": func(f *fake) { f.claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" },
	"swapped subject": func(f *fake) {
		f.claims = m{"sub": "s-1"}
		f.said["userinfo_endpoint"] = f.URL + "/me"
		f.profiles["/me"] = m{"sub": "s-2", "email": "ann@example.com", "email_verified": true}
	},
	"no ID token": func(f *fake) {
		f.answer = func(w http.ResponseWriter, r *http.Request) {
			f.json(w, 200, m{"access_token": "at-1", "token_type": "bearer"})
		}
	},
	"10 MB": func(f *fake) {
		f.answer = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"access_token":"` + strings.Repeat("a", 10<<20) + `"}`))
		}
	},
	"keys of 10 MB": func(f *fake) {
		f.keys = func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat(" ", 10<<20)))
			f.json(w, 200, jose.JSONWebKeySet{Keys: f.published})
		}
	},
	"no JSON": func(f *fake) {
		f.answer = func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("<html>" + marker)) }
	},
	"307 on the token endpoint": func(f *fake) {
		f.answer = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, f.URL+"/elsewhere", http.StatusTemporaryRedirect)
		}
	},
	"error without end": func(f *fake) {
		f.answer = func(w http.ResponseWriter, r *http.Request) { f.json(w, 400, m{"error": strings.Repeat("e", 100_000)}) }
	},
	"token type of another": func(f *fake) {
		f.answer = func(w http.ResponseWriter, r *http.Request) { f.json(w, 200, m{"token_type": "bearer"}) }
	},
}

// A hostile provider is refused: no session, no account, no identity, nothing repeated, and nobody else is called.
func TestHostileProvider(t *testing.T) {
	for what, change := range hostile {
		t.Run(what, func(t *testing.T) {
			eachSocial(t, acme, func(s *testkit.Server, f *fake) {
				change(f)
				c := s.Client()
				refused(t, what, travel(c, f, "acme"), 400)
				nowhereIn(s, c, what)
				for _, r := range f.requests {
					if strings.Contains(r, "elsewhere") {
						s.Errorf("%s was followed", r)
					}
				}
			})
		})
	}
}

// A body that never ends is given up, as is a provider that never answers; neither is held against who waits.
func TestProviderWithoutEnd(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) { acme(cfg, f); cfg.Social.TimeoutSeconds = 1 }, func(s *testkit.Server, f *fake) {
		c := s.Client()
		f.answer = func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(200)
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(" ")); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
				select {
				case <-r.Context().Done():
				case <-time.After(10 * time.Millisecond):
				}
			}
		}
		refused(t, "without end", travel(c, f, "acme"), 400)
		nowhereIn(s, c, "without end")
		f.answer = func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then does a server notice that somebody hangs up
			<-r.Context().Done()
		}
		travel(c, f, "acme").Want(503, "provider_unavailable")
		nowhereIn(s, c, "silent")
	})
}

// A provider that is ill is 503 with a page that says so, and well again when it is.
func TestProviderDown(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		c := s.Client()
		f.wellKnown = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502) }
		a := c.Get("/auth/acme/login").Want(503, "provider_unavailable")
		if a.Header.Get("Retry-After") == "" {
			s.Error("no Retry-After")
		}
		c.Header.Set("Accept", "text/html")
		if a := c.Get("/auth/acme/login").Want(503); !strings.Contains(string(a.Body), "does not answer") {
			s.Errorf("%s", a.Body)
		}
		c.Header.Del("Accept")
		if n := len(f.requests); n != 1 {
			s.Errorf("it was asked %d times within seconds", n)
		}
		f.wellKnown = nil
		s.Advance(6 * time.Second)
		travel(c, f, "acme").Want(303)
		s.Records()
		f.answer = func(w http.ResponseWriter, r *http.Request) { f.json(w, 401, m{"error": "invalid_client"}) } // our own fault, not of who signs in
		travel(s.Client(), f, "acme").Want(503, "provider_unavailable")
		f.answer = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }
		travel(s.Client(), f, "acme").Want(503, "provider_unavailable")
		f.answer = nil
		f.rotate("k2")
		f.keys = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }
		travel(s.Client(), f, "acme").Want(503, "provider_unavailable")
		f.keys = nil
		travel(s.Client(), f, "acme").Want(303)
	})
}

// Keys may be changed at any time: a token of a new one is accepted, and of one that is gone refused.
func TestProviderKeysRotate(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		travel(s.Client(), f, "acme").Want(303)
		f.rotate("k2")
		travel(s.Client(), f, "acme").Want(303)
		published := f.published
		f.rotate("k3")
		f.published = published
		refused(t, "a key that is not published", travel(s.Client(), f, "acme"), 400)
	})
}

// RFC 9207: a provider that says it names itself must.
func TestIssuerOfTheAnswer(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) {
		acme(cfg, f)
		f.said["authorization_response_iss_parameter_supported"] = true
	}, func(s *testkit.Server, f *fake) {
		c := s.Client()
		refused(t, "none", travel(c, f, "acme"), 400)
		q := depart(c, f, "acme", "")
		q.Set("iss", "https://evil.test")
		refused(t, "another", arrive(c, "acme", q), 400)
		nowhereIn(s, c, "another")
		q = depart(c, f, "acme", "")
		q.Set("iss", f.URL)
		arrive(c, "acme", q).Want(303)
	})
}

// Microsoft: the issuer of a token is the tenant it names, and no address is believed that no domain vouches for.
func TestMicrosoftTenants(t *testing.T) {
	var microsoft provider
	for _, p := range named(t) {
		if p.name == "microsoft" {
			microsoft = p
		}
	}
	const personal = "9188040d-6c67-4c5b-b112-36a304b66dad"
	for _, c := range []struct {
		tenant, tid, iss string
		ok               bool
	}{
		{"common", tenant, "/" + tenant + "/v2.0", true}, {"common", personal, "/" + personal + "/v2.0", true}, {"common", tenant, "/" + personal + "/v2.0", false}, {"common", "", "/" + tenant + "/v2.0", false},
		{"common", "..", "/../v2.0", false}, {"common", tenant, "/common/v2.0", false}, {"organizations", tenant, "/" + tenant + "/v2.0", true}, {"organizations", personal, "/" + personal + "/v2.0", false},
		{"consumers", personal, "/" + personal + "/v2.0", true}, {"consumers", tenant, "/" + tenant + "/v2.0", false}, {tenant, tenant, "/" + tenant + "/v2.0", true}, {tenant, personal, "/" + personal + "/v2.0", false},
	} {
		t.Run(c.tenant+" "+c.tid+c.iss, func(t *testing.T) {
			eachSocial(t, func(cfg *admit.Config, f *fake) {
				microsoft.enable(cfg, f)
				microsoft.shape(f)
				cfg.Social.Microsoft.Tenant = c.tenant
			}, func(s *testkit.Server, f *fake) {
				if c.tenant == tenant {
					f.said["issuer"] = f.URL + "/" + tenant + "/v2.0"
				}
				f.issuer, f.claims["tid"] = f.URL+c.iss, c.tid
				a := travel(s.Client(), f, "microsoft")
				if !c.ok {
					refused(t, "another tenant", a, 400)
					return
				}
				a.Want(303)
			})
		})
	}
	eachSocial(t, func(cfg *admit.Config, f *fake) { microsoft.enable(cfg, f); microsoft.shape(f) }, func(s *testkit.Server, f *fake) {
		f.claims["xms_edov"] = true
		c := s.Client()
		travel(c, f, "microsoft").Want(303)
		if me := c.Get("/auth/me").Want(200); me.JSON["email_verified"] != true {
			s.Errorf("%s", me.Body)
		}
	})
}

// Google is believed only about addresses that are its own to give.
func TestGoogleAddresses(t *testing.T) {
	for email, c := range map[string]struct {
		hd       string
		verified any
		want     bool
	}{"ann@gmail.com": {"", true, true}, "ann@acme.test": {"acme.test", true, true}, "old@elsewhere.test": {"", true, false}, "bob@gmail.com": {"", false, false}} {
		t.Run(email, func(t *testing.T) {
			eachSocial(t, func(cfg *admit.Config, f *fake) { cfg.Social.Google = client(f) }, func(s *testkit.Server, f *fake) {
				f.claims = m{"sub": "1", "email": email, "email_verified": c.verified}
				if c.hd != "" {
					f.claims["hd"] = c.hd
				}
				who := s.Client()
				travel(who, f, "google").Want(303)
				if me := who.Get("/auth/me").Want(200); me.JSON["email_verified"] != c.want {
					s.Errorf("%s", me.Body)
				}
			})
		})
	}
}

// SOC-12: a provider is never looked for in the private network unless an operator named it, and leads nobody there.
func TestSOC12ProvidersInside(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) { acme(cfg, f); cfg.Outbound.Private = nil }, func(s *testkit.Server, f *fake) {
		refused(t, "inside", s.Client().Get("/auth/acme/login"), 400)
		if len(f.requests) > 0 {
			s.Error(f.requests)
		}
	})
	inside := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was called") }))
	inside.Listener.Close()
	var err error
	if inside.Listener, err = net.Listen("tcp", "127.0.0.2:0"); err != nil {
		t.Fatal(err)
	}
	inside.Start()
	t.Cleanup(inside.Close)
	for what, change := range map[string]func(f *fake){
		"token endpoint": func(f *fake) { f.said["token_endpoint"] = inside.URL + "/token" },
		"keys":           func(f *fake) { f.said["jwks_uri"] = inside.URL + "/keys" },
		"user info": func(f *fake) {
			f.said["userinfo_endpoint"] = inside.URL + "/me"
			delete(f.claims, "email")
		},
		"redirect of discovery": func(f *fake) {
			f.wellKnown = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, http.StatusFound) }
		},
		"redirect of keys": func(f *fake) {
			f.keys = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, http.StatusFound) }
		},
		"file":       func(f *fake) { f.said["jwks_uri"] = "file:///etc/passwd" },
		"javascript": func(f *fake) { f.said["authorization_endpoint"] = "javascript:alert(1)" },
		"issuer":     func(f *fake) { f.said["issuer"] = "https://evil.test" },
	} {
		eachSocial(t, func(cfg *admit.Config, f *fake) {
			acme(cfg, f)
			cfg.Outbound.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
			change(f)
		}, func(s *testkit.Server, f *fake) {
			c := s.Client()
			a := c.Get("/auth/acme/login")
			if what == "issuer" || what == "file" || what == "javascript" {
				a.Want(400) // before anybody is sent there
			}
			if a.Status == 302 {
				a = arrive(c, "acme", f.consent(a.Header.Get("Location")))
			}
			refused(t, what, a, 400)
			nowhereIn(s, c, what)
		})
	}
}

// SOC-13: what carries a finished trip to an app is good once, for a minute, and for the app that began it.
func TestSOC13Handoff(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) {
		acme(cfg, f)
		cfg.Web.AppRedirects = []string{"com.example.app:/back", "http://127.0.0.1/back"}
	}, func(s *testkit.Server, f *fake) {
		start := func(to string) string {
			return "?transport=token&return_to=" + url.QueryEscape(to) + "&code_challenge=" + challenge(verifier)
		}
		handoff := func(to string) string {
			s.Helper()
			c := s.Client()
			a := arrive(c, "acme", depart(c, f, "acme", start(to))).Want(303)
			if c.Cookie("/", "session_id") != "" {
				s.Error("a cookie")
			}
			u, err := url.Parse(a.Header.Get("Location"))
			if err != nil || !strings.HasPrefix(u.String(), to) {
				s.Fatal(a.Header, err)
			}
			return u.Query().Get("code")
		}
		code := handoff("com.example.app:/back")
		s.Events() // nothing has happened yet
		app := s.Client()
		refused(t, "without the verifier", app.Post("/auth/social/token", m{"code": code, "code_verifier": "another"}), 400)
		a := app.Post("/auth/social/token", m{"code": code, "code_verifier": verifier}).Want(200)
		app.Bearer = a.Text("access_token")
		if a.Text("refresh_token") == "" || app.Get("/auth/me").Want(200).Text("email") != "ann@example.com" {
			s.Errorf("%s", a.Body)
		}
		refused(t, "again", app.Post("/auth/social/token", m{"code": code, "code_verifier": verifier}), 400)
		s.Events("user.created", "user.identifier_verified", "identity.linked", "session.created", "login.succeeded")

		code = handoff("http://127.0.0.1:49152/back")
		s.Advance(time.Minute)
		refused(t, "late", s.Client().Post("/auth/social/token", m{"code": code, "code_verifier": verifier}), 400)
		code = handoff("http://127.0.0.1:49152/back")
		tally(t, together(8, func(int) testkit.Answer {
			return s.Client().Post("/auth/social/token", m{"code": code, "code_verifier": verifier})
		}), map[int]int{200: 1, 400: 7})
		for what, query := range map[string]string{
			"no challenge":    "?transport=token&return_to=com.example.app:/back",
			"plain challenge": start("com.example.app:/back") + "&code_challenge_method=plain",
			"short challenge": "?transport=token&return_to=com.example.app:/back&code_challenge=x",
			"another app":     start("com.evil.app:/back"), "more": start("com.example.app:/back/more"), "a page": start("/"), "another path": start("http://127.0.0.1:1/other"),
			"another host": start("http://127.0.0.2/back"), "by name": start("http://localhost/back"), "https": start("https://127.0.0.1/back"), "no transport": "?transport=carrier-pigeon",
		} {
			refused(t, what, s.Client().Get("/auth/acme/login"+query), 400)
		}

		own := person(s, "own@example.com") // a link that an app begins ends with the app
		app, _ = native(s, "own@example.com")
		f.claims["sub"], f.claims["email"] = "s-2", "other@example.com"
		begin := func() string {
			s.Helper()
			to := app.Post("/auth/acme/link?transport=token", m{"return_to": "com.example.app:/back", "code_challenge": challenge(verifier)}).Want(200).Text("redirect")
			u, _ := url.Parse(arrive(s.Client(), "acme", f.consent(to)).Want(303).Header.Get("Location"))
			return u.Query().Get("code")
		}
		refused(t, "a stranger", s.Client().Post("/auth/social/token", m{"code": begin(), "code_verifier": verifier}), 400)
		refused(t, "another session", own.Post("/auth/social/token", m{"code": begin(), "code_verifier": verifier}), 400)
		if a := app.Post("/auth/social/token", m{"code": begin(), "code_verifier": verifier}).Want(200); a.Text("provider") != "acme" {
			s.Errorf("%s", a.Body)
		}
		app.Post("/auth/acme/link?transport=token", m{"return_to": "com.example.app:/back"}).Want(400, "code_challenge_invalid")

		c := s.Client() // a second factor is asked of an app as of anybody
		travel(c, f, "acme").Want(303)
		enrol(s, c)
		s.Client().Post("/auth/social/token", m{"code": handoff("com.example.app:/back"), "code_verifier": verifier}).Want(401, "step_required")
	})
}

// SOC-14: whose an identity is and which one it is cannot be said by anybody.
func TestSOC14IdentitiesAreNotRepointed(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		c, other := s.Client(), person(s, "other@example.com")
		travel(c, f, "acme").Want(303)
		mine := identities(c)[0]["id"].(string)
		for _, method := range []string{"PATCH", "PUT", "POST"} {
			for _, path := range []string{"/auth/identities/" + mine, "/auth/identities"} {
				refused(t, method+" "+path, other.Do(method, path, m{"user_id": userID(other), "provider": "acme", "sub": "s-1"}), 404, 405)
			}
		}
		refused(t, "with the link", other.Post("/auth/acme/link", m{"user_id": userID(c), "sub": "s-1"}), 422)
		refused(t, "in the profile", other.Do("PATCH", "/auth/me", m{"identities": []string{mine}}), 422)
		if len(identities(other)) != 0 || len(identities(c)) != 1 {
			s.Error("it moved")
		}
	})
}

// SOC-15: there is no SAML.
func TestSOC15NoSAML(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		for _, path := range []string{"/saml", "/saml/acs", "/auth/saml/acs", "/sso/saml", "/auth/saml/login"} {
			refused(t, path, s.Client().Get(path), 404)
			refused(t, path, s.Client().Post(path, url.Values{"SAMLResponse": {"x"}}), 404, 405)
		}
	})
}

// Of many who come back with one code and one state, one arrives; of many first trips of one person, all do, to one account.
func TestManyCallbacksAtOnce(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		c := s.Client()
		q := depart(c, f, "acme", "")
		tally(t, together(20, func(int) testkit.Answer { return arrive(c, "acme", q) }), map[int]int{303: 1, 400: 19})
		f.claims["sub"], f.claims["email"] = "s-2", "bob@example.com"
		var browsers []*testkit.Client
		var back []url.Values
		for range 6 {
			b := s.Client()
			browsers, back = append(browsers, b), append(back, depart(b, f, "acme", ""))
		}
		tally(t, together(len(browsers), func(i int) testkit.Answer { return arrive(browsers[i], "acme", back[i]) }), map[int]int{303: len(browsers)})
		for _, b := range browsers {
			if userID(b) != userID(browsers[0]) {
				s.Error("two accounts for one identity")
			}
		}
		f.claims["sub"], f.claims["email"] = "s-3", ""
		people := []*testkit.Client{person(s, "p1@example.com"), person(s, "p2@example.com"), person(s, "p3@example.com"), person(s, "p4@example.com")}
		back = nil
		for _, p := range people {
			back = append(back, f.consent(p.Post("/auth/acme/link", m{}).Want(200).Text("redirect")))
		}
		tally(t, together(len(people), func(i int) testkit.Answer { return arrive(people[i], "acme", back[i]) }), map[int]int{303: 1, 409: 3})
	})
}

// Several tabs may be on the way at once, and each arrives.
func TestSeveralTripsOfOneBrowser(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		c := s.Client()
		one, two := depart(c, f, "acme", "?return_to=/one"), depart(c, f, "acme", "?return_to=/two")
		if a := arrive(c, "acme", one).Want(303); a.Header.Get("Location") != "/one" {
			s.Error(a.Header)
		}
		if a := arrive(c, "acme", two).Want(303); a.Header.Get("Location") != "/two" {
			s.Error(a.Header)
		}
	})
}

// Somebody suspended is not let in by any provider.
func TestSuspendedAtAProvider(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		c := s.Client()
		travel(c, f, "acme").Want(303)
		enrol(s, c) // nor asked for more
		if err := s.App().Accounts.Disable(s.Context(), authz.System, userID(c)); err != nil {
			s.Fatal(err)
		}
		s.Records()
		c = s.Client()
		travel(c, f, "acme").Want(403, "account_disabled")
		nowhereIn(s, c, "suspended")
	})
}

// A profile is text of a stranger: what cannot be kept of it is dropped, and the rest is only shown.
func TestStrangeProfiles(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		for i, claims := range []m{
			{"name": strings.Repeat("n", 5000), "picture": "javascript:alert(1)"}, {"name": "a\x00\nb", "picture": "http://x.test/p"}, {"name": 7, "picture": []string{"x"}}, {"email": "not an address"},
			{"email": []string{"x"}}, {"email_verified": m{}}, {"name": m{"a": 1}, "email": nil},
		} {
			f.claims = m{"sub": fmt.Sprint("x-", i), "email": fmt.Sprintf("x%d@example.com", i), "email_verified": true}
			for k, v := range claims {
				f.claims[k] = v
			}
			c := s.Client()
			travel(c, f, "acme").Want(303)
			var me struct{ Name string }
			if err := json.Unmarshal(c.Get("/auth/me").Want(200).Body, &me); err != nil || len(me.Name) > 200 || strings.ContainsAny(me.Name, "\x00\n") {
				s.Errorf("%q %v", me.Name, err)
			}
			if p := identities(c)[0]["picture"]; p != nil {
				s.Error(p)
			}
		}
	})
}

// RDR-01: a sign-in leads back to places that are named, and to no other, however they are written.
func TestRDR01ReturnTo(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) {
		acme(cfg, f)
		cfg.Web.CORSOrigins, cfg.Web.ReturnOrigins = []string{"https://app.example.com"}, []string{"https://site.example.com:8443"}
	}, func(s *testkit.Server, f *fake) {
		for _, good := range []string{"/", "/a/b?c=d&e=//evil.test", "/a#f", "http://localhost:8000/x", "https://app.example.com", "https://app.example.com/x?y=z", "https://site.example.com:8443/x", "HTTPS://APP.example.com/x"} {
			c := s.Client()
			a := arrive(c, "acme", depart(c, f, "acme", "?return_to="+url.QueryEscape(good))).Want(303)
			if to := a.Header.Get("Location"); !strings.EqualFold(to, good) {
				s.Errorf("%s led to %s", good, to)
			}
		}
		for _, bad := range openRedirects() {
			refused(t, bad, s.Client().Get("/auth/acme/login?return_to="+url.QueryEscape(bad)), 400)
		}
	})
}

// openRedirects are a thousand ways to write a place elsewhere.
func openRedirects() (list []string) {
	heads := []string{"//", "\\\\", "/\\", "\\/", "/\t/", "\t//", " //", "\n//", "/\r\n/", "///", "////", "/.//", "/%2f", "/%5c", "https:", "https:/", "https://", "http://", "HTTPS://", "https:\\\\", "https:///", "ftp://", "javascript://", "data:text/html,",
		"javascript:", "vbscript:", "file://", "blob:https://", "//user@", "https://app.example.com@", "https://app.example.com%00@", "https://app.example.com\\@", "https://app.example.com.", "https://app.example.com:8443@", "/\u2028/", "/\u3002/", "\u00a0//", "https://app\u3002example\u3002com/", "/%252f%252f\\", "about:"}
	tails := []string{"evil.test", "evil.test/", "evil.test/%2e%2e", "evil.test:443/x", "evil.test?https://app.example.com", "evil.test#https://app.example.com", "[::1]", "2130706433", "evil%E3%80%82test", "evil.test\\.app.example.com", "evil.test/\r\nSet-Cookie:a=b", "evil.test\x00.app.example.com", "localhost:8000.evil.test", "app.example.com.evil.test",
		"evilapp.example.com", "app.example.com:444", "xn--app-example.com", "evil.test;app.example.com", "evil.test&a=b", "evil.test%09", "evil.test\t", "EVIL.TEST", "evil。test", "0x7f.1", "%65vil.test", "a:b@evil.test"}
	for _, h := range heads {
		for _, tail := range tails {
			at := h + tail
			if !strings.HasPrefix(at, "/%2f") && !strings.HasPrefix(at, "/%5c") || strings.Contains(tail, "\\") {
				list = append(list, at)
			}
		}
	}
	return list
}
