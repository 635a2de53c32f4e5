package web

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// startServer runs the real server on loopback and gives its address.
func startServer(t *testing.T, h http.Handler) (addr string, j *journal) {
	t.Helper()
	e, j := testEdge(t, testConfig())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Server(e.Wrap(h), slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug})))
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l.Addr().String(), j
}

// exchange sends raw bytes, stops sending and gives everything that came back until the server closed.
func rawExchange(t *testing.T, addr, raw string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, raw)
	conn.(*net.TCPConn).CloseWrite()
	got, _ := io.ReadAll(conn)
	return string(got)
}

// DOS-04, OPV-18: what could be read in two ways is answered once, with an error or a closed connection.
func TestRawRequests(t *testing.T) {
	mux := testMux()
	mux.HandleFunc("GET /smuggled", func(http.ResponseWriter, *http.Request) { t.Error("a smuggled request was served") })
	addr, _ := startServer(t, mux)
	const host = "Host: auth.good.test\r\n"
	const smuggled = "GET /smuggled HTTP/1.1\r\n" + host + "\r\n"
	for name, c := range map[string]struct{ raw, want string }{
		"CL and TE":           {"POST /read HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, "Connection: close"},
		"TE twice":            {"POST /read HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled, "501"},
		"TE that is unknown":  {"POST /read HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled, "501"},
		"two lengths":         {"POST /read HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345" + smuggled, "400"},
		"length with a sign":  {"POST /read HTTP/1.1\r\n" + host + "Content-Length: +5\r\n\r\n12345" + smuggled, "400"},
		"bad chunk size":      {"POST /read HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" + smuggled, "Connection: close"},
		"space before colon":  {"GET /ok HTTP/1.1\r\n" + host + "Content-Length : 5\r\n\r\n" + smuggled, "400"},
		"obs-fold":            {"GET /ok HTTP/1.1\r\n" + host + "X-A: b\r\n Content-Length: 5\r\n\r\n", "HTTP/1.1 "},
		"no host":             {"GET /ok HTTP/1.1\r\n\r\n" + smuggled, "400"},
		"two hosts":           {"GET /ok HTTP/1.1\r\n" + host + host + "\r\n" + smuggled, "400"},
		"NUL in a header":     {"GET /ok HTTP/1.1\r\n" + host + "X-A: \x00\r\n\r\n" + smuggled, "400"},
		"TRACE":               {"TRACE /ok HTTP/1.1\r\n" + host + "Cookie: session_id=SECRET\r\nConnection: close\r\n\r\n", "405"},
		"NUL in the path":     {"GET /a%00 HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", "400"},
		"headers over 64 KiB": {"GET /ok HTTP/1.1\r\n" + host + "Cookie: " + strings.Repeat("a=b; ", 20_000) + "\r\n\r\n", "431"},
		"absolute form":       {"GET http://evil.test/ok HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", "200"},
	} {
		got := rawExchange(t, addr, c.raw)
		if !strings.Contains(got, c.want) || strings.Count(got, "HTTP/1.1 ") != 1 || strings.Contains(got, "SECRET") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Ten thousand cookies below the header limit cost nothing and are no session.
func TestManyCookies(t *testing.T) {
	c := NewCookies(testConfig())
	r := request("GET", "/", "Cookie", strings.Repeat("a=b;", 10_000)+"__Host-session_id=x")
	if v, ok := c.Session(r); !ok || v != "x" {
		t.Fatal(v, ok)
	}
}

func TestServerLimits(t *testing.T) {
	s := Server(http.NotFoundHandler(), slog.Default())
	if s.ReadHeaderTimeout != 5*time.Second || s.ReadTimeout != 15*time.Second || s.WriteTimeout != 30*time.Second || s.IdleTimeout != 120*time.Second || s.MaxHeaderBytes != 64<<10 {
		t.Errorf("%+v", s)
	}
	if !s.Protocols.HTTP1() || !s.Protocols.HTTP2() || !s.Protocols.UnencryptedHTTP2() {
		t.Error(s.Protocols)
	}
}

// Noise of clients is in the log at debug only.
func TestServerErrorsAreDebug(t *testing.T) {
	j := new(journal)
	Server(nil, slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))).ErrorLog.Print("http: TLS handshake error")
	if lines := j.lines(t); len(lines) != 1 || lines[0]["level"] != "DEBUG" {
		t.Error(j)
	}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	addr, _ := startServer(t, testMux())
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := http.Client{Transport: &http.Transport{Protocols: protocols}}
	res, err := client.Get("http://" + addr + "/nowhere")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.ProtoMajor != 2 || res.StatusCode != 404 || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatal(res.Proto, res.Status, res.Header)
	}
}

// A long poll moves its deadline and flushes through everything the edge has put around the writer.
func TestResponseControllerReachesTheServer(t *testing.T) {
	mux := http.NewServeMux()
	release := make(chan struct{})
	mux.Handle("GET /stream", Compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := c.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		io.WriteString(w, "first\n")
		if err := c.Flush(); err != nil {
			t.Error(err)
		}
		w.(http.Flusher).Flush()
		<-release
		io.WriteString(w, "second\n")
	})))
	addr, _ := startServer(t, mux)
	res, err := http.Get("http://" + addr + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	if line, err := lines.ReadString('\n'); line != "first\n" {
		t.Fatal(line, err)
	}
	close(release)
	if line, err := lines.ReadString('\n'); line != "second\n" {
		t.Fatal(line, err)
	}
}

// A file is sent through the server's own fast way, whole and counted.
func TestServeContent(t *testing.T) {
	content := strings.Repeat("0123456789", 10_000)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /file", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "file.bin", time.Time{}, strings.NewReader(content))
	})
	addr, j := startServer(t, mux)
	got := rawExchange(t, addr, "GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if _, body, _ := strings.Cut(got, "\r\n\r\n"); body != content {
		t.Fatalf("%d bytes", len(body))
	}
	if !strings.Contains(j.String(), `"status":200,"bytes":100000`) {
		t.Error(j)
	}
}
