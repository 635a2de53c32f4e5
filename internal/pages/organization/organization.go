// Package organization is the pages of one organization: who belongs to it, who is invited, what each role may do, why somebody may do
// something, and what happened. A page shows what its visitor may do, and the service that it calls refuses everything else.
package organization

import (
	"embed"
	"net/http"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/check"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/serviceaccount"
)

//go:embed templates/*.html words/*.json
var files embed.FS

// organization is these pages.
type organization struct {
	*pages.Site
	app *app.App

	overview, members, member, leave, heir, invitations *pages.Template
	matrix, reviewed, newRole, role                     *pages.Template
	settings, remnants, access, log                     *pages.Template
	programs, newProgram, program, newKey, madeKey, key *pages.Template
}

// Mount serves them.
func Mount(mux *http.ServeMux, site *pages.Site) error {
	if err := site.AddWords(files); err != nil {
		return err
	}
	s := &organization{Site: site, app: site.App}
	t := func(name string) *pages.Template { return site.Template(files, name, "shared.html") }
	s.overview, s.members, s.member, s.leave, s.heir = t("overview.html"), t("members.html"), t("member.html"), t("leave.html"), t("heir.html")
	s.invitations = t("invitations.html")
	s.matrix, s.reviewed, s.newRole, s.role = site.Template(files, "shared.html", "matrix.html"), t("review.html"), t("newrole.html"), t("role.html")
	s.settings, s.remnants, s.access, s.log = t("settings.html"), t("delete.html"), t("access.html"), t("log.html")
	s.programs, s.newProgram, s.program = t("programs.html"), t("program_new.html"), t("program.html")
	s.newKey, s.madeKey, s.key = t("key_new.html"), t("key_made.html"), t("key.html")
	s.page(mux, "GET /org/{org}", 0, s.showOverview)
	s.page(mux, "GET /org/{org}/access", 0, s.showAccess)
	s.page(mux, "GET /org/{org}/audit", 0, s.showLog)
	s.mountMembers(mux)
	s.mountInvitations(mux)
	s.mountRoles(mux)
	s.mountPrograms(mux)
	s.mountSettings(mux)
	return nil
}

// visit is one request of a page of an organization.
type visit struct {
	*pages.Visit
	Org  org.Org
	At   string // where its pages are
	May  rights
	root *authz.Root
}

// rights is what a visitor may do in the organization, so that a page offers nothing else.
type rights struct {
	Members, Invite, Suspend, Remove, Assign  bool
	Roles, CreateRole, ChangeRole, DeleteRole bool
	Explain, Audit, Update, HandOver, Delete  bool
	Programs                                  bool
	Belongs                                   bool // is a member
}

// page serves one. A stranger is told what the route of the API tells them: that there is no such organization.
func (s *organization) page(mux *http.ServeMux, pattern string, asks pages.Access, do func(*visit) error) {
	s.Handle(mux, pattern, pages.Person|asks, func(pv *pages.Visit) error {
		ref := pv.R.PathValue("org")
		o, err := s.app.Orgs.Find(pv, pv.Caller(), ref)
		if err != nil {
			return err
		}
		if pv.R.Method == http.MethodGet && ref != o.Slug { // its id, or what it was called before
			return moved(pv, ref, o.Slug)
		}
		v := &visit{Visit: pv, Org: o, At: "/org/" + o.Slug}
		if v.root, err = s.app.Authz.Root(v); err != nil {
			return err
		}
		v.May = s.rights(v)
		return do(v)
	})
}

// moved leads to the same page at the present address.
func moved(v *pages.Visit, from, to string) error {
	u := *v.R.URL
	u.RawPath, u.Path = "", "/org/"+to+u.Path[len("/org/"+from):]
	v.W.Header().Set("Location", u.RequestURI())
	v.W.WriteHeader(http.StatusPermanentRedirect)
	return nil
}

func (s *organization) rights(v *visit) rights {
	c := v.Caller()
	may := func(permission string) bool { return s.app.Authz.RequireAt(v, v.root, c, permission, v.Org.ID) == nil }
	_, belongs := v.root.Member(v.Org.ID, v.me())
	return rights{
		Members: may("sys:members:read"), Invite: may(authz.MembersInvite), Suspend: may(authz.MembersUpdate), Remove: may(authz.MembersRemove), Assign: may(authz.RolesAssign),
		Roles: may("sys:roles:read"), CreateRole: may(authz.RolesCreate), ChangeRole: may(authz.RolesUpdate), DeleteRole: may(authz.RolesDelete),
		Explain: may(check.Explain), Audit: may(audit.MayRead) && s.Serves("/org/{org}/audit"), Update: may("sys:org:update"), HandOver: may("sys:org:transfer"), Delete: may("sys:org:delete"),
		Programs: may(serviceaccount.Manage) && s.Serves("/org/{org}/service-accounts"), Belongs: belongs,
	}
}

func (v *visit) me() string { return v.Live.User.ID }

// show sends a page of a part of the organization: the word of the part marks where one is.
func (v *visit) show(t *pages.Template, title, part string, data any) error {
	v.Shell = &pages.Shell{Title: v.Org.Name, Note: v.Org.Slug}
	for _, l := range []struct {
		part, below string
		shown       bool
	}{
		{"overview", "", true}, {"members", "/members", v.May.Members}, {"invitations", "/invitations", v.May.Invite}, {"roles", "/roles", v.May.Roles},
		{"programs", "/service-accounts", v.May.Programs},
		{"access", "/access", true}, {"audit", "/audit", v.May.Audit}, {"settings", "/settings", v.May.Update},
	} {
		if l.shown {
			v.Shell.Links = append(v.Shell.Links, pages.Link{Href: v.At + l.below, Label: v.T("org." + l.part), Current: l.part == part})
		}
	}
	v.Shell.Links = append(v.Shell.Links, pages.Link{Href: "/account/organizations", Label: v.T("org.account")})
	return v.Show(t, title, data)
}

// again shows a form with what is wrong and what was typed.
func (v *visit) again(err error, show func(*visit) error) error {
	return v.Retry(err, func(*pages.Visit) error { return show(v) })
}

// roleName is what a role is called: of the built-in ones in the language of the visitor.
func (v *visit) roleName(id, name string) string {
	switch id {
	case authz.Owner, authz.Admin, authz.PlainMember:
		return v.T("org_role." + id)
	}
	return name
}
