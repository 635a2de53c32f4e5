package mail_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/notify/mail"
	"github.com/admit-dev/admit/internal/testkit"
)

var letter = notify.Letter{
	ID: "msg_1", Channel: notify.Email, To: "ann@example.com", Subject: "415203 ist Ihr Code für Acme", Text: "Grüße:\n415203\n.\n",
	HTML: "<p>Grüße: 415203</p>", At: time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC),
}

func sender(t *testing.T, m *testkit.MailServer, change ...func(*mail.Config)) *mail.Sender {
	t.Helper()
	cfg := admit.DefaultConfig()
	m.Use(&cfg)
	for _, f := range change {
		f(&cfg.Mail)
	}
	if err := cfg.Mail.Check(true); err != nil {
		t.Fatal(err)
	}
	s, err := mail.New(cfg.Mail)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A letter arrives whole, however the connection is encrypted and whether or not the server asks who sends.
func TestLetterArrives(t *testing.T) {
	for _, mode := range []string{"starttls", "implicit", "none"} {
		for _, user := range []string{"", "acme"} {
			t.Run(mode+" "+user, func(t *testing.T) {
				m := testkit.NewMailServer(t, mode)
				if user != "" {
					m.Username, m.Password = user, "a long pass"
				}
				s := sender(t, m)
				if err := s.Check(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := s.Send(t.Context(), letter); err != nil {
					t.Fatal(err)
				}
				if n := len(m.Mails("")); n != 1 || (user != "") != (m.Logins() == 2) {
					t.Fatalf("%d mails, %d logins", n, m.Logins())
				}
				got := m.Mails("ann@example.com")[0]
				if got.From != "no-reply@acme.test" || got.Subject() != letter.Subject || got.Text != letter.Text || strings.TrimSpace(got.HTML) != letter.HTML {
					t.Fatalf("%+v", got)
				}
				for name, want := range map[string]string{
					"From": `"Acme Jobs" <no-reply@acme.test>`, "To": "<ann@example.com>", "Message-Id": "<msg_1@acme.test>",
					"Date": "Tue, 06 May 2031 07:08:09 +0000", "Auto-Submitted": "auto-generated", "Mime-Version": "1.0", "User-Agent": "", "X-Mailer": "",
				} {
					if got.Header.Get(name) != want {
						t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
					}
				}
			})
		}
	}
}

// No password and no letter goes to a server that cannot show who it is, or that does not encrypt.
func TestNothingGoesToAStranger(t *testing.T) {
	stranger := testkit.NewMailServer(t, "starttls")
	stranger.Username, stranger.Password = "acme", "a long pass"
	other := testkit.NewMailServer(t, "starttls")
	plain := testkit.NewMailServer(t, "none") // it offers no STARTTLS
	plain.Username, plain.Password = "acme", "a long pass"
	for name, s := range map[string]*mail.Sender{
		"another certificate": sender(t, stranger, func(c *mail.Config) { c.CAFile = other.CAFile }),
		"another name":        sender(t, stranger, func(c *mail.Config) { c.Host = "localhost" }),
		"no STARTTLS":         sender(t, plain, func(c *mail.Config) { c.TLS = "starttls" }),
		"no TLS":              sender(t, plain, func(c *mail.Config) { c.TLS = "implicit"; c.TimeoutSeconds = 1 }),
	} {
		if err := s.Send(t.Context(), letter); ours(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if stranger.Logins()+plain.Logins() != 0 || len(stranger.Mails(""))+len(plain.Mails("")) != 0 {
		t.Error("something went to a stranger")
	}
}

// ours reports whether an error is none, or about the letter.
func ours(err error) bool {
	refusal, delay := &notify.Refusal{}, &notify.Delay{}
	return err == nil || errors.As(err, &refusal) || errors.As(err, &delay)
}

// What a server says about a letter is told from what it says about itself.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name       string
		rcpt, data *smtp.SMTPError
		want       string
	}{
		{"no such mailbox", &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}, nil, "refused"},
		{"greylisted", &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "come again"}, nil, "delayed"},
		{"no relaying", &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "relay access denied"}, nil, "delayed"},
		{"sign in first", &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "authenticate"}, nil, "ill"},
		{"closing", &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "closing"}, nil, "ill"},
		{"too large", nil, &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "too large"}, "refused"},
		{"no room", nil, &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "no room"}, "delayed"},
		{"closing late", nil, &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "closing"}, "ill"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := testkit.NewMailServer(t, "none")
			m.Refuse = func(string) error { return fault(c.rcpt) }
			m.Judge = func(testkit.Mail) error { return fault(c.data) }
			verdict(t, sender(t, m).Send(t.Context(), letter), c.want)
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		m := testkit.NewMailServer(t, "starttls")
		m.Username, m.Password = "acme", "a long pass"
		s := sender(t, m)
		m.Password = "another"
		verdict(t, s.Send(t.Context(), letter), "ill")
		if s.Check(t.Context()) == nil {
			t.Error("a wrong password passes the check")
		}
	})
	t.Run("dead", func(t *testing.T) {
		m := testkit.NewMailServer(t, "starttls")
		s := sender(t, m)
		m.Stop()
		verdict(t, s.Send(t.Context(), letter), "ill")
	})
}

func fault(e *smtp.SMTPError) error {
	if e == nil {
		return nil
	}
	return e
}

func verdict(t *testing.T, err error, want string) {
	t.Helper()
	refusal, delay := &notify.Refusal{}, &notify.Delay{}
	got := "ill"
	switch {
	case err == nil:
		got = "sent"
	case errors.As(err, &refusal):
		got = "refused"
	case errors.As(err, &delay):
		got = "delayed"
	}
	if got != want {
		t.Errorf("%s, want %s: %v", got, want, err)
	}
}

// A server that takes the connection and never says a word holds nobody longer than the context.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, mode := range []string{"starttls", "implicit", "none"} {
		s, err := mail.New(mail.Config{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: mode, From: "a@b.test", TimeoutSeconds: 300})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		sent := make(chan error)
		go func() { sent <- s.Send(ctx, letter) }()
		conn, err := l.Accept() // it is being talked to
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		verdict(t, <-sent, "ill")
		conn.Close()
	}
}

// A letter goes to one recipient, whatever stands in its address and subject.
func TestHeadersCannotBeInjected(t *testing.T) {
	m := testkit.NewMailServer(t, "none")
	s := sender(t, m)
	for _, to := range []string{"a@v.test,b@v.test", "a@v.test\r\nRCPT TO:<b@v.test>", "a@v.test> <b@v.test", "", "a@v.test\nBcc: b@v.test", `"a@v.test" b`} {
		l := letter
		l.To = to
		verdict(t, s.Send(t.Context(), l), "refused")
	}
	if n := len(m.Mails("")); n != 0 {
		t.Fatalf("%d mails", n)
	}
	l := letter
	l.Subject = "Join Acme\r\nBcc: eve@evil.test\r\n\r\n<b>hello</b>"
	verdict(t, s.Send(t.Context(), l), "sent")
	got := m.Mails("")[0]
	if len(got.To) != 1 || got.Header.Get("Bcc") != "" || got.Text != letter.Text {
		t.Errorf("%s", got.Raw)
	}
}

// A server that is described by halves is a fault that names what is missing.
func TestHalves(t *testing.T) {
	full := mail.Config{Host: "smtp.example.com", TLS: "starttls", From: "a@example.com", TimeoutSeconds: 30}
	for name, c := range map[string]struct {
		change func(*mail.Config)
		says   string // "" is no fault
	}{
		"nothing":        {func(c *mail.Config) { *c = mail.Config{} }, ""},
		"all":            {func(*mail.Config) {}, ""},
		"sender alone":   {func(c *mail.Config) { c.Host = "" }, "SMTP_HOST"},
		"no sender":      {func(c *mail.Config) { c.From = "" }, "MAIL_FROM"},
		"two senders":    {func(c *mail.Config) { c.From = "a@b.test, c@d.test" }, "MAIL_FROM"},
		"injection":      {func(c *mail.Config) { c.From = "a@b.test\r\nBcc: c@d.test" }, "MAIL_FROM"},
		"user alone":     {func(c *mail.Config) { c.Username = "x" }, "SMTP_PASSWORD"},
		"password alone": {func(c *mail.Config) { c.Password = "x" }, "SMTP_USERNAME"},
		"address":        {func(c *mail.Config) { c.Host = "smtp.example.com:587" }, "SMTP_PORT"},
		"no file":        {func(c *mail.Config) { c.CAFile = "/nowhere" }, "SMTP_CA_FILE"},
		"in the clear":   {func(c *mail.Config) { c.TLS = "none" }, "SMTP_TLS"},
		"same machine":   {func(c *mail.Config) { c.TLS, c.Host = "none", "127.0.0.1" }, ""},
	} {
		cfg := full
		c.change(&cfg)
		err := cfg.Check(true)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
