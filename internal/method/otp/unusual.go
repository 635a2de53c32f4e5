package otp

import (
	"context"

	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/user"
)

// MailCheck asks, where a sign-in or a sign-up is unusual, for a code to the address: of somebody whose other factors are not enough, and of
// whoever cannot solve what programs are kept out with. It opens nothing by itself, and so it needs no way to sign in by mail.
type MailCheck struct{ codes Method }

// NewMailCheck makes it. It is nil where no mail gets anywhere.
func NewMailCheck(d Deps) []login.Method {
	if !d.Notify.Carries(notify.Email) {
		return nil
	}
	return []login.Method{MailCheck{Method{Deps: d, name: Mail, kind: user.KindEmail, by: notify.Email, ask: challenge.Code}}}
}

// Name is "mail_check".
func (MailCheck) Name() string { return Mail }

// Uses are to keep programs out, and to ask for more.
func (MailCheck) Uses() login.Use { return login.Check | login.Confirm | login.Passes }

// Reads takes six digits.
func (m MailCheck) Reads(in login.Answer) bool { return m.codes.Reads(in) }

// sending is what is sent. Before anybody has shown who they are it goes to where was typed; later to what its person has shown to be theirs.
// Of a sign-up it always arrives, as the mail of a sign-up does; of a sign-in only where somebody has the address.
func (m MailCheck) sending(a login.Attempt) (c challenge.Challenge, reaches bool) {
	c = challenge.Challenge{Purpose: challenge.Unusual, Data: of(a.ID, "", "").text()}
	if a.Identifier.Kind == user.KindEmail {
		c.Target = a.Identifier.Value
	}
	if a.User != nil {
		c.UserID = a.User.ID
		if len(a.Shown) > 0 {
			c.Target = a.User.Email
		}
	}
	c.About = user.KindEmail + " " + c.Target
	return c, a.Risk.SignUp || a.User != nil && a.User.Active()
}

// Begin sends the code, unless it was sent just now.
func (m MailCheck) Begin(ctx context.Context, a login.Attempt) (login.Prompt, error) {
	c, reaches := m.sending(a)
	return m.codes.prompt(ctx, a, c, reaches)
}

// Verify judges the code. It says nothing of who somebody is.
func (m MailCheck) Verify(ctx context.Context, a login.Attempt, in login.Answer) (login.Proof, error) {
	c, _ := m.sending(a)
	if c.Target == "" {
		return login.Proof{}, login.ErrCode
	}
	spend, err := m.codes.answer(ctx, c, in["code"])
	return login.Proof{Consume: spend}, err
}
