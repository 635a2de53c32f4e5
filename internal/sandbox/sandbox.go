// Package sandbox is a server for the tests of other programs: everything in it is thrown away at its end, its clock is moved by hand, and
// over HTTP it is filled, kept as it is, and put back. It is never in production.
package sandbox

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/web"
)

// Refusals.
var (
	ErrSnapshot = apperr.New(apperr.NotFound, "snapshot_unknown", "There is no snapshot of that name. GET /test lists those there are.")
	ErrName     = apperr.New(apperr.Invalid, "snapshot_name_invalid", "A snapshot is called by 1 to 64 letters, digits, - and _.").In("name")
	ErrClock    = apperr.New(apperr.Invalid, "clock_invalid", "Give advance, such as 15m or 24h, or now, a time of RFC 3339. The clock goes forward only: a snapshot that is put back brings its time back.")
	ErrBody     = apperr.New(apperr.Invalid, "test_body_invalid", "The body is not what this route takes: docs/testing.md shows it.")
	errGone     = apperr.New(apperr.Unavailable, "test_server_gone", "The server could not be started again. What it logged says why; start admit serve --test anew.")
)

// origin is the snapshot of a server to which nothing has happened since its start.
const origin = "_"

// Sandbox is such a server. It is an http.Handler; Close throws everything away.
type Sandbox struct {
	cfg     admit.Config
	options []admit.Option
	dir     string // of everything
	ahead   atomic.Int64
	mux     *http.ServeMux

	change sync.Mutex   // one of seed, keep and put back at a time
	busy   sync.RWMutex // requests hold it while the server answers them
	srv    *admit.Server
	kept   map[string]time.Time // when it was made, by snapshot
}

// New starts one in a directory of its own, whatever cfg says of a store, and fills it. Hashes are cheap, and nothing is limited that cfg does not
// limit. A reset brings back what it was filled with.
func New(ctx context.Context, cfg admit.Config, seed Seed, options ...admit.Option) (*Sandbox, error) {
	dir, err := os.MkdirTemp("", "admit-test-")
	if err != nil {
		return nil, err
	}
	s := &Sandbox{cfg: Throwaway(cfg, filepath.Join(dir, "now")), dir: dir, kept: map[string]time.Time{}}
	s.options = append(slices.Clone(options), admit.WithClock(s.Now))
	s.routes()
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	_, err = seed.Sow(ctx, s.App())
	if err == nil {
		err = s.keep(ctx, origin)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Throwaway is cfg with a store in a directory, and with hashes that cost nothing.
func Throwaway(cfg admit.Config, dir string) admit.Config {
	cfg.Server.DataDir, cfg.Database.URL = dir, ""
	cfg.Hash.MemoryKiB, cfg.Hash.Iterations = 64, 1
	return cfg
}

// Now is the time in it, which goes on by itself and is moved on by hand.
func (s *Sandbox) Now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

// App is the parts of the server as it is now; another one after each snapshot.
func (s *Sandbox) App() *app.App { return s.srv.App() }

// Metrics answers Prometheus.
func (s *Sandbox) Metrics() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.with(w, r, func(srv *admit.Server) { srv.Metrics().ServeHTTP(w, r) })
	})
}

// Drain answers whoever waits for news.
func (s *Sandbox) Drain() {
	s.busy.RLock()
	defer s.busy.RUnlock()
	if s.srv != nil {
		s.srv.Drain()
	}
}

// Close ends the server and removes all that it kept.
func (s *Sandbox) Close() error {
	s.busy.Lock()
	defer s.busy.Unlock()
	return errors.Join(s.stop(), os.RemoveAll(s.dir))
}

func (s *Sandbox) open(ctx context.Context) (err error) {
	s.srv, err = admit.New(ctx, s.cfg, s.options...)
	return err
}

func (s *Sandbox) stop() (err error) {
	if s.srv != nil {
		err = s.srv.Close()
		s.srv = nil
	}
	return err
}

// between does something while no server runs. Requests wait for the next one.
func (s *Sandbox) between(ctx context.Context, do func() error) error {
	s.Drain()
	s.busy.Lock()
	defer s.busy.Unlock()
	return errors.Join(s.stop(), do(), s.open(context.WithoutCancel(ctx)))
}

func (s *Sandbox) snapshot(name string) string { return filepath.Join(s.dir, "kept", name) }

// keep remembers everything as it is now, under a name.
func (s *Sandbox) keep(ctx context.Context, name string) error {
	return s.between(ctx, func() error {
		err := copied(s.cfg.Server.DataDir, s.snapshot(name))
		if err == nil {
			s.kept[name] = s.Now()
		}
		return err
	})
}

// back makes everything as it was when it was kept under a name, the time too.
func (s *Sandbox) back(ctx context.Context, name string) error {
	then, known := s.kept[name]
	if !known {
		return ErrSnapshot
	}
	return s.between(ctx, func() error {
		s.ahead.Store(int64(time.Until(then)))
		return copied(s.snapshot(name), s.cfg.Server.DataDir)
	})
}

// copied makes one directory the same as another.
func copied(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(from))
}

// with has the server that runs now do something.
func (s *Sandbox) with(w http.ResponseWriter, r *http.Request, do func(*admit.Server)) {
	s.busy.RLock()
	defer s.busy.RUnlock()
	if s.srv == nil {
		web.WriteError(w, r, errGone)
		return
	}
	do(s.srv)
}
