package testkit

import (
	"os/exec"
	"strings"
	"testing"
)

// NPM installs what the package-lock.json of a folder names, and runs no scripts of it.
var NPM = []string{"npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--no-progress"}

// NodeJS is there, or the test is of no use: the fast tests go without. Version 18, which Debian 12 has, needs a flag.
func NodeJS(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("the fast tests need no Node.js")
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is not installed. Run make test, which installs it; make test-fast does without.", program)
		}
	}
	version, err := exec.CommandContext(t.Context(), "node", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(string(version), "v18.") {
		t.Setenv("NODE_OPTIONS", "--experimental-global-webcrypto")
	}
}
