package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// Every operation answers only with statuses and media types its document knows.
func TestAnswersAreDocumented(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
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
	c := person(s, "ann@example.com")
	list := operations(t, c)
	id := s.Client().Post("/auth/attempts", m{"identifier": "ann@example.com"}).Want(201).Text("id")
	_, refresh := native(s, "ann@example.com")
	good := map[string]any{"/auth/signup": m{"email": "new@example.com", "password": pass}, "/api/v1/register": m{"username": "new_one", "password": pass}, "/auth/login": m{"email": "ann@example.com", "password": pass}, "/api/v1/login": m{"username": "ann@example.com", "password": pass},
		"/auth/attempts": m{"identifier": "x"}, "/auth/attempts/{id}/answer": m{"values": m{"password": pass}}, "/auth/attempts/{id}/method": m{"method": "password"}, "/api/v1/refresh": m{"refresh_token": refresh}, "/api/v1/logout": m{"refresh_token": refresh},
		"/auth/me": m{"name": "Ann"}, "/auth/password/change": m{"current_password": pass, "new_password": "another password"}, "/auth/owner": m{"key": link(s), "email": "owner@example.com", "password": pass}, "/auth/logout-all": m{}}
	slices.SortStableFunc(list, func(a, b op) int { return rank(a) - rank(b) })
	for _, o := range list {
		who := s.Client()
		if o.User {
			who = c
		}
		body := good[o.Path]
		if o.Method == "GET" {
			body = nil
		}
		a := who.Do(o.Method, o.at(id), body)
		documented(t, o, a)
		if a.Status >= 300 && o.Method+o.Path != "DELETE/auth/sessions/{id}" && o.Path != "/auth/logout" {
			t.Errorf("%s %s: %d %s", o.Method, o.Path, a.Status, a.Body)
		}
		documented(t, o, s.Client().Do(o.Method, o.at("x"), nil))
		documented(t, o, who.Do(o.Method, o.at("x"), "{"))
	}
	browser := s.Client()
	browser.Header.Set("Accept", "text/html")
	documented(t, list[slices.IndexFunc(list, func(o op) bool { return o.Path == "/" })], browser.Get("/").Want(302))
}

// rank puts what ends a session last.
func rank(o op) int {
	return slices.Index([]string{"/api/v1/refresh", "/auth/attempts/{id}/method", "/auth/attempts/{id}/answer", "/api/v1/logout", "/auth/password/change", "/auth/logout", "/auth/logout-all"}, o.Path)
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
