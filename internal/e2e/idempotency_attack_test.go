package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
)

// A copy of the database lets nobody try passwords faster than their hash allows: what tells one body from another is keyed.
func TestIdempotencyKeepsNoGuessableHash(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		body := `{"email":"ann@example.com","password":"` + pass + `"}`
		c := s.Client()
		c.Header.Set("Idempotency-Key", "k")
		c.Post("/auth/login", body).Want(200)
		sums, err := database.All[[]byte](t.Context(), s.App().DB, `SELECT body_hash FROM idempotency_keys`)
		if err != nil || len(sums) != 1 {
			t.Fatal(len(sums), err)
		}
		if plain := sha256.Sum256([]byte(body)); bytes.Equal(sums[0], plain[:]) {
			t.Error("the body, with the password in it, is stored as a plain SHA-256")
		}
	})
}

// Strangers fill no table: where a key is kept, requests are counted.
func TestIdempotencyKeysAreLimited(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.RateLimit.RateLimit, c.RateLimit.IPPerMinute = "memory", 20 }, func(s *testkit.Server) {
		for _, path := range []string{"/api/v1/refresh", "/api/v1/logout", "/auth/logout"} {
			for i := range 30 {
				c := s.Client()
				c.Header.Set("Idempotency-Key", path+strings.Repeat("x", i))
				c.Post(path, nil)
			}
		}
		n, err := database.One[int64](t.Context(), s.App().DB, `SELECT COUNT(*) FROM idempotency_keys`)
		if err != nil || n > 20 {
			t.Errorf("%d keys, %v", n, err)
		}
		for range 30 { // without one nothing is kept, and nobody is held up
			if a := s.Client().Post("/api/v1/refresh", nil); a.Status != 401 {
				t.Fatalf("%d", a.Status)
			}
		}
	})
}

// Nobody is answered with what another was given, and a repeated answer brings no session back.
func TestIdempotencyAcrossCallers(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, eve := person(s, "ann@example.com"), person(s, "eve@example.com")
		for _, who := range []*testkit.Client{c, eve} {
			who.Header.Set("Idempotency-Key", "the same")
			if a := who.Post("/auth/password/change", m{"current_password": pass, "new_password": "another password"}).Want(200); a.Header.Get("Idempotent-Replayed") != "" {
				t.Error("given another's answer")
			}
		}
		login := m{"email": "ann@example.com", "password": "another password"}
		d := s.Client()
		d.Header.Set("Idempotency-Key", "again")
		d.Post("/auth/login", login).Want(200)
		held := "session_id=" + d.Cookie("/", "session_id")
		d.Header.Del("Idempotency-Key")
		d.Post("/auth/logout", nil).Want(200)
		s.Records()
		again := s.Client()
		again.Header.Set("Idempotency-Key", "again")
		again.Post("/auth/login", login).Want(200)
		s.Events()
		again.Get("/auth/me").Want(401)
		bearing(s, held).Get("/auth/me").Want(401)

		for _, key := range []string{"", strings.Repeat("k", 256), "\u20ac"} {
			x := s.Client()
			x.Header["Idempotency-Key"] = []string{key}
			refused(t, key, x.Post("/auth/login", login), 400)
		}
		x := s.Client()
		x.Header["Idempotency-Key"] = []string{"a", "b"}
		refused(t, "two", x.Post("/auth/login", login), 400)
		s.Events()
	})
}
