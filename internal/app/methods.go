package app

import (
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/password"
)

// methods is every way to sign in, the usual one first. To add one, write its folder, its line here and its line in
// config.Config.
func (a *App) methods() []login.Method {
	return []login.Method{
		password.NewMethod(a.DB, a.Hasher),
	}
}
