package e2e_test

import (
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// The same POST with the same Idempotency-Key is done once and answered the same, cookie included.
func TestIdempotencyKey(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		c.Header.Set("Idempotency-Key", "sign-up-1")
		first := c.Post("/auth/signup", ann).Want(201)
		s.Events("user.created", "session.created", "login.succeeded")

		again := s.Client()
		again.Header.Set("Idempotency-Key", "sign-up-1")
		second := again.Post("/auth/signup", ann).Want(201)
		s.Events()
		if second.Header.Get("Idempotent-Replayed") != "true" || first.Header.Get("Idempotent-Replayed") != "" ||
			string(first.Body) != string(second.Body) || again.Cookie("/", "session_id") != c.Cookie("/", "session_id") {
			t.Fatalf("%s\n%s", first.Body, second.Body)
		}
		again.Post("/auth/signup", m{"email": "other@example.com", "password": "password123"}).Want(422, "idempotency_key_reused")

		stranger := s.Client() // who knows the key and not the body is given nothing
		stranger.Header.Set("Idempotency-Key", "sign-up-1")
		stranger.Post("/auth/signup", m{"email": ann["email"], "password": "guessing"}).Want(422, "idempotency_key_reused")
		stranger.Header.Set("Idempotency-Key", "")
		stranger.Post("/auth/signup", ann).Want(400, "idempotency_key_invalid")

		s.Advance(25 * time.Hour)
		again.Post("/auth/signup", ann).Want(409, "email_taken")
	})
}

// Of 16 requests at once with one key, one is carried out; the others get its answer or are told to wait.
func TestIdempotencyKeyAtOnce(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		var all sync.WaitGroup
		for range 16 {
			c := s.Client()
			c.Header.Set("Idempotency-Key", "at-once")
			all.Go(func() {
				a := c.Post("/auth/signup", ann)
				if a.Status != 201 && a.JSON["code"] != "idempotency_key_in_progress" {
					t.Errorf("%d %s", a.Status, a.Body)
				}
			})
		}
		all.Wait()
		s.Events("user.created", "session.created", "login.succeeded")
	})
}
