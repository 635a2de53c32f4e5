package app

import (
	"context"
	"slices"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/token"
	"github.com/admit-dev/admit/internal/user"
)

// Overview is how the site is used and how it stands. What the caller may not know is nil.
type Overview struct {
	Users         *user.Count `json:"users" doc:"For holders of sys:users:read."`
	Sessions      *int64      `json:"sessions" doc:"How many have not run out; for holders of sys:users:read."`
	Organizations *int64      `json:"organizations" doc:"For holders of sys:orgs:read."`
	Days          []audit.Day `json:"days" doc:"Sign-ins of the last 30 days, in UTC; for holders of sys:audit:read."`
	Checks        []Check     `json:"checks" doc:"What needs attention; for holders of sys:server:read."`
}

// overviewDays is how far the overview looks back.
const overviewDays = 30

// Overview is what the caller may know of the site as a whole. Who may know none of it is refused.
func (a *App) Overview(ctx context.Context, c authz.Caller) (o Overview, err error) {
	parts := map[string]func() error{
		"sys:users:read": func() error {
			n, err := a.Users.Count(ctx)
			if err != nil {
				return err
			}
			alive, err := a.Sessions.Count(ctx)
			o.Users, o.Sessions = &n, &alive
			return err
		},
		"sys:orgs:read": func() error {
			n, err := a.Orgs.Count(ctx, c)
			o.Organizations = &n
			return err
		},
		audit.MayRead: func() (err error) {
			o.Days, err = a.Audit.Days(ctx, c, overviewDays)
			return err
		},
		Operate: func() error {
			list, err := a.Examine(ctx, c, false)
			o.Checks = slices.DeleteFunc(append([]Check{}, list...), func(c Check) bool { return c.Status == Fine })
			return err
		},
	}
	told := false
	for permission, part := range parts {
		switch no := a.Authz.Require(ctx, c, permission, ""); {
		case no == nil:
			told = true
			if err := part(); err != nil {
				return o, err
			}
		case apperr.Of(no).Kind != apperr.Forbidden:
			return o, no
		}
	}
	if !told {
		return o, a.Authz.Require(ctx, c, Operate, "")
	}
	return o, nil
}

// Settings is every setting with where it comes from and no secret, for holders of sys:server:read.
func (a *App) Settings(ctx context.Context, c authz.Caller) (*config.Report, error) {
	return a.Report, a.Authz.Require(ctx, c, Operate, "")
}

// Keys is the signing keys, for holders of sys:server:read.
func (a *App) Keys(ctx context.Context, c authz.Caller) ([]token.Key, error) {
	if err := a.Authz.Require(ctx, c, Operate, ""); err != nil {
		return nil, err
	}
	return a.Tokens.List(), nil
}

// RotateKeys publishes a new signing key, for holders of sys:keys:rotate.
func (a *App) RotateKeys(ctx context.Context, c authz.Caller) error {
	if err := a.Authz.Require(ctx, c, "sys:keys:rotate", ""); err != nil {
		return err
	}
	return a.Tokens.Rotate(ctx)
}

// Way is a way to sign in, or a part of one.
type Way struct {
	Name     string `json:"name" example:"passkey"`
	On       bool   `json:"on"`
	Setting  string `json:"setting,omitempty" doc:"What switches it on and off; empty for what is always there."`
	Callback string `json:"callback,omitempty" doc:"Of another service: the address that it must know."`
}

// Ways is what people sign in with, and what switches each on, for holders of sys:server:read.
func (a *App) Ways(ctx context.Context, c authz.Caller) ([]Way, error) {
	if err := a.Authz.Require(ctx, c, Operate, ""); err != nil {
		return nil, err
	}
	cfg := a.Config
	list := []Way{
		{Name: "password", On: true},
		{Name: "passkey", On: a.Passkeys.On(), Setting: "PASSKEY_ENABLED"},
		{Name: "magic_link", On: cfg.OTP.Link, Setting: "MAGIC_LINK_ENABLED"},
		{Name: "email_code", On: cfg.OTP.Email, Setting: "EMAIL_CODE_ENABLED"},
		{Name: "phone_code", On: cfg.OTP.Phone, Setting: "PHONE_ENABLED"},
		{Name: "totp", On: true},
		{Name: "recovery_code", On: true},
		{Name: "guest", On: cfg.Anonymous.Enabled, Setting: "ANONYMOUS_ENABLED"},
		{Name: "sign_up", On: cfg.Login.SignUp, Setting: "SIGNUP_ENABLED"},
		{Name: "second_factor_required", On: len(cfg.MFA.Roles()) > 0, Setting: "MFA_REQUIRED"},
	}
	for _, p := range a.Social.Providers() {
		list = append(list, Way{p.Title, true, cfg.Social.Setting(p.Name), cfg.Web.Base() + "/auth/" + p.Name + "/callback"})
	}
	return list, nil
}
