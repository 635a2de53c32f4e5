package signin

import (
	"context"
	"net/http"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/pages"
)

// letter is the page that the link of a mail leads to. Looking at it spends nothing: programs that look into mails follow links.
// Its button does what the link is for. Its words are under its name.
type letter struct {
	name string // in words and in the path
	show func(ctx context.Context, token string) (asked, error)
	do   func(v *pages.Visit, token string) error
}

// asked is what a link is about.
type asked struct {
	Email string
	Lead  string // the word that says what it is for; empty is the usual one
}

// letterPage is the page as it stands.
type letterPage struct {
	asked
	Path, Token, Lead, Button string
	Danger, Password          bool
	MinLength                 int
}

// donePage says what was done, and leads on.
type donePage struct {
	Lead   string
	SignIn bool
}

func (s *signin) letters() []letter {
	return []letter{
		{"verify", s.askVerify, func(v *pages.Visit, token string) error {
			_, err := s.app.Addresses.Confirm(v, token)
			return err
		}},
		{"recover", func(ctx context.Context, token string) (asked, error) {
			email, err := s.app.Resets.Show(ctx, token)
			return asked{Email: email}, err
		}, func(v *pages.Visit, token string) error {
			d, err := s.app.Resets.Reset(v, token, v.Typed("password"))
			s.Cookies.SetDevice(v.W, d, v.Now)
			return err
		}},
		{"unlock", func(ctx context.Context, token string) (asked, error) {
			email, err := s.app.Locks.Show(ctx, token)
			return asked{Email: email}, err
		}, func(v *pages.Visit, token string) error {
			d, err := s.app.Locks.Unlock(v, token)
			s.Cookies.SetDevice(v.W, d, v.Now)
			return err
		}},
		{"keep", func(ctx context.Context, token string) (asked, error) {
			email, err := s.app.Accounts.ShowKept(ctx, token)
			return asked{Email: email}, err
		}, func(v *pages.Visit, token string) error { return s.app.Accounts.Keep(v, token) }},
		{"not-me", s.askNotMe, func(v *pages.Visit, token string) error { return s.app.Resets.NotMe(v, token) }},
	}
}

func (s *signin) askVerify(ctx context.Context, token string) (asked, error) {
	shown, err := s.app.Addresses.Show(ctx, token)
	a := asked{Email: shown.Email}
	if shown.New {
		a.Lead = "verify.lead_new"
	}
	return a, err
}

// disowned is the word that says what was done, for who did not do it.
var disowned = map[notice.What]string{
	notice.Email:         "not-me.email",
	notice.Phone:         "not-me.phone",
	notice.Password:      "not-me.password",
	notice.FactorAdded:   "not-me.factor_added",
	notice.FactorRemoved: "not-me.factor_removed",
	notice.SignedIn:      "not-me.signed_in",
	notice.CodeUsed:      "not-me.code_used",
	notice.KeyAdded:      "not-me.key_added",
}

func (s *signin) askNotMe(ctx context.Context, token string) (asked, error) {
	t, err := s.app.Resets.ShowNotMe(ctx, token)
	return asked{t.Email, disowned[t.Change.What]}, err
}

func (s *signin) mountLetters(mux *http.ServeMux) {
	for _, l := range s.letters() {
		s.Handle(mux, "GET /"+l.name, pages.Limited, func(v *pages.Visit) error {
			if l.name == "recover" && !v.R.URL.Query().Has("token") {
				return s.showForgot(v)
			}
			return s.read(v, l, v.R.URL.Query().Get("token"))
		})
		s.Handle(mux, "POST /"+l.name, pages.Limited, func(v *pages.Visit) error {
			if l.name == "recover" && !v.Form.Values.Has("token") {
				return s.forgot(v)
			}
			return s.reply(v, l)
		})
	}
}

// read shows what a link is about.
func (s *signin) read(v *pages.Visit, l letter, token string) error {
	about, err := l.show(v, token)
	if err != nil {
		return err
	}
	p := letterPage{asked: about, Path: "/" + l.name, Token: token, Lead: v.T(l.name + ".lead"), Button: v.T(l.name + ".button"),
		Danger: l.name == "not-me", Password: l.name == "recover", MinLength: s.app.Config.Password.MinLength}
	if about.Lead != "" {
		if p.Lead = v.T(about.Lead); l.name == "not-me" {
			p.Lead += " " + v.T("not-me.lead")
		}
	}
	return v.Show(s.letter, v.T(l.name+".title"), p)
}

// reply does what the button of a link is for.
func (s *signin) reply(v *pages.Visit, l letter) error {
	token := v.Typed("token")
	err := l.do(v, token)
	if err == nil {
		return v.Show(s.done, v.T(l.name+".done"), donePage{v.T(l.name + ".done_lead"), l.name != "not-me"})
	}
	if apperr.Of(err).Kind != apperr.Invalid {
		return err
	}
	return v.Retry(err, func(v *pages.Visit) error { return s.read(v, l, token) })
}
