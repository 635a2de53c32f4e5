package store

import (
	"fmt"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/database"
)

// Migrate keeps the schema of the database.
type Migrate struct {
	Up     MigrateUp     `cmd:"" help:"Bring the schema up to date."`
	Down   MigrateDown   `cmd:"" help:"Take the newest steps back, with the data in them."`
	Status MigrateStatus `cmd:"" help:"List the steps and when each was applied."`
	New    MigrateNew    `cmd:"" help:"Begin a step, in the source tree of Admit."`
}

// MigrateUp applies the steps that are missing.
type MigrateUp struct{}

// Help is the example of the help page.
func (MigrateUp) Help() string {
	return "Several programs may do this at once: one does the work. A server does it at its start, unless MIGRATE_ON_START=false.\n\nExample:\n\n\tadmit migrate up"
}

// Run brings the schema up to date.
func (MigrateUp) Run(p *cli.Program) error {
	a, err := p.Connect(true)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	taken, err := a.DB.Migrate(p.Ctx)
	if err != nil {
		return err
	}
	if err := showSteps(p, taken); err != nil {
		return err
	}
	if len(taken) == 0 {
		p.Say("The schema is up to date already.")
	} else {
		p.Say("Applied %s.", cli.Plural(len(taken), "step"))
	}
	p.Next("admit migrate status", "admit serve")
	return nil
}

// MigrateDown takes the last steps back.
type MigrateDown struct {
	N   int  `arg:"" optional:"" default:"1" help:"How many steps."`
	Yes bool `short:"y" help:"Do not ask."`
}

// Help is the example of the help page.
func (MigrateDown) Help() string { return "Example:\n\n\tadmit migrate down 1" }

// Run takes steps back.
func (c *MigrateDown) Run(p *cli.Program) error {
	if c.N < 1 {
		return cli.Refuse(cli.ExitUsage, "The number of steps is 1 or more.")
	}
	a, err := p.Connect(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	all, err := a.DB.Migrations(p.Ctx)
	if err != nil {
		return err
	}
	done := cli.Applied(all)
	if len(done) == 0 {
		p.Say("No step is applied: there is nothing to take back.")
		return nil
	}
	var names []string
	for _, m := range done[max(0, len(done)-c.N):] {
		names = append(names, m.String())
	}
	if err := p.Confirm(c.Yes, "Taking back "+strings.Join(names, " and ")+", with all data in what it made,", "down"); err != nil {
		return err
	}
	taken, err := a.DB.MigrateDown(p.Ctx, c.N)
	if err != nil {
		return err
	}
	for i := range taken {
		taken[i].AppliedAt = nil
	}
	if err := showSteps(p, taken); err != nil {
		return err
	}
	p.Say("Took back %s.", cli.Plural(len(taken), "step"))
	p.Next("admit migrate status", "admit migrate up")
	return nil
}

// MigrateStatus lists the steps.
type MigrateStatus struct{}

// Help is the example of the help page.
func (MigrateStatus) Help() string {
	return "Piped, each line is: number, name, when it was applied or pending.\n\nExample:\n\n\tadmit migrate status"
}

// Run lists the steps.
func (MigrateStatus) Run(p *cli.Program) error {
	all, err := migrationStatus(p)
	if err != nil {
		return err
	}
	if err := showSteps(p, all); err != nil {
		return err
	}
	if n := len(all) - len(cli.Applied(all)); n > 0 {
		p.Say("%s still to come.", cli.Plural(n, "step"))
		p.Next("admit migrate up")
	}
	return nil
}

// migrationStatus asks a store that is there, and makes none.
func migrationStatus(p *cli.Program) ([]database.Migration, error) {
	c, _, err := p.Load(nil)
	if err != nil {
		return nil, err
	}
	if file := app.DatabaseFile(c); cli.Missing(file) {
		p.Say("There is no database at %s yet.", file)
		return database.Steps()
	}
	a, err := p.Connect(false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = a.Close() }()
	return a.DB.Migrations(p.Ctx)
}

// showSteps prints migrations.
func showSteps(p *cli.Program, list []database.Migration) error {
	type view struct {
		Version   int64   `json:"version"`
		Name      string  `json:"name"`
		AppliedAt *string `json:"applied_at"`
	}
	views, rows := make([]view, len(list)), make([][]string, len(list))
	for i, m := range list {
		views[i] = view{Version: m.Version, Name: m.Name}
		when := "pending"
		if m.AppliedAt != nil {
			when = cli.Stamp(*m.AppliedAt)
			views[i].AppliedAt = &when
		}
		rows[i] = []string{fmt.Sprintf("%04d", m.Version), m.Name, when}
	}
	if p.JSON {
		return p.Print(cli.Page{Items: views})
	}
	if len(rows) == 0 {
		return nil
	}
	return p.Table([]string{"NUMBER", "NAME", "APPLIED"}, rows)
}
