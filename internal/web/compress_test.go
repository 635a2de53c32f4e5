package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestAcceptsGzip(t *testing.T) {
	for sent, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "deflate, br": false, "gzip, deflate, br": true, "*": true, "gzip;q=0": false, "*;q=0": false,
		"gzip;q=0.5, identity;q=1": false, "gzip; q=1.0, identity; q=0.5": true, "identity": false, "gzip;q=0, *": false, "gzip;q=nan": false,
		"gzip;q=2": false, "br;q=1.0, *;q=0.1": true, ";;,,gzip": true,
	} {
		if got := acceptsGzip([]string{sent}); got != want {
			t.Errorf("%q: %v", sent, got)
		}
	}
}

func TestCompress(t *testing.T) {
	long := strings.Repeat(`{"a":1}`, 1000)
	answer := func(headers ...string) http.Handler {
		return Compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			io.WriteString(w, long[:3000])
			io.WriteString(w, long[3000:])
		}))
	}
	for _, c := range []struct {
		name    string
		h       http.Handler
		ask     []string
		gzipped bool
	}{
		{"json", answer("Content-Type", "application/json", "ETag", `"v1"`, "Content-Length", "7000"), []string{"Accept-Encoding", "gzip"}, true},
		{"guessed", answer(), []string{"Accept-Encoding", "gzip"}, true},
		{"not asked", answer("Content-Type", "application/json"), nil, false},
		{"a part", answer("Content-Type", "application/json"), []string{"Accept-Encoding", "gzip", "Range", "bytes=0-1"}, false},
		{"done already", answer("Content-Type", "application/json", "Content-Encoding", "br"), []string{"Accept-Encoding", "gzip"}, false},
		{"a picture", answer("Content-Type", "image/png"), []string{"Accept-Encoding", "gzip"}, false},
		{"short", answer("Content-Type", "application/json", "Content-Length", "700"), []string{"Accept-Encoding", "gzip"}, false},
		{"with a cookie it is not public", answer("Content-Type", "application/json", "Set-Cookie", "a=b"), []string{"Accept-Encoding", "gzip"}, false},
	} {
		w := serve(c.h, request("GET", "/openapi.json", c.ask...))
		body := w.Body.String()
		if c.gzipped {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			plain, err := io.ReadAll(z)
			if err != nil || w.Header().Get("Content-Length") != "" || w.Header().Get("Content-Encoding") != "gzip" {
				t.Errorf("%s: %v %v", c.name, err, w.Header())
			}
			body = string(plain)
		}
		if body != long || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %d bytes, %v", c.name, len(body), w.Header())
		}
		if tag := w.Header().Get("ETag"); tag != "" && tag != `W/"v1"` {
			t.Errorf("%s: the tag of other bytes: %s", c.name, tag)
		}
	}
	notFound := Compress(http.NotFoundHandler())
	if w := serve(notFound, request("GET", "/", "Accept-Encoding", "gzip")); w.Header().Get("Content-Encoding") != "" || w.Code != 404 {
		t.Error("an error is compressed")
	}
}
