// Package sms hands text messages to a service that carries them: Twilio, Vonage, AWS SNS, or a webhook of one's own.
package sms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/outbound"
)

// Sender hands texts to one service.
type Sender struct {
	cfg    Config
	client *http.Client
	now    func() time.Time
	api    provider
}

// provider is what the services differ in: how a text is asked for, and what an answer means.
type provider interface {
	ask(ctx context.Context, l notify.Letter, now time.Time) (*http.Request, error)
	judge(status int, body []byte) error
	address() string
}

// New makes a Sender of a Config that Check accepts, nil when it names no service.
func New(cfg Config, out outbound.Config, now func() time.Time) (*Sender, error) {
	s := &Sender{cfg: cfg, now: now}
	s.client = out.Client(s.Timeout())
	switch cfg.Provider {
	case "":
		return nil, nil
	case "twilio":
		s.api = twilio{cfg}
	case "vonage":
		s.api = vonage{cfg}
	case "sns":
		s.api = sns{cfg}
	case "webhook":
		key, err := outbound.SigningKey(cfg.Secret.Reveal())
		if err != nil {
			return nil, fmt.Errorf("SMS_WEBHOOK_SECRET: %w", err)
		}
		s.api = webhook{cfg.URL, key}
	default:
		return nil, fmt.Errorf("SMS_PROVIDER=%s is no service that is known here", cfg.Provider)
	}
	return s, nil
}

// Channel is SMS.
func (s *Sender) Channel() notify.Channel { return notify.SMS }

// Timeout is SMS_TIMEOUT_SECONDS.
func (s *Sender) Timeout() time.Duration {
	return time.Duration(cmp.Or(s.cfg.TimeoutSeconds, 15)) * time.Second
}

// Send has one text carried.
func (s *Sender) Send(ctx context.Context, l notify.Letter) error {
	r, err := s.api.ask(ctx, l, s.now())
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", "admit")
	status, _, body, err := outbound.Do(ctx, s.client, r)
	if err != nil && (status < 200 || status > 299) {
		return err
	}
	return s.api.judge(status, body)
}

// Check finds out whether the service can be reached. What it thinks of us is known only when a text is sent.
func (s *Sender) Check(ctx context.Context) error {
	u, err := url.Parse(s.api.address())
	if err != nil {
		return errors.New("SMS_URL is no address")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}).String(), nil)
	if err != nil {
		return err
	}
	_, _, _, err = outbound.Do(ctx, s.client, r)
	return err
}

// usual judges by the status alone: what is wrong with the text is refused, what is wrong with us or with the service is its
// illness, and everything waits until somebody has mended it.
func usual(status int, said string) error {
	reply := fmt.Sprintf("%d %s", status, said)
	switch {
	case status >= 200 && status <= 299:
		return nil
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity, status == http.StatusGone:
		return &notify.Refusal{Reply: reply}
	}
	return errors.New(reply)
}
