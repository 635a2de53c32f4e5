package pages

import (
	"time"

	"github.com/admit-dev/admit/internal/user"
)

// Acted is in whose name the visitor acts, and until when: the banner of every page.
type Acted struct {
	Name, Reason string
	Until        time.Time
}

// acted is what the banner says, or nil where the visitor is themselves.
func (v *Visit) acted() *Acted {
	live := v.Live
	if live == nil && v.site.Guard.Acted(v.R) != nil { // a page that asks for nobody
		live, _ = v.Who()
	}
	if live == nil || live.Session.Act == nil {
		return nil
	}
	return &Acted{NameOf(live.User), live.Session.Act.Reason, live.Session.ExpiresAt}
}

// NameOf is what somebody is called.
func NameOf(u user.User) string {
	for _, name := range []string{u.Name, u.Email, u.Username, u.Phone} {
		if name != "" {
			return name
		}
	}
	return u.ID
}

// BeOneself stops acting in the name of another and gives the browser its own session back.
func (v *Visit) BeOneself() error {
	live, err := v.Who()
	if err == nil && live != nil && live.Session.Act != nil {
		err = v.site.App.Acting.End(v, live)
	}
	if err != nil {
		return err
	}
	own, back, err := v.site.Guard.Return(v.W, v.R)
	if err != nil {
		return err
	}
	if !back {
		return v.Redirect("/signin")
	}
	to := "/account"
	if v.Live = own; live != nil && v.site.App.Authz.Require(v, v.Caller(), "sys:users:read", "") == nil {
		to = "/admin/users/" + live.User.ID // where it was begun
	}
	return v.Tell("oneself", to)
}
