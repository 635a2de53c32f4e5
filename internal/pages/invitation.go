package pages

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/admit-dev/admit/internal/apperr"
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
	if err := r.ParseForm(); err != nil {
		if err = web.BodyError(err); apperr.Of(err).Kind == apperr.Internal {
			err = errForm.Because(err)
		}
		p.fail(w, r, err)
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
		err = p.joinAs(w, r, f, posted(r, "password"))
	}
	if err != nil {
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

// errNextStep is a sign-in that wants more than this page can ask.
var errNextStep = apperr.New(apperr.Unauthenticated, "sign_in_first", "Your account asks for more than a password. Sign in to it first, then open the link of the invitation again.")

// joinAs joins as somebody who is not signed in: with the account of the invited address, or one that is made for it.
func (p *Pages) joinAs(w http.ResponseWriter, r *http.Request, f invitationForm, password string) error {
	shown, err := p.app.Orgs.Show(r.Context(), f.Token)
	if err != nil {
		return err
	}
	finish := login.Finish{Transport: session.Cookie}
	var out login.Outcome
	if shown.Known {
		out, err = p.app.Door.SignIn(r.Context(), shown.Invitation.Email, "password", login.Answer{"password": password}, finish)
	} else {
		in := user.New{Email: shown.Invitation.Email, Name: f.Name}
		out, err = p.app.Passwords.SignUpInvited(r.Context(), in, password, f.Token, finish)
	}
	if err != nil {
		return err
	}
	if out.Step != nil {
		return errNextStep
	}
	p.cookies.SetSession(w, out.Credential, out.Session.ExpiresAt, p.app.DB.Now())
	if shown.Known {
		_, err = p.app.Orgs.Accept(r.Context(), out.User.ID, f.Token)
	}
	return err
}
