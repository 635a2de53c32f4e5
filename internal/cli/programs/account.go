package programs

import (
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/serviceaccount"
)

// Account is what an operator does with service accounts. Their keys are made with admit key, and their roles given as those of people.
type Account struct {
	List    accountListCmd    `cmd:"" help:"List the service accounts of an organization, or of the site."`
	Create  accountCreateCmd  `cmd:"" help:"Make a service account."`
	Get     accountGetCmd     `cmd:"" help:"Show one service account."`
	Set     accountSetCmd     `cmd:"" help:"Give a service account another name or description."`
	Disable accountDisableCmd `cmd:"" help:"Have the keys of a service account count no more, until it is enabled."`
	Enable  accountEnableCmd  `cmd:"" help:"Have the keys of a service account count again."`
	Delete  accountDeleteCmd  `cmd:"" help:"Delete a service account with its keys."`
}

// accountView is a service account as the API shows one.
type accountView struct {
	ID          string    `json:"id"`
	OrgID       *string   `json:"org_id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	IsActive    bool      `json:"is_active"`
	CreatedBy   *string   `json:"created_by"`
	CreatedAt   time.Time `json:"created_at"`
}

func accountOf(a serviceaccount.Account) accountView {
	return accountView{a.ID, cli.OrNull(a.OrgID), a.Name, a.Description, a.DisabledAt == nil, cli.OrNull(a.CreatedBy), a.CreatedAt}
}

func (v accountView) state() string {
	if v.IsActive {
		return "active"
	}
	return "disabled"
}

type accountListCmd struct {
	Org string `help:"Those of this organization: its id or slug. Those of the site when left out." placeholder:"ORG"`
	cli.Part
}

// Help is the example of the help page.
func (accountListCmd) Help() string {
	return "Piped, each line is: id, name, active or disabled, created, description.\n\nExample:\n\n\tadmit service-account list --org acme"
}

// Run lists service accounts.
func (c *accountListCmd) Run(p *cli.Program) error {
	if c.After != "" && !id.Valid("svc", c.After) {
		return cli.Refuse(cli.ExitUsage, "%q is not where a list of service accounts ended.", c.After)
	}
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	list, next, err := a.Programs.List(p.Ctx, authz.System, c.Org, c.After, c.Limit)
	if err != nil {
		return err
	}
	if err := cli.Listed(p, cli.Mapped(list, accountOf), next, []string{"ID", "NAME", "STATE", "CREATED", "DESCRIPTION"}, func(v accountView) []string {
		return []string{v.ID, v.Name, v.state(), cli.Stamp(v.CreatedAt), v.Description}
	}); err != nil || p.JSON {
		return err
	}
	in := ""
	if c.Org != "" {
		in = " --org " + c.Org
	}
	if len(list) == 0 && c.After == "" {
		p.Say("There is no service account there.")
		p.Next("admit service-account create NAME" + in)
	}
	p.More("admit service-account list"+in, next)
	return nil
}

type accountCreateCmd struct {
	Name        string   `arg:"" help:"What it is called."`
	Org         string   `help:"The organization it belongs to: its id or slug. The site when left out." placeholder:"ORG"`
	Role        []string `help:"Role of the organization, or global role where it belongs to none; may be repeated." placeholder:"ROLE"`
	Description string   `help:"What it is for." placeholder:"TEXT"`
}

// Help is the example of the help page.
func (accountCreateCmd) Help() string {
	return "Prints the id of the new account. It can do what its roles allow, and shows a key: see admit key create.\n\n" +
		"Example:\n\n\tadmit service-account create Importer --org acme --role member"
}

// Run makes a service account.
func (c *accountCreateCmd) Run(p *cli.Program) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	made, err := a.Programs.Create(p.Ctx, authz.System, serviceaccount.New{Org: c.Org, Name: c.Name, Description: c.Description, Roles: c.Role})
	if err != nil {
		return err
	}
	if p.JSON {
		err = p.Print(accountOf(made))
	} else {
		err = p.Table(nil, [][]string{{made.ID}})
	}
	p.Say("Made the service account %s.", cli.Cell(made.Name))
	p.Next("admit key create " + made.ID + " --name NAME --scope PERMISSION")
	return err
}

type whichAccount struct {
	ID string `arg:"" help:"svc_…, as admit service-account list shows it."`
}

// with opens the store, finds the account and has f do the work.
func (w whichAccount) with(p *cli.Program, f func(a *app.App, one serviceaccount.Account) error) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	one, err := a.Programs.Get(p.Ctx, authz.System, w.ID)
	if errors.Is(err, serviceaccount.ErrNone) {
		return cli.Refuse(cli.ExitNotFound, "There is no service account %q. See admit service-account list.", w.ID)
	}
	if err != nil {
		return err
	}
	return f(a, one)
}

// show prints an account as it is now.
func (w whichAccount) show(p *cli.Program, a *app.App) error {
	one, err := a.Programs.Get(p.Ctx, authz.System, w.ID)
	if err != nil || !p.JSON {
		return err
	}
	return p.Print(accountOf(one))
}

type accountGetCmd struct{ whichAccount }

// Help is the example of the help page.
func (accountGetCmd) Help() string {
	return "Example:\n\n\tadmit service-account get svc_06bpk3v2x5r4…"
}

// Run shows one service account.
func (c *accountGetCmd) Run(p *cli.Program) error {
	return c.with(p, func(_ *app.App, one serviceaccount.Account) error {
		v := accountOf(one)
		if p.JSON {
			return p.Print(v)
		}
		err := p.Table(nil, [][]string{{"id", v.ID}, {"name", v.Name}, {"description", v.Description}, {"organization", one.OrgID}, {"state", v.state()},
			{"created_by", one.CreatedBy}, {"created_at", cli.Stamp(v.CreatedAt)}})
		p.Next("admit key list " + v.ID)
		return err
	})
}

type accountSetCmd struct {
	whichAccount
	Name        *string `help:"What it is called." placeholder:"NAME"`
	Description *string `help:"What it is for." placeholder:"TEXT"`
}

// Help is the example of the help page.
func (accountSetCmd) Help() string {
	return "Example:\n\n\tadmit service-account set svc_06bpk3v2x5r4… --description \"Reads the jobs of the night\""
}

// Run changes how an account is described.
func (c *accountSetCmd) Run(p *cli.Program) error {
	if c.Name == nil && c.Description == nil {
		return cli.Refuse(cli.ExitUsage, "Say what is to be other: --name or --description.")
	}
	return c.with(p, func(a *app.App, one serviceaccount.Account) error {
		if _, err := a.Programs.Update(p.Ctx, authz.System, one.ID, c.Name, c.Description); err != nil {
			return err
		}
		p.Say("Changed %s.", one.ID)
		p.Next("admit service-account get " + one.ID)
		return c.show(p, a)
	})
}

type accountDisableCmd struct{ whichAccount }

// Help is the example of the help page.
func (accountDisableCmd) Help() string {
	return "Example:\n\n\tadmit service-account disable svc_06bpk3v2x5r4…"
}

// Run has the keys of an account count no more.
func (c *accountDisableCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, one serviceaccount.Account) error {
		if err := a.Accounts.Disable(p.Ctx, authz.System, one.ID); err != nil {
			return err
		}
		p.Say("Disabled %s. Its keys are refused from now on.", cli.Cell(one.Name))
		p.Next("admit service-account enable " + one.ID)
		return c.show(p, a)
	})
}

type accountEnableCmd struct{ whichAccount }

// Help is the example of the help page.
func (accountEnableCmd) Help() string {
	return "Example:\n\n\tadmit service-account enable svc_06bpk3v2x5r4…"
}

// Run has the keys of an account count again.
func (c *accountEnableCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, one serviceaccount.Account) error {
		if err := a.Accounts.Enable(p.Ctx, authz.System, one.ID); err != nil {
			return err
		}
		p.Say("Enabled %s. Its keys that have not expired count again.", cli.Cell(one.Name))
		p.Next("admit key list " + one.ID)
		return c.show(p, a)
	})
}

type accountDeleteCmd struct {
	whichAccount
	Yes bool `help:"Do not ask."`
}

// Help is the example of the help page.
func (accountDeleteCmd) Help() string {
	return "Example:\n\n\tadmit service-account delete svc_06bpk3v2x5r4… --yes"
}

// Run deletes a service account.
func (c *accountDeleteCmd) Run(p *cli.Program) error {
	return c.with(p, func(a *app.App, one serviceaccount.Account) error {
		if err := p.Confirm(c.Yes, "Deleting the service account "+cli.Cell(one.Name), one.Name); err != nil {
			return err
		}
		if err := a.Programs.Delete(p.Ctx, authz.System, one.ID); err != nil {
			return err
		}
		p.Say("Deleted %s and its keys.", cli.Cell(one.Name))
		p.Next("admit service-account list")
		return p.Gone(one.ID)
	})
}
