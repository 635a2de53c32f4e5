package interop_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/testkit"
)

// upstream is the example provider of zitadel/oidc, behind an address that is known before it is made.
func upstream(t *testing.T) string {
	var handler atomic.Value
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.Load().(http.Handler).ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	issuer := web.URL + "/"
	storage.RegisterClients(storage.WebClient("admit", "shared", "http://localhost:8000/auth/zitadel/callback"))
	router := exampleop.SetupServer(issuer, storage.NewStorage(storage.NewUserStore(issuer)), slog.New(slog.NewTextHandler(io.Discard, nil)), false, op.WithAllowInsecure())
	handler.Store(http.Handler(router))
	return issuer
}

func server(t *testing.T, issuer, clientSecret string) *testkit.Server {
	t.Helper()
	cfg := testkit.Config(t, testkit.DatabaseURL(t, "sqlite"))
	cfg.Outbound.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	cfg.Social.Own = social.Own{Enabled: true, Name: "zitadel", Title: "Zitadel", Issuer: issuer, ID: "admit", Secret: secret.String(clientSecret), Scopes: []string{"openid", "profile", "email"}, Trusted: true}
	clock := testkit.NewClock()
	clock.Advance(-time.Until(clock.Now())) // theirs is the clock of the machine
	return testkit.Start(t, cfg, clock)
}

// consent signs in at the provider as its page does, and gives the query its last redirect leads back with.
func consent(t *testing.T, location, user string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), "http://localhost:8000/") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	form, err := browser.Get(location)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(form.Body)
	_ = form.Body.Close()
	if err != nil || form.StatusCode != http.StatusOK {
		t.Fatalf("%s %s %v", form.Status, page, err)
	}
	_, rest, _ := strings.Cut(string(page), `name="id" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	back, err := browser.PostForm(form.Request.URL.Scheme+"://"+form.Request.URL.Host+"/login/username", url.Values{"username": {user}, "password": {"verysecure"}, "id": {id}})
	if err != nil {
		t.Fatal(err)
	}
	_ = back.Body.Close()
	u, err := url.Parse(back.Header.Get("Location"))
	if err != nil || u.Path != "/auth/zitadel/callback" {
		t.Fatal(back.Status, back.Header, err)
	}
	return u.RawQuery
}

// Somebody signs up and in by a certified OpenID provider of somebody else, and links a second account there.
func TestZitadelProvider(t *testing.T) {
	issuer := upstream(t)
	s := server(t, issuer, "shared")
	c := s.Client()
	location := c.Get("/auth/zitadel/login?return_to=/jobs").Want(302).Header.Get("Location")
	q := consent(t, location, "test-user2")
	if a := c.Get("/auth/zitadel/callback?" + q).Want(303); a.Header.Get("Location") != "/jobs" {
		t.Fatal(a.Header)
	}
	s.Events("user.created", "user.identifier_verified", "identity.linked", "session.created", "login.succeeded")
	me := c.Get("/auth/me").Want(200)
	if me.Text("email") != "test-user2@zitadel.ch" || me.JSON["email_verified"] != true || me.Text("name") == "" {
		t.Errorf("%s", me.Body)
	}
	c.Get("/auth/zitadel/callback?"+q).Want(400, "sign_in_expired")

	again := s.Client()
	q = consent(t, again.Get("/auth/zitadel/login").Want(302).Header.Get("Location"), "test-user2")
	again.Get("/auth/zitadel/callback?" + q).Want(303)
	if again.Get("/auth/me").Want(200).Text("id") != me.Text("id") {
		t.Error("another account")
	}
	q = consent(t, c.Post("/auth/zitadel/link", nil).Want(200).Text("redirect"), "test-user@127.0.0.1")
	c.Get("/auth/zitadel/callback?" + q).Want(303)
	if list := c.Get("/auth/identities").Want(200).JSON["items"].([]any); len(list) != 2 {
		t.Error(list)
	}
}

// A code that is not one, and a secret that is not ours, let nobody in.
func TestZitadelRefuses(t *testing.T) {
	issuer := upstream(t)
	s := server(t, issuer, "shared")
	c := s.Client()
	q := consent(t, c.Get("/auth/zitadel/login").Want(302).Header.Get("Location"), "test-user2")
	v, err := url.ParseQuery(q)
	if err != nil {
		t.Fatal(err)
	}
	v.Set("code", "another")
	if a := c.Get("/auth/zitadel/callback?" + v.Encode()); a.Status != 400 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	s = server(t, issuer, "not shared")
	c = s.Client()
	q = consent(t, c.Get("/auth/zitadel/login").Want(302).Header.Get("Location"), "test-user2")
	if a := c.Get("/auth/zitadel/callback?" + q); a.Status != 503 && a.Status != 400 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	c.Get("/auth/me").Want(401)
}
