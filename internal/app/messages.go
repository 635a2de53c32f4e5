package app

import (
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/notify/mail"
	"github.com/admit-dev/admit/internal/notify/sms"
	"github.com/admit-dev/admit/internal/secret"
)

// messages is who carries mail and texts. What nobody carries is caught in development.
func (a *App) messages(opt Options, box *secret.Box) (*notify.Service, error) {
	out := notify.Options{
		Site: notify.Site{Base: a.Config.Web.Base()}, Catch: !a.Config.Production(), Terminal: opt.Terminal, Log: opt.Log,
	}
	post, err := mail.New(a.Config.Mail)
	if err != nil {
		return nil, err
	}
	switch {
	case opt.Mailer != nil:
		out.Senders = append(out.Senders, opt.Mailer)
	case post != nil:
		out.Senders = append(out.Senders, post)
	}
	text, err := sms.New(a.Config.SMS, a.Config.Outbound, a.DB.Now)
	if err != nil {
		return nil, err
	}
	if text != nil {
		out.Senders = append(out.Senders, text)
	}
	return notify.NewService(a.DB, a.Config.Notify, box, out)
}
