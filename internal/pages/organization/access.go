package organization

import (
	"encoding/json"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/check"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/pages"
)

// accessPage asks whether somebody may do something, and says why.
type accessPage struct {
	*visit
	Permissions []pages.Option
	People      []pages.Option
	Answer      *check.Explanation
	Name, Title string // of who was asked about, and of the permission
	Why         string
}

// mostOffered is how many people are offered to choose from; others are typed.
const mostOffered = 100

func (s *organization) showAccess(v *visit) error {
	for _, field := range []string{"person", "permission", "resource"} {
		v.Set(field, v.Asked(field))
	}
	if v.Typed("permission") == "" {
		return s.ask(v, accessPage{})
	}
	q := check.Question{Subject: v.me(), OrgID: v.Org.ID, Permission: v.Typed("permission")}
	p := accessPage{Name: pages.NameOf(v.Live.User)}
	if person := v.Typed("person"); person != "" && v.May.Explain {
		var ok bool
		if q.Subject, p.Name, ok = s.meant(v, person); !ok {
			return v.refuse("person", v.T("org_access.nobody"), func(*visit) error { return s.ask(v, accessPage{}) })
		}
	}
	if text := v.Typed("resource"); text != "" {
		if err := json.Unmarshal([]byte(text), &q.Resource); err != nil {
			return v.refuse("resource", v.T("org_access.not_json"), func(*visit) error { return s.ask(v, accessPage{}) })
		}
	}
	round, err := s.app.Checks.Begin(v, v.Caller(), "")
	if err != nil {
		return err
	}
	answer, err := round.Explain(q)
	if err != nil {
		return v.again(err, func(*visit) error { return s.ask(v, accessPage{}) })
	}
	p.Answer, p.Why, p.Title = &answer, v.T("org_why."+string(answer.Code)), answer.Permission
	if known, _ := v.root.Permission(answer.Permission); known.Title != "" {
		p.Title = known.Title
	}
	return s.ask(v, p)
}

// meant is the member who is typed by id, address or username.
func (s *organization) meant(v *visit, typed string) (userID, name string, ok bool) {
	found, err := s.app.Orgs.Members(v, v.Caller(), v.Org.ID, org.Whom{Text: typed}, "", mostOffered)
	for _, m := range found.Items {
		if u := m.User; err == nil && (u.ID == typed || u.Email == typed || u.Username == typed) {
			return u.ID, pages.NameOf(u), true
		}
	}
	return typed, typed, id.Valid("usr", typed)
}

func (s *organization) ask(v *visit, p accessPage) error {
	p.visit = v
	for _, one := range v.root.Catalogue() {
		if one.AliasOf == "" && one.Scope != authz.ScopeGlobal {
			p.Permissions = append(p.Permissions, pages.Option{Value: one.Name, Label: one.Title})
		}
	}
	if v.May.Explain && v.May.Members {
		list, err := s.app.Orgs.Members(v, v.Caller(), v.Org.ID, org.Whom{}, "", mostOffered)
		if err != nil {
			return err
		}
		for _, m := range list.Items {
			if m.User.Email != "" {
				p.People = append(p.People, pages.Option{Value: m.User.Email, Label: m.User.Name})
			}
		}
	}
	return v.show(s.access, v.T("org.access"), "access", p)
}
