package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/testkit"
)

// Invariants 3, 28 and 33: while several servers change roles and members of the same organizations and others ask, every
// answer is of one revision, a change holds for whoever asks after it, revisions leave nothing out, and what each server has in
// memory in the end is what it would read anew.
func TestRolesChangeWhileOthersAsk(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			clock := testkit.NewClock()
			servers := []*testkit.Server{testkit.Start(t, cfg, clock), testkit.Start(t, cfg, clock)}
			s := servers[0]
			declare(s, "jobs:post", "jobs:read", "jobs:close")
			ann := person(s, "ann@example.com")
			var orgs []string
			for i := range 3 {
				orgs = append(orgs, organization(ann, fmt.Sprint("Org ", i)))
				ann.Post("/api/v1/orgs/"+orgs[i]+"/roles", m{"name": "Turn", "permissions": []string{}}).Want(201)
			}
			for _, s := range servers { // each has heard of what was declared at the other
				if err := s.App().Authz.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			turn(t, servers, orgs, ann.Get("/auth/me").Text("id"))
			for i, s := range servers {
				if err := s.App().Authz.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				kept, err := s.App().Authz.Root(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				anew, err := testkit.Start(t, cfg, clock).App().Authz.Root(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, id := range orgs {
					a, _ := kept.OrgRows(id)
					b, _ := anew.OrgRows(id)
					if kept.Rev() != anew.Rev() || !reflect.DeepEqual(a, b) || !reflect.DeepEqual(kept.PlatformRows(), anew.PlatformRows()) {
						t.Errorf("server %d at %d holds\n%+v\nthe store at %d\n%+v", i, kept.Rev(), a, anew.Rev(), b)
					}
				}
			}
		})
	}
}

// turn gives and takes permissions of roles on all servers at once. Each editor has a permission of its own and asks for it
// right after each change.
func turn(t *testing.T, servers []*testkit.Server, orgs []string, owner string) {
	var editors, askers sync.WaitGroup
	var stop atomic.Bool
	for i := range 6 {
		s, id := servers[i%2].App(), orgs[i%3]
		name := fmt.Sprintf("Role %d", i)
		member := person(servers[0], fmt.Sprintf("m%d@example.com", i)).Get("/auth/me").Text("id")
		editors.Go(func() {
			r, err := s.Orgs.CreateRole(t.Context(), authz.Caller{User: owner}, id, org.RoleEdit{Name: &name, Permissions: &[]string{}})
			if err == nil {
				_, err = s.Orgs.Add(t.Context(), authz.System, id, member, []string{r.ID})
			}
			for n := range 12 {
				if err != nil {
					t.Error(err)
					return
				}
				held := n%2 == 0
				grants := []string{}
				if held {
					grants = []string{"jobs:post"}
				}
				if _, err = s.Orgs.UpdateRole(t.Context(), authz.Caller{User: owner}, id, r.ID, org.RoleEdit{Permissions: &grants, IfMatch: "*"}); err != nil {
					continue
				}
				var root *authz.Root
				if root, err = s.Authz.Root(t.Context()); err != nil {
					continue
				}
				if d, _ := root.Check(authz.Query{Subject: member, Permission: "jobs:post", Org: id, Now: s.DB.Now()}); d.Allowed != held {
					t.Errorf("asked right after the change: %+v, want %v", d, held)
				}
			}
		})
		askers.Go(func() {
			last := int64(0)
			for !stop.Load() {
				root, err := s.Authz.Root(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				a, _ := root.Check(authz.Query{Subject: owner, Permission: "jobs:post", Org: id, Now: s.DB.Now()})
				if !a.Allowed || a.Rev != root.Rev() || a.Rev < last {
					t.Errorf("%+v after %d", a, last)
					return
				}
				last = a.Rev
			}
		})
	}
	editors.Wait()
	stop.Store(true)
	askers.Wait()
}

// A change on one server is what another answers by, as soon as it is asked for at least that revision, and otherwise within a
// second: its memory is never trusted longer than it hears from the store.
func TestChangeIsHeardElsewhere(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			clock := testkit.NewClock()
			a, b := testkit.Start(t, cfg, clock), testkit.Start(t, cfg, clock)
			declare(a, "post_job")
			there := b.Mount(protected(b))
			ann := person(a, "ann@example.com")
			acme := organization(ann, "Acme")
			ann.URL = there
			for try := 0; ; try++ { // it may be asked before it has heard; every try asks the store or is newer
				if ann.Post("/orgs/"+acme+"/jobs", nil).Status == http.StatusOK {
					break
				}
				if try > 1_000_000 {
					t.Fatal("the other server does not hear of it")
				}
			}
			root, err := a.App().Authz.Root(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.App().Authz.RootAtLeast(t.Context(), a.App().Authz.Revision(root)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Roles that several give one member at once are all held: none is lost because another was read before it. Who gives one is
// judged as by every other route.
func TestRolesGivenAtOnce(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		acme := organization(ann, "Acme")
		join(s, ann, bob, acme, "bob@example.com", "admin")
		owner, admin := authz.Caller{User: ann.Get("/auth/me").Text("id")}, authz.Caller{User: bob.Get("/auth/me").Text("id")}
		orgs := s.App().Orgs
		var roles []string
		for i := range 8 {
			name := fmt.Sprint("Role ", i)
			r, err := orgs.CreateRole(s.Context(), owner, acme, org.RoleEdit{Name: &name})
			if err != nil {
				s.Fatal(err)
			}
			roles = append(roles, r.Key)
		}
		every := func(do func(role string) error) (held int) {
			s.Helper()
			var all sync.WaitGroup
			for _, r := range roles {
				all.Go(func() {
					if err := do(r); err != nil {
						s.Error(err)
					}
				})
			}
			all.Wait()
			m, err := orgs.Member(s.Context(), owner, acme, admin.User)
			if err != nil {
				s.Error(err)
			}
			return len(m.Roles)
		}
		if n := every(func(r string) error {
			_, err := orgs.GrantRole(s.Context(), owner, acme, admin.User, r, nil)
			return err
		}); n != 9 {
			s.Errorf("%d roles of 9 are held", n)
		}
		if n := every(func(r string) error { _, err := orgs.RevokeRole(s.Context(), owner, acme, admin.User, r); return err }); n != 1 {
			s.Errorf("%d roles of 1 are held", n)
		}
		if _, err := orgs.GrantRole(s.Context(), admin, acme, admin.User, authz.Owner, nil); !errors.Is(err, authz.ErrCannotGrantMore) {
			s.Error("an admin makes themself owner", err)
		}
		if _, err := orgs.RevokeRole(s.Context(), admin, acme, owner.User, authz.Owner); !errors.Is(err, authz.ErrCannotManageHigher) {
			s.Error("an admin takes the role of the owner", err)
		}
		if err := s.App().Authz.Undeclare(s.Context(), admin, "sys:users:read", true); !errors.Is(err, authz.ErrPermissionRequired) {
			s.Error("an admin of an organization changes the catalogue", err)
		}
	})
}
