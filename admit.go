package admit

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/admit-dev/admit/internal/api"
	"github.com/admit-dev/admit/internal/apidocs"
	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/gateway"
	"github.com/admit-dev/admit/internal/metrics"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/pages/account"
	"github.com/admit-dev/admit/internal/pages/admin"
	"github.com/admit-dev/admit/internal/pages/impersonation"
	"github.com/admit-dev/admit/internal/pages/organization"
	"github.com/admit-dev/admit/internal/pages/signin"
	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/web"
)

// Version is the version of this build; the release sets it.
var Version = "dev"

// Config is every setting. DefaultConfig gives the defaults, docs/config.md explains each.
type Config = config.Config

// DefaultConfig is what holds when nothing is set: SQLite in ./admit-data, no other needs.
func DefaultConfig() Config {
	var c Config
	config.Default(&c)
	return c
}

// ConfigFromEnv reads the environment and the .env file of the working directory. The error names every fault at once.
func ConfigFromEnv() (Config, error) {
	var c Config
	_, err := config.Load(&c, config.Surroundings())
	return c, err
}

// Option changes how New makes a Server.
type Option func(*app.Options)

// WithLogger has the server log to l instead of slog.Default.
func WithLogger(l *slog.Logger) Option { return func(o *app.Options) { o.Log = l } }

// WithClock has the server take the time from now instead of time.Now. Everything that expires goes by it.
func WithClock(now func() time.Time) Option { return func(o *app.Options) { o.Now = now } }

// WithPermissions has the server declare what the program asks about, at each start.
func WithPermissions(list ...Permission) Option {
	return func(o *app.Options) { o.Permissions = append(o.Permissions, list...) }
}

// Permission is something a program asks about by name, such as post_job.
type Permission = authz.Permission

// WithTerminal has each message of the development inbox printed to w in one line: to whom, about what, and its code and link.
func WithTerminal(w io.Writer) Option { return func(o *app.Options) { o.Terminal = w } }

// WithTracing makes a span for each request, and in it one for each statement. Without it there are none.
func WithTracing(p trace.TracerProvider) Option { return func(o *app.Options) { o.Tracing = p } }

// WithStrict has the server panic at a change that emits no event. Tests of Admit itself use it.
func WithStrict() Option { return func(o *app.Options) { o.Strict = true } }

// Server is the whole of Admit as an http.Handler. Close it when the program ends.
type Server struct {
	http.Handler
	mux   *http.ServeMux // of every part that is on
	edge  *web.Edge
	guard *web.Guard
	app   *app.App
	count func() *metrics.Metrics
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// New opens the store, brings its schema up to date and returns a server that is ready for requests. The error says what
// to change; ctx bounds the start only.
func New(ctx context.Context, cfg Config, options ...Option) (*Server, error) {
	opt := app.Options{}
	for _, o := range options {
		o(&opt)
	}
	cfg.Mail.Own = opt.Mailer != nil
	if err := config.Check(&cfg); err != nil {
		return nil, err
	}
	a, err := app.Open(ctx, cfg, opt)
	if err != nil {
		return nil, err
	}
	s := &Server{app: a}
	if err := s.start(ctx, opt.Tracing); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, tracing trace.TracerProvider) error {
	run, stop := context.WithCancel(context.Background())
	s.stop = stop
	if err := s.app.Ready(ctx); err != nil {
		return err
	}
	cfg := s.app.Config
	var err error
	if s.edge, err = web.NewEdge(cfg.Web, cfg.Production(), s.app.Log, s.app.DB.Now); err != nil {
		return err
	}
	if err := s.mount(); err != nil {
		return err
	}
	for _, p := range s.app.Social.Providers() {
		if p.FormPost {
			s.edge.Exempt(http.MethodPost, "/auth/"+p.Name+"/callback") // it leads to the GET, which holds whose browser it is
		}
	}
	s.count = sync.OnceValue(func() *metrics.Metrics {
		m := metrics.New(s.app, Version)
		s.edge.Observe(m.Observe)
		return m
	})
	s.Handler = s.edge.WrapServer(web.Routed(s.mux))
	if tracing != nil {
		s.Handler = web.Trace(tracing, s.Handler)
	}
	ready := make(chan struct{})
	s.done.Go(func() { s.app.Run(run, sync.OnceFunc(func() { close(ready) })) })
	select {
	case <-ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// mount serves every part that is on.
func (s *Server) mount() error {
	mux := http.NewServeMux()
	s.mux = mux
	cfg, cookies := s.app.Config, web.NewCookies(s.app.Config.Web)
	s.guard = web.NewGuard(cookies, s.app.Sessions, s.app.Authz, s.app.MFA, s.app.Acting, s.app.APIKeys, s.app.DB.Now)
	api.Mount(mux, s.app, cookies, s.guard, Version)
	if cfg.Parts.Serves(gateway.Path) {
		gateway.Mount(mux, s.app, s.guard)
		s.edge.Gateway(gateway.Path)
	}
	if cfg.Server.Docs {
		apidocs.Mount(mux, nil) // the API serves the document itself
	}
	if !cfg.Parts.On(part.Pages) {
		return nil
	}
	return mountPages(mux, s.app, cookies, s.guard)
}

// mountPages serves what people see.
func mountPages(mux *http.ServeMux, a *app.App, cookies *web.Cookies, guard *web.Guard) error {
	site, err := pages.New(a, cookies, guard)
	if err != nil {
		return err
	}
	site.Mount(mux)
	return errors.Join(signin.Mount(mux, site), account.Mount(mux, site), admin.Mount(mux, site), impersonation.Mount(mux, site),
		organization.Mount(mux, site))
}

// Metrics answers Prometheus with how this server does, counted since the first call. It asks nobody who they are: keep it out of the
// internet. admit serve has it on METRICS_ADDR.
func (s *Server) Metrics() http.Handler { return s.count().Handler() }

// Drain answers whoever waits for news. An http.Server is told to call it by its RegisterOnShutdown: Shutdown waits for them otherwise.
func (s *Server) Drain() { s.app.Revoked.Drain() }

// App is the parts below HTTP, for the programs of this module.
func (s *Server) App() *app.App { return s.app }

// Close ends what runs in the background and then the connections. Requests under way should have ended before.
func (s *Server) Close() error {
	if s.stop != nil {
		s.stop()
	}
	s.done.Wait()
	return s.app.Close()
}
