package org

import (
	"context"
	"slices"

	"golang.org/x/text/unicode/norm"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
)

// Roles is every role of an organization, the built-in ones first.
func (s *Service) Roles(ctx context.Context, c authz.Caller, ref string) (list []Role, err error) {
	o, err := s.reading(ctx, c, ref, "sys:roles:read")
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, o.ID, func(q database.Querier) error {
		list, err = listRoles(ctx, q, o.ID)
		return err
	})
	return list, err
}

// Role is one of them, by id or key.
func (s *Service) Role(ctx context.Context, c authz.Caller, ref, role string) (r Role, err error) {
	o, err := s.reading(ctx, c, ref, "sys:roles:read")
	if err != nil {
		return r, err
	}
	err = s.db.Read(ctx, o.ID, func(q database.Querier) error {
		r, err = findRole(ctx, q, o.ID, role)
		return err
	})
	return r, err
}

// RoleEdit is what a role is to be; of a role that is there already, nil leaves a part as it is.
type RoleEdit struct {
	Name        *string
	Base        *string   // owner, admin, member or "": what the role grants beside its own
	Permissions *[]string // grants, as authz.ParseGrant reads them
	IfMatch     string    // the ETag of the role that was read; needed to replace the permissions
}

// CreateRole makes a role. Whoever makes it holds all that it gives.
func (s *Service) CreateRole(ctx context.Context, c authz.Caller, ref string, e RoleEdit) (r Role, err error) {
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		o, err := s.changing(tx, ref)
		if err != nil {
			return err
		}
		if err := tx.Require(authz.RolesCreate, o.ID); err != nil {
			return err
		}
		r = Role{ID: id.New("rol"), OrgID: o.ID, Version: 1}
		if err := e.apply(tx, &r); err != nil {
			return err
		}
		if err := insertRole(tx, r); err != nil {
			return err
		}
		if err := replaceGrants(tx, o.ID, r.ID, r.Grants); err != nil {
			return err
		}
		tx.Touch(o.ID)
		tx.Emit(RoleCreated{o.ID, r.ID, r.Key, texts(r.Grants)})
		r, err = findRole(ctx, tx.Tx, o.ID, r.ID)
		return err
	})
	return r, err
}

// apply reads what was sent into a role.
func (e RoleEdit) apply(tx *authz.Tx, r *Role) (err error) {
	if e.Name != nil {
		r.Name = norm.NFC.String(*e.Name)
		if r.Key, err = authz.RoleKey(r.Name); err != nil {
			return err
		}
	}
	if e.Base != nil {
		templates := authz.SystemTemplates()
		if *e.Base != "" && !slices.ContainsFunc(templates, func(t authz.Role) bool { return t.ID == *e.Base }) {
			return ErrRole.In("base")
		}
		r.Base = *e.Base
	}
	if e.Permissions != nil {
		r.Grants, err = tx.Root.ParseGrants(*e.Permissions)
	}
	return err
}

// UpdateRole changes a role. For everybody who holds it the next check goes by the new permissions.
func (s *Service) UpdateRole(ctx context.Context, c authz.Caller, ref, role string, e RoleEdit) (r Role, err error) {
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		before, err := s.editable(tx, ref, role, authz.RolesUpdate)
		if err != nil {
			return err
		}
		switch {
		case e.Permissions != nil && e.IfMatch == "":
			return ErrPrecondition
		case e.IfMatch != "" && e.IfMatch != "*" && e.IfMatch != before.ETag():
			return authz.ErrRoleStale
		}
		r = before
		if err := e.apply(tx, &r); err != nil {
			return err
		}
		if err := updateRole(tx, r); err != nil {
			return err
		}
		if err := replaceGrants(tx, r.OrgID, r.ID, r.Grants); err != nil {
			return err
		}
		tx.Touch(r.OrgID)
		tx.Emit(RoleUpdated{r.OrgID, r.ID, r.Key, texts(before.Grants), texts(r.Grants)})
		r, err = findRole(ctx, tx.Tx, r.OrgID, r.ID)
		return err
	})
	return r, err
}

// editable finds a role that the caller may change in this way.
func (s *Service) editable(tx *authz.Tx, ref, role, permission string) (Role, error) {
	o, err := s.changing(tx, ref)
	if err != nil {
		return Role{}, err
	}
	if err := tx.Require(permission, o.ID); err != nil {
		return Role{}, err
	}
	r, err := findRole(tx.Context(), tx.Tx, o.ID, role)
	if err == nil && r.System {
		err = authz.ErrRoleSystem
	}
	return r, err
}

// DeleteRole removes a role that nobody holds and nobody is invited with.
func (s *Service) DeleteRole(ctx context.Context, c authz.Caller, ref, role string) error {
	return s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		r, err := s.editable(tx, ref, role, authz.RolesDelete)
		if err != nil {
			return err
		}
		waiting, err := invitedWith(tx, r.OrgID, r.ID)
		if err != nil {
			return err
		}
		if waiting {
			return authz.ErrRoleHeld
		}
		tx.Touch(r.OrgID)
		tx.Emit(RoleDeleted{r.OrgID, r.ID, r.Key})
		return deleteRole(tx, r.OrgID, r.ID)
	})
}

// Guards is every guard of an organization.
func (s *Service) Guards(ctx context.Context, c authz.Caller, ref string) ([]authz.Guard, error) {
	o, err := s.reading(ctx, c, ref, "sys:roles:read")
	if err != nil {
		return nil, err
	}
	root, err := s.authz.Root(ctx)
	if err != nil {
		return nil, err
	}
	rows, _ := root.OrgRows(o.ID)
	return rows.Guards, nil
}

// AddGuard makes a condition that must hold in an organization wherever its pattern is asked about.
func (s *Service) AddGuard(ctx context.Context, c authz.Caller, ref string, g authz.Guard) (authz.Guard, error) {
	err := s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		o, err := s.changing(tx, ref)
		if err != nil {
			return err
		}
		if err := tx.Require(authz.RolesUpdate, o.ID); err != nil {
			return err
		}
		if g, err = tx.Root.ParseGuard(g); err != nil {
			return err
		}
		g.ID, g.Org = id.New("grd"), o.ID
		tx.Touch(o.ID)
		tx.Emit(GuardAdded{o.ID, g.ID, g.Pattern, g.Condition})
		return insertGuard(tx, g)
	})
	return g, err
}

// RemoveGuard lifts a condition. To those affected that is as good as a grant, and judged like one.
func (s *Service) RemoveGuard(ctx context.Context, c authz.Caller, ref, guardID string) error {
	return s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		o, err := s.changing(tx, ref)
		if err != nil {
			return err
		}
		if err := tx.Require(authz.RolesUpdate, o.ID); err != nil {
			return err
		}
		rows, _ := tx.Root.OrgRows(o.ID)
		i := slices.IndexFunc(rows.Guards, func(g authz.Guard) bool { return g.ID == guardID })
		if i < 0 {
			return ErrGuard
		}
		tx.Touch(o.ID)
		tx.Emit(GuardRemoved{o.ID, guardID, rows.Guards[i].Pattern})
		return removeGuard(tx, o.ID, guardID)
	})
}

func texts(grants []authz.Grant) []string {
	list := make([]string, len(grants))
	for i, g := range grants {
		list[i] = g.String()
	}
	return list
}
