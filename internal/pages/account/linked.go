package account

import (
	"net/http"

	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/secret"
)

// linkedPage is the accounts at other services that open this one, and the services that could.
type linkedPage struct {
	Identities []social.Identity
	Providers  []social.Provider
}

func (s *account) mountLinked(mux *http.ServeMux) {
	s.Handle(mux, "GET /account/linked", pages.Person, s.showLinked)
	s.Handle(mux, "POST /account/linked/{provider}", pages.Person|pages.Fresh, s.link)
	s.Handle(mux, "POST /account/linked/{id}/remove", pages.Person|pages.Fresh, func(v *pages.Visit) error {
		if err := s.app.Social.Unlink(v, v.Live.User.ID, v.Live.Session.ID, v.R.PathValue("id")); err != nil {
			return v.Retry(err, s.showLinked)
		}
		return v.Tell("unlinked", atLinked)
	})
}

func (s *account) showLinked(v *pages.Visit) error {
	list, err := s.app.Social.List(v, v.Live.User.ID)
	if err != nil {
		return err
	}
	s.shell(v, atLinked)
	return v.Show(s.linked, v.T("account.linked"), linkedPage{list, s.app.Social.Providers()})
}

// link sends somebody to a service whose account is to open theirs.
func (s *account) link(v *pages.Visit) error {
	provider := v.R.PathValue("provider")
	if !s.app.Social.Offers(provider) {
		return social.ErrProvider
	}
	t := social.Trip{UserID: v.Live.User.ID, SessionID: v.Live.Session.ID, ReturnTo: s.app.Config.Web.Outside(atLinked)}
	if t.Browser, _ = s.trip.Get(v.R); len(t.Browser) != 64 {
		t.Browser = secret.Hex32()
	}
	to, err := s.app.Social.Begin(v, provider, t)
	if err != nil {
		return v.Retry(err, s.showLinked)
	}
	s.trip.Set(v.W, t.Browser, v.Now.Add(social.TripLife), v.Now)
	return v.Redirect(to)
}
