package admin

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/check"
	"github.com/admit-dev/admit/internal/device"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// userPage is everything about a person that the visitor may know.
type userPage struct {
	rights
	onePerson
	Myself   bool
	All      []heldRole // the global roles, held or not
	Sessions []oneSession
	Orgs     []oneOrg
	Allowed  []allowed
	Why      *check.Explanation // of the permission that was asked about
	WhyNot   string             // the question makes no sense
	Records  []oneRecord
}

// heldRole is a global role, and whether somebody holds it.
type heldRole struct {
	Key, Name string
	Held      bool
}

// oneSession is where somebody is signed in.
type oneSession struct {
	session.Session
	Device  string
	Current bool // the visitor's own
}

// oneOrg is where somebody belongs, with their roles there.
type oneOrg struct {
	org.Org
	Roles string
}

// allowed is a permission on the platform, and the roles that give it.
type allowed struct {
	Permission, Title, Roles string
	Conditional              bool
}

func (s *admin) mountUser(mux *http.ServeMux) {
	s.Handle(mux, "GET /admin/users/{user}", pages.Person, s.showUser)
	s.Handle(mux, "POST /admin/users/{user}", pages.Person, s.changeUser)
	s.Handle(mux, "POST /admin/users/{user}/roles", pages.Person, s.setRoles)
	s.Handle(mux, "POST /admin/users/{user}/sessions/{id}/end", pages.Person, s.endSession)
	s.Handle(mux, "GET /admin/users/{user}/delete", pages.Person, s.showDeleteUser)
	s.Handle(mux, "POST /admin/users/{user}/delete", pages.Person, s.deleteUser)
	s.act(mux, "disable", "flash.user_disabled", s.app.Accounts.Disable)
	s.act(mux, "enable", "flash.user_enabled", s.app.Accounts.Enable)
	s.act(mux, "unlock", "flash.user_unlocked", s.app.Accounts.Unlock)
	s.act(mux, "reset-password", "flash.user_reset_sent", s.app.Resets.Send)
	s.act(mux, "reset-mfa", "flash.user_factors_dropped", s.app.Resets.DropFactors)
	s.act(mux, "logout-all", "flash.user_signed_out", func(ctx context.Context, c authz.Caller, userID string) error {
		_, err := s.app.Accounts.SignOut(ctx, c, userID)
		return err
	})
}

// act serves a button of the page of a person.
func (s *admin) act(mux *http.ServeMux, verb, word string, do func(context.Context, authz.Caller, string) error) {
	s.Handle(mux, "POST /admin/users/{user}/"+verb, pages.Person, func(v *pages.Visit) error {
		if err := do(v, v.Caller(), v.R.PathValue("user")); err != nil {
			return v.Retry(err, s.showUser)
		}
		to := s.at(v)
		if v.Typed("back") == atLockouts {
			to = atLockouts
		}
		return v.Tell(strings.TrimPrefix(word, "flash."), to)
	})
}

// at is the page of the person a request is about.
func (s *admin) at(v *pages.Visit) string { return atUsers + "/" + v.R.PathValue("user") }

// person finds whom a request is about, for who may know.
func (s *admin) person(v *pages.Visit) (onePerson, error) {
	u, err := s.app.Accounts.Get(v, v.Caller(), v.R.PathValue("user"))
	if err != nil {
		return onePerson{}, err
	}
	locks, err := s.app.Locks.Of(v, u)
	return onePerson{u, locks[u.ID]}, err
}

func (s *admin) showUser(v *pages.Visit) error {
	one, err := s.person(v)
	if err != nil {
		return err
	}
	root, err := s.app.Authz.Root(v)
	if err != nil {
		return err
	}
	p := userPage{rights: rights{s, v}, onePerson: one, Myself: one.ID == v.Live.User.ID}
	for _, r := range root.View().Roles("") {
		p.All = append(p.All, heldRole{r.Key, r.Name, one.HasRole(r.Key)})
	}
	for _, fill := range []func(*pages.Visit, *authz.Root, *userPage) error{s.sessionsOf, s.orgsOf, s.permissionsOf, s.recordsOf} {
		if err := fill(v, root, &p); err != nil {
			return err
		}
	}
	v.Set("name", one.Name)
	v.Set("username", one.Username)
	return s.show(v, s.user, atUsers, one.Label(), &p)
}

func (s *admin) sessionsOf(v *pages.Visit, _ *authz.Root, p *userPage) error {
	if !p.May("sys:users:logout") {
		return nil
	}
	list, err := s.app.Accounts.Sessions(v, v.Caller(), p.ID)
	for _, n := range list {
		p.Sessions = append(p.Sessions, oneSession{n, device.Name(n.UserAgent), n.ID == v.Live.Session.ID})
	}
	return err
}

// orgsOf names the organizations that the visitor may know of.
func (s *admin) orgsOf(v *pages.Visit, root *authz.Root, p *userPage) error {
	for _, ref := range root.OrgsOf(p.ID) {
		o, err := s.app.Orgs.Find(v, v.Caller(), ref)
		if apperr.Of(err).Kind == apperr.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		p.Orgs = append(p.Orgs, oneOrg{o, strings.Join(root.RoleKeys(o.ID, p.ID, v.Now), ", ")})
	}
	return nil
}

// permissionsOf is what the person may do on the platform, and why they may do what was asked about.
func (s *admin) permissionsOf(v *pages.Visit, root *authz.Root, p *userPage) error {
	if !p.May(check.Explain) {
		return nil
	}
	list, err := s.app.Checks.WhatCan(v, v.Caller(), check.What{Subject: p.ID, Page: check.Page{Limit: 200}})
	if err != nil {
		return err
	}
	for _, i := range list.Items {
		one, _ := root.Permission(i.ID)
		p.Allowed = append(p.Allowed, allowed{i.ID, one.Title, strings.Join(i.Roles, ", "), i.Conditional})
	}
	permission, in := v.Asked("permission"), v.Asked("org")
	v.Set("permission", permission)
	v.Set("org", in)
	if permission == "" {
		return nil
	}
	round, err := s.app.Checks.Begin(v, v.Caller(), "")
	if err != nil {
		return err
	}
	why, err := round.Explain(check.Question{Subject: p.ID, Permission: permission, OrgID: in})
	if err != nil {
		p.WhyNot = apperr.Of(err).Message
		return nil
	}
	p.Why = &why
	return nil
}

func (s *admin) recordsOf(v *pages.Visit, _ *authz.Root, p *userPage) error {
	if !p.May(audit.MayRead) {
		return nil
	}
	page, err := s.app.Audit.Search(v, v.Caller(), audit.Filter{Subject: p.ID}, "", 10)
	who := s.people(v)
	for _, r := range page.Items {
		p.Records = append(p.Records, who.record(r))
	}
	return err
}

func (s *admin) changeUser(v *pages.Visit) error {
	name, username := v.Typed("name"), v.Typed("username")
	if _, err := s.app.Accounts.Update(v, v.Caller(), v.R.PathValue("user"), user.Change{Name: &name, Username: &username}); err != nil {
		return v.Retry(err, s.showUser)
	}
	return v.Tell("saved", s.at(v))
}

func (s *admin) setRoles(v *pages.Visit) error {
	if _, err := s.app.Accounts.SetRoles(v, v.Caller(), v.R.PathValue("user"), slices.Clone(v.TypedAll("role"))); err != nil {
		return v.Retry(err, s.showUser)
	}
	return v.Tell("saved", s.at(v))
}

func (s *admin) endSession(v *pages.Visit) error {
	if err := s.app.Accounts.EndSession(v, v.Caller(), v.R.PathValue("user"), v.R.PathValue("id")); err != nil {
		return v.Retry(err, s.showUser)
	}
	return v.Tell("session_ended", s.at(v))
}

func (s *admin) showDeleteUser(v *pages.Visit) error {
	one, err := s.person(v)
	if err == nil {
		err = s.app.Authz.Require(v, v.Caller(), "sys:users:delete", "")
	}
	if err != nil {
		return err
	}
	return s.show(v, s.userDelete, atUsers, v.T("admin-user.delete_named", "Name", one.Label()), one)
}

// deleteUser wants the name typed: nothing brings a person back.
func (s *admin) deleteUser(v *pages.Visit) error {
	one, err := s.person(v)
	if err != nil {
		return err
	}
	if v.Typed("confirm") != one.Label() {
		return v.RetryAt("confirm", v.T("admin-user.confirm_wrong", "Name", one.Label()), apperr.ErrInvalid, s.showDeleteUser)
	}
	if err := s.app.Accounts.Delete(v, v.Caller(), one.ID); err != nil {
		return v.Retry(err, s.showDeleteUser)
	}
	return v.Tell("user_deleted", atUsers)
}
