package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/testkit"
)

// mailing is the environment of a program that sends through m.
func mailing(m *testkit.MailServer) []string {
	return []string{"SMTP_HOST=127.0.0.1", fmt.Sprint("SMTP_PORT=", m.Port), "SMTP_TLS=" + m.Mode, "SMTP_CA_FILE=" + m.CAFile, "MAIL_FROM=no-reply@acme.test", dear}
}

// changed has somebody change their password, who is told so.
func changed(t *testing.T, s served, email string) {
	t.Helper()
	c := s.client(t)
	c.Post("/auth/signup", testkit.M{"email": email, "password": "password123"}).Want(201)
	c.Post("/auth/password/change", testkit.M{"current_password": "password123", "new_password": "another password"}).Want(200)
}

// An operator sees what became of each message, and never what it said; doctor sees that some were given up.
func TestMessageList(t *testing.T) {
	t.Parallel()
	m := testkit.NewMailServer(t, "starttls")
	m.Refuse = func(to string) error {
		if strings.HasPrefix(to, "bob") {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user: " + to}
		}
		return nil
	}
	b := newBench(t, append(mailing(m), "ADDR=127.0.0.1:18475")...)
	b.run("message", "list").want(cli.ExitFailed, "no database")
	s := b.serve()
	b.run("message", "list").want(0, "There is no message.")
	changed(t, s, "ann@example.com")
	changed(t, s, "bob@example.com")
	eventually(t, 10*time.Second, "two messages done", func() bool {
		return len(b.run("message", "list", "--state", "queued", "--json").want(0).json().Items) == 0
	})
	list := b.run("message", "list", "--json").want(0).json().Items
	if len(list) != 2 || list[0]["state"] != "failed" || list[0]["to"] != "bob@example.com" || list[1]["state"] != "sent" || list[1]["to"] != nil ||
		list[1]["template"] != "password_changed" || strings.Contains(list[0]["reply"].(string), "bob") {
		t.Fatalf("%v", list)
	}
	b.run("message", "list", "--state", "failed").want(0, "password_changed", "no such user")
	s.stop()
	if f := b.found(cli.ExitWarnings); f["messages"] != warning || f["mail"] != fine {
		t.Fatal(f)
	}
}

// A test message is sent at once, or it is said what is in the way.
func TestMessageTest(t *testing.T) {
	t.Parallel()
	m := testkit.NewMailServer(t, "implicit")
	b := newBench(t, mailing(m)...)
	b.run("message", "test", "ann@example.com").want(0, "It was taken.")
	if got := m.Mails("ann@example.com"); len(got) != 1 || got[0].Subject() != "A test message from localhost" {
		t.Fatalf("%v", got)
	}
	b.run("message", "test", "ann@example.com,bob@example.com").want(cli.ExitUsage, "one e-mail address")
	b.run("message", "test", "+491711234567").want(cli.ExitFailed, "SMS_PROVIDER is not set")
	m.Stop()
	b.run("message", "test", "ann@example.com").want(cli.ExitFailed, "It was not taken")
	if f := b.found(cli.ExitFailed); f["mail"] != problem {
		t.Fatal(f)
	}
	newBench(t).run("message", "test", "ann@example.com").want(cli.ExitFailed, "SMTP_HOST is not set")
}

// Without a mail server development keeps mail here, each in one line of the terminal, and production is warned.
func TestCaughtMail(t *testing.T) {
	t.Parallel()
	b := newBench(t, dear)
	s := b.serve()
	changed(t, s, "ann@example.com")
	eventually(t, 10*time.Second, "a line", func() bool {
		return strings.Contains(s.said.String(), "  mail → ann@example.com  Your password for localhost was changed")
	})
	if list := b.run("message", "list", "--json").want(0).json().Items; len(list) != 1 || list[0]["state"] != "caught" || list[0]["to"] != "ann@example.com" {
		t.Fatal(list)
	}
	s.stop()
	b.run("doctor", "--prod").want(cli.ExitFailed, "SMTP_HOST is not set")
}

// A mail server that is described by halves keeps the program from starting, and says what is missing.
func TestHalfAMailServer(t *testing.T) {
	t.Parallel()
	newBench(t, "SMTP_HOST=smtp.example.com").run("serve").want(cli.ExitFailed, "MAIL_FROM")
	newBench(t, "MAIL_FROM=a@example.com").run("serve").want(cli.ExitFailed, "SMTP_HOST")
	newBench(t, "SMS_PROVIDER=twilio", "TWILIO_ACCOUNT_SID=AC1").run("serve").want(cli.ExitFailed, "TWILIO_AUTH_TOKEN", "SMS_FROM")
	newBench(t, "DEFAULT_LOCALE=fr").run("serve").want(cli.ExitFailed, "DEFAULT_LOCALE")
	newBench(t, "MESSAGE_DIR=/nowhere/at/all").run("serve").want(cli.ExitFailed, "MESSAGE_DIR")
}
