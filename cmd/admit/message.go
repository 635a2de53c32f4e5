package main

import (
	"strconv"
	"time"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/notify"
)

// messageCmd is what an operator does with mail and texts.
type messageCmd struct {
	List messageListCmd `cmd:"" help:"List messages, newest first, and what became of them."`
	Test messageTestCmd `cmd:"" help:"Send a test message, and say what the mail or SMS service answers."`
}

type messageListCmd struct {
	State string `enum:"any,queued,sent,caught,failed" default:"any" help:"Only those that wait (queued), were sent, are in the development inbox (caught), or were given up (failed)."`
	Limit int    `default:"50" help:"How many, at most 1000."`
}

// Help is the example of the help page.
func (messageListCmd) Help() string {
	return "Piped, each line is: id, when it was asked for, channel, template, user, recipient, state, tries, when it is due or ended, what the service said. " +
		"What a message says is shown to nobody.\n\nExample:\n\n\tadmit message list --state failed"
}

// messageView is a message for programs.
type messageView struct {
	ID        string     `json:"id"`
	CreatedAt time.Time  `json:"created_at"`
	Channel   string     `json:"channel"`
	Template  string     `json:"template"`
	UserID    *string    `json:"user_id"`
	To        *string    `json:"to"`
	State     string     `json:"state"`
	Tries     int64      `json:"tries"`
	DueAt     time.Time  `json:"due_at"`
	EndedAt   *time.Time `json:"ended_at"`
	Reply     *string    `json:"reply"`
}

// Run lists messages.
func (c *messageListCmd) Run(p *cli.Program) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return cli.Refuse(cli.ExitUsage, "--limit is a number from 1 to 1000.")
	}
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	if c.State == "any" {
		c.State = ""
	}
	list, err := a.Notify.History(p.Ctx, c.State, c.Limit)
	if err != nil {
		return err
	}
	if p.JSON {
		views := make([]messageView, len(list))
		for i, d := range list {
			views[i] = messageView{d.ID, d.CreatedAt, string(d.Channel), d.Template, cli.OrNull(d.UserID), cli.OrNull(d.To), d.State, d.Tries, d.DueAt, d.EndedAt, cli.OrNull(d.Reply)}
		}
		return p.Print(cli.Page{Items: views})
	}
	rows := make([][]string, len(list))
	for i, d := range list {
		when := d.DueAt
		if d.EndedAt != nil {
			when = *d.EndedAt
		}
		rows[i] = []string{d.ID, cli.Stamp(d.CreatedAt), string(d.Channel), d.Template, d.UserID, d.To, d.State, strconv.FormatInt(d.Tries, 10), cli.Stamp(when), d.Reply}
	}
	if err := p.Table([]string{"ID", "CREATED", "CHANNEL", "TEMPLATE", "USER", "TO", "STATE", "TRIES", "DUE OR ENDED", "REPLY"}, rows); err != nil {
		return err
	}
	if len(rows) == 0 {
		p.Say("There is no message.")
	}
	p.Next("admit message test ann@example.com")
	return nil
}

type messageTestCmd struct {
	To string `arg:"" help:"E-mail address, or phone number as +49…"`
}

// Help is the example of the help page.
func (messageTestCmd) Help() string {
	return "It is sent at once, and once: it neither waits in the queue nor is tried again.\n\nExample:\n\n\tadmit message test ann@example.com"
}

// Run sends a test message.
func (c *messageTestCmd) Run(p *cli.Program) error {
	a, err := p.Open(true)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	channel := notify.Email
	if c.To != "" && c.To[0] == '+' {
		channel = notify.SMS
	}
	setting := map[notify.Channel]string{notify.Email: "SMTP_HOST", notify.SMS: "SMS_PROVIDER"}[channel]
	sender := a.Notify.Sender(channel)
	if sender == nil {
		return cli.Refuse(cli.ExitFailed, "%s is not set, so there is nobody to send this. See admit config explain %s.", setting, setting)
	}
	if err := a.Notify.Try(p.Ctx, channel, c.To); err != nil {
		if code, text := cli.Judge(err); code == cli.ExitUsage {
			return cli.Refuse(cli.ExitUsage, "%s", text)
		}
		return cli.Refuse(cli.ExitFailed, "It was not taken: %s. See admit doctor, and admit config explain %s.", err, setting)
	}
	p.Say("It was taken. Whether it arrives shows in the mailbox or on the phone.")
	return nil
}
