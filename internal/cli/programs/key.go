// Package programs is the commands about what programs act with: API keys, and accounts of their own.
package programs

import (
	"cmp"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/user"
)

// Key is what an operator does with the API keys of others.
type Key struct {
	List   keyListCmd   `cmd:"" help:"List the API keys of a person or a service account."`
	Create keyCreateCmd `cmd:"" help:"Make an API key for a person or a service account. It is printed this once."`
	Rotate keyRotateCmd `cmd:"" help:"Make a key like another, which works on for a while."`
	Revoke keyRevokeCmd `cmd:"" help:"End a key at once."`
}

// keyView is a key as the API shows one.
type keyView struct {
	ID         string     `json:"id"`
	UserID     string     `json:"user_id"`
	Name       string     `json:"name"`
	Hint       string     `json:"hint"`
	Scopes     []string   `json:"scopes"`
	OrgID      *string    `json:"org_id"`
	CreatedBy  *string    `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	ReplacedBy *string    `json:"replaced_by"`
	Key        string     `json:"key,omitempty"`
}

func keyOf(k apikey.Key) keyView {
	return keyView{k.ID, k.UserID, k.Name, k.Hint, k.Scopes, cli.OrNull(k.OrgID), cli.OrNull(k.CreatedBy), k.CreatedAt, k.ExpiresAt, k.SeenAt, cli.OrNull(k.ReplacedBy), ""}
}

type keyListCmd struct{ cli.Whose }

// Help is the example of the help page.
func (keyListCmd) Help() string {
	return "Piped, each line is: id, how it begins, name, what it is for, organization, expires, last used.\n\nExample:\n\n\tadmit key list ann@example.com\n\tadmit key list svc_06bpk3v2x5r4…"
}

// Run lists keys.
func (c *keyListCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		list, err := a.APIKeys.List(p.Ctx, u.ID)
		if err != nil {
			return err
		}
		heading := []string{"ID", "BEGINS", "NAME", "FOR", "ORGANIZATION", "EXPIRES", "LAST USED"}
		if p.JSON {
			return cli.Listed(p, cli.Mapped(list, keyOf), "", heading, nil)
		}
		if len(list) == 0 {
			p.Say("%s has no API keys.", cli.Label(u))
		}
		err = cli.Listed(p, list, "", heading, func(k apikey.Key) []string {
			return []string{k.ID, k.Hint, k.Name, strings.Join(k.Scopes, ","), k.OrgID, stampOr(k.ExpiresAt, "never"), stampOr(k.SeenAt, "")}
		})
		p.Next("admit key create "+cli.Label(u)+" --name NAME --scope PERMISSION", "admit key revoke ID")
		return err
	})
}

func stampOr(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return cli.Stamp(*t)
}

type keyCreateCmd struct {
	cli.Whose
	Name    string   `required:"" help:"What it is recognised by." placeholder:"NAME"`
	Scope   []string `required:"" help:"Permission that it is for, or a pattern such as jobs:*; may be repeated." placeholder:"PERMISSION"`
	Org     string   `help:"The one organization it can be used in: its id or slug." placeholder:"ORG"`
	Days    int      `help:"How long it lives: 1 to 365, 90 when left out." placeholder:"DAYS"`
	Forever bool     `help:"Let it never expire, where API_KEY_NEVER_EXPIRES allows it."`
}

// Help is the example of the help page.
func (keyCreateCmd) Help() string {
	return "The key can do what it is for as far as whose it is can, and no more. A person is told of it by mail. The key alone goes to standard output.\n\n" +
		"Examples:\n\n\tadmit key create ann@example.com --name \"Nightly build\" --scope jobs:read --days 30 > key\n\tadmit key create svc_06bpk3v2x5r4… --name \"Server 1\" --scope 'jobs:*' > key"
}

// Run makes a key.
func (c *keyCreateCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		in := apikey.New{Name: c.Name, Scopes: c.Scope, Org: c.Org, Days: c.Days, Forever: c.Forever}
		add := func() (apikey.Key, string, error) { return a.APIKeys.Create(p.Ctx, u.ID, in) }
		if u.Service {
			add = func() (apikey.Key, string, error) { return a.Programs.AddKey(p.Ctx, authz.System, u.ID, in) }
		}
		k, text, err := add()
		if err != nil {
			return err
		}
		p.Say("Made the key %s for %s. This is the only time that it is shown:", k.ID, cli.Label(u))
		return showKey(p, k, text)
	})
}

// showKey prints a key this once.
func showKey(p *cli.Program, k apikey.Key, text string) error {
	if p.JSON {
		v := keyOf(k)
		v.Key = text
		return p.Print(v)
	}
	err := p.Table(nil, [][]string{{text}})
	p.Next("admit key list "+k.UserID, "admit key revoke "+k.ID)
	return err
}

type whichKey struct {
	ID string `arg:"" help:"key_…, as admit key list shows it."`
}

// with opens the store, finds the key and has f do the work.
func (w whichKey) with(p *cli.Program, f func(a *app.App, k apikey.Key) error) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	k, err := a.APIKeys.Find(p.Ctx, w.ID)
	if err != nil {
		return err
	}
	return f(a, k)
}

type keyRotateCmd struct {
	whichKey
	OverlapHours int `default:"24" help:"For how many hours the old key works on: 0 to 168." placeholder:"HOURS"`
}

// Help is the example of the help page.
func (keyRotateCmd) Help() string {
	return "The new key is for the same and lives as long as the old one was to. It alone goes to standard output.\n\nExample:\n\n\tadmit key rotate key_06bpk3v2x5r4… --overlap-hours 2 > key"
}

// Run replaces a key.
func (c *keyRotateCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, old apikey.Key) error {
		overlap := time.Duration(c.OverlapHours) * time.Hour
		replace := func() (apikey.Key, string, error) { return a.APIKeys.Rotate(p.Ctx, old.UserID, old.ID, overlap) }
		if id.Valid("svc", old.UserID) {
			replace = func() (apikey.Key, string, error) {
				return a.Programs.RotateKey(p.Ctx, authz.System, old.UserID, old.ID, overlap)
			}
		}
		k, text, err := replace()
		if err != nil {
			return err
		}
		p.Say("Made the key %s. %s works for %s more. This is the only time that the new one is shown:", k.ID, old.ID, cli.Plural(c.OverlapHours, "hour"))
		return showKey(p, k, text)
	})
}

type keyRevokeCmd struct {
	whichKey
	Yes bool `help:"Do not ask."`
}

// Help is the example of the help page.
func (keyRevokeCmd) Help() string { return "Example:\n\n\tadmit key revoke key_06bpk3v2x5r4… --yes" }

// Run ends a key.
func (c *keyRevokeCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, k apikey.Key) error {
		if err := p.Confirm(c.Yes, "Revoking "+cmp.Or(k.Name, k.ID), k.Name); err != nil {
			return err
		}
		if err := a.APIKeys.Revoke(p.Ctx, authz.System, k.ID); err != nil {
			return err
		}
		p.Say("Revoked %s. Whoever shows it is refused from now on.", k.ID)
		p.Next("admit key list " + k.UserID)
		return p.Gone(k.ID)
	})
}
