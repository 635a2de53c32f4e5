package main

import (
	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/user"
)

// roleCmd is what an operator does with global roles.
type roleCmd struct {
	Grant  roleGrantCmd  `cmd:"" help:"Give a person a global role."`
	Revoke roleRevokeCmd `cmd:"" help:"Take a global role from a person."`
	List   roleListCmd   `cmd:"" help:"List the global roles of a person."`
}

type roleGrantCmd struct {
	whose
	Role string `arg:"" help:"Role, such as super_admin."`
}

// Help is the example of the help page.
func (roleGrantCmd) Help() string {
	return "Example:\n\n\tadmit role grant ann@example.com super_admin"
}

// Run gives a person a global role.
func (c *roleGrantCmd) Run(p *program) error {
	return c.with(p, func(a *app.App, u user.User) error {
		err := a.Accounts.Grant(p.ctx, authz.System, u.ID, c.Role)
		if err != nil {
			return err
		}
		if u.HasRole(c.Role) {
			p.say("%s has the role %s already.", label(u), c.Role)
		} else {
			p.say("%s has the role %s now.", label(u), c.Role)
		}
		p.next("admit role list "+label(u), "admit role revoke "+label(u)+" "+c.Role)
		return p.after(a, u)
	})
}

type roleRevokeCmd struct {
	whose
	Role string `arg:"" help:"Role, such as super_admin."`
}

// Help is the example of the help page.
func (roleRevokeCmd) Help() string { return "Example:\n\n\tadmit role revoke ann@example.com manager" }

// Run takes a global role from a person.
func (c *roleRevokeCmd) Run(p *program) error {
	return c.with(p, func(a *app.App, u user.User) error {
		err := a.Accounts.Revoke(p.ctx, authz.System, u.ID, c.Role)
		if err != nil {
			return err
		}
		if u.HasRole(c.Role) {
			p.say("%s has no longer the role %s.", label(u), c.Role)
		} else {
			p.say("%s has no role %s.%s Nothing was changed.", label(u), c.Role, meant(c.Role, u.Roles))
		}
		p.next("admit role list " + label(u))
		return p.after(a, u)
	})
}

type roleListCmd struct{ whose }

// Help is the example of the help page.
func (roleListCmd) Help() string { return "Example:\n\n\tadmit role list ann@example.com" }

// Run lists the global roles of a person.
func (c *roleListCmd) Run(p *program) error {
	return c.with(p, func(_ *app.App, u user.User) error {
		if p.JSON {
			return p.json(page{Items: append([]string{}, u.Roles...)})
		}
		rows := make([][]string, len(u.Roles))
		for i, r := range u.Roles {
			rows[i] = []string{r}
		}
		if len(rows) == 0 {
			p.say("%s has no global role.", label(u))
		}
		err := p.table(nil, rows)
		p.next("admit role grant " + label(u) + " ROLE")
		return err
	})
}
