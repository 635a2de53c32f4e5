package org

import (
	"context"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
)

// Past is an organization as it was elsewhere.
type Past struct {
	Source     string // which export of which site it is of
	ExternalID string // what it was called there
	Name       string
	Slug       string // "" makes one from the name. One that is taken gets something behind it
	RequireMFA bool
	Suspended  bool
	CreatedAt  *time.Time
	Roles      []RoleEdit
	Guards     []authz.Guard
}

// Names are the name and the slug that the organization gets here, as of now.
func (p Past) Names(ctx context.Context, q database.Querier) (name, slug string, err error) {
	if name, err = parseName(p.Name); err != nil {
		return "", "", err
	}
	if slug = strings.ToLower(strings.TrimSpace(p.Slug)); !slugForm.MatchString(slug) {
		slug = slugFrom(name)
	}
	slug, err = freeSlug(ctx, q, slug)
	return name, slug, err
}

// Import makes an organization that nobody belongs to yet, for the operator, as part of a change. Its people come with AddImported.
func (s *Service) Import(tx *authz.Tx, p Past) (o Org, err error) {
	o = Org{ID: id.New("org"), RequireMFA: p.RequireMFA, CreatedAt: tx.Now, UpdatedAt: tx.Now}
	if o.Name, o.Slug, err = p.Names(tx.Context(), tx.Tx); err != nil {
		return o, err
	}
	if p.CreatedAt != nil && p.CreatedAt.Before(tx.Now) {
		o.CreatedAt = *p.CreatedAt
	}
	if p.Suspended {
		o.SuspendedAt = &tx.Now
	}
	if err := s.found(tx, o, ""); err != nil {
		return o, err
	}
	for _, e := range p.Roles {
		r := Role{ID: id.New("rol"), OrgID: o.ID, Version: 1}
		if err := e.apply(tx, &r); err != nil {
			return o, err
		}
		if err := insertRole(tx, r); err != nil {
			return o, err
		}
		if err := replaceGrants(tx, o.ID, r.ID, r.Grants); err != nil {
			return o, err
		}
		tx.Emit(RoleCreated{o.ID, r.ID, r.Key, texts(r.Grants)})
	}
	for _, g := range p.Guards {
		if g, err = tx.Root.ParseGuard(g); err != nil {
			return o, err
		}
		g.ID, g.Org = id.New("grd"), o.ID
		tx.Emit(GuardAdded{o.ID, g.ID, g.Pattern, g.Condition})
		if err := insertGuard(tx, g); err != nil {
			return o, err
		}
	}
	return o, insertImported(tx, p, o.ID)
}

// AddImported makes a person a member as they were one elsewhere, as part of the change that makes them. The roles are of the organization.
func AddImported(tx *authz.Tx, orgID, userID string, roles []Held, suspended bool) error {
	if err := tx.Enter(orgID); err != nil {
		return err
	}
	if err := join(tx, orgID, userID, roles); err != nil || !suspended {
		return err
	}
	tx.Emit(MemberSuspended{orgID, userID, true})
	return setSuspended(tx, orgID, userID, true)
}

// ImportedAs finds which organization one of a source is here, "" when it is none yet.
func ImportedAs(ctx context.Context, q database.Querier, source, externalID string) (string, error) {
	return importedAs(ctx, q, source, externalID)
}

// RolesToGive is every role of an organization that a person may be given in it, by its key.
func (s *Service) RolesToGive(ctx context.Context, orgID string) (map[string]Held, error) {
	roles, err := s.Roles(ctx, authz.System, orgID)
	held := map[string]Held{}
	for _, r := range roles {
		held[r.Key] = Held{ID: r.ID, Key: r.Key, Name: r.Name}
	}
	return held, err
}

// After is at most limit organizations whose ids come after one, in the order of their ids.
func After(ctx context.Context, q database.Querier, after string, limit int) ([]Org, error) {
	return following(ctx, q, after, limit)
}
