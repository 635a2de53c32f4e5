package interop_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/testkit"
)

// upstream is the example provider of zitadel/oidc, on a port of this machine. Its keys may be changed, and consent denied.
type upstream struct {
	*storage.Storage
	issuer string

	mu  sync.Mutex
	kid string
	key *rsa.PrivateKey
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	var handler atomic.Value
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.Load().(http.Handler).ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	u := &upstream{issuer: web.URL + "/"}
	u.rotate(t, "first")
	u.Storage = storage.NewStorageWithClients(storage.NewUserStore(u.issuer), map[string]*storage.Client{"admit": storage.WebClient("admit", "shared", "http://localhost:8000/auth/zitadel/callback")})
	router := exampleop.SetupServer(u.issuer, u, slog.New(slog.DiscardHandler), false, op.WithAllowInsecure())
	router.Get("/deny", u.deny)
	handler.Store(http.Handler(router))
	return u
}

// rotate has it sign with another key, and publish no other.
func (u *upstream) rotate(t *testing.T, kid string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.kid, u.key = kid, key
}

// SigningKey is the key of today.
func (u *upstream) SigningKey(context.Context) (op.SigningKey, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return key{u.kid, u.key}, nil
}

// KeySet is its public half.
func (u *upstream) KeySet(context.Context) ([]op.Key, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return []op.Key{key{u.kid, &u.key.PublicKey}}, nil
}

// deny is the way back of somebody who does not consent: its page has no button for it, its library does.
func (u *upstream) deny(w http.ResponseWriter, r *http.Request) {
	asked, err := u.AuthRequestByID(r.Context(), r.FormValue("id"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	to, err := op.TryErrorRedirect(r.Context(), asked.(op.ErrAuthRequest), oidc.ErrAccessDenied(), oidc.NewEncoder(), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, to.URL, http.StatusFound)
}

type key struct {
	id  string
	key any
}

func (k key) ID() string                                  { return k.id }
func (k key) Key() any                                    { return k.key }
func (k key) Use() string                                 { return "sig" }
func (k key) Algorithm() jose.SignatureAlgorithm          { return jose.RS256 }
func (k key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

func server(t *testing.T, issuer, clientSecret string) *testkit.Server {
	t.Helper()
	cfg := testkit.Config(t, testkit.DatabaseURL(t, "sqlite"))
	cfg.Outbound.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	cfg.Social.Own = social.Own{Enabled: true, Name: "zitadel", Title: "Zitadel", Issuer: issuer, ID: "admit", Secret: secret.String(clientSecret), Scopes: []string{"openid", "profile", "email"}, Trusted: true}
	clock := testkit.NewClock()
	clock.Advance(-time.Until(clock.Now())) // theirs is the clock of the machine
	return testkit.Start(t, cfg, clock)
}

// page goes to the provider, and gives the id of what it asks.
func page(t *testing.T, browser *http.Client, location string) string {
	t.Helper()
	form, err := browser.Get(location)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(form.Body)
	_ = form.Body.Close()
	if err != nil || form.StatusCode != http.StatusOK {
		t.Fatalf("%s %s %v", form.Status, text, err)
	}
	_, rest, _ := strings.Cut(string(text), `name="id" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// browser follows redirects until they lead to Admit.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), "http://localhost:8000/") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// back is the address that the provider leads back to.
func back(t *testing.T, a *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || u.Path != "/auth/zitadel/callback" {
		t.Fatal(a.Status, a.Header, err)
	}
	return u.RequestURI()
}

// consent signs in at the provider as its page does.
func (u *upstream) consent(t *testing.T, location, user string) string {
	t.Helper()
	b := browser(t)
	a, err := b.PostForm(u.issuer+"login/username", url.Values{"username": {user}, "password": {"verysecure"}, "id": {page(t, b, location)}})
	return back(t, a, err)
}

// begin is where somebody is sent to who wants to sign in.
func begin(c *testkit.Client) string {
	c.T.Helper()
	return c.Get("/auth/zitadel/login?return_to=/jobs").Want(302).Header.Get("Location")
}

// Somebody signs up and in by a certified OpenID provider of somebody else, also after it changed its keys, and links a second account
// there.
func TestZitadelProvider(t *testing.T) {
	up := newUpstream(t)
	s := server(t, up.issuer, "shared")
	c := s.Client()
	to := up.consent(t, begin(c), "test-user2")
	if a := c.Get(to).Want(303); a.Header.Get("Location") != "/jobs" {
		t.Fatal(a.Header)
	}
	s.Events("user.created", "user.identifier_verified", "identity.linked", "session.created", "login.succeeded")
	me := c.Get("/auth/me").Want(200)
	if me.Text("email") != "test-user2@zitadel.ch" || me.JSON["email_verified"] != true || me.Text("name") == "" {
		t.Errorf("%s", me.Body)
	}
	c.Get(to).Want(400, "sign_in_expired")

	up.rotate(t, "second")
	again := s.Client()
	again.Get(up.consent(t, begin(again), "test-user2")).Want(303)
	if again.Get("/auth/me").Want(200).Text("id") != me.Text("id") {
		t.Error("another account")
	}
	c.Get(up.consent(t, c.Post("/auth/zitadel/link", nil).Want(200).Text("redirect"), "test-user@127.0.0.1")).Want(303)
	if list := c.Get("/auth/identities").Want(200).JSON["items"].([]any); len(list) != 2 {
		t.Error(list)
	}
}

// Who does not consent, a code that is not one, a challenge that is of somebody else, and a secret that is not ours let nobody in.
func TestZitadelRefuses(t *testing.T) {
	up := newUpstream(t)
	s := server(t, up.issuer, "shared")
	c := s.Client()
	b := browser(t)
	a, err := b.Get(up.issuer + "deny?id=" + page(t, b, begin(c)))
	c.Get(back(t, a, err)).Want(400, "sign_in_cancelled")

	to, err := url.Parse(up.consent(t, begin(c), "test-user2"))
	if err != nil {
		t.Fatal(err)
	}
	q := to.Query()
	q.Set("code", "another")
	c.Get(to.Path+"?"+q.Encode()).Want(400, "provider_refused")

	location, err := url.Parse(begin(c))
	if err != nil {
		t.Fatal(err)
	}
	q = location.Query()
	if len(q.Get("code_challenge")) != 43 || q.Get("code_challenge_method") != "S256" {
		t.Errorf("no PKCE in %s", location)
	}
	q.Set("code_challenge", strings.Repeat("A", 43)) // then what we show is of another
	location.RawQuery = q.Encode()
	c.Get(up.consent(t, location.String(), "test-user2")).Want(400, "provider_refused")

	s = server(t, up.issuer, "not shared")
	c = s.Client()
	c.Get(up.consent(t, begin(c), "test-user2")).Want(503, "provider_unavailable") // our own fault, not of who signs in
	c.Get("/auth/me").Want(401)
}
