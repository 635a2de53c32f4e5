package admin

import (
	"net/http"
	"strings"

	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/user"
)

// lockoutsPage is who is locked now, and by which limits.
type lockoutsPage struct {
	rights
	People   []onePerson
	Settings []config.Setting
	More     string
}

func (s *admin) mountLockouts(mux *http.ServeMux) {
	s.Handle(mux, "GET /admin/lockouts", pages.Person, s.showLockouts)
}

func (s *admin) showLockouts(v *pages.Visit) error {
	after := v.Asked("cursor")
	if !id.Valid("usr", after) {
		after = ""
	}
	list, err := s.app.Accounts.List(v, v.Caller(), user.Filter{State: user.StateLocked}, after, 50)
	if err != nil {
		return err
	}
	locks, err := s.app.Locks.Of(v, list.Users...)
	if err != nil {
		return err
	}
	p := lockoutsPage{rights: rights{s, v}, More: further(atLockouts, list.Next, nil)}
	for _, u := range list.Users {
		p.People = append(p.People, onePerson{u, locks[u.ID]})
	}
	if settings, err := s.app.Settings(v, v.Caller()); err == nil {
		for _, one := range settings.Settings {
			if strings.HasPrefix(one.Name, "RATE_LIMIT") || strings.HasPrefix(one.Name, "LOCKOUT_") {
				p.Settings = append(p.Settings, one)
			}
		}
	}
	return s.show(v, s.lockouts, atLockouts, v.T("admin.lockouts"), p)
}
