package main

import (
	"io"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/completion"
)

// completionCmd prints what a shell needs to complete commands and flags.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"bash, zsh, fish or powershell."`
}

// Help is the example of the help page.
func (completionCmd) Help() string {
	return "Examples:\n\n\tsource <(admit completion bash)        # in ~/.bashrc\n\tsource <(admit completion zsh)         # in ~/.zshrc\n" +
		"\tadmit completion fish | source         # in ~/.config/fish/config.fish\n\tadmit completion powershell | Out-String | Invoke-Expression"
}

// Run prints the script.
func (c *completionCmd) Run(p *cli.Program) error {
	_, err := io.WriteString(p.Stdout, completion.Script(c.Shell, p.Model.Model.Node))
	return err
}
