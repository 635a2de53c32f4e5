package org

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/user"
)

// Whom is which members are looked for: every part that is given must fit.
type Whom struct {
	Text string // a part of a name, or how an e-mail address or a username begins; or an id
	Role string // the id or the key of a role
}

// Members is who belongs to an organization, the first who joined first.
func (s *Service) Members(ctx context.Context, c authz.Caller, ref string, w Whom, after string, limit int) (p Page[Member], err error) {
	o, err := s.reading(ctx, c, ref, "sys:members:read")
	if err != nil {
		return p, err
	}
	err = s.db.Read(ctx, o.ID, func(q database.Querier) error {
		list, err := listMembers(ctx, q, o.ID, w, after, limit+1)
		p = page(list, limit, func(m Member) string { return m.ID })
		return err
	})
	return p, err
}

// Member is one of them. Everybody may see themself.
func (s *Service) Member(ctx context.Context, c authz.Caller, ref, userID string) (m Member, err error) {
	o, err := s.Find(ctx, c, ref)
	if err != nil {
		return m, err
	}
	if !c.Self(userID) {
		if err := s.authz.Require(ctx, c, "sys:members:read", o.ID); err != nil {
			return m, err
		}
	}
	err = s.db.Read(ctx, o.ID, func(q database.Querier) error {
		m, err = findMember(ctx, q, o.ID, userID)
		return err
	})
	return m, err
}

// Add makes a person a member with these roles (ids or keys), without asking them.
func (s *Service) Add(ctx context.Context, c authz.Caller, ref, userID string, roles []string) (m Member, err error) {
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		o, err := s.changing(tx, ref)
		if err != nil {
			return err
		}
		held, err := rolesOf(tx, o.ID, roles)
		if err != nil {
			return err
		}
		if err := join(tx, o.ID, userID, held); err != nil {
			return err
		}
		m, err = findMember(ctx, tx.Tx, o.ID, userID)
		return err
	})
	return m, err
}

// Enlist makes somebody a member with these roles (ids or keys), as part of a change that makes them.
func (s *Service) Enlist(tx *authz.Tx, ref, userID string, roles []string) (Org, error) {
	o, err := s.changing(tx, ref)
	if err != nil {
		return o, err
	}
	held, err := rolesOf(tx, o.ID, roles)
	if err != nil {
		return o, err
	}
	return o, join(tx, o.ID, userID, held)
}

// owns refuses to have a service account own an organization.
func owns(userID string, roles []Held) error {
	if id.Valid("svc", userID) && slices.ContainsFunc(roles, func(h Held) bool { return h.ID == authz.Owner }) {
		return user.ErrServiceOwns
	}
	return nil
}

// join adds a member.
func join(tx *authz.Tx, orgID, userID string, roles []Held) error {
	if userID == "" {
		return nil // the operator makes an organization that nobody owns yet
	}
	if err := owns(userID, roles); err != nil {
		return err
	}
	if err := insertMember(tx, orgID, userID); err != nil {
		return err
	}
	tx.TouchMember(orgID, userID)
	tx.Emit(MemberAdded{orgID, userID, keys(roles)})
	return replaceHeld(tx, orgID, userID, roles)
}

// rolesOf finds the roles that are named, each once.
func rolesOf(tx *authz.Tx, orgID string, refs []string) ([]Held, error) {
	var roles []Held
	for _, ref := range refs {
		r, err := findRole(tx.Context(), tx.Tx, orgID, ref)
		if err != nil {
			if errors.Is(err, authz.ErrRoleUnknown) {
				err = ErrRole
			}
			return nil, err
		}
		if !slices.ContainsFunc(roles, func(h Held) bool { return h.ID == r.ID }) {
			roles = append(roles, Held{ID: r.ID, Key: r.Key, Name: r.Name})
		}
	}
	return roles, nil
}

// SetRoles makes exactly these the roles of a member. expires, when given, ends those that are new.
func (s *Service) SetRoles(ctx context.Context, c authz.Caller, ref, userID string, refs []string, expires *time.Time) (Member, error) {
	return s.assign(ctx, c, ref, userID, refs, expires, func(before, named []Held) ([]Held, error) {
		for i := range named {
			if err := lasting(&named[i], before, expires); err != nil {
				return nil, err
			}
		}
		return named, nil
	})
}

// GrantRole gives a member a role beside those they hold, until expires or, without it, for good.
func (s *Service) GrantRole(ctx context.Context, c authz.Caller, ref, userID, role string, expires *time.Time) (Member, error) {
	return s.assign(ctx, c, ref, userID, []string{role}, expires, func(before, named []Held) ([]Held, error) {
		if expires != nil {
			if err := lasting(&named[0], before, expires); err != nil {
				return nil, err
			}
		}
		return append(without(before, named[0].ID), named...), nil
	})
}

// RevokeRole takes a role from a member. One they do not hold is no loss.
func (s *Service) RevokeRole(ctx context.Context, c authz.Caller, ref, userID, role string) (Member, error) {
	return s.assign(ctx, c, ref, userID, []string{role}, nil, func(before, named []Held) ([]Held, error) {
		return without(before, named[0].ID), nil
	})
}

// assign gives a member the roles that choose makes of those they held and those that are named.
func (s *Service) assign(ctx context.Context, c authz.Caller, ref, userID string, refs []string, expires *time.Time, choose func(before, named []Held) ([]Held, error)) (m Member, err error) {
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		tx.Quiet()
		if expires != nil && !expires.After(tx.Now) {
			return ErrExpired
		}
		o, err := s.changing(tx, ref)
		if err != nil {
			return err
		}
		if !c.Self(userID) {
			if err := tx.Require(authz.RolesAssign, o.ID); err != nil {
				return err
			}
		}
		before, err := findMember(ctx, tx.Tx, o.ID, userID)
		if err != nil {
			return err
		}
		named, err := rolesOf(tx, o.ID, refs)
		if err != nil {
			return err
		}
		roles, err := choose(before.Roles, named)
		if err != nil {
			return err
		}
		if err := exchange(tx, before, roles); err != nil {
			return err
		}
		m, err = findMember(ctx, tx.Tx, o.ID, userID)
		return err
	})
	return m, err
}

// lasting decides until when a role is given: one that is held already keeps its end, unless an end is named.
func lasting(r *Held, before []Held, expires *time.Time) error {
	had := slices.IndexFunc(before, func(h Held) bool { return h.ID == r.ID })
	if expires == nil {
		if had >= 0 {
			r.ExpiresAt = before[had].ExpiresAt
		}
		return nil
	}
	if had >= 0 && before[had].ExpiresAt == nil {
		return nil // held for good
	}
	if r.ID == authz.Owner {
		return ErrOwnerExpires
	}
	r.ExpiresAt = expires
	return nil
}

// exchange gives a member other roles, if they are other.
func exchange(tx *authz.Tx, m Member, roles []Held) error {
	same := func(a, b Held) bool {
		return a.ID == b.ID && (a.ExpiresAt == nil) == (b.ExpiresAt == nil) && (a.ExpiresAt == nil || a.ExpiresAt.Equal(*b.ExpiresAt))
	}
	byID := func(a, b Held) int { return strings.Compare(a.ID, b.ID) }
	if slices.EqualFunc(slices.SortedFunc(slices.Values(m.Roles), byID), slices.SortedFunc(slices.Values(roles), byID), same) {
		return nil
	}
	if err := owns(m.User.ID, roles); err != nil {
		return err
	}
	tx.TouchMember(m.OrgID, m.User.ID)
	tx.Emit(MemberRolesChanged{m.OrgID, m.User.ID, keys(m.Roles), keys(roles)})
	return replaceHeld(tx, m.OrgID, m.User.ID, roles)
}

// Transfer makes another member an owner, and the caller one no longer. When the operator does it, nobody else stays one.
func (s *Service) Transfer(ctx context.Context, c authz.Caller, ref, userID string) (m Member, err error) {
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		tx.Quiet()
		o, err := s.changing(tx, ref)
		if err != nil {
			return err
		}
		if err := tx.Require("sys:org:transfer", o.ID); err != nil {
			return err
		}
		heir, err := findMember(ctx, tx.Tx, o.ID, userID)
		if err != nil || heir.User.ID == c.User {
			m = heir
			return err
		}
		owner := Held{ID: authz.Owner, Key: authz.Owner}
		if err := exchange(tx, heir, append(without(heir.Roles, authz.Owner), owner)); err != nil {
			return err
		}
		leaving := []string{c.User}
		if c.User == "" {
			leaving = slices.DeleteFunc(tx.Root.Owners(o.ID), func(id string) bool { return id == userID })
		}
		for _, id := range leaving {
			if err := stepBack(tx, o.ID, id); err != nil && !errors.Is(err, ErrMember) { // who runs the site need not be one
				return err
			}
		}
		m, err = findMember(ctx, tx.Tx, o.ID, userID)
		return err
	})
	return m, err
}

// stepBack makes an owner one no longer. Who would be left with nothing is an admin.
func stepBack(tx *authz.Tx, orgID, userID string) error {
	before, err := findMember(tx.Context(), tx.Tx, orgID, userID)
	if err != nil {
		return err
	}
	rest := without(before.Roles, authz.Owner)
	if len(rest) == 0 {
		rest = []Held{{ID: authz.Admin, Key: authz.Admin}}
	}
	return exchange(tx, before, rest)
}

func without(roles []Held, id string) []Held {
	return slices.DeleteFunc(slices.Clone(roles), func(h Held) bool { return h.ID == id })
}

// Remove takes a person out of an organization. Who removes themself leaves, and needs no permission for it.
func (s *Service) Remove(ctx context.Context, c authz.Caller, ref, userID string) error {
	return s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		o, err := s.changing(tx, ref)
		if err != nil {
			return err
		}
		if !c.Self(userID) {
			if err := tx.Require(authz.MembersRemove, o.ID); err != nil {
				return err
			}
		}
		m, err := findMember(ctx, tx.Tx, o.ID, userID)
		if err != nil {
			return err
		}
		tx.TouchMember(o.ID, userID)
		tx.Emit(MemberRemoved{o.ID, userID, keys(m.Roles)})
		return deleteMember(tx, o.ID, userID)
	})
}

// Leave is part of a change that removes a person altogether: it takes them out of every organization they are in.
func Leave(tx *authz.Tx, userID string) error {
	for _, orgID := range tx.Root.OrgsOf(userID) {
		if err := tx.Enter(orgID); err != nil {
			return err
		}
		roles, err := heldBy(tx.Context(), tx.Tx, orgID, userID)
		if err != nil {
			return err
		}
		tx.TouchMember(orgID, userID)
		tx.Emit(MemberRemoved{orgID, userID, keys(roles)})
		if err := deleteMember(tx, orgID, userID); err != nil {
			return err
		}
	}
	return nil
}

// Rest lets everything a member holds rest, or takes that back.
func (s *Service) Rest(ctx context.Context, c authz.Caller, ref, userID string, suspended bool) (m Member, err error) {
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		tx.Quiet()
		o, err := s.changing(tx, ref)
		if err != nil {
			return err
		}
		if err := tx.Require(authz.MembersUpdate, o.ID); err != nil {
			return err
		}
		if m, err = findMember(ctx, tx.Tx, o.ID, userID); err != nil || suspended == (m.SuspendedAt != nil) {
			return err
		}
		if err := setSuspended(tx, o.ID, userID, suspended); err != nil {
			return err
		}
		tx.TouchMember(o.ID, userID)
		tx.Emit(MemberSuspended{o.ID, userID, suspended})
		m, err = findMember(ctx, tx.Tx, o.ID, userID)
		return err
	})
	return m, err
}

func keys(held []Held) []string {
	list := make([]string, len(held))
	for i, h := range held {
		list[i] = h.Key
	}
	slices.Sort(list)
	return list
}

func roleIDs(list []authz.Assignment) []string {
	ids := make([]string, len(list))
	for i, a := range list {
		ids[i] = a.Role
	}
	return ids
}
