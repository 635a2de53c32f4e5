package authz

import (
	"iter"
	"slices"
)

// AuthorizeChange is the one gate for every change of roles, members and guards, in a.Org or, with "", on the platform. It
// compares what holds before and after by its effects, so that it does not matter by which route a change comes:
// what anyone gains the actor must hold, whoever loses must not stand above the actor, and for each kind of change
// the actor needs the permission to make it. Everything is judged by the actor's rights before the change.
//
// Suspending an organization, changing the catalogue or the templates, and who may be an owner, is not judged here.
func AuthorizeChange(before, after *Root, a Actor) error {
	c := change{before: before, actor: a, held: before.Held(a), far: before.heldFar(a)}
	var err error
	if c.old, err = before.space(a.Org); err != nil {
		return err
	}
	if c.next, err = after.space(a.Org); err != nil {
		return err
	}
	if err := c.roles(); err != nil {
		return err
	}
	if err := c.guards(); err != nil {
		return err
	}
	return c.members()
}

type change struct {
	before    *Root
	old, next *space
	actor     Actor
	held      []Grant
	far       []Grant // of those, what counts in every organization
}

func (r *Root) space(org string) (*space, error) {
	if org == "" {
		return r.platform, nil
	}
	if s := r.orgs.find(org); s != nil {
		return *s, nil
	}
	return nil, ErrUnknownOrganization
}

// need refuses an actor who has no right to make this kind of change, whatever they hold.
func (c *change) need(permission string) error {
	d, err := c.before.Check(Query{Subject: c.actor.User, Permission: permission, Org: c.actor.Org, Now: c.actor.Now, Ceiling: c.actor.Ceiling, Context: c.actor.Context})
	if err != nil {
		return err
	}
	if !d.Allowed {
		return ErrPermissionRequired.Say("You need the permission " + permission + " for this.")
	}
	return nil
}

// roles judges roles that were made, changed or deleted. A change of a role is a change of everyone who holds it.
func (c *change) roles() error {
	if c.old == c.next {
		return nil
	}
	for _, r := range c.next.roles[c.next.templates:] {
		i, was := c.old.role(r.row.ID)
		var had []Grant
		right := RolesCreate
		if was {
			had, right = c.old.roles[i].flat(), RolesUpdate
			if sameRole(c.old.roles[i], r) {
				continue
			}
		}
		if err := c.need(right); err != nil {
			return err
		}
		wider := was && r.row.Reach == ReachAllOrgs && c.old.roles[i].row.Reach != ReachAllOrgs
		if wider {
			had = nil // it gives in places where it gave nothing
		}
		added := slices.DeleteFunc(r.flat(), func(g Grant) bool { return CoversGrant(had, g) })
		if err := c.canGrant(r, added); err != nil {
			return err
		}
		if was && (!CoversAll(r.flat(), had) || r.row.Reach != c.old.roles[i].row.Reach) {
			if err := c.below(i); err != nil {
				return err
			}
		}
	}
	for i, r := range c.old.roles {
		if _, is := c.next.role(r.row.ID); is {
			continue
		}
		if err := c.need(RolesDelete); err != nil {
			return err
		}
		if err := c.below(uint32(i)); err != nil {
			return err
		}
	}
	return nil
}

func sameRole(a, b *role) bool {
	x, y := a.row, b.row
	return a == b || x.Key == y.Key && x.Name == y.Name && x.Base == y.Base && x.Reach == y.Reach && x.System == y.System && slices.Equal(a.flat(), b.flat())
}

// below refuses to take from a role that somebody higher than the actor holds.
func (c *change) below(role uint32) error {
	for user, m := range c.old.members.all() {
		holds := m.in(c.old, role) || slices.ContainsFunc(m.timed(), func(t timedRole) bool { return t.role == role })
		if holds && user != c.actor.User {
			if err := c.canManage(user, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// canGrant refuses to give grants by a role. What counts in every organization must be held in every organization.
func (c *change) canGrant(r *role, added []Grant) error {
	if r.row.Reach == ReachAllOrgs {
		return CanGrant(c.far, added)
	}
	return CanGrant(c.held, added)
}

// canManage compares with all that a member is, suspended or not, ended or not, and not with what they may do now.
func (c *change) canManage(user string, m *member) error {
	for r := range c.old.every(m) {
		held := c.held
		if r.row.Reach == ReachAllOrgs {
			held = c.far
		}
		if err := CanManage(held, r.flat()); err != nil {
			return err
		}
	}
	if u := c.before.platform.members.find(user); u != nil && c.actor.Org != "" {
		for r := range c.before.platform.every(u) {
			if r.row.Reach == ReachAllOrgs && !CoversAll(c.held, r.flat()) {
				return ErrCannotManageHigher
			}
		}
	}
	return nil
}

func (s *space) every(m *member) iter.Seq[*role] {
	return func(yield func(*role) bool) {
		for _, i := range s.sets[m.set].roles {
			if !yield(s.roles[i]) {
				return
			}
		}
		for _, t := range m.timed() {
			if !yield(s.roles[t.role]) {
				return
			}
		}
	}
}

func (c *change) guards() error {
	before, after := c.old.guardRows(), c.next.guardRows()
	if slices.Equal(before, after) {
		return nil
	}
	if err := c.need(RolesUpdate); err != nil {
		return err
	}
	return CanWeaken(c.held, before, after)
}
