// Package notify tells people things by mail and by text. A message is a row that commits with the change that causes it; a
// worker hands it to a mail or SMS service afterwards, so nobody ever waits for one.
package notify

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// Channel is a way to reach somebody.
type Channel string

// The channels.
const (
	Email Channel = "email"
	SMS   Channel = "sms"
)

// Message is what somebody is to be told.
type Message struct {
	To      string    // an e-mail address, or a phone number in E.164
	Channel Channel   // Email when empty
	UserID  string    // whom it concerns, if that is somebody known
	Locale  string    // a language tag or an Accept-Language; without it that of UserID holds, then the language of the request, then DEFAULT_LOCALE
	Zone    string    // a name of the IANA database; without it that of UserID holds, then UTC
	Nobody  bool      // it is written out and sent to nobody, so that asking for one that may not be sent takes as long as for another
	Expires time.Time // when its link and code run out, and it is of no use any more; may be zero
	Content Content   // what it says: VerifyEmail, OneTimeCode, PasswordChanged, …
}

// ErrNotFound is a message that is not there.
var ErrNotFound = apperr.New(apperr.NotFound, "message_not_found", "There is no such message.")

// ErrAddress is a recipient that is not one address. Nothing is sent.
var ErrAddress = apperr.New(apperr.Invalid, "recipient_invalid", "A message cannot be sent to this. Give one e-mail address, or one phone number with its country code.")

var (
	oneAddress = regexp.MustCompile(`^[^\s\x00-\x1f\x7f"(),:;<>@\[\]\\]{1,64}@[^\s\x00-\x1f\x7f"(),:;<>@\[\]\\]{1,255}$`)
	oneNumber  = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

// check holds that a message goes to one recipient and to nobody else. Addresses were parsed long before; this is the last door.
func (m *Message) check() error {
	switch {
	case m.Content == nil:
		return errors.New("notify: a message without content")
	case m.Channel == Email && oneAddress.MatchString(m.To), m.Channel == SMS && oneNumber.MatchString(m.To):
		return nil
	}
	return ErrAddress
}

// Letter is a message as it is handed to a service: written, in the language of its reader.
type Letter struct {
	ID      string // msg_…, the same for every try
	Channel Channel
	To      string
	Subject string
	Text    string
	HTML    string // "" for a text message
	Links   []string
	Codes   []string
	At      time.Time // when it was asked for
}

// Sender hands letters of one channel to a service outside.
type Sender interface {
	// Channel is what it carries.
	Channel() Channel
	// Send returns nil as soon as the service has taken the letter on. Refusal and Delay are errors about the letter; any
	// other is the service's illness, and every letter waits until that is over.
	Send(ctx context.Context, l Letter) error
	// Check finds out whether the service would take letters, without sending one.
	Check(ctx context.Context) error
	// Timeout is the longest Send may take.
	Timeout() time.Duration
}

// Refusal is a service that will never take a letter: trying again is of no use.
type Refusal struct{ Reply string }

// Error is what the service said.
func (r *Refusal) Error() string { return r.Reply }

// Delay is a service that does not take a letter now, and may later.
type Delay struct{ Reply string }

// Error is what the service said.
func (d *Delay) Error() string { return d.Reply }

// Config is what an operator may say of messages.
type Config struct {
	App    string `env:"APP_NAME" max:"60" doc:"What your site is called in mails and texts. Empty is the host of BASE_URL."`
	Locale string `env:"DEFAULT_LOCALE" default:"en" doc:"The language of messages to people whose own is not known or not there: a tag such as en or de."`
	Dir    string `env:"MESSAGE_DIR" doc:"Directory of your own words and layouts, which win over the built-in ones: en.json, de.json, any other language, message.html, message.txt."`
}

// Check refuses words that cannot be read, and a language there are no words in.
func (c Config) Check(bool) error {
	if _, err := newWriter(c, Site{Base: "http://localhost"}); err != nil {
		return err
	}
	return nil
}

// Site is where links lead and what the site is called when APP_NAME does not say.
type Site struct {
	Base string // BASE_URL, never of a request
}

func (s Site) host() string {
	_, host, _ := strings.Cut(s.Base, "://")
	host, _, _ = strings.Cut(host, "/")
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return host
}

type (
	// Queued is told of a message that is to be sent. It holds neither the address nor what the message says.
	Queued struct {
		MessageID string  `json:"message_id"`
		UserID    string  `json:"user_id,omitempty"`
		Channel   Channel `json:"channel"`
		Template  string  `json:"template"`
	}
	// Sent is told of a message that a mail or SMS service has taken on.
	Sent struct {
		MessageID string  `json:"message_id"`
		UserID    string  `json:"user_id,omitempty"`
		Channel   Channel `json:"channel"`
		Template  string  `json:"template"`
		Tries     int64   `json:"tries"`
	}
	// GaveUp is told of a message that will not be sent: it was refused, had run out, or was put off too often.
	GaveUp struct {
		MessageID string  `json:"message_id"`
		UserID    string  `json:"user_id,omitempty"`
		Channel   Channel `json:"channel"`
		Template  string  `json:"template"`
		Reason    Reason  `json:"reason"`
		Tries     int64   `json:"tries"`
	}
)

// Reason is why a message was not sent.
type Reason string

// The reasons.
const (
	Refused    Reason = "refused"
	PutOff     Reason = "put_off_too_often"
	RanOut     Reason = "ran_out"
	Unreadable Reason = "unreadable"
)

func (Queued) Kind() string { return "message.queued" }
func (Sent) Kind() string   { return "message.sent" }
func (GaveUp) Kind() string { return "message.failed" }

func (e Queued) Subject() string { return e.UserID }
func (e Sent) Subject() string   { return e.UserID }
func (e GaveUp) Subject() string { return e.UserID }

func (GaveUp) Failed() {}

// String is the message in words that tell nothing secret.
func (e GaveUp) String() string {
	return fmt.Sprintf("%s %s %s: %s", e.Channel, e.Template, e.MessageID, e.Reason)
}
