package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// A server for the tests of an app keeps nothing where others would find it.
func TestServeForTests(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.serve("--test")
	s.client(t).Post("/test/seed", testkit.M{"users": []testkit.M{{"email": "ann@example.com", "password": "correct horse battery"}}}).Want(200)
	s.client(t).Post("/auth/login", testkit.M{"email": "ann@example.com", "password": "correct horse battery"}).Want(200)
	if code := s.stop(); code != 0 {
		t.Fatal(code, s.said.String())
	}
	if _, err := os.Stat(filepath.Join(b.dir, "admit-data")); !os.IsNotExist(err) {
		t.Fatal("a server for tests left its data behind", err)
	}
}

// A server for tests is none where real people are: it takes no secret, no store, no service, and listens for this machine alone.
func TestServeForTestsRefusesTheRealWorld(t *testing.T) {
	t.Parallel()
	const key = "SESSION_SECRET_KEY=0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	for says, settings := range map[string][]string{
		"not for production":                   {"ENVIRONMENT=production", key, "DATABASE_URL=sqlite:////var/lib/admit/admit.db", "PASSWORD_HASH_MEMORY_KIB=47104"},
		"DATABASE_URL (environment)":           {"DATABASE_URL=postgres://db/admit"},
		"REDIS_URL (environment)":              {"REDIS_URL=redis://cache"},
		"SMTP_HOST (environment)":              {"SMTP_HOST=mail.example.com", "MAIL_FROM=a@example.com"},
		"BASE_URL is https://auth.example.com": {"BASE_URL=https://auth.example.com"},
		"ADDR is 0.0.0.0:0":                    {"ADDR=0.0.0.0:0"},
		"SESSION_SECRET_KEY (environment)":     {key},
	} {
		newBench(t, append(settings, "ADDR=127.0.0.1:0")...).run("serve", "--test").want(2, says)
	}
}
