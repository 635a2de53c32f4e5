package signin

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/web"
)

// errNavigation is a page that loads what people go to.
var errNavigation = apperr.New(apperr.Forbidden, "navigation_required", "This address is for people to go to, and not for a page to load. Have the browser open it.")

// errTransport is a query that asks for a transport there is not.
var errTransport = apperr.New(apperr.Malformed, "transport_invalid", "transport is cookie or token.").In("transport")

// social serves the way to other services and back. What a program asks of it is in package api.
func (s *signin) social(mux *http.ServeMux, t func(string) *pages.Template) {
	s.trip = s.Cookies.Named("social_trip", "/auth").Crossing()
	s.refused, s.arrived = t("social_refused.html"), t("social_arrived.html")
	s.claimed = t("social_development.html")
	s.claimed.Policy = pages.LeadingOn
	s.Handle(mux, "GET /auth/{provider}/login", pages.Limited, s.leave)
	s.Handle(mux, "GET /auth/{provider}/callback", pages.Limited, s.comeBack)
	for _, one := range s.app.Social.Providers() {
		if one.FormPost {
			s.HandleForeign(mux, "POST /auth/"+one.Name+"/callback", s.posted)
		}
	}
	if s.app.Social.Development != nil {
		s.Handle(mux, "GET /dev/provider/authorize", pages.Anyone, s.Inside(s.showDevelopment))
		s.Handle(mux, "POST /dev/provider/authorize", pages.Anyone, s.Inside(s.approve))
	}
}

// navigated refuses what no person sees: a page of another site that has an image or a frame go to a provider and back.
func navigated(r *http.Request) error {
	if r.Method != http.MethodGet {
		return web.ErrMethod
	}
	if dest := r.Header.Get("Sec-Fetch-Dest"); dest != "" && dest != "document" {
		return errNavigation
	}
	return nil
}

// leave sends somebody to a provider.
func (s *signin) leave(v *pages.Visit) error {
	to, err := s.begin(v)
	if err != nil {
		again := ""
		if apperr.Of(err).Kind == apperr.Unavailable { // there is nothing wrong with what was asked for
			again = v.R.URL.RequestURI()
		}
		return s.refuse(v, err, again)
	}
	v.W.Header().Set("Location", to)
	v.W.WriteHeader(http.StatusFound)
	return nil
}

func (s *signin) begin(v *pages.Visit) (string, error) {
	r := v.R
	q, err := web.Query(r)
	if err == nil {
		err = navigated(r)
	}
	if err == nil && !s.app.Social.Offers(r.PathValue("provider")) {
		err = social.ErrProvider
	}
	if err != nil {
		return "", err
	}
	t := social.Trip{Remember: q.Get("remember") == "true", Browser: s.browser(r)}
	switch q.Get("transport") {
	case "", string(session.Cookie):
		t.ReturnTo, err = s.app.Config.Web.ReturnTo(q.Get("return_to"))
	case string(session.Token):
		t.ReturnTo, err = s.app.Config.Web.ReturnToApp(q.Get("return_to"))
		if t.Challenge = q.Get("code_challenge"); err == nil && (t.Challenge == "" || q.Has("code_challenge_method") && q.Get("code_challenge_method") != "S256") {
			err = social.ErrChallenge
		}
	default:
		err = errTransport
	}
	if err != nil {
		return "", err
	}
	to, err := s.app.Social.Begin(r.Context(), r.PathValue("provider"), t)
	if err == nil {
		now := v.Now
		s.trip.Set(v.W, t.Browser, now.Add(social.TripLife), now)
	}
	return to, err
}

// browser is the secret of a browser, the one it has or a new one: several trips at once come back to the same.
func (s *signin) browser(r *http.Request) string {
	if have, ok := s.trip.Get(r); ok && len(have) == 64 {
		return have
	}
	return secret.Hex32()
}

// posted turns the POST of a provider into what a link does: with a POST of another site no browser sends the cookie that
// tells whose trip it is. Nothing is decided here.
func (s *signin) posted(v *pages.Visit) error {
	q := url.Values{}
	for _, name := range []string{"state", "code", "error", "iss"} {
		if given := v.Typed(name); given != "" {
			q.Set(name, given)
		}
	}
	var said struct {
		Name struct {
			First string `json:"firstName"`
			Last  string `json:"lastName"`
		} `json:"name"`
	}
	if json.Unmarshal([]byte(v.Typed("user")), &said) == nil {
		if name := strings.TrimSpace(said.Name.First + " " + said.Name.Last); name != "" && len(name) < 400 {
			q.Set("name", name)
		}
	}
	return v.Redirect(v.R.URL.Path + "?" + q.Encode())
}

// comeBack is where a provider sends people.
func (s *signin) comeBack(v *pages.Visit) error {
	q, err := web.Query(v.R)
	if err == nil {
		err = navigated(v.R)
	}
	if err != nil {
		return s.refuse(v, err, "")
	}
	in := social.Return{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Issuer: q.Get("iss"), Name: q.Get("name")}
	in.Browser, _ = s.trip.Get(v.R)
	out, err := s.app.Social.Return(v, v.R.PathValue("provider"), in, s.finish(v, false))
	switch {
	case err != nil:
		return s.refuse(v, err, out.Again)
	case out.Outcome.Step != nil:
		v.Status(http.StatusUnauthorized)
		s.back.Set(v.W, url.QueryEscape(out.ReturnTo), v.Now.Add(returnLife), v.Now)
		return s.ask(v, *out.Outcome.Step)
	case out.Linked == nil && !out.ToApp:
		s.enter(v, out.Outcome)
		s.last.Set(v.W, v.R.PathValue("provider"), v.Now.Add(lastUsedLife), v.Now)
		s.back.Clear(v.W)
	}
	return s.arrive(v, out.ReturnTo)
}

// arrive leads on. Where the session cookie is strict, no browser sends it on the way from another site, so that a page is between.
func (s *signin) arrive(v *pages.Visit, to string) error {
	if cfg := s.app.Config.Web; cfg.CookieSameSite == "strict" && cfg.Own(to) {
		return v.Show(s.arrived, v.T("social.arrived"), to)
	}
	return v.Redirect(to)
}

// refusedTrip is the page of somebody who was let in nowhere.
type refusedTrip struct {
	pages.Problem
	Provider string // its title, "" when it is not where to go on to
	Again    string // where to go on to
}

// refuse shows a person a page that leads on to again, and a program a problem.
func (s *signin) refuse(v *pages.Visit, err error, again string) error {
	if !strings.Contains(v.R.Header.Get("Accept"), "text/html") {
		web.WriteError(v.W, v.R, err)
		return nil
	}
	page := refusedTrip{Again: again}
	for _, one := range s.app.Social.Providers() {
		if begin := "/auth/" + one.Name + "/login"; one.Name == v.R.PathValue("provider") && (again == "" || strings.HasPrefix(again, begin)) {
			page.Provider, page.Again = one.Title, cmp.Or(again, begin)
		}
	}
	return v.ShowProblem(s.refused, err, func(no pages.Problem) any { page.Problem = no; return page })
}

// showDevelopment is the page of the development provider.
func (s *signin) showDevelopment(v *pages.Visit) error {
	return v.Show(s.claimed, v.T("provider.title"), v.R.URL.RawQuery)
}

// approve sends whoever typed who they are back.
func (s *signin) approve(v *pages.Visit) error {
	asked, err := url.ParseQuery(v.Typed("asked"))
	if err != nil {
		return pages.ErrForm.Because(err)
	}
	who := social.Claimed{Email: strings.TrimSpace(v.Typed("email")), Name: v.Typed("name"), Verified: v.Typed("verified") != ""}
	to, err := s.app.Social.Development.Approve(asked, who, v.Typed("cancel") != "")
	if err != nil {
		return err
	}
	return v.Redirect(to)
}
