package sandbox_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/sandbox"
)

type m = map[string]any

// started is a sandbox behind HTTP. What it gives asks it: a status, and the answer.
func started(t *testing.T) func(method, path, cookie string, body any, header ...string) (int, m) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	cfg := admit.DefaultConfig()
	cfg.RateLimit.RateLimit = "off"
	s, err := sandbox.New(t.Context(), cfg, sandbox.Seed{}, admit.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		web.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
			t.Errorf("%v is left behind: %v", left, err)
		}
	})
	return func(method, path, cookie string, body any, header ...string) (int, m) {
		t.Helper()
		text, raw := body.(string)
		if !raw {
			b, _ := json.Marshal(body)
			text = string(b)
		}
		r, _ := http.NewRequestWithContext(t.Context(), method, web.URL+path, strings.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		r.Host = r.URL.Host
		if h := r.Header.Get("Host"); h != "" {
			r.Host = h
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		content, _ := io.ReadAll(a.Body)
		out := m{}
		_ = json.Unmarshal(content, &out)
		for _, c := range a.Cookies() {
			if strings.Contains(c.Name, "session") {
				out["cookie"] = c.Name + "=" + c.Value
			}
		}
		return a.StatusCode, out
	}
}

const phrase = "correct horse battery"

var seed = m{
	"permissions":   []m{{"name": "post_job", "title": "Post jobs"}},
	"roles":         []m{{"name": "auditor", "permissions": []string{"sys:audit:read"}}},
	"users":         []m{{"email": "ann@example.com", "password": phrase, "roles": []string{"auditor"}}, {"email": "bob@example.com", "password": phrase}, {"username": "kitten", "password": phrase}},
	"organizations": []m{{"name": "Acme", "owner": "ann@example.com", "roles": []m{{"name": "recruiter", "permissions": []string{"post_job"}}}, "members": []m{{"user": "bob@example.com", "roles": []string{"recruiter"}}, {"user": "kitten", "roles": []string{"member"}}}}},
}

// A test of an app seeds people and an organization, signs them in, waits thirty days in no time, and goes back to where it was.
func TestServerForTests(t *testing.T) {
	ask := started(t)
	status, sown := ask("POST", "/test/seed", "", seed)
	if status != 200 || len(sown["users"].([]any)) != 3 {
		t.Fatal(status, sown)
	}
	in := func(who string) string {
		status, got := ask("POST", "/auth/login", "", m{"email": who, "password": phrase})
		if status != 200 {
			t.Fatal(who, status, got)
		}
		return got["cookie"].(string)
	}
	ann, bob := in("ann@example.com"), in("bob@example.com")
	may := func(cookie string) any {
		_, got := ask("POST", "/api/v1/check", cookie, m{"permission": "post_job", "org_id": sown["organizations"].([]any)[0]})
		return got["allowed"]
	}
	if may(bob) != true {
		t.Fatal("a seeded role permits nothing")
	}
	if status, _ := ask("GET", "/api/v1/audit-events", ann, ""); status != 200 {
		t.Fatal(status)
	}
	if status, _ := ask("POST", "/test/snapshots", "", m{"name": "signed-in"}); status != 200 {
		t.Fatal(status)
	}
	if status, _ := ask("GET", "/auth/me", bob, ""); status != 200 {
		t.Error("a session does not outlive a snapshot", status)
	}
	_, before := ask("GET", "/test", "", "")
	if status, got := ask("POST", "/test/clock", "", m{"advance": "2160h"}); status != 200 || got["now"].(string) <= before["now"].(string) {
		t.Fatal(status, got)
	}
	if status, _ := ask("GET", "/auth/me", bob, ""); status != 401 {
		t.Error("a session is alive after ninety days", status)
	}
	if status, got := ask("POST", "/test/snapshots/signed-in/restore", "", ""); status != 200 || got["now"].(string)[:10] != before["now"].(string)[:10] || got["snapshots"].([]any)[0] != "signed-in" {
		t.Fatal(status, got)
	}
	if status, _ := ask("GET", "/auth/me", bob, ""); status != 200 {
		t.Error("a snapshot that was put back lacks a session", status)
	}
	if status, _ := ask("POST", "/test/clock", "", m{"now": time.Now().AddDate(1, 0, 0).Format(time.RFC3339)}); status != 200 {
		t.Fatal(status)
	}
	if status, _ := ask("POST", "/test/reset", "", ""); status != 200 {
		t.Fatal(status)
	}
	if status, _ := ask("POST", "/auth/login", "", m{"email": "ann@example.com", "password": phrase}); status != 401 {
		t.Error("somebody outlived a reset", status)
	}
}

// What cannot be done is said, and changes nothing; nothing of it is open to a page of another site.
func TestServerForTestsRefuses(t *testing.T) {
	ask := started(t)
	for _, c := range []struct {
		path   string
		body   any
		status int
		code   string
	}{
		{"/test/seed", m{"users": []m{{"email": "ann@example.com"}, {"email": "bad"}}}, 422, "email_invalid"},
		{"/test/seed", m{"users": []m{{"email": "ann@example.com"}}, "organizations": []m{{"name": "A", "owner": "nobody@example.com"}}}, 404, "user_not_found"},
		{"/test/seed", `{"people": []}`, 422, "test_body_invalid"},
		{"/test/seed", `{`, 422, "test_body_invalid"},
		{"/test/seed", `{"users":` + strings.Repeat(" ", 9<<20) + `[]}`, 413, "body_too_large"},
		{"/test/clock", m{}, 422, "clock_invalid"},
		{"/test/clock", m{"advance": "-1h"}, 422, "clock_invalid"},
		{"/test/clock", m{"advance": "99999999h"}, 422, "clock_invalid"},
		{"/test/clock", m{"advance": "1h", "now": "2099-01-01T00:00:00Z"}, 422, "clock_invalid"},
		{"/test/clock", m{"now": "2001-01-01T00:00:00Z"}, 422, "clock_invalid"},
		{"/test/snapshots", m{"name": "../x"}, 422, "snapshot_name_invalid"},
		{"/test/snapshots", m{"name": "_"}, 422, "snapshot_name_invalid"},
		{"/test/snapshots/none/restore", "", 404, "snapshot_unknown"},
		{"/test/nothing", "", 404, "route_not_found"},
	} {
		if status, got := ask("POST", c.path, "", c.body); status != c.status || got["code"] != c.code {
			t.Errorf("%s %.80v: %d %v, want %d %s", c.path, c.body, status, got["code"], c.status, c.code)
		}
	}
	if status, got := ask("POST", "/test/seed", "", m{"users": []m{{"email": "bad"}}}); !strings.HasPrefix(got["detail"].(string), "users[0]: ") {
		t.Error(status, got)
	}
	if status, _ := ask("POST", "/test/seed", "", m{"users": []m{{"email": "ann@example.com"}}}); status != 200 {
		t.Error("what was refused left somebody behind", status)
	}
	if status, got := ask("POST", "/test/reset", "", "", "Sec-Fetch-Site", "cross-site"); status != 403 || got["code"] != "cross_origin" {
		t.Error(status, got)
	}
	if status, got := ask("POST", "/test/reset", "", "", "Host", "evil.example.com"); status != 403 || got["code"] != "cross_origin" {
		t.Error(status, got)
	}
	if status, got := ask("POST", "/test/reset", "", "", "Content-Type", "text/plain"); status != 200 {
		t.Error("a reset needs no body", status, got)
	}
}
