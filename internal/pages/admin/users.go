package admin

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/lockout"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/user"
)

// usersPage is a part of the list of people, and what it was asked for with.
type usersPage struct {
	rights
	People        []onePerson
	States, Roles []pages.Option
	State, Role   string
	Asked         bool // for some of them only
	More          string
}

// onePerson is a person and how their account stands.
type onePerson struct {
	user.User
	Lock lockout.Lock
}

// Label is what a person is called where there is room for one word.
func (p onePerson) Label() string { return pages.NameOf(p.User) }

// Known is what a person is found by, beside their name.
func (p onePerson) Known() string {
	known := cmp.Or(p.Email, p.Username, p.Phone, p.ID)
	if known == p.Label() {
		return ""
	}
	return known
}

func (s *admin) mountUsers(mux *http.ServeMux) {
	s.Handle(mux, "GET /admin/users", pages.Person, s.showUsers)
	s.Handle(mux, "GET /admin/users/new", pages.Person, s.showNewUser)
	s.Handle(mux, "POST /admin/users/new", pages.Person, s.createUser)
}

func (s *admin) showUsers(v *pages.Visit) error {
	f := user.Filter{Text: v.Asked("q"), State: user.State(v.Asked("state")), Role: v.Asked("role")}
	if !slices.Contains([]user.State{user.StateActive, user.StateDisabled, user.StateLocked}, f.State) {
		f.State = ""
	}
	after := v.Asked("cursor")
	if !id.Valid("usr", after) {
		after = ""
	}
	list, err := s.app.Accounts.List(v, v.Caller(), f, after, 50)
	if err != nil {
		return err
	}
	locks, err := s.app.Locks.Of(v, list.Users...)
	if err != nil {
		return err
	}
	root, err := s.app.Authz.Root(v)
	if err != nil {
		return err
	}
	p := usersPage{rights: rights{s, v}, State: string(f.State), Role: f.Role, Asked: f != user.Filter{}, More: further(atUsers, list.Next, v.R.URL.Query())}
	for _, u := range list.Users {
		p.People = append(p.People, onePerson{u, locks[u.ID]})
	}
	p.States = []pages.Option{{Value: "", Label: v.T("admin-users.any")}, {Value: "active", Label: v.T("admin-users.active")}, {Value: "disabled", Label: v.T("admin-users.disabled")}, {Value: "locked", Label: v.T("admin-users.locked")}}
	p.Roles = []pages.Option{{Value: "", Label: v.T("admin-users.any")}}
	for _, r := range root.View().Roles("") {
		p.Roles = append(p.Roles, pages.Option{Value: r.Key, Label: r.Name})
	}
	v.Set("q", f.Text)
	return s.show(v, s.users, atUsers, v.T("admin.users"), p)
}

func (s *admin) showNewUser(v *pages.Visit) error {
	if err := s.app.Authz.Require(v, v.Caller(), "sys:users:create", ""); err != nil {
		return err
	}
	return s.show(v, s.newUser, atUsers, v.T("admin-users.create"), nil)
}

func (s *admin) createUser(v *pages.Visit) error {
	u, err := s.app.Passwords.Create(v, v.Caller(), user.New{Email: v.Typed("email"), Username: v.Typed("username"), Phone: v.Typed("phone"), Name: v.Typed("name")}, "")
	if err != nil {
		return v.Retry(err, s.showNewUser)
	}
	return v.Tell("user_created", atUsers+"/"+u.ID)
}
