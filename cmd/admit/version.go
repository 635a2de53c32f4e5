package main

import "runtime"

// versionCmd prints which build this is.
type versionCmd struct{}

// Help is the example of the help page.
func (versionCmd) Help() string { return "Example:\n\n\tadmit version --json" }

// Run prints the version.
func (versionCmd) Run(p *program) error {
	if p.JSON {
		return p.json(map[string]string{"version": version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
	}
	return p.table(nil, [][]string{{"admit " + version + " (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"}})
}
