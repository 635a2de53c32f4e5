// Package account is the pages of somebody who is signed in, about themselves: their profile, how they sign in, where they are signed in,
// and where they belong.
package account

import (
	"cmp"
	"embed"
	"net/http"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/web"
)

//go:embed templates/*.html words/*.json
var files embed.FS

// zones are the time zones there are, a name for each country and each of its times (zone.tab of the IANA database).
//
//go:embed zones.txt
var zones string

// account is these pages.
type account struct {
	*pages.Site
	app *app.App

	profile, email, phone, security, password, passkey, setUp, code, codes, sessions, linked, orgs, data *pages.Template

	keys, newKey, madeKey, key *pages.Template

	trip *web.Cookie // binds a browser to its trips to other services
}

// The parts of the account, as they are in addresses.
const (
	atProfile  = "/account"
	atSecurity = "/account/security"
	atSessions = "/account/sessions"
	atLinked   = "/account/linked"
	atKeys     = "/account/keys"
	atOrgs     = "/account/organizations"
	atData     = "/account/data"
)

// Mount serves them.
func Mount(mux *http.ServeMux, site *pages.Site) error {
	if err := site.AddWords(files); err != nil {
		return err
	}
	s := &account{Site: site, app: site.App, trip: site.Cookies.Named("social_trip", "/auth").Crossing()}
	t := func(name string) *pages.Template { return site.Template(files, name) }
	s.profile, s.email, s.security, s.password = t("profile.html"), t("email.html"), t("security.html"), t("password.html")
	s.passkey, s.setUp, s.code, s.codes, s.phone = t("passkey.html"), t("setup.html"), t("code.html"), t("codes.html"), t("phone.html")
	s.sessions, s.linked, s.orgs, s.data = t("sessions.html"), t("linked.html"), t("organizations.html"), t("data.html")
	s.keys, s.newKey, s.madeKey, s.key = t("keys.html"), t("key_new.html"), t("key_made.html"), t("key.html")
	s.linked.Policy = pages.LeadingOn
	s.mountProfile(mux)
	s.mountPhone(mux)
	s.mountSecurity(mux)
	s.mountFactors(mux)
	s.mountSessions(mux)
	s.mountLinked(mux)
	s.mountKeys(mux)
	s.mountOrgs(mux)
	s.mountData(mux)
	return nil
}

// shell puts the navigation of the account around a page.
func (s *account) shell(v *pages.Visit, at string) {
	u := v.Live.User
	v.Shell = &pages.Shell{Title: v.T("account.title"), Note: cmp.Or(u.Email, u.Username, u.Phone, u.Name)}
	for _, l := range []struct{ href, word string }{
		{atProfile, "account.profile"}, {atSecurity, "account.security"}, {atSessions, "account.sessions"}, {atLinked, "account.linked"}, {atKeys, "account.keys"}, {atOrgs, "account.orgs"}, {atData, "account.data"},
	} {
		if !s.Serves(l.href) || l.href == atLinked && len(s.app.Social.Providers()) == 0 {
			continue
		}
		v.Shell.Links = append(v.Shell.Links, pages.Link{Href: l.href, Label: v.T(l.word), Current: l.href == at})
	}
	v.Shell.Links = append(v.Shell.Links, s.Beyond(v)...)
}
