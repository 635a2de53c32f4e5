// Package human keeps programs out where an attempt is unusual: with a proof of work, which a browser does by itself and nobody has to
// see or to puzzle out, or with a captcha of a service that an operator chose.
package human

import (
	"errors"
	"slices"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/secret"
)

// Name is what the method is called.
const Name = "human"

// The refusals of this package.
var (
	ErrSolution = apperr.New(apperr.Malformed, "challenge_wrong", "This is not the answer to what was asked. Try again, or begin again.")
	ErrAway     = apperr.New(apperr.Unavailable, "challenge_unavailable", "The captcha cannot be checked at the moment. Ask for the step again: something else is asked in its place.")
)

// Config is what an operator may say of it.
type Config struct {
	Provider string        `env:"CAPTCHA_PROVIDER" default:"none" oneof:"none,turnstile,hcaptcha,recaptcha" doc:"Whose captcha is shown where an attempt is unusual. none asks for a proof of work, which a browser does by itself and tells nobody. While the service does not answer, that is asked too."`
	SiteKey  string        `env:"CAPTCHA_SITE_KEY" doc:"The public key of this site at CAPTCHA_PROVIDER."`
	Secret   secret.String `env:"CAPTCHA_SECRET" secret:"true" doc:"The secret key of this site at CAPTCHA_PROVIDER."`
	URL      string        `env:"CAPTCHA_URL" doc:"Where answers are checked, if that is not the usual address of CAPTCHA_PROVIDER."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(bool) error {
	if c.Provider != "none" && c.Provider != "" && (c.SiteKey == "" || c.Secret.Reveal() == "") {
		return errors.New("CAPTCHA_PROVIDER needs CAPTCHA_SITE_KEY and CAPTCHA_SECRET: the service shows both")
	}
	return nil
}

// The kinds of what is asked.
const (
	Work    = "proof_of_work"
	Captcha = "captcha"
)

// Puzzle is what is asked: for the number below Below whose SHA-256, after Salt, is Hash; or for the token of a captcha.
type Puzzle struct {
	Kind     string `json:"kind"`
	Salt     string `json:"salt,omitempty"`
	Hash     string `json:"hash,omitempty"`
	Below    int    `json:"below,omitempty"`
	Provider string `json:"provider,omitempty"`
	SiteKey  string `json:"site_key,omitempty"`
}

// Source is what a page needs to load for a captcha.
type Source struct {
	Script  string   // its address
	Class   string   // of the element that it fills
	Field   string   // of the form that holds the answer
	Scripts []string // origins and paths that scripts come from
	Frames  []string // and frames
	Calls   []string // and what they call
	Styles  []string
}

// service is one that makes captchas: where its answers are checked, and what its page needs.
type service struct {
	name, check string
	Source
}

var services = []service{
	{"turnstile", "https://challenges.cloudflare.com/turnstile/v0/siteverify", Source{
		Script: "https://challenges.cloudflare.com/turnstile/v0/api.js", Class: "cf-turnstile", Field: "cf-turnstile-response",
		Scripts: []string{"https://challenges.cloudflare.com"}, Frames: []string{"https://challenges.cloudflare.com"},
	}},
	{"hcaptcha", "https://api.hcaptcha.com/siteverify", Source{
		Script: "https://js.hcaptcha.com/1/api.js", Class: "h-captcha", Field: "h-captcha-response",
		Scripts: []string{"https://hcaptcha.com", "https://*.hcaptcha.com"}, Frames: []string{"https://hcaptcha.com", "https://*.hcaptcha.com"},
		Calls: []string{"https://hcaptcha.com", "https://*.hcaptcha.com"}, Styles: []string{"https://hcaptcha.com", "https://*.hcaptcha.com"},
	}},
	{"recaptcha", "https://www.google.com/recaptcha/api/siteverify", Source{
		Script: "https://www.google.com/recaptcha/api.js", Class: "g-recaptcha", Field: "g-recaptcha-response",
		Scripts: []string{"https://www.google.com/recaptcha/", "https://www.gstatic.com/recaptcha/"}, Frames: []string{"https://www.google.com/recaptcha/", "https://recaptcha.google.com/recaptcha/"},
		Calls: []string{"https://www.google.com/recaptcha/"},
	}},
}

func serviceOf(name string) *service {
	i := slices.IndexFunc(services, func(s service) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return &services[i]
}

// Source is what a page needs for the captcha that is configured; false when there is none.
func (c Config) Source() (Source, bool) {
	if s := serviceOf(c.Provider); s != nil {
		return s.Source, true
	}
	return Source{}, false
}
