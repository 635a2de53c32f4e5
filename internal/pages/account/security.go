package account

import (
	"errors"
	"html/template"
	"net/http"
	"slices"

	"github.com/admit-dev/admit/internal/method/passkey"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/method/recoverycode"
	"github.com/admit-dev/admit/internal/method/totp"
	"github.com/admit-dev/admit/internal/pages"
)

// securityPage is how somebody signs in.
type securityPage struct {
	Passkeys      []passkey.Passkey
	PasskeysOn    bool
	App, Factored bool // an authenticator app is set up; any second factor is
	Required      bool // a second factor is required and there is none
	Password      bool
	OneWay        bool // there is but one way in
	Sent          []sentFactor
	Left, Of      int // recovery codes
}

func (s *account) mountSecurity(mux *http.ServeMux) {
	s.Handle(mux, "GET /account/security", pages.Enrolling, s.showSecurity)
	s.Handle(mux, "GET /account/security/password", pages.Person, s.showPassword)
	s.Handle(mux, "POST /account/security/password", pages.Person|pages.Limited, s.changePassword)
	s.Handle(mux, "POST /account/security/password/first", pages.Person|pages.Fresh|pages.Limited, s.firstPassword)
	s.Handle(mux, "GET /account/security/passkey", pages.Enrolling|pages.Fresh, s.showPasskey)
	s.Handle(mux, "POST /account/security/passkey", pages.Enrolling|pages.Limited, s.addPasskey)
	s.Handle(mux, "POST /account/security/passkeys/{id}/rename", pages.Person, s.renamePasskey)
	s.Handle(mux, "POST /account/security/passkeys/{id}/remove", pages.Person|pages.Fresh, s.removePasskey)
	s.Handle(mux, "GET /account/security/app", pages.Enrolling|pages.Fresh, s.showSetUp)
	s.Handle(mux, "POST /account/security/app", pages.Enrolling|pages.Fresh, s.beginSetUp)
	s.Handle(mux, "POST /account/security/app/confirm", pages.Enrolling|pages.Limited, s.confirmSetUp)
	s.Handle(mux, "POST /account/security/app/remove", pages.Person|pages.Fresh, s.removeApp)
	s.Handle(mux, "POST /account/security/codes", pages.Person|pages.Fresh, s.renewCodes)
}

func (s *account) showSecurity(v *pages.Visit) error {
	if v.R.URL.Query().Get("add") == passkey.Name {
		return v.Redirect("/account/security/passkey")
	}
	u := v.Live.User
	list, err := s.app.Passkeys.List(v, u.ID)
	if err != nil {
		return err
	}
	_, lacking := s.Guard.Identify(v.R)
	p := securityPage{Passkeys: list, PasskeysOn: s.app.Passkeys.On(), App: slices.Contains(u.Factors, totp.Name), Factored: len(u.Factors) > 0, Required: lacking != nil,
		Sent: s.sentFactors(u), Of: recoverycode.Count}
	if p.Password, err = password.Has(v, s.app.DB, u.ID); err != nil {
		return err
	}
	if p.Left, err = s.app.Recovery.Left(v, u.ID); err != nil {
		return err
	}
	ways, err := s.app.Door.Ways(v, u.ID)
	if err != nil {
		return err
	}
	p.OneWay = ways == 1
	s.shell(v, atSecurity)
	return v.Show(s.security, v.T("account.security"), p)
}

// passwordPage is where a password is changed, or set by somebody who has none.
type passwordPage struct {
	Has bool
	Min int
}

// showPassword asks who has a password for that, and everybody else for a fresh proof.
func (s *account) showPassword(v *pages.Visit) error {
	has, err := password.Has(v, s.app.DB, v.Live.User.ID)
	if err != nil {
		return err
	}
	title := "security.change_password"
	if !has {
		if err := s.Guard.Fresh(v, v.Live, pages.FreshFor); err != nil {
			return err
		}
		title = "security.first_password"
	}
	s.shell(v, atSecurity)
	return v.Show(s.password, v.T(title), passwordPage{has, s.app.Config.Password.MinLength})
}

func (s *account) firstPassword(v *pages.Visit) error {
	if err := s.app.Passwords.First(v, v.Live.User.ID, v.Typed("new_password")); err != nil {
		return v.Retry(err, s.showPassword)
	}
	return v.Tell("password_set", atSecurity)
}

func (s *account) changePassword(v *pages.Visit) error {
	if !v.Need("current_password", "new_password") {
		return s.showPassword(v)
	}
	if err := s.app.Passwords.Change(v, v.Live.User.ID, v.Live.Session.ID, v.Typed("current_password"), v.Typed("new_password")); err != nil {
		return v.Retry(err, s.showPassword)
	}
	return v.Tell("password_changed", atSecurity)
}

func (s *account) showPasskey(v *pages.Visit) error {
	if !s.app.Passkeys.On() {
		return passkey.ErrOff
	}
	s.shell(v, atSecurity)
	return v.Show(s.passkey, v.T("security.add_passkey"), nil)
}

func (s *account) addPasskey(v *pages.Visit) error {
	if _, err := s.app.Passkeys.Register(v, v.Live.User, v.Live.Session.ID, v.Typed("credential"), v.Typed("name")); err != nil {
		return v.Retry(err, s.showPasskey)
	}
	return v.Tell("passkey_added", atSecurity)
}

func (s *account) renamePasskey(v *pages.Visit) error {
	if _, err := s.app.Passkeys.Rename(v, v.Live.User.ID, v.R.PathValue("id"), v.Typed("name")); err != nil {
		return v.RetryAt("", "", err, s.showSecurity)
	}
	return v.Tell("saved", atSecurity)
}

func (s *account) removePasskey(v *pages.Visit) error {
	if err := s.app.Passkeys.Remove(v, v.Live.User.ID, v.R.PathValue("id")); err != nil {
		return v.Retry(err, s.showSecurity)
	}
	return v.Tell("passkey_removed", atSecurity)
}

// setUpPage is an authenticator app that is being set up. Without a secret it is about to be.
type setUpPage struct {
	Secret string
	QR     template.URL
}

func (s *account) showSetUp(v *pages.Visit) error { return s.showSetUpOf(v, setUpPage{}) }

func (s *account) showSetUpOf(v *pages.Visit, p setUpPage) error {
	s.shell(v, atSecurity)
	return v.Show(s.setUp, v.T("security.add_app"), p)
}

func (s *account) beginSetUp(v *pages.Visit) error {
	made, err := s.app.TOTP.SetUp(v, v.Live.User)
	if err != nil {
		return err
	}
	return s.showSetUpOf(v, setUpPage{made.Secret, template.URL(made.QR)})
}

// confirmSetUp has the app count. Where the code is wrong the picture is on the page of before: what was scanned goes on to count.
func (s *account) confirmSetUp(v *pages.Visit) error {
	codes, err := s.app.TOTP.Confirm(v, v.Live.User.ID, v.Live.Session.ID, v.Typed("code"))
	switch {
	case errors.Is(err, totp.ErrCode):
		return v.Retry(err, func(v *pages.Visit) error { return s.showSetUpOf(v, setUpPage{Secret: "again"}) })
	case err != nil:
		return v.Retry(err, s.showSetUp)
	case len(codes) == 0:
		return v.Tell("app_added", atSecurity)
	}
	return s.showCodes(v, codes)
}

func (s *account) removeApp(v *pages.Visit) error {
	if err := s.app.TOTP.Remove(v, v.Live.User.ID); err != nil {
		return v.Retry(err, s.showSecurity)
	}
	return v.Tell("app_removed", atSecurity)
}

func (s *account) renewCodes(v *pages.Visit) error {
	codes, err := s.app.Recovery.Renew(v, v.Live.User.ID)
	if err != nil {
		return v.Retry(err, s.showSecurity)
	}
	return s.showCodes(v, codes)
}

// showCodes shows recovery codes, this once.
func (s *account) showCodes(v *pages.Visit, codes []string) error {
	s.shell(v, atSecurity)
	return v.Show(s.codes, v.T("codes.title"), codes)
}
