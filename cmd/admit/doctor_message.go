package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/notify/mail"
	"github.com/admit-dev/admit/internal/notify/sms"
)

// services checks whether mail and texts would be taken, without sending any.
func (e *examination) services() {
	if e.cfg.Mail.Host == "" {
		e.unsent()
	} else if post, err := mail.New(e.cfg.Mail); err != nil {
		e.note(problem, "mail", err.Error(), "See admit config explain SMTP_HOST.")
	} else {
		port := "its usual port"
		if e.cfg.Mail.Port != 0 {
			port = strconv.Itoa(e.cfg.Mail.Port)
		}
		e.reach("mail", net.JoinHostPort(e.cfg.Mail.Host, port)+", "+e.cfg.Mail.TLS, post, "Set SMTP_HOST, SMTP_PORT, SMTP_TLS, SMTP_USERNAME and SMTP_PASSWORD to what the mail server wants.")
	}
	if e.cfg.SMS.Provider == "" {
		return
	}
	text, err := sms.New(e.cfg.SMS, e.cfg.Outbound, time.Now)
	if err != nil {
		e.note(problem, "texts", err.Error(), "See admit config explain SMS_PROVIDER.")
		return
	}
	e.reach("texts", e.cfg.SMS.Provider, text, "See that this machine reaches the service, and that SMS_URL is right.")
}

// unsent says what becomes of mail without a mail server.
func (e *examination) unsent() {
	if e.prod || e.cfg.Production() {
		e.note(warning, "mail", "SMTP_HOST is not set: no password reset, no confirmation and no invitation reaches anybody", "Set SMTP_HOST and MAIL_FROM.")
		return
	}
	e.note(fine, "mail", "stays here: "+e.cfg.Web.Origin()+"/dev/inbox", "")
}

func (e *examination) reach(name, whom string, s notify.Sender, fix string) {
	ctx, cancel := context.WithTimeout(e.Ctx, min(s.Timeout(), 10*time.Second))
	defer cancel()
	if err := s.Check(ctx); err != nil {
		e.note(problem, name, whom+": "+err.Error(), fix)
		return
	}
	e.note(fine, name, whom+" answers", "")
}

// messages checks whether any wait too long or were given up.
func (e *examination) messages(a *app.App) {
	b, err := a.Notify.Backlog(e.Ctx)
	switch {
	case err != nil:
		e.ill(err)
	case b.Failed > 0:
		e.note(warning, "messages", fmt.Sprintf("%s could not be delivered within the last day", cli.Plural(int(b.Failed), "message")), "See admit message list --state failed.")
	case b.Waiting > 0 && b.Oldest > 5*time.Minute:
		e.note(warning, "messages", fmt.Sprintf("%s, the oldest for %s", cli.Plural(int(b.Waiting), "message")+" waiting", b.Oldest.Round(time.Minute)), "See admit message list --state queued, and that a server runs.")
	case b.Waiting > 0:
		e.note(fine, "messages", cli.Plural(int(b.Waiting), "message")+" waiting", "")
	}
}
