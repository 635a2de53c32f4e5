package authz

import (
	"context"

	"github.com/admit-dev/admit/internal/database"
)

// SeeAt is See by what held at a Root.
func (s *Service) SeeAt(r *Root, c Caller, org string) error { return r.see(c, org, s.db.Now()) }

// Explain answers one question at a Root as Check does, and says why; the policy engine has its say in both.
func (s *Service) Explain(ctx context.Context, r *Root, q Query) (Explanation, error) {
	q.Now = s.db.Now()
	e, err := r.Explain(q)
	if err != nil || s.policy.Engine == nil {
		return e, err
	}
	d, err := s.Check(ctx, r, q)
	if err != nil {
		return e, err
	}
	switch name := s.policy.Engine.Name(); {
	case d.Code == e.Code:
	case d.Allowed:
		e.GrantedBy, e.WouldAllow = append(e.GrantedBy, Path{Scope: ScopeEngine, Key: name, Code: Granted}), nil
	default:
		e.BlockedBy = append(e.BlockedBy, Blocked{Code: d.Code, Engine: name})
	}
	e.Decision, e.StepUp = d, d.Code == NeedsStepUp
	return e, nil
}

// WhoCan is Root.WhoCan with the policy engine.
func (s *Service) WhoCan(ctx context.Context, r *Root, q Query, page Page) (List, error) {
	return s.list(ctx, r, q, page, r.whoCan)
}

// WhatCan is Root.WhatCan with the policy engine.
func (s *Service) WhatCan(ctx context.Context, r *Root, q Query, page Page) (List, error) {
	return s.list(ctx, r, q, page, r.whatCan)
}

// WhereCan is Root.WhereCan with the policy engine.
func (s *Service) WhereCan(ctx context.Context, r *Root, q Query, page Page) (List, error) {
	return s.list(ctx, r, q, page, r.whereCan)
}

// list is whole or an error: a candidate about whom the engine says nothing would be missing.
func (s *Service) list(ctx context.Context, r *Root, q Query, page Page, of func(Query, Page, asker) (List, error)) (List, error) {
	q.Now = s.db.Now()
	if s.policy.Engine == nil {
		return of(q, page, r.byRoles)
	}
	silent := false
	l, err := of(q, page, func(q *Query, _ int) Code {
		d, _ := s.policy.Check(ctx, r, *q)
		silent = silent || d.Code == EngineError
		return d.Code
	})
	if err == nil && silent {
		return List{Rev: r.rev}, ErrEngine
	}
	return l, err
}

// Judge says what Write would say to a change that makes next of r and is about these organizations, "" being the platform.
func (s *Service) Judge(r, next *Root, c Caller, orgs []string) error {
	tx := &Tx{Tx: &database.Tx{Now: s.db.Now()}, Root: r, caller: c}
	for _, org := range orgs {
		tx.Touch(org)
	}
	return tx.allowed(next)
}

// Member is a member of an organization or, with org "", a user of the platform who is disabled or holds a global role.
func (r *Root) Member(org, user string) (Member, bool) {
	s, err := r.space(org)
	if err != nil {
		return Member{}, false
	}
	m := s.members.find(user)
	if m == nil {
		return Member{}, false
	}
	return Member{user, m.suspended, s.assignments(m)}, true
}

// Role is a role of an organization or, with org "", a global one, by id or key. Its grants are its own, without its base's.
func (r *Root) Role(org, ref string) (Role, bool) {
	s, err := r.space(org)
	if err != nil {
		return Role{}, false
	}
	for _, role := range s.roles {
		if role.row.ID == ref || role.row.Key == ref {
			return role.rows(), true
		}
	}
	return Role{}, false
}

// RoleHeld reports whether anybody holds a role of an organization or, with org "", a global one.
func (r *Root) RoleHeld(org, id string) bool {
	s, err := r.space(org)
	return err == nil && s.held(id)
}
