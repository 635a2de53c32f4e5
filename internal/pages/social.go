package pages

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/web"
)

// errNavigation is a page that loads what people go to.
var errNavigation = apperr.New(apperr.Forbidden, "navigation_required", "This address is for people to go to, and not for a page to load. Have the browser open it.")

// errTransport is a query that asks for a transport there is not.
var errTransport = apperr.New(apperr.Malformed, "transport_invalid", "transport is cookie or token.").In("transport")

// openPolicy is for a page whose form ends in a redirect that leads elsewhere: Chromium would hold all of it to form-action.
var openPolicy = strings.ReplaceAll(policy, "form-action 'self'; ", "")

// social serves the way to other services and back. What a program asks of it is in package api.
func (p *Pages) social(mux *http.ServeMux, files assets, limit func(http.Handler) http.Handler) {
	p.trip = p.cookies.Named("social_trip", "/auth").Crossing()
	p.refused, p.arrived = parse(files, "social_refused.html"), parse(files, "social_arrived.html")
	p.code, p.claimed = parse(files, "social_code.html"), parse(files, "social_development.html")
	p.code.policy, p.claimed.policy = openPolicy, openPolicy
	mux.Handle("GET /auth/{provider}/login", limit(http.HandlerFunc(p.leave)))
	mux.Handle("GET /auth/{provider}/callback", limit(http.HandlerFunc(p.comeBack)))
	mux.Handle("POST /signin/code", limit(http.HandlerFunc(p.answerCode)))
	for _, one := range p.app.Social.Providers() {
		if one.FormPost {
			mux.Handle("POST /auth/"+one.Name+"/callback", limit(http.HandlerFunc(p.posted)))
		}
	}
	if p.app.Social.Development != nil {
		mux.HandleFunc("GET /dev/provider/authorize", p.inside(p.showDevelopment))
		mux.HandleFunc("POST /dev/provider/authorize", p.inside(p.approve))
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
func (p *Pages) leave(w http.ResponseWriter, r *http.Request) {
	to, err := p.begin(w, r)
	if err != nil {
		again := ""
		if apperr.Of(err).Kind == apperr.Unavailable { // there is nothing wrong with what was asked for
			again = r.URL.RequestURI()
		}
		p.refuse(w, r, err, again)
		return
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusFound)
}

func (p *Pages) begin(w http.ResponseWriter, r *http.Request) (string, error) {
	q, err := web.Query(r)
	if err == nil {
		err = navigated(r)
	}
	if err == nil && !p.app.Social.Offers(r.PathValue("provider")) {
		err = social.ErrProvider
	}
	if err != nil {
		return "", err
	}
	t := social.Trip{Remember: q.Get("remember") == "true", Browser: p.browser(r)}
	switch q.Get("transport") {
	case "", string(session.Cookie):
		t.ReturnTo, err = p.app.Config.Web.ReturnTo(q.Get("return_to"))
	case string(session.Token):
		t.ReturnTo, err = p.app.Config.Web.ReturnToApp(q.Get("return_to"))
		if t.Challenge = q.Get("code_challenge"); err == nil && (t.Challenge == "" || q.Has("code_challenge_method") && q.Get("code_challenge_method") != "S256") {
			err = social.ErrChallenge
		}
	default:
		err = errTransport
	}
	if err != nil {
		return "", err
	}
	to, err := p.app.Social.Begin(r.Context(), r.PathValue("provider"), t)
	if err == nil {
		now := p.app.DB.Now()
		p.trip.Set(w, t.Browser, now.Add(social.TripLife), now)
	}
	return to, err
}

// browser is the secret of a browser, the one it has or a new one: several trips at once come back to the same.
func (p *Pages) browser(r *http.Request) string {
	if have, ok := p.trip.Get(r); ok && len(have) == 64 {
		return have
	}
	return secret.Hex32()
}

// posted turns the POST of a provider into what a link does: with a POST of another site no browser sends the cookie that
// tells whose trip it is. Nothing is decided here.
func (p *Pages) posted(w http.ResponseWriter, r *http.Request) {
	if !p.parse(w, r) {
		return
	}
	q := url.Values{}
	for _, name := range []string{"state", "code", "error", "iss"} {
		if v := posted(r, name); v != "" {
			q.Set(name, v)
		}
	}
	var said struct {
		Name struct {
			First string `json:"firstName"`
			Last  string `json:"lastName"`
		} `json:"name"`
	}
	if json.Unmarshal([]byte(posted(r, "user")), &said) == nil {
		if name := strings.TrimSpace(said.Name.First + " " + said.Name.Last); name != "" && len(name) < 400 {
			q.Set("name", name)
		}
	}
	w.Header().Set("Location", r.URL.Path+"?"+q.Encode())
	w.WriteHeader(http.StatusSeeOther)
}

// comeBack is where a provider sends people.
func (p *Pages) comeBack(w http.ResponseWriter, r *http.Request) {
	q, err := web.Query(r)
	if err == nil {
		err = navigated(r)
	}
	if err != nil {
		p.refuse(w, r, err, "")
		return
	}
	in := social.Return{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Issuer: q.Get("iss"), Name: q.Get("name")}
	in.Browser, _ = p.trip.Get(r)
	finish := login.Finish{Transport: session.Cookie}
	finish.Replaces, _ = p.cookies.Session(r)
	out, err := p.app.Social.Return(r.Context(), r.PathValue("provider"), in, finish)
	switch {
	case err != nil:
		p.refuse(w, r, err, out.Again)
	case out.Outcome.Step != nil:
		p.askCode(w, r, http.StatusUnauthorized, nextCode(out.Outcome.Step, out.ReturnTo))
	default:
		if out.Linked == nil && !out.ToApp {
			p.cookies.Enter(w, out.Outcome, p.app.DB.Now())
		}
		p.arrive(w, r, out.ReturnTo)
	}
}

// arrive leads on. Where the session cookie is strict, no browser sends it on the way from another site, so that a page is between.
func (p *Pages) arrive(w http.ResponseWriter, r *http.Request, to string) {
	if p.app.Config.Web.CookieSameSite == "strict" && strings.HasPrefix(to, "/") {
		p.arrived.show(w, r, http.StatusOK, p.view("You are signed in", to))
		return
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// refusedTrip is the page of somebody who was let in nowhere.
type refusedTrip struct {
	*web.Problem
	Title string // of the provider, "" when it is not where to go on to
	Again string // where to go on to
}

// refuse shows a person a page that leads on to again, and a program a problem.
func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, err error, again string) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		web.WriteError(w, r, err)
		return
	}
	no := web.NewProblem(r.Context(), err)
	no.SetHeaders(w.Header())
	page := refusedTrip{Problem: no, Again: again}
	for _, one := range p.app.Social.Providers() {
		if begin := "/auth/" + one.Name + "/login"; one.Name == r.PathValue("provider") && (again == "" || strings.HasPrefix(again, begin)) {
			page.Title, page.Again = one.Title, cmp.Or(again, begin)
		}
	}
	v := p.view(no.Title, page)
	v.Failed = true
	p.refused.show(w, r, no.Status, v)
}

// codeForm is the page that asks for a second factor.
type codeForm struct {
	Attempt  string
	ReturnTo string
	Method   string // whose code is asked for
	Faults   []fault
}

func nextCode(s *login.Step, returnTo string) codeForm {
	return codeForm{Attempt: s.ID, ReturnTo: returnTo, Method: s.Prompt.Method}
}

// Fault is what is wrong with a field, "" when nothing is.
func (f codeForm) Fault(field string) string { return startForm{Faults: f.Faults}.Fault(field) }

func (p *Pages) askCode(w http.ResponseWriter, r *http.Request, status int, f codeForm) {
	v := p.view("One more step", f)
	v.Failed = len(f.Faults) > 0
	p.code.show(w, r, status, v)
}

// answerCode goes on with a sign-in that asks for a second factor.
func (p *Pages) answerCode(w http.ResponseWriter, r *http.Request) {
	if !p.parse(w, r) {
		return
	}
	f := codeForm{Attempt: posted(r, "attempt"), ReturnTo: posted(r, "return_to"), Method: posted(r, "method")}
	to, err := p.app.Config.Web.ReturnTo(f.ReturnTo)
	if err != nil {
		p.refuse(w, r, err, "")
		return
	}
	finish := login.Finish{Transport: session.Cookie}
	finish.Replaces, _ = p.cookies.Session(r)
	out, err := p.app.Door.Answer(r.Context(), f.Attempt, login.Answer{"code": posted(r, "code")}, finish)
	if err != nil {
		no := web.NewProblem(r.Context(), err)
		if apperr.Of(err).Code == login.ErrAttempt.Code {
			p.refuse(w, r, err, to) // whoever needs them signed in has them begin again
			return
		}
		no.SetHeaders(w.Header())
		f.Faults = faults(no)
		p.askCode(w, r, no.Status, f)
		return
	}
	if out.Step != nil {
		p.askCode(w, r, http.StatusUnauthorized, nextCode(out.Step, to))
		return
	}
	p.cookies.Enter(w, out, p.app.DB.Now())
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// showDevelopment is the page of the development provider.
func (p *Pages) showDevelopment(w http.ResponseWriter, r *http.Request) {
	p.claimed.show(w, r, http.StatusOK, p.view("Development account", r.URL.RawQuery))
}

// approve sends whoever typed who they are back.
func (p *Pages) approve(w http.ResponseWriter, r *http.Request) {
	if !p.parse(w, r) {
		return
	}
	asked, err := url.ParseQuery(posted(r, "asked"))
	if err != nil {
		p.fail(w, r, errForm.Because(err))
		return
	}
	who := social.Claimed{Email: strings.TrimSpace(posted(r, "email")), Name: posted(r, "name"), Verified: posted(r, "verified") != ""}
	to, err := p.app.Social.Development.Approve(asked, who, posted(r, "cancel") != "")
	if err != nil {
		p.fail(w, r, err)
		return
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
