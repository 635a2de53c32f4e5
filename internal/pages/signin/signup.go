package signin

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/consent"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/human"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/typo"
	"github.com/admit-dev/admit/internal/user"
)

// signUpPage is the page that makes an account.
type signUpPage struct {
	MinLength int
	Terms     consent.Config
	Providers []provider
	Meant     string    // the address that was probably meant
	Step      *stepPage // what is to be answered first, where a sign-up is unusual
}

func (s *signin) showSignUp(v *pages.Visit) error {
	if led, err := s.keepReturn(v); err != nil || led {
		return err
	}
	if !s.app.Config.Login.SignUp {
		return login.ErrSignUpOff
	}
	p := s.newSignUpPage(v)
	for _, one := range s.app.Social.Providers() {
		p.Providers = append(p.Providers, provider{one.Name, one.Title, "/auth/" + one.Name + "/login?return_to=" + url.QueryEscape(s.returnTo(v))})
	}
	if v.Typed("step") != "" { // it is drawn again
		if step, err := s.newStepPage(json.RawMessage(v.Typed("step"))); err == nil {
			p.Step = &step
		}
	}
	return s.showUp(v, p)
}

func (s *signin) newSignUpPage(v *pages.Visit) signUpPage {
	return signUpPage{MinLength: s.app.Config.Password.MinLength, Terms: s.app.Config.Consent, Meant: typo.Email(v.Typed("email"))}
}

func (s *signin) showUp(v *pages.Visit, p signUpPage) error {
	if p.Step != nil {
		s.widen(v, *p.Step)
	}
	return v.Show(s.up, v.T("signup.title"), p)
}

// askFirst shows the form again, with what is to be answered first. The password has to be typed again: no page ever has it.
func (s *signin) askFirst(v *pages.Visit, step login.Step) error {
	s.attempt.Set(v.W, step.ID, v.Now.Add(attemptLife), v.Now)
	step.ID = ""
	asked, err := s.newStepPage(step)
	if err != nil {
		return err
	}
	p := s.newSignUpPage(v)
	p.Step = &asked
	v.Status(http.StatusUnauthorized)
	return s.showUp(v, p)
}

// signUp makes an account. What follows is the same whether the address had one already; the mail to it says which.
func (s *signin) signUp(v *pages.Visit) error {
	asked, _ := s.attempt.Get(v.R)
	if method := v.Typed("method"); method != "" {
		return s.askOtherwise(v, asked, method)
	}
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
	var g login.Given
	if v.Typed("step") != "" {
		g = login.Given{Attempt: asked, Answer: s.given(v)}
	}
	out, err := s.app.Passwords.SignUpQuietly(v, in, v.Typed("password"), g, agreed...)
	if errors.Is(err, human.ErrAway) {
		return s.askOtherwise(v, asked, human.Name) // something else is asked in its place
	}
	if err != nil {
		return v.Retry(err, s.showSignUp)
	}
	if out.Step != nil {
		return s.askFirst(v, *out.Step)
	}
	return v.Show(s.sent, v.T("signup.sent"), sentPage{v.T("signup.sent_lead"), v.Typed("email")})
}

// askOtherwise asks in another way before a sign-up goes on.
func (s *signin) askOtherwise(v *pages.Visit, attempt, method string) error {
	step, err := s.app.Door.Switch(v, attempt, method)
	if errors.Is(err, login.ErrAttempt) {
		return v.Redirect("/signup")
	}
	if err != nil {
		return v.Retry(err, s.showSignUp)
	}
	return s.askFirst(v, step)
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
