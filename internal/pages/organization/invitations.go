package organization

import (
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/pages"
)

// invitationsPage is who was asked to join, and a form to ask more.
type invitationsPage struct {
	*visit
	Choices []choice
	Sent    []string // the addresses of this request that were invited
	Failed  []line
	List    []oneInvitation
	More    string
}

// line is an address that could not be invited, and why.
type line struct{ Address, Why string }

type oneInvitation struct {
	org.Invitation
	Roles   []string
	Inviter string
	Again   bool // it was sent more than once
}

func (s *organization) mountInvitations(mux *http.ServeMux) {
	s.page(mux, "GET /org/{org}/invitations", 0, s.showInvitations)
	s.page(mux, "POST /org/{org}/invitations", pages.Limited, s.invite)
	s.page(mux, "POST /org/{org}/invitations/{id}/resend", pages.Limited, func(v *visit) error {
		if _, err := s.app.Orgs.Resend(v, v.Caller(), v.Org.ID, v.R.PathValue("id")); err != nil {
			return v.again(err, s.showInvitations)
		}
		return v.Tell("org_resent", v.At+"/invitations")
	})
	s.page(mux, "POST /org/{org}/invitations/{id}/revoke", 0, func(v *visit) error {
		if err := s.app.Orgs.Revoke(v, v.Caller(), v.Org.ID, v.R.PathValue("id")); err != nil {
			return v.again(err, s.showInvitations)
		}
		return v.Tell("org_revoked", v.At+"/invitations")
	})
}

func (s *organization) showInvitations(v *visit) error {
	return s.showInvited(v, invitationsPage{})
}

func (s *organization) showInvited(v *visit, p invitationsPage) error {
	p.visit = v
	page, err := s.app.Orgs.Invitations(v, v.Caller(), v.Org.ID, v.cursor("inv"), shownAtOnce)
	if err != nil {
		return err
	}
	for _, i := range page.Items {
		one := oneInvitation{Invitation: i, Inviter: s.nameOf(v, i.InvitedBy), Again: i.SentAt.After(i.CreatedAt)}
		for _, r := range i.Roles {
			one.Roles = append(one.Roles, v.roleCalled(r))
		}
		p.List = append(p.List, one)
	}
	if page.Next != "" {
		p.More = v.At + "/invitations?cursor=" + page.Next
	}
	chosen := v.TypedAll("roles")
	if !v.Form.Values.Has("emails") {
		chosen = []string{authz.PlainMember}
	}
	p.Choices = v.choices(nil, chosen, true)
	return v.show(s.invitations, v.T("org.invitations"), "invitations", p)
}

// nameOf is what a member is called; who is none, or may not be seen, has no name here.
func (s *organization) nameOf(v *visit, userID string) string {
	if !v.May.Members || userID == "" {
		return ""
	}
	m, err := s.app.Orgs.Member(v, v.Caller(), v.Org.ID, userID)
	if err != nil {
		return ""
	}
	return pages.NameOf(m.User)
}

// mostLines is how many addresses one form may have.
const mostLines = 100

// invite asks everybody whose address was typed, one by one: who can be invited is, and the others stay in the field with the reason.
func (s *organization) invite(v *visit) error {
	addresses := addresses(v.Typed("emails"))
	if len(addresses) == 0 {
		return v.refuse("emails", v.T("need.emails"), s.showInvitations)
	}
	if len(addresses) > mostLines {
		return v.refuse("emails", v.T("org_invite.too_many", "Count", len(addresses), "Most", mostLines), s.showInvitations)
	}
	roles := v.TypedAll("roles")
	if len(roles) == 0 {
		roles = []string{authz.PlainMember}
	}
	p := invitationsPage{}
	var first error
	for _, address := range addresses {
		_, err := s.app.Orgs.Invite(v, v.Caller(), v.Org.ID, address, roles)
		switch no := apperr.Of(err); {
		case err == nil:
			p.Sent = append(p.Sent, address)
		case no.Kind == apperr.Internal || no.Kind == apperr.Unavailable:
			return err
		default:
			p.Failed = append(p.Failed, line{address, v.Told(err)})
			if first == nil {
				first = err
			}
		}
	}
	if first == nil {
		return v.Tell("org_invited", v.At+"/invitations")
	}
	v.Form.Values.Set("emails", strings.Join(failed(p.Failed), "\n"))
	why := v.T("org_invite.some_failed", "Count", len(p.Failed))
	return v.RetryAt("emails", why, first, func(*pages.Visit) error { return s.showInvited(v, p) })
}

func failed(lines []line) (list []string) {
	for _, l := range lines {
		list = append(list, l.Address)
	}
	return list
}

// refuse shows a form with one thing that is wrong, and what was typed.
func (v *visit) refuse(field, words string, show func(*visit) error) error {
	v.Status(http.StatusUnprocessableEntity)
	v.Form.Faults = append(v.Form.Faults, pages.Fault{Field: field, Message: words})
	return show(v)
}

// addresses reads what was pasted: separated in any way, with names beside them or not, each once.
func addresses(text string) (list []string) {
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' || r == '\n' || r == '\r' }) {
		words := strings.FieldsFunc(line, func(r rune) bool { return unicode.IsSpace(r) || r == '<' || r == '>' || r == '"' })
		at := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.Contains(w, "@") })
		if len(at) == 0 && len(words) > 0 {
			at = []string{strings.Join(words, " ")} // no address: it is said so beside it
		}
		for _, a := range at {
			if !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	return list
}
