package app

import (
	"cmp"

	"github.com/admit-dev/admit/internal/address"
	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/breach"
	"github.com/admit-dev/admit/internal/lockout"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/anonymous"
	"github.com/admit-dev/admit/internal/method/human"
	"github.com/admit-dev/admit/internal/method/otp"
	"github.com/admit-dev/admit/internal/method/passkey"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/method/recoverycode"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/method/totp"
	"github.com/admit-dev/admit/internal/method/verifyemail"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/owner"
	"github.com/admit-dev/admit/internal/recovery"
	"github.com/admit-dev/admit/internal/risk"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/serviceaccount"
)

// methods is every way to sign in, the usual one first. To add one, write its folder, its line here and its line in
// config.Config.
func (a *App) methods(box *secret.Box, notices *notice.Service, elsewhere social.Method, keys passkey.Method, apps totp.Method, sent []otp.Method, checks []login.Method) []login.Method {
	list := []login.Method{password.NewMethod(a.DB, a.Hasher, a.Config.Password)}
	if keys.On() {
		list = append(list, keys)
	}
	for _, m := range sent {
		list = append(list, m)
	}
	list = append(list, elsewhere, apps, recoverycode.NewMethod(a.DB, box, notices))
	if a.Config.Address.Verification == "required" {
		list = append(list, verifyemail.NewMethod(a.Addresses))
	}
	return append(list, checks...)
}

// ways makes the door and everything that people go in by, and come back by.
func (a *App) ways(box *secret.Box) error {
	notices := notice.NewService(a.Notify, a.Challenges, a.Config.Web.Base())
	a.APIKeys = apikey.NewService(a.Config.APIKey, apikey.Deps{DB: a.DB, Box: box, Authz: a.Authz, Sessions: a.Sessions, Notices: notices, Limiter: a.Limiter, PerKey: a.Config.RateLimit.PerKey(), Parts: a.Config.Parts})
	a.Programs = serviceaccount.NewService(a.DB, a.Authz, a.Orgs, a.APIKeys, a.Tokens)
	a.Addresses = address.NewService(a.DB, a.Config.Address, a.Challenges, a.Notify, notices, a.Config.Web.Base())
	keys, err := a.passkeys(box, notices)
	if err != nil {
		return err
	}
	apps := totp.NewMethod(a.DB, box, a.Config.TOTP, a.Config.Web.Host())
	elsewhere, err := social.NewMethod(a.DB, a.Config.Social, social.Site{Base: a.Config.Web.Base(), Production: a.Config.Production()}, box)
	if err != nil {
		return err
	}
	sending := otp.Deps{DB: a.DB, Challenges: a.Challenges, Notify: a.Notify, Users: a.Users, Door: a.Config.Login, Base: a.Config.Web.Base()}
	sent := otp.NewMethods(a.Config.OTP, sending)
	checks := append([]login.Method{human.NewMethod(a.Config.Human, a.Config.Outbound, box, a.DB.Now, a.Log)}, otp.NewMailCheck(sending)...)
	a.Locks = lockout.NewService(a.Config.Lockout, lockout.Deps{DB: a.DB, Devices: a.Devices, Challenges: a.Challenges, Notify: a.Notify, Limiter: a.Limiter,
		Account: a.Config.RateLimit.PerIdentifier(), Address: a.Config.RateLimit.PerGuesser(), Base: a.Config.Web.Base()})
	if a.Risk, err = risk.Open(a.Config.Risk, a.Limiter != nil, a.DB.Now, a.Log); err != nil {
		return err
	}
	a.Door = login.NewService(a.Config.Login, a.DB, a.Users, a.Sessions, notices, a.MFA, a.Devices, a.Locks, a.Risk, box, a.methods(box, notices, elsewhere, keys, apps, sent, checks))
	a.Passkeys = passkey.NewService(keys, a.Door)
	a.Social = social.NewService(elsewhere, a.Config.Social, a.Config.Outbound, box, a.Door, notices, a.Addresses)
	a.Passwords = password.NewService(a.Config.Password, password.Deps{DB: a.DB, Hasher: a.Hasher, Users: a.Users, Door: a.Door, Authz: a.Authz, Orgs: a.Orgs, Notices: notices,
		Addresses: a.Addresses, Breaches: breach.NewService(a.Config.Breach, a.Config.Outbound), Site: []string{a.Config.Notify.App, a.Config.Web.Host()}, Log: a.Log})
	a.Resets = recovery.NewService(a.DB, a.Authz, a.Challenges, a.Notify, a.Door, a.Passwords, a.Accounts, notices, a.Devices, a.Config.Web.Base())
	a.Codes = otp.NewService(sending, sent, a.Door, notices)
	a.Guests = anonymous.NewService(a.DB, a.Config.Anonymous, a.Users, a.Accounts, a.Door)
	a.TOTP = totp.NewService(apps, a.Door)
	a.Recovery = recoverycode.NewMethod(a.DB, box, notices)
	a.Owner = owner.NewService(a.DB, a.Config.Owner, a.Users, a.Passwords, a.Door, a.Authz)
	return nil
}

// passkeys makes what takes passkeys. Where none can be, it is there to list and remove those that were added before.
func (a *App) passkeys(box *secret.Box, notices *notice.Service) (passkey.Method, error) {
	site, err := a.Config.Passkey.Site(a.Config.Web.Origin())
	if err != nil {
		return passkey.Method{}, err
	}
	return passkey.NewMethod(a.DB, site, cmp.Or(a.Config.Notify.App, a.Config.Web.Host()), box, notices)
}
