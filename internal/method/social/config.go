package social

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	"github.com/admit-dev/admit/internal/secret"
)

// Client is what an operator says of one provider.
type Client struct {
	Enabled bool          `env:"ENABLED" default:"false" doc:"Whether people may sign in with it."`
	ID      string        `env:"CLIENT_ID" doc:"What it calls this site. It gave it out with the secret."`
	Secret  secret.String `env:"CLIENT_SECRET" secret:"true" doc:"What we show it to prove that we are this site."`
	URL     string        `env:"URL" doc:"Where it is, if that is not its usual address: a server of your own, or one for tests."`
}

// Tenant is a Client of Microsoft.
type Tenant struct {
	Client
	Tenant string `env:"TENANT" default:"common" doc:"Whose accounts may sign in: common (all), organizations, consumers, or the id of one tenant."`
}

// Signing is a Client that signs its secret itself, as Apple's do.
type Signing struct {
	Enabled bool          `env:"ENABLED" default:"false" doc:"Whether people may sign in with it."`
	ID      string        `env:"CLIENT_ID" doc:"The Services ID."`
	Team    string        `env:"TEAM_ID" doc:"The team, ten characters."`
	KeyID   string        `env:"KEY_ID" doc:"The id of the key, ten characters."`
	Key     secret.String `env:"PRIVATE_KEY" secret:"true" doc:"The key: what the .p8 file holds."`
	URL     string        `env:"URL" doc:"Where it is, if that is not its usual address: one for tests."`
}

// Own is any other provider that speaks OpenID Connect.
type Own struct {
	Enabled bool          `env:"ENABLED" default:"false" doc:"Whether people may sign in with a provider of your own that speaks OpenID Connect. For more than one, see PROVIDERS_FILE."`
	Name    string        `env:"NAME" default:"oidc" doc:"Its name in addresses, as acme in /auth/acme/login."`
	Title   string        `env:"TITLE" default:"Single sign-on" doc:"What people call it."`
	Issuer  string        `env:"ISSUER" doc:"Its issuer, as https://login.acme.com/realms/staff. Everything else is found there."`
	ID      string        `env:"CLIENT_ID" doc:"What it calls this site."`
	Secret  secret.String `env:"CLIENT_SECRET" secret:"true" doc:"What we show it to prove that we are this site. Empty for a public client."`
	Scopes  []string      `env:"SCOPES" default:"openid,profile,email" doc:"What it is asked for."`
	Trusted bool          `env:"TRUSTED" default:"false" doc:"Whether an e-mail address that it calls verified is believed to be. Say true only if nobody can give themselves the address of somebody else there."`
}

// Config is what an operator may say of signing in with other services.
type Config struct {
	Google    Client  `prefix:"GOOGLE_"`
	GitHub    Client  `prefix:"GITHUB_"`
	LinkedIn  Client  `prefix:"LINKEDIN_"`
	Facebook  Client  `prefix:"FACEBOOK_"`
	Microsoft Tenant  `prefix:"MICROSOFT_"`
	Apple     Signing `prefix:"APPLE_"`
	Discord   Client  `prefix:"DISCORD_"`
	GitLab    Client  `prefix:"GITLAB_"`
	Slack     Client  `prefix:"SLACK_"`
	X         Client  `prefix:"X_"`
	Own       Own     `prefix:"OIDC_"`

	File           string `env:"PROVIDERS_FILE" doc:"A JSON file of any further providers that speak OpenID Connect or OAuth 2.0."`
	Development    string `env:"DEVELOPMENT_PROVIDER" default:"auto" oneof:"auto,on,off" doc:"A provider for trying: type any address and be signed in. auto has it in development while no other is enabled and BASE_URL is this machine. Production refuses it."`
	KeepTokens     bool   `env:"SOCIAL_KEEP_TOKENS" default:"false" doc:"Keep the tokens that providers give out, sealed, for a program that asks them for more than who somebody is."`
	TimeoutSeconds int    `env:"SOCIAL_TIMEOUT_SECONDS" default:"10" min:"1" max:"60" doc:"The longest one question to a provider may take."`
}

// named is one line of the table of built-in providers.
type named struct {
	prefix string
	Provider
	client Client
}

func (c Config) table() []named {
	return []named{
		{"GOOGLE", google, c.Google}, {"APPLE", apple, Client{Enabled: c.Apple.Enabled, ID: c.Apple.ID, URL: c.Apple.URL}}, {"MICROSOFT", microsoft(c.Microsoft.Tenant), c.Microsoft.Client},
		{"GITHUB", github, c.GitHub}, {"FACEBOOK", facebook, c.Facebook}, {"LINKEDIN", linkedin, c.LinkedIn}, {"X", x, c.X}, {"DISCORD", discord, c.Discord},
		{"GITLAB", gitlab, c.GitLab}, {"SLACK", slack, c.Slack},
		{"OIDC", Provider{Name: c.Own.Name, Title: c.Own.Title, Issuer: c.Own.Issuer, Scopes: c.Own.Scopes, Trusted: c.Own.Trusted}, Client{Enabled: c.Own.Enabled, ID: c.Own.ID, Secret: c.Own.Secret}},
	}
}

// Setting is what switches a provider on.
func (c Config) Setting(provider string) string {
	for _, n := range c.table() {
		if n.Name == provider && n.client.Enabled {
			return n.prefix + "_ENABLED"
		}
	}
	if provider == developmentName {
		return "DEVELOPMENT_PROVIDER"
	}
	return "PROVIDERS_FILE"
}

// Check finds what is wrong with the settings.
func (c Config) Check(production bool) error {
	_, err := c.Providers(production)
	if production && c.Development == "on" {
		err = errors.Join(err, errors.New("DEVELOPMENT_PROVIDER=on would let anybody sign in as anybody; leave it at auto"))
	}
	return err
}

// Providers are those that are enabled, in the order they are shown. The error names everything that is missing.
func (c Config) Providers(production bool) (list []Provider, err error) {
	var faults []error
	for _, n := range c.table() {
		if !n.client.Enabled {
			continue
		}
		needs := []need{{n.prefix + "_CLIENT_ID", n.client.ID}}
		switch n.prefix {
		case "APPLE":
			needs = append(needs, need{"APPLE_TEAM_ID", c.Apple.Team}, need{"APPLE_KEY_ID", c.Apple.KeyID}, need{"APPLE_PRIVATE_KEY", c.Apple.Key.Reveal()})
		case "OIDC":
			needs = append(needs, need{"OIDC_ISSUER", c.Own.Issuer})
			faults = append(faults, checkAddress("OIDC_ISSUER", c.Own.Issuer, production), checkName("OIDC_NAME", c.Own.Name))
		default:
			needs = append(needs, need{n.prefix + "_CLIENT_SECRET", n.client.Secret.Reveal()})
		}
		for _, one := range needs {
			if one.value == "" {
				faults = append(faults, fmt.Errorf("%s is not set, and %s_ENABLED=true needs it", one.name, n.prefix))
			}
		}
		faults = append(faults, checkAddress(n.prefix+"_URL", n.client.URL, production))
		p := n.at(n.client.URL)
		p.ClientID, p.Secret = n.client.ID, n.client.Secret.Reveal()
		if p.Name == github.Name && n.client.URL != "" {
			p.UserURL = rebase("https://github.com/api/v3/user", n.client.URL) // as GitHub Enterprise Server has it
		}
		if n.prefix == "APPLE" && c.Apple.Key.Reveal() != "" {
			key, err := appleKey(c.Apple.Key.Reveal())
			if err != nil {
				faults = append(faults, fmt.Errorf("APPLE_PRIVATE_KEY cannot be used: %w; give it what the .p8 file holds", err))
			}
			p.Sign = appleSecret(c.Apple.Team, c.Apple.ID, c.Apple.KeyID, key, p.Issuer)
		}
		list = append(list, p)
	}
	if t := c.Microsoft.Tenant; c.Microsoft.Enabled && !tenantID.MatchString(t) && !slices.Contains([]string{"common", "organizations", "consumers"}, t) {
		faults = append(faults, errors.New("MICROSOFT_TENANT is no tenant: write common, organizations, consumers, or the id of one (8-4-4-4-12 hexadecimal digits)"))
	}
	more, err := readFile(c.File, production)
	list, faults = append(list, more...), append(faults, err)
	return list, errors.Join(append(faults, distinct(list))...)
}

type need struct{ name, value string }

var providerName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// taken are words that stand where the name of a provider would.
var taken = []string{"attempts", "development", "email", "identities", "magic-link", "mfa", "otp", "passkeys", "password", "phone", "providers", "sessions", "social"}

func checkName(setting, name string) error {
	if !providerName.MatchString(name) || slices.Contains(taken, name) {
		return fmt.Errorf("%s is no name for a provider, or means something else in addresses: write a word such as acme, of a to z, digits and -", setting)
	}
	return nil
}

func checkAddress(setting, given string, production bool) error {
	if given == "" {
		return nil
	}
	u, err := url.Parse(given)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%s is no address: write it as https://login.example.com", setting)
	case production && u.Scheme != "https":
		return fmt.Errorf("%s is http, and secrets would cross the network in the clear: make it https", setting)
	}
	return nil
}

// distinct holds that addresses tell two providers apart, and identities their people: of one that does not speak OpenID Connect, only
// the server is known.
func distinct(list []Provider) error {
	var faults []error
	for i, p := range list {
		for _, before := range list[:i] {
			if p.Name == before.Name && p.Name != "" {
				faults = append(faults, fmt.Errorf("PROVIDERS_FILE or OIDC_NAME: two providers are called %q", p.Name))
			}
			if p.issuer() == before.issuer() && p.issuer() != "" && (p.Issuer == "" || before.Issuer == "") {
				faults = append(faults, fmt.Errorf("PROVIDERS_FILE, providers %q and %q: both are at %s, so that somebody of the one would be taken for somebody of the other; leave one out", before.Name, p.Name, p.issuer()))
			}
		}
	}
	return errors.Join(faults...)
}
