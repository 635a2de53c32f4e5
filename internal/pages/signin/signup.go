package signin

import (
	"net/url"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/consent"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/typo"
	"github.com/admit-dev/admit/internal/user"
)

// signUpPage is the page that makes an account.
type signUpPage struct {
	MinLength int
	Terms     consent.Config
	Providers []provider
	Meant     string // the address that was probably meant
}

func (s *signin) showSignUp(v *pages.Visit) error {
	if led, err := s.keepReturn(v); err != nil || led {
		return err
	}
	if !s.app.Config.Login.SignUp {
		return login.ErrSignUpOff
	}
	p := signUpPage{MinLength: s.app.Config.Password.MinLength, Terms: s.app.Config.Consent, Meant: typo.Email(v.Typed("email"))}
	for _, one := range s.app.Social.Providers() {
		p.Providers = append(p.Providers, provider{one.Name, one.Title, "/auth/" + one.Name + "/login?return_to=" + url.QueryEscape(s.returnTo(v))})
	}
	return v.Show(s.up, v.T("signup.title"), p)
}

// signUp makes an account. What follows is the same whether the address had one already; the mail to it says which.
func (s *signin) signUp(v *pages.Visit) error {
	if !v.Need("email", "password") {
		return s.showSignUp(v)
	}
	if meant := typo.Email(v.Typed("email")); meant != "" && v.Typed("keep") != v.Typed("email") {
		return v.RetryAt("email", v.T("signup.slip", "Email", meant), apperr.ErrInvalid, s.showSignUp)
	}
	in := user.New{Email: v.Typed("email"), Name: v.Typed("name")}
	var agreed []consent.Consent
	if c := s.app.Config.Consent; c.Terms != "" {
		agreed = append(agreed, consent.Consent{Document: consent.Terms, Version: c.Version})
	}
	if err := s.app.Passwords.SignUpQuietly(v, in, v.Typed("password"), agreed...); err != nil {
		return v.Retry(err, s.showSignUp)
	}
	return v.Show(s.sent, v.T("signup.sent"), sentPage{v.T("signup.sent_lead"), v.Typed("email")})
}

// sentPage says that a mail is on its way, if it is.
type sentPage struct{ Lead, Email string }

// forgot is POST /recover without a token: it asks for a link.
func (s *signin) forgot(v *pages.Visit) error {
	if !v.Need("email") {
		return s.showForgot(v)
	}
	if err := s.app.Resets.Forgot(v, v.Typed("email")); err != nil {
		return v.Retry(err, s.showForgot)
	}
	return v.Show(s.sent, v.T("forgot.sent"), sentPage{v.T("forgot.sent_lead"), v.Typed("email")})
}

func (s *signin) showForgot(v *pages.Visit) error { return v.Show(s.lost, v.T("forgot.title"), nil) }
