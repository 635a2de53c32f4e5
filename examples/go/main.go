// Command go is an app with accounts: Admit runs inside it, beside two routes of its own.
//
//	go run ./examples/go
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/admit-dev/admit"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// app puts the routes of the app beside those of Admit.
func app(auth *admit.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", auth) // /auth/…, /api/v1/…, /start, /docs
	mux.Handle("GET /hello", auth.RequireUser(http.HandlerFunc(hello)))
	mux.Handle("POST /orgs/{org}/jobs", auth.RequirePermission("post_job", admit.OrgFromPath("org"))(http.HandlerFunc(postJob)))
	mux.Handle("GET /numbers", auth.RequireGlobalRole("super_admin")(http.HandlerFunc(numbers)))
	return mux
}

// permissions is what the app asks about. Organizations make roles of them.
var permissions = []admit.Permission{{Name: "post_job", Title: "Post a job"}}

func hello(w http.ResponseWriter, r *http.Request) {
	u := admit.UserFrom(r.Context())
	fmt.Fprintf(w, "Hello, %s. You are %s.\n", u.Email, u.ID)
}

func postJob(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s posted a job in %s.\n", admit.UserFrom(r.Context()).Email, r.PathValue("org"))
}

func numbers(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "Only an owner sees this.")
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cfg, err := admit.ConfigFromEnv()
	if err != nil {
		return err
	}
	auth, err := admit.New(ctx, cfg, admit.WithPermissions(permissions...))
	if err != nil {
		return err
	}
	defer auth.Close()
	server := &http.Server{Addr: cfg.Server.Addr, Handler: app(auth), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(end)
	})
	fmt.Println("http://" + cfg.Server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
