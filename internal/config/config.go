package config

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"

	"github.com/admit-dev/admit/internal/account"
	"github.com/admit-dev/admit/internal/address"
	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/breach"
	"github.com/admit-dev/admit/internal/consent"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/impersonation"
	"github.com/admit-dev/admit/internal/knowndevice"
	"github.com/admit-dev/admit/internal/lockout"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/anonymous"
	"github.com/admit-dev/admit/internal/method/human"
	"github.com/admit-dev/admit/internal/method/otp"
	"github.com/admit-dev/admit/internal/method/passkey"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/method/totp"
	"github.com/admit-dev/admit/internal/mfa"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/notify/mail"
	"github.com/admit-dev/admit/internal/notify/sms"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/outbound"
	"github.com/admit-dev/admit/internal/owner"
	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/ratelimit"
	"github.com/admit-dev/admit/internal/redis"
	"github.com/admit-dev/admit/internal/risk"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/sink/kafka"
	"github.com/admit-dev/admit/internal/sink/nats"
	"github.com/admit-dev/admit/internal/theme"
	"github.com/admit-dev/admit/internal/token"
	"github.com/admit-dev/admit/internal/tracing"
	"github.com/admit-dev/admit/internal/user"
	"github.com/admit-dev/admit/internal/web"
)

// Config is every setting of Admit, each owned by the package that reads it.
type Config struct {
	Server        Server               `doc:"Server"`
	Parts         part.Config          `doc:"What is served"`
	Web           web.Config           `doc:"Address, cookies, browsers"`
	Database      database.Config      `doc:"Database"`
	Redis         redis.Config         `doc:"Redis"`
	Login         login.Config         `doc:"Signing in and up"`
	Address       address.Config       `doc:"Verifying e-mail addresses"`
	Password      password.Config      `doc:"Passwords"`
	Breach        breach.Config        `doc:"Leaked passwords"`
	Passkey       passkey.Config       `doc:"Passkeys"`
	OTP           otp.Config           `doc:"Links and codes to sign in with"`
	Anonymous     anonymous.Config     `doc:"Guests"`
	TOTP          totp.Config          `doc:"Authenticator apps"`
	MFA           mfa.Config           `doc:"Required second factors"`
	Social        social.Config        `doc:"Signing in with other services"`
	Hash          secret.Config        `doc:"Password hashing"`
	User          user.Config          `doc:"People"`
	Account       account.Config       `doc:"Deleting accounts"`
	Consent       consent.Config       `doc:"Terms of use"`
	Lockout       lockout.Config       `doc:"Lockout"`
	Device        knowndevice.Config   `doc:"Known devices"`
	Risk          risk.Config          `doc:"Risks"`
	Human         human.Config         `doc:"Keeping programs out"`
	Session       session.Config       `doc:"Sessions and refresh tokens"`
	Token         token.Config         `doc:"Access tokens"`
	APIKey        apikey.Config        `doc:"API keys"`
	Impersonation impersonation.Config `doc:"Acting in the name of others"`
	RateLimit     ratelimit.Config     `doc:"Rate limits"`
	Org           org.Config           `doc:"Organizations"`
	Authz         authz.Config         `doc:"Permissions and policies"`
	Event         event.Config         `doc:"Events"`
	Kafka         kafka.Config         `doc:"Events to Kafka"`
	NATS          nats.Config          `doc:"Events to NATS"`
	Audit         audit.Config         `doc:"Audit log"`
	Notify        notify.Config        `doc:"Messages"`
	Mail          mail.Config          `doc:"Mail"`
	SMS           sms.Config           `doc:"Text messages"`
	Tracing       tracing.Config       `doc:"Traces"`
	Outbound      outbound.Config      `doc:"Calls to other servers"`
	Theme         theme.Config         `doc:"How pages look"`
	Owner         owner.Config         `doc:"The first owner"`

	loaded *Report // by Load; nil for a Config that a program made itself
}

// Server says where the program runs.
type Server struct {
	Environment string        `env:"ENVIRONMENT" default:"development" oneof:"development,production" doc:"development works without any setting. production refuses what is only good enough for trying."`
	Addr        string        `env:"ADDR" default:"127.0.0.1:8000" doc:"Host and port to listen on."`
	TLSCert     string        `env:"TLS_CERT_FILE" doc:"Certificate chain (PEM) to serve https with. Leave it out behind a proxy that does."`
	TLSKey      string        `env:"TLS_KEY_FILE" doc:"The private key (PEM) of TLS_CERT_FILE."`
	DataDir     string        `env:"DATA_DIR" default:"./admit-data" doc:"Directory of the SQLite file, generated secrets and the event file. It is made with mode 0700."`
	RootKey     secret.String `env:"SESSION_SECRET_KEY" secret:"true" doc:"The root key, 32 random characters or more: other keys are derived from it. Development makes one and keeps it in DATA_DIR."`
	Debug       bool          `env:"DEBUG" default:"false" doc:"Log each request and what happens in it."`
	LogFormat   string        `env:"LOG_FORMAT" default:"auto" oneof:"auto,text,json" doc:"How log lines look. auto is text in development and json in production."`
	MetricsAddr string        `env:"METRICS_ADDR" doc:"Host and port to answer Prometheus on, at /metrics, for whoever reaches it: keep it out of the internet. Empty answers nobody."`
	Docs        bool          `env:"DOCS_ENABLED" default:"true" doc:"Serve the API document, /docs and /redoc."`
}

// Production reports whether what is only good enough for trying must be refused.
func (c *Config) Production() bool { return c.Server.Environment == "production" }

// Check finds what is wrong between settings of different packages.
func (c *Config) Check(production bool) error {
	var faults []error
	if production && c.Database.URL == "" {
		faults = append(faults, errors.New("DATABASE_URL is not set, and production does not put its database into the development default by itself: write sqlite:////var/lib/admit/admit.db or postgres://user:password@host/name"))
	}
	if production && c.Address.Verification == "required" && c.Mail.Host == "" && !c.Mail.Own {
		faults = append(faults, errors.New("EMAIL_VERIFICATION=required needs mail: set SMTP_HOST, or nobody gets in"))
	}
	if c.RateLimit.RateLimit == "redis" && c.Redis.URL == "" {
		faults = append(faults, errors.New("RATE_LIMIT=redis needs REDIS_URL: set it, or leave RATE_LIMIT out to count in memory"))
	}
	if !c.Parts.On(part.Tokens) && len(c.Web.AppRedirects) > 0 {
		faults = append(faults, errors.New("PARTS_OFF holds tokens, and APP_REDIRECTS lead sign-ins back to native apps, which get tokens: leave one of the two out"))
	}
	if list, err := c.Social.Providers(production); err == nil && len(list) > 0 && !c.Parts.On(part.Pages) {
		faults = append(faults, fmt.Errorf("PARTS_OFF holds pages, and people who sign in with %s come back to one: leave pages in, or that service out", list[0].Title))
	}
	if c.Social.Development == "on" && !c.Parts.On(part.Pages) {
		faults = append(faults, errors.New("PARTS_OFF holds pages, and DEVELOPMENT_PROVIDER=on signs in on one: leave it at auto"))
	}
	_, err := c.Passkey.Site(c.Web.Origin())
	return errors.Join(append(faults, err)...)
}

// Check finds what is wrong with the settings.
func (s Server) Check(production bool) error {
	var faults []error
	if _, _, err := net.SplitHostPort(s.Addr); err != nil {
		faults = append(faults, errors.New("ADDR is no host and port: write 127.0.0.1:8000, or :8000 for every interface"))
	}
	if _, _, err := net.SplitHostPort(s.MetricsAddr); s.MetricsAddr != "" && err != nil {
		faults = append(faults, errors.New("METRICS_ADDR is no host and port: write 127.0.0.1:9090"))
	}
	if s.MetricsAddr != "" && s.MetricsAddr == s.Addr {
		faults = append(faults, errors.New("METRICS_ADDR is the same as ADDR: choose another port, which the internet does not reach"))
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		faults = append(faults, errors.New("TLS_CERT_FILE and TLS_KEY_FILE belong together: set both, or neither"))
	}
	switch key := s.RootKey.Reveal(); {
	case key == "" && production:
		faults = append(faults, errors.New("SESSION_SECRET_KEY is not set: make one with admit keygen and keep it where the program finds it, for example in SESSION_SECRET_KEY_FILE"))
	case key != "" && len(key) < 32:
		faults = append(faults, errors.New("SESSION_SECRET_KEY has fewer than 32 characters: make one with admit keygen"))
	case key != "" && production && guessable(key):
		faults = append(faults, errors.New("SESSION_SECRET_KEY looks like an example, not like something random: make one with admit keygen"))
	}
	return errors.Join(faults...)
}

// guessable finds keys that were typed, not drawn: few different characters, or words that stand in examples.
func guessable(key string) bool {
	different := map[rune]bool{}
	for _, r := range key {
		different[r] = true
	}
	low := strings.ToLower(key)
	for _, word := range []string{"change", "example", "secret", "replace", "password", "your-", "your_", "insecure", "12345678"} {
		if strings.Contains(low, word) {
			return true
		}
	}
	return len(different) < 10
}

// Check asks every part of a Config that was filled in by a program, as Load does of one that was read.
func Check(c *Config) error {
	faults := []error{c.Check(c.Production())}
	v := reflect.ValueOf(c).Elem()
	for _, part := range v.Fields() {
		if !part.CanInterface() {
			continue
		}
		if p, ok := part.Interface().(interface{ Check(production bool) error }); ok {
			faults = append(faults, p.Check(c.Production()))
		}
	}
	return errors.Join(faults...)
}
