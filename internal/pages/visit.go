package pages

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/web"
	"github.com/admit-dev/admit/internal/words"
)

// Access is what a page asks of its visitor.
type Access int

// What a page may ask; several go together.
const (
	Anyone  Access = 0
	Person  Access = 1 << iota // somebody who is signed in; others are led to /signin and back
	Fresh                      // and who proved a short time ago that it is them; others are led to /confirm and back
	Limited                    // counted per address, as every route that signs in, signs up or guesses

	Proving   // also in a session that lacks a second factor which is required: it may show one here
	Enrolling // also in one whose person has none to show: they may set one up here
	Acting    // also for who acts in the name of another: it is no more than looking

	foreign // its form is of another site
)

// FreshFor is how long a proof is good for what is sensitive, as in package api.
const FreshFor = 10 * time.Minute

// Visit is one request of a page, and what the page knows of whoever sent it.
type Visit struct {
	context.Context
	W      http.ResponseWriter
	R      *http.Request
	Live   *session.Live // who is signed in; nil where a page asks for nobody
	Locale string
	Zone   *time.Location
	Now    time.Time

	Form  Form   // what was typed, and what is wrong with it
	Shell *Shell // the navigation around the page; nil for a page of its own
	Wide  bool   // a page to read, not a form

	Policy string // in place of that of the template, for a page that loads something from elsewhere

	site   *Site
	status int
	query  url.Values
}

// Shell is the navigation of a part of the site: the account, an organization, the administration.
type Shell struct {
	Title string // of the part
	Note  string // below it, such as whose it is; may be empty
	Links []Link
	Dense bool // for lists: wide, with small controls
}

// Link is one place of a Shell. One without an address is a heading.
type Link struct {
	Href, Label string
	Current     bool
	Badge       string
}

// Serves reports whether an address is of no part that is off: nothing leads to one that is.
func (s *Site) Serves(address string) bool { return s.App.Config.Parts.Serves(address) }

// Handle serves a page, unless it is of a part that is off. An error that it returns becomes a page of its own, or leads to where it is mended.
func (s *Site) Handle(mux *http.ServeMux, pattern string, asks Access, do func(*Visit) error) {
	if !s.Serves(pattern) {
		return
	}
	h := s.page(asks, do)
	if asks&Limited != 0 {
		h = s.limit(h)
	}
	mux.Handle(pattern, h)
}

func (s *Site) page(asks Access, do func(*Visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &Visit{Context: r.Context(), W: w, R: r, Zone: time.UTC, Now: s.App.DB.Now(), site: s, status: http.StatusOK}
		chosen, _ := s.language.Get(r)
		v.Locale = s.words.Pick(chosen, database.OriginOf(r.Context()).Language)
		v.query = r.URL.Query()
		err := v.admit(asks)
		if err == nil && v.Live != nil && !web.Readable(v.query) { // a stranger's page asks no store for words; those of routes answer in their own form
			err = web.ErrQuery
		}
		if err == nil && r.Method == http.MethodPost {
			err = v.read(asks)
		}
		if err == nil {
			err = do(v)
		}
		if err != nil {
			v.Fail(err)
		}
	})
}

// HandleForeign serves what a page of another site posts: no token can be in its form, and the edge has to know of it.
func (s *Site) HandleForeign(mux *http.ServeMux, pattern string, do func(*Visit) error) {
	mux.Handle(pattern, s.limit(s.page(Anyone|foreign, do)))
}

// admit finds out who asks, where that matters.
func (v *Visit) admit(asks Access) (err error) {
	who := v.site.Guard.Identify
	switch {
	case asks&Proving != 0:
		who = v.site.Guard.Prover
	case asks&Acting != 0:
		who = v.site.Guard.Either
	case asks&Enrolling != 0:
		who = v.site.Guard.Enroller
	case asks&(Person|Fresh) == 0:
		return nil
	}
	if v.Live, err = who(v.R); err != nil {
		return err
	}
	v.hear(v.Live)
	if asks&Fresh != 0 {
		return v.site.Guard.Fresh(v, v.Live, FreshFor)
	}
	return nil
}

// Who is the session the visitor came with, or nil for a stranger. It is for pages that anybody may see and that differ: it may be a session
// that lacks a second factor which is required.
func (v *Visit) Who() (*session.Live, error) {
	live, err := v.site.Guard.Recognize(v.R)
	if errors.Is(err, session.ErrUnknown) {
		return nil, nil
	}
	v.hear(live)
	return live, err
}

// hear has the page speak as its visitor wants it. Who acts in the name of another reads what is theirs in their own language.
func (v *Visit) hear(live *session.Live) {
	if live == nil || live.Session.Act != nil {
		return
	}
	v.Locale, v.Zone = v.site.words.Pick(live.User.Language, v.Locale), words.Zone(live.User.TimeZone)
}

// Caller is who asks, with what conditions may read of the request.
func (v *Visit) Caller() authz.Caller { return v.site.Guard.CallerOf(v.R, v.Live) }

// Asked is a part of the address, "" where it is not there.
func (v *Visit) Asked(name string) string { return strings.TrimSpace(v.query.Get(name)) }

// Redirect leads on.
func (v *Visit) Redirect(to string) error {
	v.W.Header().Set("Location", to)
	v.W.WriteHeader(http.StatusSeeOther)
	return nil
}

// Tell leads on after a change, and has the next page say so with the word flash.key.
func (v *Visit) Tell(key, to string) error {
	v.site.flash.Set(v.W, key, v.Now.Add(time.Minute), v.Now)
	return v.Redirect(to)
}

// Fail is the page of a refusal that belongs to no form. Strangers are led to the door, and who has to prove who they are to that.
func (v *Visit) Fail(err error) {
	switch {
	case errors.Is(err, session.ErrUnknown) && v.site.Serves("/impersonation") && v.site.Guard.Acted(v.R) != nil:
		_ = v.Redirect("/impersonation")
		return
	case errors.Is(err, session.ErrUnknown):
		_ = v.Redirect("/signin?return_to=" + url.QueryEscape(v.here()))
		return
	case errors.Is(err, authz.ErrStepUp):
		_ = v.Redirect("/confirm?return_to=" + url.QueryEscape(v.here()))
		return
	case errors.Is(err, authz.ErrMFA): // whoever has a second factor shows it, and whoever has none sets one up
		to := "/account/security"
		if live, err := v.Who(); err == nil && live != nil && live.User.Enrolled() {
			to = "/confirm?return_to=" + url.QueryEscape(v.here())
		}
		_ = v.Redirect(to)
		return
	}
	if err := v.ShowProblem(v.site.problem, err, func(no Problem) any { return no }); err != nil {
		web.WriteError(v.W, v.R, err)
	}
}

// Problem is a refusal on a page.
type Problem struct {
	*web.Problem
	Told  string // the detail in the language of the visitor
	Again string // where to try again, where that makes sense
}

// ShowProblem sends a page about a refusal.
func (v *Visit) ShowProblem(t *Template, err error, data func(Problem) any) error {
	no := Problem{Problem: web.NewProblem(v, err)}
	no.SetHeaders(v.W.Header())
	no.Told = v.told(no.Code, no.Detail)
	if v.R.Method == http.MethodGet && no.Status >= 500 || no.Status == http.StatusForbidden && v.R.Method == http.MethodPost {
		no.Again = v.here()
	}
	v.status, v.Shell, v.Form.Faults = no.Status, nil, nil
	return v.show(t, v.T("problem."+string(apperr.Of(err).Kind)), true, data(no))
}

// here is the page a request was sent from, as others write it: its own address, or of a form the page that has it.
func (v *Visit) here() string {
	outside := v.site.App.Config.Web.Outside
	if v.R.Method == http.MethodGet && v.status >= http.StatusBadRequest && v.status < http.StatusInternalServerError {
		return outside(v.R.URL.EscapedPath()) // what was refused is not repeated
	}
	if v.R.Method == http.MethodGet {
		return outside(v.R.URL.RequestURI())
	}
	from, err := url.Parse(v.R.Header.Get("Referer"))
	if err != nil || from.Path == "" {
		return outside("/")
	}
	to, err := v.site.App.Config.Web.ReturnTo(from.RequestURI())
	if err != nil {
		return outside("/")
	}
	return to
}

// Refused shows a page with a status that is none of success; what is wrong is in v.Form.Faults.
func (v *Visit) Refused(status int, show func(*Visit) error) error {
	v.status = status
	return show(v)
}

// Retry shows a form again after a refusal, with what is wrong beside its fields and what was typed in them. What no form can mend is
// returned as it is.
func (v *Visit) Retry(err error, show func(*Visit) error) error {
	return v.retry(err, show, v.faultsOf)
}

// RetryAt is Retry for a refusal that is about one field of this form, in other words where there are any.
func (v *Visit) RetryAt(field, words string, err error, show func(*Visit) error) error {
	return v.retry(err, show, func(err error) []Fault {
		if words == "" {
			words = v.Told(err)
		}
		return []Fault{{field, words}}
	})
}

func (v *Visit) retry(err error, show func(*Visit) error, faults func(error) []Fault) error {
	no := apperr.Of(err)
	if errors.Is(err, session.ErrUnknown) || errors.Is(err, authz.ErrStepUp) || errors.Is(err, authz.ErrMFA) || no.Kind == apperr.Internal || no.Kind == apperr.Unavailable {
		return err
	}
	p := web.NewProblem(v, err)
	p.SetHeaders(v.W.Header())
	v.status, v.Form.Faults = p.Status, append(v.Form.Faults, faults(err)...)
	return show(v)
}

// Status says with which status the page is sent; without it 200, or after Retry that of the refusal.
func (v *Visit) Status(status int) { v.status = status }

// Show sends a page. Nothing is sent before all of it is made.
func (v *Visit) Show(t *Template, title string, data any) error {
	return v.show(t, title, len(v.Form.Faults) > 0, data)
}

// view is what a template sees: the visit, and beside it what belongs to the page.
type view struct {
	*Visit
	Title  string // of the page; the one heading
	Failed bool   // whether the title begins with Error:
	Flash  string // what was done by the request before
	Data   any
	Acted  *Acted // nil where the visitor is themselves

	Here, App, Scheme string
	Locales           []string
	Development, Docs bool
}

func (v *Visit) show(t *Template, title string, failed bool, data any) error {
	cfg := v.site.App.Config
	key := v.formKey()
	v.Form.Token = formToken(key)
	p := view{Visit: v, Title: title, Failed: failed, Data: data, Acted: v.acted(), Here: v.here(), App: v.site.Name, Locales: v.site.words.Locales(),
		Development: !cfg.Production(), Docs: cfg.Server.Docs}
	p.Scheme, _ = v.site.scheme.Get(v.R)
	if done, ok := v.site.flash.Get(v.R); ok {
		if v.site.words.Knows("flash." + done) {
			p.Flash = v.T("flash." + done)
		}
		v.site.flash.Clear(v.W)
	}
	var out bytes.Buffer
	if err := t.in[v.Locale].Execute(&out, p); err != nil {
		return err
	}
	page := below(cfg.Web.Path(), out.Bytes())
	h := v.W.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(page)))
	h.Set("Content-Language", v.Locale)
	h.Set("Content-Security-Policy", cmp.Or(v.Policy, t.Policy))
	h.Set("Referrer-Policy", "same-origin")
	v.W.WriteHeader(v.status)
	_, _ = v.W.Write(page)
	return nil
}

// leading is how an address of this server begins in a page. In what somebody typed the quotation mark would be escaped.
var leading = regexp.MustCompile(` (?:href|src|action|formaction|data-passkey|data-progress)="/`)

// below puts the path of BASE_URL before every address of this server in a page.
func below(path string, page []byte) []byte {
	if path == "" {
		return page
	}
	return leading.ReplaceAllFunc(page, func(found []byte) []byte { return append(found[:len(found)-1:len(found)-1], path+"/"...) })
}
