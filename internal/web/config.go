package web

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// Config is what an operator may set about the edge.
type Config struct {
	BaseURL         string         `env:"BASE_URL" default:"http://localhost:8000" doc:"The public address: scheme, host and port, and a path where the server shares a host with other programs, as https://example.com/accounts. Links, cookies, the issuer and the passkey domain come from it, never from a request."`
	TrustedProxies  []netip.Prefix `env:"TRUSTED_PROXIES" doc:"Addresses or networks of your own proxies, as 10.0.0.0/8. Only from them is X-Forwarded-For believed."`
	CORSOrigins     []string       `env:"CORS_ORIGINS" doc:"Origins of your own web apps, as https://app.example.com. Their pages may call this server with the user's cookies."`
	ReturnOrigins   []string       `env:"RETURN_TO_ORIGINS" doc:"Further origins to which a sign-in may lead back, beside this server's own and CORS_ORIGINS: of your sites that do not call this server from the browser."`
	AppRedirects    []string       `env:"APP_REDIRECTS" doc:"Where a sign-in may lead back to your native apps: com.example.app:/signed-in, and http://127.0.0.1/signed-in for any port (RFC 8252)."`
	CookieSecure    string         `env:"COOKIE_SECURE" default:"auto" oneof:"auto,true,false" doc:"Whether cookies are sent over https only. auto follows BASE_URL."`
	CookieSameSite  string         `env:"COOKIE_SAMESITE" default:"lax" oneof:"lax,strict,none" doc:"SameSite of the cookies. none is for an app on another site that calls this server, and needs https."`
	SecurityContact string         `env:"SECURITY_CONTACT" doc:"Where to tell of a hole: mailto:security@example.com or an https address. It is served as /.well-known/security.txt; empty serves none."`
	MaxBodyKiB      int            `env:"MAX_BODY_KIB" default:"1024" min:"1" max:"102400" doc:"The largest request body that is read, in KiB."`
}

// Check names every fault in one error, each as a sentence with the variable and the way out.
func (c Config) Check(production bool) error {
	faults := []error{c.checkBase(production), c.checkProxies(production)}
	for _, origin := range c.CORSOrigins {
		faults = append(faults, checkCORS(origin, production))
	}
	faults = append(faults, c.checkReturns(production), c.checkCookies(production))
	if at := c.SecurityContact; at != "" && (!strings.HasPrefix(at, "mailto:") && !strings.HasPrefix(at, "https://") || strings.ContainsAny(at, " \r\n\t")) {
		faults = append(faults, errors.New("SECURITY_CONTACT is no address: write mailto:security@example.com or https://example.com/security"))
	}
	if c.MaxBodyKiB < 1 {
		faults = append(faults, errors.New("MAX_BODY_KIB must be at least 1"))
	}
	return errors.Join(faults...)
}

// Origin is BASE_URL as a browser writes it in the Origin header: no path, no default port, lower case.
func (c Config) Origin() string {
	o, _, err := parseBase(c.BaseURL)
	if err != nil {
		return ""
	}
	return o.String()
}

// Path is the path of BASE_URL without a slash at its end: "" where the server has a host to itself.
func (c Config) Path() string {
	_, path, err := parseBase(c.BaseURL)
	if err != nil {
		return ""
	}
	return path
}

// Base is BASE_URL, the issuer. Links are made by putting a path of this server behind it.
func (c Config) Base() string { return c.Origin() + c.Path() }

// Own reports whether an address that ReturnTo gave is of this host.
func (c Config) Own(address string) bool {
	return strings.HasPrefix(address, "/") || strings.HasPrefix(address, c.Origin()+"/")
}

// Outside is how others write an address of this server. In here one that begins with / is of this server, as if it had the host to itself;
// where BASE_URL has a path, every other is whole, scheme and all, so that the two are never taken for each other.
func (c Config) Outside(address string) string {
	if c.Path() == "" {
		return address
	}
	return c.Base() + address
}

// Host is the name of this server, without a port.
func (c Config) Host() string {
	u, err := url.Parse(c.Origin())
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// HTTPS tells whether people reach this server over TLS.
func (c Config) HTTPS() bool { return strings.HasPrefix(c.Origin(), "https://") }

func (c Config) secureCookies() bool {
	return c.CookieSecure == "true" || c.CookieSecure != "false" && c.HTTPS()
}

func (c Config) checkBase(production bool) error {
	o, path, err := parseBase(c.BaseURL)
	switch {
	case err != nil:
		return fmt.Errorf("BASE_URL %w; write it as https://auth.example.com", err)
	case o.scheme != "http" && o.scheme != "https":
		return fmt.Errorf("BASE_URL begins with %s://; write it as https://auth.example.com", o.scheme)
	case o.unspecified():
		return errors.New("BASE_URL is an address to listen on, and nobody can reach it; put that in ADDR, and in BASE_URL the name people type")
	case production && o.scheme == "http" && !o.loopback():
		return fmt.Errorf("BASE_URL is http, and in production passwords would cross the network in the clear; make it https://%s and put TLS in front", o.host+path)
	}
	return nil
}

func (c Config) checkProxies(production bool) error {
	for _, p := range c.TrustedProxies {
		if !p.IsValid() {
			return errors.New("TRUSTED_PROXIES holds something that is no network; write each as 10.0.0.0/8 or 192.0.2.1/32")
		}
		if production && p.Bits() == 0 {
			return fmt.Errorf("TRUSTED_PROXIES holds %s, so anybody could choose the address he seems to come from; list the addresses of your proxies only", p)
		}
	}
	return nil
}

func checkCORS(given string, production bool) error {
	o, err := parseOrigin(given)
	switch {
	case strings.Contains(given, "*"):
		return errors.New("CORS_ORIGINS must list each origin in full; a * would let any site act as your users")
	case err != nil:
		return fmt.Errorf("CORS_ORIGINS: %q %w; write it as https://app.example.com", given, err)
	case o.String() != given:
		return fmt.Errorf("CORS_ORIGINS: %q is never sent by a browser; write %s", given, o)
	case production && o.scheme == "http" && !o.loopback():
		return fmt.Errorf("CORS_ORIGINS: %s is http, so anybody on the way could act as your users; serve that app over https", given)
	}
	return nil
}

func (c Config) checkCookies(production bool) error {
	var faults []error
	o, _, err := parseBase(c.BaseURL)
	if !slices.Contains([]string{"", "auto", "true", "false"}, c.CookieSecure) {
		faults = append(faults, errors.New("COOKIE_SECURE must be auto, true or false"))
	}
	if !slices.Contains([]string{"", "lax", "strict", "none"}, c.CookieSameSite) {
		faults = append(faults, errors.New("COOKIE_SAMESITE must be lax, strict or none"))
	}
	if production && c.CookieSecure == "false" {
		faults = append(faults, errors.New("COOKIE_SECURE=false would send sessions in the clear; in production leave it at auto"))
	}
	if err == nil && c.CookieSecure == "true" && o.scheme == "http" && !o.loopback() {
		faults = append(faults, errors.New("COOKIE_SECURE=true and a BASE_URL with http do not go together, browsers would drop every cookie; make BASE_URL https or leave COOKIE_SECURE at auto"))
	}
	if c.CookieSameSite == "none" && !c.secureCookies() {
		faults = append(faults, errors.New("COOKIE_SAMESITE=none needs secure cookies, browsers drop it otherwise; make BASE_URL https or use lax"))
	}
	return errors.Join(faults...)
}

// origin is scheme, host and port as RFC 6454 section 6.2 writes them.
type origin struct{ scheme, host string }

func (o origin) String() string { return o.scheme + "://" + o.host }

func (o origin) name() string {
	u := url.URL{Host: o.host}
	return u.Hostname()
}

func (o origin) loopback() bool {
	name := o.name()
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.IsLoopback()
}

func (o origin) unspecified() bool {
	ip, err := netip.ParseAddr(o.name())
	return err == nil && ip.IsUnspecified()
}

// basePath is what the path of BASE_URL may be: parts that mean the same to every proxy, browser and mux.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_-][A-Za-z0-9._~-]*)*/?$`)

// parseBase reads an origin with a path behind it, which is given without a slash at its end.
func parseBase(s string) (origin, string, error) {
	u, err := url.Parse(s)
	if err != nil {
		return origin{}, "", errors.New("is not an absolute address")
	}
	path, escaped := u.Path, u.RawPath != ""
	u.Path, u.RawPath = "", ""
	o, err := parseOrigin(u.String())
	if err == nil && (escaped || !basePath.MatchString(path)) {
		err = errors.New("has a path of other characters than letters, digits, -, . and _")
	}
	return o, strings.TrimSuffix(path, "/"), err
}

func parseOrigin(s string) (origin, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme == "" || u.Hostname() == "":
		return origin{}, errors.New("is not an absolute address")
	case u.User != nil:
		return origin{}, errors.New("holds a user name")
	case u.Path != "" && u.Path != "/":
		return origin{}, errors.New("has a path, and an origin has none")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return origin{}, errors.New("has a query or a fragment")
	}
	name, err := hostName(u.Hostname())
	if err != nil {
		return origin{}, err
	}
	port := u.Port()
	if u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		port = ""
	}
	if port == "" {
		if strings.Contains(name, ":") {
			name = "[" + name + "]"
		}
		return origin{u.Scheme, name}, nil
	}
	return origin{u.Scheme, net.JoinHostPort(name, port)}, nil
}

func hostName(s string) (string, error) {
	if ip, err := netip.ParseAddr(s); err == nil {
		return ip.String(), nil
	}
	if strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0 {
		return strings.ToLower(s), nil
	}
	ascii, err := idna.Lookup.ToASCII(s)
	if err != nil {
		return "", errors.New("has a host that is no name")
	}
	return ascii, nil
}
