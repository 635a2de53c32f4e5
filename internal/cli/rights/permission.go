package rights

import (
	"errors"
	"strings"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
)

// Permission is what an operator does with what can be asked about.
type Permission struct {
	List    permissionListCmd    `cmd:"" help:"List what can be asked about."`
	Declare permissionDeclareCmd `cmd:"" help:"Declare a permission, or describe it in other words."`
	Remove  permissionRemoveCmd  `cmd:"" help:"Take a permission out of the catalogue."`
	Check   permissionCheckCmd   `cmd:"" help:"Ask whether a person is allowed something."`
	Explain permissionExplainCmd `cmd:"" help:"Say why a person is allowed something, or what is missing."`
	Who     permissionWhoCmd     `cmd:"" help:"List who is allowed something."`
}

type permissionListCmd struct {
	App string `help:"Only those that this app has declared; admit for what is built in." placeholder:"APP"`
}

// Help is the example of the help page.
func (permissionListCmd) Help() string {
	return "Piped, each line is: name, title, who declared it, where it is asked, remarks.\n\nExample:\n\n\tadmit permission list"
}

// Run lists the catalogue.
func (c *permissionListCmd) Run(p *cli.Program) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	root, err := a.Authz.Root(p.Ctx)
	if err != nil {
		return err
	}
	items := []permissionView{}
	for _, permission := range root.Catalogue() {
		if c.App == "" || c.App == permission.App {
			items = append(items, permissionOf(permission))
		}
	}
	if len(items) == 0 {
		p.Say("%s has declared nothing.", c.App)
	}
	err = cli.Listed(p, items, "", []string{"NAME", "TITLE", "APP", "ASKED OF", "REMARKS"}, func(v permissionView) []string {
		return []string{v.Name, v.Title, v.App, asked(v), remarks(v)}
	})
	p.Next("admit permission declare NAME TITLE", "admit permission who NAME")
	return err
}

func asked(v permissionView) string {
	switch {
	case v.Scope == nil:
		return "both"
	case *v.Scope == string(authz.ScopeOrg):
		return "organizations"
	}
	return "platform"
}

func remarks(v permissionView) string {
	var list []string
	if v.AliasOf != nil {
		list = append(list, "means "+*v.AliasOf)
	}
	if v.Sensitive {
		list = append(list, "sensitive")
	}
	if v.Deprecated {
		list = append(list, "deprecated")
	}
	return strings.Join(list, ", ")
}

type permissionDeclareCmd struct {
	Name        string  `arg:"" help:"One to three words with a colon between them, such as post_job or jobs:post."`
	Title       string  `arg:"" optional:"" help:"What people read."`
	Description *string `help:"More about it." placeholder:"TEXT"`
	App         string  `help:"Whose it is; app when left out." placeholder:"APP"`
	AliasOf     *string `help:"Permission that it is another name for." placeholder:"NAME"`
	Sensitive   *bool   `negatable:"" help:"Whether it deserves care."`
	Deprecated  *bool   `negatable:"" help:"Whether it should no longer be used."`
}

// Help is the example of the help page.
func (permissionDeclareCmd) Help() string {
	return "Of a permission that is there already, what is not said stays. An app or a file that declares its own at each start has the last word about those.\n\n" +
		"Example:\n\n\tadmit permission declare post_job \"Post a job\""
}

// Run declares a permission.
func (c *permissionDeclareCmd) Run(p *cli.Program) error {
	a, err := p.Open(true)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	root, err := a.Authz.Root(p.Ctx)
	if err != nil {
		return err
	}
	permission, out := c.over(root), authz.Manifested{}
	if out, err = a.Authz.Declare(p.Ctx, authz.System, authz.Manifest{App: permission.App, Permissions: []authz.Permission{permission}}); err != nil {
		return err
	}
	switch {
	case len(out.Added) > 0:
		p.Say("Declared %s.", c.Name)
	case len(out.Changed) > 0:
		p.Say("%s is described in other words now.", c.Name)
	default:
		p.Say("%s is declared like this already. Nothing was changed.", c.Name)
	}
	p.Next("admit role set ROLE --add "+c.Name, "admit org role set ORG ROLE --add "+c.Name)
	if !p.JSON {
		return nil
	}
	if root, err = a.Authz.Root(p.Ctx); err != nil {
		return err
	}
	permission, _ = root.Permission(c.Name)
	return p.Print(permissionOf(permission))
}

// over is the permission as it is to be: as it is, but for what is said.
func (c *permissionDeclareCmd) over(root *authz.Root) authz.Permission {
	permission, _ := root.Permission(c.Name)
	if permission.App == "admit" { // which is refused, and not for the name of the app
		permission.App = ""
	}
	permission.Name = c.Name
	said(&permission.Title, cli.OrNull(c.Title))
	said(&permission.App, cli.OrNull(c.App))
	said(&permission.Description, c.Description)
	said(&permission.AliasOf, c.AliasOf)
	said(&permission.Sensitive, c.Sensitive)
	said(&permission.Deprecated, c.Deprecated)
	return permission
}

func said[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

type permissionRemoveCmd struct {
	Name  string `arg:"" help:"Name of a permission."`
	Force bool   `help:"Also if a role still names it. It is then allowed to nobody."`
}

// Help is the example of the help page.
func (permissionRemoveCmd) Help() string {
	return "An app that still asks about it gets an error. An app or a file that declares it at each start brings it back.\n\nExample:\n\n\tadmit permission remove post_job"
}

// Run takes a permission out of the catalogue.
func (c *permissionRemoveCmd) Run(p *cli.Program) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	if err := a.Authz.Undeclare(p.Ctx, authz.System, c.Name, c.Force); err != nil {
		return undeclared(c.Name, err)
	}
	p.Say("Removed %s.", c.Name)
	p.Next("admit permission list")
	return p.Gone(c.Name)
}

// undeclared names the permission that is not there.
func undeclared(name string, err error) error {
	if e, ok := errors.AsType[*apperr.Error](err); ok && errors.Is(e, authz.ErrUnknownPermission) {
		return cli.Refuse(cli.ExitNotFound, "%q: %s See admit permission list.", name, e.Message)
	}
	return err
}
