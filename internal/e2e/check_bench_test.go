package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// BenchmarkCheck measures a check and a batch of 100 from the request to the answer, without a network: in the plain form programs
// send, and with a fact, which takes the way through the framework.
func BenchmarkCheck(b *testing.B) {
	srv, err := admit.New(b.Context(), testkit.Config(b, testkit.DatabaseURL(b, "sqlite")))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = srv.Close() })
	if _, err := srv.App().Authz.Declare(b.Context(), authz.System, authz.Manifest{Permissions: []authz.Permission{{Name: "jobs:post"}}}); err != nil {
		b.Fatal(err)
	}
	cookie := ""
	send := func(path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		return w
	}
	cookie = (&http.Response{Header: send("/auth/signup", `{"email":"a@example.com","password":"password123"}`).Header()}).Cookies()[0].String()
	cookie, _, _ = strings.Cut(cookie, ";")
	if w := send("/api/v1/orgs", `{"name":"Acme"}`); w.Code != 201 {
		b.Fatal(w.Body)
	}
	plain, fact := `{"permission":"jobs:post","org_id":"acme"}`, `{"permission":"jobs:post","org_id":"acme","resource":{"owner":"x"}}`
	for name, c := range map[string]struct{ path, body string }{
		"one plain":       {"/api/v1/check", plain},
		"one with a fact": {"/api/v1/check", fact},
		"100 plain":       {"/api/v1/check/batch", `{"checks":[` + strings.Repeat(plain+",", 99) + plain + `]}`},
		"100 with a fact": {"/api/v1/check/batch", `{"checks":[` + strings.Repeat(fact+",", 99) + fact + `]}`},
		"explain":         {"/api/v1/check/explain", plain},
		"AuthZEN":         {"/access/v1/evaluation", `{"subject":{"type":"user","id":"usr_x"},"action":{"name":"jobs:post"},"resource":{"type":"org","id":"acme"}}`},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if w := send(c.path, c.body); w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
