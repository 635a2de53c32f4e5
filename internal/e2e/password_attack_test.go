package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
)

// imported stores a hash as an import does.
func imported(s *testkit.Server, email, hash string) {
	s.Helper()
	id := userID(person(s, email))
	err := s.App().DB.Write(s.Context(), func(tx *database.Tx) error {
		tx.Quiet()
		_, err := tx.Exec(`UPDATE passwords SET hash = $2 WHERE user_id = $1`, id, hash)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

func stored(s *testkit.Server, email string) string {
	s.Helper()
	h, err := database.One[string](s.Context(), s.App().DB, `SELECT p.hash FROM passwords p JOIN identifiers i ON i.user_id = p.user_id WHERE i.value = $1`, email)
	if err != nil {
		s.Fatal(err)
	}
	return h
}

func signIn(s *testkit.Server, email, password string) testkit.Answer {
	s.Helper()
	return s.Client().Post("/auth/login", m{"email": email, "password": password})
}

// PWD-01: what stands behind the 72nd byte counts, also for a hash from a system where it did not.
func TestLongPasswords(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		long := strings.Repeat("a", 72)
		s.Client().Post("/auth/signup", m{"email": "a@example.com", "password": long + "X-the-tail"}).Want(201)
		for _, other := range []string{long, long + "Y-the-tail", long + "X-the-tai", long + "X-the-tail "} {
			signIn(s, "a@example.com", other).Want(401, "invalid_credentials")
		}
		signIn(s, "a@example.com", long+"X-the-tail").Want(200)
		hash, err := bcrypt.GenerateFromPassword([]byte(long), 4)
		if err != nil {
			t.Fatal(err)
		}
		imported(s, "b@example.com", string(hash))
		signIn(s, "b@example.com", long+"X").Want(401, "invalid_credentials")
		signIn(s, "b@example.com", long).Want(200)
	})
}

// PWD-08: an old hash is replaced once, whoever signs in at the same time, and a wrong password replaces nothing.
func TestRehash(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		old, err := bcrypt.GenerateFromPassword([]byte(pass), 4)
		if err != nil {
			t.Fatal(err)
		}
		imported(s, "ann@example.com", string(old))
		s.Records()
		signIn(s, "ann@example.com", "wrong").Want(401)
		s.Events("login.failed")
		if stored(s, "ann@example.com") != string(old) {
			t.Error("replaced by a wrong password")
		}
		tally(t, together(8, func(int) testkit.Answer { return signIn(s, "ann@example.com", pass) }), map[int]int{200: 8})
		kinds := map[string]int{}
		for _, r := range s.Records() {
			kinds[r.Kind]++
		}
		if kinds["password.rehashed"] != 1 || kinds["login.succeeded"] != 8 || !strings.HasPrefix(stored(s, "ann@example.com"), "$argon2id$") {
			t.Errorf("%v %s", kinds, stored(s, "ann@example.com"))
		}
		now := stored(s, "ann@example.com")
		signIn(s, "ann@example.com", pass).Want(200)
		if stored(s, "ann@example.com") != now {
			t.Error("rehashed again")
		}
	})
}

// ENU-01: a stored hash that nothing can check opens nothing, and is told from no other account.
func TestBrokenHash(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		for _, hash := range []string{"plain", "$2b$10$short", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$", "*", "$argon2id$v=19$m=99999999,t=9,p=1$c29tZXNhbHQxMjM0NTY$c29tZXNhbHQxMjM0NTZzb21lc2FsdA"} {
			email := fmt.Sprintf("u%d@example.com", len(hash))
			imported(s, email, hash)
			for _, p := range []string{pass, hash, ""} {
				signIn(s, email, p).Want(401, "invalid_credentials")
			}
		}
	})
}

// Length counts characters, not bytes, and what looks the same is the same (NIST SP 800-63B-4).
func TestPasswordCharacters(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		for i, c := range []struct {
			password string
			code     string
		}{{"1234567", "password_too_short"}, {strings.Repeat("😀", 7), "password_too_short"}, {strings.Repeat("e\u0301", 7), "password_too_short"}, {strings.Repeat("😀", 8), ""}, {strings.Repeat("😀", 128), ""}, {strings.Repeat("x", 129), "password_too_long"},
			{strings.Repeat("e\u0301", 128), ""}, {"tab\tin the middle", "password_invalid"}, {"        ", ""}, {"", "password_too_short"}} {
			for _, path := range []string{"/auth/signup", "/api/v1/register"} {
				email := fmt.Sprintf("%s%d@example.com", strings.ReplaceAll(path, "/", ""), i)
				a := s.Client().Post(path, m{"email": email, "password": c.password})
				if c.code != "" {
					refused(t, path+c.password, a.Want(422, c.code), 422)
				} else if a.Want(201); signIn(s, email, c.password).Status != 200 {
					t.Errorf("%q", c.password)
				}
			}
		}
		s.Client().Post("/auth/signup", m{"email": "nfc@example.com", "password": "Crème brûlée"}).Want(201)
		signIn(s, "nfc@example.com", "Cre\u0300me bru\u0302le\u0301e").Want(200)
		signIn(s, "nfc@example.com", "Creme brulee").Want(401)
	})
}

// PWD-05: a password changes only for somebody who shows the current one, and only their own; guessing it through a stolen
// session is limited as guessing at the door is.
func TestPasswordChange(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		eve := userID(person(s, "eve@example.com"))
		s.Records()
		for _, body := range []any{m{"new_password": "another password"}, m{"current_password": "", "new_password": "another password"}, m{"current_password": "wrong", "new_password": "another password"},
			m{"current_password": pass, "new_password": "short"}, m{"current_password": pass, "new_password": "another password", "user_id": eve}} {
			refused(t, fmt.Sprint(body), c.Post("/auth/password/change", body), 403, 422)
		}
		s.Client().Post("/auth/password/change", m{"current_password": pass, "new_password": "another password"}).Want(401)
		s.Events("password.change_failed", "password.change_failed") // a wrong one and an empty one; the others were not judged
		signIn(s, "ann@example.com", pass).Want(200)
		tally(t, together(4, func(i int) testkit.Answer {
			return c.Post("/auth/password/change", m{"current_password": pass, "new_password": fmt.Sprintf("another password %d", i)})
		}), map[int]int{200: 1, 403: 3})
	})
	limits := func(c *admit.Config) { c.RateLimit.RateLimit, c.RateLimit.IdentifierBurst = "memory", 5 }
	testkit.Each(t, limits, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		for range 5 {
			c.Post("/auth/password/change", m{"current_password": "wrong", "new_password": "another password"}).Want(403)
		}
		c.Post("/auth/password/change", m{"current_password": pass, "new_password": "another password"}).Want(429, "too_many_attempts")
		signIn(s, "ann@example.com", pass).Want(429)
		s.Advance(time.Minute)
		c.Post("/auth/password/change", m{"current_password": pass, "new_password": "another password"}).Want(200)
	})
}
