// Package nats passes events on to a stream of NATS JetStream.
package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/admit-dev/admit/internal/event"
)

// Config says where it is.
type Config struct {
	URL         string `env:"NATS_URL" secret:"true" doc:"NATS with JetStream, which every event is passed on to: nats://USER:PASSWORD@HOST:4222, tls://… with TLS, several with commas between. Empty passes none on."`
	Subject     string `env:"NATS_SUBJECT" default:"admit.events" doc:"What the subjects of events begin with: one of the kind login.succeeded is published as admit.events.login.succeeded. A stream must take in admit.events.>."`
	Credentials string `env:"NATS_CREDS_FILE" doc:"File with the credentials (JWT and seed) that NATS wants, instead of a user and a password in NATS_URL."`
}

// Check refuses what is described by halves.
func (c Config) Check(production bool) error {
	if c.URL == "" {
		if c.Credentials != "" {
			return errors.New("NATS_CREDS_FILE is set and NATS_URL is not: set it, or remove the other")
		}
		return nil
	}
	var faults []error
	for one := range strings.SplitSeq(c.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" { // which may quote the password
			faults = append(faults, errors.New("NATS_URL is no address of NATS: write nats://user:password@host:4222, or tls:// for TLS"))
			break
		}
	}
	if c.Subject == "" || strings.ContainsAny(c.Subject, " \t*>") || strings.Contains("."+c.Subject+".", "..") {
		faults = append(faults, errors.New("NATS_SUBJECT is no subject: write words with dots between, as admit.events"))
	}
	if c.Credentials != "" {
		if _, err := os.Stat(c.Credentials); err != nil {
			faults = append(faults, fmt.Errorf("NATS_CREDS_FILE cannot be read: %w", err))
		}
	}
	return errors.Join(faults...)
}

const patience = 3 * time.Second // how long a connection, and one answer, may take

// Target is what takes in the subjects.
type Target struct {
	cfg  Config
	mu   sync.Mutex
	conn *nats.Conn
	js   jetstream.JetStream
}

// New is the stream the settings name, nil when they name none. It connects when it is asked for something.
func New(c Config) *Target {
	if c.URL == "" {
		return nil
	}
	return &Target{cfg: c}
}

// Name is nats.
func (t *Target) Name() string { return "nats" }

// connect gives the connection, made anew where there is none. What is lost with one is sent again by whoever keeps the place, so nothing is kept
// for a connection that is away.
func (t *Target) connect() (jetstream.JetStream, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil && t.conn.IsConnected() {
		return t.js, nil
	}
	if t.conn != nil {
		t.conn.Close()
		t.conn = nil
	}
	options := []nats.Option{nats.Name("admit"), nats.Timeout(patience), nats.NoReconnect()}
	if t.cfg.Credentials != "" {
		options = append(options, nats.UserCredentials(t.cfg.Credentials))
	}
	conn, err := nats.Connect(t.cfg.URL, options...)
	if err != nil {
		return nil, err
	}
	if t.js, err = jetstream.New(conn, jetstream.WithDefaultTimeout(patience)); err != nil {
		conn.Close()
		return nil, err
	}
	t.conn = conn
	return t.js, nil
}

// Send publishes the events one after the other, each when the one before was stored: of two that are under way the later one could be stored alone.
// The id of an event is that of its message, by which the stream leaves out what it has stored already.
func (t *Target) Send(ctx context.Context, list []event.Line) (int, error) {
	js, err := t.connect()
	if err != nil {
		return 0, err
	}
	for n, line := range list {
		text, err := json.Marshal(line)
		if err != nil {
			return n, err
		}
		subject := t.cfg.Subject + "." + line.Kind
		_, err = js.PublishMsg(ctx, &nats.Msg{Subject: subject, Data: text}, jetstream.WithMsgID(line.ID), jetstream.WithRetryAttempts(0))
		if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) {
			return n, fmt.Errorf("no stream takes in %s: make one for %s.>", subject, t.cfg.Subject)
		}
		if err != nil {
			return n, err
		}
	}
	return len(list), nil
}

// Check finds out whether the server is there and has JetStream.
func (t *Target) Check(ctx context.Context) error {
	js, err := t.connect()
	if err == nil {
		_, err = js.AccountInfo(ctx)
	}
	return err
}

// Close ends the connection.
func (t *Target) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil {
		t.conn.Close()
		t.conn = nil
	}
}
