// Package rights is the commands about organizations, roles, permissions and guards.
package rights

import (
	"errors"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/user"
)

// Org is what an operator does with organizations.
type Org struct {
	List         orgListCmd         `cmd:"" help:"List organizations, newest first."`
	Create       orgCreateCmd       `cmd:"" help:"Make an organization."`
	Get          orgGetCmd          `cmd:"" help:"Show one organization."`
	Rename       orgRenameCmd       `cmd:"" help:"Give an organization another name or slug."`
	RequireMFA   orgRequireMFACmd   `cmd:"" name:"require-mfa" help:"Require a second factor of the members of an organization, or no longer."`
	Suspend      orgSuspendCmd      `cmd:"" help:"Let everything in an organization rest, or everything that one member holds there."`
	Reinstate    orgReinstateCmd    `cmd:"" help:"Take a suspension back."`
	Transfer     orgTransferCmd     `cmd:"" help:"Make a member the owner, in place of those there are."`
	Delete       orgDeleteCmd       `cmd:"" help:"Delete an organization and everything in it."`
	Members      orgMembersCmd      `cmd:"" help:"List who belongs to an organization."`
	AddMember    orgAddMemberCmd    `cmd:"" help:"Make a person a member, without asking them."`
	RemoveMember orgRemoveMemberCmd `cmd:"" help:"Take a person out of an organization."`
	Invite       orgInviteCmd       `cmd:"" help:"Print a link by which somebody joins."`
	Invitations  orgInvitationsCmd  `cmd:"" help:"List who was invited and has not answered."`
	Uninvite     orgUninviteCmd     `cmd:"" help:"Take an invitation back."`
	Role         orgRoleCmd         `cmd:"" help:"Roles of one organization: list, get, create, set, delete, grant, revoke."`
}

// whichOrg is the organization a command is about.
type whichOrg struct {
	Org string `arg:"" help:"Id or slug of an organization."`
}

// with opens the store, finds the organization and has f do the work.
func (w whichOrg) with(p *cli.Program, f func(a *app.App, o org.Org) error) error {
	a, err := p.Open(false)
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

// findOrg gives the zero Org for "", which is the platform.
func findOrg(p *cli.Program, a *app.App, ref string) (org.Org, error) {
	if ref == "" {
		return org.Org{}, nil
	}
	o, err := a.Orgs.Find(p.Ctx, authz.System, ref)
	if !errors.Is(err, org.ErrNotFound) {
		return o, err
	}
	some, err := a.Orgs.All(p.Ctx, authz.System, "", "", 1000)
	if err != nil {
		return o, err
	}
	near := cli.Meant(strings.ToLower(ref), cli.Mapped(some.Items, func(o org.Org) string { return o.Slug }))
	return o, cli.Refuse(cli.ExitNotFound, "There is no organization %q.%s See admit org list.", ref, near)
}

// whoseOrg is a person in an organization.
type whoseOrg struct {
	Org  string `arg:"" help:"Id or slug of an organization."`
	User string `arg:"" help:"Id, e-mail address, username or phone number."`
}

func (w whoseOrg) with(p *cli.Program, f func(a *app.App, o org.Org, u user.User) error) error {
	return whichOrg{w.Org}.with(p, func(a *app.App, o org.Org) error {
		u, err := cli.FindUser(p, a, w.User)
		if err != nil {
			return err
		}
		err = f(a, o, u)
		if errors.Is(err, org.ErrMember) {
			err = cli.Refuse(cli.ExitNotFound, "%s is not a member of %s. See admit org members %s, or admit org add-member.", cli.Label(u), o.Slug, o.Slug)
		}
		return err
	})
}

type orgListCmd struct{ cli.Part }

// Help is the example of the help page.
func (orgListCmd) Help() string {
	return "Piped, each line is: id, slug, name, active or suspended, created.\n\nExample:\n\n\tadmit org list --json | jq -r '.items[].slug'"
}

// Run lists organizations.
func (c *orgListCmd) Run(p *cli.Program) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	l, err := a.Orgs.All(p.Ctx, authz.System, "", c.After, c.Limit)
	if err != nil {
		return err
	}
	if err := cli.Listed(p, cli.Mapped(l.Items, orgOf), l.Next, []string{"ID", "SLUG", "NAME", "STATE", "CREATED"}, func(o orgView) []string {
		return []string{o.ID, o.Slug, o.Name, resting(o.Suspended), cli.Stamp(o.CreatedAt)}
	}); err != nil || p.JSON {
		return err
	}
	if len(l.Items) == 0 && c.After == "" {
		p.Say("There is no organization yet.")
		p.Next("admit org create NAME --owner USER")
	}
	p.More("admit org list", l.Next)
	return nil
}

type orgCreateCmd struct {
	Name  string `arg:"" help:"What it is called."`
	Slug  string `help:"Its name in addresses: 2 to 48 letters, digits and hyphens. Made from the name when left out." placeholder:"SLUG"`
	Owner string `help:"Who owns it." placeholder:"USER"`
}

// Help is the example of the help page.
func (orgCreateCmd) Help() string {
	return "Prints the id of the new organization.\n\nExample:\n\n\tadmit org create \"Acme Inc\" --slug acme --owner ann@example.com"
}

// Run makes an organization.
func (c *orgCreateCmd) Run(p *cli.Program) error {
	a, err := p.Open(true)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	var owner user.User
	if c.Owner != "" {
		if owner, err = cli.FindUser(p, a, c.Owner); err != nil {
			return err
		}
	}
	o, err := a.Orgs.Create(p.Ctx, authz.System, org.New{Name: c.Name, Slug: c.Slug, Owner: owner.ID})
	if err != nil {
		return err
	}
	if p.JSON {
		err = p.Print(orgOf(o))
	} else {
		err = p.Table(nil, [][]string{{o.ID}})
	}
	if c.Owner == "" {
		p.Say("Made %s. Nobody owns it yet.", o.Slug)
		p.Next("admit org add-member " + o.Slug + " USER --role owner")
		return err
	}
	p.Say("Made %s, which %s owns.", o.Slug, cli.Label(owner))
	p.Next("admit org invite "+o.Slug+" ADDRESS", "admit org role create "+o.Slug+" NAME --permission PATTERN")
	return err
}

type orgGetCmd struct{ whichOrg }

// Help is the example of the help page.
func (orgGetCmd) Help() string { return "Example:\n\n\tadmit org get acme" }

// Run shows one organization.
func (c *orgGetCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org) error {
		if p.JSON {
			return p.Print(orgOf(o))
		}
		root, err := a.Authz.Root(p.Ctx)
		if err != nil {
			return err
		}
		var owners []string
		for _, id := range root.Owners(o.ID) {
			u, err := a.Users.Get(p.Ctx, id)
			if err != nil {
				return err
			}
			owners = append(owners, cli.Label(u))
		}
		rows, _ := root.OrgRows(o.ID)
		err = p.Table(nil, [][]string{
			{"id", o.ID}, {"slug", o.Slug}, {"name", o.Name}, {"state", resting(o.SuspendedAt != nil)}, {"second_factor", requiring(o.RequireMFA)}, {"owners", strings.Join(owners, ",")},
			{"members", cli.Number(len(rows.Members))}, {"created_at", cli.Stamp(o.CreatedAt)}, {"updated_at", cli.Stamp(o.UpdatedAt)},
		})
		p.Next("admit org members "+o.Slug, "admit org role list "+o.Slug)
		return err
	})
}

// requiring is how it stands with the second factors of members.
func requiring(mfa bool) string {
	if mfa {
		return "required"
	}
	return "optional"
}

// resting is the state of what may be suspended.
func resting(suspended bool) string {
	if suspended {
		return "suspended"
	}
	return "active"
}
