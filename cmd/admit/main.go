// Command admit is the whole of Admit in one program.
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
	"syscall"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/web"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "admit:", err)
		os.Exit(1)
	}
}

func serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
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
	// A thread that hashes holds one of Go's processors; without spares, requests would wait for it.
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + srv.App().Hasher.Stats().Workers)
	listener, err := net.Listen("tcp", cfg.Server.Addr)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "ready on", listener.Addr())
	s := web.Server(srv, log)
	drained := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		drained <- s.Shutdown(end)
	}()
	if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-drained // Serve returns when Shutdown begins; the store must stay open until it ends
}
