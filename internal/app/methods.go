package app

import (
	"cmp"

	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/passkey"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/method/recoverycode"
	"github.com/admit-dev/admit/internal/method/totp"
	"github.com/admit-dev/admit/internal/method/verifyemail"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/secret"
)

// methods is every way to sign in, the usual one first. To add one, write its folder, its line here and its line in
// config.Config.
func (a *App) methods(box *secret.Box, notices *notice.Service) []login.Method {
	list := []login.Method{password.NewMethod(a.DB, a.Hasher, a.Config.Password)}
	if a.Passkeys.On() {
		list = append(list, a.Passkeys.Method)
	}
	list = append(list, totp.NewMethod(a.DB, box), recoverycode.NewMethod(a.DB, box, notices))
	if a.Config.Address.Verification == "required" {
		list = append(list, verifyemail.NewMethod(a.Addresses))
	}
	return list
}

// passkeys makes what adds passkeys. Where none can be, it is there to list and remove those that were added before.
func (a *App) passkeys(box *secret.Box, notices *notice.Service) error {
	site, err := a.Config.Passkey.Site(a.Config.Web.Origin())
	if err != nil {
		return err
	}
	m, err := passkey.NewMethod(a.DB, site, cmp.Or(a.Config.Notify.App, a.Config.Web.Host()), box)
	a.Passkeys = passkey.NewService(m, notices, password.Has)
	return err
}
