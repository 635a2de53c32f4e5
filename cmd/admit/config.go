package main

import (
	"errors"
	"strings"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/config"
)

// configCmd shows and checks the settings.
type configCmd struct {
	List    configListCmd    `cmd:"" help:"List every setting, what it is and where that comes from."`
	Explain configExplainCmd `cmd:"" help:"Explain one setting."`
	Check   configCheckCmd   `cmd:"" help:"Say everything that is wrong with the settings."`
}

type configListCmd struct{}

// Help is the example of the help page.
func (configListCmd) Help() string {
	return "Secrets are shown as ***. Piped, each line is: name, value, where it comes from.\n\nExample:\n\n\tadmit config list"
}

// Run lists the settings.
func (configListCmd) Run(p *cli.Program) error {
	_, report, err := p.Load(nil)
	if p.JSON {
		if bad := p.Print(cli.Page{Items: report.Settings}); bad != nil {
			return bad
		}
	} else {
		rows := make([][]string, len(report.Settings))
		for i, s := range report.Settings {
			rows[i] = []string{s.Name, s.Value, s.From}
		}
		if bad := p.Table([]string{"NAME", "VALUE", "FROM"}, rows); bad != nil {
			return bad
		}
	}
	if n := len(faults(err)); n > 0 {
		p.Say("There is something wrong with %s. See admit config check.", cli.Plural(n, "setting"))
		return nil
	}
	p.Next("admit config explain NAME", "admit config check")
	return nil
}

type configExplainCmd struct {
	Name string `arg:"" help:"Name of a setting, such as BASE_URL."`
}

// Help is the example of the help page.
func (configExplainCmd) Help() string { return "Example:\n\n\tadmit config explain BASE_URL" }

// Run explains one setting.
func (c *configExplainCmd) Run(p *cli.Program) error {
	_, report, _ := p.Load(nil)
	name := strings.ToUpper(c.Name)
	s, ok := report.Find(name)
	if !ok {
		if s, ok = report.Find(strings.TrimSuffix(name, "_FILE")); !ok || !s.Secret {
			return cli.Refuse(cli.ExitNotFound, "There is no setting %s.%s See admit config list.", name, cli.Meant(name, report.Names()))
		}
	}
	if p.JSON {
		return p.Print(s)
	}
	rows := [][]string{{"name", s.Name}, {"meaning", s.Doc}, {"accepts", s.Accepts}, {"default", s.Default}, {"value", s.Value}, {"from", s.From}}
	if s.Secret {
		rows = append(rows, []string{"file", s.Name + "_FILE may name a file that holds it"})
	}
	err := p.Table(nil, rows)
	p.Next("admit config check")
	return err
}

type configCheckCmd struct{}

// Help is the example of the help page.
func (configCheckCmd) Help() string {
	return "The exit code is 1 when there are faults.\n\nExample:\n\n\tadmit config check && systemctl restart admit"
}

// Run says everything that is wrong with the settings.
func (configCheckCmd) Run(p *cli.Program) error {
	_, report, err := p.Load(nil)
	bad := faults(err)
	if p.JSON {
		if err := p.Print(struct {
			OK         bool             `json:"ok"`
			Production bool             `json:"production"`
			Faults     []config.Finding `json:"faults"`
			Warnings   []config.Finding `json:"warnings"`
			Weak       []config.Finding `json:"weak"`
		}{len(bad) == 0, report.Production, list(bad), list(report.Warnings), list(report.Weak)}); err != nil {
			return err
		}
		if len(bad) > 0 {
			return cli.Silent(cli.ExitFailed)
		}
		return nil
	}
	for _, f := range report.Warnings {
		p.Say("warning: %s", f)
	}
	if err != nil {
		return err
	}
	given := 0
	for _, s := range report.Settings {
		if s.Given {
			given++
		}
	}
	p.Say("Nothing is wrong with the settings: %d of %d are set.", given, len(report.Settings))
	p.Next("admit doctor", "admit config list")
	return nil
}

// faults is what is wrong with the settings, as err has it.
func faults(err error) []config.Finding {
	if e, ok := errors.AsType[*config.Error](err); ok {
		return e.Faults
	}
	return nil
}

// list is never null in JSON.
func list(f []config.Finding) []config.Finding { return append([]config.Finding{}, f...) }
