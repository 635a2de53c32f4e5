package e2e_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/testkit"
)

// provider is a named provider: how it is enabled, and how it answers.
type provider struct {
	name, title string
	enable      func(cfg *admit.Config, f *fake)
	shape       func(f *fake)
	verified    bool // whether its address is believed
	subject     string
}

func client(f *fake) social.Client {
	return social.Client{Enabled: true, ID: "client", Secret: secret.String("shared"), URL: f.URL}
}

// elsewhere is client for a second provider: no two may be at one address.
func elsewhere(f *fake) social.Client {
	c := client(f)
	c.URL = strings.Replace(f.URL, "127.0.0.1", "localhost", 1)
	return c
}

const tenant = "11111111-2222-3333-4444-555555555555"

func named(t testing.TB) []provider {
	key := newKey(t)
	return []provider{
		{"google", "Google", func(cfg *admit.Config, f *fake) { cfg.Social.Google = client(f) }, func(f *fake) {
			f.claims = m{"sub": "1084", "email": "ann@acme.test", "email_verified": true, "hd": "acme.test", "name": "Ann", "picture": "https://lh3.googleusercontent.com/a/x"}
			f.issuer = "accounts.google.com"
		}, true, "1084"},
		{"github", "GitHub", func(cfg *admit.Config, f *fake) { cfg.Social.GitHub = client(f) }, func(f *fake) {
			f.profiles["/api/v3/user"] = m{"id": 583231, "login": "ann", "name": "Ann", "email": "public@elsewhere.test", "avatar_url": "https://avatars.githubusercontent.com/u/583231"}
			f.profiles["/api/v3/user/emails"] = []m{{"email": "old@acme.test", "primary": false, "verified": true}, {"email": "ann@acme.test", "primary": true, "verified": true}}
		}, true, "583231"},
		{"linkedin", "LinkedIn", func(cfg *admit.Config, f *fake) { cfg.Social.LinkedIn = client(f) }, func(f *fake) {
			f.issuer, f.refusePKCE, f.noNonce = f.URL+"/oauth", true, true
			f.claims = m{"sub": "782bbtaQ", "email": "ann@acme.test", "email_verified": "true", "name": "Ann", "locale": "en_US", "picture": "https://media.licdn.com/x"}
		}, true, "782bbtaQ"},
		{"facebook", "Facebook", func(cfg *admit.Config, f *fake) { cfg.Social.Facebook = client(f) }, func(f *fake) {
			f.profiles["/v23.0/me"] = m{"id": "10158", "name": "Ann", "email": "ann@acme.test", "picture": m{"data": m{"height": 50, "is_silhouette": false, "url": "https://platform-lookaside.fbsbx.com/x", "width": 50}}}
		}, false, "10158"},
		{"microsoft", "Microsoft", func(cfg *admit.Config, f *fake) {
			cfg.Social.Microsoft = social.Tenant{Client: client(f), Tenant: "common"}
		}, func(f *fake) {
			f.said["issuer"] = f.URL + "/{tenantid}/v2.0"
			f.issuer = f.URL + "/" + tenant + "/v2.0"
			f.claims = m{"sub": "AAAAa", "tid": tenant, "oid": "o", "email": "ann@acme.test", "name": "Ann", "ver": "2.0"}
		}, false, "AAAAa"},
		{"apple", "Apple", func(cfg *admit.Config, f *fake) {
			cfg.Social.Apple = social.Signing{Enabled: true, ID: "client", Team: "TEAM123456", KeyID: "KEY1234567", Key: secret.String(p8(t, key)), URL: f.URL}
		}, func(f *fake) {
			f.claims = m{"sub": "001.abc", "email": "ann@acme.test", "email_verified": "true"}
			f.secret = func(id, shown string) bool { return id == "client" && appleShown(t, f, shown, key) }
		}, true, "001.abc"},
		{"discord", "Discord", func(cfg *admit.Config, f *fake) { cfg.Social.Discord = client(f) }, func(f *fake) {
			f.profiles["/api/users/@me"] = m{"id": "80351110224678912", "username": "ann", "global_name": "Ann", "avatar": "8342729096ea3675442027381ff50dfe", "verified": true, "email": "ann@acme.test"}
		}, true, "80351110224678912"},
		{"gitlab", "GitLab", func(cfg *admit.Config, f *fake) { cfg.Social.GitLab = client(f) }, func(f *fake) {
			f.said["userinfo_endpoint"] = f.URL + "/oauth/userinfo"
			f.claims = m{"sub": "42"}
			f.profiles["/oauth/userinfo"] = m{"sub": "42", "email": "ann@acme.test", "email_verified": true, "name": "Ann", "picture": "https://gitlab.com/uploads/x.png"}
		}, true, "42"},
		{"slack", "Slack", func(cfg *admit.Config, f *fake) { cfg.Social.Slack = client(f) }, func(f *fake) {
			f.claims = m{"sub": "U0R7JM", "email": "ann@acme.test", "email_verified": true, "name": "Ann", "https://slack.com/team_id": "T0R7GR"}
		}, false, "U0R7JM"},
		{"x", "X", func(cfg *admit.Config, f *fake) { cfg.Social.X = client(f) }, func(f *fake) {
			f.profiles["/2/users/me"] = m{"data": m{"id": "2244994945", "name": "Ann", "username": "ann", "confirmed_email": "ann@acme.test", "profile_image_url": "https://pbs.twimg.com/x.jpg"}}
		}, false, "2244994945"},
		{"acme", "Acme", acme, func(f *fake) { f.claims["email"] = "ann@acme.test" }, true, "s-1"},
	}
}

// p8 is a key as Apple gives it out.
func p8(t testing.TB, key *ecdsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// appleShown holds the client secret to what Apple asks of it.
func appleShown(t testing.TB, f *fake, shown string, key *ecdsa.PrivateKey) bool {
	token, err := jwt.ParseSigned(shown, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Log(err)
		return false
	}
	var c jwt.Claims
	if err := token.Claims(&key.PublicKey, &c); err != nil {
		t.Log(err)
		return false
	}
	return token.Headers[0].KeyID == "KEY1234567" && c.ValidateWithLeeway(jwt.Expected{Issuer: "TEAM123456", Subject: "client", AnyAudience: jwt.Audience{f.URL}, Time: f.now()}, 0) == nil
}

// Each named provider signs people up and in, in the shapes its answers have, and its address counts as verified only where it
// can be believed.
func TestNamedProviders(t *testing.T) {
	for _, p := range named(t) {
		t.Run(p.name, func(t *testing.T) {
			eachSocial(t, func(cfg *admit.Config, f *fake) { p.enable(cfg, f); p.shape(f) }, func(s *testkit.Server, f *fake) {
				c := s.Client()
				q := depart(c, f, p.name, "?return_to=/jobs?id=7")
				if p.name == "apple" {
					q.Set("user", `{"name":{"firstName":"Ann","lastName":""},"email":"ignored@acme.test"}`)
					elsewhere := s.Client() // no cookie comes with a POST of another site
					elsewhere.Header.Set("Origin", "https://appleid.apple.com")
					elsewhere.Header.Set("Sec-Fetch-Site", "cross-site")
					a := elsewhere.Post("/auth/apple/callback", q).Want(303)
					u, err := url.Parse(a.Header.Get("Location"))
					if err != nil || u.Host != "" || u.Path != "/auth/apple/callback" {
						s.Fatal(a.Header, err)
					}
					q = u.Query()
				}
				a := arrive(c, p.name, q).Want(303)
				if a.Header.Get("Location") != "/jobs?id=7" {
					s.Errorf("led to %q", a.Header.Get("Location"))
				}
				want := []string{"user.created"}
				if p.verified {
					want = append(want, "user.identifier_verified")
				}
				s.Events(append(want, "identity.linked", "session.created", "login.succeeded")...)
				me := c.Get("/auth/me").Want(200)
				if me.Text("email") != "ann@acme.test" || me.JSON["email_verified"] != p.verified || me.Text("name") != "Ann" {
					s.Errorf("%s", me.Body)
				}
				mine := identities(c)
				if len(mine) != 1 || mine[0]["provider"] != p.name || mine[0]["title"] != p.title || mine[0]["email"] != "ann@acme.test" || mine[0]["name"] != "Ann" {
					s.Errorf("%v", mine)
				}
				again := s.Client()
				travel(again, f, p.name).Want(303)
				s.Events("identity.used", "session.created", "login.succeeded")
				if userID(again) != userID(c) {
					s.Error("another account")
				}
				if stored := everything(s, s); strings.Contains(stored, "at-1") || strings.Contains(stored, "rt-1") {
					s.Error("the provider's tokens are kept")
				}
			})
		})
	}
}

// Each provider can be turned on and off: off it is 404 on every route, and shown nowhere.
func TestProviderToggles(t *testing.T) {
	all := named(t)
	routes := func(s *testkit.Server, c *testkit.Client, name string, on bool) {
		s.Helper()
		shown := strings.Contains(string(s.Client().Get("/auth/providers").Want(200).Body), `"name":"`+name+`"`)
		prompt := s.Client().Post("/auth/attempts", m{"identifier": "ann@example.com", "method": "social"}).JSON["prompt"]
		offered := strings.Contains(asJSON(prompt), "/auth/"+name+"/login")
		login := s.Client().Get("/auth/" + name + "/login")
		link := c.Post("/auth/"+name+"/link", m{})
		if on {
			login.Want(302)
			link.Want(200)
			s.Client().Get("/auth/"+name+"/callback?state=x&code=y").Want(400, "sign_in_expired")
		} else {
			login.Want(404, "provider_not_found")
			link.Want(404, "provider_not_found")
			s.Client().Get("/auth/"+name+"/callback?state=x&code=y").Want(404, "provider_not_found")
			if a := s.Client().Post("/auth/"+name+"/callback", url.Values{"state": {"x"}}); a.Status != 404 && a.Status != 405 {
				s.Errorf("%d", a.Status)
			}
			if text := string(s.Client().Get("/openapi.json").Body); strings.Contains(text, "/auth/"+name) {
				s.Error("it is in the document")
			}
		}
		if shown != on || offered != on {
			s.Errorf("%s is shown %t, offered %t, want %t", name, shown, offered, on)
		}
	}
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			eachSocial(t, func(cfg *admit.Config, f *fake) { p.enable(cfg, f); p.shape(f) }, func(s *testkit.Server, f *fake) {
				c := person(s, "ann@example.com")
				for _, other := range all {
					routes(s, c, other.name, other.name == p.name)
				}
				routes(s, c, "development", false)
			})
		})
	}
	t.Run("none", func(t *testing.T) {
		testkit.Each(t, func(cfg *admit.Config) { cfg.Social.Development = "off" }, func(s *testkit.Server) {
			c := person(s, "ann@example.com")
			for _, p := range all {
				routes(s, c, p.name, false)
			}
			s.Client().Post("/auth/attempts", m{"method": "social", "identifier": "ann@example.com"}).Want(422, "method_unknown")
			if list := s.Client().Post("/auth/attempts", m{"identifier": "ann@example.com"}).Want(201).JSON["methods"].([]any); slices.Contains(list, any("social")) {
				s.Error(list)
			}
		})
	})
}

// The development provider is there without any setting, signs in whoever is typed, and is not in production.
func TestDevelopmentProvider(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		to := func(a testkit.Answer, status int) string {
			s.Helper()
			here, ok := strings.CutPrefix(a.Want(status).Header.Get("Location"), "http://localhost:8000")
			if !ok {
				s.Fatalf("led to %v", a.Header)
			}
			return here
		}
		page := to(c.Get("/auth/development/login?return_to=/after"), 302)
		if a := c.Get(page).Want(200); !strings.Contains(string(a.Body), "Development account") {
			s.Fatalf("%s", a.Body)
		}
		_, query, _ := strings.Cut(page, "?")
		back := to(c.Send("/dev/provider/authorize", url.Values{"asked": {query}, "email": {"dev@example.com"}, "name": {"Dev"}, "verified": {"1"}}), 303)
		if a := c.Get(back).Want(303); a.Header.Get("Location") != "/after" {
			s.Error(a.Header)
		}
		me := c.Get("/auth/me").Want(200)
		if me.Text("email") != "dev@example.com" || me.JSON["email_verified"] != true {
			s.Errorf("%s", me.Body)
		}
		c = s.Client()
		_, query, _ = strings.Cut(to(c.Get("/auth/development/login"), 302), "?")
		back = to(c.Send("/dev/provider/authorize", url.Values{"asked": {query}, "cancel": {"1"}}), 303)
		c.Get(back).Want(400, "sign_in_cancelled")
		c.Header.Set("Accept", "text/html")
		_, query, _ = strings.Cut(to(c.Get("/auth/development/login"), 302), "?")
		back = to(c.Send("/dev/provider/authorize", url.Values{"asked": {query}, "cancel": {"1"}}), 303)
		if a := c.Get(back).Want(400); !strings.Contains(string(a.Body), `href="/auth/development/login"`) || !strings.Contains(string(a.Body), "You did not go on") {
			s.Errorf("%s", a.Body)
		}
		stranger := s.Client()
		stranger.Send("/dev/provider/authorize", url.Values{"asked": {"redirect_uri=https://evil.test&client_id=admit&code_challenge_method=S256"}, "email": {"a@example.com"}}).Want(400)
		rebound := s.Client()
		rebound.Header.Set("Accept", "text/html")
		r := rebound.Get("/dev/provider/authorize")
		r.Want(200)
	})
	testkit.Each(t, func(cfg *admit.Config) { cfg.Web.BaseURL = "http://auth.example.com" }, func(s *testkit.Server) { // others can reach it
		s.Client().Get("/auth/development/login").Want(404, "provider_not_found")
	})
	testkit.Each(t, func(cfg *admit.Config) {
		cfg.Server.Environment, cfg.Server.RootKey = "production", secret.String(secret.Hex32())
		cfg.Hash, cfg.RateLimit = admit.DefaultConfig().Hash, admit.DefaultConfig().RateLimit
	}, func(s *testkit.Server) {
		s.Client().Get("/auth/development/login").Want(404, "provider_not_found")
		s.Client().Get("/dev/provider/authorize").Want(404, "route_not_found")
		if list := s.Client().Get("/auth/providers").Want(200).JSON["items"].([]any); len(list) > 0 {
			s.Error(list)
		}
	})
}

// Provider tokens are kept only if that was asked for, and then sealed.
func TestProviderTokensAreSealed(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) { acme(cfg, f); cfg.Social.KeepTokens = true }, func(s *testkit.Server, f *fake) {
		c := s.Client()
		travel(c, f, "acme").Want(303)
		mine := identities(c)[0]["id"].(string)
		if text := everything(s, s); !strings.Contains(text, "s-1") {
			s.Error("identities were not looked at")
		}
		token, err := s.App().Social.Tokens(s.Context(), userID(c), mine)
		if err != nil || token.AccessToken != "at-1" || token.RefreshToken != "rt-1" {
			s.Fatal(token, err)
		}
		if text := everything(s, s); strings.Contains(text, "at-1") || strings.Contains(text, "rt-1") {
			s.Error("they can be read in the store")
		}
	})
}

// Who has a second factor is asked for it after any provider, on a page, and is led on where they wanted to go.
func TestSecondFactorAfterProvider(t *testing.T) {
	eachSocial(t, acme, func(s *testkit.Server, f *fake) {
		c := s.Client()
		travel(c, f, "acme").Want(303)
		app, spares := enrol(s, c)
		c = s.Client()
		a := arrive(c, "acme", depart(c, f, "acme", "?return_to=/jobs")).Want(401)
		s.Events("identity.used", "login.begun")
		if c.Cookie("/", "session_id") != "" {
			s.Fatal("a session without the second factor")
		}
		c.Submit(a, "/signin/step", url.Values{"code": {"000000"}}).Want(401)
		a = c.Submit(a, "/signin/step", url.Values{"code": {app.code(0)}, "return_to": {"https://evil.test/"}}).Want(303)
		if a.Header.Get("Location") != "/jobs" {
			s.Error(a.Header)
		}
		list := c.Get("/auth/sessions").Want(200).JSON["items"].([]any)[0].(m)["methods"]
		if asJSON(list) != `["fed","otp","mfa"]` {
			s.Error(list)
		}
		c = s.Client()
		a = travel(c, f, "acme").Want(401)
		c.Submit(a, "/signin/step", url.Values{"code": {spares[0]}}).Want(303)
		c.Get("/auth/me").Want(200)
	})
}

// Where addresses must be verified and the provider vouches for none, the page asks for the code of the mail, and says so.
func TestVerificationAfterProvider(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) {
		acme(cfg, f)
		cfg.Social.Own.Trusted = false
		cfg.Address.Verification = "required"
	}, func(s *testkit.Server, f *fake) {
		c := s.Client()
		a := arrive(c, "acme", depart(c, f, "acme", "?return_to=/jobs")).Want(401)
		if text := string(a.Body); !strings.Contains(text, "We sent a code to your e-mail address") || strings.Contains(text, "authenticator") {
			s.Errorf("%s", text)
		}
		if a = c.Submit(a, "/signin/step", url.Values{"code": {"000000"}}).Want(401); !strings.Contains(string(a.Body), "We sent a code") {
			s.Errorf("%s", a.Body)
		}
		if a = c.Submit(a, "/signin/step", url.Values{"code": {codeIn(s, "ann@example.com")}}).Want(303); a.Header.Get("Location") != "/jobs" {
			s.Error(a.Header)
		}
		c.Get("/auth/me").Want(200)
	})
}

// Whatever went wrong, the page leads to a new beginning, and from there to where somebody wanted to be: with a cookie and in an app.
func TestTripsBeginAgain(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) {
		acme(cfg, f)
		cfg.Web.AppRedirects = []string{"com.example.app:/back"}
	}, func(s *testkit.Server, f *fake) {
		again := func(a testkit.Answer) string {
			s.Helper()
			_, rest, _ := strings.Cut(string(a.Body), `<a class="btn" href="`)
			to, _, ok := strings.Cut(rest, `"`)
			if !ok {
				s.Fatalf("%s", a.Body)
			}
			return html.UnescapeString(to)
		}
		for begun, arrived := range map[string]string{
			"?return_to=/jobs%3Fid%3D7&remember=true":                                                "/jobs?id=7",
			"?transport=token&return_to=com.example.app:/back&code_challenge=" + challenge(verifier): "com.example.app:/back?code=",
		} {
			for what, change := range map[string]func(q url.Values){
				"cancelled": func(q url.Values) { q.Set("error", "access_denied") },
				"refused":   func(q url.Values) { q.Set("code", "another") },
			} {
				c := s.Client()
				c.Header.Set("Accept", "text/html")
				q := depart(c, f, "acme", begun)
				change(q)
				a := arrive(c, "acme", q).Want(400)
				a = arrive(c, "acme", f.consent(c.Get(again(a)).Want(302).Header.Get("Location"))).Want(303)
				if to := a.Header.Get("Location"); !strings.HasPrefix(to, arrived) {
					s.Errorf("%s %s: led to %s", begun, what, to)
				}
				if k := a.Header.Get("Set-Cookie"); strings.HasPrefix(arrived, "/") && !strings.Contains(k, "Max-Age") {
					s.Errorf("not remembered: %s", k)
				}
			}
		}
		c := person(s, "link@example.com") // who wanted to link goes back to where they began
		c.Header.Set("Accept", "text/html")
		q := f.consent(c.Post("/auth/acme/link", m{"return_to": "/account"}).Want(200).Text("redirect"))
		q.Set("error", "access_denied")
		if to := again(arrive(c, "acme", q).Want(400)); to != "/account" {
			s.Error(to)
		}
		f.wellKnown = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502) }
		s.Advance(2 * time.Hour)
		if to := again(c.Get("/auth/acme/login?return_to=/jobs").Want(503)); to != "/auth/acme/login?return_to=/jobs" {
			s.Error(to)
		}
		if to := again(c.Get("/auth/acme/login?return_to=//evil.test").Want(400)); to != "/auth/acme/login" {
			s.Error(to)
		}
	})
}

// The cookie of a trip is Lax where the others are Strict, so that it comes along on the way back, and None where they are: a page of
// another site that calls this server could set no other.
func TestTripCookieOfAnotherSite(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) {
		acme(cfg, f)
		cfg.Web.CookieSameSite, cfg.Web.BaseURL = "none", "https://auth.example.com"
	}, func(s *testkit.Server, f *fake) {
		if k := s.Client().Get("/auth/acme/login").Want(302).Header.Get("Set-Cookie"); !strings.Contains(k, "__Host-social_trip=") || !strings.Contains(k, "SameSite=None") || !strings.Contains(k, "Secure") {
			s.Error(k)
		}
	})
}

// Under COOKIE_SAMESITE=strict no browser sends the new cookie on the way from another site, so a page stands between.
func TestStrictCookiesArrive(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) { acme(cfg, f); cfg.Web.CookieSameSite = "strict" }, func(s *testkit.Server, f *fake) {
		c := s.Client()
		a := c.Get("/auth/acme/login?return_to=/jobs").Want(302)
		if k := a.Header.Get("Set-Cookie"); !strings.Contains(k, "SameSite=Lax") || !strings.Contains(k, "HttpOnly") || !strings.Contains(k, "social_trip=") {
			s.Error(k)
		}
		a = arrive(c, "acme", f.consent(a.Header.Get("Location"))).Want(200)
		if !strings.Contains(string(a.Body), `http-equiv="refresh" content="0;url=/jobs"`) || !strings.Contains(a.Header.Get("Set-Cookie"), "SameSite=Strict") {
			s.Errorf("%v %s", a.Header, a.Body)
		}
	})
}

// A provider that only a file describes works as the named ones do: of OpenID Connect, and of OAuth 2.0 that says things its own way.
func TestProvidersOfAFile(t *testing.T) {
	eachSocial(t, func(cfg *admit.Config, f *fake) {
		text := strings.ReplaceAll(`{"providers":[
			{"name":"staff","title":"Staff","issuer":"URL","client_id":"client","client_secret_file":"SECRET","trusted":true,"params":{"prompt":"login"},"fields":{"name":"nickname"}},
			{"name":"forum","auth_url":"URL/oauth/authorize","token_url":"URL/oauth/token","user_url":"URL/api/whoami","client_id":"client","client_secret":"shared","client_secret_in":"body",
			 "fields":{"subject":"account.number","email":"account.mail","email_verified":"account.confirmed","name":"display"},"trusted":true}]}`, "URL/", elsewhere(f).URL+"/")
		text = strings.ReplaceAll(text, "URL", f.URL)
		dir := f.t.TempDir()
		text = strings.ReplaceAll(text, "SECRET", filepath.Join(dir, "secret"))
		for name, body := range map[string]string{"providers.json": text, "secret": "shared\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
				f.t.Fatal(err)
			}
		}
		cfg.Social.File = filepath.Join(dir, "providers.json")
		f.profiles["/api/whoami"] = m{"account": m{"number": 7, "mail": "bob@example.com", "confirmed": 1}, "display": "Bob"}
	}, func(s *testkit.Server, f *fake) {
		c := s.Client()
		location := c.Get("/auth/staff/login").Want(302).Header.Get("Location")
		if !strings.Contains(location, "prompt=login") {
			s.Error(location)
		}
		f.claims["nickname"] = "Annie"
		arrive(c, "staff", f.consent(location)).Want(303)
		if me := c.Get("/auth/me").Want(200); me.Text("name") != "Annie" || me.Text("email") != "ann@example.com" { // the rest is where it usually is
			s.Errorf("%s", me.Body)
		}
		c = s.Client()
		travel(c, f, "forum").Want(303)
		if me := c.Get("/auth/me").Want(200); me.Text("email") != "bob@example.com" || me.JSON["email_verified"] != true || me.Text("name") != "Bob" {
			s.Errorf("%s", me.Body)
		}
		if list := asJSON(s.Client().Get("/auth/providers").Want(200).JSON["items"]); list != `[{"login":"/auth/staff/login","name":"staff","title":"Staff"},{"login":"/auth/forum/login","name":"forum","title":"forum"}]` {
			s.Error(list)
		}
	})
}
