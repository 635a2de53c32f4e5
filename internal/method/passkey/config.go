package passkey

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Config is what an operator may say of passkeys.
type Config struct {
	Enabled bool     `env:"PASSKEY_ENABLED" default:"true" doc:"Whether people may add passkeys and sign in with them. They need https or localhost."`
	RPID    string   `env:"PASSKEY_RP_ID" doc:"The domain that passkeys are made for, such as example.com: they work on it and below. Empty is the host of BASE_URL. Changing it makes every passkey worthless."`
	Origins []string `env:"PASSKEY_ORIGINS" doc:"Where the pages and apps are that may ask for passkeys, as https://app.example.com or android:apk-key-hash:… Empty is BASE_URL."`
}

// Site is whom passkeys are made for.
type Site struct {
	RPID    string // "" where there can be none
	Origins []string
}

// On reports whether there are passkeys here.
func (s Site) On() bool { return s.RPID != "" }

const android = "android:apk-key-hash:"

// Site is whom passkeys are made for at a server whose own origin is base. It is nobody where browsers would refuse: on plain http
// elsewhere than on this machine, and under an IP address.
func (c Config) Site(base string) (Site, error) {
	own, err := url.Parse(base)
	if err != nil || !c.Enabled || base == "" {
		return Site{}, nil // what is wrong with BASE_URL is said by its own check
	}
	if c.RPID == "" && len(c.Origins) == 0 && !usable(own) {
		return Site{}, nil
	}
	site, from := Site{own.Hostname(), []string{base}}, "BASE_URL"
	if c.RPID != "" {
		site.RPID = c.RPID
	}
	if len(c.Origins) > 0 {
		site.Origins, from = c.Origins, "PASSKEY_ORIGINS"
	}
	if !domain(site.RPID) {
		return Site{}, fmt.Errorf("PASSKEY_RP_ID must be a domain in lower case, without scheme, port or path and no IP address; write example.com")
	}
	var faults []error
	for _, o := range site.Origins {
		if err := within(o, site.RPID); err != nil {
			faults = append(faults, fmt.Errorf("%s: %q %w", from, o, err))
		}
	}
	return site, errors.Join(faults...)
}

// usable reports whether browsers make passkeys for pages of an origin (a secure context with a domain).
func usable(u *url.URL) bool {
	return (u.Scheme == "https" || local(u.Hostname())) && domain(u.Hostname())
}

func local(host string) bool { return host == "localhost" || strings.HasSuffix(host, ".localhost") }

func domain(s string) bool {
	_, err := netip.ParseAddr(s)
	return err != nil && s != "" && s == strings.ToLower(s) && !strings.ContainsAny(s, ":/?#@[] *%") && !strings.HasPrefix(s, ".") && !strings.HasSuffix(s, ".") && net.ParseIP(s) == nil
}

// within holds that pages of an origin may use passkeys of a domain: it is theirs, or one above that somebody can register.
func within(origin, rpID string) error {
	if strings.HasPrefix(origin, android) {
		return nil
	}
	u, err := url.Parse(origin)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme+"://"+u.Host != origin || origin != strings.ToLower(origin):
		return errors.New("is not an origin as browsers write it; write https://app.example.com, or android:apk-key-hash:… for an Android app")
	case !usable(u):
		return errors.New("is not where browsers offer passkeys: they need https or localhost, and a name instead of an IP address")
	case u.Hostname() == rpID:
		return nil
	case !strings.HasSuffix(u.Hostname(), "."+rpID):
		return fmt.Errorf("is not at or below %s, the domain of PASSKEY_RP_ID; browsers would refuse", rpID)
	}
	if suffix, _ := publicsuffix.PublicSuffix(rpID); suffix == rpID {
		return fmt.Errorf("cannot use passkeys of PASSKEY_RP_ID %s: that is no domain of yours, everybody's are below it; browsers would refuse", rpID)
	}
	return nil
}
