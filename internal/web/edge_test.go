package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

func testMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ok", ok)
	mux.HandleFunc("GET /item/{id}", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no such item", 404) })
	mux.HandleFunc("POST /read", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			WriteError(w, r, err)
		}
	})
	mux.HandleFunc("GET /error", func(w http.ResponseWriter, r *http.Request) { WriteError(w, r, errors.New("boom")) })
	mux.HandleFunc("GET /panic", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session_id", Value: "half-done"})
		panic("boom")
	})
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("half")); panic("late") })
	mux.HandleFunc("GET /abort", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		w.Header().Set("Cache-Control", "max-age=60")
		w.Write([]byte("<html>"))
	})
	mux.Handle("GET /limited", Limit(nil, perMinute(1), ByIP)(http.HandlerFunc(ok)))
	return mux
}

// HDR-01: every answer of every status carries the headers, also those the mux and the edge give by themselves.
func TestSecurityHeadersOnEveryAnswer(t *testing.T) {
	e, _ := testEdge(t, testConfig())
	h := e.Wrap(testMux())
	big := request("POST", "/read")
	big.ContentLength = 2 << 20
	badPath := request("GET", "/")
	badPath.URL.Path = "/a\x00"
	for want, r := range map[int]*http.Request{
		200: request("GET", "/ok"), 400: badPath, 403: request("POST", "/read", "Origin", "null"), 404: request("GET", "/nowhere"),
		405: request("DELETE", "/ok"), 413: big, 500: request("GET", "/error"),
	} {
		w := serve(h, r)
		if w.Code != want {
			t.Fatalf("%s %s: %d, want %d", r.Method, r.URL.Path, w.Code, want)
		}
		checkHeaders(t, fmt.Sprint(want), w.Header())
	}
	checkHeaders(t, "a panic", serve(h, request("GET", "/panic")).Header())
}

func checkHeaders(t *testing.T, name string, h http.Header) {
	t.Helper()
	for key, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store",
		"Strict-Transport-Security": "max-age=31536000; includeSubDomains",
	} {
		if got := h.Get(key); got != want || len(h.Values(key)) != 1 {
			t.Errorf("%s: %s is %q", name, key, h.Values(key))
		}
	}
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"} {
		if !strings.Contains(h.Get("Content-Security-Policy"), part) {
			t.Errorf("%s: no %s in %q", name, part, h.Get("Content-Security-Policy"))
		}
	}
	if h.Get("X-Request-Id") == "" || h.Get("Permissions-Policy") == "" || h.Get("Server") != "" {
		t.Errorf("%s: %v", name, h)
	}
}

func TestAPageReplacesItsHeadersForItselfOnly(t *testing.T) {
	cfg := testConfig()
	cfg.BaseURL = "http://localhost:8000"
	e, _ := testEdge(t, cfg)
	h := e.Wrap(testMux())
	page := serve(h, request("GET", "/page")).Header()
	if page.Get("Content-Security-Policy") != "default-src 'self'" || page.Get("Cache-Control") != "max-age=60" {
		t.Errorf("%v", page)
	}
	next := serve(h, request("GET", "/ok")).Header()
	if next.Get("Content-Security-Policy") != contentSecurityPolicy || next.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", next)
	}
	if next.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS over http")
	}
	next.Add("X-Frame-Options", "changed")
	if got := serve(h, request("GET", "/ok")).Header()["X-Frame-Options"]; len(got) != 1 || got[0] != "DENY" {
		t.Errorf("an added value is in the next answer: %q", got)
	}
}

// ADM-03 and the contract: what the mux refuses is a problem too, and Allow is kept; a handler's own text is left alone.
func TestRefusalsOfTheMuxAreProblems(t *testing.T) {
	e, _ := testEdge(t, testConfig())
	h := e.Wrap(testMux())
	for _, path := range []string{"/nowhere", "/debug/pprof", "/metrics", "/.git/config", "/env"} {
		if w := serve(h, request("GET", path)); problemOf(t, w).Code != "route_not_found" || w.Code != 404 {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	w := serve(h, request("DELETE", "/ok"))
	if problemOf(t, w).Code != "method_not_allowed" || w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("%d %q %s", w.Code, w.Header().Get("Allow"), w.Body)
	}
	for _, method := range []string{"TRACE", "CONNECT"} {
		if w := serve(h, request(method, "/ok")); problemOf(t, w).Status != 405 || w.Header().Get("Allow") == "" {
			t.Errorf("%s: %s", method, w.Body)
		}
	}
	if w := serve(h, request("GET", "/item/7")); w.Body.String() != "no such item\n" {
		t.Errorf("the answer of a handler was replaced: %s", w.Body)
	}
	if w := serve(h, request("GET", "//ok")); w.Code != 307 && w.Code != 301 {
		t.Errorf("the mux no longer cleans paths: %d", w.Code)
	}
}

func TestPathsThatNoAddressHas(t *testing.T) {
	e, _ := testEdge(t, testConfig())
	h := e.Wrap(testMux())
	for _, target := range []string{"/a%00b", "/a%ffb", "/%c3%28", "/a%0d%0ab", "/a%1b", "/%7f"} {
		w := serve(h, request("GET", target))
		if p := problemOf(t, w); w.Code != 400 || p.Code != "invalid_path" {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	if w := serve(h, request("GET", "/item/%C3%A9")); w.Body.String() != "no such item\n" {
		t.Errorf("UTF-8 in a path: %d", w.Code)
	}
}

// Rule 8: a body over the limit is refused before it is read when its length is known, and while it is read when not.
func TestBodyLimit(t *testing.T) {
	cfg := testConfig()
	cfg.MaxBodyKiB = 1
	e, _ := testEdge(t, cfg)
	s := httptest.NewServer(e.Wrap(testMux()))
	defer s.Close()
	for _, c := range []struct {
		name string
		body io.Reader
		want int
	}{
		{"exactly the limit", strings.NewReader(strings.Repeat("a", 1024)), 200},
		{"one more, announced", strings.NewReader(strings.Repeat("a", 1025)), 413},
		{"one more, chunked", io.MultiReader(strings.NewReader(strings.Repeat("a", 1025))), 413},
	} {
		res, err := http.Post(s.URL+"/read", "text/plain", c.body)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != c.want || c.want == 413 && !strings.Contains(string(body), "body_too_large") {
			t.Errorf("%s: %d %s", c.name, res.StatusCode, body)
		}
	}
}

func TestAPanicIsAProblemAndLoggedWithItsStack(t *testing.T) {
	e, j := testEdge(t, testConfig())
	w := serve(e.Wrap(testMux()), request("GET", "/panic", "X-Request-Id", "rid-7"))
	if p := problemOf(t, w); p.Status != 500 || p.RequestID != "rid-7" || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("%s", w.Body)
	}
	if w.Header().Get("Set-Cookie") != "" {
		t.Error("the session of a request that failed went out")
	}
	log := j.String()
	if strings.Count(log, "panic: boom") != 1 || !strings.Contains(log, "edge_test.go") || !strings.Contains(log, "rid-7") {
		t.Error(log)
	}
}

// Half an answer must not look like a whole one, and an aborted one stays aborted.
func TestAPanicAfterTheAnswerHasBegunBreaksTheConnection(t *testing.T) {
	e, _ := testEdge(t, testConfig())
	h := e.Wrap(testMux())
	for _, path := range []string{"/late", "/abort"} {
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler {
					t.Errorf("%s: %v", path, v)
				}
			}()
			serve(h, request("GET", path))
		}()
	}
}

// AUD-02, SES-09: one line per request, valid JSON, with the pattern; never a path, query, cookie or body.
func TestAccessLog(t *testing.T) {
	e, j := testEdge(t, testConfig())
	h := e.Wrap(testMux())
	r := request("GET", "/item/SECRET-path?token=SECRET-query", "Cookie", "session_id=SECRET-cookie", "Authorization", "Bearer SECRET", "X-Request-Id", "rid",
		"User-Agent", "SECRET\r\n{\"level\":\"x\"}")
	r.RemoteAddr = "192.0.2.7:999"
	serve(h, r)
	serve(h, request("GET", "/error"))
	if strings.Contains(j.String(), "SECRET") {
		t.Fatal(j)
	}
	lines := j.lines(t)
	first := lines[0]
	for key, want := range map[string]any{"msg": "request", "level": "DEBUG", "method": "GET", "route": "GET /item/{id}", "status": 404.0,
		"bytes": 13.0, "ip": "192.0.2.7", "request_id": "rid"} {
		if first[key] != want {
			t.Errorf("%s is %v, want %v", key, first[key], want)
		}
	}
	if last := lines[len(lines)-1]; last["status"] != 500.0 || last["level"] != "ERROR" {
		t.Errorf("%v", last)
	}
	for gone, level := range map[bool]string{true: "DEBUG", false: "ERROR"} { // a client that has gone away is no fault of the server
		ctx, leave := context.WithCancel(t.Context())
		h := e.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if gone {
				leave()
			}
			WriteError(w, r, context.Canceled)
		}))
		serve(h, request("GET", "/waiting").WithContext(ctx))
		leave()
		lines = j.lines(t)
		if last := lines[len(lines)-1]; last["status"] != 503.0 || last["level"] != level {
			t.Errorf("gone away %v: %v", gone, last)
		}
	}
}

func TestThePatternIsKnownThroughMiddleware(t *testing.T) {
	e, j := testEdge(t, testConfig())
	mux := Routed(testMux())
	h := e.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), t, 1)))
	}))
	if w := serve(h, request("GET", "/item/7")); w.Body.String() != "no such item\n" || !strings.Contains(j.String(), `"route":"GET /item/{id}"`) {
		t.Errorf("%s %s", w.Body, j)
	}
}

func TestProductionLogsRequestsAtInfo(t *testing.T) {
	j := new(journal)
	for production, want := range map[bool]int{true: 1, false: 0} {
		*j = journal{}
		e, err := NewEdge(testConfig(), production, slog.New(slog.NewJSONHandler(j, nil)), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		serve(e.Wrap(testMux()), request("GET", "/ok"))
		if got := len(j.lines(t)); got != want {
			t.Errorf("production %v: %d lines", production, got)
		}
	}
}

// HDR-02: the origin every event is stamped with comes from the peer, and the context keeps what was in it.
func TestOriginRidesInTheContext(t *testing.T) {
	e, _ := testEdge(t, testConfig())
	var o database.Origin
	type key struct{}
	h := e.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		database.OriginOf(r.Context()).Actor = "usr_1"
		o = *database.OriginOf(r.Context())
		if r.Context().Value(key{}) != "kept" {
			t.Error("a value of the context was lost")
		}
	}))
	r := request("GET", "/", "X-Forwarded-For", "6.6.6.6", "X-Forwarded-Host", "evil.test", "User-Agent", "UA", "X-Request-Id", "rid")
	r.RemoteAddr = "192.0.2.7:1"
	serve(h, r.WithContext(context.WithValue(r.Context(), key{}, "kept")))
	if o != (database.Origin{Actor: "usr_1", IP: "192.0.2.7", UserAgent: "UA", RequestID: "rid"}) {
		t.Fatalf("%+v", o)
	}
}

func TestAWrongConfigurationMakesNoEdge(t *testing.T) {
	if _, err := NewEdge(Config{BaseURL: "nowhere"}, false, slog.Default(), time.Now); err == nil {
		t.Fatal("made")
	}
}
