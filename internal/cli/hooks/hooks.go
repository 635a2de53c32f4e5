// Package hooks is the commands about webhooks.
package hooks

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/webhook"
)

// Webhook is what an operator does with webhooks.
type Webhook struct {
	List       listCmd       `cmd:"" help:"List webhooks, and how each stands."`
	Create     createCmd     `cmd:"" help:"Make a webhook. Its secret is printed this once."`
	Update     updateCmd     `cmd:"" help:"Give a webhook another address, description or choice of events."`
	Rotate     rotateCmd     `cmd:"" help:"Give a webhook another secret. It is printed this once."`
	Pause      pauseCmd      `cmd:"" help:"Tell a webhook of nothing for the time being."`
	Resume     resumeCmd     `cmd:"" help:"Have a webhook go on where it was paused."`
	Delete     deleteCmd     `cmd:"" help:"Delete a webhook with its log."`
	Deliveries deliveriesCmd `cmd:"" help:"List what was sent to a webhook or waits to be, newest first."`
	Replay     replayCmd     `cmd:"" help:"Send one delivery again, or everything since a time."`
}

// webhookView is a webhook as the API shows one.
type webhookView struct {
	ID             string     `json:"id"`
	URL            string     `json:"url"`
	Description    string     `json:"description"`
	Format         string     `json:"format"`
	Kinds          []string   `json:"kinds"`
	Paused         *string    `json:"paused"`
	OldSecretUntil *time.Time `json:"old_secret_until"`
	Failures       int64      `json:"failures"`
	FailingSince   *time.Time `json:"failing_since"`
	LastError      *string    `json:"last_error"`
	CreatedBy      *string    `json:"created_by"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
	Secret         string     `json:"secret,omitempty"`
}

func webhookOf(w webhook.Webhook) webhookView {
	return webhookView{w.ID, w.URL, w.Description, string(w.Format), w.Kinds, cli.OrNull(string(w.Paused)), w.OldUntil, w.Failures, w.FailingSince, cli.OrNull(w.Reply), cli.OrNull(w.CreatedBy), w.CreatedAt, w.UpdatedAt, ""}
}

// withStore opens the store and has f do the work.
func withStore(p *cli.Program, f func(a *app.App) error) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	return f(a)
}

type listCmd struct{}

// Help is the example of the help page.
func (listCmd) Help() string {
	return "Piped, each line is: id, address, events, how it stands, what went wrong the last time, description.\n\nExample:\n\n\tadmit webhook list"
}

// Run lists webhooks.
func (c *listCmd) Run(p *cli.Program) error {
	return withStore(p, func(a *app.App) error {
		list, err := a.Webhooks.List(p.Ctx, authz.System)
		if err != nil {
			return err
		}
		heading := []string{"ID", "ADDRESS", "EVENTS", "STANDS", "LAST ERROR", "DESCRIPTION"}
		if p.JSON {
			return cli.Listed(p, cli.Mapped(list, webhookOf), "", heading, nil)
		}
		if len(list) == 0 {
			p.Say("There are no webhooks.")
		}
		err = cli.Listed(p, list, "", heading, func(w webhook.Webhook) []string {
			stands := "well"
			switch {
			case w.Paused == webhook.ByHand:
				stands = "paused"
			case w.Paused != "":
				stands = "paused: " + string(w.Paused)
			case w.FailingSince != nil:
				stands = "failing since " + cli.Stamp(*w.FailingSince)
			}
			return []string{w.ID, w.URL, cmp.Or(strings.Join(w.Kinds, ","), "all"), stands, w.Reply, w.Description}
		})
		p.Next("admit webhook create https://example.com/hooks", "admit webhook deliveries ID")
		return err
	})
}

type createCmd struct {
	URL         string   `arg:"" help:"Where events are sent."`
	Kind        []string `help:"Kind of events that it is told of, or a group such as member.*; may be repeated. All when left out." placeholder:"KIND"`
	Format      string   `help:"What a request holds: the event, or a Security Event Token (set)." enum:"events,set" default:"events"`
	Description string   `help:"What it is for." placeholder:"TEXT"`
}

// Help is the example of the help page.
func (createCmd) Help() string {
	return "It is told of what happens from now on. The secret that requests are signed with goes to standard output alone.\n\n" +
		"Example:\n\n\tadmit webhook create https://example.com/hooks --kind \"member.*\" --kind org.deleted > secret"
}

// Run makes a webhook.
func (c *createCmd) Run(p *cli.Program) error {
	return withStore(p, func(a *app.App) error {
		w, secret, err := a.Webhooks.Create(p.Ctx, authz.System, webhook.Edit{URL: &c.URL, Description: &c.Description, Kinds: &c.Kind, Format: new(webhook.Format(c.Format))})
		if err != nil {
			return err
		}
		p.Say("Made the webhook %s. This is the only time that its secret is shown:", w.ID)
		return showSecret(p, w, secret)
	})
}

// showSecret prints the secret of a webhook this once.
func showSecret(p *cli.Program, w webhook.Webhook, secret string) error {
	if p.JSON {
		v := webhookOf(w)
		v.Secret = secret
		return p.Print(v)
	}
	err := p.Table(nil, [][]string{{secret}})
	p.Next("admit webhook deliveries "+w.ID, "admit webhook list")
	return err
}

type whichWebhook struct {
	ID string `arg:"" help:"whk_…, as admit webhook list shows it."`
}

// update changes the webhook and says what was done.
func (c whichWebhook) update(p *cli.Program, in webhook.Edit, said string) error {
	return withStore(p, func(a *app.App) error {
		w, err := a.Webhooks.Update(p.Ctx, authz.System, c.ID, in)
		if err != nil {
			return err
		}
		p.Say("%s %s.", said, w.ID)
		p.Next("admit webhook list")
		if p.JSON {
			return p.Print(webhookOf(w))
		}
		return nil
	})
}

type updateCmd struct {
	whichWebhook
	URL         *string  `name:"url" help:"Another address." placeholder:"URL"`
	Kind        []string `help:"Kind of events that it is told of, or a group such as member.*; may be repeated. They take the place of those before." placeholder:"KIND"`
	AllKinds    bool     `help:"Tell it of everything."`
	Description *string  `help:"What it is for." placeholder:"TEXT"`
}

// Help is the example of the help page.
func (updateCmd) Help() string {
	return "What is left out stays as it is.\n\nExample:\n\n\tadmit webhook update whk_06bpk3v2x5r4… --url https://example.com/other --kind \"org.*\""
}

// Run changes a webhook.
func (c *updateCmd) Run(p *cli.Program) error {
	in := webhook.Edit{URL: c.URL, Description: c.Description}
	switch {
	case c.AllKinds && len(c.Kind) > 0:
		return cli.Refuse(cli.ExitUsage, "--kind and --all-kinds exclude each other.")
	case c.AllKinds || len(c.Kind) > 0:
		in.Kinds = &c.Kind
	}
	return c.update(p, in, "Changed")
}

type rotateCmd struct {
	whichWebhook
	OverlapHours int `default:"24" help:"For how many hours the old secret is signed with too: 0 to 168." placeholder:"HOURS"`
}

// Help is the example of the help page.
func (rotateCmd) Help() string {
	return "The new secret alone goes to standard output.\n\nExample:\n\n\tadmit webhook rotate whk_06bpk3v2x5r4… --overlap-hours 2 > secret"
}

// Run gives a webhook another secret.
func (c *rotateCmd) Run(p *cli.Program) error {
	return withStore(p, func(a *app.App) error {
		w, secret, err := a.Webhooks.Rotate(p.Ctx, authz.System, c.ID, time.Duration(c.OverlapHours)*time.Hour)
		if err != nil {
			return err
		}
		p.Say("%s has another secret. What is sent is signed with the old one too for %s. This is the only time that the new one is shown:", w.ID, cli.Plural(c.OverlapHours, "hour"))
		return showSecret(p, w, secret)
	})
}

type pauseCmd struct{ whichWebhook }

// Help is the example of the help page.
func (pauseCmd) Help() string {
	return "What happens meanwhile is sent when it goes on.\n\nExample:\n\n\tadmit webhook pause whk_06bpk3v2x5r4…"
}

// Run pauses a webhook.
func (c *pauseCmd) Run(p *cli.Program) error {
	return c.update(p, webhook.Edit{Paused: new(true)}, "Paused")
}

type resumeCmd struct{ whichWebhook }

// Help is the example of the help page.
func (resumeCmd) Help() string {
	return "Example:\n\n\tadmit webhook resume whk_06bpk3v2x5r4…"
}

// Run has a webhook go on.
func (c *resumeCmd) Run(p *cli.Program) error {
	return c.update(p, webhook.Edit{Paused: new(false)}, "Resumed")
}

type deleteCmd struct {
	whichWebhook
	Yes bool `help:"Do not ask."`
}

// Help is the example of the help page.
func (deleteCmd) Help() string {
	return "Example:\n\n\tadmit webhook delete whk_06bpk3v2x5r4… --yes"
}

// Run deletes a webhook.
func (c *deleteCmd) Run(p *cli.Program) error {
	return withStore(p, func(a *app.App) error {
		w, err := a.Webhooks.Get(p.Ctx, authz.System, c.ID)
		if err != nil {
			return err
		}
		if err := p.Confirm(c.Yes, "Deleting the webhook "+w.URL, w.ID); err != nil {
			return err
		}
		if err := a.Webhooks.Delete(p.Ctx, authz.System, w.ID); err != nil {
			return err
		}
		p.Say("Deleted %s.", w.ID)
		return p.Gone(w.ID)
	})
}

type deliveriesCmd struct {
	whichWebhook
	cli.Part
	State string `enum:"any,waiting,delivered,parked" default:"any" help:"Only those that wait, were delivered, or were given up (parked)."`
}

// Help is the example of the help page.
func (deliveriesCmd) Help() string {
	return "Piped, each line is: id, when it was tried last, kind, what it is about, state, tries, status of the answer, what went wrong.\n\nExample:\n\n\tadmit webhook deliveries whk_06bpk3v2x5r4… --state parked"
}

// deliveryView is a delivery as the API shows one.
type deliveryView struct {
	ID        string     `json:"id"`
	EventID   string     `json:"event_id"`
	Kind      string     `json:"kind"`
	Subject   *string    `json:"subject"`
	At        time.Time  `json:"at"`
	State     string     `json:"state"`
	Tries     int64      `json:"tries"`
	Status    *int64     `json:"status"`
	TookMs    *int64     `json:"took_ms"`
	Error     *string    `json:"error"`
	CreatedAt time.Time  `json:"created_at"`
	TriedAt   *time.Time `json:"tried_at"`
	NextTryAt *time.Time `json:"next_try_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

func deliveryOf(d webhook.Delivery) deliveryView {
	v := deliveryView{d.ID, d.EventID, d.Kind, cli.OrNull(d.Subject), d.At, string(d.State), d.Tries, nil, nil, cli.OrNull(d.Reply), d.CreatedAt, d.TriedAt, d.DueAt, d.EndedAt}
	if d.Status != 0 {
		v.Status = &d.Status
	}
	if d.TriedAt != nil {
		v.TookMs = new(d.Took.Milliseconds())
	}
	return v
}

// Run lists deliveries.
func (c *deliveriesCmd) Run(p *cli.Program) error {
	return withStore(p, func(a *app.App) error {
		if c.State == "any" {
			c.State = ""
		}
		list, next, err := a.Webhooks.Deliveries(p.Ctx, authz.System, c.ID, webhook.State(c.State), c.After, c.Limit)
		if err != nil {
			return err
		}
		heading := []string{"ID", "TRIED", "KIND", "ABOUT", "STATE", "TRIES", "STATUS", "ERROR"}
		if p.JSON {
			return cli.Listed(p, cli.Mapped(list, deliveryOf), next, heading, nil)
		}
		if len(list) == 0 {
			p.Say("There are no deliveries.")
		}
		err = cli.Listed(p, list, next, heading, func(d webhook.Delivery) []string {
			status, tried := "", ""
			if d.TriedAt != nil {
				tried = cli.Stamp(*d.TriedAt)
			}
			if d.Status != 0 {
				status = strconv.FormatInt(d.Status, 10)
			}
			return []string{d.ID, tried, d.Kind, d.Subject, string(d.State), strconv.FormatInt(d.Tries, 10), status, d.Reply}
		})
		p.More("admit webhook deliveries "+c.ID, next)
		return err
	})
}

type replayCmd struct {
	whichWebhook
	Delivery string    `help:"One delivery, dlv_…" placeholder:"ID"`
	Since    time.Time `help:"Everything that happened at this time or later, as 2026-05-06T07:08:09Z." placeholder:"TIME"`
}

// Help is the example of the help page.
func (replayCmd) Help() string {
	return "What is sent again has the id that it had the first time.\n\nExamples:\n\n\tadmit webhook replay whk_06bpk3v2x5r4… --delivery dlv_06bpk3v2x5r4…\n\tadmit webhook replay whk_06bpk3v2x5r4… --since 2026-05-06T07:00:00Z"
}

// Run sends again.
func (c *replayCmd) Run(p *cli.Program) error {
	if (c.Delivery == "") == c.Since.IsZero() {
		return cli.Refuse(cli.ExitUsage, "Say what to send again: --delivery or --since.")
	}
	return withStore(p, func(a *app.App) error {
		if c.Delivery != "" {
			d, err := a.Webhooks.Replay(p.Ctx, authz.System, c.ID, c.Delivery)
			if err != nil {
				return err
			}
			p.Say("%s will be sent again.", d.ID)
			if p.JSON {
				return p.Print(deliveryOf(d))
			}
			return nil
		}
		if err := a.Webhooks.ReplaySince(p.Ctx, authz.System, c.ID, c.Since); err != nil {
			return err
		}
		p.Say("What happened since %s will be sent again.", cli.Stamp(c.Since))
		if p.JSON {
			return p.Print(map[string]any{"id": c.ID, "since": c.Since.UTC()})
		}
		return nil
	})
}
