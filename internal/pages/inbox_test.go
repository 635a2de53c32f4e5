package pages_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/testkit"
)

// tell sends messages in one change.
func tell(t *testing.T, s *admit.Server, list ...notify.Message) {
	t.Helper()
	err := s.App().DB.Write(t.Context(), func(tx *database.Tx) error {
		for _, m := range list {
			if err := s.App().Notify.Send(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var (
	hello = notify.Message{To: "ann@example.com", Content: notify.MagicLink{Link: "http://localhost:8000/auth/magic-link?token=Q7", Code: "415203"}}
	text  = notify.Message{To: "+491711234567", Channel: notify.SMS, Content: notify.OneTimeCode{Code: "887766"}}
	evil  = notify.Message{To: "bob@example.com", Content: notify.Invitation{Org: `<script>alert(1)</script>`, Inviter: "Eve", Link: "http://localhost:8000/i?a=1&b=2"}}
)

// The development inbox shows what nobody carries: as JSON that clients may rely on, as a page, and each mail as its reader
// would see it.
func TestInbox(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		if got := string(c.Get("/dev/inbox.json").Want(200).Body); strings.TrimSpace(got) != `{"items":[]}` {
			t.Errorf("an empty inbox: %s", got)
		}
		if page := c.Get("/dev/inbox").Want(200); !bytes.Contains(page.Body, []byte("Nothing has been sent yet")) {
			t.Errorf("an empty page: %s", page.Body)
		}
		tell(t, s.Server, hello)
		s.Advance(time.Second)
		tell(t, s.Server, text, evil)
		var all struct {
			Items []struct {
				ID, Channel, To, Subject, Text, HTML string
				Links, Codes                         []string
				At                                   time.Time
			}
		}
		read := func(path string) {
			t.Helper()
			all.Items = nil
			decoder := json.NewDecoder(bytes.NewReader(c.Get(path).Want(200).Body))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&all); err != nil {
				t.Fatal(err)
			}
		}
		read("/dev/inbox.json")
		if len(all.Items) != 3 || all.Items[0].To != evil.To || all.Items[1].To != text.To || all.Items[2].To != hello.To {
			t.Fatalf("not newest first: %+v", all.Items)
		}
		if sms := all.Items[1]; sms.Channel != "sms" || sms.HTML != "" || sms.Subject != "" || len(sms.Links) != 0 || sms.Codes[0] != "887766" || !strings.HasSuffix(sms.Text, "@localhost #887766") {
			t.Errorf("%+v", sms)
		}
		read("/dev/inbox.json?to=ANN%40example.com")
		if len(all.Items) != 1 {
			t.Fatalf("%+v", all.Items)
		}
		one := all.Items[0]
		if one.Channel != "email" || one.Links[0] != "http://localhost:8000/auth/magic-link?token=Q7" || one.Codes[0] != "415203" || !strings.HasPrefix(one.ID, "msg_") ||
			!one.At.Equal(s.Now().Add(-time.Second)) || one.Subject == "" || !strings.Contains(one.Text, one.Links[0]) || !strings.Contains(one.HTML, one.Codes[0]) {
			t.Errorf("%+v", one)
		}
		page := string(c.Get("/dev/inbox?to=ann%40example.com").Want(200).Body)
		if strings.Count(page, "<article") != 1 || !strings.Contains(page, `data-copy="415203"`) || !strings.Contains(page, `href="http://localhost:8000/auth/magic-link?token=Q7"`) {
			t.Errorf("%s", page)
		}
		if page := string(c.Get("/dev/inbox").Want(200).Body); strings.Contains(page, "<script>alert") || strings.Count(page, "<article") != 3 {
			t.Errorf("%s", page)
		}
		mail := c.Get("/dev/inbox/" + one.ID).Want(200)
		if policy := mail.Header.Get("Content-Security-Policy"); string(mail.Body) != one.HTML || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "script") {
			t.Errorf("%s: %s", policy, mail.Body)
		}
		c.Get("/dev/inbox/msg_nobody").Want(404)
	})
}

// A page of another site whose name leads here gets nothing of the inbox.
func TestInboxIsNotReboundTo(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		tell(t, s.Server, hello)
		for host, status := range map[string]int{"evil.example": 404, "evil.example:8000": 404, "localhost:8000": 200, "127.0.0.1:8000": 200, "[::1]:8000": 200, "localhost.evil.example": 404} {
			for _, path := range []string{"/dev/inbox", "/dev/inbox.json"} {
				r, _ := http.NewRequest("GET", s.URL+path, nil)
				r.Host = host
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				if a := testkit.Read(t, resp); a.Status != status || status == 404 && bytes.Contains(a.Body, []byte("415203")) {
					t.Errorf("%s%s: %d", host, path, a.Status)
				}
			}
		}
	})
}

// terminal is somebody who looks.
type terminal struct {
	lines chan string
}

func (w *terminal) Write(p []byte) (int, error) {
	w.lines <- string(p)
	return len(p), nil
}

// Whoever sits at the terminal sees one line for each message, whichever server on the store wrote it, and no line twice.
func TestTerminal(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			seen := &terminal{lines: make(chan string, 16)}
			open := func() *admit.Server {
				s, err := admit.New(t.Context(), cfg, admit.WithTerminal(seen), admit.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = s.Close() })
				return s
			}
			one, other := open(), open()
			tell(t, one, hello)
			if got := <-seen.lines; got != "  mail → ann@example.com  415203 is your code to sign in to localhost  code 415203  http://localhost:8000/auth/magic-link?token=Q7\n" {
				t.Errorf("%q", got)
			}
			tell(t, other, text)
			if got := <-seen.lines; got != "  sms → +491711234567  code 887766\n" {
				t.Errorf("%q", got)
			}
			for _, s := range []*admit.Server{one, other} {
				if err := s.App().Notify.Deliver(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if len(seen.lines) != 0 {
				t.Errorf("more lines: %q", <-seen.lines)
			}
			if list, err := one.App().Notify.Inbox(t.Context(), ""); len(list) != 2 || err != nil {
				t.Errorf("what was shown is no longer in the inbox: %v, %v", list, err)
			}
		})
	}
}
