// Package kafka passes events on to a topic of Kafka, or of what speaks its protocol.
package kafka

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/secret"
)

// Config says where it is.
type Config struct {
	Brokers  []string      `env:"KAFKA_BROKERS" doc:"Brokers of Kafka that every event is passed on to, as kafka1:9092,kafka2:9092. Empty passes none on."`
	Topic    string        `env:"KAFKA_TOPIC" default:"admit.events" doc:"The topic, which must be there. The key of a record is what its event is about, so those about one thing keep their order."`
	TLS      bool          `env:"KAFKA_TLS" default:"false" doc:"Whether the brokers are spoken to with TLS."`
	SASL     string        `env:"KAFKA_SASL" oneof:"plain,scram-sha-256,scram-sha-512" doc:"How KAFKA_USERNAME and KAFKA_PASSWORD are shown."`
	Username string        `env:"KAFKA_USERNAME" doc:"The user at Kafka, if it wants one."`
	Password secret.String `env:"KAFKA_PASSWORD" secret:"true" doc:"The password of KAFKA_USERNAME."`
}

// Check refuses what is described by halves.
func (c Config) Check(production bool) error {
	var faults []error
	named := []struct{ name, value string }{{"KAFKA_USERNAME", c.Username}, {"KAFKA_PASSWORD", c.Password.Reveal()}, {"KAFKA_SASL", c.SASL}}
	if len(c.Brokers) == 0 {
		for _, n := range named {
			if n.value != "" {
				return fmt.Errorf("%s is set and KAFKA_BROKERS is not: name the brokers, or remove it", n.name)
			}
		}
		return nil
	}
	for _, b := range c.Brokers {
		if host, port, err := net.SplitHostPort(b); err != nil || host == "" || port == "" {
			faults = append(faults, errors.New("KAFKA_BROKERS names no hosts and ports: write it as kafka1:9092,kafka2:9092"))
			break
		}
	}
	if c.Topic == "" {
		faults = append(faults, errors.New("KAFKA_TOPIC is empty: name a topic, or leave it out for admit.events"))
	}
	for _, n := range named {
		if n.value == "" && (c.SASL != "" || c.Username != "" || c.Password.Reveal() != "") {
			faults = append(faults, fmt.Errorf("%s is not set: KAFKA_SASL, KAFKA_USERNAME and KAFKA_PASSWORD go together", n.name))
		}
	}
	if production && c.SASL == "plain" && !c.TLS {
		faults = append(faults, errors.New("KAFKA_SASL=plain without KAFKA_TLS shows the password to the network: set KAFKA_TLS=true, or use scram-sha-512"))
	}
	return errors.Join(faults...)
}

// Target is a topic.
type Target struct {
	topic  string
	client *kgo.Client
}

// New is the topic the settings name, nil when they name none. It connects when it is asked for something.
func New(c Config) (*Target, error) {
	if len(c.Brokers) == 0 {
		return nil, nil
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...), kgo.ClientID("admit"), kgo.DefaultProduceTopic(c.Topic), kgo.UnknownTopicRetries(1), kgo.RetryTimeout(5 * time.Second),
		kgo.RecordDeliveryTimeout(8 * time.Second), kgo.ProducerLinger(0), kgo.AllowIdempotentProduceCancellation(),
	}
	if c.TLS {
		options = append(options, kgo.DialTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12}))
	}
	if m := c.mechanism(); m != nil {
		options = append(options, kgo.SASL(m))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("the settings of Kafka cannot be used: %w", err)
	}
	return &Target{c.Topic, client}, nil
}

func (c Config) mechanism() sasl.Mechanism {
	switch c.SASL {
	case "plain":
		return plain.Auth{User: c.Username, Pass: c.Password.Reveal()}.AsMechanism()
	case "scram-sha-256":
		return scram.Auth{User: c.Username, Pass: c.Password.Reveal()}.AsSha256Mechanism()
	case "scram-sha-512":
		return scram.Auth{User: c.Username, Pass: c.Password.Reveal()}.AsSha512Mechanism()
	}
	return nil
}

// Name is kafka.
func (t *Target) Name() string { return "kafka" }

// Send produces the events, acknowledged by all replicas in sync. A record that fails takes those behind it in its partition with it.
func (t *Target) Send(ctx context.Context, list []event.Line) (int, error) {
	records := make([]*kgo.Record, len(list))
	for i, line := range list {
		text, err := json.Marshal(line)
		if err != nil {
			return 0, err
		}
		records[i] = &kgo.Record{Value: text, Timestamp: line.At, Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(line.ID)}, {Key: "kind", Value: []byte(line.Kind)}}}
		if line.Subject != "" {
			records[i].Key = []byte(line.Subject)
		}
	}
	if err := t.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return 0, t.explain(err) // which of them are there is not worth knowing: they go at once, or none does
	}
	return len(list), nil
}

func (t *Target) explain(err error) error {
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return fmt.Errorf("there is no topic %s: make it, or set KAFKA_TOPIC", t.topic)
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return fmt.Errorf("KAFKA_USERNAME may not write to the topic %s", t.topic)
	}
	return err
}

// Check asks a broker whether it is there.
func (t *Target) Check(ctx context.Context) error { return t.client.Ping(ctx) }

// Close ends the connections.
func (t *Target) Close() { t.client.Close() }
