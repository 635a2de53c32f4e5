package main

import (
	"strconv"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/user"
)

// userCmd is what an operator does with people.
type userCmd struct {
	List          userListCmd          `cmd:"" help:"List people, newest first."`
	Create        userCreateCmd        `cmd:"" help:"Make an account."`
	Get           userGetCmd           `cmd:"" help:"Show one person."`
	Disable       userDisableCmd       `cmd:"" help:"Keep a person from signing in, and end their sessions."`
	Enable        userEnableCmd        `cmd:"" help:"Let a person sign in again."`
	Unlock        userUnlockCmd        `cmd:"" help:"Let a person sign in again at whose account somebody guessed."`
	Sessions      userSessionsCmd      `cmd:"" help:"List where a person is signed in."`
	Logout        userLogoutCmd        `cmd:"" help:"End every session of a person."`
	ResetPassword userResetPasswordCmd `cmd:"" name:"reset-password" help:"Send a person a link to set a new password."`
	ResetMFA      userResetMFACmd      `cmd:"" name:"reset-mfa" help:"Take the second factors from a person who lost them."`
	Delete        userDeleteCmd        `cmd:"" help:"Delete a person and everything of theirs."`
}

type userListCmd struct {
	Search string `help:"Only whose name or identifier begins with this." placeholder:"TEXT"`
	State  string `help:"Only who is active, disabled or locked." enum:",active,disabled,locked" default:"" placeholder:"STATE"`
	Role   string `help:"Only who holds this global role." placeholder:"ROLE"`
	cli.Part
}

// Help is the example of the help page.
func (userListCmd) Help() string {
	return "Piped, each line is: id, e-mail address, username, phone number, name, roles, active, locked, disabled or closed, created.\n\n" +
		"Example:\n\n\tadmit user list --json | jq -r '.items[].email'"
}

// Run lists people.
func (c *userListCmd) Run(p *cli.Program) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	list, err := a.Users.List(p.Ctx, user.Filter{Text: c.Search, State: user.State(c.State), Role: c.Role}, c.After, c.Limit)
	if err != nil {
		return err
	}
	locks, err := a.Locks.Of(p.Ctx, list.Users...)
	if err != nil {
		return err
	}
	if p.JSON {
		root, err := a.Authz.Root(p.Ctx)
		if err != nil {
			return err
		}
		return p.Print(cli.Page{Items: cli.Mapped(list.Users, func(u user.User) cli.Person { return cli.PersonOf(u, root, locks[u.ID]) }), NextCursor: cli.OrNull(list.Next)})
	}
	rows := make([][]string, len(list.Users))
	for i, u := range list.Users {
		rows[i] = []string{u.ID, u.Email, u.Username, u.Phone, u.Name, strings.Join(u.Roles, ","), cli.State(u, locks[u.ID]), cli.Stamp(u.CreatedAt)}
	}
	if err := p.Table([]string{"ID", "E-MAIL", "USERNAME", "PHONE", "NAME", "ROLES", "STATE", "CREATED"}, rows); err != nil {
		return err
	}
	switch {
	case list.Next != "":
		p.More("admit user list", list.Next)
	case len(rows) == 0 && c.After == "":
		p.Say("There is nobody yet.")
		p.Next("admit admin link", "admit user create --email ann@example.com")
	default:
		p.Next("admit user get USER", "admit user create")
	}
	return nil
}

type userGetCmd struct{ cli.Whose }

// Help is the example of the help page.
func (userGetCmd) Help() string { return "Example:\n\n\tadmit user get ann@example.com --json" }

// Run shows one person.
func (c *userGetCmd) Run(p *cli.Program) error {
	return c.With(p, func(a *app.App, u user.User) error {
		root, err := a.Authz.Root(p.Ctx)
		if err != nil {
			return err
		}
		locks, err := a.Locks.Of(p.Ctx, u)
		if err != nil {
			return err
		}
		lock := locks[u.ID]
		if p.JSON {
			return p.Print(cli.PersonOf(u, root, lock))
		}
		until := ""
		if lock.Until != nil {
			until = cli.Stamp(*lock.Until)
		}
		if err := p.Table(nil, [][]string{
			{"id", u.ID}, {"email", u.Email}, {"email_verified", cli.YesNo(u.EmailVerified)}, {"username", u.Username}, {"phone", u.Phone},
			{"phone_verified", cli.YesNo(u.PhoneVerified)}, {"name", u.Name}, {"state", cli.State(u, lock)}, {"failed_attempts", strconv.FormatInt(lock.Failures, 10)}, {"locked_until", until}, {"roles", strings.Join(u.Roles, ",")},
			{"organizations", strings.Join(root.OrgsOf(u.ID), ",")},
			{"created_at", cli.Stamp(u.CreatedAt)}, {"updated_at", cli.Stamp(u.UpdatedAt)},
		}); err != nil {
			return err
		}
		p.Next("admit user sessions "+cli.Label(u), "admit role grant "+cli.Label(u)+" ROLE")
		return nil
	})
}
