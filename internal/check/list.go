package check

import (
	"context"
	"errors"
	"slices"

	"github.com/admit-dev/admit/internal/authz"
)

// Page asks for a part of a list.
type Page struct {
	Limit  int    `json:"limit,omitempty" minimum:"1" maximum:"1000" doc:"Most items to give; 50 when left out."`
	Cursor string `json:"cursor,omitempty" maxLength:"400" doc:"Where to go on: next_cursor of the part before. The list goes on at the revision it began at."`
}

// Who asks for the users who may do something.
type Who struct {
	Permission string `json:"permission" maxLength:"200" example:"post_job"`
	OrgID      string `json:"org_id,omitempty" maxLength:"100" doc:"The id or the slug of an organization; the platform when left out."`
	Facts
	Page
}

// What asks for what somebody may do.
type What struct {
	Subject string `json:"subject,omitempty" maxLength:"256" doc:"usr_…; you yourself when left out."`
	OrgID   string `json:"org_id,omitempty" maxLength:"100" doc:"The id or the slug of an organization; the platform when left out."`
	Facts
	Page
}

// Where asks for the organizations in which somebody may do something.
type Where struct {
	Subject    string `json:"subject,omitempty" maxLength:"256" doc:"usr_…; you yourself when left out."`
	Permission string `json:"permission" maxLength:"200" example:"post_job"`
	Facts
	Page
}

// List is a part of a list, complete at one revision.
type List struct {
	Items    []authz.Item
	Next     string
	Revision string
}

// CanUser is a user who may do it.
type CanUser struct {
	UserID string `json:"user_id"`
	By
}

// CanPermission is a permission that is given.
type CanPermission struct {
	Permission string `json:"permission"`
	By
}

// CanOrg is an organization in which it may be done.
type CanOrg struct {
	OrgID string `json:"org_id"`
	By
}

// By is how something is given.
type By struct {
	Roles       []string `json:"roles" doc:"The keys of the roles that give it."`
	Conditional bool     `json:"conditional" doc:"Whether it depends on something the question did not tell."`
}

// NewBy is how an entry of a list is given.
func NewBy(i authz.Item) By { return By{append([]string{}, i.Roles...), i.Conditional} }

// WhoCan lists the users who may do something, to holders of sys:authz:explain.
func (s *Service) WhoCan(ctx context.Context, c authz.Caller, in Who) (List, error) {
	return s.list(ctx, c, Question{"", in.Permission, in.OrgID, in.Facts}, in.Page, true, s.authz.WhoCan)
}

// WhatCan lists what somebody may do in an organization, or on the platform.
func (s *Service) WhatCan(ctx context.Context, c authz.Caller, in What) (List, error) {
	return s.list(ctx, c, Question{in.Subject, "", in.OrgID, in.Facts}, in.Page, false, s.authz.WhatCan)
}

// WhereCan lists the organizations in which somebody may do something. Of others that is told to holders of sys:authz:explain on
// the platform.
func (s *Service) WhereCan(ctx context.Context, c authz.Caller, in Where) (List, error) {
	q := Question{in.Subject, in.Permission, "", in.Facts}
	return s.list(ctx, c, q, in.Page, false, func(ctx context.Context, r *authz.Root, q authz.Query, page authz.Page) (authz.List, error) {
		l, err := s.authz.WhereCan(ctx, r, q, page)
		if q.Subject == c.User { // a role that counts everywhere under a condition shows no organization before it does
			l.Items = slices.DeleteFunc(l.Items, func(i authz.Item) bool { return i.Conditional && s.authz.SeeAt(r, c, i.ID) != nil })
		}
		return l, err
	})
}

// list begins or goes on with a list. Whether the caller may see it goes by what holds now; what it holds, by the revision it
// was begun at.
func (s *Service) list(ctx context.Context, c authz.Caller, q Question, page Page, others bool, of func(context.Context, *authz.Root, authz.Query, authz.Page) (authz.List, error)) (List, error) {
	now, err := s.Begin(ctx, c, "")
	if err != nil {
		return List{}, err
	}
	query, err := now.query(&q)
	switch {
	case err != nil:
	case others:
		query.Context, query.Ceiling = q.Context, nil
		err = now.others(query.Org)
	case query.Org != "" && now.self(query.Subject):
		err = s.authz.SeeAt(now.root, c, query.Org)
	}
	if err != nil {
		return List{}, err
	}
	root, err := s.authz.RootOf(ctx, page.Cursor)
	if err != nil {
		return List{}, err
	}
	l, err := of(ctx, root, query, authz.Page{Limit: page.Limit, Cursor: page.Cursor})
	if errors.Is(err, authz.ErrUnknownOrganization) { // it was not there yet, so no list of it can have begun
		err = authz.ErrCursor
	}
	if l.Items == nil {
		l.Items = []authz.Item{}
	}
	return List{l.Items, l.Next, s.authz.Revision(root)}, err
}
