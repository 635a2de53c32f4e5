package main

import (
	"strconv"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

type userDisableCmd struct{ whose }

// Help is the example of the help page.
func (userDisableCmd) Help() string { return "Example:\n\n\tadmit user disable ann@example.com" }

// Run keeps a person from signing in.
func (c *userDisableCmd) Run(p *program) error {
	return c.with(p, func(a *app.App, u user.User) error {
		if err := a.Accounts.Disable(p.ctx, authz.System, u.ID); err != nil {
			return err
		}
		p.say("Disabled %s. Nobody is signed in as them any more.", label(u))
		p.next("admit user enable " + label(u))
		return p.after(a, u)
	})
}

type userEnableCmd struct{ whose }

// Help is the example of the help page.
func (userEnableCmd) Help() string { return "Example:\n\n\tadmit user enable ann@example.com" }

// Run lets a person sign in again.
func (c *userEnableCmd) Run(p *program) error {
	return c.with(p, func(a *app.App, u user.User) error {
		if err := a.Accounts.Enable(p.ctx, authz.System, u.ID); err != nil {
			return err
		}
		p.say("Enabled %s. They may sign in again.", label(u))
		p.next("admit user get " + label(u))
		return p.after(a, u)
	})
}

// after gives a program the person as the change left them.
func (p *program) after(a *app.App, u user.User) error {
	if !p.JSON {
		return nil
	}
	u, err := a.Users.Get(p.ctx, u.ID)
	if err != nil {
		return err
	}
	return p.json(viewOf(u))
}

type userSessionsCmd struct{ whose }

// Help is the example of the help page.
func (userSessionsCmd) Help() string {
	return "Piped, each line is: id, transport, methods, created, last seen, expires, address, user agent.\n\nExample:\n\n\tadmit user sessions ann@example.com"
}

// Run lists where a person is signed in.
func (c *userSessionsCmd) Run(p *program) error {
	return c.with(p, func(a *app.App, u user.User) error {
		list, err := a.Sessions.List(p.ctx, u.ID)
		if err != nil {
			return err
		}
		if p.JSON {
			views := make([]sessionView, len(list))
			for i, n := range list {
				views[i] = sessionView{n.ID, string(n.Transport), n.IP, n.UserAgent, n.AMR, n.CreatedAt, n.SeenAt, n.ExpiresAt}
			}
			return p.json(page{Items: views})
		}
		rows := make([][]string, len(list))
		for i, n := range list {
			rows[i] = []string{n.ID, string(n.Transport), strings.Join(n.AMR, ","), stamp(n.CreatedAt), stamp(n.SeenAt), stamp(n.ExpiresAt), n.IP, n.UserAgent}
		}
		if len(rows) == 0 {
			p.say("%s is not signed in anywhere.", label(u))
			return nil
		}
		err = p.table([]string{"ID", "TRANSPORT", "METHODS", "CREATED", "LAST SEEN", "EXPIRES", "ADDRESS", "USER AGENT"}, rows)
		p.next("admit user logout " + label(u))
		return err
	})
}

type userLogoutCmd struct{ whose }

// Help is the example of the help page.
func (userLogoutCmd) Help() string { return "Example:\n\n\tadmit user logout ann@example.com" }

// Run ends every session of a person.
func (c *userLogoutCmd) Run(p *program) error {
	return c.with(p, func(a *app.App, u user.User) error {
		n, err := a.Sessions.RevokeAll(p.ctx, u.ID, "", session.RevokedByAdmin)
		if err != nil {
			return err
		}
		p.say("Ended %s of %s. A service that checks tokens by itself follows when they expire.", plural(n, "session"), label(u))
		p.next("admit user disable " + label(u))
		if p.JSON {
			return p.json(map[string]any{"id": u.ID, "revoked": n})
		}
		return nil
	})
}

type userDeleteCmd struct {
	whose
	Yes bool `short:"y" help:"Do not ask."`
}

// Help is the example of the help page.
func (userDeleteCmd) Help() string { return "Example:\n\n\tadmit user delete ann@example.com" }

// Run deletes a person.
func (c *userDeleteCmd) Run(p *program) error {
	return c.with(p, func(a *app.App, u user.User) error {
		list, err := a.Sessions.List(p.ctx, u.ID)
		if err != nil {
			return err
		}
		what := "Deleting " + label(u) + ", with " + plural(len(list), "session") + " and " + plural(len(u.Roles), "role") + ","
		if err := p.confirm(c.Yes, what, label(u)); err != nil {
			return err
		}
		if err := a.Accounts.Delete(p.ctx, authz.System, u.ID); err != nil {
			return err
		}
		p.say("Deleted %s.", label(u))
		p.next("admit user list")
		if p.JSON {
			return p.json(map[string]any{"id": u.ID, "deleted": true})
		}
		return nil
	})
}

func yesNo(b bool) string { return strconv.FormatBool(b) }
