package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/testkit"
)

type stepped struct {
	About string `json:"about"`
	N     int    `json:"n"`
}

func (stepped) Kind() string      { return "test.stepped" }
func (e stepped) Subject() string { return e.About }

func emit(t *testing.T, s *testkit.Server, about string, n int) {
	t.Helper()
	if err := s.App().DB.Write(t.Context(), func(tx *database.Tx) error { tx.Emit(stepped{about, n}); return nil }); err != nil {
		t.Fatal(err)
	}
}

// come asks until the answer is right, as long as that may take on a busy machine.
func come(t *testing.T, what string, right func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !right(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// message is an event as it arrived: under which key or subject, and what it says.
type message struct {
	key, id string
	line    event.Line
}

// arrivals are the steps among messages of each subject, in their order, each message once.
func arrivals(t *testing.T, list []message) map[string][]int {
	t.Helper()
	seen, all := map[string]bool{}, map[string][]int{}
	for _, m := range list {
		if m.id != m.line.ID {
			t.Fatalf("the message of %s says it is %s", m.line.ID, m.id)
		}
		var e stepped
		if m.line.Kind != "test.stepped" || seen[m.id] {
			continue
		}
		seen[m.id] = true
		if err := json.Unmarshal(m.line.Data, &e); err != nil {
			t.Fatal(err)
		}
		all[e.About] = append(all[e.About], e.N)
	}
	return all
}

// passedOn holds a sink to what it promises: two servers of one store pass everything on, in the order of each subject; what happens while it is away
// comes when it is back, and what happened while no server ran when one does; what was taken on is not sent again.
func passedOn(t *testing.T, change func(*admit.Config), stop, start func(), read func() []message) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			change(&cfg)
			clock := testkit.NewClock()
			a, b := testkit.Start(t, cfg, clock), testkit.Start(t, cfg, clock)
			about := func(i int) string { return engine + strconv.Itoa(i) }
			for n := range 20 {
				emit(t, a, about(0), n)
				emit(t, b, about(1), n)
				emit(t, []*testkit.Server{a, b}[n%2], about(2), n)
			}
			whole := func(n int) bool {
				got := arrivals(t, read())
				return len(got[about(0)])+len(got[about(1)])+len(got[about(2)]) == n
			}
			come(t, "sixty", func() bool { return whole(60) })
			before := len(read())

			stop()
			for n := 20; n < 25; n++ {
				emit(t, b, about(0), n)
			}
			come(t, "a failure", func() bool {
				states, err := a.App().Sinks.States(t.Context())
				return err == nil && states[0].Failures > 0 && states[0].Reply != ""
			})
			start()
			come(t, "the rest", func() bool {
				clock.Advance(time.Minute) // as long as it is left alone at most
				return whole(65)
			})
			var want []int
			for n := range 25 {
				want = append(want, n)
			}
			got := arrivals(t, read())
			if !slices.Equal(got[about(0)], want) || !slices.Equal(got[about(1)], want[:20]) || !slices.Equal(got[about(2)], want[:20]) {
				t.Fatal(got)
			}
			if extra := len(read()) - before; extra < 5 {
				t.Fatal(extra)
			}
			come(t, "well", func() bool {
				states, err := a.App().Sinks.States(t.Context())
				return err == nil && states[0].Failures == 0 && states[0].Lag == 0
			})
			after := len(read())
			c := testkit.Start(t, cfg, clock) // one that begins takes nothing up again
			emit(t, c, about(1), 20)
			come(t, "one more", func() bool { return whole(66) })
			if n := len(read()); n > after+3 { // what the start told, and this
				t.Fatalf("%d messages came after a start", n-after)
			}
		})
	}
}

func TestKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "admit.events"), kfake.SleepOutOfOrder())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	var all []message
	reader, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("admit.events"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.Close)
	read := func() []message {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		for _, r := range reader.PollFetches(ctx).Records() {
			m := message{key: string(r.Key)}
			if err := json.Unmarshal(r.Value, &m.line); err != nil {
				t.Fatal(err)
			}
			m.id = string(r.Headers[0].Value)
			if m.key != m.line.Subject || string(r.Headers[1].Value) != m.line.Kind {
				t.Fatalf("%+v", r)
			}
			all = append(all, m)
		}
		return all
	}
	away := make(chan struct{})
	stop := func() {
		away = make(chan struct{})
		gone := away
		cluster.ControlKey(0, func(kmsg.Request) (kmsg.Response, error, bool) { // Produce
			select {
			case <-gone:
				return nil, nil, false
			default:
				cluster.KeepControl()
				return nil, fmt.Errorf("away"), true
			}
		})
	}
	passedOn(t, func(cfg *admit.Config) { cfg.Kafka.Brokers, cfg.Kafka.Topic = cluster.ListenAddrs(), "admit.events" }, stop, func() { close(away) }, read)
}

func TestNATS(t *testing.T) {
	options := &natsd.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true, Username: "admit", Password: "a long pass"}
	var run *natsd.Server
	start := func() {
		var err error
		if run, err = natsd.NewServer(options); err != nil {
			t.Fatal(err)
		}
		run.Start()
		if !run.ReadyForConnections(30 * time.Second) {
			t.Fatal("the NATS server does not start")
		}
	}
	stop := func() { run.Shutdown(); run.WaitForShutdown() }
	start()
	t.Cleanup(func() { stop() })
	u, err := url.Parse(run.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	options.Port, _ = strconv.Atoi(u.Port())
	u.User = url.UserPassword("admit", "a long pass")
	conn, err := nats.Connect(u.String(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"admit.events.>"}}); err != nil {
		t.Fatal(err)
	}
	read := func() (list []message) {
		stream, err := js.Stream(t.Context(), "EVENTS")
		if err != nil { // it is away
			return nil
		}
		info, err := stream.Info(t.Context())
		if err != nil {
			return nil
		}
		for seq := info.State.FirstSeq; seq <= info.State.LastSeq; seq++ {
			raw, err := stream.GetMsg(t.Context(), seq)
			if err != nil {
				return nil
			}
			m := message{key: raw.Subject, id: raw.Header.Get("Nats-Msg-Id")}
			if err := json.Unmarshal(raw.Data, &m.line); err != nil {
				t.Fatal(err)
			}
			if m.key != "admit.events."+m.line.Kind {
				t.Fatalf("%+v", m)
			}
			list = append(list, m)
		}
		return list
	}
	passedOn(t, func(cfg *admit.Config) { cfg.NATS.URL, cfg.NATS.Subject = u.String(), "admit.events" }, stop, start, read)
}
