package app

import (
	"context"
	"fmt"
	"time"

	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/sink"
	"github.com/admit-dev/admit/internal/sink/kafka"
	"github.com/admit-dev/admit/internal/sink/nats"
	"github.com/admit-dev/admit/internal/webhook"
)

// tell makes the sinks that events are passed on to: those of the settings, and webhooks.
func (a *App) tell(box *secret.Box) error {
	var targets []sink.Target
	topic, err := kafka.New(a.Config.Kafka)
	if err != nil {
		return err
	}
	if topic != nil {
		targets = append(targets, topic)
	}
	if stream := nats.New(a.Config.NATS); stream != nil {
		targets = append(targets, stream)
	}
	a.Sinks = sink.NewService(a.DB, a.Log, targets...)
	d := webhook.Deps{DB: a.DB, Authz: a.Authz, Sinks: a.Sinks, Box: box, Outbound: a.Config.Outbound, Secure: a.Config.Production(), Issuer: a.Config.Web.Base(), Log: a.Log}
	if a.Config.Token.Secret.Reveal() == "" && a.Config.Parts.On(part.Tokens) {
		d.Sign = a.Tokens.Sign
	}
	a.Webhooks = webhook.NewService(d)
	return nil
}

// late is how far behind a sink may be before somebody should look.
const late = 5 * time.Minute

// events checks whether events are passed on.
func (e *Examination) events(ctx context.Context, a *App) {
	states, err := a.Sinks.States(ctx)
	if err != nil {
		e.Ill(err)
		return
	}
	fixes := map[string]string{"kafka": "See that the brokers of KAFKA_BROKERS run, and that KAFKA_TOPIC is there.", "nats": "See that the server of NATS_URL runs, and that a stream takes in NATS_SUBJECT."}
	for _, s := range states {
		switch {
		case s.Failures > 0:
			e.Note(Warning, s.Name, fmt.Sprintf("it has taken no events on since %s: %s", s.FailingSince.UTC().Format(time.RFC3339), s.Reply), fixes[s.Name])
		case s.Lag > late:
			e.Note(Warning, s.Name, "the oldest event it does not have is "+s.Lag.Round(time.Minute).String()+" old", "See that a server runs.")
		default:
			e.Note(Fine, s.Name, "it has the events", "")
		}
	}
	b, err := a.Webhooks.Backlog(ctx)
	switch {
	case err != nil:
		e.Ill(err)
	case b.Stopped > 0:
		e.Note(Warning, "webhooks", several(b.Stopped, "webhook")+" took nothing on and will be told of nothing more", "See admit webhook list, and resume or delete it.")
	case b.Failing > 0:
		e.Note(Warning, "webhooks", several(b.Failing, "webhook")+" did not take on what was sent last", "See admit webhook list.")
	case b.Parked > 0:
		e.Note(Warning, "webhooks", several(b.Parked, "event")+" could not be delivered within the last day", "See admit webhook deliveries ID --state parked.")
	case b.Lag > late:
		e.Note(Warning, "webhooks", "the oldest event that one was not told of is "+b.Lag.Round(time.Minute).String()+" old", "See that a server runs.")
	}
}
