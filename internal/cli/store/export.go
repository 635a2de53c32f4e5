package store

import (
	"github.com/admit-dev/admit/internal/cli"
)

// Export prints everything that another server needs.
type Export struct {
	Secrets bool `help:"With the secrets of second factors, unsealed: whoever has the file has them."`
}

// Help is the example of the help page.
func (Export) Help() string {
	return "An object a line: permissions, roles, organizations, and people with their password hashes. admit import admit reads it. Keep it as you keep the database.\n\n" +
		"Examples:\n\n\t(umask 077; admit export --secrets > people.jsonl)\n\tadmit export | jq -r 'select(.type == \"user\") | .email'"
}

// Run prints everything.
func (c *Export) Run(p *cli.Program) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	bar := p.Progress("exporting")
	n, err := a.Transfer.Export(p.Ctx, p.Stdout, c.Secrets, bar.Show)
	bar.Done()
	if err != nil {
		return err
	}
	p.Say("Exported %s.", cli.Plural(n, "account"))
	return nil
}
