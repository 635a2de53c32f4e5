package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/backup"
	"github.com/admit-dev/admit/internal/cli"
)

// Backup is copies of everything.
type Backup struct {
	Create  backupCreateCmd  `cmd:"" help:"Seal everything in a new file, while servers run."`
	Verify  backupVerifyCmd  `cmd:"" help:"Read a backup to its end, and say whether it is whole."`
	Restore backupRestoreCmd `cmd:"" help:"Fill an empty database with a backup."`
	Key     backupKeyCmd     `cmd:"" help:"Make a key that backups are sealed with."`
}

type backupFile struct {
	File    string `arg:"" help:"The file of the backup."`
	KeyFile string `help:"File with the key: what admit backup key printed, or a passphrase. Left out, a passphrase is asked for." placeholder:"FILE"`
}

// key reads the key, or asks for a passphrase.
func (b backupFile) key(p *cli.Program, ask func(string) (string, error)) (backup.Key, error) {
	if b.KeyFile != "" {
		text, err := os.ReadFile(b.KeyFile)
		if err != nil {
			return backup.Key{}, err
		}
		return backup.ParseKey(string(text))
	}
	if !p.Asks() {
		return backup.Key{}, cli.Refuse(cli.ExitUsage, "A backup is sealed. Name the file of its key with --key-file.")
	}
	text, err := ask("Passphrase")
	if err != nil {
		return backup.Key{}, err
	}
	return backup.ParseKey(text)
}

// once asks for a passphrase that is known already.
func once(p *cli.Program) func(string) (string, error) {
	return func(what string) (string, error) {
		fmt.Fprint(p.Stderr, what+": ")
		text, err := p.Hidden()
		fmt.Fprintln(p.Stderr)
		return text, err
	}
}

type backupCreateCmd struct{ backupFile }

// Help is the example of the help page.
func (backupCreateCmd) Help() string {
	return "In it: every row of the database, as of one moment, and SESSION_SECRET_KEY, without which secrets in those rows cannot be opened. Not in it: other settings, and the event file. " +
		"With the public half of a key (age1…), whoever reads this server's files cannot open its backups.\n\n" +
		"Examples:\n\n\tadmit backup create monday.admit\n\tadmit backup create monday.admit --key-file backup.pub"
}

// Run makes a backup.
func (c *backupCreateCmd) Run(p *cli.Program) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	k, err := c.key(p, p.Secret)
	if err != nil {
		return err
	}
	bar := p.Progress("backing up")
	s, err := a.Backup(p.Ctx, c.File, k, bar.Show)
	bar.Done()
	if errors.Is(err, fs.ErrExist) {
		return cli.Refuse(cli.ExitFailed, "%s is there already. Choose another name, or move it away.", c.File)
	}
	if err != nil {
		return err
	}
	if err := showSummary(p, s); err != nil {
		return err
	}
	p.Say("Sealed %s in %s. The file and its key are no good without each other: keep them apart, and both elsewhere.", cli.Plural(int(s.Rows), "row"), c.File)
	p.Next("admit backup verify " + c.File)
	return nil
}

// showSummary prints what a backup is of.
func showSummary(p *cli.Program, s backup.Summary) error {
	if p.JSON {
		return p.Print(s)
	}
	rows := make([][]string, len(s.Tables))
	for i, c := range s.Tables {
		rows[i] = []string{c.Table, fmt.Sprint(c.Rows), c.Sum}
	}
	return p.Table([]string{"TABLE", "ROWS", "SUM"}, rows)
}

type backupVerifyCmd struct{ backupFile }

// Help is the example of the help page.
func (backupVerifyCmd) Help() string {
	return "Every byte is authenticated: one that was changed, and an end that is missing, are found. Ends with 1 then. No database is asked.\n\n" +
		"Example:\n\n\tadmit backup verify monday.admit --key-file backup.key"
}

// Run verifies a backup.
func (c *backupVerifyCmd) Run(p *cli.Program) error {
	k, err := c.key(p, once(p))
	if err != nil {
		return err
	}
	bar := p.Progress("verifying")
	defer bar.Done()
	f, file, err := app.OpenBackup(c.File, k, bar.Show)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	s, err := f.Each(nil)
	bar.Done()
	if err != nil {
		return err
	}
	if err := showSummary(p, s); err != nil {
		return err
	}
	p.Say("Whole: %s of %s, as of %s.", cli.Plural(int(s.Rows), "row"), s.Engine, cli.Stamp(s.MadeAt))
	p.Next("admit backup restore " + c.File)
	return nil
}

type backupRestoreCmd struct {
	backupFile
	Force bool `help:"Replace what is in the database. It cannot be undone."`
}

// Help is the example of the help page.
func (backupRestoreCmd) Help() string {
	return "Into the database of DATABASE_URL, of either engine, all of it or nothing. Stop every server first. A backup of an earlier Admit is brought up to date. " +
		"What happened after the backup is undone: sessions that began later are gone, and those that were ended later are there again.\n\n" +
		"Example:\n\n\tadmit backup restore monday.admit --key-file backup.key"
}

// Run restores a backup.
func (c *backupRestoreCmd) Run(p *cli.Program) error {
	cfg, _, err := p.Load(nil)
	if err != nil {
		return err
	}
	k, err := c.key(p, once(p))
	if err != nil {
		return err
	}
	bar := p.Progress("restoring")
	defer bar.Done()
	f, file, err := app.OpenBackup(c.File, k, bar.Show)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	s, err := app.Restore(p.Ctx, cfg, app.Options{Log: p.Log(slog.LevelWarn, false)}, f, c.Force)
	bar.Done()
	if err != nil {
		return notEmpty(err, "Replace everything in it with --force, or name another in DATABASE_URL.")
	}
	if err := showSummary(p, s); err != nil {
		return err
	}
	p.Say("Restored %s, as of %s.", cli.Plural(int(s.Rows), "row"), cli.Stamp(s.MadeAt))
	p.Next("admit audit verify", "admit serve")
	return nil
}

type backupKeyCmd struct{}

// Help is the example of the help page.
func (backupKeyCmd) Help() string {
	return "The key goes to standard output, in the form of age (age-encryption.org). Its public half, which is enough to make backups, stands in it, and on standard error.\n\n" +
		"Example:\n\n\tadmit backup key > backup.key"
}

// Run makes a key.
func (backupKeyCmd) Run(p *cli.Program) error {
	file, public, err := backup.NewKey(time.Now())
	if err != nil {
		return err
	}
	if p.JSON {
		lines := strings.Split(strings.TrimSpace(file), "\n")
		return p.Print(map[string]string{"key": lines[len(lines)-1], "public": public})
	}
	fmt.Fprint(p.Stdout, file)
	p.Say("Public half: %s", public)
	p.Next("keep the key elsewhere, and the public half in a file on the server", "admit backup create FILE --key-file PUBLIC")
	return nil
}
