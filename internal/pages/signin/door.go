package signin

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/otp"
	"github.com/admit-dev/admit/internal/method/passkey"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/pages"
)

// doorPage is the page that signs in: what is offered, and where it leads.
type doorPage struct {
	Password, Passkey, SignUp bool
	Providers                 []provider
	Others                    []string // methods that begin with the identifier and ask something of their own
	Last                      string   // what was used last in this browser
	To                        string   // the host one is led to afterwards, "" for this server
}

const passwordName = "password"

type provider struct{ Name, Title, Href string }

// lastUsedLife is how long a browser keeps what somebody signed in with.
const lastUsedLife = 365 * 24 * time.Hour

// returnLife is how long a browser keeps where it wanted to be: longer than mails take that are on the way.
const returnLife = 24 * time.Hour

// keepReturn keeps where the visitor wanted to be, in this browser and out of the address, so that it outlives every way in. It
// reports whether the visitor was led on to the page without it.
func (s *signin) keepReturn(v *pages.Visit) (led bool, err error) {
	q := v.R.URL.Query()
	if !q.Has("return_to") {
		return false, nil
	}
	to, err := s.app.Config.Web.ReturnTo(q.Get("return_to"))
	if err != nil {
		return false, err
	}
	s.back.Set(v.W, url.QueryEscape(to), v.Now.Add(returnLife), v.Now)
	return true, v.Redirect(v.R.URL.Path)
}

// returnTo is where the visitor wanted to be. It is judged again: cookies are what somebody sends.
func (s *signin) returnTo(v *pages.Visit) string {
	kept, _ := s.back.Get(v.R)
	given, err := url.QueryUnescape(kept)
	if err != nil {
		return "/"
	}
	to, err := s.app.Config.Web.ReturnTo(given)
	if err != nil {
		return "/"
	}
	return to
}

// openDoor is GET /signin: while there is no owner it leads to what makes one.
func (s *signin) openDoor(v *pages.Visit) error {
	missing, err := s.app.Owner.Missing(v)
	if err != nil {
		return err
	}
	if missing {
		return v.Redirect("/start")
	}
	if led, err := s.keepReturn(v); err != nil || led {
		return err
	}
	return s.showDoor(v)
}

func (s *signin) showDoor(v *pages.Visit) error {
	p := doorPage{SignUp: s.app.Config.Login.SignUp}
	p.Last, _ = s.last.Get(v.R)
	to := s.returnTo(v)
	if u, err := url.Parse(to); err == nil && !s.app.Config.Web.Own(to) {
		p.To = u.Host
	}
	for _, name := range s.app.Door.Methods() {
		switch name {
		case passwordName:
			p.Password = true
		case passkey.Name:
			p.Passkey = true
		case social.Name:
			for _, one := range s.app.Social.Providers() {
				p.Providers = append(p.Providers, provider{one.Name, one.Title, "/auth/" + one.Name + "/login?return_to=" + url.QueryEscape(to)})
			}
		default:
			p.Others = append(p.Others, name)
		}
	}
	return v.Show(s.door, v.T("signin.title"), p)
}

// signIn answers the form: with a password, or by beginning with another method.
func (s *signin) signIn(v *pages.Visit) error {
	who := v.Typed("username")
	if method := v.Typed("method"); method != "" {
		if !v.Need("username") {
			return s.showDoor(v)
		}
		step, err := s.app.Door.Start(v, who, method, s.returnTo(v))
		if err != nil {
			return v.Retry(err, s.showDoor)
		}
		if method == otp.Link { // the link is enough in this browser
			s.waiting.Set(v.W, step.ID, v.Now.Add(otp.Life), v.Now)
		}
		return s.ask(v, step)
	}
	if !v.Need("username", "password") {
		return s.showDoor(v)
	}
	out, err := s.app.Door.SignIn(v, who, passwordName, login.Answer{"password": v.Typed("password")}, s.finish(v, v.Typed("remember") != ""))
	return s.onward(v, passwordName, out, err, s.showDoor)
}

// byPasskey answers with what a passkey signed. A script fills the form in.
func (s *signin) byPasskey(v *pages.Visit) error {
	out, err := s.app.Door.Answer(v, v.Typed("attempt"), login.Answer{"credential": v.Typed("credential")}, s.finish(v, v.Typed("remember") != ""))
	if errors.Is(err, login.ErrCredentials) {
		return v.RetryAt("", v.T("signin.passkey_wrong"), err, s.showDoor)
	}
	return s.onward(v, passkey.Name, out, err, s.showDoor)
}

// onward goes on from an answer: to what is asked next, or in.
func (s *signin) onward(v *pages.Visit, how string, out login.Outcome, err error, again func(*pages.Visit) error) error {
	switch {
	case errors.Is(err, login.ErrCredentials):
		return v.RetryAt("", v.T("signin.wrong"), err, again)
	case errors.Is(err, login.ErrAttempt):
		s.attempt.Clear(v.W)
		return v.RetryAt("", v.T("signin.run_out"), err, s.showDoor)
	case err != nil:
		return v.Retry(err, again)
	case out.Step != nil:
		v.Status(http.StatusUnauthorized)
		return s.ask(v, *out.Step)
	}
	s.enter(v, out)
	s.last.Set(v.W, how, v.Now.Add(lastUsedLife), v.Now)
	s.attempt.Clear(v.W)
	s.back.Clear(v.W)
	if len(out.Spares) > 0 { // a second factor was set up on the way in
		return v.Show(s.spares, v.T("spares.title"), sparesPage{out.Spares, s.returnTo(v)})
	}
	return v.Redirect(s.returnTo(v))
}

// sparesPage is what stands in for a second factor, shown this once, and where it goes on.
type sparesPage struct {
	Codes []string
	To    string
}

// showSignOut asks once more: a link that somebody was sent signs nobody out.
func (s *signin) showSignOut(v *pages.Visit) error {
	return v.Show(s.out, v.T("signout.title"), v.Live.User.Email)
}

func (s *signin) signOut(v *pages.Visit) error {
	live, err := v.Who()
	if err != nil {
		return err
	}
	if live != nil && live.Session.Act != nil {
		return v.BeOneself()
	}
	if live != nil {
		if err := s.leaveSession(v, live); err != nil {
			return err
		}
		v.W.Header().Set("Clear-Site-Data", `"cache"`)
	}
	return v.Tell("signed_out", "/signin")
}
