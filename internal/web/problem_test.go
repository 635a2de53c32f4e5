package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

func TestStatusOfEveryKind(t *testing.T) {
	for kind, want := range map[apperr.Kind]int{
		apperr.Malformed: 400, apperr.Invalid: 422, apperr.Unauthenticated: 401, apperr.Forbidden: 403, apperr.NotFound: 404,
		apperr.Conflict: 409, apperr.Stale: 412, apperr.TooLarge: 413, apperr.Unsupported: 415, apperr.TooMany: 429,
		apperr.Unavailable: 503, apperr.Internal: 500, "one that nobody knows": 500,
	} {
		if got := Status(kind); got != want {
			t.Errorf("Status(%s) = %d, want %d", kind, got, want)
		}
	}
}

// Every refusal any package declares has a status and a title of its own kind.
func TestEveryDeclaredRefusalCanBeAnswered(t *testing.T) {
	for _, e := range apperr.All() {
		p := NewProblem(context.Background(), e)
		if e.Kind != apperr.Internal && (p.Status >= 500) != (e.Kind == apperr.Unavailable) {
			t.Errorf("%s is answered %d", e.Code, p.Status)
		}
		if p.Title == "" || p.Detail == "" || p.Code != e.Code {
			t.Errorf("%s: %+v", e.Code, p)
		}
	}
}

func TestProblemHeaders(t *testing.T) {
	limited := apperr.Error{Kind: apperr.TooMany, Code: "x", Message: "Wait."}
	ill := apperr.Error{Kind: apperr.Unavailable, Code: "x", Message: "Ill."}
	signIn := apperr.Error{Kind: apperr.Unauthenticated, Code: "x", Message: "Sign in."}
	for _, c := range []struct {
		name, auth  string
		err         error
		header, out string
	}{
		{"401 without a token", "", &signIn, "WWW-Authenticate", `Bearer realm="admit"`},
		{"401 with a token", "bearer abc", &signIn, "WWW-Authenticate", `Bearer realm="admit", error="invalid_token"`},
		{"401 with basic", "Basic abc", &signIn, "WWW-Authenticate", `Bearer realm="admit"`},
		{"403 has no challenge", "", ErrCrossOrigin, "WWW-Authenticate", ""},
		{"429 rounds up", "", limited.Wait(1500 * time.Millisecond), "Retry-After", "2"},
		{"429 is at least a second", "", limited.Wait(time.Nanosecond), "Retry-After", "1"},
		{"429 without a time", "", &limited, "Retry-After", "1"},
		{"503 without a time", "", &ill, "Retry-After", "5"},
		{"503 with a time", "", ill.Wait(time.Minute), "Retry-After", "60"},
		{"404 has none", "", ErrNoRoute, "Retry-After", ""},
		{"nothing is kept by a cache", "", ErrNoRoute, "Cache-Control", "no-store"},
	} {
		r := request("GET", "/")
		if c.auth != "" {
			r.Header.Set("Authorization", c.auth)
		}
		w := httptest.NewRecorder()
		w.Header().Set("ETag", `"page"`)
		w.Header().Set("Content-Encoding", "gzip")
		WriteError(w, r, c.err)
		problemOf(t, w)
		if got := w.Header().Get(c.header); got != c.out {
			t.Errorf("%s: %s is %q, want %q", c.name, c.header, got, c.out)
		}
		if w.Header().Get("ETag")+w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: the headers of the answer that was replaced are still there", c.name)
		}
		if w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
			t.Errorf("%s: wrong length", c.name)
		}
	}
}

// "Everything else is internal, logged once with the request id", and never shown.
func TestAnInternalErrorIsLoggedOnceAndNotShown(t *testing.T) {
	e, j := testEdge(t, testConfig())
	h := e.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		WriteError(w, r, fmt.Errorf("read row: %w", errors.New("pq: password of hunter2")))
	}))
	w := serve(h, request("GET", "/x", "X-Request-Id", "rid-1"))
	p := problemOf(t, w)
	if p.Status != 500 || p.Code != "internal" || p.RequestID != "rid-1" || strings.Contains(w.Body.String(), "hunter2") {
		t.Fatalf("%s", w.Body)
	}
	told := 0
	for _, line := range j.lines(t) {
		if strings.Contains(fmt.Sprint(line["error"]), "hunter2") {
			told++
			if line["request_id"] != "rid-1" || line["level"] != "ERROR" {
				t.Errorf("%v", line)
			}
		}
	}
	if told != 1 {
		t.Fatalf("logged %d times:\n%s", told, j)
	}
}

// A dependency that is ill is 503 and told to the operator, whatever wraps it; a deadline that passed counts as one.
func TestUnavailable(t *testing.T) {
	e, j := testEdge(t, testConfig())
	h := e.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		WriteError(w, r, fmt.Errorf("ask the database: %w", context.DeadlineExceeded))
	}))
	if w := serve(h, request("GET", "/")); w.Code != 503 || problemOf(t, w).Code != "timeout" {
		t.Fatal(w.Code)
	}
	if !strings.Contains(j.String(), `"level":"WARN"`) || !strings.Contains(j.String(), "ask the database") {
		t.Fatal(j)
	}
}

func TestFieldsOnlyWhenThereAreSome(t *testing.T) {
	w := httptest.NewRecorder()
	WriteError(w, request("POST", "/"), apperr.ErrInvalid.In("email"))
	p := problemOf(t, w)
	if len(p.Errors) != 1 || p.Errors[0].Field != "email" || p.Errors[0].Message == "" {
		t.Fatalf("%+v", p)
	}
	w = httptest.NewRecorder()
	WriteError(w, request("POST", "/"), ErrNoRoute)
	var m map[string]any
	json.Unmarshal(w.Body.Bytes(), &m)
	if _, there := m["errors"]; there {
		t.Fatal("errors without a field")
	}
}

func TestBodyError(t *testing.T) {
	_, err := io.ReadAll(http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("123")), 2))
	if !errors.Is(BodyError(fmt.Errorf("decode: %w", err)), ErrTooLarge) {
		t.Error("a body over the limit is something else")
	}
	if BodyError(io.ErrUnexpectedEOF) != io.ErrUnexpectedEOF || BodyError(nil) != nil {
		t.Error("another error was changed")
	}
	if p := NewProblem(context.Background(), err); p.Status != 413 {
		t.Errorf("%+v", p)
	}
}

// Once an answer has begun, an error must not be written into the middle of it.
func TestAnErrorAfterTheAnswerHasBegun(t *testing.T) {
	e, j := testEdge(t, testConfig())
	w := serve(e.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("half"))
		WriteError(w, r, errors.New("boom"))
	})), request("GET", "/"))
	if w.Body.String() != "half" || !strings.Contains(j.String(), "boom") {
		t.Fatalf("%q %s", w.Body, j)
	}
}

func TestProblemWithoutAnEdgeLogsToTheDefault(t *testing.T) {
	var buf bytes.Buffer
	old := slog.Default()
	defer slog.SetDefault(old)
	slog.SetDefault(slog.New(slog.NewJSONHandler(&buf, nil)))
	p := NewProblem(context.Background(), errors.New("boom"))
	if !strings.Contains(buf.String(), "boom") || p.Error() == "" || p.GetStatus() != 500 || p.GetHeaders().Get("Cache-Control") != "" { // the edge says it
		t.Fatal(buf.String(), p)
	}
}
