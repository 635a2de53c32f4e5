package organization

import (
	"slices"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/check"
	"github.com/admit-dev/admit/internal/org"
)

// memberPage is one member: what they hold, and what follows from it.
type memberPage struct {
	*visit
	oneMember
	Self    bool
	Choices []choice
	Change  bool // whether the visitor may change the roles
	Can     []ability
	More    bool // than are listed
	Known   bool // whether the visitor may be told
}

// choice is a role that may be given.
type choice struct {
	ID, Name, Until string
	On, Held, Off   bool // Off: the visitor may not give it
}

// ability is a permission somebody has, and by which roles.
type ability struct {
	Name, Title string
	Roles       []string
	Conditional bool
}

func (s *organization) find(v *visit) (oneMember, error) {
	m, err := s.app.Orgs.Member(v, v.Caller(), v.Org.ID, v.R.PathValue("user"))
	return v.newMember(m), err
}

func (s *organization) showMember(v *visit) error {
	m, err := s.find(v)
	if err != nil {
		return err
	}
	p := memberPage{visit: v, oneMember: m, Self: m.User.ID == v.me()}
	p.Change = v.May.Assign || p.Self && len(m.Roles) > 0
	p.Choices = v.choices(m.Roles, v.TypedAll("roles"), v.Form.Values.Has("was"))
	if p.Known = p.Self || v.May.Explain; p.Known {
		if p.Can, p.More, err = s.abilities(v, m.User.ID); err != nil {
			return err
		}
	}
	return v.show(s.member, m.Name, "members", p)
}

// choices is the roles of the organization. Who may see only what somebody holds is shown only that.
func (v *visit) choices(held []org.Held, typed []string, sent bool) (list []choice) {
	hold := v.root.Held(authz.Actor{User: v.me(), Org: v.Org.ID, Now: v.Now, Ceiling: v.Caller().Ceiling})
	rows, _ := v.root.OrgRows(v.Org.ID)
	for _, r := range append(authz.SystemTemplates(), rows.Roles...) {
		c := choice{ID: r.ID, Name: v.roleName(r.ID, r.Name)}
		if i := slices.IndexFunc(held, func(h org.Held) bool { return h.ID == r.ID }); i >= 0 {
			c.Held, c.On = true, true
			if until := held[i].ExpiresAt; until != nil {
				c.Until = v.When(*until).Exact
			}
		} else if !v.May.Roles && r.ID != authz.PlainMember {
			continue
		}
		if sent {
			c.On = slices.Contains(typed, r.ID)
		}
		gives, err := v.root.RoleGrants(v.Org.ID, []string{r.ID})
		c.Off = !c.Held && (err != nil || !authz.CoversAll(hold, gives))
		list = append(list, c)
	}
	return list
}

// mostListed is how many permissions of one person are listed.
const mostListed = 200

func (s *organization) abilities(v *visit, userID string) (list []ability, more bool, err error) {
	found, err := s.app.Checks.WhatCan(v, v.Caller(), check.What{Subject: userID, OrgID: v.Org.ID, Page: check.Page{Limit: mostListed}})
	for _, i := range found.Items {
		p, _ := v.root.Permission(i.ID)
		a := ability{Name: i.ID, Title: p.Title, Conditional: i.Conditional}
		for _, key := range i.Roles {
			a.Roles = append(a.Roles, v.roleCalled(key))
		}
		list = append(list, a)
	}
	return list, found.Next != "", err
}

// roleCalled is what a role of the organization is called, or its key where it is one of the site.
func (v *visit) roleCalled(key string) string {
	if r, ok := v.root.Role(v.Org.ID, key); ok {
		return v.roleName(r.ID, r.Name)
	}
	return key
}

// setRoles gives and takes what was ticked and unticked on the page, whatever somebody else changed in the meantime.
func (s *organization) setRoles(v *visit) error {
	m, err := s.find(v)
	if err != nil {
		return err
	}
	var now []string
	for _, h := range m.Roles {
		now = append(now, h.ID)
	}
	roles := merge(now, v.TypedAll("was"), v.TypedAll("roles"))
	if _, err := s.app.Orgs.SetRoles(v, v.Caller(), v.Org.ID, m.User.ID, roles, nil); err != nil {
		return v.again(err, s.showMember)
	}
	if m.User.ID == v.me() && !v.May.Members {
		return v.Tell("org_saved", v.At)
	}
	return v.Tell("org_saved", v.At+"/members/"+m.User.ID)
}

// merge makes of what holds now what somebody wanted who saw before and left after.
func merge(now, before, after []string) []string {
	list := []string{}
	for _, one := range append(slices.Clone(now), after...) {
		wanted := slices.Contains(after, one) || !slices.Contains(before, one)
		kept := slices.Contains(now, one) || !slices.Contains(before, one)
		if wanted && kept && !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}

func (s *organization) rest(v *visit) error {
	suspend := v.Typed("suspended") == "true"
	m, err := s.app.Orgs.Rest(v, v.Caller(), v.Org.ID, v.R.PathValue("user"), suspend)
	if err != nil {
		return v.again(err, s.showMember)
	}
	word := "org_reinstated"
	if suspend {
		word = "org_suspended"
	}
	return v.Tell(word, v.At+"/members/"+m.User.ID)
}

func (s *organization) showRemove(v *visit) error {
	m, err := s.find(v)
	if err != nil {
		return err
	}
	p := memberPage{visit: v, oneMember: m, Self: m.User.ID == v.me()}
	if p.Known = p.Self || v.May.Explain; p.Known {
		if p.Can, p.More, err = s.abilities(v, m.User.ID); err != nil {
			return err
		}
	}
	title := v.T("org_member.remove_title", "Name", m.Name)
	if p.Self {
		title = v.T("org_member.leave_title", "Org", v.Org.Name)
	}
	return v.show(s.leave, title, "members", p)
}

func (s *organization) remove(v *visit) error {
	userID := v.R.PathValue("user")
	if err := s.app.Orgs.Remove(v, v.Caller(), v.Org.ID, userID); err != nil {
		return v.again(err, s.showRemove)
	}
	if userID == v.me() {
		return v.Tell("org_left", "/account/organizations")
	}
	return v.Tell("org_removed", v.At+"/members")
}

func (s *organization) showTransfer(v *visit) error {
	m, err := s.find(v)
	if err != nil {
		return err
	}
	return v.show(s.heir, v.T("org_member.transfer_title", "Name", m.Name), "members", memberPage{visit: v, oneMember: m})
}

func (s *organization) transfer(v *visit) error {
	if _, err := s.app.Orgs.Transfer(v, v.Caller(), v.Org.ID, v.R.PathValue("user")); err != nil {
		return v.again(err, s.showTransfer)
	}
	return v.Tell("org_handed_over", v.At)
}
