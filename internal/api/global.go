package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/authz"
)

// GlobalRole is a role that holds everywhere.
type GlobalRole struct {
	Key         string    `json:"key" doc:"Its id."`
	Name        string    `json:"name"`
	Reach       string    `json:"reach" enum:"platform,all_orgs" doc:"all_orgs counts in every organization too."`
	System      bool      `json:"system" doc:"Whether it is built in, and cannot be changed."`
	Permissions []string  `json:"permissions"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// GlobalRoles is every global role.
type GlobalRoles struct {
	Items      []GlobalRole `json:"items"`
	NextCursor *string      `json:"next_cursor"`
}

// Guard is a condition that must hold wherever its pattern is asked about.
type Guard struct {
	ID        string `json:"id" doc:"grd_…"`
	Pattern   string `json:"pattern"`
	Condition string `json:"condition" doc:"CEL, over subject, org, resource, context and now."`
	Message   string `json:"message" doc:"What the refused are told."`
}

// Guards is every guard of a place.
type Guards struct {
	Items      []Guard `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

func newGlobalRole(r authz.GlobalRole) GlobalRole {
	return GlobalRole{r.Key, r.Name, string(r.Reach), r.System, mapped(r.Grants, authz.Grant.String), r.CreatedAt, r.UpdatedAt}
}

func newGuard(g authz.Guard) Guard { return Guard{g.ID, g.Pattern, g.Condition, g.Message} }

// GlobalRef names a global role.
type GlobalRef struct {
	Role string `path:"role" maxLength:"100" doc:"The key of a role."`
}

type newGlobalIn struct {
	Body struct {
		Name        string      `json:"name" maxLength:"200" example:"Support"`
		Reach       authz.Reach `json:"reach,omitempty" enum:"platform,all_orgs" default:"platform"`
		Permissions []string    `json:"permissions,omitempty" maxItems:"1000"`
	}
}

type editGlobalIn struct {
	GlobalRef
	IfMatch string `header:"If-Match" doc:"The ETag of the role you read. Needed to replace the permissions."`
	Body    struct {
		Name        *string      `json:"name,omitempty" maxLength:"200"`
		Reach       *authz.Reach `json:"reach,omitempty" enum:"platform,all_orgs"`
		Permissions *[]string    `json:"permissions,omitempty" maxItems:"1000"`
	}
}

type guardBody struct {
	Pattern   string `json:"pattern" maxLength:"200" example:"billing:*"`
	Condition string `json:"condition" maxLength:"4096" example:"context.auth_age < 900"`
	Message   string `json:"message,omitempty" maxLength:"2000"`
}

func (g guardBody) guard() authz.Guard {
	return authz.Guard{Pattern: g.Pattern, Condition: g.Condition, Message: g.Message}
}

func (s *API) globals() {
	tags := []string{"Roles and permissions"}
	operation(s, huma.Operation{Method: "GET", Path: "/api/v1/roles", Summary: "The global roles", Tags: tags}, user|keyed, func(q *call, _ *struct{}) (GlobalRoles, error) {
		list, err := s.app.Authz.GlobalRoles(q, q.caller())
		return GlobalRoles{Items: mapped(list, newGlobalRole)}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: "/api/v1/roles", Summary: "Make a global role", DefaultStatus: http.StatusCreated, Tags: tags}, user|keyed, func(q *call, in *newGlobalIn) (GlobalRole, error) {
		b := in.Body
		r, err := s.app.Authz.CreateGlobalRole(q, q.caller(), authz.GlobalRoleEdit{Name: &b.Name, Reach: &b.Reach, Permissions: &b.Permissions})
		return s.taggedGlobal(q, r, s.changed(q, err))
	})
	operation(s, huma.Operation{Method: "GET", Path: "/api/v1/roles/{role}", Summary: "A global role", Tags: tags}, user|keyed, func(q *call, in *GlobalRef) (GlobalRole, error) {
		r, err := s.app.Authz.GlobalRole(q, q.caller(), in.Role)
		return s.taggedGlobal(q, r, err)
	})
	operation(s, huma.Operation{Method: "PATCH", Path: "/api/v1/roles/{role}", Summary: "Change a global role, from the next check on", Tags: tags}, user|keyed, func(q *call, in *editGlobalIn) (GlobalRole, error) {
		b := in.Body
		r, err := s.app.Authz.UpdateGlobalRole(q, q.caller(), in.Role, authz.GlobalRoleEdit{Name: b.Name, Reach: b.Reach, Permissions: b.Permissions, IfMatch: in.IfMatch})
		return s.taggedGlobal(q, r, s.changed(q, err))
	})
	operation(s, huma.Operation{Method: "DELETE", Path: "/api/v1/roles/{role}", Summary: "Delete a global role nobody holds", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *GlobalRef) (nothing, error) {
		return nothing{}, s.changed(q, s.app.Authz.DeleteGlobalRole(q, q.caller(), in.Role))
	})
	s.guards(tags)
}

func (s *API) taggedGlobal(q *call, r authz.GlobalRole, err error) (GlobalRole, error) {
	if err == nil {
		q.w.Header().Set("ETag", r.ETag())
	}
	return newGlobalRole(r), err
}

// GuardRef names a guard.
type GuardRef struct {
	ID string `path:"id" maxLength:"100"`
}

type newGuardIn struct{ Body guardBody }

type orgGuardRef struct {
	OrgRef
	GuardRef
}

type newOrgGuardIn struct {
	OrgRef
	Body guardBody
}

func (s *API) guards(tags []string) {
	operation(s, huma.Operation{Method: "GET", Path: "/api/v1/guards", Summary: "The conditions that must hold everywhere", Tags: tags}, user|keyed, func(q *call, _ *struct{}) (Guards, error) {
		list, err := s.app.Authz.Guards(q, q.caller())
		return Guards{Items: mapped(list, newGuard)}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: "/api/v1/guards", Summary: "Make a condition that must hold everywhere", DefaultStatus: http.StatusCreated, Tags: tags}, user|keyed, func(q *call, in *newGuardIn) (Guard, error) {
		g, err := s.app.Authz.AddGuard(q, q.caller(), in.Body.guard())
		return newGuard(g), s.changed(q, err)
	})
	operation(s, huma.Operation{Method: "DELETE", Path: "/api/v1/guards/{id}", Summary: "Lift a condition", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *GuardRef) (nothing, error) {
		return nothing{}, s.changed(q, s.app.Authz.RemoveGuard(q, q.caller(), in.ID))
	})
	at := "/api/v1/orgs/{org}/guards"
	operation(s, huma.Operation{Method: "GET", Path: at, Summary: "The conditions that must hold in an organization", Tags: tags}, user|keyed, func(q *call, in *OrgRef) (Guards, error) {
		list, err := s.app.Orgs.Guards(q, q.caller(), in.Org)
		return Guards{Items: mapped(list, newGuard)}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: at, Summary: "Make a condition that must hold in an organization", DefaultStatus: http.StatusCreated, Tags: tags}, user|keyed, func(q *call, in *newOrgGuardIn) (Guard, error) {
		g, err := s.app.Orgs.AddGuard(q, q.caller(), in.Org, in.Body.guard())
		return newGuard(g), s.changed(q, err)
	})
	operation(s, huma.Operation{Method: "DELETE", Path: at + "/{id}", Summary: "Lift a condition of an organization", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *orgGuardRef) (nothing, error) {
		return nothing{}, s.changed(q, s.app.Orgs.RemoveGuard(q, q.caller(), in.Org, in.ID))
	})
}
