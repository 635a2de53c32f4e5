package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals of what a request asks for in its address.
var (
	ErrQuery    = apperr.New(apperr.Malformed, "malformed_query", "The query of this request cannot be read: each parameter may be there once, as name=value, in UTF-8 and without NUL.")
	ErrReturnTo = apperr.New(apperr.Malformed, "return_to_invalid", "This is no place to which a sign-in may lead back. Give a path of this server, or name its origin in RETURN_TO_ORIGINS or the address of an app in APP_REDIRECTS.").In("return_to")
)

// Readable reports whether no value holds what no browser sends and no store can be asked for: NUL, or what is no UTF-8.
func Readable(values url.Values) bool {
	for _, list := range values {
		for _, value := range list {
			if strings.Contains(value, "\x00") || !utf8.ValidString(value) {
				return false
			}
		}
	}
	return true
}

// Query is the query of a request that can be read in one way only.
func Query(r *http.Request) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, ErrQuery
	}
	for _, given := range q {
		if len(given) > 1 {
			return nil, ErrQuery
		}
	}
	if !Readable(q) {
		return nil, ErrQuery
	}
	return q, nil
}

// mostOfAReturn is how long a place to lead back to may be.
const mostOfAReturn = 2000

// ReturnTo is the one decision where a browser may be led after it signed in: a path of this host, or an address of its own
// origin, of CORS_ORIGINS or of RETURN_TO_ORIGINS. Empty is the root of this server. What it gives is an address as Outside makes it.
func (c Config) ReturnTo(given string) (string, error) {
	if given == "" {
		return c.Outside("/"), nil
	}
	u, err := plainAddress(given)
	if err != nil {
		return "", err
	}
	if u.Scheme == "" {
		if u.Host != "" || !strings.HasPrefix(given, "/") || strings.HasPrefix(given, "//") {
			return "", ErrReturnTo
		}
		if c.Path() != "" {
			return c.Origin() + given, nil
		}
		return given, nil
	}
	at := strings.ToLower(u.Scheme + "://" + u.Host)
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || at != c.Origin() && !slices.Contains(c.CORSOrigins, at) && !slices.Contains(c.ReturnOrigins, at) {
		return "", ErrReturnTo
	}
	return u.String(), nil
}

// ReturnToApp is the one decision where the code for a native app may go: exactly to an address of APP_REDIRECTS, but for the
// port of one on this machine.
func (c Config) ReturnToApp(given string) (string, error) {
	u, err := plainAddress(given)
	if err != nil {
		return "", err
	}
	for _, allowed := range c.AppRedirects {
		if given == allowed {
			return given, nil
		}
		a, err := url.Parse(allowed)
		if err == nil && loopbackRedirect(a) && u.Scheme == a.Scheme && u.Hostname() == a.Hostname() && u.RequestURI() == a.RequestURI() {
			return given, nil
		}
	}
	return "", ErrReturnTo
}

// plainAddress reads an address that every browser reads as we do: browsers drop some characters and take others for a slash.
func plainAddress(given string) (*url.URL, error) {
	if given == "" || len(given) > mostOfAReturn || strings.ContainsFunc(given, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' || r == '"' || r == '<' || r == '>' }) {
		return nil, ErrReturnTo
	}
	u, err := url.Parse(given)
	if err != nil || u.User != nil || u.Opaque != "" || strings.ContainsAny(u.Host, "%@") || strings.Contains(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return nil, ErrReturnTo
	}
	return u, nil
}

func loopbackRedirect(u *url.URL) bool {
	return u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "::1")
}

func (c Config) checkReturns(production bool) error {
	var faults []error
	for _, given := range c.ReturnOrigins {
		o, err := parseOrigin(given)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("RETURN_TO_ORIGINS: %q %w; write it as https://app.example.com", given, err))
		case o.String() != given || o.scheme != "http" && o.scheme != "https":
			faults = append(faults, fmt.Errorf("RETURN_TO_ORIGINS: %q is no origin of the web; write it as https://app.example.com", given))
		case production && o.scheme == "http" && !o.loopback():
			faults = append(faults, fmt.Errorf("RETURN_TO_ORIGINS: %s is http, so anybody on the way could change what it says; serve it over https", given))
		}
	}
	for _, given := range c.AppRedirects {
		u, err := plainAddress(given)
		if err != nil || !loopbackRedirect(u) && (!strings.Contains(u.Scheme, ".") || u.Fragment != "") {
			faults = append(faults, errors.New("APP_REDIRECTS holds what is no address of a native app: write com.example.app:/signed-in, with a scheme that is a domain of yours turned round, or http://127.0.0.1/signed-in"))
		}
	}
	return errors.Join(faults...)
}
