package app

import (
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/method/recoverycode"
	"github.com/admit-dev/admit/internal/method/totp"
	"github.com/admit-dev/admit/internal/method/verifyemail"
	"github.com/admit-dev/admit/internal/secret"
)

// methods is every way to sign in, the usual one first. To add one, write its folder, its line here and its line in
// config.Config.
func (a *App) methods(box *secret.Box) []login.Method {
	list := []login.Method{
		password.NewMethod(a.DB, a.Hasher),
		totp.NewMethod(a.DB, box),
		recoverycode.NewMethod(a.DB, box),
	}
	if a.Config.Address.Verification == "required" {
		list = append(list, verifyemail.NewMethod(a.Addresses))
	}
	return list
}
