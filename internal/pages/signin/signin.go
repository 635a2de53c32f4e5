// Package signin is the pages on the way to a session: signing in and up, what is asked in between, recovery, invitations, the links of
// mails, the owner's first page, and the way to other services and back.
package signin

import (
	"embed"
	"net/http"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/web"
)

//go:embed templates/*.html words/*.json
var files embed.FS

// signin is these pages.
type signin struct {
	*pages.Site
	app *app.App

	start, welcome, invitation, joined, letter, done *pages.Template
	door, step, up, sent, lost, out, spares          *pages.Template
	refused, arrived, claimed                        *pages.Template // of signing in with another service

	link    *pages.Template // of a mail to sign in with
	trip    *web.Cookie     // binds a browser to its trips to other services
	waiting *web.Cookie     // the attempt of a browser that asked for a link
	attempt *web.Cookie     // the sign-in that is under way
	back    *web.Cookie     // where the visitor wanted to be
	last    *web.Cookie     // what somebody signed in with last
}

// Mount serves them.
func Mount(mux *http.ServeMux, site *pages.Site) error {
	if err := site.AddWords(files); err != nil {
		return err
	}
	s := &signin{Site: site, app: site.App}
	t := func(name string) *pages.Template { return site.Template(files, name, "shared.html") }
	s.start, s.welcome, s.invitation, s.joined = t("start.html"), t("welcome.html"), t("invitation.html"), t("joined.html")
	s.letter, s.done = t("letter.html"), t("done.html")
	s.door, s.step, s.up, s.sent, s.lost, s.out = t("door.html"), t("step.html"), t("signup.html"), t("sent.html"), t("forgot.html"), t("signout.html")
	s.spares = t("spares.html")
	s.door.Policy, s.step.Policy = pages.LeadingOn, pages.LeadingOn // they end where somebody wanted to be
	s.attempt, s.back, s.last = s.Cookies.Named("attempt", "/"), s.Cookies.Named("return_to", "/"), s.Cookies.Named("last_used", "/")
	site.Handle(mux, "GET /signin", pages.Anyone, s.openDoor)
	site.Handle(mux, "POST /signin", pages.Limited, s.signIn)
	site.Handle(mux, "POST /signin/passkey", pages.Limited, s.byPasskey)
	site.Handle(mux, "GET /signin/step", pages.Anyone, func(v *pages.Visit) error { return v.Redirect("/signin") })
	site.Handle(mux, "POST /signin/step", pages.Limited, s.answer)
	site.Handle(mux, "GET /signup", pages.Anyone, s.showSignUp)
	site.Handle(mux, "POST /signup", pages.Limited, s.signUp)
	site.Handle(mux, "GET /confirm", pages.Proving|pages.Limited, s.showConfirm)
	site.Handle(mux, "POST /confirm", pages.Proving|pages.Limited, s.confirm)
	site.Handle(mux, "GET /signout", pages.Proving, s.showSignOut)
	site.Handle(mux, "POST /signout", pages.Anyone, s.signOut)
	site.Handle(mux, "GET /start", pages.Anyone, s.showStart)
	site.Handle(mux, "POST /start", pages.Limited, s.claim)
	site.Handle(mux, "GET /invitation", pages.Limited, s.showInvitation)
	site.Handle(mux, "POST /invitation", pages.Limited, s.join)
	s.mountLetters(mux)
	s.social(mux, t)
	s.links(mux, t)
	return nil
}

// finish is how a session of this browser is to be made.
func (s *signin) finish(v *pages.Visit, remember bool) login.Finish {
	f := login.Finish{Transport: session.Cookie, Remember: remember}
	f.Replaces, _ = s.Cookies.Session(v.R)
	return f
}

// enter gives the browser its session.
func (s *signin) enter(v *pages.Visit, out login.Outcome) {
	s.Cookies.Enter(v.W, out, v.Now)
}
