package main

import (
	"github.com/admit-dev/admit/internal/secret"

	"github.com/admit-dev/admit/internal/cli"
)

// keygenCmd makes random keys.
type keygenCmd struct {
	Count int `default:"1" help:"How many, at most 1000."`
}

// Help is the example of the help page.
func (keygenCmd) Help() string {
	return "Each key is 32 random bytes, as 64 hexadecimal characters.\n\nExample:\n\n\tadmit keygen > session_secret_key"
}

// Run prints keys.
func (c *keygenCmd) Run(p *cli.Program) error {
	if c.Count < 1 || c.Count > 1000 {
		return cli.Refuse(cli.ExitUsage, "--count is a number from 1 to 1000.")
	}
	keys, rows := make([]string, c.Count), make([][]string, c.Count)
	for i := range keys {
		keys[i] = secret.Hex32()
		rows[i] = keys[i : i+1]
	}
	if p.JSON {
		return p.Print(cli.Page{Items: keys})
	}
	err := p.Table(nil, rows)
	p.Next("name a file that holds it in SESSION_SECRET_KEY_FILE", "admit config check")
	return err
}
