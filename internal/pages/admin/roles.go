package admin

import (
	"errors"
	"net/http"
	"strings"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/pages"
)

// rolesPage is the global roles.
type rolesPage struct {
	rights
	Roles []authz.GlobalRole
}

// rolePage is a global role that is looked at or changed, or one that is made.
type rolePage struct {
	rights
	authz.GlobalRole
	New     bool
	Reaches []pages.Option
	Chosen  string
	Names   []authz.Permission // to choose from
	Stale   bool               // what is saved is other than what the form was made from
}

// Lines is what the role gives, one permission or pattern a line.
func (p rolePage) Lines() string {
	lines := make([]string, len(p.Grants))
	for i, g := range p.Grants {
		lines[i] = g.String()
	}
	return strings.Join(lines, "\n")
}

// permissionsPage is the catalogue.
type permissionsPage struct {
	rights
	Apps []permissionsOfApp
}

type permissionsOfApp struct {
	App         string
	Permissions []authz.Permission
}

func (s *admin) mountRoles(mux *http.ServeMux) {
	s.Handle(mux, "GET /admin/roles", pages.Person, s.showRoles)
	s.Handle(mux, "GET /admin/roles/new", pages.Person, s.showNewRole)
	s.Handle(mux, "POST /admin/roles/new", pages.Person, s.createRole)
	s.Handle(mux, "GET /admin/roles/{role}", pages.Person, s.showRole)
	s.Handle(mux, "POST /admin/roles/{role}", pages.Person, s.changeRole)
	s.Handle(mux, "POST /admin/roles/{role}/delete", pages.Person, func(v *pages.Visit) error {
		if err := s.app.Authz.DeleteGlobalRole(v, v.Caller(), v.R.PathValue("role")); err != nil {
			return v.RetryAt("", "", err, s.showRole)
		}
		return v.Tell("role_deleted", atRoles)
	})
	s.Handle(mux, "GET /admin/permissions", pages.Person, s.showPermissions)
	s.Handle(mux, "POST /admin/permissions", pages.Person, s.declare)
}

func (s *admin) showRoles(v *pages.Visit) error {
	list, err := s.app.Authz.GlobalRoles(v, v.Caller())
	if err != nil {
		return err
	}
	return s.show(v, s.roles, atRoles, v.T("admin.roles"), rolesPage{rights{s, v}, list})
}

func (s *admin) showNewRole(v *pages.Visit) error {
	if err := s.app.Authz.Require(v, v.Caller(), authz.RolesCreate, ""); err != nil {
		return err
	}
	return s.showRoleAs(v, rolePage{New: true, GlobalRole: authz.GlobalRole{Reach: authz.ReachPlatform}}, v.T("admin-roles.create"))
}

func (s *admin) showRole(v *pages.Visit) error {
	r, err := s.app.Authz.GlobalRole(v, v.Caller(), v.R.PathValue("role"))
	if err != nil {
		return err
	}
	p := rolePage{GlobalRole: r, Stale: v.Form.Values.Has("match") && v.Typed("match") != r.ETag()}
	if p.Stale {
		v.Form.Values.Set("match", r.ETag()) // whoever sends the form once more has seen what was saved meanwhile
	}
	v.Set("name", r.Name)
	v.Set("match", r.ETag())
	v.Set("permissions", p.Lines())
	return s.showRoleAs(v, p, r.Name)
}

func (s *admin) showRoleAs(v *pages.Visit, p rolePage, title string) error {
	root, err := s.app.Authz.Root(v)
	if err != nil {
		return err
	}
	p.rights, p.Names, p.Chosen = rights{s, v}, root.Catalogue(), string(p.Reach)
	if reach := v.Typed("reach"); reach != "" {
		p.Chosen = reach
	}
	p.Reaches = []pages.Option{{Value: string(authz.ReachPlatform), Label: v.T("admin-roles.platform")}, {Value: string(authz.ReachAllOrgs), Label: v.T("admin-roles.all_orgs")}}
	return s.show(v, s.role, atRoles, title, p)
}

// typedRole is what was typed of a role, with its permissions one a line.
func typedRole(v *pages.Visit) authz.GlobalRoleEdit {
	name, reach, grants := v.Typed("name"), authz.Reach(v.Typed("reach")), []string{}
	for line := range strings.Lines(v.Typed("permissions")) {
		if line = strings.TrimSpace(line); line != "" {
			grants = append(grants, line)
		}
	}
	return authz.GlobalRoleEdit{Name: &name, Reach: &reach, Permissions: &grants, IfMatch: v.Typed("match")}
}

func (s *admin) createRole(v *pages.Visit) error {
	r, err := s.app.Authz.CreateGlobalRole(v, v.Caller(), typedRole(v))
	if err != nil {
		return v.Retry(err, s.showNewRole)
	}
	return v.Tell("saved", atRoles+"/"+r.Key)
}

func (s *admin) changeRole(v *pages.Visit) error {
	key := v.R.PathValue("role")
	_, err := s.app.Authz.UpdateGlobalRole(v, v.Caller(), key, typedRole(v))
	if errors.Is(err, authz.ErrRoleStale) {
		return v.RetryAt("", v.T("admin-roles.stale"), err, s.showRole)
	}
	if err != nil {
		return v.Retry(err, s.showRole)
	}
	return v.Tell("saved", atRoles+"/"+key)
}

func (s *admin) showPermissions(v *pages.Visit) error {
	if err := s.app.Authz.Require(v, v.Caller(), "sys:permissions:read", ""); err != nil {
		return err
	}
	root, err := s.app.Authz.Root(v)
	if err != nil {
		return err
	}
	p := permissionsPage{rights: rights{s, v}}
	place := map[string]int{}
	for _, one := range root.Catalogue() {
		i, known := place[one.App]
		if !known {
			i, place[one.App] = len(p.Apps), len(p.Apps)
			p.Apps = append(p.Apps, permissionsOfApp{App: one.App})
		}
		p.Apps[i].Permissions = append(p.Apps[i].Permissions, one)
	}
	return s.show(v, s.permissions, atPermissions, v.T("admin.permissions"), p)
}

// declare adds one permission to those of an app.
func (s *admin) declare(v *pages.Visit) error {
	m := authz.Manifest{App: v.Typed("app"), Permissions: []authz.Permission{{Name: v.Typed("name"), Title: v.Typed("title"), Sensitive: v.Typed("sensitive") == "true"}}}
	if _, err := s.app.Authz.Declare(v, v.Caller(), m); err != nil {
		return v.Retry(err, s.showPermissions)
	}
	return v.Tell("permission_declared", atPermissions)
}
