package account

import (
	"net/http"

	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/user"
)

func (s *account) mountProfile(mux *http.ServeMux) {
	s.Handle(mux, "GET /account", pages.Person, s.showProfile)
	s.Handle(mux, "POST /account", pages.Person, s.changeProfile)
	s.Handle(mux, "GET /account/email", pages.Person|pages.Fresh, s.showEmail)
	s.Handle(mux, "POST /account/email", pages.Person|pages.Fresh|pages.Limited, s.changeEmail)
	s.Handle(mux, "POST /account/email/verify", pages.Person|pages.Limited, func(v *pages.Visit) error {
		if err := s.app.Addresses.Ask(v, v.Live.User.ID); err != nil {
			return v.Retry(err, s.showProfile)
		}
		return v.Tell("mail_sent", atProfile)
	})
	s.Handle(mux, "POST /account/email/code", pages.Person|pages.Limited, func(v *pages.Visit) error {
		if _, err := s.app.Addresses.ConfirmCode(v, v.Live.User.ID, v.Typed("code")); err != nil {
			return v.Retry(err, s.showProfile)
		}
		return v.Tell("email_verified", atProfile)
	})
}

func (s *account) showProfile(v *pages.Visit) error {
	u := v.Live.User
	v.Set("name", u.Name)
	v.Set("username", u.Username)
	s.shell(v, atProfile)
	return v.Show(s.profile, v.T("account.profile"), u)
}

func (s *account) changeProfile(v *pages.Visit) error {
	name, username := v.Typed("name"), v.Typed("username")
	if _, err := s.app.Users.Update(v, v.Live.User.ID, user.Change{Name: &name, Username: &username}); err != nil {
		return v.Retry(err, s.showProfile)
	}
	return v.Tell("saved", atProfile)
}

func (s *account) showEmail(v *pages.Visit) error {
	s.shell(v, atProfile)
	return v.Show(s.email, v.T("email.title"), v.Live.User)
}

func (s *account) changeEmail(v *pages.Visit) error {
	if !v.Need("email") {
		return s.showEmail(v)
	}
	if err := s.app.Addresses.Change(v, v.Live.User, v.Typed("email")); err != nil {
		return v.Retry(err, s.showEmail)
	}
	return v.Tell("email_asked", atProfile)
}
