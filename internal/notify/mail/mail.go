// Package mail hands letters to a mail server, by SMTP.
package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/admit-dev/admit/internal/notify"
)

// Sender hands letters to one mail server, each over a connection of its own.
type Sender struct {
	cfg  Config
	from *netmail.Address
	tls  *tls.Config
}

// New makes a Sender of a Config that Check accepts, nil when it names no server.
func New(cfg Config) (*Sender, error) {
	if cfg.Host == "" {
		return nil, nil
	}
	from, err := cfg.from()
	if err != nil {
		return nil, fmt.Errorf("MAIL_FROM: %w", err)
	}
	roots, err := cfg.roots()
	if err != nil {
		return nil, fmt.Errorf("SMTP_CA_FILE: %w", err)
	}
	return &Sender{cfg, from, &tls.Config{ServerName: strings.Trim(cfg.Host, "[]"), RootCAs: roots, MinVersion: tls.VersionTLS12}}, nil
}

// Channel is Email.
func (s *Sender) Channel() notify.Channel { return notify.Email }

// Timeout is SMTP_TIMEOUT_SECONDS.
func (s *Sender) Timeout() time.Duration {
	return time.Duration(cmp.Or(s.cfg.TimeoutSeconds, 30)) * time.Second
}

// Send hands over one letter. It returns as soon as the server has confirmed it, before the good-byes.
func (s *Sender) Send(ctx context.Context, l notify.Letter) error {
	m, err := s.compose(l)
	if err != nil {
		return &notify.Refusal{Reply: err.Error()}
	}
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	if err := c.SendWithSMTPClient(c.server, m); err != nil && !m.IsDelivered() {
		c.conn.Close()
		return judge(err)
	}
	go c.quit()
	return nil
}

// Check signs in to the server and leaves.
func (s *Sender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout())
	defer cancel()
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer c.quit()
	return c.server.Noop()
}

// compose writes the letter as MIME: text, and the same in HTML.
func (s *Sender) compose(l notify.Letter) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.FromMailAddress(s.from)
	if err := m.To(l.To); err != nil {
		return nil, errors.New("the address cannot be written into a mail")
	}
	_, domain, _ := strings.Cut(s.from.Address, "@")
	m.SetMessageIDWithValue(l.ID + "@" + domain) // the same at each try: whoever gets it twice can tell
	m.SetDateWithValue(l.At)
	m.Subject(l.Subject)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's holiday notice should answer
	m.SetGenHeader("X-Auto-Response-Suppress", "All")
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	m.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	return m, nil
}

// connection is one conversation with the server.
type connection struct {
	*mail.Client
	server *smtp.Client
	conn   net.Conn
	free   func() bool // takes the connection off the context it was made in
}

// dial connects, encrypts and signs in. The connection ends with ctx, whatever it is waiting for.
func (s *Sender) dial(ctx context.Context) (*connection, error) {
	c := &connection{free: func() bool { return true }}
	options := []mail.Option{
		mail.WithPort(s.cfg.port()), mail.WithTimeout(s.Timeout()), mail.WithTLSConfig(s.tls),
		mail.WithTLSPolicy(mail.TLSMandatory), mail.WithoutNoop(), mail.WithoutRset(),
		mail.WithDialContextFunc(func(dialing context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(dialing, network, address)
			if err != nil {
				return nil, err
			}
			c.conn = conn
			c.free = context.AfterFunc(ctx, func() { _ = conn.Close() })
			if s.cfg.TLS == "implicit" {
				return tls.Client(conn, s.tls), nil
			}
			return conn, nil
		}),
	}
	if s.cfg.TLS == "implicit" || s.cfg.TLS == "none" { // the dialer has seen to it
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if s.cfg.Username != "" {
		options = append(options, mail.WithUsername(s.cfg.Username), mail.WithPassword(s.cfg.Password.Reveal()), s.auth())
	}
	var err error
	if c.Client, err = mail.NewClient(strings.Trim(s.cfg.Host, "[]"), options...); err != nil {
		return nil, err
	}
	if c.server, err = c.DialToSMTPClientWithContext(ctx); err != nil {
		if c.conn != nil {
			_ = c.conn.Close()
		}
		return nil, err
	}
	return c, nil
}

// auth is how to sign in: so that the password is not shown, where the server can; else under TLS, or without it as far as
// the settings allow that at all.
func (s *Sender) auth() mail.Option {
	if s.cfg.TLS == "none" {
		return mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc)
	}
	return mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlain, mail.SMTPAuthLogin)
}

// farewell is how long a server may take to say good-bye.
const farewell = 5 * time.Second

func (c *connection) quit() {
	c.free()
	late := time.AfterFunc(farewell, func() { _ = c.conn.Close() })
	_ = c.server.Quit()
	late.Stop()
	_ = c.conn.Close()
}

// judge tells what is wrong with the letter from what is wrong with the server, or with what it was told of us.
func judge(err error) error {
	e, ok := errors.AsType[*mail.SendError](err)
	if !ok {
		return err
	}
	code, about := e.ErrorCode(), e.Reason
	switch {
	case about == mail.ErrGetRcpts:
		return &notify.Refusal{Reply: e.Error()}
	case about != mail.ErrSMTPRcptTo && about != mail.ErrSMTPData && about != mail.ErrSMTPDataClose, code == 421, code == 530, code < 400:
		return e // the sender, the connection, the service as a whole
	case code < 500, about == mail.ErrSMTPRcptTo && strings.HasPrefix(e.EnhancedStatusCode(), "5.7."):
		return &notify.Delay{Reply: e.Error()} // 5.7: we may not send there, which an operator can change
	}
	return &notify.Refusal{Reply: e.Error()}
}
