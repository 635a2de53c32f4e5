package main

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/admit-dev/admit/internal/testkit"
)

// What a request did is told to a collector: its pattern and its statements, as a part of the trace that the client names, and nothing of what
// was typed. A collector that is away holds nothing up.
func TestTraces(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []*spans.Span
	var raw []byte
	var header string
	to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var in collector.ExportTraceServiceRequest
		if r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &in) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		raw, header = append(raw, body...), r.Header.Get("X-Key")
		for _, of := range in.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				got = append(got, scope.Spans...)
			}
		}
	}))
	defer to.Close()
	b := newBench(t, "TRACES_URL="+to.URL, "TRACES_HEADERS=X-Key=abc")
	s := b.serve()
	const trace = "0af7651916cd43dd8448eb211c80319c"
	c := s.client(t)
	c.Header.Set("Traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	c.Post("/auth/signup", testkit.M{"email": "ann@example.com", "password": "correct horse battery"}).Want(201)
	c.Get("/verify?token=" + strings.Repeat("Q", 26))
	if code := s.stop(); code != 0 {
		t.Fatal(code, s.said.String())
	}
	mu.Lock()
	defer mu.Unlock()
	names := map[string]*spans.Span{}
	statements := 0
	for _, one := range got {
		if hex.EncodeToString(one.TraceId) != trace {
			continue
		}
		names[one.Name] = one
	}
	up := names["POST /auth/signup"]
	for _, one := range got {
		if up != nil && one.Name == "query" && bytes.Equal(one.ParentSpanId, up.SpanId) {
			statements++
		}
	}
	if up == nil || hex.EncodeToString(up.ParentSpanId) != "b7ad6b7169203331" || statements == 0 || names["GET /verify"] == nil || header != "abc" {
		t.Errorf("%d spans, %d statements, header %q: %v", len(got), statements, header, up)
	}
	for _, secret := range []string{"correct horse", "ann@example.com", strings.Repeat("Q", 26)} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("a trace holds %q", secret)
		}
	}

	away := newBench(t, "TRACES_URL=http://127.0.0.1:1").serve()
	away.client(t).Get("/health/live").Want(200)
	if code := away.stop(); code != 0 {
		t.Error(code, away.said.String())
	}
	newBench(t, "TRACES_URL=localhost", "TRACES_HEADERS=x").run("serve").want(1, "TRACES_URL", "TRACES_HEADERS")
}
