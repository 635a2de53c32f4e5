package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

// operator is somebody who runs the site.
func operator(s *testkit.Server, email string) (c *testkit.Client, id string) {
	s.Helper()
	c = person(s, email)
	id = c.Get("/auth/me").Text("id")
	s.Grant(id, authz.SuperAdmin)
	return c, id
}

// file writes a file for a setting that names one.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// An app declares what it asks about, as often as it likes; nobody declares what is the server's, or takes away what a role names.
func TestCatalogue(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root, _ := operator(s, "root@example.com")
		ann := person(s, "ann@example.com")
		list := m{"permissions": []m{{"name": "jobs:post", "title": "Post a job"}, {"name": "post_job", "alias_of": "jobs:post"}}}
		ann.Do("PUT", "/api/v1/permissions", list).Want(403, "missing_permission")
		s.Records()
		if a := root.Do("PUT", "/api/v1/permissions", list).Want(200); fmt.Sprint(a.JSON["added"]) != "[jobs:post post_job]" {
			t.Errorf("%s", a.Body)
		}
		s.Events("permission.declared", "permission.declared", "authorization.changed")
		root.Do("PUT", "/api/v1/permissions", list).Want(200)
		s.Events()
		for body, code := range map[string]string{
			`{"permissions":[{"name":"sys:x"}]}`:                                        "permission_reserved",
			`{"permissions":[{"name":"Jobs"}]}`:                                         "permission_invalid",
			`{"permissions":[{"name":"a:b:c:d"}]}`:                                      "permission_invalid",
			`{"permissions":[{"name":"a"},{"name":"a"}]}`:                               "permission_invalid",
			`{"permissions":[{"name":"jobs:post"},{"name":"x","alias_of":"y"}]}`:        "alias_invalid",
			`{"app":"admit","permissions":[]}`:                                          "app_invalid",
			`{"permissions":[{"name":"x","title":"` + strings.Repeat("x", 201) + `"}]}`: "title_invalid",
		} {
			root.Do("PUT", "/api/v1/permissions", body).Want(422, code)
		}
		root.Do("PUT", "/api/v1/permissions", m{"app": "other", "permissions": []m{{"name": "jobs:post"}}}).Want(409, "permission_declared")
		acme := organization(ann, "Acme")
		roles := "/api/v1/orgs/" + acme + "/roles"
		if a := ann.Post(roles, m{"name": "R", "permissions": []string{"jobs:pots"}}).Want(422, "unknown_permission"); !strings.Contains(a.Text("detail"), "jobs:post") {
			t.Errorf("%s", a.Body)
		}
		ann.Post(roles, m{"name": "R", "permissions": []string{"jobs:post if resource.x =="}}).Want(422, "condition_invalid")
		ann.Post(roles, m{"name": "Owner", "permissions": []string{}}).Want(422, "role_name_reserved")
		ann.Post(roles, m{"name": "R", "permissions": []string{"jobs:post if resource.owner == subject.id"}}).Want(201)
		ann.Post(roles, m{"name": "r", "permissions": []string{}}).Want(409, "role_taken")
		root.Do("PUT", "/api/v1/permissions", m{"permissions": []m{}}).Want(409, "permission_used")
		root.Do("PUT", "/api/v1/permissions", m{"permissions": []m{}, "force": true}).Want(200)
		if a := ann.Get("/api/v1/permissions").Want(200); strings.Contains(string(a.Body), "jobs:post") {
			t.Errorf("%s", a.Body)
		}
	})
}

// The four global roles are there from the start, others are made like those of an organization, and every change of one holds for
// the next request.
func TestGlobalRoles(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root, _ := operator(s, "root@example.com")
		bob := person(s, "bob@example.com")
		bobID := bob.Get("/auth/me").Text("id")
		a := root.Get("/api/v1/roles").Want(200)
		for _, key := range []string{"super_admin", "manager", "internal", "jobseeker"} {
			if !strings.Contains(string(a.Body), `"key":"`+key+`"`) {
				t.Errorf("%s is missing: %s", key, a.Body)
			}
		}
		s.Records()
		root.Post("/api/v1/roles", m{"name": "Ünsupported"}).Want(422, "role_name_invalid")
		desk := root.Post("/api/v1/roles", m{"name": "Help desk", "permissions": []string{"sys:users:read"}}).Want(201)
		s.Events("global_role.created", "authorization.changed")
		root.Post("/api/v1/roles", m{"name": "help desk"}).Want(409, "role_taken")
		bob.Get("/api/v1/users").Want(403, "missing_permission")
		root.Do("PUT", "/api/v1/users/"+bobID+"/roles", m{"roles": []string{"help-desk", "manger"}}).Want(404, "role_not_found")
		root.Do("PUT", "/api/v1/users/"+bobID+"/roles", m{"roles": []string{"help-desk", "manager"}}).Want(200)
		s.Events("role.granted", "role.granted", "authorization.changed")
		bob.Get("/api/v1/users").Want(200)
		bob.Do("PATCH", "/api/v1/roles/help-desk", m{"name": "Mine"}).Want(403, "missing_permission")
		root.Do("PATCH", "/api/v1/roles/help-desk", m{"permissions": []string{}}).Want(412, "role_match_missing")
		root.Header.Set("If-Match", desk.Header.Get("ETag"))
		root.Do("PATCH", "/api/v1/roles/help-desk", m{"permissions": []string{}}).Want(200)
		bob.Get("/api/v1/users").Want(403, "missing_permission") // the very next request
		root.Do("PATCH", "/api/v1/roles/help-desk", m{"permissions": []string{"sys:users:read"}}).Want(412, "role_changed")
		root.Do("PATCH", "/api/v1/roles/super_admin", m{"name": "x"}).Want(409, "role_system")
		root.Do("DELETE", "/api/v1/roles/help-desk", nil).Want(409, "role_held")
		root.Do("PUT", "/api/v1/users/"+bobID+"/roles", m{"roles": []string{}}).Want(200)
		root.Do("DELETE", "/api/v1/roles/help-desk", nil).Want(204)
		root.Do("DELETE", "/api/v1/roles/help-desk", nil).Want(404, "role_not_found")
	})
}

// Whoever runs the site sees and changes people, but nobody above them; the last super_admin cannot be lost by any of it.
func TestUsersOverHTTP(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root, rootID := operator(s, "root@example.com")
		bob, carl := person(s, "bob@example.com"), person(s, "carl@example.com")
		bobID, carlID := bob.Get("/auth/me").Text("id"), carl.Get("/auth/me").Text("id")
		root.Post("/api/v1/roles", m{"name": "Desk", "permissions": []string{"sys:users:*", "sys:roles:assign"}}).Want(201)
		root.Do("PUT", "/api/v1/users/"+bobID+"/roles", m{"roles": []string{"desk"}}).Want(200)
		if a := bob.Get("/api/v1/users?limit=2").Want(200); len(a.JSON["items"].([]any)) != 2 || a.JSON["next_cursor"] == nil {
			t.Errorf("%s", a.Body)
		}
		if a := bob.Get("/api/v1/users?q=CARL@").Want(200); len(a.JSON["items"].([]any)) != 1 {
			t.Errorf("%s", a.Body)
		}
		bob.Get("/api/v1/users?cursor=x").Want(400, "cursor_invalid")
		bob.Get("/api/v1/users/usr_nobody").Want(404, "user_not_found")
		s.Records()
		bob.Do("PATCH", "/api/v1/users/"+carlID, m{"name": "Carl"}).Want(200)
		bob.Post("/api/v1/users/"+carlID+"/disable", nil).Want(200)
		s.Events("user.updated", "user.disabled", "session.revoked", "authorization.changed")
		carl.Get("/auth/me").Want(401)
		bob.Post("/api/v1/users/"+carlID+"/disable", nil).Want(200)
		s.Events()
		bob.Post("/api/v1/users/"+carlID+"/enable", nil).Want(200)
		carl.Post("/auth/login", m{"email": "carl@example.com", "password": pass}).Want(200)
		bob.Post("/api/v1/users/"+carlID+"/logout-all", nil).Want(200)
		carl.Get("/auth/me").Want(401)
		for what, a := range map[string]testkit.Answer{
			"disable":    bob.Post("/api/v1/users/"+rootID+"/disable", nil),
			"logout-all": bob.Post("/api/v1/users/"+rootID+"/logout-all", nil),
			"delete":     bob.Do("DELETE", "/api/v1/users/"+rootID, nil),
			"rename":     bob.Do("PATCH", "/api/v1/users/"+rootID, m{"name": "x"}),
			"roles":      bob.Do("PUT", "/api/v1/users/"+rootID+"/roles", m{"roles": []string{}}),
		} {
			if a.Status != 403 || a.JSON["code"] != "cannot_manage_higher" {
				t.Errorf("%s of somebody above: %d %s", what, a.Status, a.Body)
			}
		}
		bob.Do("PUT", "/api/v1/users/"+bobID+"/roles", m{"roles": []string{"desk", "super_admin"}}).Want(403, "cannot_grant_more")
		root.Do("PUT", "/api/v1/users/"+rootID+"/roles", m{"roles": []string{}}).Want(409, "last_super_admin")
		root.Post("/api/v1/users/"+rootID+"/disable", nil).Want(409, "last_super_admin")
		root.Do("DELETE", "/api/v1/users/"+rootID, nil).Want(409, "last_super_admin")
		bob.Do("DELETE", "/api/v1/users/"+carlID, nil).Want(204)
		bob.Get("/api/v1/users/" + carlID).Want(404)
	})
}

// Two super_admins who take the role from each other at once leave one.
func TestLastSuperAdminUnderConcurrency(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		a, aID := operator(s, "a@example.com")
		b, bID := operator(s, "b@example.com")
		clients, other := []*testkit.Client{a, b}, []string{bID, aID}
		together(8, func(i int) testkit.Answer {
			return clients[i%2].Do("PUT", "/api/v1/users/"+other[i%2]+"/roles", m{"roles": []string{}})
		})
		root, err := s.App().Authz.Root(t.Context())
		if err != nil || !root.HasSuperAdmin() {
			t.Errorf("nobody is left: %v", err)
		}
	})
}

// What the program and PERMISSIONS_FILE declare is there after each start, once, and a file that cannot be read says where.
func TestDeclaredAtStart(t *testing.T) {
	good := `{"permissions": [{"name": "jobs:post", "title": "Post a job"}], "roles": [{"name": "Partner", "permissions": ["jobs:*"]}]}`
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			cfg.Authz.File = file(t, "permissions.json", good)
			clock := testkit.NewClock()
			start := func() (*admit.Server, error) {
				return admit.New(t.Context(), cfg, admit.WithClock(clock.Now), admit.WithPermissions(admit.Permission{Name: "post_job"}))
			}
			var revision int64
			for n := range 3 {
				srv, err := start()
				if err != nil {
					t.Fatal(err)
				}
				root, err := srv.App().Authz.Root(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range []string{"jobs:post", "post_job"} {
					if _, known := root.Permission(name); !known {
						t.Errorf("%s is not declared", name)
					}
				}
				if err := root.KnownGlobal("partner"); err != nil {
					t.Error(err)
				}
				if n > 0 && root.Rev() != revision {
					t.Errorf("start %d changed something: %d, %d", n, root.Rev(), revision)
				}
				revision = root.Rev()
				if err := srv.Close(); err != nil {
					t.Error(err)
				}
			}
			for text, want := range map[string]string{
				"{\n\"permissions\": [\n{\"nam\": \"x\"}]}":                                       "line 3",
				`{"permissions": [{"name": "sys:x"}]}`:                                            "permission_reserved",
				`{"roles": [{"name": "Partner", "permissions": ["nothing"]}]}`:                    "unknown_permission",
				`{"permissions": [{"name":"jobs:post"}], "roles": [{"name": "P", "reach": "x"}]}`: "reach_invalid",
			} {
				cfg.Authz.File = file(t, "permissions.json", text)
				srv, err := start()
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %v", text, err)
				}
				if srv != nil {
					_ = srv.Close()
				}
			}
		})
	}
}

// A Casbin policy stands beside the roles: as a guard it only takes away, as a grant it may also give, and one that cannot be used
// is refused at the start with its line.
func TestCasbinByConfiguration(t *testing.T) {
	model := `[request_definition]
r = sub, dom, perm
[policy_definition]
p = sub, dom, perm
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.perm == p.perm
`
	setUp := func(mode, policy string) func(*admit.Config) {
		return func(c *admit.Config) {
			c.Authz.Engine, c.Authz.Mode = "casbin", mode
			c.Authz.CasbinModel, c.Authz.CasbinPolicy = file(t, "model.conf", model), file(t, "policy.csv", policy)
		}
	}
	world := func(s *testkit.Server) (jobs, other *testkit.Client) {
		declare(s, "post_job")
		url := s.Mount(protected(s))
		ann, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		acme := organization(ann, "Acme")
		join(s, ann, bob, acme, "bob@example.com", "member")
		ann.URL, bob.URL = url, url
		return ann, bob
	}
	testkit.Each(t, setUp("guard", "p, role:admin, *, post_job\n"), func(s *testkit.Server) {
		ann, bob := world(s)
		ann.Get("/api/v1/orgs/acme/members").Want(200)             // what is Admit's own is not the policy's
		ann.Post("/orgs/acme/jobs", nil).Want(403, "guard_failed") // the owner holds it, the policy knows admins only
		bob.Post("/orgs/acme/jobs", nil).Want(403, "missing_permission")
	})
	testkit.Each(t, setUp("grant", "p, role:member, *, post_job\n"), func(s *testkit.Server) {
		ann, bob := world(s)
		ann.Post("/orgs/acme/jobs", nil).Want(200)
		bob.Post("/orgs/acme/jobs", nil).Want(200)
		eve := person(s, "eve@example.com")
		eve.URL = ann.URL
		eve.Post("/orgs/acme/jobs", nil).Want(403, "not_a_member")
	})
	cfg := testkit.Config(t, testkit.DatabaseURL(t, "sqlite"))
	setUp("guard", "p, role:member, *, post_job\np, too, short\n")(&cfg)
	if srv, err := admit.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "policy.csv:2") && !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a bad policy: %v", err)
		if srv != nil {
			_ = srv.Close()
		}
	}
}

// A guard takes away what roles give, for everybody, and says why; lifting one is as good as a grant.
func TestGuardsOverHTTP(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		declare(s, "post_job")
		url := s.Mount(protected(s))
		root, _ := operator(s, "root@example.com")
		ann, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		acme := organization(ann, "Acme")
		ann.Post("/api/v1/orgs/"+acme+"/roles", m{"name": "Keeper", "permissions": []string{"sys:roles:update"}}).Want(201)
		join(s, ann, bob, acme, "bob@example.com", "keeper")
		jobs := *ann
		jobs.URL = url
		jobs.Post("/orgs/acme/jobs", nil).Want(200)
		ann.Post("/api/v1/orgs/acme/guards", m{"pattern": "post_job", "condition": "context.auth_age <"}).Want(422, "condition_invalid")
		s.Records()
		g := ann.Post("/api/v1/orgs/acme/guards", m{"pattern": "post_job", "condition": "context.auth_age < 900", "message": "Sign in again to post."}).Want(201)
		s.Events("org_guard.added", "authorization.changed")
		jobs.Post("/orgs/acme/jobs", nil).Want(200)
		s.Advance(901e9)
		jobs.Post("/orgs/acme/jobs", nil).Want(403, "reauthentication_required")
		bob.Do("DELETE", "/api/v1/orgs/acme/guards/"+g.Text("id"), nil).Want(403, "cannot_grant_more") // they do not hold post_job
		ann.Do("DELETE", "/api/v1/orgs/acme/guards/"+g.Text("id"), nil).Want(204)
		jobs.Post("/orgs/acme/jobs", nil).Want(200)
		everywhere := root.Post("/api/v1/guards", m{"pattern": "post_job", "condition": "false"}).Want(201)
		jobs.Post("/orgs/acme/jobs", nil).Want(403, "guard_failed")
		ann.Get("/api/v1/guards").Want(403)
		root.Do("DELETE", "/api/v1/guards/"+everywhere.Text("id"), nil).Want(204)
		root.Do("DELETE", "/api/v1/guards/"+everywhere.Text("id"), nil).Want(404, "global_guard_not_found")
	})
}
