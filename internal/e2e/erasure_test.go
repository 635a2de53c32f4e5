package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
)

// texts is what every column of text in the store says that names a person, with its table.
func texts(s *testkit.Server, word string) (found []string) {
	s.Helper()
	type column struct {
		Table string `db:"table_name"`
		Name  string `db:"column_name"`
	}
	ask := `SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND p.type = 'TEXT'`
	if s.Engine == "postgres" {
		ask = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() AND data_type = 'text'`
	}
	columns, err := database.All[column](s.Context(), s.App().DB, ask)
	if err != nil || len(columns) < 60 {
		s.Fatal(err, len(columns))
	}
	for _, c := range columns {
		n, err := database.One[int64](s.Context(), s.App().DB, `SELECT COUNT(*) FROM `+c.Table+` WHERE lower(`+c.Name+`) LIKE '%' || $1 || '%'`, word)
		if err != nil {
			s.Fatal(err)
		}
		if n > 0 {
			found = append(found, c.Table+"."+c.Name)
		}
	}
	return found
}

// PRV-01: whoever deletes their account is gone at once, with every session and everything that says who they were, also from the log; a
// mail says that it is done. It asks for a fresh proof.
func TestPRV01Erasure(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		boss, ann := person(s, "boss@example.com"), s.Client()
		ann.Header.Set("User-Agent", "Annebrowser/1.0")
		organization(boss, "Acme")
		ann.Post("/auth/signup", m{"email": "annelore@example.com", "password": pass, "name": "Annelore", "username": "annelore.k"}).Want(201)
		id := userID(ann)
		join(s, boss, ann, "acme", "annelore@example.com", "member")
		token, refresh := native(s, "annelore@example.com")
		sealAll(s)
		if len(texts(s, "annelore")) == 0 || len(texts(s, "annebrowser")) == 0 {
			t.Fatal("nothing is known of them to begin with")
		}
		s.Client().Do("DELETE", "/auth/me", nil).Want(401)
		s.Advance(10 * time.Minute)
		ann.Do("DELETE", "/auth/me", nil).Want(403, "reauthentication_required")
		ann.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		s.Records()
		ann.Do("DELETE", "/auth/me", nil).Want(204)
		told := s.Records()
		kinds := ""
		for _, r := range told {
			kinds += r.Kind + " "
		}
		for _, kind := range []string{"session.revoked", "member.removed", "user.deleted", "message.queued"} {
			if !strings.Contains(kinds, kind+" ") {
				t.Errorf("%s is not told: %s", kind, kinds)
			}
		}
		if ann.Cookie("/", "session_id") != "" {
			t.Error("the cookie is still there")
		}
		ann.Get("/auth/me").Want(401)
		token.Get("/auth/me").Want(401)
		s.Client().Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(401)
		s.Client().Post("/auth/login", m{"email": "annelore@example.com", "password": pass}).Want(401, "invalid_credentials")
		boss.Get("/api/v1/orgs/acme/members/" + id).Want(404)
		if mail := s.Letter("annelore@example.com"); !strings.Contains(mail.Subject, "deleted") {
			t.Error(mail.Subject)
		}
		sealAll(s) // which forgets who is gone
		for _, word := range []string{"annelore", "annebrowser"} {
			if left := texts(s, word); len(left) > 0 {
				t.Errorf("%s is left in %v", word, left)
			}
		}
		green(s)
		s.Client().Post("/auth/signup", m{"email": "annelore@example.com", "password": pass}).Want(201)
	})
}

// Whoever others depend on hands over first: the only owner of an organization, and the last super_admin.
func TestErasureHandsOver(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root, _ := operator(s, "root@example.com")
		root.Do("DELETE", "/auth/me", nil).Want(409, "account_runs_site")
		ann := person(s, "ann@example.com")
		organization(ann, "Acme")
		s.Records()
		ann.Do("DELETE", "/auth/me", nil).Want(409, "account_owns_organization")
		s.Events()
		ann.Get("/auth/me").Want(200)
		ann.Do("DELETE", "/api/v1/orgs/acme", nil).Want(204)
		ann.Do("DELETE", "/auth/me", nil).Want(204)
	})
}
