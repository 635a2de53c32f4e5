package pages

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
	"github.com/admit-dev/admit/internal/web"
)

// invitationForm is the page of an invitation. Looking at it takes nothing and changes nothing.
type invitationForm struct {
	org.Shown
	Token     string
	Name      string
	SignedIn  string // the address of who is signed in, "" for a stranger
	Mine      bool   // it is the invited address
	Attempt   string // the sign-in that goes on with a code
	MinLength int
	Faults    []fault
}

// Fault is what is wrong with a field, "" when nothing is.
func (f invitationForm) Fault(field string) string { return startForm{Faults: f.Faults}.Fault(field) }

func (p *Pages) showInvitation(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("joined") {
		p.joined.show(w, r, http.StatusOK, p.view("You are a member now", nil))
		return
	}
	p.invite(w, r, http.StatusOK, invitationForm{Token: r.URL.Query().Get("token")})
}

// invite shows the page as it stands.
func (p *Pages) invite(w http.ResponseWriter, r *http.Request, status int, f invitationForm) {
	var err error
	if f.Shown, err = p.app.Orgs.Show(r.Context(), f.Token); err != nil {
		p.fail(w, r, err)
		return
	}
	live, err := p.guard.Identify(r)
	switch {
	case err == nil:
		f.SignedIn, f.Mine = live.User.Email, live.User.Email == f.Invitation.Email
	case !errors.Is(err, session.ErrUnknown):
		p.fail(w, r, err)
		return
	}
	f.MinLength = p.app.Config.Password.MinLength
	v := p.view("Join "+f.Org.Name, f)
	v.Failed = len(f.Faults) > 0
	p.invitation.show(w, r, status, v)
}

// join carries out what the form of an invitation asks for.
func (p *Pages) join(w http.ResponseWriter, r *http.Request) {
	if !p.parse(w, r) {
		return
	}
	f := invitationForm{Token: posted(r, "token"), Name: posted(r, "name")}
	live, err := p.guard.Identify(r)
	if err != nil && !errors.Is(err, session.ErrUnknown) {
		p.fail(w, r, err)
		return
	}
	switch {
	case live != nil && posted(r, "leave") != "":
		p.signOut(w, r, live, "/invitation?token="+url.QueryEscape(f.Token))
		return
	case live != nil:
		_, err = p.app.Orgs.Accept(r.Context(), live.User.ID, f.Token)
	default:
		var step *login.Step
		if step, err = p.joinAs(w, r, f); step != nil {
			f.Attempt = step.ID
			p.invite(w, r, http.StatusUnauthorized, f)
			return
		}
	}
	if err != nil {
		if f.Attempt = posted(r, "attempt"); errors.Is(err, login.ErrAttempt) {
			f.Attempt = "" // begin again
		}
		no := web.NewProblem(r.Context(), err)
		no.SetHeaders(w.Header())
		if errors.Is(err, org.ErrInvitation) {
			p.fail(w, r, err)
			return
		}
		f.Faults = faults(no)
		p.invite(w, r, no.Status, f)
		return
	}
	http.Redirect(w, r, "/invitation?joined", http.StatusSeeOther)
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request, live *session.Live, then string) {
	if err := p.app.Sessions.Revoke(r.Context(), live.User.ID, live.Session.ID, session.SignedOut); err != nil && !errors.Is(err, session.ErrNone) {
		p.fail(w, r, err)
		return
	}
	p.cookies.ClearSession(w)
	http.Redirect(w, r, then, http.StatusSeeOther)
}

// joinAs joins as somebody who is not signed in: with the account of the invited address, or one that is made for it. The step is
// what is asked next, if signing in is not over yet.
func (p *Pages) joinAs(w http.ResponseWriter, r *http.Request, f invitationForm) (*login.Step, error) {
	shown, err := p.app.Orgs.Show(r.Context(), f.Token)
	if err != nil {
		return nil, err
	}
	finish := login.Finish{Transport: session.Cookie}
	password := posted(r, "password")
	var out login.Outcome
	switch attempt := posted(r, "attempt"); {
	case attempt != "":
		out, err = p.app.Door.Answer(r.Context(), attempt, login.Answer{"code": posted(r, "code")}, finish)
	case shown.Known:
		out, err = p.app.Door.SignIn(r.Context(), shown.Invitation.Email, "password", login.Answer{"password": password}, finish)
	default:
		in := user.New{Email: shown.Invitation.Email, Name: f.Name}
		out, err = p.app.Passwords.SignUpInvited(r.Context(), in, password, f.Token, finish)
	}
	if err != nil || out.Step != nil {
		return out.Step, err
	}
	p.cookies.Enter(w, out, p.app.DB.Now())
	if shown.Known {
		_, err = p.app.Orgs.Accept(r.Context(), out.User.ID, f.Token)
	}
	return nil, err
}
