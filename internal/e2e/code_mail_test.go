package e2e_test

import (
	"encoding/json"
	"io"
	"mime/quotedprintable"
	"regexp"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/testkit"
)

// A link and codes go through a real Postfix, and sign in with what arrives there.
func TestCodesThroughPostfix(t *testing.T) {
	p := testkit.NewPostfix(t)
	cfg := testkit.Config(t, testkit.DatabaseURL(t, "sqlite"))
	cfg.Mail.Host, cfg.Mail.Port, cfg.Mail.TLS, cfg.Mail.CAFile = "127.0.0.1", p.Ports["starttls"], "starttls", p.CAFile
	cfg.Mail.Username, cfg.Mail.Password, cfg.Mail.From = "acme@mail.test", secret.String(testkit.PostfixPassword), "Acme Jobs <no-reply@acme.test>"
	s := testkit.Start(t, cfg, testkit.NewClock())
	arrived := func(pattern string) string {
		t.Helper()
		deliver(s)
		raw := p.Arrived("ann1@example.com")
		text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(raw)))
		found := regexp.MustCompile(pattern).FindSubmatch(text)
		if err != nil || found == nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		return string(found[1])
	}
	c := s.Client()
	sendLink(c, "ann1@example.com")
	c.Post("/auth/magic-link/verify", m{"token": arrived(`/auth/magic-link\?token=([A-Za-z0-9_-]+)`)}).Want(200)
	attempt := sendCode(s.Client(), "ann1@example.com")
	enterCode(s.Client(), attempt, arrived(`\b([0-9]{6})\b`)).Want(200)
}

// Without a mail server, the development inbox has what a test of an app needs to sign in.
func TestCodesFromTheDevelopmentInbox(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		for _, to := range []string{"ann@example.com", number} {
			attempt := sendCode(s.Client(), to)
			var inbox struct {
				Items []struct {
					Codes []string `json:"codes"`
					Links []string `json:"links"`
				} `json:"items"`
			}
			if err := json.Unmarshal(s.Client().Get("/dev/inbox.json?to="+strings.ReplaceAll(to, "+", "%2B")).Want(200).Body, &inbox); err != nil || len(inbox.Items) != 1 {
				t.Fatal(err, inbox)
			}
			enterCode(s.Client(), attempt, inbox.Items[0].Codes[0]).Want(200)
		}
	})
}
