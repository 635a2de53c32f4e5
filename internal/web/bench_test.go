package web

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/ratelimit"
)

// sink is a ResponseWriter with a fresh header map per answer, as the server gives, and nothing behind it.
type sink struct{ h http.Header }

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

func trivial(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = jsonType
	w.Write(okBody)
}

var (
	jsonType = []string{"application/json"}
	okBody   = []byte(`{"ok":true}`)
)

func benchRequest(method string) *http.Request {
	r := httptest.NewRequest(method, "/auth/me", nil)
	r.RemoteAddr = "192.0.2.7:41234"
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36")
	r.Header.Set("Cookie", "theme=dark; __Host-session_id="+strings.Repeat("a1", 32))
	return r
}

func BenchmarkWrap(b *testing.B) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth/me", trivial)
	mux.HandleFunc("POST /auth/me", trivial)
	edge := func(level slog.Level, change func(*Config)) http.Handler {
		cfg := testConfig()
		if change != nil {
			change(&cfg)
		}
		e, err := NewEdge(cfg, true, slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: level})), time.Now)
		if err != nil {
			b.Fatal(err)
		}
		return e.Wrap(mux)
	}
	run := func(name string, h http.Handler, r *http.Request) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(&sink{make(http.Header)}, r)
			}
		})
	}
	run("bare mux", mux, benchRequest("GET"))
	run("edge", edge(slog.LevelError, nil), benchRequest("GET"))
	run("edge, access log", edge(slog.LevelInfo, nil), benchRequest("GET"))
	post := benchRequest("POST")
	post.Header.Set("Origin", "https://auth.good.test")
	post.Header.Set("Sec-Fetch-Site", "same-origin")
	run("edge, POST of our page", edge(slog.LevelError, nil), post)
	cross := benchRequest("GET")
	cross.Header.Set("Origin", "https://app.good.test")
	run("edge, CORS", edge(slog.LevelError, func(c *Config) { c.CORSOrigins = []string{"https://app.good.test"} }), cross)
}

// BenchmarkServed measures the server over loopback with a client that reads bytes and parses nothing. "same bytes" is a bare
// mux that sends what the edge sends: the floor the edge is compared with.
func BenchmarkServed(b *testing.B) {
	quiet := slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth/me", trivial)
	e, err := NewEdge(testConfig(), true, quiet, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	same := http.NewServeMux()
	same.HandleFunc("GET /auth/me", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Request-Id"] = []string{"0123456789abcdef01234567"}
		for _, line := range e.headers {
			h[line.name] = line.value
		}
		trivial(w, r)
	})
	for _, c := range []struct {
		name string
		h    http.Handler
	}{{"bare mux", mux}, {"same bytes", same}, {"edge", e.Wrap(mux)}} {
		b.Run(c.name, func(b *testing.B) { serveRaw(b, c.h) })
	}
}

func serveRaw(b *testing.B, h http.Handler) {
	s := httptest.NewServer(h)
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	ask := []byte("GET /auth/me HTTP/1.1\r\nHost: auth.good.test\r\nUser-Agent: bench\r\n\r\n")
	buf := make([]byte, 8<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(ask); err != nil {
			b.Fatal(err)
		}
		for n := 0; !bytes.HasSuffix(buf[:n], okBody); {
			got, err := conn.Read(buf[n:])
			if err != nil {
				b.Fatal(err)
			}
			n += got
		}
	}
}

func BenchmarkSessionCookie(b *testing.B) {
	c := NewCookies(testConfig())
	r := benchRequest("GET")
	b.Run("Session", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Session(r)
		}
	})
	b.Run("net/http Cookie", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Cookie("__Host-session_id")
		}
	})
}

func BenchmarkBearer(b *testing.B) {
	r := benchRequest("GET")
	r.Header.Set("Authorization", "Bearer "+strings.Repeat("eyJhbGciOiJFZERTQSJ9.", 15))
	b.ReportAllocs()
	for b.Loop() {
		Bearer(r)
	}
}

func BenchmarkLimit(b *testing.B) {
	rule := ratelimit.Rule{Name: "ip", Limit: 1 << 30, Per: time.Minute}
	h := Limit(ratelimit.New(time.Now, 1<<16), rule, ByIP)(http.HandlerFunc(trivial))
	r := benchRequest("GET")
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(&sink{make(http.Header)}, r)
	}
}
