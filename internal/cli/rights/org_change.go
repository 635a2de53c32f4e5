package rights

import (
	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/user"
)

type orgRenameCmd struct {
	whichOrg
	Name string `arg:"" optional:"" help:"What it is called from now on."`
	Slug string `help:"Its name in addresses from now on. The one before goes on leading to it." placeholder:"SLUG"`
}

// Help is the example of the help page.
func (orgRenameCmd) Help() string {
	return "Example:\n\n\tadmit org rename acme \"Acme International\" --slug acme-int"
}

// Run gives an organization another name.
func (c *orgRenameCmd) Run(p *cli.Program) error {
	if c.Name == "" && c.Slug == "" {
		return cli.Refuse(cli.ExitUsage, "org rename needs a NAME or --slug.")
	}
	return c.with(p, func(a *app.App, o org.Org) error {
		o, err := a.Orgs.Update(p.Ctx, authz.System, o.ID, org.Edit{Name: cli.OrNull(c.Name), Slug: cli.OrNull(c.Slug)})
		if err != nil {
			return err
		}
		p.Say("It is called %s, with the slug %s.", o.Name, o.Slug)
		p.Next("admit org get " + o.Slug)
		return showOrg(p, o)
	})
}

type orgRequireMFACmd struct {
	whichOrg
	Off bool `help:"Require it no longer."`
}

// Help is the example of the help page.
func (orgRequireMFACmd) Help() string {
	return "Members without a second factor set one up when they sign in next. Sessions in which none was shown do nothing until then.\n\n" +
		"Examples:\n\n\tadmit org require-mfa acme\n\tadmit org require-mfa acme --off"
}

// Run requires a second factor of members.
func (c *orgRequireMFACmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org) error {
		required := !c.Off
		o, err := a.Orgs.Update(p.Ctx, authz.System, o.ID, org.Edit{RequireMFA: &required})
		if err != nil {
			return err
		}
		p.Say("A second factor is %s for the members of %s.", requiring(required), o.Slug)
		p.Next("admit org get " + o.Slug)
		return showOrg(p, o)
	})
}

// org gives a program the organization as a change left it.
func showOrg(p *cli.Program, o org.Org) error {
	if !p.JSON {
		return nil
	}
	return p.Print(orgOf(o))
}

// member gives a program the member as a change left them.
func showMember(p *cli.Program, m org.Member) error {
	if !p.JSON {
		return nil
	}
	return p.Print(memberOf(m))
}

// orgOrMember is an organization, or one of its members.
type orgOrMember struct {
	Org  string `arg:"" help:"Id or slug of an organization."`
	User string `arg:"" optional:"" help:"One of its members; the whole organization when left out."`
}

type orgSuspendCmd struct{ orgOrMember }

// Help is the example of the help page.
func (orgSuspendCmd) Help() string {
	return "Nobody may do anything in an organization that is suspended. Nothing is lost.\n\n" +
		"Examples:\n\n\tadmit org suspend acme\n\tadmit org suspend acme bob@example.com"
}

// Run suspends.
func (c *orgSuspendCmd) Run(p *cli.Program) error { return c.rest(p, true) }

type orgReinstateCmd struct{ orgOrMember }

// Help is the example of the help page.
func (orgReinstateCmd) Help() string {
	return "Examples:\n\n\tadmit org reinstate acme\n\tadmit org reinstate acme bob@example.com"
}

// Run takes a suspension back.
func (c *orgReinstateCmd) Run(p *cli.Program) error { return c.rest(p, false) }

func (c orgOrMember) rest(p *cli.Program, suspended bool) error {
	did, undo := "Suspended", "reinstate"
	if !suspended {
		did, undo = "Reinstated", "suspend"
	}
	if c.User == "" {
		return whichOrg{c.Org}.with(p, func(a *app.App, o org.Org) error {
			o, err := a.Orgs.Suspend(p.Ctx, authz.System, o.ID, suspended)
			if err != nil {
				return err
			}
			p.Say("%s %s.", did, o.Slug)
			p.Next("admit org " + undo + " " + o.Slug)
			return showOrg(p, o)
		})
	}
	return whoseOrg(c).with(p, func(a *app.App, o org.Org, u user.User) error {
		m, err := a.Orgs.Rest(p.Ctx, authz.System, o.ID, u.ID, suspended)
		if err != nil {
			return err
		}
		p.Say("%s %s in %s.", did, cli.Label(u), o.Slug)
		p.Next("admit org " + undo + " " + o.Slug + " " + cli.Label(u))
		return showMember(p, m)
	})
}

type orgTransferCmd struct{ whoseOrg }

// Help is the example of the help page.
func (orgTransferCmd) Help() string {
	return "Whoever owned it before is an admin, if they hold no other role there. For an owner more, see admit org role grant.\n\n" +
		"Example:\n\n\tadmit org transfer acme bob@example.com"
}

// Run hands an organization over.
func (c *orgTransferCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org, u user.User) error {
		m, err := a.Orgs.Transfer(p.Ctx, authz.System, o.ID, u.ID)
		if err != nil {
			return err
		}
		p.Say("%s owns %s now, and nobody else.", cli.Label(u), o.Slug)
		p.Next("admit org members " + o.Slug)
		return showMember(p, m)
	})
}

type orgDeleteCmd struct {
	whichOrg
	Yes bool `short:"y" help:"Do not ask."`
}

// Help is the example of the help page.
func (orgDeleteCmd) Help() string {
	return "The people stay. To keep everybody out for a time, see admit org suspend.\n\nExample:\n\n\tadmit org delete acme"
}

// Run deletes an organization.
func (c *orgDeleteCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org) error {
		root, err := a.Authz.Root(p.Ctx)
		if err != nil {
			return err
		}
		rows, _ := root.OrgRows(o.ID)
		what := "Deleting " + o.Slug + ", with " + cli.Plural(len(rows.Members), "membership") + " and " + cli.Plural(len(rows.Roles), "role") + " of its own,"
		if err := p.Confirm(c.Yes, what, o.Slug); err != nil {
			return err
		}
		if err := a.Orgs.Delete(p.Ctx, authz.System, o.ID); err != nil {
			return err
		}
		p.Say("Deleted %s.", o.Slug)
		p.Next("admit org list")
		return p.Gone(o.ID)
	})
}
