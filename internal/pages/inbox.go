package pages

import (
	"net/http"
	"strconv"
	"time"

	"github.com/admit-dev/admit/internal/notify"
)

// inboxView is the development inbox: of everybody, or of one recipient.
type inboxView struct {
	To     string
	Newest string // the id the page looks for something newer than
	Items  []notify.Letter
}

// letterPolicy lets a mail show its own styles and nothing else: no script, no form, nothing from elsewhere. Its links lead on.
const letterPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"

// development serves what production does not have.
func (p *Pages) development(mux *http.ServeMux, files assets) {
	if !p.app.Notify.Catches() {
		return
	}
	p.inbox = parse(files, "inbox.html")
	p.inbox.policy += "; connect-src 'self'" // it looks for what is new
	mux.HandleFunc("GET /dev/inbox", p.inside(p.showInbox))
	mux.HandleFunc("GET /dev/inbox/{id}", p.inside(p.showLetter))
}

func (p *Pages) inside(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !p.app.Config.Web.Inside(r) {
			p.fail(w, r, notify.ErrNotFound)
			return
		}
		next(w, r)
	}
}

func (p *Pages) showInbox(w http.ResponseWriter, r *http.Request) {
	in := inboxView{To: r.URL.Query().Get("to")}
	var err error
	if in.Items, err = p.app.Notify.Inbox(r.Context(), in.To); err != nil {
		p.fail(w, r, err)
		return
	}
	if len(in.Items) > 0 {
		in.Newest = in.Items[0].ID
	}
	v := p.view("Inbox", in)
	v.Wide = true
	p.inbox.show(w, r, http.StatusOK, v)
}

// showLetter is a mail as its reader would see it.
func (p *Pages) showLetter(w http.ResponseWriter, r *http.Request) {
	l, err := p.app.Notify.Caught(r.Context(), r.PathValue("id"))
	if err == nil && l.HTML == "" {
		err = notify.ErrNotFound
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(l.HTML)))
	h.Set("Content-Security-Policy", letterPolicy)
	_, _ = w.Write([]byte(l.HTML))
}

// clock is a time of day, for templates.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
