// Package archtest_test keeps the plan of the house true: docs/architecture.md says why, these tests say when it is broken.
package archtest_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/admit-dev/admit"
	root   = "../.."
)

// source is one Go file of the module, for whichever system it is built.
type source struct {
	path    string // from the root of the module, with slashes
	pkg     string // its directory, "" for the root
	test    bool
	lines   int
	imports []string
	syntax  *ast.File
}

// where is file:line of a place in s.
func (s *source) where(files *token.FileSet, at token.Pos) string {
	return s.path + ":" + strconv.Itoa(files.Position(at).Line)
}

// tree reads every file of the module. A directory with a go.mod of its own is another module.
func tree(t *testing.T) (*token.FileSet, []*source) {
	t.Helper()
	files := token.NewFileSet()
	var all []*source
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if name != root && (strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata" || e.Name() == "node_modules" || hasModule(name)) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(files, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		s := &source{path: filepath.ToSlash(rel), test: strings.HasSuffix(name, "_test.go"), lines: bytes.Count(text, []byte("\n")), syntax: syntax}
		if s.pkg = path.Dir(s.path); s.pkg == "." {
			s.pkg = ""
		}
		for _, i := range syntax.Imports {
			what, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, what)
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d files were found: the walk has lost the tree", len(all))
	}
	return files, all
}

func hasModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}
