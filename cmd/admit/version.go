package main

import (
	"runtime"

	"github.com/admit-dev/admit/internal/cli"
)

// versionCmd prints which build this is.
type versionCmd struct{}

// Help is the example of the help page.
func (versionCmd) Help() string { return "Example:\n\n\tadmit version --json" }

// Run prints the version.
func (versionCmd) Run(p *cli.Program) error {
	if p.JSON {
		return p.Print(map[string]string{"version": version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
	}
	return p.Table(nil, [][]string{{"admit " + version + " (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"}})
}
