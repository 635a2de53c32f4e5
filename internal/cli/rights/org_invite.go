package rights

import (
	"errors"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/user"
)

type orgInviteCmd struct {
	whichOrg
	Email string   `arg:"" help:"Address of whoever is invited. They need no account yet."`
	Role  []string `default:"member" help:"Role they will have; may be repeated." placeholder:"ROLE"`
	Again bool     `help:"Make a new link for somebody who is invited already. The one before is worth nothing any more."`
}

// Help is the example of the help page.
func (orgInviteCmd) Help() string {
	return "The link goes out by mail too. It lets in only who it was made for.\n\n" +
		"Examples:\n\n\tadmit org invite acme bob@example.com --role recruiter\n\tadmit org invite acme bob@example.com --again"
}

// Run invites somebody.
func (c *orgInviteCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org) error {
		i, err := c.invite(p, a, o)
		if err != nil {
			return err
		}
		link := a.Orgs.Link(i)
		if p.JSON {
			err = p.Print(struct {
				invitationView
				URL string `json:"url"`
			}{invitationOf(i), link})
		} else {
			err = p.Table(nil, [][]string{{link}})
		}
		p.Say("It lets %s join %s until %s.", i.Email, o.Slug, cli.Stamp(i.ExpiresAt))
		p.Next("admit org invitations "+o.Slug, "admit org uninvite "+o.Slug+" "+i.Email)
		return err
	})
}

func (c *orgInviteCmd) invite(p *cli.Program, a *app.App, o org.Org) (org.Invitation, error) {
	if c.Again {
		i, err := invited(p, a, o, c.Email)
		if err != nil {
			return i, err
		}
		return a.Orgs.Resend(p.Ctx, authz.System, o.ID, i.ID)
	}
	if err := known(p, a, o, c.Role); err != nil {
		return org.Invitation{}, err
	}
	i, err := a.Orgs.Invite(p.Ctx, authz.System, o.ID, c.Email, c.Role)
	if errors.Is(err, org.ErrInvited) {
		err = cli.Refuse(cli.ExitFailed, "%s is invited to %s already. Say --again for a new link, or see admit org uninvite.", c.Email, o.Slug)
	}
	return i, err
}

// invited finds an invitation by its id or the address it is for.
func invited(p *cli.Program, a *app.App, o org.Org, ref string) (i org.Invitation, err error) {
	if address, err := user.ParseEmail(ref); err == nil {
		ref = address.Value
	}
	for after := ""; ; {
		l, err := a.Orgs.Invitations(p.Ctx, authz.System, o.ID, after, 1000)
		if err != nil {
			return i, err
		}
		if at := slices.IndexFunc(l.Items, func(i org.Invitation) bool { return i.ID == ref || i.Email == ref }); at >= 0 {
			return l.Items[at], nil
		}
		if after = l.Next; after == "" {
			return i, cli.Refuse(cli.ExitNotFound, "No invitation to %s waits for %q. See admit org invitations %s.", o.Slug, ref, o.Slug)
		}
	}
}

type orgInvitationsCmd struct {
	whichOrg
	cli.Part
}

// Help is the example of the help page.
func (orgInvitationsCmd) Help() string {
	return "Piped, each line is: id, e-mail address, roles, sent, expires.\n\nExample:\n\n\tadmit org invitations acme"
}

// Run lists invitations, newest first.
func (c *orgInvitationsCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org) error {
		l, err := a.Orgs.Invitations(p.Ctx, authz.System, o.ID, c.After, c.Limit)
		if err != nil {
			return err
		}
		roles, err := a.Orgs.Roles(p.Ctx, authz.System, o.ID)
		if err != nil {
			return err
		}
		keys := map[string]string{}
		for _, r := range roles {
			keys[r.ID] = r.Key
		}
		if len(l.Items) == 0 && c.After == "" {
			p.Say("No invitation to %s waits for an answer.", o.Slug)
		}
		err = cli.Listed(p, cli.Mapped(l.Items, invitationOf), l.Next, []string{"ID", "E-MAIL", "ROLES", "SENT", "EXPIRES"}, func(i invitationView) []string {
			named := cli.Mapped(i.Roles, func(id string) string { return keys[id] })
			return []string{i.ID, i.Email, strings.Join(named, ","), cli.Stamp(i.SentAt), cli.Stamp(i.ExpiresAt)}
		})
		p.More("admit org invitations "+o.Slug, l.Next)
		return err
	})
}

type orgUninviteCmd struct {
	whichOrg
	Email string `arg:"" help:"Address that was invited, or the id of the invitation."`
}

// Help is the example of the help page.
func (orgUninviteCmd) Help() string { return "Example:\n\n\tadmit org uninvite acme bob@example.com" }

// Run takes an invitation back.
func (c *orgUninviteCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, o org.Org) error {
		i, err := invited(p, a, o, c.Email)
		if err != nil {
			return err
		}
		if err := a.Orgs.Revoke(p.Ctx, authz.System, o.ID, i.ID); err != nil {
			return err
		}
		p.Say("The invitation of %s to %s is worth nothing any more.", i.Email, o.Slug)
		p.Next("admit org invitations " + o.Slug)
		return p.Gone(i.ID)
	})
}
