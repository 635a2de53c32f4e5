// Package part is what a server may leave out: groups of routes that are served or not together, and what belongs to them.
package part

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/typo"
)

// Config says what is left out.
type Config struct {
	Off []string `env:"PARTS_OFF" oneof:"administration,api_keys,audit,authorization,authzen,exports,gateway,impersonation,organizations,pages,service_accounts,tokens,webhooks" doc:"Parts that are not served: their routes answer 404, and no document and no page speaks of them. What each is stands in docs/embedding.md."`
}

// The parts of which more is asked than where their routes are.
const (
	APIKeys         = "api_keys"
	Impersonation   = "impersonation"
	Pages           = "pages"
	ServiceAccounts = "service_accounts"
	Tokens          = "tokens"
)

// Part is one, and where it is: addresses, with all that is below them. {…} is any one segment.
type Part struct {
	Name string
	At   []string
}

var all = []Part{
	{"administration", []string{"/admin", "/api/v1/guards", "/api/v1/roles", "/api/v1/server", "/api/v1/users"}},
	{APIKeys, []string{"/account/keys", "/api/v1/api-keys"}},
	{"audit", []string{"/admin/audit", "/api/v1/audit-events", "/auth/events", "/org/{org}/audit"}},
	{"authorization", []string{"/api/v1/check", "/api/v1/guards", "/api/v1/orgs/{org}/guards", "/api/v1/permissions", "/api/v1/simulate", "/api/v1/what-can", "/api/v1/where-can", "/api/v1/who-can"}},
	{"authzen", []string{"/.well-known/authzen-configuration", "/access"}},
	{"exports", []string{"/account/data/download", "/account/data/export", "/auth/me/export"}},
	{"gateway", []string{"/forward-auth"}},
	{Impersonation, []string{"/admin/users/{user}/impersonate", "/api/v1/users/{user}/impersonate", "/auth/impersonation", "/impersonation"}},
	{"organizations", []string{"/account/organizations", "/admin/organizations", "/api/v1/invitations", "/api/v1/orgs", "/auth/switch-org", "/invitation", "/org"}},
	{Pages, []string{"/auth/social", "/auth/{provider}/link"}}, // and every page, wherever it is: the way to another service and back is one
	{ServiceAccounts, []string{"/api/v1/service-accounts", "/oauth2", "/org/{org}/service-accounts"}},
	{Tokens, []string{"/.well-known/jwks.json", "/admin/keys", "/api/v1/login", "/api/v1/logout", "/api/v1/refresh", "/api/v1/register", "/api/v1/revocations", "/api/v1/server/keys", "/auth/social", "/oauth2"}},
	{"webhooks", []string{"/api/v1/webhooks"}},
}

// All is every part there is.
func All() []Part { return all }

// On reports whether a part is served.
func (c Config) On(name string) bool { return !slices.Contains(c.Off, name) }

// Serves reports whether an address, or the pattern of a route, belongs to no part that is off. A method before it and a query behind it are
// passed over.
func (c Config) Serves(address string) bool {
	if len(c.Off) == 0 {
		return true
	}
	address = address[max(0, strings.IndexByte(address, '/')):]
	if end := strings.IndexAny(address, "?#"); end >= 0 {
		address = address[:end]
	}
	have := strings.Split(address, "/")
	for _, p := range all {
		if !c.On(p.Name) && slices.ContainsFunc(p.At, func(at string) bool { return below(have, strings.Split(at, "/")) }) {
			return false
		}
	}
	return true
}

func below(have, at []string) bool {
	if len(have) < len(at) {
		return false
	}
	for i, segment := range at {
		if segment != have[i] && !strings.HasPrefix(segment, "{") {
			return false
		}
	}
	return true
}

// Check finds names of no part, which only a program can give, and parts that are nothing without one that is off.
func (c Config) Check(bool) error {
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	var faults []error
	for _, name := range c.Off {
		if slices.Contains(names, name) {
			continue
		}
		hint := "write of " + strings.Join(names, ", ")
		if near, ok := typo.Nearest(name, names); ok {
			hint = "did you mean " + near + "?"
		}
		faults = append(faults, fmt.Errorf("PARTS_OFF has no part called %q: %s", name, hint))
	}
	if !c.On("administration") && c.On(Impersonation) {
		faults = append(faults, errors.New("PARTS_OFF holds administration, in which acting in the name of others begins: add impersonation"))
	}
	if !c.On(Tokens) && !c.On(APIKeys) && !c.On(ServiceAccounts) && c.On("authzen") {
		faults = append(faults, errors.New("PARTS_OFF holds tokens, api_keys and service_accounts, and without them no service can show who it is that asks: add authzen"))
	}
	return errors.Join(faults...)
}
