package casbinengine

import (
	"fmt"
	"slices"

	"github.com/casbin/casbin/v3/rbac"
	defaultrolemanager "github.com/casbin/casbin/v3/rbac/default-role-manager"

	"github.com/admit-dev/admit/internal/authz"
)

// roles answers the g of a matcher: from the revision that is asked, and then along the links of the policy. It stands in for
// the function Casbin would make, which remembers its answers as long as the compiled matcher lives.
type roles struct {
	links   rbac.RoleManager // nil when the policy has none
	own     bool             // it is g, which knows the roles of subjects; g2 and so on are links alone
	subject string
	held    []string
}

func (r *roles) ask(v authz.View, q authz.Query) {
	r.subject, r.held = user(q.Subject), nil
	if !r.own {
		return
	}
	for _, key := range v.RolesOf(q.Subject, q.Org, q.Now) {
		r.held = append(r.held, role(key))
	}
}

func (r *roles) add(fields []string) error {
	if r.links == nil {
		r.links = defaultrolemanager.NewRoleManager(10)
	}
	return r.links.AddLink(fields[0], fields[1], fields[2:]...)
}

// call is g(name, of) or g(name, of, domain).
func (r *roles) call(args ...any) (any, error) {
	texts := make([]string, len(args))
	for i, a := range args {
		s, ok := a.(string)
		if !ok {
			return false, fmt.Errorf("g is asked about %T, and knows names only", a)
		}
		texts[i] = s
	}
	if len(texts) < 2 {
		return false, fmt.Errorf("g needs two names, it was given %d", len(texts))
	}
	return r.has(texts[0], texts[1], texts[2:]...)
}

// has reports whether name is, holds, or inherits of. Users and roles have different prefixes, so that no name is both.
func (r *roles) has(name, of string, domain ...string) (bool, error) {
	mine := name == r.subject
	if name == of || mine && slices.Contains(r.held, of) {
		return true, nil
	}
	if r.links == nil {
		return false, nil
	}
	names := []string{name}
	if mine {
		names = append(names, r.held...)
	}
	for _, n := range names {
		if ok, err := r.links.HasLink(n, of, domain...); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
