package pages

import (
	"context"
	"net/http"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/web"
)

// letter is the page that the link of a mail leads to. Looking at it spends nothing: programs that look into mails follow links.
// Its button does what the link is for.
type letter struct {
	path string
	show func(ctx context.Context, token string) (asked, error)
	do   func(ctx context.Context, token string, typed func(field string) string) (done, error)
}

// asked is what a link is about, in words.
type asked struct {
	Title, Lead, Email, Button string
	Danger                     bool
	Password                   bool // a new one is asked for
}

// done is what was done, in words.
type done struct{ Title, Lead string }

// letterForm is the page as it stands.
type letterForm struct {
	asked
	Path, Token string
	MinLength   int
	Faults      []fault
}

// Fault is what is wrong with a field, "" when nothing is.
func (f letterForm) Fault(field string) string { return startForm{Faults: f.Faults}.Fault(field) }

func (p *Pages) letters() []letter {
	return []letter{
		{"/verify", p.askVerify, func(ctx context.Context, token string, _ func(string) string) (done, error) {
			_, err := p.app.Addresses.Confirm(ctx, token)
			return done{"Your address is confirmed", "You can close this page and go on where you were."}, err
		}},
		{"/recover", func(ctx context.Context, token string) (asked, error) {
			email, err := p.app.Resets.Show(ctx, token)
			return asked{Title: "Choose a new password", Lead: "Every session of your account ends, and you sign in with the new password.", Email: email, Button: "Set password", Password: true}, err
		}, func(ctx context.Context, token string, typed func(string) string) (done, error) {
			return done{"Your password is changed", "Every session has ended. Go back to the app and sign in with the new password."}, p.app.Resets.Reset(ctx, token, typed("password"))
		}},
		{"/not-me", p.askNotMe, func(ctx context.Context, token string, _ func(string) string) (done, error) {
			return done{"Your account is safe again", "The change is undone, every session has ended, and the old password is worth nothing. We have sent you a mail: set a new password with its link."}, p.app.Resets.NotMe(ctx, token)
		}},
	}
}

func (p *Pages) askVerify(ctx context.Context, token string) (asked, error) {
	s, err := p.app.Addresses.Show(ctx, token)
	a := asked{Title: "Confirm your address", Lead: "Somebody made an account with this address. Confirm it only if that was you.", Email: s.Email, Button: "Confirm address"}
	if s.New {
		a.Lead = "This is to be the new address of an account. Confirm it only if the account is yours."
	}
	return a, err
}

// disowned says what was done, for who did not do it.
var disowned = map[notice.What]string{
	notice.Email:         "The address of your account was changed.",
	notice.Password:      "The password of your account was changed.",
	notice.FactorAdded:   "A second factor was added to your account.",
	notice.FactorRemoved: "A second factor was removed from your account.",
	notice.SignedIn:      "Somebody signed in to your account from a new device.",
	notice.CodeUsed:      "A recovery code of your account was used.",
}

func (p *Pages) askNotMe(ctx context.Context, token string) (asked, error) {
	t, err := p.app.Resets.ShowNotMe(ctx, token)
	return asked{Title: "Was this not you?", Lead: disowned[t.Change.What] + " If it was not you, take the account back: the change is undone, every session ends, and you choose a new password.",
		Email: t.Email, Button: "This was not me", Danger: true}, err
}

func (p *Pages) mountLetters(mux *http.ServeMux, limit func(http.Handler) http.Handler) {
	for _, l := range p.letters() {
		mux.Handle("GET "+l.path, limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p.read(w, r, l, http.StatusOK, letterForm{Token: r.URL.Query().Get("token")})
		})))
		mux.Handle("POST "+l.path, limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, l) })))
	}
}

// read shows what a link is about.
func (p *Pages) read(w http.ResponseWriter, r *http.Request, l letter, status int, f letterForm) {
	var err error
	if f.asked, err = l.show(r.Context(), f.Token); err != nil {
		p.fail(w, r, err)
		return
	}
	f.Path, f.MinLength = l.path, p.app.Config.Password.MinLength
	v := p.view(f.Title, f)
	v.Failed = len(f.Faults) > 0
	p.letter.show(w, r, status, v)
}

// answer does what the button of a link is for.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, l letter) {
	if !p.parse(w, r) {
		return
	}
	token := posted(r, "token")
	d, err := l.do(r.Context(), token, func(field string) string { return posted(r, field) })
	if err == nil {
		p.done.show(w, r, http.StatusOK, p.view(d.Title, d))
		return
	}
	no := web.NewProblem(r.Context(), err)
	if apperr.Of(err).Kind != apperr.Invalid {
		p.fail(w, r, err)
		return
	}
	no.SetHeaders(w.Header())
	p.read(w, r, l, no.Status, letterForm{Token: token, Faults: faults(no)})
}

// parse reads a form. Of one that cannot be read it shows the refusal.
func (p *Pages) parse(w http.ResponseWriter, r *http.Request) bool {
	err := r.ParseForm()
	if err == nil {
		return true
	}
	if err = web.BodyError(err); apperr.Of(err).Kind == apperr.Internal {
		err = errForm.Because(err)
	}
	p.fail(w, r, err)
	return false
}
