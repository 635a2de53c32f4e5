package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/testkit"
)

// docs/cli.md is what the help pages say.
func TestCommandReferenceIsCurrent(t *testing.T) {
	var c commands
	k, err := kong.New(&c, kong.Name("admit"), kong.Bind(&cli.Program{}), kong.Vars{"version": ""})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# Commands\n\nWritten by `make gen` from the commands themselves. Data goes to standard output, talk to standard error.\n" +
		"Exit codes: 0 done, 1 failed, 2 not understood, 3 not found, 4 not allowed, 10 warnings of `doctor`.\n\n## For every command\n\n")
	describeFlags(&b, k.Model.Flags)
	describeAll(&b, k.Model.Node)
	testkit.Current(t, "docs/cli.md", b.String())
}

func describeAll(b *strings.Builder, n *kong.Node) {
	for _, child := range n.Children {
		if child.Hidden {
			continue
		}
		if len(child.Children) == 0 {
			fmt.Fprintf(b, "\n## %s\n\n%s\n", child.Summary(), child.Help)
			if child.Detail != "" {
				fmt.Fprintf(b, "\n%s\n", fenced(child.Detail))
			}
			if len(child.Positional)+len(child.Flags) > 0 {
				b.WriteString("\n")
			}
			for _, a := range child.Positional {
				fmt.Fprintf(b, "- `%s`: %s\n", a.Summary(), a.Help)
			}
			describeFlags(b, child.Flags)
		}
		describeAll(b, child)
	}
}

func describeFlags(b *strings.Builder, list []*kong.Flag) {
	for _, f := range list {
		if !f.Hidden {
			fmt.Fprintf(b, "- `%s`: %s\n", f.String(), f.Help)
		}
	}
}

// fenced puts the indented lines of an example between fences.
func fenced(text string) string {
	var out []string
	inside := false
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		code := strings.HasPrefix(line, "\t")
		if code != inside && (code || line != "") {
			out, inside = append(out, "```"), code
		}
		out = append(out, strings.TrimPrefix(line, "\t"))
	}
	if inside {
		out = append(out, "```")
	}
	return strings.Join(out, "\n")
}

// What docs/first-steps.md tells a new user to type gives what it says, line by line.
func TestFirstSteps(t *testing.T) {
	if testing.Short() {
		t.Skip("the fast tests install no curl")
	}
	t.Parallel()
	text, err := os.ReadFile("../../docs/first-steps.md")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile("(?s)```sh\n(.*?)\n```\n\n```\n(.*?)\n```").FindAllStringSubmatch(string(text), -1)
	if n := strings.Count(string(text), "```sh\n"); n < 5 || len(list) != n {
		t.Fatalf("%d of %d pieces have an answer", len(list), n)
	}
	b := newBench(t)
	b.command()
	s := b.serve()
	env := []string{"PATH=" + b.dir + ":" + os.Getenv("PATH"), "HOME=" + b.dir, "DATA_DIR=" + filepath.Join(b.dir, "admit-data")}
	for _, one := range list {
		typed := strings.ReplaceAll(one[1], "localhost:8000", strings.TrimPrefix(s.url, "http://"))
		cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", typed)
		cmd.Dir, cmd.Env = b.dir, env
		said, err := cmd.CombinedOutput()
		answer := strings.Join(strings.FieldsFunc(string(said), func(r rune) bool { return r == '\n' }), "\n") // without empty lines
		want := "^" + strings.ReplaceAll(regexp.QuoteMeta(one[2]), "…", ".*?") + "$"
		if err != nil || !regexp.MustCompile(want).MatchString(answer) {
			t.Fatalf("%v\n%s\n\n%s\n\nand the page says\n\n%s\n\n%s", err, typed, answer, one[2], s.said)
		}
	}
}
