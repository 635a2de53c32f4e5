// Package js_test runs the tests of the JavaScript package, and holds its types to its code. It needs Node.js and npm.
package js_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// run runs a command and gives what it says when it fails.
func run(t *testing.T, dir string, command ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
}

func TestJavaScript(t *testing.T) {
	testkit.NodeJS(t)
	run(t, ".", "node", "--test")
}

// The types that come with the package are those of its code, and of use to who writes TypeScript.
func TestTypesOfJavaScript(t *testing.T) {
	testkit.NodeJS(t)
	dir := t.TempDir()
	for _, part := range []string{"src", "typed"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(part)); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"package.json", "package-lock.json", "tsconfig.json"} {
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, testkit.NPM...)
	run(t, dir, "npx", "tsc")
	run(t, dir, "npx", "tsc", "-p", "typed")
	for _, pair := range [][2]string{{"types", filepath.Join(dir, "types")}, {filepath.Join(dir, "types"), "types"}} {
		list, err := os.ReadDir(pair[0])
		if err != nil || len(list) < 5 {
			t.Fatal(err, list)
		}
		for _, e := range list {
			text, err := os.ReadFile(filepath.Join(pair[0], e.Name()))
			other, _ := os.ReadFile(filepath.Join(pair[1], e.Name()))
			if err != nil || string(text) != string(other) {
				t.Errorf("types/%s is stale: npm ci && npm run types, in sdk/js", e.Name())
			}
		}
	}
}
