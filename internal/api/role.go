package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/org"
)

// Role is a role of an organization.
type Role struct {
	ID          string    `json:"id" doc:"rol_…"`
	Key         string    `json:"key" doc:"Its name as clients and conditions know it."`
	Name        string    `json:"name"`
	Base        *string   `json:"base" doc:"The built-in role it adds to, or null."`
	System      bool      `json:"system" doc:"Whether it is built in, and cannot be changed."`
	Permissions []string  `json:"permissions" doc:"Patterns such as jobs:post or jobs:*, each with a condition behind the word if, where it has one."`
	Members     int64     `json:"members" doc:"How many hold it."`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// Roles is every role of an organization.
type Roles struct {
	Items      []Role  `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

func newRole(r org.Role) Role {
	return Role{r.ID, r.Key, r.Name, next(r.Base), r.System, mapped(r.Grants, authz.Grant.String), r.Members, r.CreatedAt, r.UpdatedAt}
}

// RoleRef names a role of an organization.
type RoleRef struct {
	OrgRef
	Role string `path:"role" maxLength:"100" doc:"The id or the key of a role."`
}

type newRoleIn struct {
	OrgRef
	Body struct {
		Name        string   `json:"name" maxLength:"200" example:"Recruiter"`
		Base        *string  `json:"base,omitempty" maxLength:"100" doc:"A built-in role it adds to."`
		Permissions []string `json:"permissions" maxItems:"1000" example:"[\"post_job\"]"`
	}
}

type editRoleIn struct {
	RoleRef
	IfMatch string `header:"If-Match" doc:"The ETag of the role you read. Needed to replace the permissions."`
	Body    struct {
		Name        *string   `json:"name,omitempty" maxLength:"200"`
		Base        *string   `json:"base,omitempty" maxLength:"100" doc:"Empty takes it away."`
		Permissions *[]string `json:"permissions,omitempty" maxItems:"1000"`
	}
}

type permissionsIn struct {
	RoleRef
	IfMatch string `header:"If-Match" doc:"The ETag of the role you read."`
	Body    struct {
		Permissions []string `json:"permissions" maxItems:"1000" doc:"Exactly these patterns."`
	}
}

func (s *API) roles() {
	tags := []string{"Organizations"}
	at := "/api/v1/orgs/{org}/roles"
	operation(s, huma.Operation{Method: "GET", Path: at, Summary: "Its roles", Tags: tags}, user|keyed, func(q *call, in *OrgRef) (Roles, error) {
		list, err := s.app.Orgs.Roles(q, q.caller(), in.Org)
		return Roles{Items: mapped(list, newRole)}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: at, Summary: "Make a role of your own", DefaultStatus: http.StatusCreated, Tags: tags}, user|keyed, func(q *call, in *newRoleIn) (Role, error) {
		r, err := s.app.Orgs.CreateRole(q, q.caller(), in.Org, org.RoleEdit{Name: &in.Body.Name, Base: in.Body.Base, Permissions: &in.Body.Permissions})
		return s.tagged(q, r, s.changed(q, err))
	})
	operation(s, huma.Operation{Method: "GET", Path: at + "/{role}", Summary: "One of its roles", Tags: tags}, user|keyed, func(q *call, in *RoleRef) (Role, error) {
		r, err := s.app.Orgs.Role(q, q.caller(), in.Org, in.Role)
		return s.tagged(q, r, err)
	})
	operation(s, huma.Operation{Method: "PATCH", Path: at + "/{role}", Summary: "Change a role", Tags: tags}, user|keyed, func(q *call, in *editRoleIn) (Role, error) {
		r, err := s.app.Orgs.UpdateRole(q, q.caller(), in.Org, in.Role, org.RoleEdit{Name: in.Body.Name, Base: in.Body.Base, Permissions: in.Body.Permissions, IfMatch: in.IfMatch})
		return s.tagged(q, r, s.changed(q, err))
	})
	operation(s, huma.Operation{Method: "PUT", Path: at + "/{role}/permissions", Summary: "Replace what a role permits, from the next check on", Tags: tags}, user|keyed, func(q *call, in *permissionsIn) (Role, error) {
		r, err := s.app.Orgs.UpdateRole(q, q.caller(), in.Org, in.Role, org.RoleEdit{Permissions: &in.Body.Permissions, IfMatch: in.IfMatch})
		return s.tagged(q, r, s.changed(q, err))
	})
	operation(s, huma.Operation{Method: "DELETE", Path: at + "/{role}", Summary: "Delete a role nobody holds", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *RoleRef) (nothing, error) {
		return nothing{}, s.changed(q, s.app.Orgs.DeleteRole(q, q.caller(), in.Org, in.Role))
	})
}

// tagged answers a role with its version, so that whoever changes it next can say which one they read.
func (s *API) tagged(q *call, r org.Role, err error) (Role, error) {
	if err == nil {
		q.w.Header().Set("ETag", r.ETag())
	}
	return newRole(r), err
}
