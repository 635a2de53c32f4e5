package admit

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/notify"
)

// Mail is one mail, to one person.
type Mail struct {
	To        string // an e-mail address
	Subject   string
	Text      string
	HTML      string // the same, with links to press
	MessageID string // msg_…, the same for every try of one mail: whoever gets it twice can tell
}

// WithMailer has send take every mail, instead of the mail server of SMTP_HOST. It may be called from several goroutines at once, and is given
// 30 seconds by its context. A mail that it returns an error for is tried again, seven times within 13 hours, more and more seldom, unless its link
// has run out by then.
func WithMailer(send func(context.Context, Mail) error) Option {
	return func(o *app.Options) { o.Mailer = mailer(send) }
}

// mailer is a notify.Sender.
type mailer func(context.Context, Mail) error

// Channel is that of mail.
func (mailer) Channel() notify.Channel { return notify.Email }

// Send hands one over. An error is about that mail alone: what is wrong with it, or with all of them, only the program knows.
func (send mailer) Send(ctx context.Context, l notify.Letter) error {
	if err := send(ctx, Mail{l.To, l.Subject, l.Text, l.HTML, l.ID}); err != nil {
		return &notify.Delay{Reply: err.Error()}
	}
	return nil
}

// Check has nothing to ask.
func (mailer) Check(context.Context) error { return nil }

// Timeout is how long it may take.
func (mailer) Timeout() time.Duration { return 30 * time.Second }
