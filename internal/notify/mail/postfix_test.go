package mail_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/notify/mail"
	"github.com/admit-dev/admit/internal/testkit"
)

// A letter passes through Postfix, as most servers are: by STARTTLS, by TLS from the first byte and in the clear, with a password.
func TestPostfix(t *testing.T) {
	p := testkit.NewPostfix(t)
	for i, mode := range []string{"starttls", "implicit", "none"} {
		s, err := mail.New(mail.Config{Host: "127.0.0.1", Port: p.Ports[mode], TLS: mode, CAFile: p.CAFile, Username: "acme@mail.test", Password: testkit.PostfixPassword, From: "Acme Jobs <no-reply@acme.test>", TimeoutSeconds: 30})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Fatalf("%s: %v\n%s", mode, err, p.Log())
		}
		l := letter
		l.ID, l.To = fmt.Sprint("msg_", mode), fmt.Sprintf("ann%d@example.com", i)
		if err := s.Send(t.Context(), l); err != nil {
			t.Fatalf("%s: %v\n%s", mode, err, p.Log())
		}
		raw := p.Arrived(l.To)
		for _, part := range []string{"Message-ID: <msg_" + mode + "@acme.test>", "multipart/alternative", "Return-Path: <no-reply@acme.test>", "Auto-Submitted: auto-generated"} {
			if !strings.Contains(raw, part) {
				t.Errorf("%s: no %s in\n%s", mode, part, raw)
			}
		}
	}
	wrong, err := mail.New(mail.Config{Host: "127.0.0.1", Port: p.Ports["starttls"], TLS: "starttls", CAFile: p.CAFile, Username: "acme@mail.test", Password: "another", From: "no-reply@acme.test", TimeoutSeconds: 30})
	if err != nil {
		t.Fatal(err)
	}
	verdict(t, wrong.Send(t.Context(), letter), "ill")
	nobody := letter
	nobody.To = "ann@elsewhere.test" // not its own, and it relays for nobody
	open, err := mail.New(mail.Config{Host: "127.0.0.1", Port: p.Ports["none"], TLS: "none", From: "no-reply@acme.test", TimeoutSeconds: 30})
	if err != nil {
		t.Fatal(err)
	}
	verdict(t, open.Send(t.Context(), nobody), "delayed")
	nobody.To = "nobody@example.com"
	verdict(t, open.Send(t.Context(), nobody), "refused")
}
