package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/admit-dev/admit/internal/testkit"
)

// town is a store with people in it, and what one of them signs in with.
type town struct {
	*testing.T
	people                      int
	totp, session, refresh, key string
	signedOut                   string
}

const townPassword = "secret-pass-1"

// people is how many there are: PEOPLE, or as many as are enough.
func people(enough int) int {
	if n, err := strconv.Atoi(os.Getenv("PEOPLE")); err == nil {
		return n
	}
	return enough
}

// settle fills the store of a server: Ann with everything, and many with a password, of whom the log tells.
func settle(b *bench, s served, databaseURL string) *town {
	b.Helper()
	w := &town{T: b.T, people: people(2000)}
	c := s.client(b.T)
	ann := testkit.M{"email": "ann@example.com", "password": townPassword}
	c.Post("/auth/signup", ann).Want(201)
	w.totp = c.Post("/auth/mfa/totp", nil).Want(200).Text("secret")
	c.Post("/auth/mfa/totp/confirm", testkit.M{"code": w.code(-1)}).Want(200)
	w.session = c.Cookie("/auth/me", "session_id")
	_, tokens := w.signIn(s, "?transport=token")
	w.refresh = tokens.Text("refresh_token")
	c.Post("/api/v1/orgs", testkit.M{"name": "Acme", "slug": "acme"}).Want(201)
	w.key = strings.TrimSpace(b.run("key", "create", "ann@example.com", "--name", "Build", "--scope", "jobs:*").want(0).out)
	out := s.client(b.T)
	out.Post("/auth/signup", testkit.M{"email": "bob@example.com", "password": townPassword}).Want(201)
	w.signedOut = out.Cookie("/auth/me", "session_id")
	out.Post("/auth/logout", nil).Want(200)

	db := opened(b.T, databaseURL)
	for _, text := range []string{
		`INSERT INTO users (id, name, created_at, updated_at) SELECT 'usr_p' || i, 'Person ' || i || ' Ängström 😀', i, i FROM n`,
		`INSERT INTO identifiers (kind, value, user_id, is_primary, created_at) SELECT 'email', 'p' || i || '@example.com', 'usr_p' || i, TRUE, i FROM n`,
		`INSERT INTO passwords (user_id, hash, changed_at) SELECT 'usr_p' || i, (SELECT hash FROM passwords LIMIT 1), i FROM n`,
		`INSERT INTO sessions (id, user_id, transport, salt, generation, amr, auth_at, ip, user_agent, created_at, seen_at, expires_at)
			SELECT 'ses_p' || i, 'usr_p' || i, 'token', (SELECT salt FROM sessions LIMIT 1), 0, 'pwd', i, '10.0.0.1', 'curl', i, i, 9000000000000000 FROM n`,
		`INSERT INTO events (id, at, kind, subject, outcome, actor, session_id, org_id, ip, user_agent, request_id, data)
			SELECT 'evt_p' || i, i, 'user.created', 'usr_p' || i, 'success', '', '', '', '10.0.0.1', 'curl', '', '{}' FROM n`,
	} {
		if _, err := db.Exec(fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, w.people) + text); err != nil {
			b.Fatal(err)
		}
	}
	_ = db.Close() // or it counts as somebody who has the file open
	w.sealed(b)
	return w
}

func opened(t *testing.T, databaseURL string) *sql.DB {
	t.Helper()
	driver, address := "pgx", databaseURL
	if file, ok := strings.CutPrefix(databaseURL, "sqlite:///"); ok {
		driver, address = "sqlite", file+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// code is what Ann's app shows some steps from now.
func (w *town) code(steps int) string {
	text, err := totp.GenerateCode(w.totp, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		w.Fatal(err)
	}
	return text
}

// signIn signs Ann in with her password and her app, as soon as that shows a code that was not used.
func (w *town) signIn(s served, query string) (*testkit.Client, testkit.Answer) {
	w.Helper()
	c := s.client(w.T)
	for _, ahead := range []int{0, 1} {
		a := c.Post("/auth/login"+query, testkit.M{"email": "ann@example.com", "password": townPassword}).Want(401, "step_required")
		id := a.JSON["attempt"].(map[string]any)["id"]
		if a = c.Post("/auth/mfa/verify"+query, testkit.M{"attempt": id, "code": w.code(ahead)}); a.Status == 200 {
			return c, a
		}
	}
	w.Fatal("neither code signs Ann in")
	return nil, testkit.Answer{}
}

// who asks who has a session.
func (w *town) who(s served, session string) testkit.Answer {
	w.Helper()
	c := s.client(w.T)
	c.Header.Set("Cookie", "session_id="+session)
	return c.Get("/auth/me")
}

// lives holds that everything opens that did, and nothing else.
func (w *town) lives(s served) {
	w.Helper()
	w.who(s, w.session).Want(200)
	w.who(s, w.signedOut).Want(401)
	w.refresh = w.renew(s, w.refresh).Want(200).Text("refresh_token")
	key := s.client(w.T)
	key.Bearer = w.key
	key.Get("/auth/me").Want(200)
	ann, _ := w.signIn(s, "")
	ann.Get("/api/v1/orgs/acme").Want(200)
	for i := 1; i <= w.people; i += max(w.people/20, 1) {
		c := s.client(w.T)
		c.Post("/auth/login", testkit.M{"email": fmt.Sprintf("p%d@example.com", i), "password": townPassword}).Want(200)
		if name := c.Get("/auth/me").Want(200).Text("name"); name != fmt.Sprintf("Person %d Ängström 😀", i) {
			w.Errorf("%q", name)
		}
	}
}

func (w *town) renew(s served, token string) testkit.Answer {
	w.Helper()
	return s.client(w.T).Post("/api/v1/refresh", testkit.M{"refresh_token": token})
}

// sealed waits until the whole log is sealed, verifies it, and says how many records that are.
func (w *town) sealed(b *bench, head ...string) (records int, newest string) {
	b.Helper()
	var r struct {
		OK                bool
		Records, Unsealed int
		Head              string
	}
	args := []string{"audit", "verify", "--json"}
	for _, h := range head {
		args = append(args, "--head", h)
	}
	eventually(b.T, time.Minute*time.Duration(1+w.people/10_000), "a log that is sealed", func() bool {
		a := b.run(args...).want(0)
		if err := json.Unmarshal([]byte(a.out), &r); err != nil {
			b.Fatal(err)
		}
		return r.OK && r.Unsealed == 0
	})
	if r.Records < w.people {
		b.Fatalf("%d records of %d people", r.Records, w.people)
	}
	return r.Records, r.Head
}
