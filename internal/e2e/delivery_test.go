package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/testkit"
)

// mailed runs f with a server that sends through a mail server, on every engine.
func mailed(t *testing.T, f func(s *testkit.Server, m *testkit.MailServer)) {
	t.Helper()
	listened(t, "", func(s *testkit.Server, m *testkit.MailServer, _ <-chan bool) { f(s, m) })
}

// listened is mailed, and hears of each line of the log with this text.
func listened(t *testing.T, text string, f func(s *testkit.Server, m *testkit.MailServer, said <-chan bool)) {
	t.Helper()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			m := testkit.NewMailServer(t, "starttls")
			m.Username, m.Password = "acme", "a long pass"
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			cfg.Mail.TimeoutSeconds = 300 // nothing here depends on it
			m.Use(&cfg)
			said := make(chan bool, 64)
			var more []admit.Option
			if text != "" {
				more = append(more, admit.WithLogger(slog.New(&listener{text: text, said: said})))
			}
			s := testkit.Start(t, cfg, testkit.NewClock(), more...)
			s.Engine = engine
			f(s, m, said)
		})
	}
}

// tell queues a message in a change of its own.
func tell(s *testkit.Server, to string, c notify.Content, life time.Duration) {
	s.Helper()
	err := s.App().DB.Write(s.Context(), func(tx *database.Tx) error {
		msg := notify.Message{To: to, Content: c}
		if life > 0 {
			msg.Expires = tx.Now.Add(life)
		}
		return s.App().Notify.Send(tx, msg)
	})
	if err != nil {
		s.Fatal(err)
	}
}

// deliver has everything sent that is due.
func deliver(s *testkit.Server) {
	s.Helper()
	if err := s.App().Notify.Deliver(s.Context()); err != nil {
		s.Fatal(err)
	}
}

// kinds are the events of messages since the last look, in any order of others.
func kinds(s *testkit.Server) (list []string) {
	for _, r := range s.Records() {
		if strings.HasPrefix(r.Kind, "message.") {
			list = append(list, r.Kind)
		}
	}
	return list
}

func wantKinds(s *testkit.Server, want ...string) {
	s.Helper()
	if got := kinds(s); fmt.Sprint(got) != fmt.Sprint(want) {
		s.Fatalf("events %v, want %v", got, want)
	}
}

// once holds that each address has exactly one mail, and that no mail is another's.
func once(s *testkit.Server, m *testkit.MailServer, addresses ...string) {
	s.Helper()
	ids := map[string]bool{}
	for _, to := range addresses {
		list := m.Mails(to)
		if len(list) != 1 {
			s.Errorf("%d mails to %s", len(list), to)
			continue
		}
		ids[list[0].Header.Get("Message-Id")] = true
	}
	if all := m.Mails(""); len(all) != len(addresses) || len(ids) != len(all) {
		s.Errorf("%d mails to %d addresses, with %d ids", len(all), len(addresses), len(ids))
	}
}

// A changed password is told by a real mail over STARTTLS and AUTH, once, and nothing of it stays behind.
func TestMailIsDelivered(t *testing.T) {
	mailed(t, func(s *testkit.Server, m *testkit.MailServer) {
		c := person(s, "ann@example.com")
		s.Records()
		c.Post("/auth/password/change", m2(pass, "another password")).Want(200)
		deliver(s)
		wantKinds(s, "message.queued", "message.sent")
		once(s, m, "ann@example.com")
		got := m.Mails("")[0]
		if got.Subject() != "Your password for localhost was changed" || !strings.Contains(got.HTML, "<!doctype html>") || !strings.Contains(got.Text, "127.0.0.1") || m.Logins() != 1 {
			t.Errorf("%s", got.Raw)
		}
		if n, err := database.One[int64](t.Context(), s.App().DB, `SELECT COUNT(*) FROM deliveries WHERE payload IS NOT NULL OR state <> 'sent'`); n != 0 || err != nil {
			t.Error("something stays behind", n, err)
		}
		if len(s.Inbox("")) != 0 {
			t.Error("what was sent is in the inbox too")
		}
	})
}

func m2(current, chosen string) m { return m{"current_password": current, "new_password": chosen} }

// A mail server that is dead loses nothing and doubles nothing: everything is sent once when it is back.
func TestMailServerDiesAndComesBack(t *testing.T) {
	mailed(t, func(s *testkit.Server, m *testkit.MailServer) {
		m.Stop()
		var to []string
		for i := range 50 {
			to = append(to, fmt.Sprintf("person%d@example.com", i))
			tell(s, to[i], notify.ResetPassword{Link: fmt.Sprintf("https://localhost/reset#t=%d", i)}, 30*time.Minute)
			if i%10 == 0 {
				deliver(s)
			}
		}
		for range 20 { // far more tries than a letter has
			s.Advance(20 * time.Second)
			deliver(s)
		}
		if got := kinds(s); len(got) != 50 {
			t.Fatalf("events %v", got)
		}
		m.Start()
		s.Advance(time.Minute)
		deliver(s)
		once(s, m, to...)
		if got := kinds(s); len(got) != 50 || got[0] != "message.sent" || got[49] != "message.sent" {
			t.Errorf("events %v", got)
		}
		deliver(s)
		once(s, m, to...)
	})
}

// A mail server that is dead for a minute, while two hundred people forgot their passwords, fails none of them and loses none: each is
// answered as ever, and each mail is delivered once when it is back.
func TestTwoHundredResets(t *testing.T) {
	mailed(t, func(s *testkit.Server, m *testkit.MailServer) {
		m.Stop()
		var to []string
		for i := range 200 {
			to = append(to, fmt.Sprintf("person%d@example.com", i))
			person(s, to[i])
		}
		for i, email := range to {
			s.Client().Post("/auth/password/forgot", map[string]any{"email": email}).Want(202)
			if i%20 == 0 {
				s.Advance(6 * time.Second)
				deliver(s)
			}
		}
		if len(m.Mails("")) != 0 {
			t.Fatal("it is not dead")
		}
		m.Start()
		s.Advance(time.Minute)
		deliver(s)
		once(s, m, to...)
		for _, mail := range m.Mails("") {
			if !strings.Contains(mail.Text, "/recover?token=") {
				t.Fatalf("%s", mail.Raw)
			}
		}
	})
}

// No request waits for a mail server: one that takes the connection and never says a word is still being waited for when the
// request has long been answered.
func TestRequestsDoNotWaitForMail(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			hole, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer hole.Close()
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			cfg.Mail.Host, cfg.Mail.Port, cfg.Mail.From, cfg.Mail.TimeoutSeconds = "127.0.0.1", hole.Addr().(*net.TCPAddr).Port, "a@acme.test", 300
			s := testkit.Start(t, cfg, testkit.NewClock())
			c := person(s, "ann@example.com")
			c.Post("/auth/password/change", m2(pass, "a password of ann 0")).Want(200)
			var held []net.Conn
			for i := range 4 { // every place on the line is taken, and stays so
				if i > 0 {
					c.Post("/auth/password/change", m2(fmt.Sprint("a password of ann ", i-1), fmt.Sprint("a password of ann ", i))).Want(200)
				}
				conn, err := hole.Accept()
				if err != nil {
					t.Fatal(err)
				}
				held = append(held, conn)
			}
			for i := 4; i < 20; i++ {
				c.Post("/auth/password/change", m2(fmt.Sprint("a password of ann ", i-1), fmt.Sprint("a password of ann ", i))).Want(200)
			}
			for _, conn := range held { // nobody has hung up on any of them meanwhile
				_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
				_, err := conn.Read(make([]byte, 1))
				if e, ok := err.(net.Error); !ok || !e.Timeout() {
					t.Errorf("the line is free: %v", err)
				}
				conn.Close()
			}
		})
	}
}

// A letter that is put off is tried eight times, at growing distances, then given up, for everybody to see.
func TestPutOffIsBounded(t *testing.T) {
	mailed(t, func(s *testkit.Server, m *testkit.MailServer) {
		var tries atomic.Int64
		m.Refuse = func(string) error {
			tries.Add(1)
			return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "ann@example.com: come again"}
		}
		tell(s, "ann@example.com", notify.Invitation{Org: "Acme", Inviter: "Bob", Link: "https://localhost/invite#t=s3cret"}, 7*24*time.Hour)
		waits := []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 8 * time.Hour}
		for i, wait := range waits {
			deliver(s)
			if tries.Load() != int64(i+1) {
				t.Fatalf("%d tries, want %d", tries.Load(), i+1)
			}
			s.Advance(wait - time.Second)
			deliver(s)
			if tries.Load() != int64(i+1) {
				t.Fatalf("tried again before %v", wait)
			}
			s.Advance(wait/5 + time.Second)
		}
		wantKinds(s, "message.queued")
		deliver(s)
		deliver(s)
		if tries.Load() != 8 {
			t.Errorf("%d tries", tries.Load())
		}
		gaveUp(s, `"reason": *"put_off_too_often"`, "450", "ann@example.com", "s3cret")
	})
}

// gaveUp holds that a message ended visibly, with what the server said, and without what is nobody's business.
func gaveUp(s *testkit.Server, reason, reply string, secrets ...string) {
	s.Helper()
	list := s.Records()
	last := list[len(list)-1]
	data := strings.ReplaceAll(string(last.Data), `":"`, `": *"`)
	if last.Kind != "message.failed" || last.Outcome != "failure" || !strings.Contains(data, reason) {
		s.Errorf("%s %s", last.Kind, last.Data)
	}
	all, err := s.App().Notify.History(s.Context(), "failed", 10)
	if err != nil || len(all) != 1 || all[0].State != "failed" || !strings.Contains(all[0].Reply, reply) || all[0].EndedAt == nil || all[0].To != "ann@example.com" {
		s.Errorf("%+v, %v", all, err)
	}
	for _, secret := range secrets {
		if text := everything(s.T, s); strings.Contains(text, secret) {
			s.Errorf("%s is in the database:\n%s", secret, text)
		}
	}
}

// A message that cannot be read here, sealed with another key or of a kind that is not known yet, is left to servers that
// can, and given up in the end.
func TestUnreadableIsLeftToOthers(t *testing.T) {
	mailed(t, func(s *testkit.Server, m *testkit.MailServer) {
		m.Stop()
		tell(s, "ann@example.com", notify.Test{}, 7*24*time.Hour)
		tell(s, "bob@example.com", notify.Test{}, 7*24*time.Hour)
		deliver(s) // in vain; from now on nobody is at them until the clock moves
		perform(s, `UPDATE deliveries SET template = 'of_tomorrow' WHERE id = (SELECT MIN(id) FROM deliveries)`)
		perform(s, `UPDATE deliveries SET payload = (SELECT payload FROM deliveries ORDER BY id LIMIT 1)`)
		m.Start()
		s.Advance(time.Minute)
		deliver(s)
		wantKinds(s, "message.queued", "message.queued")
		for range 8 {
			s.Advance(2 * time.Hour)
			deliver(s)
		}
		for range 2 {
			s.Advance(10 * time.Hour)
			deliver(s)
		}
		wantKinds(s, "message.failed", "message.failed")
		once(s, m)
	})
}

// A letter that is refused is not tried again.
func TestRefusedIsNotTriedAgain(t *testing.T) {
	mailed(t, func(s *testkit.Server, m *testkit.MailServer) {
		var tries atomic.Int64
		m.Refuse = func(string) error {
			tries.Add(1)
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<ANN@example.com>: no such user"}
		}
		tell(s, "ann@example.com", notify.MagicLink{Link: "https://localhost/magic#t=s3cret", Code: "415203"}, 10*time.Minute)
		for range 3 {
			deliver(s)
			s.Advance(time.Minute)
		}
		if tries.Load() != 1 {
			t.Errorf("%d tries", tries.Load())
		}
		gaveUp(s, `"reason": *"refused"`, "no such user", "ANN@example.com", "s3cret")
	})
}

// What has run out is not sent any more, also when the server is back; that it was not is told.
func TestWhatRanOutIsNotSent(t *testing.T) {
	mailed(t, func(s *testkit.Server, m *testkit.MailServer) {
		m.Stop()
		tell(s, "ann@example.com", notify.OneTimeCode{Code: "415203"}, 10*time.Minute)
		deliver(s)
		s.Advance(11 * time.Minute)
		m.Start()
		deliver(s)
		if err := s.App().Notify.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(m.Mails("")); n != 0 {
			t.Errorf("%d mails", n)
		}
		gaveUp(s, `"reason": *"ran_out"`, "", "415203")
		s.Advance(31 * 24 * time.Hour)
		if err := s.App().Notify.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if all, err := s.App().Notify.History(t.Context(), "", 10); len(all) != 0 || err != nil {
			t.Errorf("what ended long ago is still there: %v, %v", all, err)
		}
	})
}

// twin is another server on the same store.
func twin(s *testkit.Server) *testkit.Server { return testkit.Start(s.T, s.Config, s.Clock) }

// Of many that try to send a message, on two servers, one does.
func TestManyWorkersOneMail(t *testing.T) {
	mailed(t, func(s *testkit.Server, m *testkit.MailServer) {
		nodes := []*testkit.Server{s, twin(s)}
		var to []string
		for round := range 5 {
			for i := range 20 {
				to = append(to, fmt.Sprintf("person%d_%d@example.com", round, i))
				tell(nodes[i%2], to[len(to)-1], notify.Test{}, 0)
			}
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() { deliver(nodes[i%2]) })
			}
			all.Wait()
			for _, node := range nodes { // what one had just claimed, the other did not wait for
				deliver(node)
			}
			once(s, m, to...)
		}
	})
}

// A message whose server died in the middle is taken over when its claim has run out, and not before.
func TestClaimRunsOut(t *testing.T) {
	mailed(t, func(s *testkit.Server, m *testkit.MailServer) {
		arrived, dies := make(chan bool), make(chan bool)
		var letters atomic.Int64
		m.Judge = func(testkit.Mail) error {
			if letters.Add(1) > 1 {
				return nil
			}
			arrived <- true
			<-dies
			return &smtp.SMTPError{Code: 421, Message: "connection lost"}
		}
		tell(s, "ann@example.com", notify.Test{}, 0)
		<-arrived
		other := twin(s)
		deliver(other)
		s.Advance(450*time.Second - time.Millisecond) // one and a half of SMTP_TIMEOUT_SECONDS
		deliver(other)
		if n := letters.Load(); n != 1 {
			t.Fatalf("%d tries before the claim has run out", n)
		}
		s.Advance(time.Millisecond)
		deliver(other)
		once(s, m, "ann@example.com")
		close(dies)
		deliver(s)
		deliver(other)
		once(s, m, "ann@example.com")
		wantKinds(s, "message.queued", "message.sent")
	})
}

// A mail that was taken while the database fails is marked as soon as the database works again, and not sent twice.
func TestMarkOutlivesTheDatabase(t *testing.T) {
	listened(t, "cannot be marked so", func(s *testkit.Server, m *testkit.MailServer, said <-chan bool) {
		broken := `CREATE TRIGGER spoiled BEFORE UPDATE ON deliveries WHEN NEW.state = 'sent' BEGIN SELECT RAISE(ABORT, 'spoiled'); END`
		repair := `DROP TRIGGER spoiled`
		if s.Engine == "postgres" {
			perform(s, `CREATE FUNCTION spoiled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.state = 'sent' THEN RAISE EXCEPTION 'spoiled'; END IF; RETURN NEW; END $$`)
			broken, repair = `CREATE TRIGGER spoiled BEFORE UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION spoiled()`, `DROP TRIGGER spoiled ON deliveries`
		}
		perform(s, broken)
		tell(s, "ann@example.com", notify.Test{}, 0)
		<-said
		perform(s, repair)
		deliver(s)
		once(s, m, "ann@example.com")
		wantKinds(s, "message.queued", "message.sent")
	})
}

// listener says when a text stands in the log.
type listener struct {
	text string
	said chan bool
}

func (l *listener) Enabled(context.Context, slog.Level) bool { return true }
func (l *listener) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *listener) WithGroup(string) slog.Handler            { return l }

func (l *listener) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, l.text) {
		l.said <- true
	}
	return nil
}

func perform(s *testkit.Server, text string) {
	s.Helper()
	err := s.App().DB.Write(s.Context(), func(tx *database.Tx) error {
		tx.Quiet()
		_, err := tx.Exec(text)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

// A change that fails sends nothing.
func TestFailedChangeSendsNothing(t *testing.T) {
	mailed(t, func(s *testkit.Server, m *testkit.MailServer) {
		err := s.App().DB.Write(t.Context(), func(tx *database.Tx) error {
			if err := s.App().Notify.Send(tx, notify.Message{To: "ann@example.com", Content: notify.Test{}}); err != nil {
				return err
			}
			return notify.ErrAddress // any refusal
		})
		if err == nil {
			t.Fatal("the change did not fail")
		}
		deliver(s)
		wantKinds(s)
		once(s, m)
	})
}

// Without a mail server production keeps messages until they run out, and a server that gets one sends them.
func TestProductionWithoutMail(t *testing.T) {
	testkit.Each(t, production, func(s *testkit.Server) {
		tell(s, "ann@example.com", notify.Test{}, 0)
		deliver(s)
		wantKinds(s, "message.queued")
		if got := s.Inbox(""); len(got) != 0 {
			t.Error("production has an inbox")
		}
		for _, path := range []string{"/dev/inbox", "/dev/inbox.json", "/dev/inbox/msg_1"} {
			s.Client().Get(path).Want(404)
		}
		m := testkit.NewMailServer(t, "implicit")
		cfg := s.Config
		m.Use(&cfg)
		mended := testkit.Start(t, cfg, s.Clock)
		deliver(mended)
		once(mended, m, "ann@example.com")
	})
}

// production is a configuration that production accepts.
func production(c *admit.Config) {
	c.Server.Environment = "production"
	c.Server.RootKey = "7f3a9c1e5b8d2046f7a1c3e5097b2d4f6a8c0e1b3d5f7092a4c6e8f0b1d3f507"
	c.Web.BaseURL = "https://auth.example.com"
	c.Hash.MemoryKiB, c.Hash.Iterations = 7168, 5
}
