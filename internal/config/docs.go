package config

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown is the reference page of every setting of root, grouped as its structs are.
func Markdown(root any) string {
	var b strings.Builder
	b.WriteString(preface)
	for _, g := range describe(root).groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| Variable | Default | Accepts | Meaning |\n|---|---|---|---|\n", cell(g.heading))
		for _, s := range g.settings {
			meaning := s.doc
			if s.secret {
				meaning += " **Secret**: `" + s.name + "_FILE` may name a file that holds it."
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.name, code(s.fallback), cell(s.accepts()), cell(meaning))
		}
	}
	return b.String()
}

const preface = `# Settings

<!-- Generated from the settings themselves; a test fails when this page is stale. -->

A setting is taken from the first of these that has it: a flag of the command line, the environment, the ` + "`.env`" + ` file of the
working directory, its default. A secret may be put into a file: ` + "`NAME_FILE`" + ` is the path of the file, whose last line break does not count;
setting both ` + "`NAME` and `NAME_FILE`" + ` in one place is a fault. A name that is set to nothing (` + "`NAME=`" + `) asks for the default.

Everything that is wrong is said at once, and nothing starts. Of what development accepts and production refuses, each
setting that was given has a warning. A list is written ` + "`a,b` or `[\"a\",\"b\"]`" + `; true is also yes, on and 1; false is no, off and 0.

A name that is no setting is told apart like this:

| The name stands in | and means a setting that is not set | and means one that is set | and means none |
|---|---|---|---|
| ` + "`.env`, or begins with `ADMIT_`" + ` | fault | warning | warning |
| the rest of the environment | warning | nothing | nothing |

It means a setting when it is one with the prefix ` + "`ADMIT_`" + `, in lower case, with ` + "`_FILE`" + `, or with a slip of the finger. A variable of
another program that comes too near is let through by setting what it comes near to, if only to nothing. In ` + "`.env`" + ` a value runs to the end of the
line or to a space and ` + "`#`" + `; quotes may span lines; ` + "`$`" + ` means nothing; a name set twice is a fault.
`

// EnvExample is a .env file of every setting of root, commented out, with its default.
func EnvExample(root any) string {
	var b strings.Builder
	b.WriteString("# Every setting, with its default. Copy this file to .env and uncomment what you change; the environment wins over it.\n")
	for _, g := range describe(root).groups() {
		fmt.Fprintf(&b, "\n# --- %s ---\n", oneLine(g.heading))
		for _, s := range g.settings {
			fmt.Fprintf(&b, "\n# %s\n", oneLine(s.doc))
			if a := s.accepts(); a != "" {
				fmt.Fprintf(&b, "# Accepts %s.\n", a)
			}
			if s.secret {
				fmt.Fprintf(&b, "# Secret: %s_FILE may name a file that holds it.\n", s.name)
			}
			fmt.Fprintf(&b, "#%s=%s\n", s.name, dotEnvQuote(s.fallback))
		}
	}
	return b.String()
}

type group struct {
	heading  string
	settings []*setting
}

// groups are in the order they are first met in.
func (d *declared) groups() []group {
	var list []group
	for _, s := range d.settings {
		i := slices.IndexFunc(list, func(g group) bool { return g.heading == s.group })
		if i < 0 {
			i = len(list)
			list = append(list, group{heading: s.group})
		}
		list[i].settings = append(list[i].settings, s)
	}
	return list
}

func cell(s string) string { return strings.ReplaceAll(oneLine(s), "|", `\|`) }

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + cell(s) + "`"
}
