package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/sandbox"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/web"
)

// serveCmd runs the server.
type serveCmd struct {
	Host *string `help:"Address to listen on, instead of the one in ADDR." placeholder:"HOST"`
	Port *uint16 `help:"Port to listen on, instead of the one in ADDR. 0 takes a free one." placeholder:"PORT"`
	Test bool    `help:"Serve for the tests of another program: nothing is kept, .env is not read, and /test has a clock to move, seeds, snapshots and a reset."`
	Seed string  `help:"With --test: fill it with the people, organizations and roles of a JSON file." placeholder:"FILE"`

	Program []string `arg:"" optional:"" passthrough:"partial" help:"A program to run beside it, after --. It finds the server in ADMIT_URL; when it ends, so does the server."`
}

// Help is the example of the help page.
func (serveCmd) Help() string {
	return "Everything else is a setting: see admit config list.\n\nExamples:\n\n\tadmit serve --port 9000\n\tadmit serve -- uvicorn main:app --reload --port 3000\n" +
		"\tadmit serve --test --seed seed.json --port 0 -- npm test"
}

// patience is how long requests under way may go on after the server was told to stop.
const patience = 10 * time.Second

// Run serves until it is told to stop.
func (s *serveCmd) Run(p *cli.Program) error {
	began := time.Now()
	program, err := findBeside(s.Program)
	if err != nil {
		return err
	}
	cfg, report, log, err := s.settings(p)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(p.Ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := listen(ctx, "ADDR", cfg.Server.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	cli.Follow(&cfg, report, port) // --port 0 knows its port only now
	srv, flush, err := s.begin(p, ctx, cfg, report, log)
	if ctx.Err() != nil && err != nil {
		return cli.Refuse(cli.ExitFailed, "Stopped before it was ready.")
	}
	if err != nil {
		return err
	}
	defer flush()
	defer lend(srv.App().Hasher)()
	quiet, err := answerPrometheus(ctx, cfg.Server.MetricsAddr, srv, log)
	if err != nil {
		return errors.Join(err, srv.Close())
	}
	defer quiet()
	answering := web.Server(srv, log)
	answering.RegisterOnShutdown(srv.Drain)
	served := make(chan error, 1)
	go func() {
		if cfg.Server.TLSCert != "" {
			served <- answering.ServeTLS(listener, cfg.Server.TLSCert, cfg.Server.TLSKey) // TLS 1.2 and later, as Go has it
			return
		}
		served <- answering.Serve(listener)
	}()
	if err := greet(p, ctx, srv.App(), log, s.whereabouts(cfg), time.Since(began)); err != nil && ctx.Err() == nil {
		return errors.Join(err, answering.Close(), srv.Close())
	}
	beside := runBeside(ctx, p, program, cfg.Web.Base())
	select {
	case err = <-served:
	case ended := <-beside:
		err = errors.Join(ended, drain(answering, log))
	case <-ctx.Done():
		stop() // a second signal ends the program at once
		if program != nil {
			<-beside // it may have something to ask to the last
		}
		err = drain(answering, log)
	}
	return errors.Join(err, srv.Close())
}

// settings reads them, and warns of what is doubtful.
func (s *serveCmd) settings(p *cli.Program) (config.Config, *config.Report, *slog.Logger, error) {
	if s.Test {
		p.EnvFile = "" // it is of a server that is real
	}
	cfg, report, err := p.Load(s.overrides())
	if err != nil {
		return cfg, nil, nil, err
	}
	log := serverLog(p, cfg)
	for _, f := range report.Warnings {
		if asJSON(cfg) {
			log.Warn(f.String())
		} else {
			fmt.Fprintln(p.Stderr, "admit: warning: "+f.String())
		}
	}
	return cfg, report, log, nil
}

// server is what a command serves: a server, or one for tests.
type server interface {
	http.Handler
	App() *app.App
	Metrics() http.Handler
	Drain()
	Close() error
}

// begin starts it. After its end, flush sends what it has not told yet.
func (s *serveCmd) begin(p *cli.Program, ctx context.Context, cfg config.Config, report *config.Report, log *slog.Logger) (srv server, flush func(), err error) {
	tracing, flush, err := traced(ctx, cfg.Tracing, log)
	if err != nil {
		return nil, nil, err
	}
	options := []admit.Option{admit.WithLogger(log), tracing}
	if !p.Quiet {
		options = append(options, admit.WithTerminal(p.Stderr))
	}
	if !s.Test && s.Seed != "" {
		return nil, nil, cli.Refuse(cli.ExitUsage, "--seed fills a server that is for tests: give it with --test.")
	}
	if !s.Test {
		srv, err = admit.New(ctx, cfg, options...)
		return srv, flush, err
	}
	if err := throwaway(&cfg, report, s.Host != nil); err != nil {
		return nil, nil, err
	}
	seed, err := readSeed(s.Seed)
	if err != nil {
		return nil, nil, err
	}
	if srv, err = sandbox.New(ctx, cfg, seed, options...); err != nil && s.Seed != "" {
		code, text := cli.Judge(err)
		err = cli.Refuse(code, "%s: %s", s.Seed, text)
	}
	return srv, flush, err
}

// answerPrometheus serves /metrics on an address of its own until what it returns is called.
func answerPrometheus(ctx context.Context, addr string, srv server, log *slog.Logger) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	l, err := listen(ctx, "METRICS_ADDR", addr)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", srv.Metrics())
	server := web.Server(mux, log)
	go func() { _ = server.Serve(l) }()
	return func() { _ = server.Close() }, nil
}

// lend gives the threads that hash processors of Go's for as long as they work, so that requests never wait for them. What it
// returns takes them back.
func lend(h *secret.Hasher) (back func()) {
	own := runtime.GOMAXPROCS(0)
	workers := h.Stats().Workers
	h.OnBusy(func(busy bool) {
		n := own
		if busy {
			n += workers
		}
		runtime.GOMAXPROCS(n)
	})
	return func() { runtime.GOMAXPROCS(own) }
}

// drain accepts no more requests and lets those under way finish.
func drain(server *http.Server, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("requests were still under way and have been cut off", "after", patience)
		return server.Close()
	}
	return err
}

// overrides has both flags change their half of ADDR.
func (s *serveCmd) overrides() map[string]config.Override {
	var names []string
	if s.Host != nil {
		names = append(names, "--host")
	}
	if s.Port != nil {
		names = append(names, "--port")
	}
	if names == nil {
		return nil
	}
	return map[string]config.Override{"ADDR": {From: "flag " + strings.Join(names, " "), Edit: func(below string) string {
		host, port, err := net.SplitHostPort(below)
		if err != nil && len(names) < 2 {
			return below // the fault in it is told
		}
		if s.Host != nil {
			host = strings.Trim(*s.Host, "[]")
		}
		if s.Port != nil {
			port = strconv.Itoa(int(*s.Port))
		}
		return net.JoinHostPort(host, port)
	}}}
}

// inUseOnWindows is WSAEADDRINUSE, which Go does not take for EADDRINUSE.
const inUseOnWindows = syscall.Errno(10048)

func listen(ctx context.Context, setting, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE), errors.Is(err, inUseOnWindows):
		return nil, cli.Refuse(cli.ExitFailed, "%s %s is taken by another program, perhaps another admit serve. Stop it, or choose another port%s.", setting, addr, otherwise(setting))
	}
	why := err
	if op, ok := errors.AsType[*net.OpError](err); ok {
		why = op.Err
	}
	return nil, cli.Refuse(cli.ExitFailed, "%s %s cannot be listened on: %s. Choose another%s.", setting, addr, why, otherwise(setting))
}

// otherwise is how to choose another address.
func otherwise(setting string) string {
	if setting == "ADDR" {
		return " with --host, --port or ADDR"
	}
	return " with " + setting
}

func asJSON(cfg config.Config) bool {
	return cfg.Server.LogFormat == "json" || cfg.Server.LogFormat != "text" && cfg.Production()
}

func serverLog(p *cli.Program, cfg config.Config) *slog.Logger {
	level := slog.LevelWarn
	switch {
	case cfg.Server.Debug:
		level = slog.LevelDebug
	case cfg.Production():
		level = slog.LevelInfo
	}
	return p.Log(level, asJSON(cfg))
}

// greet says that the server is ready and what to do with it. It is the last thing that is printed.
func greet(p *cli.Program, ctx context.Context, a *app.App, log *slog.Logger, data string, took time.Duration) error {
	base, start := a.Config.Web.Base(), ""
	nobody, err := a.Owner.Missing(ctx)
	if err != nil {
		return err
	}
	if nobody {
		key, err := a.Owner.Link(ctx)
		if err != nil {
			return err
		}
		start = startLine(base, key)
	}
	if a.Config.Production() {
		log.Info("ready", "version", version, "base_url", base, "addr", a.Config.Server.Addr, "database", a.DB.Engine(), "seconds", took.Seconds())
		fmt.Fprint(p.Stderr, start)
		return nil
	}
	if p.Quiet {
		fmt.Fprint(p.Stderr, start)
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  Ready in %.2f s. Data is in %s.\n\n%s", took.Seconds(), data, start)
	if a.Notify.Sender(notify.Email) == nil {
		fmt.Fprintf(&b, "  Inbox        %s/dev/inbox     mail and texts stop here\n", base)
	}
	if a.Config.Server.Docs {
		fmt.Fprintf(&b, "  API docs     %s/docs\n", base)
	}
	fmt.Fprint(&b, "  Next         admit user list · admit doctor\n")
	_, err = fmt.Fprint(p.Stderr, b.String())
	return err
}

func startLine(base, key string) string {
	return fmt.Sprintf("  Start here   %s     makes you the owner · works once · 30 min\n", startLink(base, key))
}

// startLink carries the key in the fragment, which browsers send to nobody.
func startLink(base, key string) string { return base + "/start#k=" + key }

func (s *serveCmd) whereabouts(cfg config.Config) string {
	switch file := cfg.Database.File(); {
	case s.Test:
		return "no place that stays: this is for tests, see docs/testing.md"
	case cfg.Database.URL == "":
		return cfg.Server.DataDir + " (SQLite)"
	case file != "":
		return file + " (SQLite)"
	}
	return "PostgreSQL"
}
