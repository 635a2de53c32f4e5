// Package metrics says in numbers how a server does, in the format of Prometheus. No label holds what a client made up, or who somebody is.
package metrics

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/risk"
)

// Metrics counts what goes on in one server.
type Metrics struct {
	registry *prometheus.Registry
	events   *prometheus.CounterVec
	logins   *prometheus.CounterVec
	risks    *prometheus.CounterVec
	ended    *prometheus.HistogramVec
	requests *prometheus.HistogramVec

	mu    sync.Mutex
	words map[string]bool
}

// New counts from now on what a does.
func New(a *app.App, version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		words:    map[string]bool{},
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "admit_events_total",
			Help: "Events of this server, by the kinds of docs/events.md."}, []string{"kind", "outcome"}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "admit_logins_total",
			Help: "Sign-ins that succeeded, and answers that were refused and why."}, []string{"method", "outcome", "reason"}),
		risks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "admit_risk_total",
			Help: "What was unusual about attempts to get in, and what came of them."}, []string{"signal", "outcome"}),
		ended: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "admit_session_duration_seconds",
			Help:    "How long sessions had lived that were ended before their time.",
			Buckets: []float64{60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600, 180 * 24 * 3600}}, []string{"reason"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "admit_http_request_duration_seconds",
			Help:    "How long requests took.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10}}, []string{"method", "route", "status"}),
	}
	for _, signal := range risk.Signals { // so that the first one of each is an increase
		for _, outcome := range []risk.Outcome{risk.Notify, risk.Challenge, risk.StepUp, risk.Block} {
			m.risks.WithLabelValues(m.word(string(signal)), m.word(string(outcome)))
		}
	}
	built := prometheus.NewGauge(prometheus.GaugeOpts{Name: "admit_build_info", Help: "Which build runs. Always 1.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version(), "database": a.DB.Engine()}})
	built.Set(1)
	m.registry.MustRegister(m.events, m.logins, m.risks, m.ended, m.requests, built, &state{a}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.DB.AfterCommit(m.heard)
	return m
}

// Handler answers Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, Timeout: 5 * time.Second})
}

// Observe counts a request. The route is the pattern that matched, never the path.
func (m *Metrics) Observe(method, route string, status int, took time.Duration) {
	if _, path, ok := strings.Cut(route, " "); ok {
		route = path
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other"
	}
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(max(took, 0).Seconds())
}

// heard counts what this server has done.
func (m *Metrics) heard(list []database.Record) {
	for _, r := range list {
		m.events.WithLabelValues(r.Kind, r.Outcome).Inc()
		switch r.Kind {
		case "login.succeeded", "login.failed", "session.revoked", "risk.detected":
			m.detail(r)
		}
	}
}

func (m *Metrics) detail(r database.Record) {
	var data struct {
		Method     string `json:"method"`
		Reason     string `json:"reason"`
		AgeSeconds int64  `json:"age_seconds"`
		Outcome    string `json:"outcome"`
		Reasons    []struct {
			Signal string `json:"signal"`
		} `json:"reasons"`
	}
	if json.Unmarshal(r.Data, &data) != nil {
		return
	}
	switch r.Kind {
	case "session.revoked":
		m.ended.WithLabelValues(m.word(data.Reason)).Observe(float64(data.AgeSeconds))
		return
	case "risk.detected":
		for _, why := range data.Reasons {
			m.risks.WithLabelValues(m.word(why.Signal), m.word(data.Outcome)).Inc()
		}
		return
	}
	m.logins.WithLabelValues(m.word(data.Method), r.Outcome, m.word(data.Reason)).Inc()
}

// words is how many different ones labels may have: methods, providers and reasons are few.
const words = 200

func (m *Metrics) word(s string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.words) >= words && !m.words[s] {
		return "other"
	}
	m.words[s] = true
	return s
}

// state is read when it is asked for.
type state struct{ app *app.App }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	dbInUse      = desc("admit_database_connections_in_use", "Connections for reading that are busy.")
	dbOpen       = desc("admit_database_connections_open", "Connections for reading that are open.")
	dbWaits      = desc("admit_database_waits_total", "How often a connection was waited for.")
	dbWaited     = desc("admit_database_wait_seconds_total", "How long connections were waited for.")
	dbAsked      = desc("admit_database_questions_total", "Queries, snapshots, and tries at a change.")
	replicaUp    = desc("admit_database_replica_up", "1 while a standby of DATABASE_REPLICA_URLS answers as one.", "replica")
	replicaLag   = desc("admit_database_replica_lag_seconds", "How old the newest change is that a standby has not taken on. Absent while it does not answer.", "replica")
	feedFresh    = desc("admit_feed_fresh", "1 while the server hears of every change; nothing is answered from memory while it is 0.")
	hashWaiting  = desc("admit_password_hash_waiting", "Callers in the queue for a password hash.")
	hashRunning  = desc("admit_password_hash_running", "Password hashes under way.")
	hashDone     = desc("admit_password_hash_total", "Password hashes finished.")
	hashShed     = desc("admit_password_hash_shed_total", "Callers sent away with 503 since the queue was full.")
	hashSeconds  = desc("admit_password_hash_seconds", "What a password hash has lately taken.")
	lookups      = desc("admit_session_lookups_total", "Checks of a session, by where the answer came from.", "from")
	limited      = desc("admit_rate_limit_keys", "Keys that rate limits hold in memory.")
	mailsWaiting = desc("admit_messages_waiting", "Mails and texts that wait to be handed over.")
	mailsOldest  = desc("admit_messages_oldest_seconds", "How long the oldest of them waits.")
	mailsFailed  = desc("admit_messages_failed_day", "Mails and texts given up in the last 24 hours.")
	sinkLag      = desc("admit_event_sink_lag_seconds", "How old the oldest event is that a sink has not taken on: of webhooks, that the last one has not.", "sink")
	sinkFailures = desc("admit_event_sink_failures", "Tries since a sink last took anything on: of webhooks, how many of them did not.", "sink")
	hooksWaiting = desc("admit_webhook_deliveries_waiting", "Deliveries to webhooks that have not ended.")
	hooksParked  = desc("admit_webhook_deliveries_parked_day", "Deliveries to webhooks given up in the last 24 hours.")
	redisUp      = desc("admit_redis_up", "1 while Redis answers in time. Absent without REDIS_URL.")
)

// Describe names what state has to tell.
func (s *state) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{dbInUse, dbOpen, dbWaits, dbWaited, dbAsked, replicaUp, replicaLag, feedFresh, hashWaiting, hashRunning, hashDone, hashShed, hashSeconds, lookups, limited,
		mailsWaiting, mailsOldest, mailsFailed, sinkLag, sinkFailures, hooksWaiting, hooksParked, redisUp} {
		to <- d
	}
}

// Collect tells it.
func (s *state) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) { to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	db := s.app.DB.Stats()
	gauge(dbInUse, float64(db.InUse))
	gauge(dbOpen, float64(db.OpenConnections))
	count(dbWaits, float64(db.WaitCount))
	count(dbWaited, db.WaitDuration.Seconds())
	count(dbAsked, float64(s.app.DB.Asked()))
	s.replicas(ctx, to)
	gauge(feedFresh, truth(s.app.Fresh()))
	h := s.app.Hasher.Stats()
	gauge(hashWaiting, float64(h.Waiting))
	gauge(hashRunning, float64(h.Running))
	count(hashDone, float64(h.Done))
	count(hashShed, float64(h.Shed))
	gauge(hashSeconds, h.Mean.Seconds())
	seen := s.app.Sessions.Lookups()
	count(lookups, float64(seen.Memory), "memory")
	count(lookups, float64(seen.Shared), "redis")
	count(lookups, float64(seen.Replica), "replica")
	count(lookups, float64(seen.Database), "database")
	gauge(limited, float64(s.app.Limiter.Len()))
	if b, err := s.app.Notify.Backlog(ctx); err == nil { // while the database does not answer these are absent
		gauge(mailsWaiting, float64(b.Waiting))
		gauge(mailsOldest, b.Oldest.Seconds())
		gauge(mailsFailed, float64(b.Failed))
	}
	s.sinks(ctx, to)
	if s.app.Redis != nil {
		gauge(redisUp, truth(s.app.Redis.Ping(ctx) == nil))
	}
}

// replicas tells how the standbys stand.
func (s *state) replicas(ctx context.Context, to chan<- prometheus.Metric) {
	for _, r := range s.app.DB.Replicas(ctx) {
		to <- prometheus.MustNewConstMetric(replicaUp, prometheus.GaugeValue, truth(r.Err == nil), r.Name)
		if r.Err == nil {
			to <- prometheus.MustNewConstMetric(replicaLag, prometheus.GaugeValue, r.Lag.Seconds(), r.Name)
		}
	}
}

// sinks tells how far events have come.
func (s *state) sinks(ctx context.Context, to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	list, err := s.app.Sinks.States(ctx)
	if err != nil {
		return
	}
	for _, one := range list {
		gauge(sinkLag, one.Lag.Seconds(), one.Name)
		gauge(sinkFailures, float64(one.Failures), one.Name)
	}
	if b, err := s.app.Webhooks.Backlog(ctx); err == nil {
		gauge(sinkLag, b.Lag.Seconds(), "webhooks")
		gauge(sinkFailures, float64(b.Failing), "webhooks")
		gauge(hooksWaiting, float64(b.Waiting))
		gauge(hooksParked, float64(b.Parked))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
