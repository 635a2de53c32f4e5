package account

import (
	"net/http"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/user"
)

func (s *account) mountProfile(mux *http.ServeMux) {
	s.Handle(mux, "GET /account", pages.Person, s.showProfile)
	s.Handle(mux, "POST /account", pages.Person, s.changeProfile)
	s.Handle(mux, "POST /account/voice", pages.Person, s.changeVoice)
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

// profilePage is somebody, and what they may choose from.
type profilePage struct {
	user.User
	Languages, Zones []pages.Option
}

func (s *account) showProfile(v *pages.Visit) error {
	u := v.Live.User
	v.Set("language", u.Language)
	v.Set("time_zone", u.TimeZone)
	p := profilePage{u, []pages.Option{{Value: "", Label: v.T("voice.browser")}}, []pages.Option{{Value: "", Label: "UTC"}}}
	for _, tag := range s.app.Users.Languages() {
		p.Languages = append(p.Languages, pages.Option{Value: tag, Label: pages.Language(tag)})
	}
	names := strings.Fields(zones)
	if u.TimeZone != "" && !slices.Contains(names, u.TimeZone) { // by another name
		names = append(names, u.TimeZone)
	}
	for _, name := range names {
		p.Zones = append(p.Zones, pages.Option{Value: name, Label: strings.ReplaceAll(name, "_", " ")})
	}
	v.Set("name", u.Name)
	v.Set("username", u.Username)
	s.shell(v, atProfile)
	return v.Show(s.profile, v.T("account.profile"), p)
}

func (s *account) changeVoice(v *pages.Visit) error {
	language, zone := v.Typed("language"), v.Typed("time_zone")
	if _, err := s.app.Users.Update(v, v.Live.User.ID, user.Change{Language: &language, TimeZone: &zone}); err != nil {
		return v.Retry(err, s.showProfile)
	}
	return v.Tell("saved", atProfile)
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
