package signin

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/owner"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/user"
)

// startPage is the page of the owner link.
type startPage struct {
	Owned     bool // there is an owner already
	MinLength int
}

func (s *signin) showStart(v *pages.Visit) error {
	if v.R.URL.Query().Has("done") {
		return s.showWelcome(v)
	}
	missing, err := s.app.Owner.Missing(v)
	if err != nil {
		return err
	}
	title := "start.title"
	if !missing {
		title = "start.owned"
	}
	return v.Show(s.start, v.T(title), startPage{!missing, s.app.Config.Password.MinLength})
}

func (s *signin) showWelcome(v *pages.Visit) error {
	live, err := v.Who()
	switch {
	case err != nil:
		return err
	case live == nil || !live.User.HasRole(user.SuperAdmin):
		return v.Redirect("/start")
	}
	return v.Show(s.welcome, v.T("welcome.title"), live.User)
}

// claim spends the key of an owner link.
func (s *signin) claim(v *pages.Visit) error {
	if !v.Need("key", "email", "password") {
		return s.showStart(v)
	}
	out, err := s.app.Owner.Claim(v, v.Typed("key"), v.Typed("email"), v.Typed("password"), s.finish(v, false))
	switch {
	case errors.Is(err, owner.ErrLink):
		return v.RetryAt("key", "", err, s.showStart)
	case errors.Is(err, login.ErrCredentials): // who holds a good key may know that an account is there
		return v.RetryAt("password", v.T("start.not_its_password"), err, s.showStart)
	case err != nil:
		return v.Retry(err, s.showStart)
	case out.Step != nil:
		v.Status(http.StatusUnauthorized)
		s.back.Set(v.W, url.QueryEscape("/start?done"), v.Now.Add(returnLife), v.Now)
		return s.ask(v, *out.Step)
	}
	s.enter(v, out)
	return v.Redirect("/start?done")
}
