package rights

import (
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/user"
)

// Role is what an operator does with global roles.
type Role struct {
	List   roleListCmd   `cmd:"" help:"List the global roles, or those of one person."`
	Get    roleGetCmd    `cmd:"" help:"Show one global role."`
	Create roleCreateCmd `cmd:"" help:"Make a global role."`
	Set    roleSetCmd    `cmd:"" help:"Change a global role."`
	Delete roleDeleteCmd `cmd:"" help:"Delete a global role that nobody holds."`
	Grant  roleGrantCmd  `cmd:"" help:"Give a person a global role."`
	Revoke roleRevokeCmd `cmd:"" help:"Take a global role from a person."`
}

type roleGrantCmd struct {
	cli.Whose
	Role string `arg:"" help:"Role, such as super_admin."`
}

// Help is the example of the help page.
func (roleGrantCmd) Help() string {
	return "Example:\n\n\tadmit role grant ann@example.com super_admin"
}

// Run gives a person a global role.
func (c *roleGrantCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		err := a.Accounts.Grant(p.Ctx, authz.System, u.ID, c.Role)
		if err != nil {
			return err
		}
		if u.HasRole(c.Role) {
			p.Say("%s has the role %s already.", cli.Label(u), c.Role)
		} else {
			p.Say("%s has the role %s now.", cli.Label(u), c.Role)
		}
		p.Next("admit role list "+cli.Label(u), "admit role revoke "+cli.Label(u)+" "+c.Role)
		return p.After(a, u)
	})
}

type roleRevokeCmd struct {
	cli.Whose
	Role string `arg:"" help:"Role, such as super_admin."`
}

// Help is the example of the help page.
func (roleRevokeCmd) Help() string { return "Example:\n\n\tadmit role revoke ann@example.com manager" }

// Run takes a global role from a person.
func (c *roleRevokeCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		err := a.Accounts.Revoke(p.Ctx, authz.System, u.ID, c.Role)
		if err != nil {
			return err
		}
		if u.HasRole(c.Role) {
			p.Say("%s has no longer the role %s.", cli.Label(u), c.Role)
		} else {
			p.Say("%s has no role %s.%s Nothing was changed.", cli.Label(u), c.Role, cli.Meant(c.Role, u.Roles))
		}
		p.Next("admit role list " + cli.Label(u))
		return p.After(a, u)
	})
}

type roleListCmd struct {
	User string `arg:"" optional:"" help:"Whose; every role there is when left out."`
}

// Help is the example of the help page.
func (roleListCmd) Help() string {
	return "Of a person, each line is a role. Otherwise, piped, each line is: key, name, where it counts, permissions.\n\n" +
		"Examples:\n\n\tadmit role list\n\tadmit role list ann@example.com"
}

// Run lists global roles.
func (c *roleListCmd) Run(p *cli.Program) error {
	if c.User != "" {
		return cli.Whose{User: c.User}.With(p, func(_ *app.App, u user.User) error { return showRolesOf(p, u) })
	}
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	roles, err := a.Authz.GlobalRoles(p.Ctx, authz.System)
	if err != nil {
		return err
	}
	err = cli.Listed(p, cli.Mapped(roles, roleOf), "", []string{"ROLE", "NAME", "COUNTS", "PERMISSIONS"}, func(r roleView) []string {
		return []string{r.Key, r.Name, r.Reach, strings.Join(r.Permissions, ", ")}
	})
	p.Next("admit role set ROLE --add PATTERN", "admit role grant USER ROLE")
	return err
}

func showRolesOf(p *cli.Program, u user.User) error {
	if !p.JSON && len(u.Roles) == 0 {
		p.Say("%s has no global role.", cli.Label(u))
	}
	err := cli.Listed(p, append([]string{}, u.Roles...), "", nil, func(r string) []string { return []string{r} })
	p.Next("admit role grant " + cli.Label(u) + " ROLE")
	return err
}
