package admin

import (
	"net/http"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/pages"
)

// orgsPage is a part of the list of organizations.
type orgsPage struct {
	Orgs  []org.Org
	Asked bool
	More  string
}

// orgPage is an organization, with the members the visitor may see.
type orgPage struct {
	rights
	org.Org
	Members []org.Member
	Hidden  bool // the visitor may not see them
	More    string
}

func (s *admin) mountOrgs(mux *http.ServeMux) {
	s.Handle(mux, "GET /admin/organizations", pages.Person, s.showOrgs)
	s.Handle(mux, "GET /admin/organizations/{org}", pages.Person, s.showOrg)
	for verb, suspended := range map[string]bool{"suspend": true, "reinstate": false} {
		s.Handle(mux, "POST /admin/organizations/{org}/"+verb, pages.Person, func(v *pages.Visit) error {
			o, err := s.app.Orgs.Suspend(v, v.Caller(), v.R.PathValue("org"), suspended)
			switch {
			case err != nil:
				return v.Retry(err, s.showOrg)
			case suspended:
				return v.Tell("org_suspended", atOrgs+"/"+o.ID)
			}
			return v.Tell("org_reinstated", atOrgs+"/"+o.ID)
		})
	}
}

func (s *admin) showOrgs(v *pages.Visit) error {
	after, text := v.Asked("cursor"), v.Asked("q")
	if !id.Valid("org", after) {
		after = ""
	}
	list, err := s.app.Orgs.All(v, v.Caller(), text, after, 50)
	if err != nil {
		return err
	}
	v.Set("q", text)
	return s.show(v, s.orgs, atOrgs, v.T("admin.orgs"), orgsPage{list.Items, text != "", further(atOrgs, list.Next, v.R.URL.Query())})
}

func (s *admin) showOrg(v *pages.Visit) error {
	if err := s.app.Authz.Require(v, v.Caller(), "sys:orgs:read", ""); err != nil {
		return err
	}
	o, err := s.app.Orgs.Find(v, v.Caller(), v.R.PathValue("org"))
	if err != nil {
		return err
	}
	after := v.Asked("cursor")
	if !id.Valid("mem", after) {
		after = ""
	}
	p := orgPage{rights: rights{s, v}, Org: o}
	list, err := s.app.Orgs.Members(v, v.Caller(), o.ID, org.Whom{}, after, 50)
	if p.Hidden = apperr.Of(err).Kind == apperr.Forbidden; err != nil && !p.Hidden {
		return err
	}
	p.Members, p.More = list.Items, further(atOrgs+"/"+o.ID, list.Next, nil)
	return s.show(v, s.org, atOrgs, o.Name, p)
}
