package main

import (
	"bufio"
	"encoding/json"
	"slices"
	"time"

	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
)

// auditCmd is what an operator does with the audit log.
type auditCmd struct {
	Tail   auditTailCmd   `cmd:"" help:"Show the newest events, and follow what happens."`
	Export auditExportCmd `cmd:"" help:"Print every event that fits, the oldest first."`
	Verify auditVerifyCmd `cmd:"" help:"Check that the log is as it was sealed, and name the first record that is not."`
}

// auditFilter is what is looked for.
type auditFilter struct {
	Actor   string    `help:"Who acted: usr_… or cli." placeholder:"ID"`
	Subject string    `help:"Whom or what it is about." placeholder:"ID"`
	Org     string    `help:"What belongs to an organization, by id or slug." placeholder:"ORG"`
	Type    string    `help:"The kind of event, such as login.failed." placeholder:"KIND"`
	Outcome string    `enum:"any,success,failure" default:"any" help:"How it ended: success or failure."`
	IP      string    `name:"ip" help:"The address of the client." placeholder:"ADDRESS"`
	From    time.Time `help:"Not before this time, as 2026-01-31T00:00:00Z." placeholder:"TIME"`
	To      time.Time `help:"Before this time." placeholder:"TIME"`
	Search  string    `help:"Words of the kind or the data, or how the name or an identifier of somebody begins whom it is about." placeholder:"TEXT"`
}

func (f auditFilter) filter() audit.Filter {
	out := audit.Filter{Actor: f.Actor, Subject: f.Subject, Org: f.Org, Kind: f.Type, Outcome: f.Outcome, IP: f.IP, From: f.From, To: f.To, Text: f.Search}
	if out.Outcome == "any" {
		out.Outcome = ""
	}
	return out
}

type auditTailCmd struct {
	auditFilter
	Limit  int  `short:"n" default:"20" help:"How many, at most 1000."`
	Follow bool `short:"f" help:"Go on with what happens, until interrupted."`
}

// Help is the example of the help page.
func (auditTailCmd) Help() string {
	return "Piped, each line is: time, kind, outcome, subject, actor, address, data. With --json each line is an event, the oldest first.\n\n" +
		"Examples:\n\n\tadmit audit tail --type login.failed\n\tadmit audit tail --follow --json"
}

// followed is how often what happens is asked for.
const followed = 500 * time.Millisecond

// Run shows the newest events.
func (c *auditTailCmd) Run(p *cli.Program) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return cli.Refuse(cli.ExitUsage, "--limit is a number from 1 to 1000.")
	}
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	at, err := a.DB.LastEvent(p.Ctx)
	if err != nil {
		return err
	}
	var list []audit.Record
	for cursor := ""; len(list) < c.Limit; {
		part, err := a.Audit.Search(p.Ctx, authz.System, c.filter(), cursor, c.Limit-len(list))
		if err != nil {
			return err
		}
		list = append(list, part.Items...)
		if cursor = part.Next; cursor == "" {
			break
		}
	}
	slices.Reverse(list)
	if err := printEvents(p, list); err != nil {
		return err
	}
	if !c.Follow {
		p.Next("admit audit tail --follow", "admit audit verify")
		return nil
	}
	return a.Audit.Follow(p.Ctx, authz.System, c.filter(), at, followed, func(list []audit.Record) error { return printEvents(p, list) })
}

func printEvents(p *cli.Program, list []audit.Record) error {
	if p.JSON {
		e := json.NewEncoder(p.Stdout)
		e.SetEscapeHTML(false)
		for _, r := range list {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	return p.Table(nil, cli.Mapped(list, func(r audit.Record) []string {
		return []string{cli.Stamp(r.At), r.Kind, r.Outcome, r.Subject, r.Actor, r.IP, string(r.Data)}
	}))
}

type auditExportCmd struct {
	Format string `enum:"jsonl,csv" default:"jsonl" help:"jsonl: one JSON object a line. csv: for spreadsheets."`
	auditFilter
}

// Help is the example of the help page.
func (auditExportCmd) Help() string {
	return "Examples:\n\n\tadmit audit export --from 2026-01-01T00:00:00Z > year.jsonl\n\tadmit audit export --format csv --org acme --outcome failure > failures.csv"
}

// Run prints the log.
func (c *auditExportCmd) Run(p *cli.Program) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	w, err := a.Audit.Export(p.Ctx, authz.System, c.filter(), c.Format)
	if err != nil {
		return err
	}
	bar := p.Progress("exporting")
	w.Progress = bar.Show
	out := bufio.NewWriter(p.Stdout)
	n, err := w.Each(p.Ctx, out)
	bar.Done()
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return err
	}
	p.Say("Exported %s.", cli.Plural(n, "event"))
	return nil
}

type auditVerifyCmd struct {
	Head []string `help:"A head that was kept elsewhere: the log must contain it." placeholder:"NUMBER:HASH"`
}

// Help is the example of the help page.
func (auditVerifyCmd) Help() string {
	return "Prints the head of the log. Keep it elsewhere: with --head a log is found that was cut off or made anew, even where the file in DATA_DIR went with it. " +
		"Ends with 1 when a record is not as it was sealed.\n\nExamples:\n\n\tadmit audit verify\n\tadmit audit verify --head \"$(cat /mnt/elsewhere/audit_head)\""
}

// Run verifies the log.
func (c *auditVerifyCmd) Run(p *cli.Program) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	bar := p.Progress("verifying")
	v := audit.Verification{Progress: bar.Show}
	for _, text := range c.Head {
		h, err := audit.ParseHead(text)
		if err != nil {
			return err
		}
		v.Heads = append(v.Heads, h)
	}
	r, err := a.Audit.VerifyFor(p.Ctx, authz.System, v)
	bar.Done()
	if err != nil {
		return err
	}
	if err := printReport(p, r); err != nil {
		return err
	}
	if r.Bad == nil {
		p.Next("admit audit export", "admit audit tail")
		return nil
	}
	if b := r.Bad; b.ID == "" {
		p.Say("The log is not as it was sealed. The first that is bad is checkpoint %d, at %s: %s.", b.Checkpoint, b.Cursor, b.Reason)
	} else {
		p.Say("The log is not as it was sealed. The first bad record is %s, at %s, under checkpoint %d: %s.", b.ID, b.Cursor, b.Checkpoint, b.Reason)
	}
	p.Say("Keep a copy of the database as it is, and compare it with a backup or an event file. See docs/audit.md.")
	return cli.Silent(cli.ExitFailed)
}

func printReport(p *cli.Program, r audit.Report) error {
	if p.JSON {
		return p.Print(r)
	}
	rows := [][]string{{"ok", cli.YesNo(r.OK)}, {"records", cli.Number(int(r.Records))}, {"checkpoints", cli.Number(int(r.Checkpoints))}, {"erased", cli.Number(int(r.Erased))},
		{"unsealed", cli.Number(int(r.Unsealed))}, {"foreign", cli.Number(int(r.Foreign))}, {"pruned", cli.Number(int(r.Pruned))}, {"head", r.Head}}
	if r.Bad != nil {
		rows = append(rows, []string{"bad_checkpoint", cli.Number(int(r.Bad.Checkpoint))}, []string{"bad_id", r.Bad.ID}, []string{"bad_cursor", r.Bad.Cursor}, []string{"bad_reason", r.Bad.Reason})
	}
	return p.Table(nil, rows)
}
