package authz

import (
	"slices"
	"time"
)

// members judges everyone who came, went, was suspended or reinstated, or has other roles.
func (c *change) members() error {
	for user := range differing(&c.old.members, &c.next.members) {
		if err := c.member(user, c.old.members.find(user), c.next.members.find(user)); err != nil {
			return err
		}
	}
	return nil
}

func (c *change) member(user string, old, next *member) error {
	if old != nil && next != nil && sameMember(c.old, c.next, old, next) {
		return nil
	}
	var had, has []Assignment
	if old != nil {
		had = c.old.assignments(old)
	}
	if next != nil {
		has = c.next.assignments(next)
	}
	reinstated := old != nil && next != nil && old.suspended && !next.suspended
	suspended := old != nil && next != nil && !old.suspended && next.suspended
	gained, lost := without(has, had), without(had, has)
	if reinstated {
		gained = has
	}
	gives := false
	for _, a := range gained {
		i, _ := c.next.role(a.Role)
		r := c.next.roles[i]
		gives = gives || len(r.flat()) > 0
		if err := c.canGrant(r, r.flat()); err != nil {
			return err
		}
	}
	self := Caller{User: c.actor.User, Ceiling: c.actor.Ceiling}.Self(user)
	if old != nil && !self && (len(lost) > 0 || suspended || next == nil) {
		if err := c.canManage(user, old); err != nil {
			return err
		}
	}
	org := c.actor.Org != ""
	return c.needs(
		right{MembersInvite, org && old == nil},
		right{MembersRemove, org && next == nil && !self},
		right{MembersUpdate, org && (reinstated || suspended)},
		right{UsersDisable, !org && (reinstated || suspended || old == nil && next.suspended || next == nil && old.suspended)},
		right{RolesAssign, len(gained) > 0 && (gives || old != nil) || len(lost) > 0 && !self && (!org || next != nil)},
	)
}

type right struct {
	permission string
	asked      bool
}

// needs asks for the permissions that a change of a member needs. To leave, or to give up a role, needs none, and who joins
// with a role that gives nothing was only invited.
func (c *change) needs(rights ...right) error {
	for _, r := range rights {
		if r.asked {
			if err := c.need(r.permission); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameMember compares by the ids of roles: their places may differ.
func sameMember(s, next *space, a, b *member) bool {
	x, y := s.sets[a.set].roles, next.sets[b.set].roles
	if a.suspended != b.suspended || len(x) != len(y) || len(a.timed()) != len(b.timed()) {
		return false
	}
	for i := range x {
		if s.roles[x[i]].row.ID != next.roles[y[i]].row.ID {
			return false
		}
	}
	for i, t := range a.timed() {
		if u := b.timed()[i]; s.roles[t.role].row.ID != next.roles[u.role].row.ID || !t.until.Equal(u.until) {
			return false
		}
	}
	return true
}

// without is the assignments in a that b does not have for at least as long.
func without(a, b []Assignment) (list []Assignment) {
	for _, x := range a {
		if !slices.ContainsFunc(b, func(y Assignment) bool { return x.Role == y.Role && !longer(x.ExpiresAt, y.ExpiresAt) }) {
			list = append(list, x)
		}
	}
	return list
}

func longer(a, b *time.Time) bool { return b != nil && (a == nil || a.After(*b)) }
