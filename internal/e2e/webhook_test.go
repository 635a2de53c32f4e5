package e2e_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/admit-dev/admit"
	program "github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/webhook"
)

// stepped is an event of a test.
type stepped struct {
	About string `json:"about"`
	N     int    `json:"n"`
}

func (stepped) Kind() string      { return "test.step" }
func (e stepped) Subject() string { return e.About }

// steps emits events one change each, in the order of a subject.
func steps(s *testkit.Server, about string, n ...int) {
	s.Helper()
	for _, i := range n {
		if err := s.App().DB.Write(s.Context(), func(tx *database.Tx) error { tx.Emit(stepped{about, i}); return nil }); err != nil {
			s.Fatal(err)
		}
	}
}

// hooked is a request that a receiver got.
type hooked struct {
	id, kind, subject string
	n                 int
	header            http.Header
	body              []byte
}

// receiver is a server that is told of events. It answers what answer says, 200 when that is nil.
type receiver struct {
	*testing.T
	URL string

	mu     sync.Mutex
	got    []hooked
	answer func(w http.ResponseWriter, r *http.Request, h hooked)
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{T: t}
	web := httptest.NewServer(r)
	t.Cleanup(web.Close)
	r.URL = web.URL + "/hook"
	return r
}

// ServeHTTP takes a request on.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	var line struct {
		ID, Kind, Subject string
		Data              stepped
	}
	if q.Header.Get("Content-Type") == "application/secevent+jwt" {
		line.ID = q.Header.Get("Webhook-Id")
	} else if err := json.Unmarshal(body, &line); err != nil || line.ID != q.Header.Get("Webhook-Id") || q.Header.Get("Content-Type") != "application/json" {
		r.Errorf("%s %v %v", body, q.Header, err)
	}
	h := hooked{line.ID, line.Kind, line.Subject, line.Data.N, q.Header, body}
	r.mu.Lock()
	r.got = append(r.got, h)
	answer := r.answer
	r.mu.Unlock()
	if answer != nil {
		answer(w, q, h)
	}
}

// with sets what it answers.
func (r *receiver) with(answer func(w http.ResponseWriter, q *http.Request, h hooked)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// list is what it got of a subject, or of all with "".
func (r *receiver) list(subject string) (list []hooked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.got {
		if subject == "" || h.subject == subject {
			list = append(list, h)
		}
	}
	return list
}

// wait waits until it has got exactly these of a subject, in this order.
func (r *receiver) wait(subject string, want ...int) {
	r.Helper()
	var got []int
	come(r.T, fmt.Sprint(subject, " ", want), func() bool {
		got = nil
		for _, h := range r.list(subject) {
			got = append(got, h.n)
		}
		return len(got) >= len(want)
	})
	if !slices.Equal(got, want) {
		r.Fatalf("%s: %v, want %v", subject, got, want)
	}
}

// signed says which of the secrets a request is signed with.
func (h hooked) signed(secrets ...string) (list []int) {
	for i, secret := range secrets {
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", h.header.Get("Webhook-Id"), h.header.Get("Webhook-Timestamp"), h.body)
		if slices.Contains(strings.Fields(h.header.Get("Webhook-Signature")), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
			list = append(list, i)
		}
	}
	return list
}

// home lets webhooks be on this machine.
func home(cfg *admit.Config) {
	cfg.Outbound.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// hook makes a webhook for the events of tests alone.
func hook(c *testkit.Client, url string) (path, secret string) {
	c.T.Helper()
	a := c.Post("/api/v1/webhooks", m{"url": url, "kinds": []string{"test.*"}}).Want(201)
	return "/api/v1/webhooks/" + a.Text("id"), a.Text("secret")
}

// posts waits until the log of a webhook is right, and gives it, the newest first.
func posts(s *testkit.Server, path, what string, right func(list []webhook.Delivery) bool) (list []webhook.Delivery) {
	s.Helper()
	come(s.T, what, func() (ok bool) {
		var err error
		if list, _, err = s.App().Webhooks.Deliveries(s.Context(), authz.System, strings.TrimPrefix(path, "/api/v1/webhooks/"), "", "", 1000); err != nil {
			s.Fatal(err)
		}
		return right(list)
	})
	return list
}

// stood waits until this many deliveries are in a state.
func stood(s *testkit.Server, path string, state webhook.State, n int) []webhook.Delivery {
	s.Helper()
	list := posts(s, path, fmt.Sprint(n, " ", state), func(list []webhook.Delivery) bool { return len(in(list, state)) == n })
	return in(list, state)
}

func in(list []webhook.Delivery, state webhook.State) []webhook.Delivery {
	return slices.DeleteFunc(slices.Clone(list), func(d webhook.Delivery) bool { return d.State != state })
}

// A webhook is told of what happens, signed; its secret is shown once and replaced without a gap; who may not manage webhooks sees nothing of them.
func TestWebhooks(t *testing.T) {
	testkit.Each(t, home, func(s *testkit.Server) {
		c, _ := operator(s, "root@example.com")
		r := newReceiver(s.T)
		steps(s, "before", 1)
		come(s.T, "the event is settled", func() bool { // another test may have a transaction open that began before
			list, err := s.App().DB.Events(s.Context(), database.Cursor{}, 100)
			return err == nil && len(list) > 0 && !list[len(list)-1].Unsettled
		})
		made := c.Post("/api/v1/webhooks", m{"url": r.URL, "description": "The warehouse", "kinds": []string{"test.step", "org.*"}}).Want(201)
		path, secret := "/api/v1/webhooks/"+made.Text("id"), made.Text("secret")
		s.Events("test.step", "webhook.created")
		if got := c.Get(path).Want(200); strings.Contains(string(got.Body), "whsec_") || !strings.HasPrefix(secret, "whsec_") || got.Text("url") != r.URL {
			s.Fatalf("%s", got.Body)
		}
		steps(s, "one", 1, 2)
		r.wait("one", 1, 2)
		h := r.list("one")[0]
		if len(h.signed(secret)) != 1 || h.header.Get("Webhook-Timestamp") != fmt.Sprint(s.Now().Unix()) {
			s.Fatal(h.header)
		}
		stood(s, path, webhook.Delivered, 2)
		log := c.Get(path + "/deliveries").Want(200).JSON["items"].([]any)
		if d := log[0].(m); len(log) != 2 || d["state"] != "delivered" || d["status"] != 200.0 || d["kind"] != "test.step" || d["subject"] != "one" || d["tries"] != 1.0 || d["error"] != nil || d["tried_at"] == nil || d["next_try_at"] != nil {
			s.Fatal(d)
		}
		if part := c.Get(path + "/deliveries?limit=1").Want(200); part.Text("next_cursor") != log[0].(m)["id"] {
			s.Fatalf("%s", part.Body)
		}

		second := c.Post(path+"/rotate", m{"overlap_hours": 1}).Want(200).Text("secret")
		steps(s, "one", 3)
		r.wait("one", 1, 2, 3)
		if got := r.list("one")[2].signed(secret, second); !slices.Equal(got, []int{0, 1}) {
			s.Fatal(got)
		}
		s.Advance(time.Hour)
		c.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		steps(s, "one", 4)
		r.wait("one", 1, 2, 3, 4)
		if got := r.list("one")[3].signed(secret, second); !slices.Equal(got, []int{1}) {
			s.Fatal(got)
		}

		c.Do("PATCH", path, m{"paused": true}).Want(200)
		steps(s, "one", 5)
		c.Do("PATCH", path, m{"paused": false, "kinds": []string{}}).Want(200)
		r.wait("one", 1, 2, 3, 4, 5)
		organization(c, "Acme")
		come(s.T, "org.created", func() bool {
			return slices.ContainsFunc(r.list(""), func(h hooked) bool { return h.kind == "org.created" })
		})
		if slices.ContainsFunc(r.list(""), func(h hooked) bool {
			return h.subject == "before" || strings.Contains(string(h.body), "root@example.com")
		}) {
			s.Fatal(r.list(""))
		}

		bob := person(s, "bob@example.com")
		bob.Get("/api/v1/webhooks").Want(403)
		bob.Get(path).Want(403)
		bob.Post("/api/v1/webhooks", m{"url": r.URL}).Want(403)
		for _, bad := range []string{"", "ftp://example.com", "https://", "https://user:pass@example.com/", "https://example.com/#a", "/hook"} {
			c.Post("/api/v1/webhooks", m{"url": bad}).Want(422, "webhook_url_invalid")
		}
		c.Post("/api/v1/webhooks", m{"url": r.URL, "kinds": []string{"*"}}).Want(422, "webhook_kinds_invalid")
		c.Get(path + "/deliveries?state=lost").Want(422)
		c.Do("DELETE", path, nil).Want(204)
		c.Get(path).Want(404, "webhook_not_found")
		c.Do("DELETE", path, nil).Want(404, "webhook_not_found")
	})
}

// What is not taken on is tried ten times with longer and longer waits, and then parked; what is about the same waits for it, and nothing else does.
// A replay sends it again.
func TestWebhookTriesAgain(t *testing.T) {
	testkit.Each(t, home, func(s *testkit.Server) {
		c, _ := operator(s, "root@example.com")
		r := newReceiver(s.T)
		path, _ := hook(c, r.URL)
		r.with(func(w http.ResponseWriter, _ *http.Request, h hooked) {
			if h.subject == "poison" && h.n == 1 {
				http.Error(w, "no\nthank you", http.StatusInternalServerError)
			}
		})
		steps(s, "poison", 1, 2)
		steps(s, "other", 1, 2)
		for n, wait := range []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour} {
			posts(s, path, fmt.Sprint("try ", n+1), func(list []webhook.Delivery) bool {
				if len(list) == 0 {
					return false
				}
				first := list[len(list)-1]
				return first.Tries == int64(n+1) && first.State == webhook.Waiting && first.Status == 500
			})
			s.Advance(time.Second) // it is left alone that long
			if n == 0 {
				r.wait("other", 1, 2)
			}
			s.Advance(wait + wait/10 + time.Minute)
		}
		parked := stood(s, path, webhook.Parked, 1)[0]
		if parked.Reply != "no thank you" || parked.Tries != 10 || parked.EndedAt == nil {
			s.Fatal(parked)
		}
		s.Advance(time.Minute)
		tries := []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}
		r.wait("poison", tries...)
		stood(s, path, webhook.Delivered, 3)
		r.with(nil)
		id := strings.TrimPrefix(path, "/api/v1/webhooks/")
		if _, err := s.App().Webhooks.Replay(s.Context(), authz.System, id, parked.ID); err != nil {
			s.Fatal(err)
		}
		r.wait("poison", append(tries, 1)...)
		stood(s, path, webhook.Delivered, 4)
		if _, err := s.App().Webhooks.Replay(s.Context(), authz.System, id, "dlv_x"); !errors.Is(err, webhook.ErrNoDelivery) {
			s.Fatal(err)
		}
	})
}

// While a webhook is away it is asked more and more rarely, nothing is lost, and all of it comes, in order, when it is back.
func TestWebhookIsAway(t *testing.T) {
	testkit.Each(t, home, func(s *testkit.Server) {
		c, _ := operator(s, "root@example.com")
		r := newReceiver(s.T)
		path, _ := hook(c, r.URL)
		r.with(func(w http.ResponseWriter, q *http.Request, _ hooked) {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		steps(s, "one", 1, 2, 3)
		steps(s, "two", 1, 2, 3)
		come(s.T, "a failure", func() bool { return c.Get(path).Want(200).JSON["failures"].(float64) > 0 })
		first := fmt.Sprint(s.Now().Unix())
		s.Advance(5 * time.Minute) // it asked for ten
		steps(s, "one", 4)
		for _, subject := range []string{"one", "two"} { // the second may have been on its way when the first was refused
			for n, h := range r.list(subject) {
				if n > 0 || h.header.Get("Webhook-Timestamp") != first {
					s.Fatal(subject, n, h.header, first)
				}
			}
		}
		if text := scrape(s); !strings.Contains(text, `admit_event_sink_failures{sink="webhooks"} 1`) || !strings.Contains(text, `admit_event_sink_lag_seconds{sink="webhooks"} 300`) {
			s.Fatal(text)
		}
		r.with(nil)
		s.Advance(6 * time.Minute)
		stood(s, path, webhook.Delivered, 7)
		for _, subject := range []string{"one", "two"} {
			list := r.list(subject)
			list = slices.CompactFunc(list, func(a, b hooked) bool { return a.id == b.id })
			if !slices.IsSortedFunc(list, func(a, b hooked) int { return a.n - b.n }) {
				s.Fatal(subject, list)
			}
		}
		if a := c.Get(path).Want(200); a.JSON["failing_since"] != nil || a.JSON["last_error"] != nil {
			s.Fatalf("%s", a.Body)
		}
	})
}

// Redirects are not followed, an answer is not waited for or read for ever, 410 ends it, and addresses that are not public are not called.
func TestWebhookAnswers(t *testing.T) {
	testkit.Each(t, home, func(s *testkit.Server) {
		c, _ := operator(s, "root@example.com")
		elsewhere := newReceiver(s.T)
		for name, one := range map[string]struct {
			answer http.HandlerFunc
			reply  string
			status int64
		}{
			"redirect": {func(w http.ResponseWriter, q *http.Request) {
				http.Redirect(w, q, elsewhere.URL, http.StatusTemporaryRedirect)
			}, "redirects are not followed", 307},
			"slow": {func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }, "127.0.0.1", 0},
			"endless": {func(w http.ResponseWriter, q *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				for q.Context().Err() == nil {
					if _, err := io.WriteString(w, strings.Repeat("no ", 1000)); err != nil {
						return
					}
				}
			}, "no no no", 400},
			"cut off": {func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, "EOF", 0},
		} {
			r := newReceiver(s.T)
			r.with(func(w http.ResponseWriter, q *http.Request, _ hooked) { one.answer(w, q) })
			path, _ := hook(c, r.URL)
			steps(s, name, 1)
			list := posts(s, path, name, func(list []webhook.Delivery) bool { return len(list) == 1 && list[0].Tries == 1 })
			if d := list[0]; d.State != webhook.Waiting || !strings.Contains(d.Reply, one.reply) || len(d.Reply) > 300 || d.Status != one.status {
				s.Errorf("%s: %+v", name, d)
			}
			c.Do("DELETE", path, nil).Want(204)
		}
		if got := elsewhere.list(""); len(got) > 0 {
			s.Error(got)
		}

		gone := newReceiver(s.T)
		gone.with(func(w http.ResponseWriter, _ *http.Request, _ hooked) { w.WriteHeader(http.StatusGone) })
		path, _ := hook(c, gone.URL)
		s.Records()
		steps(s, "gone", 1, 2)
		come(s.T, "paused", func() bool { return c.Get(path).Want(200).JSON["paused"] == "gone" })
		s.Events("test.step", "test.step", "webhook.paused")
		s.Advance(time.Hour)
		c.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		gone.wait("gone", 1)
		gone.with(nil)
		c.Do("PATCH", path, m{"paused": false}).Want(200)
		gone.wait("gone", 1, 1, 2)
	})
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, _ := operator(s, "root@example.com")
		r := newReceiver(s.T)
		path, _ := hook(c, r.URL)
		steps(s, "inside", 1)
		list := posts(s, path, "refused", func(list []webhook.Delivery) bool { return len(list) == 1 && list[0].Tries == 1 })
		if !strings.Contains(list[0].Reply, "OUTBOUND_PRIVATE_NETWORKS") || len(r.list("")) > 0 {
			s.Fatal(list)
		}
	})
}

// Two servers on one store send each event once, in the order of its subject; one that dies at it is waited for as long as it may be at it still, and
// then the other goes on.
func TestWebhookOnTwoServers(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			home(&cfg)
			clock := testkit.NewClock()
			a, b := testkit.Start(t, cfg, clock), testkit.Start(t, cfg, clock)
			c, _ := operator(a, "root@example.com")
			r := newReceiver(t)
			path, _ := hook(c, r.URL)
			var all sync.WaitGroup
			for i, s := range []*testkit.Server{a, b, a, b} {
				all.Go(func() {
					for n := range 25 {
						steps(s, fmt.Sprint("subject ", i), n)
					}
				})
			}
			all.Wait()
			var want []int
			for n := range 25 {
				want = append(want, n)
			}
			for i := range 4 {
				r.wait(fmt.Sprint("subject ", i), want...)
			}
			stood(a, path, webhook.Delivered, 100)
			if got := len(r.list("")); got != 100 {
				t.Fatalf("%d of 100", got)
			}

			take := func(holder string) {
				err := a.App().DB.Write(t.Context(), func(tx *database.Tx) error {
					tx.Quiet()
					_, err := tx.Exec(`UPDATE event_sinks SET holder = $1, held_until = $2`, holder, tx.Now.Add(30*time.Second))
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			take("srv_dead")
			steps(a, "late", 1)
			clock.Advance(29 * time.Second)
			rounds := a.App().Feed.Rounds()
			come(t, "a while", func() bool { return a.App().Feed.Rounds() > rounds+3 })
			if got := r.list("late"); len(got) > 0 {
				t.Fatal("sent while another server may be at it", got)
			}
			clock.Advance(time.Second)
			r.wait("late", 1)
		})
	}
}

// What happens while no server runs is sent when one does, and what was sent before it stopped is not sent again.
func TestWebhookResumes(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
			home(&cfg)
			clock := testkit.NewClock()
			r := newReceiver(t)
			ctx, stop := context.WithCancel(t.Context())
			first, err := admit.New(ctx, cfg, admit.WithClock(clock.Now))
			if err != nil {
				t.Fatal(err)
			}
			s := &testkit.Server{T: t, Server: first, Clock: clock, Engine: engine}
			w, _, err := first.App().Webhooks.Create(t.Context(), authz.System, webhook.Edit{URL: &r.URL, Kinds: &[]string{"test.step"}})
			if err != nil {
				t.Fatal(err)
			}
			steps(s, "one", 1, 2)
			r.wait("one", 1, 2)
			stood(s, w.ID, webhook.Delivered, 2)
			stop()
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}

			offline, err := program.Open(t.Context(), cfg, program.Options{Now: clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			for n := 3; n < 6; n++ {
				if err := offline.DB.Write(t.Context(), func(tx *database.Tx) error { tx.Emit(stepped{"one", n}); return nil }); err != nil {
					t.Fatal(err)
				}
			}
			if err := offline.Close(); err != nil {
				t.Fatal(err)
			}
			second := testkit.Start(t, cfg, clock)
			r.wait("one", 1, 2, 3, 4, 5)

			// from a time on, all of it again
			clock.Advance(time.Hour)
			steps(second, "one", 6)
			r.wait("one", 1, 2, 3, 4, 5, 6)
			stood(second, w.ID, webhook.Delivered, 6)
			if err := second.App().Webhooks.ReplaySince(t.Context(), authz.System, w.ID, clock.Now()); err != nil {
				t.Fatal(err)
			}
			r.wait("one", 1, 2, 3, 4, 5, 6, 6)
			stood(second, w.ID, webhook.Delivered, 7)
			if err := second.App().Webhooks.ReplaySince(t.Context(), authz.System, w.ID, clock.Now().Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
			r.wait("one", 1, 2, 3, 4, 5, 6, 6, 1, 2, 3, 4, 5, 6)
			if list := r.list("one"); list[0].id != list[7].id {
				t.Fatal("an event that is sent again has another id")
			}
		})
	}
}

// An event whose transaction began first and commits last is sent, and before what is later in the order.
func TestWebhookSkipsNothing(t *testing.T) {
	testkit.Each(t, home, func(s *testkit.Server) {
		if s.Engine != "postgres" {
			return // there is one change at a time
		}
		c, _ := operator(s, "root@example.com")
		r := newReceiver(s.T)
		hook(c, r.URL)
		steps(s, "one", 0)
		r.wait("one", 0)
		began, commit := make(chan struct{}), make(chan struct{})
		var slow sync.WaitGroup
		slow.Go(func() {
			err := s.App().DB.Write(s.Context(), func(tx *database.Tx) error {
				if _, err := tx.Exec(`UPDATE event_sinks SET reply = reply WHERE name = 'none'`); err != nil { // which gives it no number yet
					return err
				}
				if _, err := database.One[string](tx.Context(), tx, `SELECT pg_current_xact_id()::text`); err != nil {
					return err
				}
				close(began)
				<-commit
				tx.Emit(stepped{"one", 1})
				return nil
			}, database.ReadCommitted)
			if err != nil {
				s.Error(err)
			}
		})
		<-began
		steps(s, "one", 2, 3)
		rounds := s.App().Feed.Rounds()
		come(s.T, "a while", func() bool { return s.App().Feed.Rounds() > rounds+2 })
		r.wait("one", 0)
		close(commit)
		slow.Wait()
		r.wait("one", 0, 1, 2, 3)
	})
}

// A webhook of the format set is told of ended sessions, changed passwords and disabled accounts by Security Event Tokens, and of nothing else: the
// published keys verify them, and they are no access tokens.
func TestWebhookSecurityEventTokens(t *testing.T) {
	testkit.Each(t, home, func(s *testkit.Server) {
		c, _ := operator(s, "root@example.com")
		bob := person(s, "bob@example.com")
		me := bob.Get("/auth/me").Want(200).Text("id")
		r := newReceiver(s.T)
		r.with(func(w http.ResponseWriter, q *http.Request, _ hooked) {
			w.WriteHeader(http.StatusAccepted)
		})
		c.Post("/api/v1/webhooks", m{"url": r.URL, "format": "saml"}).Want(422)
		made := c.Post("/api/v1/webhooks", m{"url": r.URL, "format": "set"}).Want(201)
		path := "/api/v1/webhooks/" + made.Text("id")
		if made.Text("format") != "set" {
			t.Fatalf("%s", made.Body)
		}
		steps(s, "one", 1)
		bob.Post("/auth/password/change", m{"current_password": pass, "new_password": pass}).Want(200)
		bob.Post("/auth/logout", nil).Want(200)
		c.Post("/api/v1/users/"+me+"/disable", nil).Want(200)
		list := stood(s, path, webhook.Delivered, 3)

		var keys jose.JSONWebKeySet
		if err := json.Unmarshal(s.Client().Get("/.well-known/jwks.json").Want(200).Body, &keys); err != nil {
			t.Fatal(err)
		}
		got := r.list("")
		if len(got) != 3 {
			t.Fatal(got)
		}
		seen := map[string]bool{}
		for _, h := range got {
			token, err := jose.ParseSigned(string(h.body), []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256})
			if err != nil {
				t.Fatal(err)
			}
			head := token.Signatures[0].Header
			payload, err := token.Verify(keys.Key(head.KeyID)[0])
			if err != nil || head.ExtraHeaders[jose.HeaderType] != "secevent+jwt" || h.header.Get("Content-Type") != "application/secevent+jwt" {
				t.Fatal(head, err)
			}
			var v struct {
				Issuer   string                    `json:"iss"`
				Audience string                    `json:"aud"`
				ID       string                    `json:"jti"`
				IssuedAt int64                     `json:"iat"`
				Subject  m                         `json:"sub_id"`
				Events   map[string]map[string]any `json:"events"`
			}
			if err := json.Unmarshal(payload, &v); err != nil || strings.Contains(string(payload), `"exp"`) || v.Issuer != s.App().Config.Web.Origin() || v.Audience != r.URL || v.IssuedAt != s.Now().Unix() || len(v.Events) != 1 || v.ID != h.id {
				t.Fatalf("%s %v", payload, err)
			}
			user := m{"format": "iss_sub", "iss": v.Issuer, "sub": me}
			for uri, detail := range v.Events {
				seen[uri] = true
				if detail["event_timestamp"] != float64(s.Now().Unix()) {
					t.Fatalf("%s", payload)
				}
				who, want := "user", any(user)
				switch uri {
				case "https://schemas.openid.net/secevent/caep/event-type/session-revoked":
					id, _ := v.Subject["session"].(m)["id"].(string)
					want = m{"format": "complex", "user": user, "session": m{"format": "opaque", "id": id}}
					if !strings.HasPrefix(id, "ses_") {
						t.Fatalf("%s", payload)
					}
				case "https://schemas.openid.net/secevent/caep/event-type/credential-change":
					if detail["credential_type"] != "password" || detail["change_type"] != "update" {
						t.Fatalf("%s", payload)
					}
				default:
					who = "admin"
				}
				if detail["initiating_entity"] != who || !reflect.DeepEqual(any(v.Subject), want) {
					t.Fatalf("%s", payload)
				}
			}
			access := s.Client()
			access.Bearer = string(h.body)
			access.Get("/auth/me").Want(401)
		}
		if len(seen) != 3 || !seen["https://schemas.openid.net/secevent/risc/event-type/account-disabled"] || len(list) != 3 {
			t.Fatal(seen, list)
		}
	})
}
