package totp

import (
	"errors"
	"strings"
)

// Config is what an operator may say of authenticator apps.
type Config struct {
	Issuer string `env:"TOTP_ISSUER" doc:"What authenticator apps call this site. Empty is the host of BASE_URL."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(production bool) error {
	if strings.Contains(c.Issuer, ":") {
		return errors.New("TOTP_ISSUER holds a colon, which ends the name in an authenticator app; leave it out")
	}
	return nil
}
