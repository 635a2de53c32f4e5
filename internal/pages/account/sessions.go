package account

import (
	"net/http"

	"github.com/admit-dev/admit/internal/device"
	"github.com/admit-dev/admit/internal/knowndevice"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/session"
)

// sessionsPage is where somebody is signed in, and the devices they are known on.
type sessionsPage struct {
	Sessions []oneSession
	Devices  []oneDevice
	Others   bool // there is more than this session
}

type oneSession struct {
	session.Session
	Device  string
	Current bool
	By      string // who acts there in the name of the person
}

type oneDevice struct {
	knowndevice.Device
	Name string
}

func (s *account) mountSessions(mux *http.ServeMux) {
	s.Handle(mux, "GET /account/sessions", pages.Person, s.showSessions)
	s.Handle(mux, "POST /account/sessions/{id}/end", pages.Person, s.endSession)
	s.Handle(mux, "POST /account/sessions/end-others", pages.Person, func(v *pages.Visit) error {
		if _, err := s.app.Sessions.RevokeAll(v, v.Live.User.ID, v.Live.Session.ID, session.RevokedByUser); err != nil {
			return err
		}
		return v.Tell("sessions_ended", atSessions)
	})
	s.Handle(mux, "POST /account/devices/{id}/forget", pages.Person, func(v *pages.Visit) error {
		if err := s.app.Devices.Forget(v, v.Live.User.ID, v.R.PathValue("id")); err != nil {
			return v.Retry(err, s.showSessions)
		}
		return v.Tell("device_forgotten", atSessions)
	})
	s.Handle(mux, "POST /account/devices/forget-all", pages.Person, func(v *pages.Visit) error {
		if _, err := s.app.Devices.ForgetAll(v, v.Live.User.ID); err != nil {
			return err
		}
		return v.Tell("device_forgotten", atSessions)
	})
}

func (s *account) showSessions(v *pages.Visit) error {
	list, err := s.app.Sessions.List(v, v.Live.User.ID)
	if err != nil {
		return err
	}
	known, err := s.app.Devices.List(v, v.Live.User.ID)
	if err != nil {
		return err
	}
	p := sessionsPage{Others: len(list) > 1}
	for _, n := range list {
		one := oneSession{n, device.Name(n.UserAgent), n.ID == v.Live.Session.ID, ""}
		if n.Act != nil {
			one.By = v.T("acted.somebody")
			if by, err := s.app.Users.Get(v, n.Act.UserID); err == nil && by.Name != "" {
				one.By = by.Name
			}
		}
		if one.Current { // first of all
			p.Sessions = append([]oneSession{one}, p.Sessions...)
		} else {
			p.Sessions = append(p.Sessions, one)
		}
	}
	for _, d := range known {
		p.Devices = append(p.Devices, oneDevice{d, device.Title(d.Browser, d.System)})
	}
	s.shell(v, atSessions)
	return v.Show(s.sessions, v.T("account.sessions"), p)
}

func (s *account) endSession(v *pages.Visit) error {
	id := v.R.PathValue("id")
	if err := s.app.Sessions.Revoke(v, v.Live.User.ID, id, session.RevokedByUser); err != nil {
		return v.Retry(err, s.showSessions)
	}
	if id == v.Live.Session.ID {
		s.Cookies.ClearSession(v.W)
		return v.Tell("signed_out", "/signin")
	}
	return v.Tell("session_ended", atSessions)
}
