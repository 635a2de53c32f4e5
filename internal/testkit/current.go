package testkit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Current holds that a generated document of the repository is what the code says now. make gen, which sets UPDATE=1, has it
// written instead. A test that calls it has a name that ends in Current.
func Current(t *testing.T, path, want string) {
	t.Helper()
	if !strings.HasSuffix(t.Name(), "Current") {
		t.Fatalf("make gen runs tests whose name ends in Current; %s is not one", t.Name())
	}
	file := filepath.Join(Root(t), filepath.FromSlash(path))
	have, err := os.ReadFile(file)
	if err == nil && string(have) == want {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("%s is stale: run make gen and commit what it wrote", path)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Root is the directory of the module.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}
