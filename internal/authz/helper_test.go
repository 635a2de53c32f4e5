package authz_test

import (
	"errors"
	"fmt"

	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/admit-dev/admit/internal/authz"
)

func is(err, target error) bool { return errors.Is(err, target) }

func same(t interface{ Fatalf(string, ...any) }, want, got []bool) {
	if !slices.Equal(want, got) {
		t.Fatalf("the decisions differ")
	}
}

// clone copies a world deeply, as far as tests change it.
func clone(w world) world {
	roles := func(list []authz.Role) []authz.Role {
		list = slices.Clone(list)
		for i := range list {
			list[i].Grants = slices.Clone(list[i].Grants)
		}
		return list
	}
	w.P.Permissions, w.P.Guards, w.P.Users = slices.Clone(w.P.Permissions), slices.Clone(w.P.Guards), slices.Clone(w.P.Users)
	w.P.Templates, w.P.Globals = roles(w.P.Templates), roles(w.P.Globals)
	for i := range w.P.Users {
		w.P.Users[i].Roles = slices.Clone(w.P.Users[i].Roles)
	}
	w.Orgs = slices.Clone(w.Orgs)
	for i := range w.Orgs {
		o := &w.Orgs[i]
		o.Roles, o.Guards, o.Members = roles(o.Roles), slices.Clone(o.Guards), slices.Clone(o.Members)
		for j := range o.Members {
			o.Members[j].Roles = slices.Clone(o.Members[j].Roles)
		}
	}
	return w
}

// addGrant gives somebody a role, or a role a grant.
func addGrant(t *rapid.T, w *world) bool {
	var grants []*[]authz.Grant
	var roles []func()
	add := func(list []authz.Role) {
		for i := range list {
			grants = append(grants, &list[i].Grants)
		}
	}
	add(w.P.Templates)
	add(w.P.Globals)
	for i := range w.P.Users {
		for _, r := range w.P.Globals {
			roles = append(roles, func() { w.P.Users[i].Roles = append(w.P.Users[i].Roles, authz.Assignment{Role: r.ID}) })
		}
	}
	for i := range w.Orgs {
		o := &w.Orgs[i]
		add(o.Roles)
		for j := range o.Members {
			for _, r := range slices.Concat(w.P.Templates, o.Roles) {
				roles = append(roles, func() { o.Members[j].Roles = append(o.Members[j].Roles, authz.Assignment{Role: r.ID}) })
			}
		}
	}
	switch {
	case len(roles) > 0 && (len(grants) == 0 || rapid.Bool().Draw(t, "role")):
		rapid.SampledFrom(roles).Draw(t, "which")()
	case len(grants) > 0:
		list := rapid.SampledFrom(grants).Draw(t, "which")
		*list = append(*list, authz.Grant{Pattern: rapid.SampledFrom(patterns).Draw(t, "pattern")})
	default:
		return false
	}
	return true
}

func shuffled(t *rapid.T, w world) world {
	w = clone(w)
	w.P.Permissions = rapid.Permutation(w.P.Permissions).Draw(t, "permissions")
	w.P.Templates = rapid.Permutation(w.P.Templates).Draw(t, "templates")
	w.P.Globals = rapid.Permutation(w.P.Globals).Draw(t, "globals")
	w.P.Guards = rapid.Permutation(w.P.Guards).Draw(t, "guards")
	w.P.Users = rapid.Permutation(w.P.Users).Draw(t, "users")
	w.Orgs = rapid.Permutation(w.Orgs).Draw(t, "orgs")
	for i := range w.Orgs {
		o := &w.Orgs[i]
		o.Roles = rapid.Permutation(o.Roles).Draw(t, "roles")
		o.Guards = rapid.Permutation(o.Guards).Draw(t, "guards")
		o.Members = rapid.Permutation(o.Members).Draw(t, "members")
		for j := range o.Members {
			o.Members[j].Roles = rapid.Permutation(o.Members[j].Roles).Draw(t, "assignments")
		}
		for j := range o.Roles {
			o.Roles[j].Grants = rapid.Permutation(o.Roles[j].Grants).Draw(t, "grants")
		}
	}
	return w
}

func isMember(w world, q authz.Query) bool {
	return slices.ContainsFunc(w.Orgs, func(o authz.OrgRows) bool {
		return o.ID == q.Org && slices.ContainsFunc(o.Members, func(m authz.Member) bool { return m.User == q.Subject })
	})
}

func disable(w *world, user string) {
	for i := range w.P.Users {
		if w.P.Users[i].User == user {
			w.P.Users[i].Disabled = true
			return
		}
	}
	w.P.Users = append(w.P.Users, authz.GlobalUser{User: user, Disabled: true})
}

func suspendOrg(w *world, org string) {
	for i := range w.Orgs {
		w.Orgs[i].Suspended = w.Orgs[i].Suspended || w.Orgs[i].ID == org
	}
}

func suspendMember(w *world, user, org string) {
	for i := range w.Orgs {
		for j := range w.Orgs[i].Members {
			if m := &w.Orgs[i].Members[j]; w.Orgs[i].ID == org && m.User == user {
				m.Suspended = true
			}
		}
	}
}

func userDisabled(w world, user string) bool {
	return slices.ContainsFunc(w.P.Users, func(u authz.GlobalUser) bool { return u.User == user && u.Disabled })
}

func orgSuspended(w world, org string) bool {
	return slices.ContainsFunc(w.Orgs, func(o authz.OrgRows) bool { return o.ID == org && o.Suspended })
}

func memberSuspended(w world, q authz.Query) bool {
	for _, o := range w.Orgs {
		for _, m := range o.Members {
			if o.ID == q.Org && m.User == q.Subject && m.Suspended {
				return true
			}
		}
	}
	return false
}

func viaGlobal(t interface{ Fatal(...any) }, r *authz.Root, q authz.Query) bool {
	e, err := r.Explain(q)
	if err != nil {
		t.Fatal(err)
	}
	return !slices.ContainsFunc(e.GrantedBy, func(p authz.Path) bool { return p.Scope != authz.ScopeGlobal })
}

func contains(s, part string) bool { return strings.Contains(s, part) }

func text(v any) string { return fmt.Sprintf("%+v", v) }
