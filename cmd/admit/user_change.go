package main

import (
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

type userDisableCmd struct{ cli.Whose }

// Help is the example of the help page.
func (userDisableCmd) Help() string { return "Example:\n\n\tadmit user disable ann@example.com" }

// Run keeps a person from signing in.
func (c *userDisableCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		if err := a.Accounts.Disable(p.Ctx, authz.System, u.ID); err != nil {
			return err
		}
		p.Say("Disabled %s. Nobody is signed in as them any more.", cli.Label(u))
		p.Next("admit user enable " + cli.Label(u))
		return p.After(a, u)
	})
}

type userEnableCmd struct{ cli.Whose }

// Help is the example of the help page.
func (userEnableCmd) Help() string { return "Example:\n\n\tadmit user enable ann@example.com" }

// Run lets a person sign in again.
func (c *userEnableCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		if err := a.Accounts.Enable(p.Ctx, authz.System, u.ID); err != nil {
			return err
		}
		p.Say("Enabled %s. They may sign in again.", cli.Label(u))
		p.Next("admit user get " + cli.Label(u))
		return p.After(a, u)
	})
}

type userUnlockCmd struct{ cli.Whose }

// Help is the example of the help page.
func (userUnlockCmd) Help() string { return "Example:\n\n\tadmit user unlock ann@example.com" }

// Run opens an account that is locked.
func (c *userUnlockCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		if err := a.Accounts.Unlock(p.Ctx, authz.System, u.ID); err != nil {
			return err
		}
		p.Say("Unlocked %s. Wrong passwords so far are forgotten.", cli.Label(u))
		p.Next("admit user get "+cli.Label(u), "admit user disable "+cli.Label(u))
		return p.After(a, u)
	})
}

type userSessionsCmd struct{ cli.Whose }

// Help is the example of the help page.
func (userSessionsCmd) Help() string {
	return "Piped, each line is: id, transport, methods, created, last seen, expires, address, user agent, who acts there in their name.\n\nExample:\n\n\tadmit user sessions ann@example.com"
}

// Run lists where a person is signed in.
func (c *userSessionsCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		list, err := a.Sessions.List(p.Ctx, u.ID)
		if err != nil {
			return err
		}
		if p.JSON {
			views := make([]sessionView, len(list))
			for i, n := range list {
				views[i] = sessionView{n.ID, string(n.Transport), n.IP, n.UserAgent, n.AMR, n.CreatedAt, n.SeenAt, n.ExpiresAt, actor(n)}
			}
			return p.Print(cli.Page{Items: views})
		}
		rows := make([][]string, len(list))
		for i, n := range list {
			rows[i] = []string{n.ID, string(n.Transport), strings.Join(n.AMR, ","), cli.Stamp(n.CreatedAt), cli.Stamp(n.SeenAt), cli.Stamp(n.ExpiresAt), n.IP, n.UserAgent, actor(n)}
		}
		if len(rows) == 0 {
			p.Say("%s is not signed in anywhere.", cli.Label(u))
			return nil
		}
		err = p.Table([]string{"ID", "TRANSPORT", "METHODS", "CREATED", "LAST SEEN", "EXPIRES", "ADDRESS", "USER AGENT", "ACTING"}, rows)
		p.Next("admit user logout " + cli.Label(u))
		return err
	})
}

type userLogoutCmd struct{ cli.Whose }

// Help is the example of the help page.
func (userLogoutCmd) Help() string { return "Example:\n\n\tadmit user logout ann@example.com" }

// Run ends every session of a person.
func (c *userLogoutCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		n, err := a.Sessions.RevokeAll(p.Ctx, u.ID, "", session.RevokedByAdmin)
		if err != nil {
			return err
		}
		p.Say("Ended %s of %s. A service that checks tokens by itself follows when they expire.", cli.Plural(n, "session"), cli.Label(u))
		p.Next("admit user disable " + cli.Label(u))
		if p.JSON {
			return p.Print(map[string]any{"id": u.ID, "revoked": n})
		}
		return nil
	})
}

type userDeleteCmd struct {
	cli.Whose
	Yes bool `short:"y" help:"Do not ask."`
}

// Help is the example of the help page.
func (userDeleteCmd) Help() string { return "Example:\n\n\tadmit user delete ann@example.com" }

// Run deletes a person.
func (c *userDeleteCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		list, err := a.Sessions.List(p.Ctx, u.ID)
		if err != nil {
			return err
		}
		what := "Deleting " + cli.Label(u) + ", with " + cli.Plural(len(list), "session") + " and " + cli.Plural(len(u.Roles), "role") + ","
		if err := p.Confirm(c.Yes, what, cli.Label(u)); err != nil {
			return err
		}
		if err := a.Accounts.Delete(p.Ctx, authz.System, u.ID); err != nil {
			return err
		}
		p.Say("Deleted %s.", cli.Label(u))
		p.Next("admit user list")
		if p.JSON {
			return p.Print(map[string]any{"id": u.ID, "deleted": true})
		}
		return nil
	})
}

// sessionView is a session as the API shows one.
// actor is who acts in a session in the name of its person, "" for the person themselves.
func actor(n session.Session) string {
	if n.Act == nil {
		return ""
	}
	return n.Act.UserID
}

type sessionView struct {
	ID         string    `json:"id"`
	Transport  string    `json:"transport"`
	IP         string    `json:"ip"`
	UserAgent  string    `json:"user_agent"`
	Methods    []string  `json:"methods"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	ActorID    string    `json:"actor_id,omitempty"`
}

type userResetPasswordCmd struct{ cli.Whose }

// Help is the example of the help page.
func (userResetPasswordCmd) Help() string {
	return "The link is good once, for 30 minutes.\n\nExample:\n\n\tadmit user reset-password ann@example.com"
}

// Run sends a person a link to set a new password.
func (c *userResetPasswordCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		if err := a.Resets.Send(p.Ctx, authz.System, u.ID); err != nil {
			return err
		}
		p.Say("A link to set a new password is on its way to %s: the running server sends it.", u.Email)
		p.Next("admit message list")
		return p.After(a, u)
	})
}

type userResetMFACmd struct{ cli.Whose }

// Help is the example of the help page.
func (userResetMFACmd) Help() string {
	return "Make sure that it is really they who ask.\n\nExample:\n\n\tadmit user reset-mfa ann@example.com"
}

// Run takes the second factors from a person who lost them.
func (c *userResetMFACmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		if err := a.Resets.DropFactors(p.Ctx, authz.System, u.ID); err != nil {
			return err
		}
		p.Say("%s is asked for no second factor any more, and is signed out everywhere.", cli.Label(u))
		p.Next("admit user get " + cli.Label(u))
		return p.After(a, u)
	})
}
