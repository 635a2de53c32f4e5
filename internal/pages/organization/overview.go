package organization

import (
	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/org"
)

// overviewPage is what an organization is at a glance.
type overviewPage struct {
	*visit
	Mine                    []badge // the roles of the visitor
	Members, Roles, Invited int
	Steps                   []step
	Undone                  int
	Latest                  []happened // for who may read the log
}

// step is one thing to set up.
type step struct {
	Key, Href string
	Done      bool
}

// latest is how many events of the log stand on the overview.
const latest = 5

// mostCounted is as far as invitations are counted.
const mostCounted = 100

func (s *organization) showOverview(v *visit) error {
	p := overviewPage{visit: v}
	rows, _ := v.root.OrgRows(v.Org.ID)
	p.Members, p.Roles = len(rows.Members), len(rows.Roles)
	if v.May.Belongs {
		m, err := s.app.Orgs.Member(v, v.Caller(), v.Org.ID, v.me())
		if err != nil {
			return err
		}
		p.Mine = v.badges(m.Roles)
	}
	if v.May.Invite {
		list, err := s.app.Orgs.Invitations(v, v.Caller(), v.Org.ID, "", mostCounted)
		if err != nil {
			return err
		}
		p.Invited = len(list.Items)
	}
	if v.May.Audit {
		log, err := s.app.Audit.Search(v, v.Caller(), audit.Filter{Org: v.Org.ID, Brief: true}, "", latest)
		if err != nil {
			return err
		}
		p.Latest = s.told(v, log.Items)
	}
	p.plan()
	return v.show(s.overview, v.Org.Name, "overview", p)
}

// plan is what remains to be set up, of what the visitor may do.
func (p *overviewPage) plan() {
	add := func(key, below string, done, shown bool) {
		if shown {
			p.Steps = append(p.Steps, step{key, p.At + below, done})
		}
		if shown && !done {
			p.Undone++
		}
	}
	add("invite", "/invitations", p.Members > 1 || p.Invited > 0, p.May.Invite)
	add("define", "/roles", p.Roles > 0, p.May.Roles && p.May.CreateRole)
	add("factor", "/settings", p.Org.RequireMFA, p.May.Update)
}

// badge is a role somebody holds, for people.
type badge struct {
	Name  string
	Until string // "" is for good
}

func (v *visit) badges(held []org.Held) []badge {
	list := make([]badge, len(held))
	for i, h := range held {
		list[i] = badge{Name: v.roleName(h.ID, h.Name)}
		if h.ExpiresAt != nil {
			list[i].Until = v.When(*h.ExpiresAt).Exact
		}
	}
	return list
}
