package store

import (
	"cmp"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/transfer"
)

// Import takes people over from another service.
type Import struct {
	Format  string            `arg:"" enum:"admit,auth0,better-auth,csv,django,firebase,keycloak,supabase" help:"Where the files are from: admit, auth0, better-auth, csv, django, firebase, keycloak or supabase."`
	Files   []string          `arg:"" name:"file" help:"Every file of the export."`
	DryRun  bool              `help:"Say what would be done, and change nothing."`
	Source  string            `help:"What this source is called from now on, where there is more than one of its format." placeholder:"NAME"`
	Org     string            `help:"Organization here that everybody becomes a member of: its id or slug." placeholder:"ORG"`
	Role    map[string]string `help:"Global role here for those who hold one there; may be repeated. No other is given." placeholder:"THERE=HERE"`
	OrgRole map[string]string `help:"The same of a role in an organization. One that is not named is the one with its key." placeholder:"THERE=HERE"`
	KeyFile string            `help:"File whose first line is the secret of better-auth, which second factors are sealed with." placeholder:"FILE"`
	Report  string            `help:"File to write the whole report to, as JSON: everybody who was read, and who they are here." placeholder:"FILE"`
}

// Help is the example of the help page.
func (Import) Help() string {
	return "Nobody is written to, and nobody is changed who is here already: an import that was interrupted is repeated as it was. " +
		"Ends with 10 when somebody could not be taken over; the report says who, in which line, and why.\n\n" +
		"Examples:\n\n\tadmit import firebase users.json hash_config.txt --dry-run\n\tadmit import keycloak realm-export.json --role staff=manager --report report.json\n" +
		"\tadmit import csv people.csv --org acme"
}

// Run takes people over.
func (c *Import) Run(p *cli.Program) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	b, err := transfer.ReadFiles(c.Format, c.Files, key)
	if err != nil {
		return err
	}
	a, err := p.Open(!c.DryRun)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	var report *os.File
	if c.Report != "" {
		if report, err = os.OpenFile(c.Report, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
			return err
		}
		defer func() { _ = report.Close() }()
	}
	bar := p.Progress("importing")
	r, err := a.Transfer.Import(p.Ctx, b, transfer.Order{Source: cmp.Or(c.Source, c.Format), DryRun: c.DryRun, Org: c.Org, Roles: c.Role, OrgRoles: c.OrgRole, Progress: bar.Show})
	bar.Done()
	if r != nil && report != nil {
		err = errors.Join(err, r.Write(report), report.Close())
	}
	if err != nil {
		if r != nil {
			p.Say("It ended after %s. Whoever is there stays: repeat it to go on.", cli.Plural(r.Read, "account"))
		}
		return err
	}
	return c.tell(p, r)
}

func (c *Import) key() (string, error) {
	if c.KeyFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(c.KeyFile)
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line), err
}

// tell prints how it went: the sums, and everybody who was not taken over whole.
func (c *Import) tell(p *cli.Program, r *transfer.Report) error {
	if p.JSON {
		if err := p.Print(r); err != nil {
			return err
		}
	} else {
		var rows [][]string
		for _, i := range r.Items {
			if i.Outcome == transfer.Conflict || i.Outcome == transfer.Refused {
				rows = append(rows, []string{i.File, cli.Number(i.Line), i.ID, string(i.Outcome), i.Reason})
			} else if len(i.Notes) > 0 && i.Outcome == transfer.Made {
				rows = append(rows, []string{i.File, cli.Number(i.Line), i.ID, "without", strings.Join(i.Notes, "; ")})
			}
		}
		if err := p.Table([]string{"FILE", "LINE", "ID", "OUTCOME", "WHY"}, rows); err != nil {
			return err
		}
	}
	for _, n := range r.Notes {
		p.Say("%s.", cli.Cell(n))
	}
	for _, role := range slices.Sorted(maps.Keys(r.UnmappedRoles)) {
		p.Say("The role %s there, of %s, is none here: --role %s=ROLE would give one.", cli.Cell(role), cli.Plural(r.UnmappedRoles[role], "account"), cli.Cell(role))
	}
	made := "created"
	if r.DryRun {
		made = "would be created"
	}
	p.Say("Of %d who were read, %d %s (%d not whole), %d are there already, %d are in conflict with an account here, %d are refused. Organizations: %d %s.",
		r.Read, r.Created, made, r.Noted, r.AlreadyThere, r.Conflicts, r.Refused, r.Organizations.Created, made)
	if r.Conflicts+r.Refused+r.Organizations.Refused > 0 {
		return cli.Silent(cli.ExitWarnings)
	}
	p.Next("admit user list", "admit audit tail --type user.imported")
	return nil
}
