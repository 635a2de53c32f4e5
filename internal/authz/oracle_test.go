package authz_test

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/authz"
)

// world is the rows, and all that the oracle knows.
type world struct {
	P    authz.PlatformRows
	Orgs []authz.OrgRows
}

var errUndeclared = errors.New("undeclared")

// oracle answers as the model is written, by loops over rows:
//
//	active(subject), active(org), known(permission), scope_ok, some grant, every guard, the ceiling.
func oracle(w world, q authz.Query) (bool, error) {
	permission, names := authz.Permission{}, []string{}
	for _, p := range w.P.Permissions {
		if p.Name == q.Permission {
			permission = p
		}
	}
	if permission.Name == "" {
		return false, errUndeclared
	}
	for _, p := range w.P.Permissions { // an alias is asked as what it stands for
		if p.Name == permission.AliasOf {
			permission = p
			break
		}
	}
	for _, p := range w.P.Permissions {
		if p.Name == permission.Name || p.AliasOf == permission.Name {
			names = append(names, p.Name)
		}
	}
	if permission.Scope == authz.ScopeGlobal && q.Org != "" || permission.Scope == authz.ScopeOrg && q.Org == "" {
		return false, nil
	}
	for _, u := range w.P.Users {
		if u.User == q.Subject && u.Disabled {
			return false, nil
		}
	}
	org, known := authz.OrgRows{}, false
	for _, o := range w.Orgs {
		if o.ID == q.Org {
			org, known = o, true
		}
	}
	if q.Org != "" && (!known || org.Suspended) {
		return false, nil
	}
	roles, keys := oracleRoles(w, org, q)
	granted := false
	for _, g := range roles {
		granted = granted || matchesAny(g.Pattern, names) && holds(g.Condition, q, keys)
	}
	for _, g := range slices.Concat(w.P.Guards, org.Guards) {
		if matchesAny(g.Pattern, names) && !holds(g.Condition, q, keys) {
			return false, nil
		}
	}
	return granted && oracleCeiling(w, q, names), nil
}

func oracleCeiling(w world, q authz.Query, names []string) bool {
	if q.Ceiling == nil {
		return true
	}
	below := q.Ceiling.Patterns == nil && q.Ceiling.Actor != ""
	for _, p := range q.Ceiling.Patterns {
		below = below || matchesAny(p.String(), names)
	}
	below = below && (q.Ceiling.Org == "" || q.Ceiling.Org == q.Org)
	if below && q.Ceiling.Actor != "" && q.Ceiling.Actor != q.Subject {
		q.Subject, q.Ceiling = q.Ceiling.Actor, nil
		below, _ = oracle(w, q)
	}
	return below
}

// oracleRoles is the grants that count, and what conditions see of the roles.
func oracleRoles(w world, org authz.OrgRows, q authz.Query) (grants []authz.Grant, keys []string) {
	for _, u := range w.P.Users {
		for _, a := range u.Roles {
			for _, r := range w.P.Globals {
				if u.User == q.Subject && r.ID == a.Role && current(a, q.Now) && (q.Org == "" || r.Reach == authz.ReachAllOrgs) {
					grants, keys = append(grants, r.Grants...), append(keys, "global:"+r.Key)
				}
			}
		}
	}
	for _, m := range org.Members {
		for _, a := range m.Roles {
			for _, r := range slices.Concat(w.P.Templates, org.Roles) {
				if m.User != q.Subject || m.Suspended || r.ID != a.Role || !current(a, q.Now) {
					continue
				}
				grants, keys = append(grants, r.Grants...), append(keys, r.Key)
				for _, base := range w.P.Templates {
					if base.ID == r.Base {
						grants = append(grants, base.Grants...)
					}
				}
			}
		}
	}
	return grants, keys
}

func current(a authz.Assignment, now time.Time) bool {
	return a.ExpiresAt == nil || !now.IsZero() && now.Before(*a.ExpiresAt)
}

func matchesAny(pattern string, names []string) bool {
	for _, name := range names {
		if matches(strings.Split(pattern, ":"), strings.Split(name, ":")) {
			return true
		}
	}
	return false
}

func matches(pattern, name []string) bool {
	if pattern[len(pattern)-1] != "*" {
		return slices.Equal(pattern, name)
	}
	if len(pattern) == 1 {
		return !(name[0] == "sys" && len(name) > 1)
	}
	return len(name) >= len(pattern) && slices.Equal(pattern[:len(pattern)-1], name[:len(pattern)-1])
}

// conditions is the conditions worlds use, and what they mean. What is missing or of the wrong type is a no.
var conditions = map[string]func(q authz.Query, roles []string) bool{
	"resource.owner == subject.id": func(q authz.Query, _ []string) bool { return q.Resource["owner"] == any(q.Subject) },
	"context.mfa_age < 900":        func(q authz.Query, _ []string) bool { age, ok := q.Context["mfa_age"].(int); return ok && age < 900 },
	`"editor" in subject.roles`:    func(_ authz.Query, roles []string) bool { return slices.Contains(roles, "editor") },
	`org.id == "o1"`:               func(q authz.Query, _ []string) bool { return q.Org == "o1" },
	`"global:boss" in subject.roles || context.ok == true`: func(q authz.Query, roles []string) bool {
		return slices.Contains(roles, "global:boss") || q.Context["ok"] == any(true)
	},
	`now < timestamp("2031-01-01T00:10:00Z")`: func(q authz.Query, _ []string) bool {
		return !q.Now.IsZero() && q.Now.Before(time.Date(2031, 1, 1, 0, 10, 0, 0, time.UTC))
	},
}

func holds(condition string, q authz.Query, roles []string) bool {
	return condition == "" || conditions[condition](q, roles)
}
