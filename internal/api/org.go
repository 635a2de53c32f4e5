package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/org"
)

// Org is an organization on the wire.
type Org struct {
	ID        string    `json:"id" doc:"org_…"`
	Slug      string    `json:"slug" doc:"Its name in addresses. Former ones lead to it."`
	Name      string    `json:"name"`
	Suspended bool      `json:"suspended"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	RequireMFA bool `json:"require_mfa" doc:"Whether its members need a second factor."`
}

// Orgs is a part of a list of organizations.
type Orgs struct {
	Items      []Org   `json:"items"`
	NextCursor *string `json:"next_cursor" doc:"Give it as cursor for the next part; null at the end."`
}

// HeldRole is a role somebody holds.
type HeldRole struct {
	ID        string     `json:"id" doc:"rol_…, or owner, admin, member."`
	Key       string     `json:"key"`
	Name      string     `json:"name"`
	ExpiresAt *time.Time `json:"expires_at" doc:"When it ends, or null."`
}

// Member is a person in an organization.
type Member struct {
	ID        string     `json:"id" doc:"mem_…"`
	UserID    string     `json:"user_id"`
	Email     *string    `json:"email"`
	Username  *string    `json:"username"`
	Name      string     `json:"name"`
	Suspended bool       `json:"suspended"`
	Roles     []HeldRole `json:"roles"`
	CreatedAt time.Time  `json:"created_at"`
}

// Members is a part of the list of members.
type Members struct {
	Items      []Member `json:"items"`
	NextCursor *string  `json:"next_cursor"`
}

func newOrg(o org.Org) Org {
	return Org{o.ID, o.Slug, o.Name, o.SuspendedAt != nil, o.CreatedAt, o.UpdatedAt, o.RequireMFA}
}

func newHeld(list []org.Held) []HeldRole {
	out := make([]HeldRole, len(list))
	for i, h := range list {
		out[i] = HeldRole(h)
	}
	return out
}

func newMember(m org.Member) Member {
	u := newUser(m.User, nil, false)
	return Member{m.ID, u.ID, u.Email, u.Username, u.Name, m.SuspendedAt != nil, newHeld(m.Roles), m.CreatedAt}
}

func next(cursor string) *string {
	if cursor == "" {
		return nil
	}
	return &cursor
}

func mapped[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = f(a)
	}
	return out
}

// caller is who asks, with what conditions may read of the request.
func (q *call) caller() authz.Caller { return q.guard.CallerOf(q.r, q.live) }

// OrgRef names an organization.
type OrgRef struct {
	Org string `path:"org" maxLength:"100" doc:"The id or the slug of an organization."`
}

type newOrgIn struct {
	Body struct {
		Name string `json:"name" maxLength:"1000" example:"Acme"`
		Slug string `json:"slug,omitempty" maxLength:"100" doc:"2 to 48 characters; made from the name when left out." example:"acme"`
	}
}

type editOrgIn struct {
	OrgRef
	Body struct {
		Name *string `json:"name,omitempty" maxLength:"1000"`
		Slug *string `json:"slug,omitempty" maxLength:"100"`

		RequireMFA *bool `json:"require_mfa,omitempty" doc:"Whether its members need a second factor. Who switches it on has shown theirs. It asks for a fresh proof."`
	}
}

type transferIn struct {
	OrgRef
	Body struct {
		UserID string `json:"user_id" maxLength:"100" doc:"A member."`
	}
}

type listOrgsIn struct {
	Part
	All  bool   `query:"all" doc:"Every organization, for holders of sys:orgs:read."`
	Text string `query:"q" maxLength:"200" doc:"With all: what a name or a slug begins with."`
}

func (s *API) orgs() {
	tags := []string{"Organizations"}
	operation(s, huma.Operation{Method: "GET", Path: "/api/v1/orgs", Summary: "The organizations you belong to", Tags: tags}, user|keyed, s.listOrgs)
	operation(s, huma.Operation{Method: "POST", Path: "/api/v1/orgs", Summary: "Make an organization; you become its owner", DefaultStatus: http.StatusCreated, Tags: tags}, user, func(q *call, in *newOrgIn) (Org, error) {
		o, err := s.app.Orgs.Create(q, q.caller(), org.New{Name: in.Body.Name, Slug: in.Body.Slug})
		return newOrg(o), s.changed(q, err)
	})
	operation(s, huma.Operation{Method: "GET", Path: "/api/v1/orgs/{org}", Summary: "An organization; a former slug is redirected", Tags: tags}, user|keyed, s.getOrg)
	operation(s, huma.Operation{Method: "PATCH", Path: "/api/v1/orgs/{org}", Summary: "Give it another name or slug, or require second factors of its members", Tags: tags}, user|keyed, func(q *call, in *editOrgIn) (Org, error) {
		if in.Body.RequireMFA != nil {
			if err := q.guard.Fresh(q, q.live, freshFor); err != nil {
				return Org{}, err
			}
		}
		o, err := s.app.Orgs.Update(q, q.caller(), in.Org, org.Edit{Name: in.Body.Name, Slug: in.Body.Slug, RequireMFA: in.Body.RequireMFA})
		return newOrg(o), s.changed(q, err)
	})
	for verb, suspended := range map[string]bool{"suspend": true, "reinstate": false} {
		operation(s, huma.Operation{Method: "POST", Path: "/api/v1/orgs/{org}/" + verb, Summary: "For the people who run the site: " + verb + " it", Tags: tags}, user|keyed, func(q *call, in *OrgRef) (Org, error) {
			o, err := s.app.Orgs.Suspend(q, q.caller(), in.Org, suspended)
			return newOrg(o), s.changed(q, err)
		})
	}
	operation(s, huma.Operation{Method: "POST", Path: "/api/v1/orgs/{org}/transfer", Summary: "Make another member its owner in your place", Tags: tags}, user|fresh, func(q *call, in *transferIn) (Member, error) {
		m, err := s.app.Orgs.Transfer(q, q.caller(), in.Org, in.Body.UserID)
		return newMember(m), s.changed(q, err)
	})
	operation(s, huma.Operation{Method: "DELETE", Path: "/api/v1/orgs/{org}", Summary: "Delete it and everything in it", DefaultStatus: http.StatusNoContent, Tags: tags}, user|fresh, func(q *call, in *OrgRef) (nothing, error) {
		return nothing{}, s.changed(q, s.app.Orgs.Delete(q, q.caller(), in.Org))
	})
	s.members(tags)
}

// changed answers a change of rights with the revision it made, for clients that ask elsewhere right after.
func (s *API) changed(q *call, err error) error {
	if err != nil {
		return err
	}
	root, err := s.app.Authz.Root(q)
	if err == nil {
		q.w.Header().Set("Authz-Revision", s.app.Authz.Revision(root))
	}
	return err
}

func (s *API) listOrgs(q *call, in *listOrgsIn) (Orgs, error) {
	if in.Cursor != "" && !id.Valid("org", in.Cursor) {
		return Orgs{}, ErrCursor
	}
	if !in.All {
		p, err := s.app.Orgs.Mine(q, q.caller(), in.Cursor, in.Limit)
		return Orgs{mapped(p.Items, newOrg), next(p.Next)}, err
	}
	p, err := s.app.Orgs.All(q, q.caller(), in.Text, in.Cursor, in.Limit)
	return Orgs{mapped(p.Items, newOrg), next(p.Next)}, err
}

// moved redirects to where something is now (RFC 9110, section 15.4.9).
type moved struct {
	Message string `json:"message"`
	to      string
}

func (*moved) Error() string             { return "moved" }
func (*moved) GetStatus() int            { return http.StatusPermanentRedirect }
func (*moved) ContentType(string) string { return "application/json" }
func (m *moved) GetHeaders() http.Header { return http.Header{"Location": {m.to}} }

func (s *API) getOrg(q *call, in *OrgRef) (Org, error) {
	o, err := s.app.Orgs.Find(q, q.caller(), in.Org)
	if err == nil && in.Org != o.ID && in.Org != o.Slug {
		return Org{}, &moved{"This organization has another slug now.", "/api/v1/orgs/" + o.Slug}
	}
	return newOrg(o), err
}

type listMembersIn struct {
	OrgRef
	Part
	Text string `query:"q" maxLength:"200" doc:"A part of a name, or how an e-mail address or a username begins."`
	Role string `query:"role" maxLength:"100" doc:"The id or the key of a role that they hold."`
}

// MemberRef names a member.
type MemberRef struct {
	OrgRef
	User string `path:"user" maxLength:"100" doc:"usr_…"`
}

type rolesIn struct {
	MemberRef
	Body struct {
		Roles     []string   `json:"roles" maxItems:"50" doc:"Exactly these, by id or key."`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When those that are new end."`
	}
}

type editMemberIn struct {
	MemberRef
	Body struct {
		Suspended bool `json:"suspended" doc:"Whether everything they hold here rests."`
	}
}

func (s *API) members(tags []string) {
	operation(s, huma.Operation{Method: "GET", Path: "/api/v1/orgs/{org}/members", Summary: "Who belongs to it", Tags: tags}, user|keyed, func(q *call, in *listMembersIn) (Members, error) {
		if in.Cursor != "" && !id.Valid("mem", in.Cursor) {
			return Members{}, ErrCursor
		}
		p, err := s.app.Orgs.Members(q, q.caller(), in.Org, org.Whom{Text: in.Text, Role: in.Role}, in.Cursor, in.Limit)
		return Members{mapped(p.Items, newMember), next(p.Next)}, err
	})
	operation(s, huma.Operation{Method: "GET", Path: "/api/v1/orgs/{org}/members/{user}", Summary: "One member", Tags: tags}, user|keyed, func(q *call, in *MemberRef) (Member, error) {
		m, err := s.app.Orgs.Member(q, q.caller(), in.Org, in.User)
		return newMember(m), err
	})
	operation(s, huma.Operation{Method: "PATCH", Path: "/api/v1/orgs/{org}/members/{user}", Summary: "Suspend or reinstate a member", Tags: tags}, user|keyed, func(q *call, in *editMemberIn) (Member, error) {
		m, err := s.app.Orgs.Rest(q, q.caller(), in.Org, in.User, in.Body.Suspended)
		return newMember(m), s.changed(q, err)
	})
	operation(s, huma.Operation{Method: "DELETE", Path: "/api/v1/orgs/{org}/members/{user}", Summary: "Remove a member, or leave", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *MemberRef) (nothing, error) {
		return nothing{}, s.changed(q, s.app.Orgs.Remove(q, q.caller(), in.Org, in.User))
	})
	operation(s, huma.Operation{Method: "PUT", Path: "/api/v1/orgs/{org}/members/{user}/roles", Summary: "Give a member exactly these roles", Tags: tags}, user|keyed, func(q *call, in *rolesIn) (Member, error) {
		m, err := s.app.Orgs.SetRoles(q, q.caller(), in.Org, in.User, in.Body.Roles, in.Body.ExpiresAt)
		return newMember(m), s.changed(q, err)
	})
}
