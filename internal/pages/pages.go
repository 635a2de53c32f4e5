// Package pages speaks HTML. Like package api it decides nothing: a page turns a form into one call and the answer into a
// page. Every form works without JavaScript, and nothing on a page is inline, so that its policy can be strict.
package pages

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strconv"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/web"
)

//go:embed templates/*.html
var templates embed.FS

// policy lets a page load its own files and send its forms home, and nothing else. A page whose form ends in a redirect to
// another site must leave form-action out: Chromium holds the whole chain of redirects to it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Pages is the HTML side of a server.
type Pages struct {
	app     *app.App
	cookies *web.Cookies
	guard   *web.Guard

	start, welcome, errors, problem, inbox, invitation, joined, letter, done page
	refused, code, arrived, claimed                                          page // of signing in with another service

	trip *web.Cookie // binds a browser to its trips to other services
}

// Mount serves every page and what they load on mux.
func Mount(mux *http.ServeMux, a *app.App, cookies *web.Cookies, guard *web.Guard) *Pages {
	files := loadAssets()
	p := &Pages{app: a, cookies: cookies, guard: guard}
	p.start, p.welcome = parse(files, "start.html"), parse(files, "welcome.html")
	p.errors, p.problem = parse(files, "errors.html"), parse(files, "problem.html")
	p.invitation, p.joined = parse(files, "invitation.html"), parse(files, "joined.html")
	p.letter, p.done = parse(files, "letter.html"), parse(files, "done.html")
	limit := web.Limit(a.Limiter, a.Config.RateLimit.PerIP(), web.ByIP)
	mux.Handle("GET "+assetPath+"{name}", web.Compress(files))
	mux.HandleFunc("GET /start", p.showStart)
	mux.Handle("GET /invitation", limit(http.HandlerFunc(p.showInvitation)))
	mux.Handle("POST /invitation", limit(http.HandlerFunc(p.join)))
	mux.Handle("POST /start", limit(http.HandlerFunc(p.claim)))
	mux.Handle("GET /docs/errors", web.Compress(p.catalogue()))
	p.mountLetters(mux, limit)
	p.social(mux, files, limit)
	p.development(mux, files)
	return p
}

// page is a parsed template.
type page struct {
	*template.Template
	policy string
}

func parse(files assets, name string) page {
	t := template.New("layout.html").Funcs(template.FuncMap{"asset": files.url, "clock": clock})
	return page{template.Must(t.ParseFS(templates, "templates/layout.html", "templates/"+name)), policy}
}

// view is what every page knows. Data is its own.
type view struct {
	Title       string // of the page; the one heading
	Failed      bool   // whether the title begins with Error:
	Wide        bool   // for reading, not for a form
	Development bool
	Docs        bool // whether /docs is served
	Data        any
}

func (p *Pages) view(title string, data any) view {
	return view{Title: title, Development: !p.app.Config.Production(), Docs: p.app.Config.Server.Docs, Data: data}
}

// show sends a page. Nothing is sent before all of it is made.
func (t page) show(w http.ResponseWriter, r *http.Request, status int, v view) {
	var out bytes.Buffer
	if err := t.Execute(&out, v); err != nil {
		web.WriteError(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	h.Set("Content-Security-Policy", t.policy)
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

// fail is the page of a refusal that belongs to no form.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	no := web.NewProblem(r.Context(), err)
	no.SetHeaders(w.Header())
	v := p.view(no.Title, no)
	v.Failed = true
	p.problem.show(w, r, no.Status, v)
}
