// Package admittest is Admit for the tests of an app that has it inside: a server that keeps nothing, is filled in a moment, and ends with the test.
//
//	auth := admittest.New(t, seed)
//	web := httptest.NewServer(app(auth))
//	defer web.Close()
//	recruiter := admittest.SignIn(t, web.URL, "recruiter@acme.test", "correct horse battery")
package admittest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/sandbox"
)

// New starts a server that ends with the test. Its hashes are cheap, nothing is limited, and it is on SQLite in a directory of the test. seed is
// JSON, as docs/testing.md shows it: permissions, people, organizations with their roles and members. The empty string is nobody.
func New(t testing.TB, seed string, options ...admit.Option) *admit.Server {
	t.Helper()
	cfg := sandbox.Throwaway(admit.DefaultConfig(), t.TempDir())
	cfg.RateLimit.RateLimit = "off"
	auth, err := admit.New(t.Context(), cfg, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := auth.Close(); err != nil {
			t.Error(err)
		}
	})
	if seed == "" {
		return auth
	}
	in, err := sandbox.ReadSeed(strings.NewReader(seed))
	if err == nil {
		_, err = in.Sow(t.Context(), auth.App())
	}
	if err != nil {
		t.Fatalf("the seed: %v", err)
	}
	return auth
}

// SignIn is a client of the app at url, such as http://127.0.0.1:1234, with the session of somebody who shows a password. who is an e-mail address or
// a username.
func SignIn(t testing.TB, url, who, password string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	name := "email"
	if !strings.Contains(who, "@") {
		name = "username"
	}
	body, err := json.Marshal(map[string]string{name: who, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/auth/login", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s does not get in: %s", who, resp.Status)
	}
	return c
}
