package e2e_test

import (
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// Who runs the site helps people who lost a way in: a link to set a password goes to their own address, and second factors are taken
// away, which they are told. Nobody does that to somebody above them.
func TestOperatorsHelp(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, boss := person(s, "ann@example.com"), person(s, "boss@example.com")
		at := "/api/v1/users/" + ann.Get("/auth/me").Text("id")
		enrol(s, ann)
		boss.Post(at+"/reset-mfa", nil).Want(403)
		boss.Post(at+"/reset-password", nil).Want(403)
		if _, err := s.App().Authz.CreateGlobalRole(s.Context(), authz.System, authz.GlobalRoleEdit{Name: new("Helpdesk"), Permissions: &[]string{"sys:users:recover", "sys:users:read"}}); err != nil {
			t.Fatal(err)
		}
		s.Grant(boss.Get("/auth/me").Text("id"), "helpdesk")
		boss.Post(at+"/reset-mfa", nil).Want(200)
		ann.Get("/auth/me").Want(401)
		signIn(s, "ann@example.com", pass).Want(200)
		if mail := s.Letter("ann@example.com"); !strings.Contains(mail.Subject, "removed") {
			t.Error(mail.Subject)
		}
		boss.Post(at+"/reset-mfa", nil).Want(409, "no_second_factor")
		boss.Post(at+"/reset-password", nil).Want(202)
		s.Client().Post("/auth/password/reset", m{"token": tokenIn(s, "ann@example.com"), "password": "another sentence"}).Want(200)

		s.Grant(strings.TrimPrefix(at, "/api/v1/users/"), authz.SuperAdmin)
		boss.Post(at+"/reset-password", nil).Want(403)
		boss.Post("/api/v1/users/usr_01900000-0000-7000-8000-00000000dead/reset-mfa", nil).Want(404)
	})
}
