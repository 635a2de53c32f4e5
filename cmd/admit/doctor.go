package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/config"
)

// doctorCmd checks that everything is in order. It changes nothing.
type doctorCmd struct {
	Prod bool `help:"Check whether this is fit for production."`
}

// Help is the example of the help page.
func (doctorCmd) Help() string {
	return "Changes nothing. The exit code is 0 when all is well, 10 when there are only warnings, and 1 when there are problems.\n\nExample:\n\n\tadmit doctor --prod"
}

// The ways a check ends.
const (
	fine    = app.Fine
	warning = app.Warning
	problem = app.Problem
)

var marks = map[string]string{fine: "✓", warning: "!", problem: "✗"}

// examination is one run of doctor.
type examination struct {
	*cli.Program
	app.Examination
	cfg    config.Config
	report *config.Report
	prod   bool
}

func (e *examination) count(status string) (n int) {
	for _, c := range e.Checks {
		if c.Status == status {
			n++
		}
	}
	return n
}

// Run checks everything and gives the exit code.
func (c *doctorCmd) Run(p *cli.Program) error {
	ctx, cancel := context.WithTimeout(p.Ctx, time.Minute)
	defer cancel()
	p.Ctx = ctx
	e := &examination{Program: p, prod: c.Prod}
	if e.settings() { // nothing else means much while the settings are wrong
		e.dataDirectory()
		e.keyFile()
		e.store()
		e.redis()
		e.Address(&e.cfg)
		e.port()
		e.hashing()
		e.Services(ctx, &e.cfg, c.Prod, time.Now)
		e.Providers(ctx, &e.cfg, time.Now)
	}
	if err := e.print(); err != nil {
		return err
	}
	switch {
	case e.count(problem) > 0:
		return cli.Silent(cli.ExitFailed)
	case e.count(warning) > 0:
		return cli.Silent(cli.ExitWarnings)
	}
	return nil
}

func (e *examination) print() error {
	if e.JSON {
		return e.Print(map[string]any{"checks": e.Checks, "problems": e.count(problem), "warnings": e.count(warning)})
	}
	var b strings.Builder
	for _, c := range e.Checks {
		fmt.Fprintf(&b, "  %s %-12s  %s\n", marks[c.Status], c.Name, cli.Cell(c.Detail))
		if c.Fix != "" {
			fmt.Fprintf(&b, "  %14s  Fix: %s\n", "", cli.Cell(c.Fix))
		}
	}
	if _, err := fmt.Fprint(e.Stdout, b.String()); err != nil {
		return err
	}
	switch problems, warnings := e.count(problem), e.count(warning); {
	case problems+warnings == 0:
		e.Say("  All is well.")
		e.Next("admit user list")
	default:
		e.Say("  %s, %s", cli.Plural(problems, "problem"), cli.Plural(warnings, "warning"))
	}
	return nil
}

// settings loads the settings and says whether they can be used.
func (e *examination) settings() bool {
	var err error
	e.cfg, e.report, err = e.Load(nil)
	for _, f := range faults(err) {
		e.finding(problem, f)
	}
	for _, f := range e.report.Warnings {
		weak := slices.ContainsFunc(e.report.Weak, func(w config.Finding) bool { return w.Name == f.Name && w.What == f.What })
		if !weak || !e.prod { // --prod says it again, as a problem
			e.Note(warning, "config", f.String(), "")
		}
	}
	if err != nil {
		return false
	}
	if e.prod {
		if !e.cfg.Production() {
			e.Note(problem, "config", "ENVIRONMENT is "+e.cfg.Server.Environment+", which accepts what is only good enough for trying", "ENVIRONMENT=production")
		}
		for _, f := range e.report.Weak {
			e.finding(problem, f)
		}
	}
	if len(e.Checks) == 0 {
		given := 0
		for _, s := range e.report.Settings {
			if s.Given {
				given++
			}
		}
		e.Note(fine, "config", fmt.Sprintf("%s, %s given, all known", e.cfg.Server.Environment, cli.Plural(given, "setting")), "")
	}
	return true
}

func (e *examination) finding(status string, f config.Finding) {
	fix := f.Fix
	f.Fix = ""
	e.Note(status, "config", f.String(), fix)
}
