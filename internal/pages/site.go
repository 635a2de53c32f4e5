// Package pages is what every HTML page stands on: one layout, one stylesheet, the words, forms with their token, who is signed in,
// and what a refusal looks like. Like package api it decides nothing: a page turns a form into one call and the answer into a page.
// Every form works without JavaScript, and nothing on a page is inline, so that its policy can be strict.
package pages

import (
	"cmp"
	"embed"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/web"
	"github.com/admit-dev/admit/internal/words"
)

//go:embed templates/*.html words/*.json refusals/*.json
var files embed.FS

// Policy lets a page load its own files, call home and send its forms home, and nothing else.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// LeadingOn is Policy for a page whose form ends in a redirect to another site: Chromium holds the whole chain of redirects to form-action.
const LeadingOn = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// Captcha is LeadingOn for a page that shows the captcha of a service: it may load what that names, and nothing else from elsewhere.
func Captcha(scripts, frames, calls, styles []string) string {
	with := func(list []string) string { return strings.Join(append([]string{"'self'"}, list...), " ") }
	return "default-src 'none'; script-src " + with(scripts) + "; style-src " + with(styles) + "; img-src 'self' data:; connect-src " + with(calls) +
		"; frame-src " + strings.Join(frames, " ") + "; base-uri 'none'; frame-ancestors 'none'"
}

// Site is every page of a server, and what they share.
type Site struct {
	App     *app.App
	Cookies *web.Cookies
	Guard   *web.Guard
	Name    string // of the site, for people

	Beyond func(*Visit) []Link // where else the visitor of an account may go: the administration tells

	assets   assets
	words    *words.Catalogue
	refusals map[string]map[string]string // by language and code
	limit    func(http.Handler) http.Handler

	form, flash, language, scheme *web.Cookie

	problem, errors, inbox *Template
}

// New makes what pages stand on. Packages below add their words and their pages to it; Mount serves what belongs to none.
func New(a *app.App, cookies *web.Cookies, guard *web.Guard) (*Site, error) {
	s := &Site{App: a, Cookies: cookies, Guard: guard, Name: cmp.Or(a.Config.Notify.App, a.Config.Web.Host())}
	s.limit = web.Limit(a.Limiter, a.Config.RateLimit.PerIP(), web.ByIP)
	s.form, s.flash = cookies.Named("form_key", "/"), cookies.Named("flash", "/")
	s.language, s.scheme = cookies.Named("language", "/").Crossing(), cookies.Named("scheme", "/").Crossing()
	var err error
	if s.assets, err = loadAssets(a.Config.Theme); err != nil {
		return nil, err
	}
	if s.refusals, err = loadRefusals(); err != nil {
		return nil, err
	}
	own, err := fs.Sub(files, "words")
	if err != nil {
		return nil, err
	}
	if s.words, err = words.New(own); err != nil {
		return nil, err
	}
	_ = s.words.Prefer(a.Config.Notify.Locale) // a language that only mails are written in leaves the pages English
	s.problem, s.errors = s.Template(files, "problem.html"), s.Template(files, "errors.html")
	s.inbox = s.Template(files, "inbox.html")
	return s, nil
}

// Mount serves what every page loads, and the pages about the server itself.
func (s *Site) Mount(mux *http.ServeMux) {
	mux.Handle("GET "+assetPath+"{name}", web.Compress(s.assets))
	s.Handle(mux, "POST /preferences", Anyone, s.prefer)
	mux.Handle("GET /docs/errors", web.Compress(s.page(Anyone, s.catalogue())))
	s.development(mux)
	s.wellKnown(mux)
}

// AddWords takes in the words of a package: a directory with en.json, and a file for each other language.
func (s *Site) AddWords(from fs.FS) error {
	own, err := fs.Sub(from, "words")
	if err != nil {
		return err
	}
	return s.words.Add(own)
}

// Template is a page in every language.
type Template struct {
	Policy string // Policy, unless its form leads to another site

	in map[string]unread
}

// unread is a template that is read when it is first shown.
type unread func() *template.Template

// Execute writes the page about data.
func (u unread) Execute(to io.Writer, data any) error { return u().Execute(to, data) }

// Template is a page of a package, from its directory templates. What the names define is put into the one layout. It is read when
// it is first shown: all pages in all languages would be a third of the time a server takes to start.
func (s *Site) Template(from fs.FS, names ...string) *Template {
	t := &Template{Policy, map[string]unread{}}
	for i, name := range names {
		names[i] = "templates/" + name
	}
	for _, locale := range s.words.Locales() {
		t.in[locale] = sync.OnceValue(func() *template.Template {
			one := template.New("layout.html").Funcs(s.functions(locale))
			one = template.Must(one.ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/keys.html"))
			return template.Must(one.ParseFS(from, names...))
		})
	}
	return t
}
