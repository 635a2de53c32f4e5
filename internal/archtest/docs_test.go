package archtest_test

import (
	"go/ast"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	mentioned = regexp.MustCompile("`((?:Test|Fuzz|Example|Benchmark)[A-Z][A-Za-z0-9_]*)`")
	linked    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	filed     = regexp.MustCompile("`((?:internal|cmd|docs|examples|scripts)/[A-Za-z0-9_./-]*)`")
)

// A document that names a test, a file or another document is right about it.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	tests := map[string]bool{}
	_, all := tree(t)
	for _, s := range all {
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test {
				tests[f.Name.Name] = true
			}
		}
	}
	for name, text := range documents(t) {
		for _, m := range mentioned.FindAllStringSubmatch(text, -1) {
			if !tests[m[1]] {
				t.Errorf("%s names %s, and there is no such test: name the one that shows it now, or take the claim back", name, m[1])
			}
		}
		for _, m := range linked.FindAllStringSubmatch(text, -1) {
			to, _, _ := strings.Cut(m[1], "#")
			if to == "" || strings.Contains(to, "://") {
				continue
			}
			to = path.Join(path.Dir(name), to)
			if !there(to) {
				t.Errorf("%s leads to %s, which is not there", name, to)
			}
		}
		for _, m := range filed.FindAllStringSubmatch(text, -1) {
			if !there(m[1]) && !strings.HasSuffix(m[1], "/…") {
				t.Errorf("%s names %s, which is not there", name, m[1])
			}
		}
	}
}

// Every requirement has its row, with something that shows it: a test, a command, or a page.
func TestEveryRequirementHasProof(t *testing.T) {
	proven := map[int]bool{}
	for line := range strings.Lines(documents(t)["docs/requirements.md"]) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		numbers := strings.TrimPrefix(cells[0], "| ")
		if len(cells) != 3 || !strings.ContainsAny(numbers, "0123456789") {
			continue
		}
		if proof := cells[2]; !linked.MatchString(proof) && !strings.Contains(proof, "`") {
			t.Errorf("nothing shows %s: %s", numbers, proof)
		}
		for _, part := range strings.Split(numbers, ", ") {
			from, to, several := strings.Cut(part, "–")
			if !several {
				to = from
			}
			first, err := strconv.Atoi(from)
			last, err2 := strconv.Atoi(to)
			if err != nil || err2 != nil {
				t.Fatalf("%q is no number of a requirement", part)
			}
			for n := first; n <= last; n++ {
				proven[n] = true
			}
		}
	}
	for n := 1; n <= 378; n++ {
		if !proven[n] {
			t.Errorf("requirement %d has no row in docs/requirements.md", n)
		}
	}
}

// A decision is short enough to be read before it is questioned.
func TestDecisionsAreShort(t *testing.T) {
	for name, text := range documents(t) {
		if path.Dir(name) != "docs/decisions" {
			continue
		}
		if n := strings.Count(text, "\n"); n > 40 {
			t.Errorf("%s has %d lines: at most 40", name, n)
		}
		for _, part := range []string{"**Context.**", "**Decision.**", "**Consequences.**"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %s", name, part)
			}
		}
	}
}

// documents is every Markdown file of the repository, by path from the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && name != root && (strings.HasPrefix(e.Name(), ".") || e.Name() == "node_modules" || e.Name() == "testdata" || hasModule(name)) {
			return fs.SkipDir
		}
		if path.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(name)
		rel, _ := filepath.Rel(root, name)
		all[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("only %d documents were found", len(all))
	}
	return all
}

func there(name string) bool {
	_, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	return err == nil
}
