// Package store is the commands about a database as a whole: backups, moving, import and export.
package store

import (
	"errors"
	"log/slog"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/database"
)

// DB is what is done with a whole database.
type DB struct {
	Move dbMoveCmd `cmd:"" help:"Copy everything from SQLite into an empty Postgres database."`
}

type dbMoveCmd struct {
	To string `required:"" help:"Where to: postgres://USER@HOST/NAME. A password may stand in PGPASSWORD instead." placeholder:"URL"`
}

// Help is the example of the help page.
func (dbMoveCmd) Help() string {
	return "Stop the server first. Everything is copied or nothing, read back and compared. Everybody stays signed in, with the same SESSION_SECRET_KEY; the file in DATA_DIR stays where it is. " +
		"The SQLite database is left as it was.\n\n" +
		"Example:\n\n\tadmit db move --to postgres://admit@db.example.com/admit"
}

// Run moves the database.
func (c *dbMoveCmd) Run(p *cli.Program) error {
	cfg, _, err := p.Load(nil)
	if err != nil {
		return err
	}
	if file := app.DatabaseFile(cfg); cli.Missing(file) {
		return cli.Refuse(cli.ExitFailed, "There is no database at %s: nothing is moved.", file)
	}
	bar := p.Progress("moving")
	s, err := app.Move(p.Ctx, cfg, app.Options{Log: p.Log(slog.LevelWarn, false)}, c.To, bar.Show)
	bar.Done()
	if err != nil {
		return notEmpty(err, "Give one that is.")
	}
	if err := showSummary(p, s); err != nil {
		return err
	}
	p.Say("Moved %s. Set DATABASE_URL to the new one before a server starts again; every server needs the SESSION_SECRET_KEY of this one.", cli.Plural(int(s.Rows), "row"))
	if file := app.KeyFile(cfg); file != "" {
		p.Say("It is in %s.", file)
	}
	p.Next("admit audit verify", "admit doctor", "admit serve")
	return nil
}

// notEmpty adds to a refusal of a store that is not empty what can be done.
func notEmpty(err error, what string) error {
	if errors.Is(err, database.ErrNotEmpty) {
		return cli.Refuse(cli.ExitFailed, "%s %s", database.ErrNotEmpty.Message, what)
	}
	return err
}
