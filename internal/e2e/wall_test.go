package e2e_test

import (
	"testing"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
)

// TEN: on Postgres the store itself keeps organizations apart. A statement that forgot its organization sees the rows of the one
// that was entered, and none before; it can neither add to another nor touch it.
func TestRowLevelSecurity(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		if s.Engine != "postgres" {
			return // the one wall of SQLite is that every statement names the organization
		}
		declare(s, "jobs:post")
		a, b := newWorld(s, "mine"), newWorld(s, "theirs")
		tables := map[string]string{"org_roles": "id", "org_role_grants": "role_id", "org_guards": "id", "memberships": "user_id", "member_roles": "user_id", "invitations": "id"}
		db := s.App().DB
		for table := range tables {
			seen := func(org string) (list []string) {
				err := db.Read(t.Context(), org, func(q database.Querier) (err error) {
					list, err = database.All[string](t.Context(), q, `SELECT DISTINCT org_id FROM `+table)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				return list
			}
			if got := seen(a.org); len(got) != 1 || got[0] != a.org {
				t.Errorf("%s: in %s one sees %v", table, a.org, got)
			}
			if got := seen(""); len(got) != 0 {
				t.Errorf("%s: nowhere one sees %v", table, got)
			}
			if got := seen(database.AllOrgs); len(got) < 2 {
				t.Errorf("%s: everywhere one sees %v", table, got)
			}
			if got, err := database.All[string](t.Context(), db, `SELECT DISTINCT org_id FROM `+table); err != nil || len(got) != 0 {
				t.Errorf("%s: a statement by itself sees %v %v", table, got, err)
			}
			err := db.Write(t.Context(), func(tx *database.Tx) error {
				if err := tx.Enter(a.org); err != nil {
					return err
				}
				tx.Quiet()
				n, err := tx.Exec(`DELETE FROM `+table+` WHERE org_id = $1`, b.org)
				if n != 0 {
					t.Errorf("%s: deleted %d rows of another", table, n)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		err := db.Write(t.Context(), func(tx *database.Tx) error {
			if err := tx.Enter(a.org); err != nil {
				return err
			}
			_, err := tx.Exec(`INSERT INTO memberships (org_id, user_id, id, created_at) VALUES ($1, $2, 'mem_x', 0)`, b.org, a.user)
			return err
		})
		if err == nil {
			t.Error("a row was added to another organization")
		}
	})
}
