package admit_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/admit-dev/admit"
)

// A server with all its defaults, but for where it keeps its data.
func ExampleNew() {
	cfg := admit.DefaultConfig()
	cfg.Server.DataDir, _ = os.MkdirTemp("", "admit-data")
	defer os.RemoveAll(cfg.Server.DataDir)

	srv, err := admit.New(context.Background(), cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()

	app := httptest.NewServer(srv)
	defer app.Close()
	fmt.Println(get(http.DefaultClient, app.URL+"/health/live"))
	// Output: 200 {"status":"ok"}
}

// A route of the app's own, for people who are signed in.
func ExampleServer_RequireUser() {
	srv, done := open()
	defer done()

	mux := http.NewServeMux()
	mux.Handle("/", srv)
	mux.Handle("GET /jobs", srv.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "three jobs")
	})))
	app := httptest.NewServer(mux)
	defer app.Close()

	ann := browser()
	status, _, _ := strings.Cut(get(ann, app.URL+"/jobs"), " ")
	fmt.Println(status)
	signUp(ann, app.URL)
	fmt.Println(get(ann, app.URL+"/jobs"))
	// Output:
	// 401
	// 200 three jobs
}

// A route for what must not be done from a browser that somebody left open.
func ExampleServer_RequireFresh() {
	var passed atomic.Int64
	srv, done := open(admit.WithClock(func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }))
	defer done()

	mux := http.NewServeMux()
	mux.Handle("/", srv)
	mux.Handle("GET /payout", srv.RequireFresh(10*time.Minute)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "paid out")
	})))
	app := httptest.NewServer(mux)
	defer app.Close()

	ann := browser()
	signUp(ann, app.URL)
	fmt.Println(get(ann, app.URL+"/payout"))
	passed.Add(int64(time.Hour))
	status, _, _ := strings.Cut(get(ann, app.URL+"/payout"), " ")
	fmt.Println(status)
	answer, err := ann.Post(app.URL+"/auth/reauthenticate", "application/json", strings.NewReader(`{"password":"a quiet green lamp"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer.Body.Close()
	fmt.Println(get(ann, app.URL+"/payout"))
	// Output:
	// 200 paid out
	// 403
	// 200 paid out
}

// A route of an organization, for whoever has a permission in it.
func ExampleServer_RequirePermission() {
	srv, done := open(admit.WithPermissions(admit.Permission{Name: "post_job", Title: "Post a job"}))
	defer done()

	mux := http.NewServeMux()
	mux.Handle("/", srv)
	mux.Handle("GET /orgs/{org}/jobs", srv.RequirePermission("post_job", admit.OrgFromPath("org"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "posted")
	})))
	app := httptest.NewServer(mux)
	defer app.Close()

	ann := browser()
	signUp(ann, app.URL)
	status, _, _ := strings.Cut(get(ann, app.URL+"/orgs/acme/jobs"), " ")
	fmt.Println(status)
	answer, err := ann.Post(app.URL+"/api/v1/orgs", "application/json", strings.NewReader(`{"name":"Acme"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer.Body.Close()
	fmt.Println(get(ann, app.URL+"/orgs/acme/jobs"))
	// Output:
	// 403
	// 200 posted
}

// Who sent a request.
func ExampleUserFrom() {
	srv, done := open()
	defer done()

	mux := http.NewServeMux()
	mux.Handle("/", srv)
	mux.Handle("GET /hello", srv.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := admit.UserFrom(r.Context())
		fmt.Fprintln(w, "Hello,", u.Email, u.HasRole("super_admin"))
	})))
	app := httptest.NewServer(mux)
	defer app.Close()

	ann := browser()
	signUp(ann, app.URL)
	fmt.Println(get(ann, app.URL+"/hello"))
	// Output: 200 Hello, ann@example.com false
}

// Mails go through whatever the app sends its own with.
func ExampleWithMailer() {
	sent := make(chan admit.Mail, 10)
	srv, done := open(admit.WithMailer(func(_ context.Context, m admit.Mail) error {
		sent <- m // instead: the client of a mail service
		return nil
	}))
	defer done()
	app := httptest.NewServer(srv)
	defer app.Close()

	signUp(browser(), app.URL)
	m := <-sent
	fmt.Println(m.To, strings.Contains(m.Text, "/verify?token="))
	// Output: ann@example.com true
}

// A route for those who run the site.
func ExampleServer_RequireGlobalRole() {
	srv, done := open()
	defer done()

	mux := http.NewServeMux()
	mux.Handle("/", srv)
	mux.Handle("GET /numbers", srv.RequireGlobalRole("super_admin")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "42")
	})))
	app := httptest.NewServer(mux)
	defer app.Close()

	ann := browser()
	signUp(ann, app.URL)
	status, _, _ := strings.Cut(get(ann, app.URL+"/numbers"), " ")
	fmt.Println(status)
	// Output: 403
}

func open(options ...admit.Option) (srv *admit.Server, done func()) {
	cfg := admit.DefaultConfig()
	dir, err := os.MkdirTemp("", "admit-data")
	if err != nil {
		panic(err)
	}
	cfg.Server.DataDir = dir
	if srv, err = admit.New(context.Background(), cfg, options...); err != nil {
		panic(err)
	}
	return srv, func() {
		_ = srv.Close()
		_ = os.RemoveAll(dir)
	}
}

func browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err)
	}
	return &http.Client{Jar: jar}
}

func signUp(c *http.Client, url string) {
	r, err := c.Post(url+"/auth/signup", "application/json", strings.NewReader(`{"email":"ann@example.com","password":"a quiet green lamp"}`))
	if err != nil {
		panic(err)
	}
	_ = r.Body.Close()
}

func get(c *http.Client, url string) string {
	r, err := c.Get(url)
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(r.StatusCode, " ", strings.TrimSpace(string(text)))
}
