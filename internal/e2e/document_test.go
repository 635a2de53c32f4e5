package e2e_test

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// Every operation answers only with statuses and media types its document knows.
func TestAnswersAreDocumented(t *testing.T) {
	testkit.Each(t, func(cfg *admit.Config) {
		guests(cfg)
		remembered(cfg)
		cfg.Web.AppRedirects = []string{"com.example.app:/back"}
		cfg.Lockout.After, cfg.Account.GraceDays = 5, 14
	}, func(s *testkit.Server) {
		answersAreDocumented(t, s)
	})
	testkit.Each(t, strict, func(s *testkit.Server) {
		list := operations(t, s.Client())
		for _, o := range list {
			if o.Path == "/auth/signup" || o.Path == "/api/v1/register" {
				documented(t, o, s.Client().Post(o.Path, m{"email": "new@example.com", "password": pass}).Want(202))
			}
		}
	})
}

func answersAreDocumented(t *testing.T, s *testkit.Server) {
	declare(s, "jobs:post")
	w := newWorld(s, "ann")
	s.Grant(w.owner.Get("/auth/me").Text("id"), authz.SuperAdmin)
	list := operations(t, w.owner)
	w.attempt = s.Client().Post("/auth/attempts", m{"identifier": w.email}).Want(201).Text("id")
	_, w.refresh = native(s, w.email)
	native(s, w.email) // a session to end
	w.link = link(s)
	var app *authenticator
	mailed := person(s, "mailed@example.com")
	w.ready = map[string]func() any{
		"POST /auth/mfa/totp/confirm": func() any {
			app = setUp(s, w.owner)
			return m{"code": app.code(0)}
		},
		"POST /auth/mfa/verify": func() any {
			s.Advance(30 * time.Second)
			return m{"attempt": step(s.Client().Post("/auth/login", m{"email": w.email, "password": pass})), "code": app.code(0)}
		},
		"POST /oauth2/token": func() any {
			id := w.owner.Post("/api/v1/service-accounts", m{"name": "Sync"}).Want(201).Text("id")
			key := w.owner.Post("/api/v1/service-accounts/"+id+"/keys", m{"name": "Key", "scopes": []string{"jobs:*"}}).Want(201).Text("key")
			return url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {key}}
		},
		"POST /auth/email/verify": func() any {
			mailed.Post("/auth/email/verify/resend", nil).Want(202)
			return m{"token": tokenIn(s, "mailed@example.com")}
		},
		"POST /auth/password/reset": func() any {
			mailed.Post("/auth/password/forgot", m{"email": "mailed@example.com"}).Want(202)
			return m{"token": tokenIn(s, "mailed@example.com"), "password": pass}
		},
		"POST /auth/unlock": func() any {
			person(s, "locked@example.com")
			wrongly(s, "locked@example.com", s.Config.Lockout.After)
			return m{"token": tokenIn(s, "locked@example.com")}
		},
		"POST /auth/keep": func() any {
			person(s, "kept@example.com").Do("DELETE", "/auth/me", nil).Want(204)
			return m{"token": tokenIn(s, "kept@example.com")}
		},
		"POST /auth/not-me": func() any {
			person(s, "told@example.com").Post("/auth/password/change", m{"current_password": pass, "new_password": pass}).Want(200)
			return m{"token": tokenIn(s, "told@example.com")}
		},
	}
	reached := reachable(s, "reached@example.com", number)
	w.ready["POST /auth/magic-link/verify"] = func() any {
		return m{"attempt": sendLink(s.Client(), "linked@example.com"), "token": tokenIn(s, "linked@example.com")}
	}
	w.letter = func() string {
		sendLink(s.Client(), "linked@example.com")
		return tokenIn(s, "linked@example.com")
	}
	w.ready["POST /auth/otp/verify"] = func() any {
		return m{"attempt": sendCode(s.Client(), "coded@example.com"), "code": codeIn(s, "coded@example.com")}
	}
	w.ready["POST /auth/phone/verify"] = func() any {
		reached.Post("/auth/phone", m{"phone": "+491711234502"}).Want(202)
		return m{"code": codeIn(s, "+491711234502")}
	}
	for _, method := range []string{"email", "phone"} {
		w.ready["POST /auth/mfa/"+method+"/confirm"] = func() any {
			reached.Post("/auth/mfa/"+method, nil).Want(202)
			to := reached.Get("/auth/me").Want(200).Text(method)
			return m{"code": codeIn(s, to)}
		}
	}
	w.ready["POST /auth/passkeys/register"] = func() any {
		return m{"credential": s.NewAuthenticator().Create(publicKey(w.owner.Post("/auth/passkeys/register/options", nil).Want(200)))}
	}
	w.ready["POST /auth/passkeys/login"] = func() any {
		attempt, options := begin(s)
		return m{"attempt": attempt, "credential": w.phone.Get(options)}
	}
	for _, n := range w.owner.Get("/auth/sessions").Want(200).JSON["items"].([]any) {
		if n.(m)["transport"] == "token" {
			w.session = n.(m)["id"].(string)
			break
		}
	}
	stranger := s.Client()
	w.arrival = func() string {
		return develop(s, stranger, stranger.Get("/auth/development/login").Want(302).Header.Get("Location"), "came@example.com")
	}
	w.ready["POST /auth/social/token"] = func() any { return redeemed(s, "app@example.com") }
	w.owner.Header.Set("If-Match", "*")
	slices.SortStableFunc(list, func(a, b op) int { return rank(a) - rank(b) })
	lost, _ := native(s, "ann-user@example.com") // w.user, who lost a second factor
	enrol(s, lost)
	w.away = lost.Get("/auth/sessions").Want(200).JSON["items"].([]any)[0].(m)["id"].(string)
	for _, o := range list {
		who := s.Client()
		switch {
		case strings.HasSuffix(o.Path, "/impersonate"):
			who, _ = operator(s, "acting@example.com")
		case o.Path == "/auth/impersonation/end":
			who, _ = operator(s, "ending@example.com")
			id := person(s, "acted@example.com").Get("/auth/me").Text("id")
			who.Post("/api/v1/users/"+id+"/impersonate", m{"reason": "Ticket 4711"}).Want(200)
		case o.Method == "DELETE" && o.Path == "/auth/me":
			who = person(s, "leaving@example.com")
		case o.User && o.Path != "/auth/password":
			who = w.owner
		case strings.HasSuffix(o.Path, "/callback"):
			who = stranger
		}
		if strings.HasPrefix(o.Path, "/auth/phone") || strings.HasPrefix(o.Path, "/auth/mfa/email") || strings.HasPrefix(o.Path, "/auth/mfa/phone") {
			who = reached
		}
		if o.Path == "/auth/password" { // of somebody who has none
			enterCode(who, sendCode(who, "by-code@example.com"), codeIn(s, "by-code@example.com")).Want(200)
		}
		if o.Path == "/auth/email/verify/resend" {
			who = person(s, "unverified@example.com")
		}
		body := w.body(o)
		if o.Method == "GET" {
			body = nil
		}
		a := who.Do(o.Method, w.path(o), body)
		documented(t, o, a)
		if led := a.Status < 400 && o.Answers[fmt.Sprint(a.Status)] != nil; a.Status >= 300 && !led && o.Path != "/auth/logout" {
			t.Errorf("%s %s: %d %s", o.Method, o.Path, a.Status, a.Body)
		}
		documented(t, o, s.Client().Do(o.Method, o.at("x"), nil))
		documented(t, o, who.Do(o.Method, o.at("x"), "{"))
	}
	browser := s.Client()
	browser.Header.Set("Accept", "text/html")
	documented(t, list[slices.IndexFunc(list, func(o op) bool { return o.Path == "/" })], browser.Get("/").Want(302))
}

// rank has an operation come before the one that takes away what it is about.
func rank(o op) int {
	last := slices.Index([]string{"POST /api/v1/orgs/{org}/suspend", "POST /api/v1/orgs/{org}/reinstate", "DELETE /api/v1/orgs/{org}/members/{user}", "DELETE /api/v1/orgs/{org}/roles/{role}", "DELETE /api/v1/orgs/{org}",
		"DELETE /api/v1/users/{user}", "POST /api/v1/refresh", "DELETE /auth/sessions/{id}", "POST /auth/attempts/{id}/method", "POST /auth/attempts/{id}/answer", "DELETE /auth/passkeys/{id}", "POST /auth/mfa/email/confirm", "POST /auth/mfa/phone/confirm", "DELETE /auth/mfa/email", "DELETE /auth/mfa/phone", "DELETE /auth/phone", "POST /api/v1/logout", "POST /auth/password/change",
		"POST /auth/mfa/totp", "POST /auth/mfa/totp/confirm", "POST /auth/mfa/recovery-codes", "POST /auth/mfa/verify", "DELETE /auth/mfa/totp",
		"DELETE /auth/identities/{id}", "DELETE /auth/devices/{id}", "DELETE /auth/devices", "POST /auth/logout", "POST /auth/logout-all"}, o.Method+" "+o.Path)
	switch {
	case last >= 0:
		return 10 + last
	case o.Method == "GET", o.Path == "/api/v1/users/{user}/sessions/{id}": // before anything ends it
		return 0
	case o.Method == "DELETE":
		return 5
	}
	return 1
}

func documented(t testing.TB, o op, a testkit.Answer) {
	t.Helper()
	r, known := o.Answers[fmt.Sprint(a.Status)].(map[string]any)
	if !known {
		if a.Status < 400 {
			t.Errorf("%s %s: %d is not in the document", o.Method, o.Path, a.Status)
			return
		}
		r, _ = o.Answers["default"].(map[string]any)
	}
	content, _ := r["content"].(map[string]any)
	kind := a.Header.Get("Content-Type")
	if len(a.Body) == 0 || a.Status == 302 {
		return
	}
	media, known := content[kind].(map[string]any)
	if schema, _ := media["schema"].(map[string]any); !known || len(schema) == 0 {
		t.Errorf("%s %s: %d as %q is not in the document, or without a shape: %v", o.Method, o.Path, a.Status, kind, content)
	}
}

// Another program reads the document, and both ways to look at it are served with it.
func TestDocumentIsServed(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		for path, want := range map[string]string{"/docs": "text/html; charset=utf-8", "/redoc": "text/html; charset=utf-8", "/openapi.json": "application/json", "/openapi.yaml": "application/yaml"} {
			if a := c.Get(path).Want(200); a.Header.Get("Content-Type") != want || strings.Contains(string(a.Body), "https://cdn") {
				t.Errorf("%s: %v", path, a.Header)
			}
		}
		python, err := exec.LookPath("python3")
		if err != nil || s.Engine != "sqlite" || exec.Command(python, "-c", "import openapi_spec_validator").Run() != nil {
			return // another tool, where there is one
		}
		file := filepath.Join(t.TempDir(), "openapi.json")
		if err := os.WriteFile(file, c.Get("/openapi.json").Body, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(python, "-m", "openapi_spec_validator", file).CombinedOutput(); err != nil {
			t.Errorf("%s", out)
		}
	})
}
