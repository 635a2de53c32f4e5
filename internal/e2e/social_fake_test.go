package e2e_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/testkit"
)

// fake answers as a provider does, in the shapes that the named ones are known to have. It holds us to the protocol.
type fake struct {
	*httptest.Server
	t   testing.TB
	now func() time.Time

	mu       sync.Mutex
	asked    map[string]url.Values // by the code it led to
	spent    map[string]bool
	requests []string

	key       *rsa.PrivateKey
	kid       string
	published []jose.JSONWebKey
	refusePKCE,
	noNonce bool
	secret    func(clientID, secret string) bool
	issuer    string // of ID tokens; the URL when empty
	said      m      // the discovery document, beside the usual
	claims    m      // of the ID token, beside the usual
	change    func(claims m)
	sign      func(claims m) string
	answer    func(w http.ResponseWriter, r *http.Request) // instead of the token endpoint
	profiles  map[string]any                               // what is at a path, for who shows the token
	wellKnown http.HandlerFunc
	keys      http.HandlerFunc
}

func newFake(t testing.TB, now func() time.Time) *fake {
	f := &fake{t: t, now: now, asked: map[string]url.Values{}, spent: map[string]bool{}, profiles: map[string]any{}, claims: m{"sub": "s-1", "email": "ann@example.com", "email_verified": true, "name": "Ann"}, said: m{}}
	f.secret = func(id, secret string) bool { return id == "client" && secret == "shared" }
	f.publish("k1", firstKey())
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// firstKey is what every fake signs with until it rotates: to make one takes long under the race detector.
var firstKey = sync.OnceValue(newProviderKey)

func newProviderKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// rotate has the fake sign with another key, and publish no other.
func (f *fake) rotate(kid string) { f.publish(kid, newProviderKey()) }

func (f *fake) publish(kid string, key *rsa.PrivateKey) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.key, f.kid, f.published = key, kid, []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: kid, Algorithm: "RS256", Use: "sig"}}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.Path)
	f.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		if f.wellKnown != nil {
			f.wellKnown(w, r)
			return
		}
		prefix := strings.TrimSuffix(r.URL.Path, "/.well-known/openid-configuration")
		doc := m{"issuer": f.URL + prefix, "authorization_endpoint": f.URL + prefix + "/authorize", "token_endpoint": f.URL + prefix + "/token", "jwks_uri": f.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}}
		for k, v := range f.said {
			doc[k] = v
		}
		f.json(w, 200, doc)
	case r.URL.Path == "/keys":
		if f.keys != nil {
			f.keys(w, r)
			return
		}
		f.mu.Lock()
		set := jose.JSONWebKeySet{Keys: f.published}
		f.mu.Unlock()
		f.json(w, 200, set)
	case r.Method == "POST":
		if f.answer != nil {
			f.answer(w, r)
			return
		}
		f.token(w, r)
	default:
		out, there := f.profiles[r.URL.Path]
		if mac := hmac.New(sha256.New, []byte("shared")); r.URL.Path == "/v23.0/me" { // as Facebook does for apps that require it
			mac.Write([]byte("at-1"))
			there = there && r.URL.Query().Get("appsecret_proof") == hex.EncodeToString(mac.Sum(nil))
		}
		if !there || r.Header.Get("Authorization") != "Bearer at-1" {
			f.json(w, 401, m{"message": "Requires authentication"})
			return
		}
		f.json(w, 200, out)
	}
}

func (f *fake) json(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (f *fake) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	id, shared, basic := r.BasicAuth()
	if !basic {
		id, shared = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	code, verifier := r.PostForm.Get("code"), r.PostForm.Get("code_verifier")
	f.mu.Lock()
	asked := f.asked[code]
	spent := f.spent[code]
	f.spent[code] = true
	f.mu.Unlock()
	sum := sha256.Sum256([]byte(verifier))
	switch {
	case !f.secret(id, shared) || f.refusePKCE && verifier != "":
		f.json(w, 401, m{"error": "invalid_client"})
		return
	case asked == nil || spent || r.PostForm.Get("grant_type") != "authorization_code" || r.PostForm.Get("redirect_uri") != asked.Get("redirect_uri"),
		!f.refusePKCE && asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]):
		f.json(w, 400, m{"error": "invalid_grant", "error_description": "<script>alert(1)</script>"})
		return
	}
	out := m{"access_token": "at-1", "token_type": "bearer", "expires_in": 3600, "refresh_token": "rt-1"}
	if strings.Contains(asked.Get("scope"), "openid") {
		out["id_token"] = f.idToken(asked.Get("nonce"))
	}
	f.json(w, 200, out)
}

func (f *fake) idToken(nonce string) string {
	issuer := f.issuer
	if issuer == "" {
		issuer = f.URL
	}
	claims := m{"iss": issuer, "aud": "client", "iat": f.now().Unix(), "exp": f.now().Add(time.Hour).Unix(), "nonce": nonce}
	if f.noNonce {
		delete(claims, "nonce")
	}
	for k, v := range f.claims {
		claims[k] = v
	}
	if f.change != nil {
		f.change(claims)
	}
	if f.sign != nil {
		return f.sign(claims)
	}
	return f.signed(claims)
}

func (f *fake) signed(claims m) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: f.key, KeyID: f.kid}}, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

// consent is what a person does at the provider: it gives the query they are sent back with.
func (f *fake) consent(location string) url.Values {
	u, err := url.Parse(location)
	if err != nil {
		f.t.Fatal(err)
	}
	q := u.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != "client" || len(q.Get("state")) != 64 || !f.refusePKCE && q.Get("code_challenge_method") != "S256" {
		f.t.Fatalf("asked for %v", q)
	}
	if strings.Contains(q.Get("scope"), "openid") && len(q.Get("nonce")) != 64 {
		f.t.Fatalf("no nonce in %v", q)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	code := fmt.Sprintf("code-%d", len(f.asked)+1)
	f.asked[code] = q
	return url.Values{"state": {q.Get("state")}, "code": {code}}
}

// eachSocial runs f with a fresh server and a fresh fake on every engine. change enables what the test is about.
func eachSocial(t *testing.T, change func(cfg *admit.Config, f *fake), f func(s *testkit.Server, f *fake)) {
	t.Helper()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			clock := testkit.NewClock()
			at := newFake(t, clock.Now)
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			cfg.Outbound.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			cfg.Social.TimeoutSeconds = 5
			change(&cfg, at)
			s := testkit.Start(t, cfg, clock)
			s.Engine = engine
			f(s, at)
		})
	}
}

// acme enables a provider of one's own that is trusted.
func acme(cfg *admit.Config, f *fake) {
	cfg.Social.Own = social.Own{Enabled: true, Name: "acme", Title: "Acme", Issuer: f.URL, ID: "client", Secret: secret.String("shared"), Scopes: []string{"openid", "email"}, Trusted: true}
}

// depart begins to sign in, and gives what the provider sends back.
func depart(c *testkit.Client, f *fake, provider, query string) url.Values {
	c.T.Helper()
	return f.consent(c.Get("/auth/" + provider + "/login" + query).Want(302).Header.Get("Location"))
}

// arrive comes back from a provider.
func arrive(c *testkit.Client, provider string, q url.Values) testkit.Answer {
	c.T.Helper()
	return c.Get("/auth/" + provider + "/callback?" + q.Encode())
}

// travel goes to a provider and back.
func travel(c *testkit.Client, f *fake, provider string) testkit.Answer {
	c.T.Helper()
	return arrive(c, provider, depart(c, f, provider, ""))
}

// identities are what opens the account of a client.
func identities(c *testkit.Client) (list []m) {
	c.T.Helper()
	for _, i := range c.Get("/auth/identities").Want(200).JSON["items"].([]any) {
		list = append(list, i.(m))
	}
	return list
}

// develop is what a person does at the development provider: it gives the query they are sent back with.
func develop(s *testkit.Server, c *testkit.Client, location, email string) string {
	s.Helper()
	_, asked, _ := strings.Cut(location, "?")
	a := c.Send("/dev/provider/authorize", url.Values{"asked": {asked}, "email": {email}, "verified": {"1"}}).Want(303)
	_, query, _ := strings.Cut(a.Header.Get("Location"), "?")
	return query
}

const verifier = "a-secret-that-the-app-keeps-for-itself-43-c"

// challenge is what an app shows of its verifier.
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// redeemed is what an app has once its user came back from the development provider.
func redeemed(s *testkit.Server, email string) m {
	s.Helper()
	c := s.Client()
	q := develop(s, c, c.Get("/auth/development/login?transport=token&return_to=com.example.app:/back&code_challenge="+challenge(verifier)).Want(302).Header.Get("Location"), email)
	u, err := url.Parse(c.Get("/auth/development/callback?" + q).Want(303).Header.Get("Location"))
	if err != nil {
		s.Fatal(err)
	}
	return m{"code": u.Query().Get("code"), "code_verifier": verifier}
}
