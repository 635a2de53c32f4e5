// Package scaffold writes an app that has accounts from its first day: with a page for everybody, a route that is guarded, roles, and a test.
package scaffold

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/gateway"
	"github.com/admit-dev/admit/sdk/js"
	"github.com/admit-dev/admit/sdk/python"
)

//go:embed templates
var templates embed.FS

// Frameworks are what apps are written with.
var Frameworks = []string{"go", "fastapi", "express", "static"}

// Choices are what an app is like.
type Choices struct {
	Framework string
	Title     string // what people read
	Name      string // what programs read
	Orgs      bool   // roles are those of organizations, not of the platform
	Postgres  bool
	Providers []Provider
	Version   string // of Admit, that an app in Go asks for
	Checkout  string // where that is instead, or ""
	Password  string // of the database
}

// Provider is a service that people may sign in with.
type Provider struct {
	Name     string   // as in /auth/NAME/callback
	Title    string   // as people write it
	Settings []string // what it needs, each as NAME=value
}

// Beside reports whether pages of the app ask Admit, which is on another port.
func (c Choices) Beside() bool { return c.Framework == "fastapi" || c.Framework == "express" }

// Origin is where the browser finds Admit.
func (c Choices) Origin() string {
	if c.Framework == "static" {
		return c.App()
	}
	return "http://localhost:8000"
}

// App is where the browser finds the app.
func (c Choices) App() string {
	if c.Framework == "go" {
		return "http://localhost:8000"
	}
	return "http://localhost:3000"
}

// Post is the guarded route, in the organization of the seed.
func (c Choices) Post() string {
	if c.Orgs {
		return "/orgs/acme/jobs"
	}
	return "/jobs"
}

// Form is the page of an app in Go that leads to Post.
func (c Choices) Form() string { return strings.TrimSuffix(c.Post(), "jobs") + "post" }

// AdmitPaths is a matcher of Caddy.
func (c Choices) AdmitPaths() string { return gateway.Each() }

// Tour is what the files are, for the README.
func (c Choices) Tour() [][2]string {
	switch c.Framework {
	case "go":
		return [][2]string{{"main.go", "the app, with Admit inside"}, {"board.html", "its page"}, {"main_test.go", "who may do what"}}
	case "fastapi":
		return [][2]string{{"main.py", "the app"}, {"public", "its pages"}, {"test_main.py", "who may do what"}, {"admit", "Admit's package for Python"}}
	case "express":
		return [][2]string{{"app.js", "the app"}, {"public", "its pages"}, {"app.test.js", "who may do what"}, {"admit-client", "Admit's package for JavaScript"}}
	}
	return [][2]string{{"Caddyfile", "which page is for whom"}, {"public", "the pages"}, {"test.sh", "who may do what"}}
}

// File is one of an app.
type File struct {
	Path    string // below the folder of the app, with /
	Content []byte
	Copied  bool // it is a part of Admit, as it is
}

// Lines is how many it has.
func (f File) Lines() int { return bytes.Count(f.Content, []byte("\n")) }

// NewPassword is one for a database.
func NewPassword() string { return strings.ToLower(rand.Text()) }

// Files is the app, in the order of their paths.
func Files(c Choices) ([]File, error) {
	folders := []string{"common", c.Framework}
	if c.Beside() {
		folders = append(folders, "web")
	}
	if c.Framework != "go" {
		folders = append(folders, "style")
	}
	var list []File
	for _, folder := range folders {
		more, err := written(c, path.Join("templates", folder))
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	switch c.Framework {
	case "fastapi":
		list = append(list, copied(python.Package, "admit", "admit")...)
		list = append(list, copied(js.Package, "src", "public/admit-client")...)
	case "express":
		list = append(list, copied(js.Package, ".", "admit-client")...)
	}
	slices.SortFunc(list, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return list, nil
}

// written is what the templates of a folder become.
func written(c Choices, folder string) (list []File, err error) {
	err = fs.WalkDir(templates, folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		t, err := template.ParseFS(templates, name)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, c); err != nil {
			return err
		}
		if b.Len() > 0 { // it is for these choices
			below := strings.TrimSuffix(strings.TrimPrefix(name, folder+"/"), ".tmpl")
			list = append(list, File{Path: strings.Replace(below, "dot-", ".", 1), Content: b.Bytes()})
		}
		return nil
	})
	return list, err
}

// copied is a folder of a package of ours.
func copied(from embed.FS, dir, to string) (list []File) {
	_ = fs.WalkDir(from, dir, func(name string, d fs.DirEntry, _ error) error {
		if !d.IsDir() {
			text, _ := from.ReadFile(name) // it is in this program
			below := strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
			list = append(list, File{Path: path.Join(to, below), Content: text, Copied: true})
		}
		return nil
	})
	return list
}

// Write writes the files into a folder, or nothing where one of them is there and says something else.
func Write(dir string, list []File) error {
	var taken []string
	for _, f := range list {
		there, err := os.ReadFile(f.at(dir))
		switch {
		case err == nil && !bytes.Equal(there, f.Content):
			taken = append(taken, f.Path)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	if taken != nil {
		return cli.Refuse(cli.ExitUsage, "There is something else in %s already: %s. Nothing was written; choose an empty folder.", dir, strings.Join(taken, ", "))
	}
	for _, f := range list {
		if err := os.MkdirAll(filepath.Dir(f.at(dir)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(f.at(dir), f.Content, f.mode()); err != nil {
			return err
		}
	}
	return nil
}

func (f File) at(dir string) string { return filepath.Join(dir, filepath.FromSlash(f.Path)) }

func (f File) mode() os.FileMode {
	switch {
	case f.Path == ".env":
		return 0o600
	case strings.HasSuffix(f.Path, ".sh"):
		return 0o755
	}
	return 0o644
}

// KnownProviders are those that Admit knows by name, with what each needs, from the settings themselves.
func KnownProviders() ([]Provider, error) {
	var c config.Config
	report, err := config.Load(&c, config.Source{})
	if err != nil {
		return nil, err
	}
	var list []Provider
	for _, s := range report.Settings {
		prefix, found := strings.CutSuffix(s.Name, "_ENABLED")
		if !found || prefix == "OIDC" || !slices.ContainsFunc(report.Settings, func(o config.Setting) bool { return o.Name == prefix+"_CLIENT_ID" }) {
			continue
		}
		p := Provider{Name: strings.ToLower(prefix), Title: title(prefix), Settings: []string{s.Name + "=true"}}
		for _, o := range report.Settings {
			if strings.HasPrefix(o.Name, prefix+"_") && o.Name != s.Name && o.Name != prefix+"_URL" {
				p.Settings = append(p.Settings, o.Name+"="+o.Default)
			}
		}
		list = append(list, p)
	}
	return list, nil
}

// title is how people write the name of a provider.
func title(prefix string) string {
	own := map[string]string{"GITHUB": "GitHub", "LINKEDIN": "LinkedIn", "GITLAB": "GitLab"}
	return cmp.Or(own[prefix], prefix[:1]+strings.ToLower(prefix[1:]))
}
