package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/admit-dev/admit/internal/cli"
)

// MigrateNew begins a step.
type MigrateNew struct {
	Name []string `arg:"" help:"What the step does, in a few words."`
}

// Help is the example of the help page.
func (MigrateNew) Help() string {
	return "For those who work on Admit itself: writes the two files of the next step.\n\nExample:\n\n\tadmit migrate new add organizations"
}

var otherThanName = regexp.MustCompile(`[^a-z0-9]+`)

// Run writes the two files of the next step.
func (c *MigrateNew) Run(p *cli.Program) error {
	words := strings.Join(c.Name, " ")
	name := strings.Trim(otherThanName.ReplaceAllString(strings.ToLower(words), "_"), "_")
	if name == "" {
		return cli.Refuse(cli.ExitUsage, "A step is named with letters and digits, as in: admit migrate new add organizations.")
	}
	dir, err := migrationsDir(p.Dir)
	if err != nil {
		return err
	}
	there, err := filepath.Glob(filepath.Join(dir, "*.up.sql"))
	if err != nil {
		return err
	}
	number := 0
	for _, path := range there {
		var n int
		if _, err := fmt.Sscanf(filepath.Base(path), "%04d_", &n); err == nil {
			number = max(number, n)
		}
	}
	var rows [][]string
	for _, way := range []string{"up", "down"} {
		path := filepath.Join(dir, fmt.Sprintf("%04d_%s.%s.sql", number+1, name, way))
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(f, "-- %s, %s\n", strings.Join(strings.Fields(words), " "), way)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		rows = append(rows, []string{path})
	}
	if p.JSON {
		return p.Print(cli.Page{Items: []string{rows[0][0], rows[1][0]}})
	}
	err = p.Table(nil, rows)
	p.Next("write both, then make test")
	return err
}

// migrationsDir looks for the source tree of Admit around dir.
func migrationsDir(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for ; ; at = filepath.Dir(at) {
		text, _ := os.ReadFile(filepath.Join(at, "go.mod"))
		if strings.HasPrefix(string(text), "module github.com/admit-dev/admit\n") {
			return filepath.Join(at, "internal", "database", "migrations"), nil
		}
		if at == filepath.Dir(at) {
			return "", cli.Refuse(cli.ExitFailed, "This is not the source tree of Admit. A step is part of the program: check out its source and run the command there.")
		}
	}
}
