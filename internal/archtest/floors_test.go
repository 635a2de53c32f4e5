package archtest_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// floors, from the ground up. A package imports only from floors below its own: two on one floor do not know each other.
// A new package gets a place here; a name that ends in /… stands for every package below it.
var floors = [][]string{
	{"internal/apperr", "internal/breaker", "internal/completion", "internal/device", "internal/id", "internal/place", "internal/revoked", "internal/strict", "internal/theme", "internal/typo", "internal/wordlist", "internal/words", "sdk/js", "sdk/python"},
	{"internal/database", "internal/outbound", "internal/part", "internal/redis", "internal/secret"},
	{"internal/wordlist/make", "internal/breach", "internal/event", "internal/idempotency", "internal/notify", "internal/ratelimit", "internal/tracing", "internal/user"},
	{"internal/authz", "internal/challenge", "internal/consent", "internal/knowndevice", "internal/notify/mail", "internal/notify/sms", "internal/sink"},
	{"internal/authz/casbinengine", "internal/lockout", "internal/notice", "internal/risk", "internal/session", "internal/sink/…", "internal/token", "internal/webhook"},
	{"internal/apikey", "internal/org", "internal/revocation"},
	{"internal/account", "internal/address", "internal/audit", "internal/check", "internal/mfa"},
	{"internal/authzen", "internal/impersonation", "internal/login", "internal/serviceaccount"},
	{"internal/method/…"},
	{"internal/backup", "internal/export", "internal/owner", "internal/recovery", "internal/transfer"},
	{"internal/web"},
	{"internal/config"},
	{"internal/app"},
	{"internal/api", "internal/apidocs", "internal/gateway", "internal/metrics", "internal/pages"},
	{"internal/pages/…"},
	{"", "client"},
	{"internal/cli", "internal/sandbox"},
	{"admittest", "internal/cli/…"},
	{"cmd/…", "examples/…", "internal/testkit", "internal/testkit/browser", "internal/testkit/geoip"},
	{"deploy", "internal/e2e", "internal/torture", "internal/archtest"},
}

// only says who may import what comes from outside. The key is a prefix of the import, the value matches whole packages.
// Tests are free to, but for drivers: they ask package testkit for a store.
var only = map[string]string{
	"net/http":                        "|admittest|client|cmd/.*|examples/.*|internal/(web|api|apidocs|breach|method/human|method/social|gateway|metrics|notify/sms|outbound|place|pages|pages/.*|sandbox|testkit|webhook)",
	"html/template":                   "internal/(apidocs|notify|pages|pages/.*)",
	"database/sql":                    "internal/(database|testkit)",
	"github.com/jackc/":               "internal/database",
	"modernc.org/":                    "internal/database",
	"github.com/danielgtaylor/huma":   "internal/api",
	"github.com/rs/cors":              "internal/web",
	"github.com/go-jose/":             "client|internal/(method/social|token)",
	"golang.org/x/oauth2":             "internal/method/social",
	"github.com/coreos/go-oidc/":      "internal/method/social",
	"cel.dev/":                        "internal/authz",
	"github.com/casbin/":              "internal/authz/casbinengine",
	"github.com/zitadel/passwap":      "internal/secret",
	"golang.org/x/crypto":             "internal/secret",
	"unsafe":                          "internal/secret",
	"github.com/google/uuid":          "internal/id",
	"github.com/FastFilter/xorfilter": "internal/wordlist|internal/wordlist/make",
	"github.com/pquerna/otp":          "internal/method/totp",
	"github.com/go-webauthn/":         "internal/method/passkey",
	"github.com/chromedp/":            "internal/testkit/browser",
	"github.com/nyaruka/phonenumbers": "internal/user",
	"github.com/redis/rueidis":        "internal/redis",
	"go.opentelemetry.io/":            "|cmd/admit|internal/(app|database|web)",
	"github.com/prometheus/":          "internal/metrics",
	"github.com/maypok86/otter":       "internal/session",
	"github.com/mileusna/useragent":   "internal/device",
	"github.com/nicksnyder/go-i18n":   "internal/words",
	"github.com/wneessen/go-mail":     "internal/notify/mail",
	"github.com/aws/aws-sdk-go-v2":    "internal/notify/sms",
	"filippo.io/age":                  "internal/backup",
	"github.com/emersion/":            "internal/testkit",
	"github.com/twmb/franz-go":        "internal/sink/kafka",
	"github.com/nats-io/":             "internal/sink/nats",
	"github.com/maxmind/":             "internal/testkit/geoip",
	"github.com/oschwald/":            "internal/risk",
}

// floor is the place of a package, -1 when it has none.
func floor(pkg string) int {
	return slices.IndexFunc(floors, func(names []string) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			if below, ok := strings.CutSuffix(name, "…"); ok {
				return strings.HasPrefix(pkg+"/", below)
			}
			return name == pkg
		})
	})
}

// ours is the directory of an import of this module.
func ours(imported string) (pkg string, ok bool) {
	rest, ok := strings.CutPrefix(imported, module)
	return strings.TrimPrefix(rest, "/"), ok && (rest == "" || rest[0] == '/')
}

func name(pkg string) string {
	if pkg == "" {
		return "the root package"
	}
	return pkg
}

func TestEveryPackageHasAFloor(t *testing.T) {
	_, all := tree(t)
	packages := map[string]bool{}
	for _, s := range all {
		packages[s.pkg] = true
	}
	for _, pkg := range slices.Sorted(maps.Keys(packages)) {
		if floor(pkg) < 0 {
			t.Errorf("%s stands on no floor: put it into floors in internal/archtest/floors_test.go, above everything it imports, and say in docs/architecture.md what it is", pkg)
		}
	}
}

func TestImportsPointDown(t *testing.T) {
	_, all := tree(t)
	for _, s := range all {
		mine := floor(s.pkg)
		for _, i := range s.imports {
			pkg, ok := ours(i)
			if !ok || s.test || mine < 0 {
				continue
			}
			switch theirs := floor(pkg); {
			case theirs == mine:
				t.Errorf("%s imports %s, which stands on the same floor: move what both need to a floor below, or, if one builds on the other, give it a floor of its own", s.path, name(pkg))
			case theirs > mine:
				t.Errorf("%s imports %s, which stands above it: hand it in from there as a function or a small interface, as session does with its Verifier", s.path, name(pkg))
			}
		}
	}
}

func TestOutsideStaysWhereItBelongs(t *testing.T) {
	_, all := tree(t)
	for _, s := range all {
		for _, i := range s.imports {
			for prefix, who := range only {
				if i != prefix && !strings.HasPrefix(i, strings.TrimSuffix(prefix, "/")+"/") || s.test && !driver(i) {
					continue
				}
				if !regexp.MustCompile("^(" + who + ")$").MatchString(s.pkg) {
					t.Errorf("%s imports %s, which only packages that match %q may (the root has the empty name): call what those offer, or change only in internal/archtest/floors_test.go and give the reason in docs/dependencies.md", s.path, i, who)
				}
			}
		}
	}
}

func driver(imported string) bool {
	return strings.HasPrefix(imported, "github.com/jackc/") || strings.HasPrefix(imported, "modernc.org/")
}
