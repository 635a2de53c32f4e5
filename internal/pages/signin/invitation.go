package signin

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// invitationPage is the page of an invitation. Looking at it takes nothing and changes nothing.
type invitationPage struct {
	org.Shown
	Token     string
	SignedIn  string // the address of who is signed in, "" for a stranger
	Mine      bool   // it is the invited address
	Attempt   string // the sign-in that goes on with a code
	MinLength int
}

func (s *signin) showInvitation(v *pages.Visit) error {
	if v.R.URL.Query().Has("joined") {
		return v.Show(s.joined, v.T("invitation.joined"), nil)
	}
	return s.invite(v, v.R.URL.Query().Get("token"), "")
}

// invite shows the page as it stands.
func (s *signin) invite(v *pages.Visit, token, attempt string) error {
	shown, err := s.app.Orgs.Show(v, token)
	if err != nil {
		return err
	}
	p := invitationPage{Shown: shown, Token: token, Attempt: attempt, MinLength: s.app.Config.Password.MinLength}
	live, err := v.Who()
	if err != nil {
		return err
	}
	if live != nil {
		p.SignedIn, p.Mine = live.User.Email, live.User.Email == p.Invitation.Email
	}
	return v.Show(s.invitation, v.T("invitation.title", "Org", p.Org.Name), p)
}

// join carries out what the form of an invitation asks for.
func (s *signin) join(v *pages.Visit) error {
	token := v.Typed("token")
	live, err := v.Who()
	if err != nil {
		return err
	}
	switch {
	case live != nil && v.Typed("leave") != "":
		if err := s.leaveSession(v, live); err != nil {
			return err
		}
		return v.Redirect("/invitation?token=" + url.QueryEscape(token))
	case live != nil:
		if _, err = s.Guard.Identify(v.R); err == nil {
			_, err = s.app.Orgs.Accept(v, s.Guard.CallerOf(v.R, live), token)
		}
	default:
		var step *login.Step
		if step, err = s.joinAs(v, token); step != nil {
			v.Status(http.StatusUnauthorized)
			return s.invite(v, token, step.ID)
		}
	}
	if err == nil {
		return v.Redirect("/invitation?joined")
	}
	if errors.Is(err, org.ErrInvitation) {
		return err
	}
	attempt := v.Typed("attempt")
	if errors.Is(err, login.ErrAttempt) {
		attempt = "" // begin again
	}
	again := func(v *pages.Visit) error { return s.invite(v, token, attempt) }
	if errors.Is(err, login.ErrCredentials) { // who holds the link may know that an account is there
		return v.RetryAt("password", v.T("start.not_its_password"), err, again)
	}
	return v.Retry(err, again)
}

// leaveSession ends the session of the visitor.
func (s *signin) leaveSession(v *pages.Visit, live *session.Live) error {
	if err := s.app.Sessions.Revoke(v, live.User.ID, live.Session.ID, session.SignedOut); err != nil && !errors.Is(err, session.ErrNone) {
		return err
	}
	s.Cookies.ClearSession(v.W)
	return nil
}

// joinAs joins as somebody who is not signed in: with the account of the invited address, or one that is made for it. The step is
// what is asked next, if signing in is not over yet.
func (s *signin) joinAs(v *pages.Visit, token string) (*login.Step, error) {
	shown, err := s.app.Orgs.Show(v, token)
	if err != nil {
		return nil, err
	}
	finish := login.Finish{Transport: session.Cookie}
	password := v.Typed("password")
	var out login.Outcome
	switch attempt := v.Typed("attempt"); {
	case attempt != "":
		out, err = s.app.Door.Answer(v, attempt, login.Answer{"code": v.Typed("code")}, finish)
	case shown.Known:
		out, err = s.app.Door.SignIn(v, shown.Invitation.Email, "password", login.Answer{"password": password}, finish)
	default:
		in := user.New{Email: shown.Invitation.Email, Name: v.Typed("name")}
		out, err = s.app.Passwords.SignUpInvited(v, in, password, token, finish)
	}
	if err != nil || out.Step != nil {
		return out.Step, err
	}
	s.enter(v, out)
	if shown.Known {
		_, err = s.app.Orgs.Accept(v, s.Guard.CallerOf(v.R, &session.Live{Session: out.Session, User: out.User}), token)
	}
	return nil, err
}
