package rights

import (
	"errors"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
)

// whichRole is the global role a command is about.
type whichRole struct {
	Role string `arg:"" help:"Key of a global role."`
}

func (w whichRole) with(p *cli.Program, f func(a *app.App, r authz.GlobalRole) error) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	roles, err := a.Authz.GlobalRoles(p.Ctx, authz.System)
	if err != nil {
		return err
	}
	for _, r := range roles {
		if r.Key == w.Role {
			return f(a, r)
		}
	}
	near := cli.Meant(w.Role, cli.Mapped(roles, func(r authz.GlobalRole) string { return r.Key }))
	return cli.Refuse(cli.ExitNotFound, "There is no global role %q.%s See admit role list.", w.Role, near)
}

type roleGetCmd struct{ whichRole }

// Help is the example of the help page.
func (roleGetCmd) Help() string { return "Example:\n\n\tadmit role get manager" }

// Run shows one global role.
func (c *roleGetCmd) Run(p *cli.Program) error {
	return c.with(p, func(_ *app.App, r authz.GlobalRole) error {
		if p.JSON {
			return p.Print(roleOf(r))
		}
		err := p.Table(nil, append([][]string{{"key", r.Key}, {"name", r.Name}, {"reach", string(r.Reach)}, {"built_in", cli.YesNo(r.System)}}, permitted(r.Grants)...))
		p.Next("admit role set "+r.Key+" --add PATTERN", "admit role grant USER "+r.Key)
		return err
	})
}

type roleCreateCmd struct {
	Name       string   `arg:"" help:"What it is called. Its key is made from it."`
	Reach      string   `default:"platform" enum:"platform,all_orgs" help:"Where it counts: platform, where no organization is asked about, or all_orgs, everywhere."`
	Permission []string `sep:"none" help:"What it permits, such as sys:users:read or jobs:*; may be repeated." placeholder:"PATTERN"`
}

// Help is the example of the help page.
func (roleCreateCmd) Help() string {
	return "Prints the key of the new role. A role of one organization is made by admit org role create.\n\n" +
		"Example:\n\n\tadmit role create Support --reach all_orgs --permission sys:users:read --permission 'tickets:*'"
}

// Run makes a global role.
func (c *roleCreateCmd) Run(p *cli.Program) error {
	a, err := p.Open(true)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	if err := usable(p, a, c.Permission); err != nil {
		return err
	}
	reach, permissions := authz.Reach(c.Reach), slices.Clone(c.Permission)
	r, err := a.Authz.CreateGlobalRole(p.Ctx, authz.System, authz.GlobalRoleEdit{Name: &c.Name, Reach: &reach, Permissions: &permissions})
	if err != nil {
		return err
	}
	if p.JSON {
		err = p.Print(roleOf(r))
	} else {
		err = p.Table(nil, [][]string{{r.Key}})
	}
	p.Say("Made the role %s. %s", r.Key, permits(r.Grants))
	p.Next("admit role grant USER " + r.Key)
	return err
}

type roleSetCmd struct {
	whichRole
	Name  string `help:"What it is called from now on. Its key stays." placeholder:"NAME"`
	Reach string `help:"Where it counts: platform or all_orgs." placeholder:"REACH"`
	grantsChange
}

// Help is the example of the help page.
func (roleSetCmd) Help() string {
	return "Holds from the next check on, for everybody who has the role.\n\nExamples:\n\n\tadmit role set manager --add post_job\n\tadmit role set manager --permission 'jobs:*' --reach all_orgs"
}

// Run changes a global role.
func (c *roleSetCmd) Run(p *cli.Program) error {
	if c.Name == "" && c.Reach == "" && c.silent() {
		return cli.Refuse(cli.ExitUsage, "role set needs something to change: --permission, --add, --remove, --name or --reach.")
	}
	return c.with(p, func(a *app.App, r authz.GlobalRole) error {
		permissions, err := c.of(p, a, r.Key, r.Grants)
		if err != nil {
			return err
		}
		edit := authz.GlobalRoleEdit{Name: cli.OrNull(c.Name), Permissions: permissions, IfMatch: r.ETag()}
		if len(c.Permission) > 0 {
			edit.IfMatch = "*"
		}
		if reach := authz.Reach(c.Reach); reach != "" {
			edit.Reach = &reach
		}
		if r, err = a.Authz.UpdateGlobalRole(p.Ctx, authz.System, r.Key, edit); err != nil {
			return err
		}
		p.Say("Changed the role %s. %s", r.Key, permits(r.Grants))
		p.Next("admit role get "+r.Key, "admit permission who PERMISSION")
		if p.JSON {
			return p.Print(roleOf(r))
		}
		return nil
	})
}

type roleDeleteCmd struct{ whichRole }

// Help is the example of the help page.
func (roleDeleteCmd) Help() string { return "Example:\n\n\tadmit role delete support" }

// Run deletes a global role.
func (c *roleDeleteCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, r authz.GlobalRole) error {
		if err := a.Authz.DeleteGlobalRole(p.Ctx, authz.System, r.Key); err != nil {
			return err
		}
		p.Say("Deleted the role %s. %s", r.Key, permitsNot(r.Grants))
		p.Next("admit role list")
		return p.Gone(r.Key)
	})
}

// grantsChange is what a role is to permit.
type grantsChange struct {
	Permission []string `sep:"none" xor:"add,remove" help:"What it permits from now on, exactly; may be repeated." placeholder:"PATTERN"`
	Add        []string `sep:"none" xor:"add" help:"What it permits too; may be repeated." placeholder:"PATTERN"`
	Remove     []string `sep:"none" xor:"remove" help:"What it permits no longer; may be repeated." placeholder:"PATTERN"`
}

func (c grantsChange) silent() bool { return len(c.Permission)+len(c.Add)+len(c.Remove) == 0 }

// of is what a role that had these permits after the change, nil when nothing is said of it.
func (c grantsChange) of(p *cli.Program, a *app.App, role string, had []authz.Grant) (*[]string, error) {
	if c.silent() {
		return nil, nil
	}
	after := slices.Clone(c.Permission)
	if len(c.Permission) == 0 {
		after = append(cli.Mapped(had, authz.Grant.String), c.Add...)
	}
	for _, text := range c.Remove {
		n := len(after)
		after = slices.DeleteFunc(after, func(s string) bool { return s == text })
		if len(after) == n {
			return nil, cli.Refuse(cli.ExitNotFound, "The role %s does not name %q.%s", role, text, cli.Meant(text, cli.Mapped(had, authz.Grant.String)))
		}
	}
	return &after, usable(p, a, after)
}

// usable refuses what a role cannot permit, and says which of many it is: also what was taken out of the catalogue since.
func usable(p *cli.Program, a *app.App, patterns []string) error {
	root, err := a.Authz.Root(p.Ctx)
	if err != nil {
		return err
	}
	for _, text := range patterns {
		_, err := root.ParseGrants([]string{text})
		if e, ok := errors.AsType[*apperr.Error](err); ok {
			return cli.Refuse(cli.CodeOf(e.Kind), "%q: %s See admit permission list.", text, e.Message)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func permits(grants []authz.Grant) string {
	if len(grants) == 0 {
		return "It permits nothing by itself."
	}
	return "It permits " + strings.Join(cli.Mapped(grants, authz.Grant.String), ", ") + "."
}

func permitsNot(grants []authz.Grant) string {
	if len(grants) == 0 {
		return "It permitted nothing by itself."
	}
	return "It permitted " + strings.Join(cli.Mapped(grants, authz.Grant.String), ", ") + "."
}
