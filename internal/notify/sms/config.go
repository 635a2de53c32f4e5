package sms

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/admit-dev/admit/internal/outbound"
	"github.com/admit-dev/admit/internal/secret"
)

// Config is the service that carries text messages.
type Config struct {
	Provider       string        `env:"SMS_PROVIDER" oneof:"twilio,vonage,sns,webhook" doc:"The service that carries text messages. Without one, development keeps them for /dev/inbox."`
	From           string        `env:"SMS_FROM" doc:"The number or name texts come from. For Twilio it may be the id of a messaging service (MG…); for SNS it may be left out."`
	URL            string        `env:"SMS_URL" doc:"Where the service is asked: of webhook, your own; of the others, a region or something compatible instead of the usual address."`
	TwilioSID      string        `env:"TWILIO_ACCOUNT_SID" doc:"The account at Twilio."`
	TwilioToken    secret.String `env:"TWILIO_AUTH_TOKEN" secret:"true" doc:"The auth token of TWILIO_ACCOUNT_SID."`
	VonageKey      string        `env:"VONAGE_API_KEY" doc:"The account at Vonage."`
	VonageSecret   secret.String `env:"VONAGE_API_SECRET" secret:"true" doc:"The secret of VONAGE_API_KEY."`
	AWSRegion      string        `env:"AWS_REGION" doc:"The region of SNS, as eu-central-1."`
	AWSKey         string        `env:"AWS_ACCESS_KEY_ID" doc:"The access key for SNS. It needs sns:Publish and nothing else."`
	AWSSecret      secret.String `env:"AWS_SECRET_ACCESS_KEY" secret:"true" doc:"The secret of AWS_ACCESS_KEY_ID."`
	AWSToken       secret.String `env:"AWS_SESSION_TOKEN" secret:"true" doc:"The session of AWS_ACCESS_KEY_ID, if it is a temporary one."`
	Secret         secret.String `env:"SMS_WEBHOOK_SECRET" secret:"true" doc:"What requests to the webhook are signed with: whsec_ and base64, or 24 characters and more."`
	TimeoutSeconds int           `env:"SMS_TIMEOUT_SECONDS" default:"15" min:"1" max:"120" doc:"The longest one text may take to be taken on."`
}

// Check refuses a service that is described by halves.
func (c Config) Check(production bool) error {
	needs := map[string][]struct{ name, value string }{
		"":        nil,
		"twilio":  {{"TWILIO_ACCOUNT_SID", c.TwilioSID}, {"TWILIO_AUTH_TOKEN", c.TwilioToken.Reveal()}, {"SMS_FROM", c.From}},
		"vonage":  {{"VONAGE_API_KEY", c.VonageKey}, {"VONAGE_API_SECRET", c.VonageSecret.Reveal()}, {"SMS_FROM", c.From}},
		"sns":     {{"AWS_REGION", c.AWSRegion}, {"AWS_ACCESS_KEY_ID", c.AWSKey}, {"AWS_SECRET_ACCESS_KEY", c.AWSSecret.Reveal()}},
		"webhook": {{"SMS_URL", c.URL}, {"SMS_WEBHOOK_SECRET", c.Secret.Reveal()}},
	}
	var faults []error
	for _, n := range needs[c.Provider] {
		if n.value == "" {
			faults = append(faults, fmt.Errorf("%s is not set, and SMS_PROVIDER=%s needs it", n.name, c.Provider))
		}
	}
	if c.Provider == "" { // AWS_… may be there for others
		for _, s := range []struct{ name, value string }{{"SMS_FROM", c.From}, {"SMS_URL", c.URL}, {"TWILIO_ACCOUNT_SID", c.TwilioSID}, {"TWILIO_AUTH_TOKEN", c.TwilioToken.Reveal()},
			{"VONAGE_API_KEY", c.VonageKey}, {"VONAGE_API_SECRET", c.VonageSecret.Reveal()}, {"SMS_WEBHOOK_SECRET", c.Secret.Reveal()}} {
			if s.value != "" {
				return fmt.Errorf("%s is set and SMS_PROVIDER is not: say twilio, vonage, sns or webhook, or remove it", s.name)
			}
		}
	}
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		switch {
		case err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
			faults = append(faults, errors.New("SMS_URL is no address: write it as https://sms.example.com/send"))
		case production && u.Scheme != "https":
			faults = append(faults, errors.New("SMS_URL is http, and codes would cross the network in the clear: make it https"))
		}
	}
	if c.Secret.Reveal() != "" {
		if _, err := outbound.SigningKey(c.Secret.Reveal()); err != nil {
			faults = append(faults, fmt.Errorf("SMS_WEBHOOK_SECRET cannot be used: %w", err))
		}
	}
	if strings.ContainsAny(c.AWSRegion, "./:@ ") {
		faults = append(faults, errors.New("AWS_REGION is no region: write it as eu-central-1"))
	}
	return errors.Join(faults...)
}
