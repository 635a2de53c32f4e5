package account

import (
	"errors"
	"net/http"
	"slices"

	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/method/otp"
	"github.com/admit-dev/admit/internal/pages"
)

// phonePage is where a number is taken, or given up.
type phonePage struct {
	Phone string
	On    bool // texts are sent from here
}

// codePage asks for a code that was sent.
type codePage struct {
	Lead, Action, Back string
	To                 string // what it was sent to, of a number that is taken
}

func (s *account) mountPhone(mux *http.ServeMux) {
	s.Handle(mux, "GET /account/phone", pages.Person|pages.Fresh, s.showPhone)
	s.Handle(mux, "POST /account/phone", pages.Person|pages.Fresh|pages.Limited, s.askPhone)
	s.Handle(mux, "POST /account/phone/confirm", pages.Person|pages.Limited, s.confirmPhone)
	s.Handle(mux, "POST /account/phone/remove", pages.Person|pages.Fresh, func(v *pages.Visit) error {
		if err := s.app.Codes.RemoveNumber(v, v.Live.User.ID); err != nil {
			return v.RetryAt("", "", err, s.showPhone)
		}
		return v.Tell("phone_removed", atProfile)
	})
}

func (s *account) offers(method string) bool { return slices.Contains(s.app.Door.Methods(), method) }

func (s *account) showPhone(v *pages.Visit) error {
	s.shell(v, atProfile)
	return v.Show(s.phone, v.T("phone.title"), phonePage{v.Live.User.Phone, s.offers(otp.Phone)})
}

func (s *account) askPhone(v *pages.Visit) error {
	if !v.Need("phone") {
		return s.showPhone(v)
	}
	if err := s.app.Codes.AskNumber(v, v.Live.User, v.Typed("phone")); err != nil {
		return v.Retry(err, s.showPhone)
	}
	return s.showPhoneCode(v)
}

// showPhoneCode says back which number was understood.
func (s *account) showPhoneCode(v *pages.Visit) error {
	to, err := s.app.Users.ParsePhone(v.Typed("phone"))
	if err != nil {
		return v.Retry(err, s.showPhone)
	}
	s.shell(v, atProfile)
	return v.Show(s.code, v.T("phone.code"), codePage{"phone.sent", "/account/phone/confirm", "/account/phone", to.Value})
}

func (s *account) confirmPhone(v *pages.Visit) error {
	_, err := s.app.Codes.ConfirmNumber(v, v.Live.User.ID, v.Typed("code"))
	if errors.Is(err, challenge.ErrCode) {
		return v.Retry(err, s.showPhoneCode)
	}
	if err != nil {
		return v.Retry(err, s.showPhone)
	}
	return v.Tell("phone_confirmed", atProfile)
}
