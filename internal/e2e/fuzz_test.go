package e2e_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

// FuzzBodies sends anything to signing in and up: the answer is never our fault, and a refusal is whole.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{`{"email":"a@example.com","password":"password123"}`, `{"username":"abcd","phone":"+491711234567","name":"A","password":"x"}`, `{"identifier":null,"password":[]}`, `{"email":"\ud800@x.y","password":"\u0000"}`,
		`{"password":1e999,"remember":"yes"}`, "[[[[", `"`, "", "null", `{"Email":"a","email":"b"}`, "username=a&password=b", "\xff", `{"email":"é@bücher.test","password":"` + strings.Repeat("é", 200) + `"}`} {
		f.Add(body, false)
		f.Add(body, true)
	}
	srv, err := admit.New(f.Context(), testkit.Config(f, testkit.DatabaseURL(f, "sqlite")), admit.WithStrict())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = srv.Close() })
	f.Fuzz(func(t *testing.T, body string, form bool) {
		for _, path := range []string{"/auth/signup", "/auth/login", "/api/v1/login", "/auth/attempts"} {
			r := httptest.NewRequest("POST", path, strings.NewReader(body))
			if r.Header.Set("Content-Type", "application/json"); form {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			w := httptest.NewRecorder()
			srv.ServeHTTP(w, r)
			a := testkit.Read(t, w.Result())
			if a.Status >= 500 || a.Status >= 400 && a.JSON["code"] == nil {
				t.Errorf("%s %q: %d %s", path, body, a.Status, a.Body)
			}
		}
	})
}
