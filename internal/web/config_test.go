package web

import (
	"net/netip"
	"strings"
	"testing"
)

// ADM-04: a configuration that is dangerous or cannot work is refused, with the variable and the way out in the sentence.
func TestConfigCheck(t *testing.T) {
	for _, c := range []struct {
		name        string
		change      func(*Config)
		production  string // what is said, "" when it is fine
		development string
	}{
		{"as it should be", func(c *Config) {}, "", ""},
		{"trailing slash", func(c *Config) { c.BaseURL = "https://auth.good.test/" }, "", ""},
		{"http", func(c *Config) { c.BaseURL = "http://auth.good.test" }, "https://auth.good.test", ""},
		{"http on this machine", func(c *Config) { c.BaseURL = "http://localhost:8000" }, "", ""},
		{"http by number", func(c *Config) { c.BaseURL = "http://[::1]:8000" }, "", ""},
		{"localhost as a part", func(c *Config) { c.BaseURL = "http://localhost.evil.test" }, "BASE_URL", ""},
		{"empty", func(c *Config) { c.BaseURL = "" }, "BASE_URL", "BASE_URL"},
		{"no scheme", func(c *Config) { c.BaseURL = "auth.good.test" }, "BASE_URL is not an absolute address", "BASE_URL is not an absolute address"},
		{"http below a path", func(c *Config) { c.BaseURL = "http://good.test/auth" }, "https://good.test/auth", ""},
		{"path", func(c *Config) { c.BaseURL = "https://good.test/my.app/auth/" }, "", ""},
		{"path that browsers shorten", func(c *Config) { c.BaseURL = "https://good.test/../auth" }, "path", "path"},
		{"path with two slashes", func(c *Config) { c.BaseURL = "https://good.test//auth" }, "path", "path"},
		{"path with escapes", func(c *Config) { c.BaseURL = "https://good.test/a%2fb" }, "path", "path"},
		{"path with spaces", func(c *Config) { c.BaseURL = "https://good.test/a b" }, "path", "path"},
		{"path and query", func(c *Config) { c.BaseURL = "https://good.test/auth?x" }, "query", "query"},
		{"query", func(c *Config) { c.BaseURL = "https://good.test?x" }, "query", "query"},
		{"user", func(c *Config) { c.BaseURL = "https://a:b@good.test" }, "user name", "user name"},
		{"ftp", func(c *Config) { c.BaseURL = "ftp://good.test" }, "ftp://", "ftp://"},
		{"listen address", func(c *Config) { c.BaseURL = "http://0.0.0.0:8000" }, "ADDR", "ADDR"},
		{"insecure cookies", func(c *Config) { c.CookieSecure = "false" }, "COOKIE_SECURE=false", ""},
		{"secure cookies over http", func(c *Config) { c.BaseURL, c.CookieSecure = "http://good.test", "true" }, "COOKIE_SECURE=true", "COOKIE_SECURE=true"},
		{"SameSite=none over http", func(c *Config) { c.BaseURL, c.CookieSameSite = "http://localhost:1", "none" }, "COOKIE_SAMESITE=none", "COOKIE_SAMESITE=none"},
		{"SameSite=none", func(c *Config) { c.CookieSameSite = "none" }, "", ""},
		{"SameSite of another word", func(c *Config) { c.CookieSameSite = "off" }, "COOKIE_SAMESITE", "COOKIE_SAMESITE"},
		{"Secure of another word", func(c *Config) { c.CookieSecure = "yes" }, "COOKIE_SECURE", "COOKIE_SECURE"},
		{"CORS for all", func(c *Config) { c.CORSOrigins = []string{"*"} }, "CORS_ORIGINS", "CORS_ORIGINS"},
		{"CORS for all below", func(c *Config) { c.CORSOrigins = []string{"https://*.good.test"} }, "CORS_ORIGINS", "CORS_ORIGINS"},
		{"CORS null", func(c *Config) { c.CORSOrigins = []string{"null"} }, "CORS_ORIGINS", "CORS_ORIGINS"},
		{"CORS with a slash", func(c *Config) { c.CORSOrigins = []string{"https://app.good.test/"} }, "write https://app.good.test", "write https://app.good.test"},
		{"CORS with a default port", func(c *Config) { c.CORSOrigins = []string{"https://app.good.test:443"} }, "write https://app.good.test", "CORS_ORIGINS"},
		{"CORS in capitals", func(c *Config) { c.CORSOrigins = []string{"https://App.good.test"} }, "write https://app.good.test", "CORS_ORIGINS"},
		{"CORS with umlauts", func(c *Config) { c.CORSOrigins = []string{"https://bücher.test"} }, "write https://xn--bcher-kva.test", "CORS_ORIGINS"},
		{"CORS over http", func(c *Config) { c.CORSOrigins = []string{"http://app.good.test"} }, "CORS_ORIGINS", ""},
		{"CORS of this machine", func(c *Config) { c.CORSOrigins = []string{"http://localhost:3000"} }, "", ""},
		{"CORS of an app", func(c *Config) { c.CORSOrigins = []string{"capacitor://localhost"} }, "", ""},
		{"everybody a proxy", func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} }, "TRUSTED_PROXIES", ""},
		{"no network", func(c *Config) { c.TrustedProxies = make([]netip.Prefix, 1) }, "TRUSTED_PROXIES", "TRUSTED_PROXIES"},
		{"no body", func(c *Config) { c.MaxBodyKiB = 0 }, "MAX_BODY_KIB", "MAX_BODY_KIB"},
	} {
		cfg := testConfig()
		c.change(&cfg)
		for production, want := range map[bool]string{true: c.production, false: c.development} {
			err := cfg.Check(production)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s (production %v): %v", c.name, production, err)
			}
		}
	}
	all := Config{BaseURL: "x", CORSOrigins: []string{"*", "y"}, CookieSecure: "false", CookieSameSite: "none"}.Check(true)
	if n := strings.Count(all.Error(), "\n"); n < 5 {
		t.Errorf("not every fault is named: %v", all)
	}
}

func TestOriginOfBaseURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://Auth.Good.test/": "https://auth.good.test", "https://good.test:443": "https://good.test", "http://good.test:80": "http://good.test",
		"https://good.test:8443": "https://good.test:8443", "http://[::1]:8000": "http://[::1]:8000", "http://[::1]": "http://[::1]", "bad": "",
		"https://Good.test:443/Auth/": "https://good.test",
	} {
		cfg := Config{BaseURL: in}
		if got := cfg.Origin(); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	cfg := Config{BaseURL: "https://Good.test:443/Auth/"}
	if cfg.Path() != "/Auth" || cfg.Base() != "https://good.test/Auth" || cfg.Outside("/signin") != "https://good.test/Auth/signin" {
		t.Errorf("%q, %q, %q", cfg.Path(), cfg.Base(), cfg.Outside("/signin"))
	}
}
