package api

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/authz"
)

// Permission is an entry of the catalogue.
type Permission struct {
	Name        string  `json:"name" example:"post_job"`
	Title       string  `json:"title" doc:"What people read."`
	Description string  `json:"description"`
	App         string  `json:"app" doc:"Who declared it; admit for what is built in."`
	Scope       *string `json:"scope" doc:"org or global where it is asked only there, null where it is asked in both."`
	Sensitive   bool    `json:"sensitive"`
	Deprecated  bool    `json:"deprecated"`
	AliasOf     *string `json:"alias_of"`
}

// Permissions is the catalogue.
type Permissions struct {
	Items      []Permission `json:"items"`
	NextCursor *string      `json:"next_cursor"`
}

type declareIn struct {
	Body struct {
		App         string `json:"app,omitempty" maxLength:"48" default:"app" doc:"Whose permissions these are. Those of other apps stay."`
		Permissions []struct {
			Name        string `json:"name" maxLength:"200" example:"post_job"`
			Title       string `json:"title,omitempty" maxLength:"1000" example:"Post a job"`
			Description string `json:"description,omitempty" maxLength:"5000"`
			Sensitive   bool   `json:"sensitive,omitempty"`
			Deprecated  bool   `json:"deprecated,omitempty"`
			AliasOf     string `json:"alias_of,omitempty" maxLength:"200"`
		} `json:"permissions" maxItems:"2000"`
		Force bool `json:"force,omitempty" doc:"Also remove what a role still names."`
	}
}

// Declared is what a manifest has changed.
type Declared struct {
	Added   []string `json:"added"`
	Changed []string `json:"changed"`
	Removed []string `json:"removed"`
}

func (s *API) permissions() {
	tags := []string{"Roles and permissions"}
	operation(s, huma.Operation{Method: "GET", Path: "/api/v1/permissions", Summary: "Everything that can be asked about", Tags: tags}, user|keyed, func(q *call, _ *struct{}) (Permissions, error) {
		root, err := s.app.Authz.Root(q)
		if err != nil {
			return Permissions{}, err
		}
		return Permissions{Items: mapped(root.Catalogue(), newPermission)}, nil
	})
	operation(s, huma.Operation{Method: "PUT", Path: "/api/v1/permissions", Summary: "Declare the permissions of an app: exactly these", Tags: tags}, user|keyed, s.declarePermissions)
}

func newPermission(p authz.Permission) Permission {
	return Permission{p.Name, p.Title, p.Description, p.App, next(string(p.Scope)), p.Sensitive, p.Deprecated, next(p.AliasOf)}
}

func (s *API) declarePermissions(q *call, in *declareIn) (Declared, error) {
	m := authz.Manifest{App: in.Body.App, Whole: true, Force: in.Body.Force}
	for _, p := range in.Body.Permissions {
		m.Permissions = append(m.Permissions, authz.Permission{Name: p.Name, Title: p.Title, Description: p.Description, Sensitive: p.Sensitive, Deprecated: p.Deprecated, AliasOf: p.AliasOf})
	}
	out, err := s.app.Authz.Declare(q, q.caller(), m)
	same := func(s string) string { return s }
	return Declared{mapped(out.Added, same), mapped(out.Changed, same), mapped(out.Removed, same)}, s.changed(q, err)
}
