package user

import (
	"fmt"

	"github.com/nyaruka/phonenumbers"

	"github.com/admit-dev/admit/internal/apperr"
)

// Config is what an operator may say of people.
type Config struct {
	TextCountries []string `env:"SMS_COUNTRIES" doc:"Countries (ISO 3166 two letters) to whose numbers codes are sent. Empty is all of them: name yours, since texts to others may cost much."`
	PhoneRegion   string   `env:"PHONE_DEFAULT_REGION" doc:"Country (ISO 3166 two letters, such as DE) of phone numbers written without a country code. Empty demands the code."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(production bool) error {
	if c.PhoneRegion != "" && phonenumbers.GetCountryCodeForRegion(c.PhoneRegion) == 0 {
		return fmt.Errorf("PHONE_DEFAULT_REGION: %q is no country: write two letters such as DE", c.PhoneRegion)
	}
	for _, country := range c.TextCountries {
		if phonenumbers.GetCountryCodeForRegion(country) == 0 {
			return fmt.Errorf("SMS_COUNTRIES: %q is no country: write two letters such as DE", country)
		}
	}
	return nil
}

func fields(faults []error) error { return apperr.Fields(faults...) }
