package pages

import (
	"net/http"
	"strconv"

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
func (s *Site) development(mux *http.ServeMux) {
	if !s.App.Notify.Catches() {
		return
	}
	s.Handle(mux, "GET /dev/inbox", Anyone, s.Inside(s.showInbox))
	s.Handle(mux, "GET /dev/inbox/{id}", Anyone, s.Inside(s.showLetter))
}

// Inside is a page of development, for who calls this server by its own name.
func (s *Site) Inside(do func(*Visit) error) func(*Visit) error {
	return func(v *Visit) error {
		if !s.App.Config.Web.Inside(v.R) {
			return notify.ErrNotFound
		}
		return do(v)
	}
}

func (s *Site) showInbox(v *Visit) error {
	in := inboxView{To: v.R.URL.Query().Get("to")}
	var err error
	if in.Items, err = s.App.Notify.Inbox(v, in.To); err != nil {
		return err
	}
	if len(in.Items) > 0 {
		in.Newest = in.Items[0].ID
	}
	v.Wide = true
	v.Set("to", in.To)
	return v.Show(s.inbox, v.T("inbox.title"), in)
}

// showLetter is a mail as its reader would see it.
func (s *Site) showLetter(v *Visit) error {
	l, err := s.App.Notify.Caught(v, v.R.PathValue("id"))
	if err == nil && l.HTML == "" {
		err = notify.ErrNotFound
	}
	if err != nil {
		return err
	}
	h := v.W.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(l.HTML)))
	h.Set("Content-Security-Policy", letterPolicy)
	_, _ = v.W.Write([]byte(l.HTML))
	return nil
}
