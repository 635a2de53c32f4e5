package main

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/user"
)

type userCreateCmd struct {
	Email        string   `help:"E-mail address." placeholder:"ADDRESS"`
	Username     string   `help:"Username." placeholder:"NAME"`
	Phone        string   `help:"Phone number with its country code." placeholder:"NUMBER"`
	Name         string   `help:"What the person is called." placeholder:"NAME"`
	PasswordFile string   `help:"File whose first line is the password; - is standard input. Without it you are asked." placeholder:"FILE" xor:"password"`
	NoPassword   bool     `help:"Make an account that cannot sign in with a password yet." xor:"password"`
	Role         []string `help:"Global role to give; may be repeated." placeholder:"ROLE"`
}

// Help is the example of the help page.
func (userCreateCmd) Help() string {
	return "Prints the id of the new account.\n\nExamples:\n\n\tadmit user create --email ann@example.com\n" +
		"\tpass show ann | admit user create --email ann@example.com --password-file - --role super_admin"
}

// Run makes an account.
func (c *userCreateCmd) Run(p *cli.Program) error {
	in := user.New{Email: c.Email, Username: c.Username, Phone: c.Phone, Name: c.Name}
	if in.Email == "" && in.Username == "" && in.Phone == "" {
		return cli.Refuse(cli.ExitUsage, "An account needs a name to sign in with. Give --email, --username or --phone.")
	}
	pass, err := c.password(p)
	if err != nil {
		return err
	}
	a, err := p.Open(true)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	u, err := c.create(p, a, in, pass)
	switch {
	case errors.Is(err, user.ErrEmailTaken), errors.Is(err, user.ErrUsernameTaken), errors.Is(err, user.ErrPhoneTaken):
		return cli.Refuse(cli.ExitFailed, "Somebody has this %s already. See admit user get.", taken(err))
	case err != nil:
		return err
	}
	err = p.After(a, u)
	if !p.JSON {
		err = p.Table(nil, [][]string{{u.ID}})
	}
	p.Say("Made the account of %s.", cli.Label(u))
	p.Next("admit user get "+cli.Label(u), "admit role grant "+cli.Label(u)+" ROLE")
	return err
}

// create makes the account and gives it its roles. A role that is not there is refused before anything is made.
func (c *userCreateCmd) create(p *cli.Program, a *app.App, in user.New, pass string) (u user.User, err error) {
	root, err := a.Authz.Root(p.Ctx)
	if err != nil {
		return u, err
	}
	for _, role := range c.Role {
		if err := root.KnownGlobal(role); err != nil {
			return u, err
		}
	}
	if u, err = a.Passwords.Create(p.Ctx, authz.System, in, pass); err != nil || len(c.Role) == 0 {
		return u, err
	}
	return a.Accounts.SetRoles(p.Ctx, authz.System, u.ID, c.Role)
}

func taken(err error) string {
	switch {
	case errors.Is(err, user.ErrEmailTaken):
		return "e-mail address"
	case errors.Is(err, user.ErrUsernameTaken):
		return "username"
	}
	return "phone number"
}

// longest is more than a password and its line break can have.
const longest = 16 << 10

// password reads what the account is to sign in with: never from an argument, which other users of the machine can see.
func (c *userCreateCmd) password(p *cli.Program) (string, error) {
	switch {
	case c.NoPassword:
		return "", nil
	case c.PasswordFile == "" && p.Asks():
		pass, err := p.Secret("Password")
		if err == nil && pass == "" {
			err = cli.Refuse(cli.ExitUsage, "The password is empty. For an account without one say --no-password.")
		}
		return pass, err
	case c.PasswordFile == "":
		return "", cli.Refuse(cli.ExitUsage, "A password is needed. Give --password-file FILE, --password-file - for standard input, or --no-password.")
	}
	from := p.Stdin
	if c.PasswordFile != "-" {
		f, err := os.Open(c.PasswordFile)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, longest))
	if err != nil {
		return "", err
	}
	pass, _, _ := strings.Cut(string(text), "\n")
	if pass = strings.TrimSuffix(pass, "\r"); pass == "" {
		return "", cli.Refuse(cli.ExitUsage, "The first line of --password-file is empty. For an account without a password say --no-password.")
	}
	return pass, nil
}
