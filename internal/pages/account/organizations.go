package account

import (
	"net/http"
	"strings"

	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/pages"
)

// orgsPage is where somebody belongs.
type orgsPage struct {
	Orgs []oneOrg
	More string
}

type oneOrg struct {
	org.Org
	Roles  string
	Active bool // this session works in it
}

func (s *account) mountOrgs(mux *http.ServeMux) {
	s.Handle(mux, "GET /account/organizations", pages.Person, s.showOrgs)
	s.Handle(mux, "POST /account/organizations", pages.Person, s.createOrg)
	s.Handle(mux, "POST /account/organizations/{org}/switch", pages.Person|pages.Acting, s.switchOrg)
	s.Handle(mux, "POST /account/organizations/{org}/leave", pages.Person, func(v *pages.Visit) error {
		if err := s.app.Orgs.Remove(v, v.Caller(), v.R.PathValue("org"), v.Live.User.ID); err != nil {
			return v.RetryAt("", "", err, s.showOrgs)
		}
		return v.Tell("org_left", atOrgs)
	})
}

func (s *account) showOrgs(v *pages.Visit) error {
	page, err := s.app.Orgs.Mine(v, v.Caller(), v.R.URL.Query().Get("cursor"), 50)
	if err != nil {
		return err
	}
	root, err := s.app.Authz.Root(v)
	if err != nil {
		return err
	}
	p := orgsPage{}
	if page.Next != "" {
		p.More = atOrgs + "?cursor=" + page.Next
	}
	mine := root.OrgsOf(v.Live.User.ID)
	for _, o := range page.Items {
		active := v.Live.Session.OrgID == o.ID || v.Live.Session.OrgID == "" && len(mine) == 1
		p.Orgs = append(p.Orgs, oneOrg{o, strings.Join(root.RoleKeys(o.ID, v.Live.User.ID, v.Now), ", "), active})
	}
	s.shell(v, atOrgs)
	return v.Show(s.orgs, v.T("account.orgs"), p)
}

func (s *account) createOrg(v *pages.Visit) error {
	if _, err := s.app.Orgs.Create(v, v.Caller(), org.New{Name: v.Typed("name")}); err != nil {
		return v.Retry(err, s.showOrgs)
	}
	return v.Tell("org_created", atOrgs)
}

func (s *account) switchOrg(v *pages.Visit) error {
	o, err := s.app.Orgs.Belong(v, v.Live.User.ID, v.R.PathValue("org"))
	if err == nil {
		err = s.app.Sessions.Switch(v, v.Live.User.ID, v.Live.Session.ID, o.ID)
	}
	if err != nil {
		return v.Retry(err, s.showOrgs)
	}
	return v.Tell("org_switched", atOrgs)
}
