package authz

import (
	"slices"
	"time"
)

// Actor is who wants to change something, and where. Org is "" on the platform.
type Actor struct {
	User    string
	Org     string
	Now     time.Time
	Ceiling *Ceiling       // of the credential they use
	Context map[string]any // for guards and conditions on the right to make the change
}

// CoversGrant reports whether one of held is at least as wide as g, and unconditional or under the very same condition.
func CoversGrant(held []Grant, g Grant) bool {
	return slices.ContainsFunc(held, func(h Grant) bool {
		return Covers(Pattern{h.Pattern}, Pattern{g.Pattern}) && (h.Condition == "" || h.Condition == g.Condition)
	})
}

// CoversAll reports whether whoever holds held could give every one of grants.
func CoversAll(held, grants []Grant) bool {
	return !slices.ContainsFunc(grants, func(g Grant) bool { return !CoversGrant(held, g) })
}

// CanGrant refuses to give what one does not hold. Patterns are compared and not what they match today, so what is declared
// tomorrow is nobody's by accident.
func CanGrant(held, added []Grant) error {
	for _, g := range added {
		if !CoversGrant(held, g) {
			what := g.Pattern
			if g.Condition != "" {
				what += " if " + g.Condition
			}
			return ErrCannotGrantMore.Say("You can only give what you hold yourself. You do not hold " + what + ".")
		}
	}
	return nil
}

// CanManage refuses to change somebody who holds what one does not.
func CanManage(held, target []Grant) error {
	if !CoversAll(held, target) {
		return ErrCannotManageHigher
	}
	return nil
}

// CanWeaken refuses to take away or relax a guard over what one does not hold: to those affected it is as good as a grant.
func CanWeaken(held []Grant, before, after []Guard) error {
	for _, g := range before {
		kept := slices.ContainsFunc(after, func(a Guard) bool {
			return a.Condition == g.Condition && Covers(Pattern{a.Pattern}, Pattern{g.Pattern})
		})
		if !kept && !CoversGrant(held, Grant{Pattern: g.Pattern}) {
			return ErrCannotGrantMore.Say("You can only lift a guard over what you hold yourself. You do not hold " + g.Pattern + ".")
		}
	}
	return nil
}

// Holds is every grant that counts for a user in an organization, or on the platform: what they could give at most. Who is
// disabled or suspended holds nothing.
func (r *Root) Holds(user, org string, now time.Time) []Grant {
	at, code := r.locate(&Query{Subject: user, Org: org}, -1)
	if code != "" {
		return nil
	}
	var list []Grant
	for role := range r.held(at, now) {
		list = append(list, role.flat()...)
	}
	return list
}

// flat is what a role gives, with what its base gives.
func (r *role) flat() []Grant {
	list := r.rows().Grants
	if r.base != nil {
		list = append(list, r.base.rows().Grants...)
	}
	return list
}

// RoleGrants is what roles of an organization, or global ones, give together. A role that is not there gives an error.
func (r *Root) RoleGrants(org string, ids []string) ([]Grant, error) {
	s := r.platform
	if org != "" {
		found := r.orgs.find(org)
		if found == nil {
			return nil, ErrUnknownOrganization
		}
		s = *found
	}
	var list []Grant
	for _, id := range ids {
		i, ok := s.role(id)
		if !ok {
			return nil, ErrRoleUnknown
		}
		list = append(list, s.roles[i].flat()...)
	}
	return list, nil
}

// Held is what the actor may hand on: what they hold, no wider than their credential.
func (r *Root) Held(a Actor) []Grant {
	return r.under(a, func(user string) []Grant { return r.Holds(user, a.Org, a.Now) })
}

// heldFar is Held, of the global roles alone that count in every organization.
func (r *Root) heldFar(a Actor) []Grant {
	if a.Ceiling != nil && a.Ceiling.Org != "" {
		return nil
	}
	return r.under(a, func(user string) []Grant {
		var list []Grant
		if m := r.platform.members.find(user); m != nil && !m.suspended {
			r.platform.each(m, a.Now, true, true, func(role *role, _ holding) bool {
				list = append(list, role.flat()...)
				return true
			})
		}
		return list
	})
}

// under keeps of what holds gives only what the actor's credential lets through.
func (r *Root) under(a Actor, holds func(user string) []Grant) []Grant {
	held := holds(a.User)
	if a.Ceiling == nil {
		return held
	}
	if a.Ceiling.Org != "" && a.Ceiling.Org != a.Org {
		return nil
	}
	if a.Ceiling.Patterns != nil || a.Ceiling.Actor == "" {
		held = meet(held, grants(texts(a.Ceiling.Patterns)))
	}
	if a.Ceiling.Actor != "" && a.Ceiling.Actor != a.User {
		held = meet(held, holds(a.Ceiling.Actor))
	}
	return held
}

// meet is what both lists give, as far as patterns can say it: of two that overlap one covers the other.
func meet(a, b []Grant) []Grant {
	var both []Grant
	for _, x := range a {
		for _, y := range b {
			switch {
			case CoversGrant([]Grant{y}, x):
				both = append(both, x)
			case CoversGrant([]Grant{x}, y):
				both = append(both, y)
			}
		}
	}
	return both
}

func texts(patterns []Pattern) []string {
	list := make([]string, len(patterns))
	for i, p := range patterns {
		list[i] = p.text
	}
	return list
}

// HasOwner reports whether an organization has an active owner, by a role that does not end.
func (r *Root) HasOwner(org string) bool {
	found := r.orgs.find(org)
	if found == nil {
		return false
	}
	return (*found).anyHolds(Owner, func(user string) bool {
		u := r.platform.members.find(user)
		return u == nil || !u.suspended
	})
}

// HasSuperAdmin reports whether there is an active super_admin, by a role that does not end.
func (r *Root) HasSuperAdmin() bool {
	return r.platform.anyHolds(SuperAdmin, func(string) bool { return true })
}

func (s *space) anyHolds(role string, active func(user string) bool) bool {
	i, ok := s.role(role)
	if !ok {
		return false
	}
	for user, m := range s.members.all() {
		if !m.suspended && m.in(s, i) && active(user) {
			return true
		}
	}
	return false
}
