package account

import (
	"errors"
	"net/http"
	"slices"

	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/method/otp"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/user"
)

// sentFactor is codes that are sent, which may be a second factor.
type sentFactor struct {
	Method string
	On     bool
	To     string // where they go; "" while nothing is known to be the person's
}

func (s *account) sentFactors(u user.User) (list []sentFactor) {
	for _, f := range []sentFactor{{Method: otp.Email}, {Method: otp.Phone}} {
		switch {
		case f.Method == otp.Email && u.EmailVerified:
			f.To = u.Email
		case f.Method == otp.Phone && u.PhoneVerified:
			f.To = u.Phone
		}
		if f.On = slices.Contains(u.Factors, f.Method); f.On || s.offers(f.Method) {
			list = append(list, f)
		}
	}
	return list
}

func (s *account) mountFactors(mux *http.ServeMux) {
	for _, method := range []string{otp.Email, otp.Phone} {
		at := "/account/security/" + method
		show := func(v *pages.Visit) error {
			s.shell(v, atSecurity)
			return v.Show(s.code, v.T("factor."+method), codePage{Lead: "factor." + method + "_sent", Action: at + "/confirm", Back: atSecurity})
		}
		s.Handle(mux, "POST "+at, pages.Person|pages.Fresh|pages.Limited, func(v *pages.Visit) error {
			if err := s.app.Codes.SetUp(v, v.Live.User, v.Live.Session.ID, method); err != nil {
				return v.RetryAt("", "", err, s.showSecurity)
			}
			return show(v)
		})
		s.Handle(mux, "POST "+at+"/confirm", pages.Person|pages.Limited, func(v *pages.Visit) error {
			codes, err := s.app.Codes.Confirm(v, v.Live.User, v.Live.Session.ID, method, v.Typed("code"))
			switch {
			case errors.Is(err, challenge.ErrCode):
				return v.Retry(err, show)
			case err != nil:
				return v.RetryAt("", "", err, s.showSecurity)
			case len(codes) == 0:
				return v.Tell("factor_added", atSecurity)
			}
			return s.showCodes(v, codes)
		})
		s.Handle(mux, "POST "+at+"/remove", pages.Person|pages.Fresh, func(v *pages.Visit) error {
			if err := s.app.Codes.Remove(v, v.Live.User.ID, method); err != nil {
				return v.RetryAt("", "", err, s.showSecurity)
			}
			return v.Tell("factor_removed", atSecurity)
		})
	}
}
