package torture_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// mailing is the environment of a server that sends through m.
func mailing(m *testkit.MailServer, dir, databaseURL string) []string {
	return settings(dir, databaseURL, "SMTP_HOST=127.0.0.1", fmt.Sprint("SMTP_PORT=", m.Port), "SMTP_TLS="+m.Mode, "SMTP_CA_FILE="+m.CAFile,
		"SMTP_USERNAME="+m.Username, "SMTP_PASSWORD="+m.Password, "MAIL_FROM=no-reply@acme.test", "SMTP_TIMEOUT_SECONDS=2")
}

func newMail(t *testing.T) *testkit.MailServer {
	m := testkit.NewMailServer(t, "starttls")
	m.Username, m.Password = "acme", "a-long-pass"
	return m
}

// told has n people change their passwords, each of whom is to be told so, and gives their addresses.
func told(t *testing.T, c *caller, prefix string, n int) []string {
	t.Helper()
	addresses := make([]string, n)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := worker; i < n; i += 4 {
				addresses[i] = fmt.Sprintf("%s%d@example.com", prefix, i)
				cookie := c.must(t, signUp(addresses[i]), 201).session
				c.must(t, sent{path: "/auth/password/change", session: cookie, body: m{"current_password": password, "new_password": "another password"}}, 200)
			}
		})
	}
	all.Wait()
	return addresses
}

// arrived holds that everybody was told, and once: a mail that came twice is known by its Message-ID. It says how many did.
func arrived(t *testing.T, m *testkit.MailServer, addresses []string, limit time.Duration) (twice int) {
	t.Helper()
	within(t, limit, "mails to everybody", func() bool {
		for _, to := range addresses {
			if len(m.Mails(to)) == 0 {
				return false
			}
		}
		return true
	})
	for _, to := range addresses {
		list := m.Mails(to)
		for _, mail := range list[1:] {
			twice++
			if id := mail.Header.Get("Message-Id"); id == "" || id != list[0].Header.Get("Message-Id") {
				t.Errorf("two messages to %s: %s and %s", to, list[0].Header.Get("Message-Id"), id)
			}
		}
	}
	return twice
}

// A mail server that is away, and a kill -9 while 200 messages wait: all of them are sent once when both are back.
func TestMailOutlivesKill(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		dir, url, mails := t.TempDir(), testkit.DatabaseURL(t, engine), newMail(t)
		mails.Stop()
		p := serve(t, dir, mailing(mails, dir, url))
		addresses := told(t, p.caller, "ann", 200)
		p.kill()
		p = serve(t, dir, mailing(mails, dir, url))
		p.kill()
		if n := len(mails.Mails("")); n != 0 {
			t.Fatalf("%d mails from nowhere", n)
		}
		mails.Start()
		p = serve(t, dir, mailing(mails, dir, url))
		if twice := arrived(t, mails, addresses, 60*time.Second); twice != 0 {
			t.Errorf("%d mails came twice", twice)
		}
		db := open(t, url)
		within(t, 10*time.Second, "all marked", func() bool {
			return column[int](t, db, `SELECT COUNT(*) FROM deliveries WHERE state = 'sent' AND payload IS NULL`)[0] == len(addresses)
		})
		if n := column[int](t, db, `SELECT COUNT(*) FROM events WHERE kind = 'message.sent'`)[0]; n != len(addresses) {
			t.Errorf("%d times told that a message was sent", n)
		}
		p.terminate()
	})
}

// Kills in the middle of sending lose nothing. What was just being handed over may come twice, as the same message: at most
// as many as are under way at once, for each kill.
func TestKillWhileSending(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		dir, url, mails := t.TempDir(), testkit.DatabaseURL(t, engine), newMail(t)
		mails.Judge = func(testkit.Mail) error { time.Sleep(rand.N(10 * time.Millisecond)); return nil } // a server takes its time
		var addresses []string
		kills := times(8)
		for round := range kills {
			p := serve(t, dir, mailing(mails, dir, url))
			addresses = append(addresses, told(t, p.caller, fmt.Sprintf("round%d_", round), 20)...)
			p.kill()
		}
		p := serve(t, dir, mailing(mails, dir, url))
		twice := arrived(t, mails, addresses, 60*time.Second)
		t.Logf("%d kills, %d messages, %d came twice", kills, len(addresses), twice)
		if twice > 4*kills {
			t.Errorf("%d of %d messages came twice", twice, len(addresses))
		}
		p.terminate()
		if twice = arrived(t, mails, addresses, 0); twice > 4*kills {
			t.Errorf("%d of %d messages came twice", twice, len(addresses))
		}
	})
}

// Two servers on one store send each message once.
func TestTwoServersSendOnce(t *testing.T) {
	stores(t, func(t *testing.T, databaseURL string) {
		dir, mails := t.TempDir(), newMail(t)
		one := launch(t, dir, append(mailing(mails, dir, databaseURL), "EVENT_FILE=off"))
		other := serve(t, dir, append(mailing(mails, dir, databaseURL), "EVENT_FILE=off"))
		one.waitReady(20 * time.Second)
		addresses := append(told(t, one.caller, "one", 60), told(t, other.caller, "other", 60)...)
		if twice := arrived(t, mails, addresses, 60*time.Second); twice != 0 {
			t.Errorf("%d mails came twice", twice)
		}
		one.terminate()
		other.terminate()
		if twice := arrived(t, mails, addresses, 0); twice != 0 {
			t.Errorf("%d mails came twice", twice)
		}
	})
}
