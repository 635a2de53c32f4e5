package e2e_test

import (
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
