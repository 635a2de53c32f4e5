package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	_ "net/http/pprof" // on a port of its own
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/web"
)

// serve is what cmd/admit does, and can be asked where its time and memory go.
func serve(ctx context.Context, _ []string) error {
	cfg, err := admit.ConfigFromEnv()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	srv, err := admit.New(ctx, cfg, admit.WithLogger(log))
	if err != nil {
		return err
	}
	defer srv.Close()
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + srv.App().Hasher.Stats().Workers)
	go func() { fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Getenv("PPROF_ADDR"), nil)) }()
	s := web.Server(srv, log)
	s.Addr = cfg.Server.Addr
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// profile keeps a CPU profile of a server under the load of f.
func (b *bench) profile(name string, server *child, f fleet) error {
	if b.profiles == "" {
		return nil
	}
	seconds := max(2, int(b.sample.Seconds()))
	done := make(chan error, 1)
	go func() { done <- b.keep(server, fmt.Sprintf("profile?seconds=%d", seconds), name+".cpu") }()
	if _, err := f.run(b.ctx, time.Duration(seconds+1)*time.Second); err != nil {
		return err
	}
	return errors.Join(<-done, b.keep(server, "allocs", name+".allocs"))
}

func (b *bench) keep(server *child, what, name string) error {
	text, err := server.pprof(b.ctx, what)
	if err != nil {
		return err
	}
	name = strings.NewReplacer(" ", "-", "/", "-", ",", "").Replace(name)
	return os.WriteFile(filepath.Join(b.profiles, name), text, 0o644)
}

func (c *child) pprof(ctx context.Context, what string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+c.pprofAddr+"/debug/pprof/"+what, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

// heap is what is alive on the heap, in bytes.
func (c *child) heap(ctx context.Context) (float64, error) {
	text, err := c.pprof(ctx, "heap?gc=1&debug=1")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "\n# HeapAlloc = ")
	value, _, _ := strings.Cut(rest, "\n")
	return strconv.ParseFloat(value, 64)
}

func (b *bench) keepHeap(server *child) error {
	if b.profiles == "" {
		return nil
	}
	return b.keep(server, "heap?gc=1", "sessions.heap")
}
