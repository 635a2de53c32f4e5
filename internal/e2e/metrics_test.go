package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// scrape is what Prometheus would read.
func scrape(s *testkit.Server) string {
	c := s.Client()
	c.URL = s.Mount(s.Metrics())
	return string(c.Get("/").Want(200).Body)
}

// Sign-ins are counted by method and reason, requests by the pattern of their route, sessions by how long they lived; and no label holds what
// a client made up or who somebody is.
func TestMetrics(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		scrape(s) // counts from here on
		c := person(s, "ann@example.com")
		signIn(s, "ann@example.com", "wrong").Want(401)
		signIn(s, "nobody@example.com", "wrong").Want(401)
		c.Get("/auth/me").Want(200)
		c.Get("/auth/me").Want(200)
		s.Client().Get("/made/up/by/a/client").Want(404)
		s.Client().Do("BREW", "/auth/me", nil)
		s.Advance(100 * 60e9)
		c.Post("/auth/logout", nil).Want(200)
		text := scrape(s)
		for _, want := range []string{
			`admit_logins_total{method="password",outcome="failure",reason="wrong_answer"} 1`,
			`admit_logins_total{method="password",outcome="failure",reason="unknown_user"} 1`,
			`admit_events_total{kind="user.created",outcome="success"} 1`,
			`admit_http_request_duration_seconds_count{method="GET",route="/auth/me",status="200"} 2`,
			`admit_http_request_duration_seconds_count{method="POST",route="/auth/login",status="401"} 2`,
			`route="none",status="404"} 1`,
			`method="other"`,
			`admit_session_duration_seconds_bucket{reason="signed_out",le="3600"} 0`,
			`admit_session_duration_seconds_bucket{reason="signed_out",le="14400"} 1`,
			`admit_session_lookups_total{from="memory"}`,
			`admit_feed_fresh 1`,
			`admit_messages_waiting 0`,
			`admit_password_hash_total`,
			`go_goroutines`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is missing", want)
			}
		}
		for _, never := range []string{"ann@", "nobody@", "usr_", "ses_", "made/up", "BREW", "127.0.0.1"} {
			if strings.Contains(text, never) {
				t.Errorf("%q can be read", never)
			}
		}
		if strings.Contains(text, "admit_redis_up") {
			t.Error("a Redis that is not there is up or down")
		}
	})
}

// The dashboard and the alerts ask for nothing that is not counted.
func TestAlertsAndDashboard(t *testing.T) {
	r, engines := testkit.NewRedis(t), testkit.Engines()
	engine := engines[len(engines)-1]
	cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
	cfg.Redis.URL = r.URL
	if engine == "postgres" {
		cfg.Database.ReplicaURLs = []string{cfg.Database.URL} // which is no standby
	}
	s := testkit.Start(t, cfg, testkit.NewClock())
	scrape(s)
	c := person(s, "ann@example.com")
	signIn(s, "ann@example.com", "wrong").Want(401)
	c.Post("/auth/logout", nil).Want(200)
	text := scrape(s)
	if engine == "postgres" && !regexp.MustCompile(`admit_database_replica_up\{replica="[^"]+"\} 0`).MatchString(text) {
		t.Errorf("nothing is said of a replica that is none:\n%s", text)
	}
	for _, file := range []string{"deploy/prometheus/alerts.yml", "deploy/grafana/admit.json"} {
		body, err := os.ReadFile(filepath.Join(testkit.Root(t), file))
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`\badmit_[a-z_]+`).FindAllString(string(body), -1)
		if len(names) < 8 {
			t.Errorf("%s asks for %d", file, len(names))
		}
		for _, name := range names {
			if engine != "postgres" && strings.HasPrefix(name, "admit_database_replica_") { // a store in a file has none
				continue
			}
			if !strings.Contains(text, name) {
				t.Errorf("%s asks for %s, which is not there", file, name)
			}
		}
	}
}
