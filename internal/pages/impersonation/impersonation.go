// Package impersonation is the page on which somebody who looks after people asks to act in the name of one, and the way back.
package impersonation

import (
	"embed"
	"net/http"
	"slices"
	"strconv"

	"github.com/admit-dev/admit/internal/impersonation"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

//go:embed templates/*.html words/*.json
var files embed.FS

type acting struct {
	*pages.Site
	ask, ended *pages.Template
}

// askPage is in whose name it is to be, and for how long it may be.
type askPage struct {
	User   user.User
	Name   string
	Times  []pages.Option
	Chosen string
}

// Mount serves them.
func Mount(mux *http.ServeMux, site *pages.Site) error {
	if err := site.AddWords(files); err != nil {
		return err
	}
	s := &acting{site, site.Template(files, "ask.html"), site.Template(files, "ended.html")}
	s.Handle(mux, "GET /admin/users/{user}/impersonate", pages.Person|pages.Fresh, s.showAsk)
	s.Handle(mux, "POST /admin/users/{user}/impersonate", pages.Person|pages.Fresh, s.begin)
	s.Handle(mux, "GET /impersonation", pages.Anyone, s.showEnded)
	s.Handle(mux, "POST /impersonation/end", pages.Anyone, (*pages.Visit).BeOneself)
	return nil
}

func (s *acting) showAsk(v *pages.Visit) error {
	u, err := s.App.Acting.May(v, v.Caller(), v.Live, v.R.PathValue("user"))
	if err != nil {
		return err
	}
	longest := s.App.Acting.Longest()
	p := askPage{User: u, Name: pages.NameOf(u), Chosen: v.Typed("minutes")}
	for _, n := range []int{15, 30, 60, 120, 240, longest} {
		one := pages.Option{Value: strconv.Itoa(n), Label: v.T("acting.minutes", "Count", n)}
		if n <= longest && !slices.Contains(p.Times, one) {
			p.Times = append(p.Times, one)
		}
	}
	return v.Show(s.ask, v.T("acting.title", "Name", p.Name), p)
}

func (s *acting) begin(v *pages.Visit) error {
	minutes, err := strconv.Atoi(v.Typed("minutes"))
	if err != nil {
		return v.Retry(impersonation.ErrMinutes, s.showAsk)
	}
	b, err := s.App.Acting.Begin(v, v.Caller(), v.Live, impersonation.Ask{UserID: v.R.PathValue("user"), Reason: v.Typed("reason"), Minutes: minutes, Transport: session.Cookie})
	if err != nil {
		return v.Retry(err, s.showAsk)
	}
	s.Cookies.Act(v.W, v.R, b.Credential, v.Live.Session.ExpiresAt, v.Now)
	return v.Redirect("/account")
}

// showEnded is where a browser comes in which acting in the name of another has ended by itself.
func (s *acting) showEnded(v *pages.Visit) error {
	own := s.Guard.Acted(v.R)
	if own == nil {
		return v.Redirect("/")
	}
	if live, err := v.Who(); err != nil || live != nil {
		if err != nil {
			return err
		}
		return v.Redirect("/")
	}
	return v.Show(s.ended, v.T("acting.ended"), pages.NameOf(own.User))
}
