package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/client"
)

// A service beside an Admit server: who asks is read from their access token, and what they may do is asked of the server.
func Example() {
	issuer, done := serve()
	defer done()
	c, err := client.New(issuer, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	if err := c.Ready(context.Background()); err != nil {
		fmt.Println(err)
		return
	}

	mux := http.NewServeMux()
	mux.Handle("GET /hello", c.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Hello,", client.UserFrom(r.Context()).HasRole("super_admin"))
	})))
	mux.Handle("GET /orgs/{org}/jobs", c.RequirePermission("post_job", client.OrgFromPath("org"))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "posted")
	})))
	app := httptest.NewServer(mux)
	defer app.Close()

	fmt.Println(ask(http.MethodGet, app.URL+"/hello", "", ""))
	var ann struct {
		Token string `json:"access_token"`
	}
	_, text, _ := strings.Cut(ask(http.MethodPost, issuer+"/auth/signup?transport=token", "", `{"email":"ann@example.com","password":"a quiet green lamp"}`), " ")
	if err := json.Unmarshal([]byte(text), &ann); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(http.MethodGet, app.URL+"/hello", ann.Token, ""))
	fmt.Println(ask(http.MethodGet, app.URL+"/orgs/acme/jobs", ann.Token, "")[:3])
	ask(http.MethodPost, issuer+"/api/v1/orgs", ann.Token, `{"name":"Acme"}`)
	_, text, _ = strings.Cut(ask(http.MethodPost, issuer+"/auth/login?transport=token", "", `{"email":"ann@example.com","password":"a quiet green lamp"}`), " ") // the other token is of before
	if err := json.Unmarshal([]byte(text), &ann); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(http.MethodGet, app.URL+"/orgs/acme/jobs", ann.Token, ""))
	// Output:
	// 401
	// 200 Hello, false
	// 403
	// 200 posted
}

// serve runs the server that is elsewhere.
func serve() (issuer string, done func()) {
	cfg := admit.DefaultConfig()
	dir, err := os.MkdirTemp("", "admit-data")
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	cfg.Server.DataDir = dir
	cfg.Web.BaseURL = fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	srv, err := admit.New(context.Background(), cfg, admit.WithPermissions(admit.Permission{Name: "post_job"}), admit.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		panic(err)
	}
	at := httptest.NewUnstartedServer(srv)
	_ = at.Listener.Close()
	at.Listener = l
	at.Start()
	return cfg.Web.BaseURL, func() {
		srv.Drain()
		at.Close()
		_ = srv.Close()
		_ = os.RemoveAll(dir)
	}
}

// ask sends a request: the status, and what was said where that is none of refusal.
func ask(method, to, token, body string) string {
	r, err := http.NewRequest(method, to, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		panic(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		text = nil
	}
	return strings.TrimSpace(fmt.Sprintln(resp.StatusCode, string(text)))
}
