package rights

import (
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/user"
)

type orgMembersCmd struct {
	whichOrg
	cli.Part
}

// Help is the example of the help page.
func (orgMembersCmd) Help() string {
	return "Piped, each line is: id, e-mail address, username, name, roles, active or suspended, since when.\n\nExample:\n\n\tadmit org members acme"
}

// Run lists who belongs to an organization, the first who joined first.
func (c *orgMembersCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org) error {
		l, err := a.Orgs.Members(p.Ctx, authz.System, o.ID, org.Whom{}, c.After, c.Limit)
		if err != nil {
			return err
		}
		heading := []string{"ID", "E-MAIL", "USERNAME", "NAME", "ROLES", "STATE", "SINCE"}
		if p.JSON {
			return cli.Listed(p, cli.Mapped(l.Items, memberOf), l.Next, heading, nil)
		}
		if len(l.Items) == 0 && c.After == "" {
			p.Say("Nobody belongs to %s yet.", o.Slug)
		}
		err = cli.Listed(p, l.Items, l.Next, heading, func(m org.Member) []string {
			return []string{m.User.ID, m.User.Email, m.User.Username, m.User.Name, strings.Join(cli.Mapped(m.Roles, heldText), ","), resting(m.SuspendedAt != nil), cli.Stamp(m.CreatedAt)}
		})
		p.More("admit org members "+o.Slug, l.Next)
		p.Next("admit org role grant "+o.Slug+" USER ROLE", "admit org invite "+o.Slug+" ADDRESS")
		return err
	})
}

func heldText(h org.Held) string {
	if h.ExpiresAt == nil {
		return h.Key
	}
	return h.Key + " until " + cli.Stamp(*h.ExpiresAt)
}

type orgAddMemberCmd struct {
	whoseOrg
	Role []string `default:"member" help:"Role in the organization; may be repeated." placeholder:"ROLE"`
}

// Help is the example of the help page.
func (orgAddMemberCmd) Help() string {
	return "To ask them first, see admit org invite.\n\nExample:\n\n\tadmit org add-member acme bob@example.com --role recruiter"
}

// Run makes a person a member.
func (c *orgAddMemberCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org, u user.User) error {
		if err := known(p, a, o, c.Role); err != nil {
			return err
		}
		m, err := a.Orgs.Add(p.Ctx, authz.System, o.ID, u.ID, c.Role)
		if err != nil {
			return err
		}
		p.Say("%s belongs to %s now, as %s.", cli.Label(u), o.Slug, strings.Join(cli.Mapped(m.Roles, heldText), ", "))
		p.Next("admit org role grant "+o.Slug+" "+cli.Label(u)+" ROLE", "admit org members "+o.Slug)
		return showMember(p, m)
	})
}

// known refuses a role that is not there, and says which was probably meant.
func known(p *cli.Program, a *app.App, o org.Org, refs []string) error {
	roles, err := a.Orgs.Roles(p.Ctx, authz.System, o.ID)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if !slices.ContainsFunc(roles, func(r org.Role) bool { return r.ID == ref || r.Key == ref }) {
			near := cli.Meant(ref, cli.Mapped(roles, func(r org.Role) string { return r.Key }))
			return cli.Refuse(cli.ExitNotFound, "There is no role %q in %s.%s See admit org role list %s.", ref, o.Slug, near, o.Slug)
		}
	}
	return nil
}

type orgRemoveMemberCmd struct{ whoseOrg }

// Help is the example of the help page.
func (orgRemoveMemberCmd) Help() string {
	return "The person keeps their account.\n\nExample:\n\n\tadmit org remove-member acme bob@example.com"
}

// Run takes a person out of an organization.
func (c *orgRemoveMemberCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org, u user.User) error {
		if err := a.Orgs.Remove(p.Ctx, authz.System, o.ID, u.ID); err != nil {
			return err
		}
		p.Say("%s no longer belongs to %s.", cli.Label(u), o.Slug)
		p.Next("admit org members " + o.Slug)
		return p.Gone(u.ID)
	})
}

type orgRoleGrantCmd struct {
	whoseOrg
	Role string        `arg:"" help:"Role of the organization."`
	For  time.Duration `help:"How long, such as 8h. For good when left out." placeholder:"TIME"`
}

// Help is the example of the help page.
func (orgRoleGrantCmd) Help() string {
	return "The roles they hold stay.\n\nExamples:\n\n\tadmit org role grant acme bob@example.com recruiter\n\tadmit org role grant acme eve@example.com admin --for 8h"
}

// Run gives a member a role.
func (c *orgRoleGrantCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org, u user.User) error {
		if err := known(p, a, o, []string{c.Role}); err != nil {
			return err
		}
		var until *time.Time
		if c.For != 0 {
			end := a.DB.Now().Add(c.For)
			until = &end
		}
		m, err := a.Orgs.GrantRole(p.Ctx, authz.System, o.ID, u.ID, c.Role, until)
		if err != nil {
			return err
		}
		p.Say("%s holds in %s now: %s.", cli.Label(u), o.Slug, strings.Join(cli.Mapped(m.Roles, heldText), ", "))
		p.Next("admit org role revoke " + o.Slug + " " + cli.Label(u) + " " + c.Role)
		return showMember(p, m)
	})
}

type orgRoleRevokeCmd struct {
	whoseOrg
	Role string `arg:"" help:"Role of the organization."`
}

// Help is the example of the help page.
func (orgRoleRevokeCmd) Help() string {
	return "Whoever has no role left still belongs to the organization: see admit org remove-member.\n\nExample:\n\n\tadmit org role revoke acme bob@example.com recruiter"
}

// Run takes a role from a member.
func (c *orgRoleRevokeCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org, u user.User) error {
		if err := known(p, a, o, []string{c.Role}); err != nil {
			return err
		}
		m, err := a.Orgs.RevokeRole(p.Ctx, authz.System, o.ID, u.ID, c.Role)
		if err != nil {
			return err
		}
		holds := "no role"
		if len(m.Roles) > 0 {
			holds = strings.Join(cli.Mapped(m.Roles, heldText), ", ")
		}
		p.Say("%s holds in %s now: %s.", cli.Label(u), o.Slug, holds)
		p.Next("admit org members " + o.Slug)
		return showMember(p, m)
	})
}
