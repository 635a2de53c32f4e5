package rights

import (
	"errors"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/org"
)

// Guard is what an operator does with guards.
type Guard struct {
	List   guardListCmd   `cmd:"" help:"List the guards of everywhere, or of one organization."`
	Add    guardAddCmd    `cmd:"" help:"Make a condition that must hold."`
	Remove guardRemoveCmd `cmd:"" help:"Lift a condition."`
}

// whereTo is the organization something is about, if it is one.
type whereTo struct {
	Org string `help:"Organization it is about, by id or slug; none when left out." placeholder:"ORG"`
}

func (w whereTo) with(p *cli.Program, begin bool, f func(a *app.App, o org.Org) error) error {
	a, err := p.Open(begin)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	o, err := findOrg(p, a, w.Org)
	if err != nil {
		return err
	}
	return f(a, o)
}

// inOrg is how a command goes on about the same organization.
func inOrg(o org.Org) string {
	if o.ID == "" {
		return ""
	}
	return " --org " + o.Slug
}

type guardListCmd struct{ whereTo }

// Help is the example of the help page.
func (guardListCmd) Help() string {
	return "Piped, each line is: id, pattern, condition, message.\n\nExamples:\n\n\tadmit guard list\n\tadmit guard list --org acme"
}

// Run lists guards.
func (c *guardListCmd) Run(p *cli.Program) error {
	return c.with(p, false, func(a *app.App, o org.Org) error {
		guards, err := guardsOf(p, a, o)
		if err != nil {
			return err
		}
		if len(guards) == 0 {
			p.Say("There is no guard here.")
		}
		err = cli.Listed(p, cli.Mapped(guards, guardOf), "", []string{"ID", "PATTERN", "CONDITION", "MESSAGE"}, func(g guardView) []string {
			return []string{g.ID, g.Pattern, g.Condition, g.Message}
		})
		p.Next("admit guard add PATTERN CONDITION" + inOrg(o))
		return err
	})
}

func guardsOf(p *cli.Program, a *app.App, o org.Org) ([]authz.Guard, error) {
	if o.ID == "" {
		return a.Authz.Guards(p.Ctx, authz.System)
	}
	return a.Orgs.Guards(p.Ctx, authz.System, o.ID)
}

type guardAddCmd struct {
	Pattern   string `arg:"" help:"What it stands before, such as billing:*."`
	Condition string `arg:"" help:"What must hold (CEL), over subject, org, resource, context and now."`
	Message   string `help:"What the refused are told." placeholder:"TEXT"`
	whereTo
}

// Help is the example of the help page.
func (guardAddCmd) Help() string {
	return "Prints the id of the new guard. It holds from the next check on.\n\nExamples:\n\n" +
		"\tadmit guard add 'billing:*' 'context.auth_age < 900' --message 'Sign in again first.'\n\tadmit guard add post_job 'now.getHours() < 18' --org acme"
}

// Run makes a guard.
func (c *guardAddCmd) Run(p *cli.Program) error {
	return c.whereTo.with(p, true, func(a *app.App, o org.Org) (err error) {
		g := authz.Guard{Pattern: c.Pattern, Condition: c.Condition, Message: c.Message}
		if o.ID == "" {
			g, err = a.Authz.AddGuard(p.Ctx, authz.System, g)
		} else {
			g, err = a.Orgs.AddGuard(p.Ctx, authz.System, o.ID, g)
		}
		if err != nil {
			return err
		}
		if p.JSON {
			err = p.Print(guardOf(g))
		} else {
			err = p.Table(nil, [][]string{{g.ID}})
		}
		p.Say("%s is permitted only while this holds: %s", g.Pattern, g.Condition)
		p.Next("admit guard remove " + g.ID + inOrg(o))
		return err
	})
}

type guardRemoveCmd struct {
	ID string `arg:"" help:"Id of a guard."`
	whereTo
}

// Help is the example of the help page.
func (guardRemoveCmd) Help() string { return "Example:\n\n\tadmit guard remove ID --org acme" }

// Run lifts a guard.
func (c *guardRemoveCmd) Run(p *cli.Program) error {
	return c.whereTo.with(p, false, func(a *app.App, o org.Org) (err error) {
		if o.ID == "" {
			err = a.Authz.RemoveGuard(p.Ctx, authz.System, c.ID)
		} else {
			err = a.Orgs.RemoveGuard(p.Ctx, authz.System, o.ID, c.ID)
		}
		switch {
		case errors.Is(err, authz.ErrGuardNotFound):
			return cli.Refuse(cli.ExitNotFound, "There is no guard %q that holds everywhere. For one of an organization say --org.", c.ID)
		case errors.Is(err, org.ErrGuard):
			return cli.Refuse(cli.ExitNotFound, "There is no guard %q in %s. See admit guard list --org %s.", c.ID, o.Slug, o.Slug)
		case err != nil:
			return err
		}
		p.Say("Lifted the guard %s.", c.ID)
		p.Next("admit guard list" + inOrg(o))
		return p.Gone(c.ID)
	})
}
