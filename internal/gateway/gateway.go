// Package gateway answers proxies that ask of each request whether it may pass, and as whom: nginx, Caddy, Traefik and Envoy. So an app in any
// language is protected that knows nothing of Admit.
package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/web"
)

// ErrUnnamed is a question about a permission in no organization, where one was to be named.
var ErrUnnamed = apperr.New(apperr.Forbidden, "gateway_org_missing", "This address names no organization, and what it leads to belongs to one.")

// Headers are what an app behind a proxy is told of who asks. All of them are always there, empty where there is nothing to say, so that none can
// come from a client.
var Headers = []string{"Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups", "Remote-Session", "Remote-Actor"}

// Path is where proxies ask.
const Path = "/forward-auth"

type gateway struct {
	app   *app.App
	guard *web.Guard
}

// Mount serves /forward-auth on mux.
func Mount(mux *http.ServeMux, a *app.App, guard *web.Guard) {
	g := &gateway{a, guard}
	mux.HandleFunc("GET "+Path, g.ask)
	mux.HandleFunc(Path+"/envoy/", g.ask) // it sends the method of the request, and its path behind ours
}

// ask answers 204 with who it is, 401, or 403 with what is missing; where signin=redirect asks for it, browsers are led to sign in and back.
func (g *gateway) ask(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	for _, name := range Headers {
		h.Set(name, "")
	}
	q, err := web.Query(r)
	if r.URL.Path != Path {
		q, err = url.Values{}, nil // the query is of the app
	}
	var live *session.Live
	if err == nil {
		live, err = g.guard.Keyed(r, true)
	}
	if err == nil && q.Has("permission") {
		err = g.permit(r, live, q)
	}
	if err != nil {
		g.refuse(w, r, q, err)
		return
	}
	u := live.User
	h.Set("Remote-User", u.ID)
	if u.EmailVerified { // one that is not may be of somebody else
		h.Set("Remote-Email", u.Email)
	}
	h.Set("Remote-Name", plain(u.Name))
	h.Set("Remote-Groups", strings.Join(u.Roles, ","))
	h.Set("Remote-Session", live.Session.ID)
	if act := live.Session.Act; act != nil {
		h.Set("Remote-Actor", act.UserID)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (g *gateway) permit(r *http.Request, live *session.Live, q url.Values) error {
	org := q.Get("org")
	if org == "" && q.Has("org") { // what a proxy could not fill in must not mean the platform
		return ErrUnnamed
	}
	orgID, err := g.app.Authz.OrgID(r.Context(), org)
	if err != nil {
		return err
	}
	database.OriginOf(r.Context()).Org = orgID
	return g.app.Authz.RequireOpenly(r.Context(), g.guard.CallerOf(r, live), q.Get("permission"), orgID)
}

// refuse says no in the way proxies understand: nginx takes every status but 401 and 403 for a fault of ours.
func (g *gateway) refuse(w http.ResponseWriter, r *http.Request, q url.Values, err error) {
	e := *apperr.Of(err)
	switch e.Kind {
	case apperr.Unauthenticated:
		if q.Get("signin") == "redirect" && navigates(r) {
			w.Header().Set("Location", g.door(r))
			w.WriteHeader(http.StatusFound)
			return
		}
	case apperr.Forbidden, apperr.Unavailable, apperr.Internal:
	default:
		e.Kind = apperr.Forbidden
	}
	web.WriteError(w, r, &e)
}

// navigates reports whether somebody waits for a page.
func navigates(r *http.Request) bool {
	method := r.Header.Get("X-Forwarded-Method")
	return (method == "" || method == http.MethodGet || method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// door is the page to sign in on, which leads back to what was asked for if that is a place it may lead to.
func (g *gateway) door(r *http.Request) string {
	door, back := g.app.Config.Web.Base()+"/signin", r.Header.Get("X-Forwarded-Uri")
	if host := r.Header.Get("X-Forwarded-Host"); host != "" && back != "" {
		if at := r.Header.Get("X-Forwarded-Proto") + "://" + host; at != g.app.Config.Web.Origin() {
			back = at + back
		}
	}
	if _, err := g.app.Config.Web.ReturnTo(back); err != nil || back == "" {
		return door
	}
	return door + "?return_to=" + url.QueryEscape(back)
}

// plain is a name as a header can hold it: no control character, and what is not ASCII in percent, as RFC 8187 has it.
func plain(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' || r == '%' }) {
		return url.PathEscape(name)
	}
	return name
}

// Proxies are the names Snippet knows.
func Proxies() []string { return []string{"caddy", "envoy", "nginx", "traefik"} }
