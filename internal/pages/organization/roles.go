package organization

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/check"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/pages"
)

func (s *organization) mountRoles(mux *http.ServeMux) {
	s.page(mux, "GET /org/{org}/roles", 0, s.showMatrix)
	s.page(mux, "POST /org/{org}/roles", 0, s.changeRoles)
	s.page(mux, "GET /org/{org}/roles/new", 0, s.showNewRole)
	s.page(mux, "POST /org/{org}/roles/new", 0, s.createRole)
	s.page(mux, "GET /org/{org}/roles/{role}", 0, s.showRole)
	s.page(mux, "POST /org/{org}/roles/{role}", 0, s.renameRole)
	s.page(mux, "POST /org/{org}/roles/{role}/delete", 0, s.deleteRole)
}

// reviewPage is what a change of roles would do, before anything is saved.
type reviewPage struct {
	*visit
	Roles []reviewed
	effect
}

// reviewed is a role that is to be other.
type reviewed struct {
	column
	Added, Taken []string
}

// changeRoles is the form of the matrix: what was chosen is shown again, reviewed, or saved.
func (s *organization) changeRoles(v *visit) error {
	do := v.Typed("do")
	if do != "review" && do != "save" {
		return s.showMatrix(v)
	}
	columns, err := s.draft(v)
	if err != nil {
		return err
	}
	var changed []reviewed
	var stale []string
	for _, c := range columns {
		added, taken := c.changed()
		if len(added)+len(taken) == 0 {
			continue
		}
		changed = append(changed, reviewed{c, added, taken})
		if v.Typed("etag."+c.ID) != c.ETag() {
			stale = append(stale, c.Title)
		}
	}
	switch {
	case len(stale) > 0:
		return v.RetryAt("", v.T("org_roles.stale", "Names", strings.Join(stale, ", ")), authz.ErrRoleStale, func(*pages.Visit) error { return s.showMatrix(v) })
	case len(changed) == 0:
		return v.refuse("", v.T("org_roles.nothing"), s.showMatrix)
	case do == "review":
		return s.review(v, changed)
	}
	return s.saveRoles(v, changed)
}

func (s *organization) review(v *visit, changed []reviewed) error {
	p := reviewPage{visit: v, Roles: changed}
	var changes []check.Change
	for _, r := range changed {
		changes = append(changes, check.Change{Type: "role_permissions", OrgID: v.Org.ID, Role: r.ID, Permissions: r.Chosen})
	}
	var err error
	if p.effect, err = s.try(v, changes); err != nil {
		return v.again(err, s.showMatrix)
	}
	return v.show(s.reviewed, v.T("org_roles.review"), "roles", p)
}

// saveRoles changes one role after the other, each only if it is still as it was read.
func (s *organization) saveRoles(v *visit, changed []reviewed) error {
	var saved []string
	for _, r := range changed {
		_, err := s.app.Orgs.UpdateRole(v, v.Caller(), v.Org.ID, r.ID, org.RoleEdit{Permissions: &r.Chosen, IfMatch: r.ETag()})
		if err != nil && len(saved) > 0 {
			words := v.T("org_roles.partly", "Names", strings.Join(saved, ", ")) + " " + v.Told(err)
			return v.RetryAt("", words, err, func(*pages.Visit) error { return s.showMatrix(v) })
		}
		if err != nil {
			return v.again(err, s.showMatrix)
		}
		saved = append(saved, r.Title)
	}
	return v.Tell("org_saved", v.At+"/roles")
}

// rolePage is one role, or one to be.
type rolePage struct {
	*visit
	column
	From  string
	Bases []pages.Option
	Froms []pages.Option
}

func (s *organization) showNewRole(v *visit) error {
	columns, err := s.draft(v)
	if err != nil {
		return err
	}
	p := rolePage{visit: v, Bases: v.bases(), Froms: []pages.Option{{Value: "", Label: v.T("org_roles.from_nothing")}}}
	for _, c := range columns {
		p.Froms = append(p.Froms, pages.Option{Value: c.ID, Label: c.Title})
	}
	v.Set("from", v.Asked("from"))
	p.From = v.Typed("from")
	return v.show(s.newRole, v.T("org_roles.new"), "roles", p)
}

// bases is the built-in roles that another can add to, and none.
func (v *visit) bases() []pages.Option {
	list := []pages.Option{{Value: "", Label: v.T("org_roles.no_base")}}
	for _, c := range v.choices(nil, nil, false) {
		if r, _ := v.root.Role(v.Org.ID, c.ID); r.System && !c.Off {
			list = append(list, pages.Option{Value: c.ID, Label: c.Name})
		}
	}
	return list
}

func (s *organization) createRole(v *visit) error {
	name, base, grants := v.Typed("name"), v.Typed("base"), []string{}
	if from := v.Typed("from"); from != "" {
		r, err := s.app.Orgs.Role(v, v.Caller(), v.Org.ID, from)
		if err != nil {
			return v.again(err, s.showNewRole)
		}
		grants = texts(r.Grants)
	}
	r, err := s.app.Orgs.CreateRole(v, v.Caller(), v.Org.ID, org.RoleEdit{Name: &name, Base: &base, Permissions: &grants})
	if err != nil {
		return v.again(err, s.showNewRole)
	}
	return v.Tell("org_role_made", v.At+"/roles?role="+r.ID)
}

func (s *organization) showRole(v *visit) error {
	columns, err := s.draft(v)
	if err != nil {
		return err
	}
	ref := v.R.PathValue("role")
	i := slices.IndexFunc(columns, func(c column) bool { return c.ID == ref || c.Key == ref })
	if i < 0 {
		return authz.ErrRoleUnknown
	}
	p := rolePage{visit: v, column: columns[i], Bases: v.bases()}
	v.Set("name", p.Name)
	v.Set("base", p.Base)
	return v.show(s.role, p.Title, "roles", p)
}

func (s *organization) renameRole(v *visit) error {
	name, base := v.Typed("name"), v.Typed("base")
	role := v.R.PathValue("role")
	_, err := s.app.Orgs.UpdateRole(v, v.Caller(), v.Org.ID, role, org.RoleEdit{Name: &name, Base: &base, IfMatch: v.Typed("etag")})
	if err != nil {
		return v.again(err, s.showRole)
	}
	return v.Tell("org_saved", v.At+"/roles?role="+role)
}

func (s *organization) deleteRole(v *visit) error {
	err := s.app.Orgs.DeleteRole(v, v.Caller(), v.Org.ID, v.R.PathValue("role"))
	if errors.Is(err, authz.ErrRoleHeld) {
		return v.again(err, s.showRole)
	}
	if err != nil {
		return err
	}
	return v.Tell("org_role_deleted", v.At+"/roles")
}
