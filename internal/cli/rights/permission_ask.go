package rights

import (
	"encoding/json"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/check"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/user"
)

// given is what conditions may read of a question.
type given struct {
	Resource string `help:"What conditions read as resource: a JSON object." placeholder:"JSON"`
	Context  string `help:"What conditions read as context: a JSON object." placeholder:"JSON"`
}

func (g given) facts() (f check.Facts, err error) {
	for _, part := range []struct {
		name, text string
		to         *map[string]any
	}{{"--resource", g.Resource, &f.Resource}, {"--context", g.Context, &f.Context}} {
		if part.text != "" && json.Unmarshal([]byte(part.text), part.to) != nil {
			return f, cli.Refuse(cli.ExitUsage, `%s is a JSON object, such as {"owner":"usr_1"}.`, part.name)
		}
	}
	return f, nil
}

// question is whether a person is allowed something.
type question struct {
	User       string `arg:"" help:"Id, e-mail address, username or phone number."`
	Permission string `arg:"" help:"Name of a permission."`
	whereTo
	given
}

// with finds what the question is about and has f put it.
func (c question) with(p *cli.Program, f func(r *check.Round, q check.Question, u user.User, o org.Org) error) error {
	return c.whereTo.with(p, false, func(a *app.App, o org.Org) error {
		u, err := cli.FindUser(p, a, c.User)
		if err != nil {
			return err
		}
		facts, err := c.facts()
		if err != nil {
			return err
		}
		r, err := a.Checks.Begin(p.Ctx, authz.System, "")
		if err != nil {
			return err
		}
		return undeclared(c.Permission, f(r, check.Question{Subject: u.ID, Permission: c.Permission, OrgID: o.ID, Facts: facts}, u, o))
	})
}

type permissionCheckCmd struct{ question }

// Help is the example of the help page.
func (permissionCheckCmd) Help() string {
	return "The exit code is 0 when they are allowed it and 4 when not. Piped, the line is: allowed or denied, a word that says why.\n\n" +
		"Examples:\n\n\tadmit permission check ann@example.com post_job --org acme\n\tadmit permission check ann@example.com sys:users:read -q && echo yes"
}

// Run asks.
func (c *permissionCheckCmd) Run(p *cli.Program) error {
	return c.with(p, func(r *check.Round, q check.Question, u user.User, o org.Org) error {
		answer, err := r.Check(q)
		if err != nil {
			return err
		}
		if p.JSON {
			err = p.Print(answer)
		} else {
			err = p.Table(nil, [][]string{{verdict(answer.Allowed), string(answer.Code)}})
		}
		p.Next("admit permission explain " + cli.Label(u) + " " + c.Permission + inOrg(o))
		if err == nil && !answer.Allowed {
			err = cli.Silent(cli.ExitNotAllowed)
		}
		return err
	})
}

func verdict(allowed bool) string {
	if allowed {
		return "allowed"
	}
	return "denied"
}

type permissionExplainCmd struct{ question }

// Help is the example of the help page.
func (permissionExplainCmd) Help() string {
	return "Names every role that gives it, everything that stands against it and, where it is missing, the roles that would give it.\n\n" +
		"Example:\n\n\tadmit permission explain ann@example.com post_job --org acme"
}

// Run explains.
func (c *permissionExplainCmd) Run(p *cli.Program) error {
	return c.with(p, func(r *check.Round, q check.Question, u user.User, o org.Org) error {
		e, err := r.Explain(q)
		if err != nil {
			return err
		}
		if p.JSON {
			return p.Print(e)
		}
		why := reasons{e, cli.Label(u), o.Slug}
		err = p.Table(nil, cli.Mapped(why.lines(), func(line string) []string { return []string{line} }))
		if ways := why.ways(); len(ways) > 0 {
			p.Next(ways[:min(len(ways), 3)]...)
		}
		return err
	})
}

type permissionWhoCmd struct {
	Permission string `arg:"" help:"Name of a permission."`
	whereTo
	given
	cli.Part
}

// Help is the example of the help page.
func (permissionWhoCmd) Help() string {
	return "Piped, each line is: id, e-mail address or other name, roles that give it, always or sometimes: for a condition that reads more than was given.\n\n" +
		"Example:\n\n\tadmit permission who post_job --org acme"
}

// Run lists who is allowed something.
func (c *permissionWhoCmd) Run(p *cli.Program) error {
	return c.whereTo.with(p, false, func(a *app.App, o org.Org) error {
		facts, err := c.facts()
		if err != nil {
			return err
		}
		l, err := a.Checks.WhoCan(p.Ctx, authz.System, check.Who{Permission: c.Permission, OrgID: o.ID, Facts: facts, Page: check.Page{Limit: c.Limit, Cursor: c.After}})
		if err != nil {
			return undeclared(c.Permission, err)
		}
		names := map[string]string{}
		for _, i := range l.Items {
			u, err := a.Users.Get(p.Ctx, i.ID)
			if err != nil {
				return err
			}
			names[i.ID] = cli.Label(u)
		}
		if len(l.Items) == 0 && c.After == "" {
			p.Say("Nobody is allowed %s%s.", c.Permission, in(o.Slug))
		}
		can := func(i authz.Item) check.CanUser { return check.CanUser{UserID: i.ID, By: check.NewBy(i)} }
		err = cli.Listed(p, cli.Mapped(l.Items, can), l.Next, []string{"ID", "WHO", "ROLES", "WHEN"}, func(u check.CanUser) []string {
			when := "always"
			if u.Conditional {
				when = "sometimes"
			}
			return []string{u.UserID, names[u.UserID], strings.Join(u.Roles, ","), when}
		})
		p.More("admit permission who "+c.Permission+inOrg(o), l.Next)
		p.Next("admit permission explain USER " + c.Permission + inOrg(o))
		return err
	})
}
