// Package admin is the pages of those who run the site: the people and organizations on it, who may do what, what happened, and how the
// server stands. Each asks the permission that its JSON route asks; who holds some of them sees those pages and no others.
package admin

import (
	"embed"
	"maps"
	"net/http"
	"net/url"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/pages"
)

//go:embed templates/*.html words/*.json
var files embed.FS

// admin is these pages.
type admin struct {
	*pages.Site
	app *app.App

	users, newUser, user, userDelete *pages.Template
	audit, verify                    *pages.Template
	overview, lockouts, orgs, org    *pages.Template
	roles, role, permissions         *pages.Template
	health, settings, methods, keys  *pages.Template
	theme                            *pages.Template
}

// The parts of the administration, as they are in addresses.
const (
	atOverview    = "/admin"
	atUsers       = "/admin/users"
	atOrgs        = "/admin/organizations"
	atRoles       = "/admin/roles"
	atPermissions = "/admin/permissions"
	atAudit       = "/admin/audit"
	atLockouts    = "/admin/lockouts"
	atHealth      = "/admin/health"
	atMethods     = "/admin/methods"
	atKeys        = "/admin/keys"
	atTheme       = "/admin/theme"
	atSettings    = "/admin/settings"
)

// places is the navigation: what each part is called, and the permission it is for. One without an address is a heading.
var places = []struct{ href, word, asks string }{
	{"", "admin.people", ""},
	{atUsers, "admin.users", "sys:users:read"},
	{atOrgs, "admin.orgs", "sys:orgs:read"},
	{atRoles, "admin.roles", "sys:roles:read"},
	{atPermissions, "admin.permissions", "sys:permissions:read"},
	{"", "admin.watch", ""},
	{atAudit, "admin.audit", audit.MayRead},
	{atLockouts, "admin.lockouts", "sys:users:read"},
	{"", "admin.server", ""},
	{atHealth, "admin.health", app.Operate},
	{atMethods, "admin.methods", app.Operate},
	{atKeys, "admin.keys", app.Operate},
	{atTheme, "admin.theme", app.Operate},
	{atSettings, "admin.settings", app.Operate},
}

// Mount serves them.
func Mount(mux *http.ServeMux, site *pages.Site) error {
	if err := site.AddWords(files); err != nil {
		return err
	}
	s := &admin{Site: site, app: site.App}
	site.Beyond = s.link
	t := func(names ...string) *pages.Template { return site.Template(files, names...) }
	s.users, s.newUser, s.user, s.userDelete = t("users.html", "shared.html"), t("user_new.html"), t("user.html", "shared.html"), t("user_delete.html")
	s.audit, s.verify = t("audit.html", "shared.html"), t("verify.html")
	s.overview, s.lockouts, s.orgs, s.org = t("overview.html", "shared.html"), t("lockouts.html", "shared.html"), t("orgs.html"), t("org.html")
	s.roles, s.role, s.permissions = t("roles.html"), t("role.html"), t("permissions.html")
	s.health, s.settings, s.methods, s.keys = t("health.html", "shared.html"), t("settings.html", "shared.html"), t("methods.html"), t("keys.html")
	s.theme = t("theme.html")
	s.mountOverview(mux)
	s.mountUsers(mux)
	s.mountUser(mux)
	s.mountAudit(mux)
	s.mountLockouts(mux)
	s.mountOrgs(mux)
	s.mountRoles(mux)
	s.mountServer(mux)
	s.mountTheme(mux)
	return nil
}

// rights is what a visitor may do, for pages that show no more than that.
type rights struct {
	s *admin
	v *pages.Visit
}

// May reports whether the visitor holds a permission on the platform.
func (r rights) May(permission string) bool {
	return r.s.app.Authz.Require(r.v, r.v.Caller(), permission, "") == nil
}

// first is the address of the first part that the visitor may see, "" where there is none.
func (r rights) first() string {
	for _, p := range places {
		if p.asks != "" && r.s.Serves(p.href) && r.May(p.asks) {
			return p.href
		}
	}
	return ""
}

// link leads here who may see any part of it, as themselves.
func (s *admin) link(v *pages.Visit) []pages.Link {
	if v.Live.Session.Act != nil || (rights{s, v}).first() == "" {
		return nil
	}
	return []pages.Link{{Href: atOverview, Label: v.T("admin.title")}}
}

// show sends a page with the navigation around it. A heading is there where something is below it.
func (s *admin) show(v *pages.Visit, t *pages.Template, at, title string, data any) error {
	v.Shell = &pages.Shell{Title: v.T("admin.title"), Note: s.Name, Dense: true}
	v.Shell.Links = []pages.Link{{Href: atOverview, Label: v.T("admin.overview"), Current: at == atOverview}}
	var heading *pages.Link
	may := rights{s, v}
	for _, p := range places {
		switch {
		case p.href == "":
			heading = &pages.Link{Label: v.T(p.word)}
		case s.Serves(p.href) && may.May(p.asks):
			if heading != nil {
				v.Shell.Links = append(v.Shell.Links, *heading)
				heading = nil
			}
			v.Shell.Links = append(v.Shell.Links, pages.Link{Href: p.href, Label: v.T(p.word), Current: p.href == at})
		}
	}
	return v.Show(t, title, data)
}

// further is the address of the next part of a list that was asked for with these words; none at its end.
func further(at, cursor string, words url.Values) string {
	if cursor == "" {
		return ""
	}
	next := url.Values{}
	maps.Copy(next, words)
	next.Set("cursor", cursor)
	return pages.With(at, next)
}
