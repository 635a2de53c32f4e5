package rights

import (
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/org"
)

// orgRoleCmd is what an operator does with the roles of one organization.
type orgRoleCmd struct {
	List   orgRoleListCmd   `cmd:"" help:"List the roles of an organization."`
	Get    orgRoleGetCmd    `cmd:"" help:"Show one role of an organization."`
	Create orgRoleCreateCmd `cmd:"" help:"Make a role in an organization."`
	Set    orgRoleSetCmd    `cmd:"" help:"Change a role of an organization."`
	Delete orgRoleDeleteCmd `cmd:"" help:"Delete a role that nobody holds."`
	Grant  orgRoleGrantCmd  `cmd:"" help:"Give a member a role."`
	Revoke orgRoleRevokeCmd `cmd:"" help:"Take a role from a member."`
}

// orgWhich is a role of an organization.
type orgWhich struct {
	whichOrg
	Role string `arg:"" help:"Key or id of a role."`
}

func (w orgWhich) with(p *cli.Program, f func(a *app.App, o org.Org, r org.Role) error) error {
	return w.whichOrg.with(p, func(a *app.App, o org.Org) error {
		if err := known(p, a, o, []string{w.Role}); err != nil {
			return err
		}
		r, err := a.Orgs.Role(p.Ctx, authz.System, o.ID, w.Role)
		if err != nil {
			return err
		}
		return f(a, o, r)
	})
}

type orgRoleListCmd struct{ whichOrg }

// Help is the example of the help page.
func (orgRoleListCmd) Help() string {
	return "Piped, each line is: key, name, what it adds to, how many hold it, permissions.\n\nExample:\n\n\tadmit org role list acme"
}

// Run lists the roles of an organization.
func (c *orgRoleListCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org) error {
		roles, err := a.Orgs.Roles(p.Ctx, authz.System, o.ID)
		if err != nil {
			return err
		}
		err = cli.Listed(p, cli.Mapped(roles, orgRoleOf), "", []string{"ROLE", "NAME", "ADDS TO", "HELD BY", "PERMISSIONS"}, func(r orgRoleView) []string {
			base := ""
			if r.Base != nil {
				base = *r.Base
			}
			return []string{r.Key, r.Name, base, cli.Number(int(r.Members)), strings.Join(r.Permissions, ", ")}
		})
		p.Next("admit org role create "+o.Slug+" NAME --permission PATTERN", "admit org role grant "+o.Slug+" USER ROLE")
		return err
	})
}

type orgRoleGetCmd struct{ orgWhich }

// Help is the example of the help page.
func (orgRoleGetCmd) Help() string { return "Example:\n\n\tadmit org role get acme recruiter" }

// Run shows one role.
func (c *orgRoleGetCmd) Run(p *cli.Program) error {
	return c.with(p, func(_ *app.App, o org.Org, r org.Role) error {
		if p.JSON {
			return p.Print(orgRoleOf(r))
		}
		err := p.Table(nil, append([][]string{
			{"id", r.ID}, {"key", r.Key}, {"name", r.Name}, {"base", r.Base}, {"built_in", cli.YesNo(r.System)}, {"members", cli.Number(int(r.Members))},
		}, permitted(r.Grants)...))
		p.Next("admit org role set "+o.Slug+" "+r.Key+" --add PATTERN", "admit org role grant "+o.Slug+" USER "+r.Key)
		return err
	})
}

// permitted is a row for each thing a role permits.
func permitted(grants []authz.Grant) [][]string {
	return cli.Mapped(grants, func(g authz.Grant) []string { return []string{"permission", g.String()} })
}

type orgRoleCreateCmd struct {
	whichOrg
	Name       string   `arg:"" help:"What it is called. Its key is made from it."`
	Base       string   `help:"Built-in role it adds to: owner, admin or member." placeholder:"ROLE"`
	Permission []string `sep:"none" help:"What it permits, such as post_job or jobs:*; may be repeated." placeholder:"PATTERN"`
}

// Help is the example of the help page.
func (orgRoleCreateCmd) Help() string {
	return "Prints the key of the new role. Behind the word if stands a condition (CEL).\n\nExamples:\n\n\tadmit org role create acme Recruiter --permission post_job --permission 'jobs:*'\n" +
		"\tadmit org role create acme Author --permission 'posts:edit if resource.owner == subject.id'"
}

// Run makes a role in an organization.
func (c *orgRoleCreateCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org) error {
		if err := usable(p, a, c.Permission); err != nil {
			return err
		}
		permissions := slices.Clone(c.Permission)
		r, err := a.Orgs.CreateRole(p.Ctx, authz.System, o.ID, org.RoleEdit{Name: &c.Name, Base: &c.Base, Permissions: &permissions})
		if err != nil {
			return err
		}
		if p.JSON {
			err = p.Print(orgRoleOf(r))
		} else {
			err = p.Table(nil, [][]string{{r.Key}})
		}
		p.Say("Made the role %s in %s. %s", r.Key, o.Slug, permits(r.Grants))
		p.Next("admit org role grant "+o.Slug+" USER "+r.Key, "admit org invite "+o.Slug+" ADDRESS --role "+r.Key)
		return err
	})
}

type orgRoleSetCmd struct {
	orgWhich
	Name string  `help:"What it is called from now on. Its key follows." placeholder:"NAME"`
	Base *string `help:"Built-in role it adds to; empty for none." placeholder:"ROLE"`
	grantsChange
}

// Help is the example of the help page.
func (orgRoleSetCmd) Help() string {
	return "Holds from the next check on, for everybody who has the role.\n\nExamples:\n\n\tadmit org role set acme recruiter --add jobs:close --remove post_job\n" +
		"\tadmit org role set acme recruiter --permission 'jobs:*'"
}

// Run changes a role of an organization.
func (c *orgRoleSetCmd) Run(p *cli.Program) error {
	if c.Name == "" && c.Base == nil && c.silent() {
		return cli.Refuse(cli.ExitUsage, "org role set needs something to change: --permission, --add, --remove, --name or --base.")
	}
	return c.with(p, func(a *app.App, o org.Org, r org.Role) error {
		permissions, err := c.of(p, a, r.Key, r.Grants)
		if err != nil {
			return err
		}
		edit := org.RoleEdit{Name: cli.OrNull(c.Name), Base: c.Base, Permissions: permissions, IfMatch: r.ETag()}
		if len(c.Permission) > 0 {
			edit.IfMatch = "*"
		}
		if r, err = a.Orgs.UpdateRole(p.Ctx, authz.System, o.ID, r.ID, edit); err != nil {
			return err
		}
		p.Say("Changed the role %s in %s. %s", r.Key, o.Slug, permits(r.Grants))
		p.Next("admit org role get "+o.Slug+" "+r.Key, "admit permission who PERMISSION --org "+o.Slug)
		if p.JSON {
			return p.Print(orgRoleOf(r))
		}
		return nil
	})
}

type orgRoleDeleteCmd struct{ orgWhich }

// Help is the example of the help page.
func (orgRoleDeleteCmd) Help() string { return "Example:\n\n\tadmit org role delete acme recruiter" }

// Run deletes a role of an organization.
func (c *orgRoleDeleteCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org, r org.Role) error {
		if err := a.Orgs.DeleteRole(p.Ctx, authz.System, o.ID, r.ID); err != nil {
			return err
		}
		p.Say("Deleted the role %s of %s. %s", r.Key, o.Slug, permitsNot(r.Grants))
		p.Next("admit org role list " + o.Slug)
		return p.Gone(r.ID)
	})
}
