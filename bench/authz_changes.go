package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/org"
)

// authzChanges is what a change costs in an organization of a usual and of an unusual size, among 1,000 organizations.
func (b *bench) authzChanges() error {
	for _, c := range []struct {
		size  int
		limit float64
	}{{200, 25}, {100_000, 50}} {
		t := newTown(1000, false)
		o := &t.orgs[0]
		o.Members = nil
		for i := range c.size {
			o.Members = append(o.Members, authz.Member{User: userID(i), Roles: []authz.Assignment{{Role: o.Roles[i%roleCount].ID}}})
		}
		root, err := authz.Compile(1, t.platform, t.orgs)
		if err != nil {
			return err
		}
		i := 0
		member, err := b.each(func() error {
			i++
			_, err := root.WithMembers(2, o.ID, []authz.Member{{User: userID(i * 7919 % c.size), Roles: []authz.Assignment{{Role: o.Roles[i%roleCount].ID}}}}, nil)
			return err
		})
		if err != nil {
			return err
		}
		edited := *o
		edited.Roles = slices.Clone(o.Roles)
		edited.Roles[3].Grants = edited.Roles[3].Grants[1:]
		role, err := b.each(func() error {
			_, err := root.With(2, nil, []authz.OrgRows{edited}, nil)
			return err
		})
		if err != nil {
			return err
		}
		b.access.change(fmt.Sprintf("a member of an organization of %d is given other roles", c.size), most("CPU", member, c.limit, "µs"))
		b.access.change(fmt.Sprintf("a role is edited in an organization of %d", c.size), plain("CPU", role, "µs"))
	}
	return nil
}

func (a *access) change(name string, checks ...check) {
	r := result{Name: name}
	for _, c := range checks {
		r.Checks = append(r.Checks, c.judge(nil))
	}
	a.Changes = append(a.Changes, r)
}

// each is the CPU time of one call in µs: the median of samples.
func (b *bench) each(f func() error) (float64, error) {
	var samples []float64
	for range b.pairs {
		var n int
		start := cpu()
		for began := time.Now(); n == 0 || time.Since(began) < b.sample/5; n++ {
			if err := f(); err != nil {
				return 0, err
			}
		}
		samples = append(samples, float64((cpu()-start).Nanoseconds())/1e3/float64(n))
	}
	return median(samples), nil
}

// authzServer is a role that an owner gives and takes, through the server with its database on disk: how long until it is
// answered, after which it is in force, which is looked at each time.
func (b *bench) authzServer() error {
	srv, ids, err := b.office(200)
	if err != nil {
		return err
	}
	defer srv.Close()
	app, owner := srv.App(), authz.Caller{User: ids[0]}
	acme, err := app.Orgs.Create(b.ctx, authz.System, org.New{Name: "Acme", Owner: owner.User})
	if err != nil {
		return err
	}
	name, grants := "Poster", []string{postName}
	poster, err := app.Orgs.CreateRole(b.ctx, owner, acme.ID, org.RoleEdit{Name: &name, Permissions: &grants})
	if err != nil {
		return err
	}
	var took []float64
	for i, id := range ids[1:] {
		if _, err := app.Orgs.Add(b.ctx, owner, acme.ID, id, nil); err != nil {
			return err
		}
		for j, roles := range [][]string{{poster.ID}, nil} {
			began := time.Now()
			if _, err := app.Orgs.SetRoles(b.ctx, owner, acme.ID, id, roles, nil); err != nil {
				return err
			}
			root, err := app.Authz.Root(b.ctx)
			if err != nil {
				return err
			}
			d, err := root.Check(authz.Query{Subject: id, Org: acme.ID, Permission: postName})
			took = append(took, float64(time.Since(began).Microseconds())/1e3)
			if err != nil || d.Allowed != (j == 0) {
				return fmt.Errorf("change %d is not in force when it is answered: %v, %v", i, d, err)
			}
		}
	}
	slices.Sort(took)
	b.access.change("a role is given or taken over the server, SQLite, until it is in force",
		plain("p50", took[len(took)/2], "ms"), plain("p99", took[len(took)*99/100], "ms"), plain("changes", float64(len(took)), ""))
	return nil
}

const postName = "jobs:post"

// office is a server in this process with so many people.
func (b *bench) office(people int) (*admit.Server, []string, error) {
	dir, err := b.dataDir()
	if err != nil {
		return nil, nil, err
	}
	cfg := admit.DefaultConfig()
	cfg.Database.URL, cfg.Server.DataDir = "sqlite:///"+filepath.Join(dir, "admit.db"), dir
	if err := seed(b.ctx, cfg.Database.URL, people); err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.DiscardHandler)
	srv, err := admit.New(b.ctx, cfg, admit.WithLogger(log), admit.WithPermissions(admit.Permission{Name: postName}))
	if err != nil {
		return nil, nil, err
	}
	ids, err := database.All[string](b.ctx, srv.App().DB, `SELECT id FROM users ORDER BY id`)
	if err != nil {
		return nil, nil, errors.Join(err, srv.Close())
	}
	return srv, ids, nil
}
