package organization

import (
	"net/http"

	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/pages"
)

func (s *organization) mountSettings(mux *http.ServeMux) {
	s.page(mux, "GET /org/{org}/settings", 0, s.showSettings)
	s.page(mux, "POST /org/{org}/settings", 0, func(v *visit) error {
		name, slug := v.Typed("name"), v.Typed("slug")
		o, err := s.app.Orgs.Update(v, v.Caller(), v.Org.ID, org.Edit{Name: &name, Slug: &slug})
		if err != nil {
			return v.again(err, s.showSettings)
		}
		return v.Tell("org_saved", "/org/"+o.Slug+"/settings")
	})
	s.page(mux, "POST /org/{org}/settings/factor", pages.Fresh, func(v *visit) error {
		required := v.Typed("required") == "true"
		if _, err := s.app.Orgs.Update(v, v.Caller(), v.Org.ID, org.Edit{RequireMFA: &required}); err != nil {
			return v.RetryAt("", "", err, func(*pages.Visit) error { return s.showSettings(v) })
		}
		return v.Tell("org_saved", v.At+"/settings")
	})
	s.page(mux, "GET /org/{org}/delete", pages.Fresh, s.showDelete)
	s.page(mux, "POST /org/{org}/delete", pages.Fresh, s.deleteOrg)
}

func (s *organization) showSettings(v *visit) error {
	if err := s.app.Authz.Require(v, v.Caller(), "sys:org:update", v.Org.ID); err != nil {
		return err
	}
	v.Set("name", v.Org.Name)
	v.Set("slug", v.Org.Slug)
	return v.show(s.settings, v.T("org.settings"), "settings", v)
}

// deletePage is what goes with an organization.
type deletePage struct {
	*visit
	Members int
}

func (s *organization) showDelete(v *visit) error {
	if err := s.app.Authz.Require(v, v.Caller(), "sys:org:delete", v.Org.ID); err != nil {
		return err
	}
	rows, _ := v.root.OrgRows(v.Org.ID)
	return v.show(s.remnants, v.T("org_settings.delete_title", "Org", v.Org.Name), "settings", deletePage{v, len(rows.Members)})
}

func (s *organization) deleteOrg(v *visit) error {
	if v.Typed("confirm") != v.Org.Name {
		return v.refuse("confirm", v.T("need.confirm"), s.showDelete)
	}
	if err := s.app.Orgs.Delete(v, v.Caller(), v.Org.ID); err != nil {
		return err
	}
	return v.Tell("org_deleted", "/account/organizations")
}
