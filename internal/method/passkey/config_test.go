package passkey_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/method/passkey"
)

// Whom passkeys are made for comes from BASE_URL, and a domain that browsers would refuse is refused at the start.
func TestSite(t *testing.T) {
	const base = "https://auth.example.com"
	for name, c := range map[string]struct {
		base    string
		cfg     passkey.Config
		rpID    string // "" for none
		origins []string
		fault   string // what the refusal says
	}{
		"the host of BASE_URL":        {base, passkey.Config{}, "auth.example.com", []string{base}, ""},
		"this machine":                {"http://localhost:8000", passkey.Config{}, "localhost", []string{"http://localhost:8000"}, ""},
		"a name on this machine":      {"http://auth.localhost:8000", passkey.Config{}, "auth.localhost", []string{"http://auth.localhost:8000"}, ""},
		"a domain above it":           {base, passkey.Config{RPID: "example.com"}, "example.com", []string{base}, ""},
		"pages elsewhere below it":    {base, passkey.Config{RPID: "example.com", Origins: []string{"https://app.example.com", base}}, "example.com", []string{"https://app.example.com", base}, ""},
		"an Android app":              {base, passkey.Config{Origins: []string{base, "android:apk-key-hash:abc"}}, "auth.example.com", []string{base, "android:apk-key-hash:abc"}, ""},
		"a name of one's own network": {"https://auth.corp.internal", passkey.Config{RPID: "corp.internal"}, "corp.internal", []string{"https://auth.corp.internal"}, ""},
		"an IP address":               {"https://192.0.2.1", passkey.Config{}, "", nil, ""},
		"an IPv6 address":             {"https://[2001:db8::1]", passkey.Config{}, "", nil, ""},
		"plain http":                  {"http://auth.example.com", passkey.Config{}, "", nil, ""},
		"no BASE_URL":                 {"", passkey.Config{}, "", nil, ""},
		"somebody else's domain":      {base, passkey.Config{RPID: "example.org"}, "", nil, "not at or below example.org"},
		"a domain that only ends so":  {"https://notexample.com", passkey.Config{RPID: "example.com"}, "", nil, "not at or below example.com"},
		"a domain below it":           {base, passkey.Config{RPID: "eu.auth.example.com"}, "", nil, "not at or below"},
		"everybody's domain":          {base, passkey.Config{RPID: "com"}, "", nil, "no domain of yours"},
		"everybody's on a host":       {"https://ann.github.io", passkey.Config{RPID: "github.io"}, "", nil, "no domain of yours"},
		"everybody's of two words":    {"https://auth.example.co.uk", passkey.Config{RPID: "co.uk"}, "", nil, "no domain of yours"},
		"a whole address":             {base, passkey.Config{RPID: "https://example.com"}, "", nil, "must be a domain"},
		"a port":                      {base, passkey.Config{RPID: "example.com:443"}, "", nil, "must be a domain"},
		"upper case":                  {base, passkey.Config{RPID: "Example.com"}, "", nil, "must be a domain"},
		"an IP address for a domain":  {base, passkey.Config{RPID: "192.0.2.1"}, "", nil, "must be a domain"},
		"a dot at the end":            {base, passkey.Config{RPID: "example.com."}, "", nil, "must be a domain"},
		"an origin with a path":       {base, passkey.Config{Origins: []string{base + "/"}}, "", nil, "as browsers write it"},
		"an origin in upper case":     {base, passkey.Config{Origins: []string{"https://AUTH.example.com"}}, "", nil, "as browsers write it"},
		"an origin of no scheme":      {base, passkey.Config{Origins: []string{"auth.example.com"}}, "", nil, "as browsers write it"},
		"any origin":                  {base, passkey.Config{Origins: []string{"https://*.example.com"}}, "", nil, "browsers"},
		"an origin on plain http":     {base, passkey.Config{Origins: []string{"http://auth.example.com"}}, "", nil, "https or localhost"},
		"an origin elsewhere":         {base, passkey.Config{Origins: []string{"https://evil.example"}}, "", nil, "not at or below auth.example.com"},
	} {
		c.cfg.Enabled = true
		site, err := c.cfg.Site(c.base)
		if (err != nil) != (c.fault != "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err == nil && (site.RPID != c.rpID || !slices.Equal(site.Origins, c.origins) || site.On() != (c.rpID != "")) {
			t.Errorf("%s: %v", name, site)
		}
		c.cfg.Enabled = false
		if site, err := c.cfg.Site(c.base); err != nil || site.On() {
			t.Errorf("%s, off: %v %v", name, site, err)
		}
	}
}
