package signin

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"

	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/otp"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/web"
)

// linkPage is the page that a link to sign in leads to. Looking at it spends nothing: programs that look into mails follow links.
type linkPage struct {
	otp.Followed
	Token string
}

func (s *signin) links(mux *http.ServeMux, t func(string) *pages.Template) {
	s.waiting, s.link = s.Cookies.Named("sign_in", "/").Crossing(), t("link.html")
	s.link.Policy = pages.LeadingOn
	s.Handle(mux, "GET /auth/magic-link", pages.Limited, func(v *pages.Visit) error {
		q, err := web.Query(v.R)
		if err != nil {
			return s.refuse(v, err, "")
		}
		return s.showLink(v, q.Get("token"))
	})
	s.Handle(mux, "POST /signin/link", pages.Limited, s.follow)
}

func (s *signin) showLink(v *pages.Visit, token string) error {
	attempt, _ := s.waiting.Get(v.R)
	about, err := s.app.Codes.Show(v, attempt, token)
	if err != nil {
		return s.refuse(v, err, "")
	}
	return v.Show(s.link, v.T("link.title"), linkPage{about, token})
}

// follow signs in whoever pressed the button, and leads on to where they wanted to be.
func (s *signin) follow(v *pages.Visit) error {
	attempt, _ := s.waiting.Get(v.R)
	token := v.Typed("token")
	out, err := s.app.Codes.Follow(v, attempt, token, v.Typed("code"), s.finish(v, false))
	to := cmp.Or(out.ReturnTo, "/")
	switch {
	case errors.Is(err, login.ErrCode), errors.Is(err, otp.ErrBrowser):
		return v.Retry(err, func(v *pages.Visit) error { return s.showLink(v, token) })
	case err != nil:
		return s.refuse(v, err, "")
	}
	s.waiting.Clear(v.W)
	if out.Step != nil {
		v.Status(http.StatusUnauthorized)
		s.back.Set(v.W, url.QueryEscape(to), v.Now.Add(returnLife), v.Now)
		return s.ask(v, *out.Step)
	}
	s.enter(v, out)
	return s.arrive(v, to)
}
