package main

import (
	"errors"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/user"
)

// userCmd is what an operator does with people.
type userCmd struct {
	List     userListCmd     `cmd:"" help:"List people, newest first."`
	Create   userCreateCmd   `cmd:"" help:"Make an account."`
	Get      userGetCmd      `cmd:"" help:"Show one person."`
	Disable  userDisableCmd  `cmd:"" help:"Keep a person from signing in, and end their sessions."`
	Enable   userEnableCmd   `cmd:"" help:"Let a person sign in again."`
	Sessions userSessionsCmd `cmd:"" help:"List where a person is signed in."`
	Logout   userLogoutCmd   `cmd:"" help:"End every session of a person."`
	Delete   userDeleteCmd   `cmd:"" help:"Delete a person and everything of theirs."`
}

// whose is the person a command is about.
type whose struct {
	User string `arg:"" help:"Id, e-mail address, username or phone number."`
}

// with opens the store, finds the person and has f do the work.
func (w whose) with(p *program, f func(a *app.App, u user.User) error) error {
	a, err := p.open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	u, err := a.Users.Find(p.ctx, w.User)
	if errors.Is(err, user.ErrNotFound) {
		return refuse(exitNotFound, "There is no user %q. See admit user list.", w.User)
	}
	if err != nil {
		return err
	}
	return f(a, u)
}

type userListCmd struct {
	Search string `help:"Only whose name or identifier begins with this." placeholder:"TEXT"`
	Limit  int    `default:"50" help:"How many, at most 1000."`
	After  string `help:"Go on after the person with this id." placeholder:"ID"`
}

// Help is the example of the help page.
func (userListCmd) Help() string {
	return "Piped, each line is: id, e-mail address, username, phone number, name, roles, active or disabled, created.\n\n" +
		"Example:\n\n\tadmit user list --json | jq -r '.items[].email'"
}

// Run lists people.
func (c *userListCmd) Run(p *program) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return refuse(exitUsage, "--limit is a number from 1 to 1000.")
	}
	a, err := p.open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	list, err := a.Users.List(p.ctx, c.Search, c.After, c.Limit)
	if err != nil {
		return err
	}
	if p.JSON {
		views := make([]userView, len(list.Users))
		for i, u := range list.Users {
			views[i] = viewOf(u)
		}
		return p.json(page{views, orNull(list.Next)})
	}
	rows := make([][]string, len(list.Users))
	for i, u := range list.Users {
		rows[i] = []string{u.ID, u.Email, u.Username, u.Phone, u.Name, strings.Join(u.Roles, ","), state(u), stamp(u.CreatedAt)}
	}
	if err := p.table([]string{"ID", "E-MAIL", "USERNAME", "PHONE", "NAME", "ROLES", "STATE", "CREATED"}, rows); err != nil {
		return err
	}
	switch {
	case list.Next != "":
		p.say("There are more: admit user list --after %s", list.Next)
	case len(rows) == 0 && c.After == "":
		p.say("There is nobody yet.")
		p.next("admit admin link", "admit user create --email ann@example.com")
	default:
		p.next("admit user get USER", "admit user create")
	}
	return nil
}

type userGetCmd struct{ whose }

// Help is the example of the help page.
func (userGetCmd) Help() string { return "Example:\n\n\tadmit user get ann@example.com --json" }

// Run shows one person.
func (c *userGetCmd) Run(p *program) error {
	return c.with(p, func(_ *app.App, u user.User) error {
		if p.JSON {
			return p.json(viewOf(u))
		}
		if err := p.table(nil, [][]string{
			{"id", u.ID}, {"email", u.Email}, {"email_verified", yesNo(u.EmailVerified)}, {"username", u.Username}, {"phone", u.Phone},
			{"phone_verified", yesNo(u.PhoneVerified)}, {"name", u.Name}, {"state", state(u)}, {"roles", strings.Join(u.Roles, ",")},
			{"created_at", stamp(u.CreatedAt)}, {"updated_at", stamp(u.UpdatedAt)},
		}); err != nil {
			return err
		}
		p.next("admit user sessions "+label(u), "admit role grant "+label(u)+" ROLE")
		return nil
	})
}
