package organization

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/pages"
)

// membersPage is who belongs to an organization.
type membersPage struct {
	*visit
	Text, Role  string
	Roles       []pages.Option // to filter by
	List        []oneMember
	More, Table string // addresses of the next part, and of the table
}

type oneMember struct {
	org.Member
	Name, Hint string
	Held       []badge
}

func (s *organization) mountMembers(mux *http.ServeMux) {
	s.page(mux, "GET /org/{org}/members", 0, s.showMembers)
	s.page(mux, "GET /org/{org}/members.csv", 0, s.writeMembers)
	s.page(mux, "GET /org/{org}/members/{user}", 0, s.showMember)
	s.page(mux, "POST /org/{org}/members/{user}/roles", 0, s.setRoles)
	s.page(mux, "POST /org/{org}/members/{user}/rest", 0, s.rest)
	s.page(mux, "GET /org/{org}/members/{user}/remove", 0, s.showRemove)
	s.page(mux, "POST /org/{org}/members/{user}/remove", 0, s.remove)
	s.page(mux, "GET /org/{org}/members/{user}/transfer", pages.Fresh, s.showTransfer)
	s.page(mux, "POST /org/{org}/members/{user}/transfer", pages.Fresh, s.transfer)
}

// shownAtOnce is how long a part of a list is.
const shownAtOnce = 50

// cursor is where a list goes on, "" for anything that is no place in it.
func (v *visit) cursor(prefix string) string {
	if at := v.Asked("cursor"); id.Valid(prefix, at) {
		return at
	}
	return ""
}

func (s *organization) showMembers(v *visit) error {
	p := membersPage{visit: v, Text: v.Asked("q"), Role: v.Asked("role")}
	page, err := s.app.Orgs.Members(v, v.Caller(), v.Org.ID, org.Whom{Text: p.Text, Role: p.Role}, v.cursor("mem"), shownAtOnce)
	if err != nil {
		return err
	}
	for _, m := range page.Items {
		p.List = append(p.List, v.newMember(m))
	}
	filter := url.Values{"q": {p.Text}, "role": {p.Role}}
	p.Table = pages.With(v.At+"/members.csv", filter)
	if page.Next != "" {
		p.More = pages.With(v.At+"/members", url.Values{"q": {p.Text}, "role": {p.Role}, "cursor": {page.Next}})
	}
	p.Roles = []pages.Option{{Value: "", Label: v.T("org_members.any_role")}}
	rows, _ := v.root.OrgRows(v.Org.ID)
	for _, r := range append(authz.SystemTemplates(), rows.Roles...) {
		p.Roles = append(p.Roles, pages.Option{Value: r.ID, Label: v.roleName(r.ID, r.Name)})
	}
	return v.show(s.members, v.T("org.members"), "members", p)
}

func (v *visit) newMember(m org.Member) oneMember {
	one := oneMember{Member: m, Name: pages.NameOf(m.User), Held: v.badges(m.Roles)}
	for _, hint := range []string{m.User.Email, m.User.Username} {
		if hint != "" && hint != one.Name {
			one.Hint = hint
			break
		}
	}
	return one
}

// writeMembers sends the whole list as a table.
func (s *organization) writeMembers(v *visit) error {
	whom := org.Whom{Text: v.Asked("q"), Role: v.Asked("role")}
	var out *csv.Writer
	for after := ""; ; {
		page, err := s.app.Orgs.Members(v, v.Caller(), v.Org.ID, whom, after, 500)
		if err != nil {
			return err
		}
		if out == nil {
			v.W.Header().Set("Content-Type", "text/csv; charset=utf-8")
			v.W.Header().Set("Content-Disposition", `attachment; filename="members-`+v.Org.Slug+`.csv"`)
			out = csv.NewWriter(v.W)
			out.UseCRLF = true // RFC 4180
			_ = out.Write([]string{"user_id", "name", "email", "username", "roles", "suspended", "since"})
		}
		for _, m := range page.Items {
			var roles []string
			for _, h := range m.Roles {
				roles = append(roles, h.Key)
			}
			suspended := ""
			if m.SuspendedAt != nil {
				suspended = m.SuspendedAt.UTC().Format(time.RFC3339)
			}
			cells := []string{m.User.ID, m.User.Name, m.User.Email, m.User.Username, strings.Join(roles, " "), suspended, m.CreatedAt.UTC().Format(time.RFC3339)}
			for i, c := range cells {
				cells[i] = audit.Harmless(c)
			}
			_ = out.Write(cells)
		}
		if after = page.Next; after == "" {
			out.Flush()
			return nil
		}
	}
}
