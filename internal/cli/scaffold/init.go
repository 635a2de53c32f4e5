package scaffold

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/cli"
)

// Init begins an app.
type Init struct {
	Framework string   `arg:"" optional:"" help:"go, fastapi, express or static."`
	Dir       string   `arg:"" optional:"" default:"." help:"The folder to write it into; it is made when it is not there."`
	Title     string   `help:"What the app is called. The name of its folder when left out." placeholder:"TEXT"`
	Orgs      *bool    `negatable:"" help:"Whether organizations say who may do what, with roles of their own, or the whole platform does."`
	Database  string   `help:"sqlite, which needs nothing, or postgres." placeholder:"NAME"`
	Providers []string `help:"Services that people may sign in with, such as google,github." placeholder:"NAMES"`
	DryRun    bool     `help:"Show what would be written, and write nothing."`
	Checkout  string   `help:"For go: a checkout of Admit to use instead of a release." placeholder:"DIR"`
}

// Help is the example of the help page.
func (Init) Help() string {
	return "A page for everybody, a guarded route, roles, people to try it with, and a test. At a terminal it asks for what is left out.\n\n" +
		"Examples:\n\n\tadmit init fastapi jobs\n\tadmit init express jobs --providers google,github --database postgres\n\tadmit init go --no-orgs --dry-run"
}

// Run writes the app.
func (i *Init) Run(p *cli.Program) error {
	known, err := KnownProviders()
	if err != nil {
		return err
	}
	if err := i.interview(p, known); err != nil {
		return err
	}
	choices, err := i.choices(p, known)
	if err != nil {
		return err
	}
	list, err := Files(choices)
	if err != nil {
		return err
	}
	if !i.DryRun {
		if err := Write(i.dir(p), list); err != nil {
			return err
		}
	}
	return i.tell(p, choices, list)
}

func (i *Init) dir(p *cli.Program) string {
	if filepath.IsAbs(i.Dir) {
		return i.Dir
	}
	return filepath.Join(p.Dir, i.Dir)
}

// interview asks for what is left out, where somebody is there to answer.
func (i *Init) interview(p *cli.Program, known []Provider) error {
	if !p.Asks() || i.Framework != "" {
		return nil
	}
	typed := bufio.NewScanner(p.Stdin)
	ask := func(question, otherwise string) string {
		fmt.Fprintf(p.Stderr, "%s [%s]: ", question, otherwise)
		if !typed.Scan() {
			return otherwise
		}
		return cmp.Or(strings.TrimSpace(typed.Text()), otherwise)
	}
	i.Framework = ask("Framework: "+strings.Join(Frameworks, ", "), Frameworks[0])
	if i.Dir == "." {
		i.Dir = ask("Folder", ".")
	}
	if i.Orgs == nil {
		yes := strings.HasPrefix(strings.ToLower(ask("Do people belong to organizations, with roles of their own?", "yes")), "y")
		i.Orgs = &yes
	}
	if i.Database == "" {
		i.Database = ask("Database: sqlite, postgres", "sqlite")
	}
	if i.Providers == nil {
		if answer := ask("Sign in with (beside passwords, links, codes and passkeys): "+strings.Join(namesOf(known), ", "), "none"); answer != "none" {
			i.Providers = strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' })
		}
	}
	return typed.Err()
}

var (
	released = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)
	spoken   = regexp.MustCompile(`^[\pL\pN][\pL\pN ._-]{0,79}$`) // it stands in code and in pages as it is
	notName  = regexp.MustCompile(`[^a-z0-9]+`)
)

// choices makes of what was said what an app is like.
func (i *Init) choices(p *cli.Program, known []Provider) (c Choices, err error) {
	switch {
	case i.Framework == "":
		return c, cli.Refuse(cli.ExitUsage, "init needs to know what the app is written with: %s. See admit init --help.", strings.Join(Frameworks, ", "))
	case !slices.Contains(Frameworks, i.Framework):
		return c, cli.Refuse(cli.ExitUsage, "There is no app to begin with %q, but one with each of: %s.%s Anything else stands behind a proxy: admit snippet --help.", i.Framework, strings.Join(Frameworks, ", "), cli.Meant(i.Framework, Frameworks))
	case i.Database != "" && i.Database != "sqlite" && i.Database != "postgres":
		return c, cli.Refuse(cli.ExitUsage, "--database is sqlite or postgres, not %q.", i.Database)
	}
	whole, err := filepath.Abs(i.dir(p))
	if err != nil {
		return c, err
	}
	c = Choices{Framework: i.Framework, Title: i.Title, Orgs: i.Orgs == nil || *i.Orgs, Postgres: i.Database == "postgres", Password: NewPassword()}
	if c.Title == "" {
		c.Title = strings.TrimSpace(strings.NewReplacer("-", " ", "_", " ").Replace(filepath.Base(whole)))
		c.Title = strings.ToUpper(c.Title[:min(1, len(c.Title))]) + c.Title[min(1, len(c.Title)):]
	}
	if !spoken.MatchString(c.Title) {
		return c, cli.Refuse(cli.ExitUsage, "An app cannot be called %q: give it up to 80 letters, digits, spaces, dots and dashes with --title.", c.Title)
	}
	c.Name = cmp.Or(strings.Trim(notName.ReplaceAllString(strings.ToLower(c.Title), "-"), "-"), "app")
	for _, name := range i.Providers {
		at := slices.IndexFunc(known, func(k Provider) bool { return k.Name == strings.ToLower(name) })
		if at < 0 {
			names := namesOf(known)
			return c, cli.Refuse(cli.ExitUsage, "There is no provider %q, but %s.%s Others: PROVIDERS_FILE, see docs/providers.md.", name, strings.Join(names, ", "), cli.Meant(name, names))
		}
		c.Providers = append(c.Providers, known[at])
	}
	if c.Framework != "go" {
		return c, nil
	}
	return i.module(p, c)
}

func namesOf(list []Provider) []string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.Name
	}
	return names
}

// module finds the Admit that an app in Go has inside: the release of this program, or a checkout.
func (i *Init) module(p *cli.Program, c Choices) (Choices, error) {
	c.Version = admit.Version
	from := cmp.Or(i.Checkout, p.Dir)
	text, err := os.ReadFile(filepath.Join(from, "go.mod"))
	is := err == nil && strings.HasPrefix(string(text), "module github.com/admit-dev/admit\n")
	switch {
	case i.Checkout != "" && !is:
		return c, cli.Refuse(cli.ExitUsage, "--checkout %s is no checkout of Admit.", i.Checkout)
	case i.Checkout == "" && released.MatchString(admit.Version):
		return c, nil
	case !is:
		return c, cli.Refuse(cli.ExitUsage, "This admit (%s) is no release that an app in Go could ask for. Say where a checkout of Admit is: --checkout DIR.", admit.Version)
	}
	c.Version = "v0.0.0"
	c.Checkout, err = filepath.Abs(from)
	if strings.ContainsAny(c.Checkout, " \t") {
		c.Checkout = strconv.Quote(c.Checkout)
	}
	return c, err
}

// plan is what was written, for programs.
type plan struct {
	Dir     string        `json:"dir"`
	Written bool          `json:"written"`
	Files   []plannedFile `json:"files"`
	Next    []string      `json:"next"`
}

type plannedFile struct {
	Path  string `json:"path"`
	Lines int    `json:"lines"`
}

// tell says what was written, or would be, and what comes next.
func (i *Init) tell(p *cli.Program, c Choices, list []File) error {
	out := plan{Dir: i.Dir, Written: !i.DryRun, Next: []string{"make test", "make dev"}}
	if i.Dir != "." {
		out.Next = append([]string{"cd " + i.Dir}, out.Next...)
	}
	if c.Postgres {
		out.Next = slices.Insert(out.Next, len(out.Next)-1, "make up")
	}
	for _, f := range list {
		out.Files = append(out.Files, plannedFile{f.Path, f.Lines()})
	}
	if p.JSON {
		return p.Print(out)
	}
	ours := map[string]int{}
	for _, f := range list {
		switch {
		case f.Copied:
			ours[strings.Join(strings.Split(f.Path, "/")[:1+strings.Count(f.Path, "public/")], "/")]++
		case i.DryRun:
			fmt.Fprintf(p.Stdout, "+++ %s\n%s\n", f.Path, "+"+strings.ReplaceAll(strings.TrimSuffix(string(f.Content), "\n"), "\n", "\n+"))
		default:
			p.Say("  ✓ %s", f.Path)
		}
	}
	for folder, n := range ours {
		p.Say("  ✓ %s (%s of Admit's package)", folder, cli.Plural(n, "file"))
	}
	if i.DryRun {
		p.Say("Nothing was written.")
		return nil
	}
	p.Say("\n  Next  %s", strings.Join(out.Next, " · "))
	return nil
}
