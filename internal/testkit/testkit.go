// Package testkit is a whole server in a test: a real store, a clock that stands still until it is moved, clients that keep
// cookies, and every event that was told.
package testkit

import (
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/notify"
)

// Clock is a clock that stands still.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock begins at a fixed time in the future, so that no test depends on the day it runs.
func NewClock() *Clock { return &Clock{at: time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// Server is a server under test.
type Server struct {
	*testing.T
	*admit.Server
	*Clock
	URL    string // where it listens, with the path of BASE_URL
	Engine string
	Config admit.Config

	cursor      database.Cursor
	connections *http.Transport // of all its clients
}

// Config is a configuration that is quick and quiet: cheap hashes, no limits, no device that is known, the store at databaseURL.
func Config(t testing.TB, databaseURL string) admit.Config {
	cfg := admit.DefaultConfig()
	cfg.Server.DataDir = filepath.Join(t.TempDir(), "admit-data")
	cfg.Database.URL = databaseURL
	cfg.Hash.MemoryKiB, cfg.Hash.Iterations = 64, 1
	cfg.RateLimit.RateLimit = "off"
	cfg.Address.Verification = "off"
	cfg.Device.Days, cfg.Lockout.After = 0, 0
	return cfg
}

// Each runs f with a fresh server on every engine: SQLite and Postgres, or those TEST_ENGINES names. It lets other tests run beside this one. change
// may be nil.
func Each(t *testing.T, change func(*admit.Config), f func(s *Server)) {
	t.Helper()
	if _, again := beside.LoadOrStore(t, true); !again { // which may be said once for a test
		t.Parallel()
	}
	for _, engine := range Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := Config(t, DatabaseURL(t, engine))
			if change != nil {
				change(&cfg)
			}
			s := Start(t, cfg, NewClock())
			s.Engine = engine
			f(s)
		})
	}
}

var beside sync.Map // tests that called Each: *testing.T → true

// Engines are the stores to test on.
func Engines() []string {
	if e := os.Getenv("TEST_ENGINES"); e != "" {
		return strings.Split(e, ",")
	}
	return []string{"sqlite", "postgres"}
}

// DatabaseURL names a fresh store.
func DatabaseURL(t testing.TB, engine string) string {
	t.Helper()
	if engine == "sqlite" {
		return "sqlite:///" + filepath.Join(t.TempDir(), "admit.db")
	}
	server := os.Getenv("TEST_POSTGRES_URL")
	if server == "" {
		t.Fatal("TEST_POSTGRES_URL is not set. Run make test, which starts PostgreSQL, or TEST_ENGINES=sqlite go test ./... for SQLite alone.")
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	schema := fmt.Sprintf("t%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := db.Exec("CREATE SCHEMA " + schema + " AUTHORIZATION " + tester(t, db)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db, err := sql.Open("pgx", server)
		if err == nil {
			_, err = db.Exec("DROP SCHEMA " + schema + " CASCADE")
			_ = db.Close()
		}
		if err != nil {
			t.Log(err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.User = url.User(role)
	u.RawQuery = q.Encode()
	return u.String()
}

const role = "admit_tester"

// tester is a role that row-level security binds, as it should the one of a real server: a superuser is above it.
func tester(t testing.TB, db *sql.DB) string {
	t.Helper()
	_, err := db.Exec("CREATE ROLE " + role + " LOGIN")
	if err != nil && !strings.Contains(err.Error(), "already exists") && !strings.Contains(err.Error(), "duplicate key") { // another test was first
		t.Fatal(err)
	}
	return role
}

// Start runs a server with exactly this configuration.
func Start(t *testing.T, cfg admit.Config, clock *Clock, more ...admit.Option) *Server {
	t.Helper()
	return start(t, cfg, clock, nil, more)
}

// StartAt runs a server whose BASE_URL is where it listens, on localhost: browsers want that for passkeys.
func StartAt(t *testing.T, cfg admit.Config, clock *Clock, more ...admit.Option) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Web.BaseURL = fmt.Sprintf("http://localhost:%d%s", l.Addr().(*net.TCPAddr).Port, cfg.Web.Path())
	return start(t, cfg, clock, l, more)
}

func start(t *testing.T, cfg admit.Config, clock *Clock, l net.Listener, more []admit.Option) *Server {
	t.Helper()
	// Servers that live for a second each leave much garbage. A test has the memory to let it lie, and no time: under the race detector a sixth of
	// it went into collecting.
	debug.SetGCPercent(400)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	options := append([]admit.Option{admit.WithClock(clock.Now), admit.WithStrict(), admit.WithLogger(log)}, more...)
	srv, err := admit.New(t.Context(), cfg, options...)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(srv)
	if l != nil {
		_ = web.Listener.Close()
		web.Listener = l
	}
	web.Start()
	t.Cleanup(func() {
		web.Close()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &Server{T: t, Server: srv, Clock: clock, URL: web.URL + cfg.Web.Path(), Config: cfg, connections: connections(t)}
	s.Records() // what the start itself told
	return s
}

// Inbox is what the server would have sent to an address or a number, newest first. Nothing needs to be waited for: a message
// is there when the request that caused it has been answered.
func (s *Server) Inbox(to string) []notify.Letter {
	s.Helper()
	list, err := s.App().Notify.Inbox(s.Context(), to)
	if err != nil {
		s.Fatal(err)
	}
	return list
}

// Letter is the newest message to an address or a number.
func (s *Server) Letter(to string) notify.Letter {
	s.Helper()
	list := s.Inbox(to)
	if len(list) == 0 {
		s.Fatalf("there is no message to %s", to)
	}
	return list[0]
}

// Records are the events since the last look.
func (s *Server) Records() []database.Record {
	s.Helper()
	list, err := s.App().DB.Events(s.Context(), s.cursor, 10_000)
	if err != nil {
		s.Fatal(err)
	}
	if len(list) > 0 {
		s.cursor = list[len(list)-1].Cursor
	}
	return list
}

// Events holds that exactly these events were told since the last look, in this order. What the audit log does by itself, a
// moment later, is not among them.
func (s *Server) Events(want ...string) {
	s.Helper()
	var got []string
	for _, r := range s.Records() {
		if !strings.HasPrefix(r.Kind, "audit.") {
			got = append(got, r.Kind)
		}
	}
	if !slices.Equal(got, want) {
		s.Fatalf("events %v, want %v", got, want)
	}
}

// Grant gives a person a global role, as the operator does.
func (s *Server) Grant(userID, role string) {
	s.Helper()
	if err := s.App().Accounts.Grant(s.Context(), authz.System, userID, role); err != nil {
		s.Fatal(err)
	}
	s.Records()
}

// Revoke takes a global role from a person, as the operator does.
func (s *Server) Revoke(userID, role string) {
	s.Helper()
	if err := s.App().Accounts.Revoke(s.Context(), authz.System, userID, role); err != nil {
		s.Fatal(err)
	}
	s.Records()
}

// Mount serves a handler of an app, and gives its address.
func (s *Server) Mount(h http.Handler) string {
	web := httptest.NewServer(h)
	s.Cleanup(web.Close)
	return web.URL
}
