package web

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// minCompress is the length below which gzip is not worth it.
const minCompress = 1 << 10

// Compress answers with gzip where the client accepts it (RFC 9110 section 12.5.3). It is for answers that hold no secret and
// nothing a caller can choose, as documents and keys: elsewhere the length of what is compressed gives secrets away (BREACH).
func Compress(next http.Handler) http.Handler {
	writers := &sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if !acceptsGzip(r.Header["Accept-Encoding"]) || r.Header.Get("Range") != "" {
			next.ServeHTTP(w, r)
			return
		}
		c := &compressor{ResponseWriter: w, writers: writers}
		next.ServeHTTP(c, r)
		c.close()
	})
}

// acceptsGzip weighs gzip against sending the body as it is.
func acceptsGzip(lines []string) bool {
	gz, identity, rest := -1.0, -1.0, -1.0
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			coding, params, _ := strings.Cut(item, ";")
			switch strings.ToLower(strings.Trim(coding, " \t")) {
			case "gzip", "x-gzip":
				gz = quality(params)
			case "identity":
				identity = quality(params)
			case "*":
				rest = quality(params)
			}
		}
	}
	if gz < 0 {
		gz = rest
	}
	return gz > 0 && gz >= identity
}

func quality(params string) float64 {
	name, value, found := strings.Cut(strings.Trim(params, " \t"), "=")
	if !found || !strings.EqualFold(strings.Trim(name, " \t"), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.Trim(value, " \t"), 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}

type compressor struct {
	http.ResponseWriter
	writers *sync.Pool
	gz      *gzip.Writer
	begun   bool
}

// Unwrap lets http.ResponseController find what the server below can do.
func (c *compressor) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader decides whether this answer is compressed.
func (c *compressor) WriteHeader(status int) {
	if !c.begun && status >= 200 {
		c.begun = true
		if status == http.StatusOK && worthIt(c.Header()) {
			c.compress()
		}
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *compressor) compress() {
	h := c.Header()
	h.Set("Content-Encoding", "gzip")
	h.Del("Content-Length")
	h.Del("Accept-Ranges")
	// The bytes differ from those the tag was made for; weakly they are the same (RFC 9110 section 8.8.3).
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		h.Set("ETag", "W/"+tag)
	}
	c.gz = c.writers.Get().(*gzip.Writer)
	c.gz.Reset(c.ResponseWriter)
}

func worthIt(h http.Header) bool {
	if h.Get("Content-Encoding") != "" || h.Get("Content-Range") != "" || len(h["Set-Cookie"]) > 0 {
		return false
	}
	if n, err := strconv.Atoi(h.Get("Content-Length")); err == nil && n < minCompress {
		return false
	}
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	for _, suffix := range []string{"json", "xml", "yaml", "javascript", "svg+xml", "wasm"} {
		if strings.HasSuffix(kind, suffix) {
			return true
		}
	}
	return strings.HasPrefix(kind, "text/")
}

// Write sends a part of the body.
func (c *compressor) Write(p []byte) (int, error) {
	if !c.begun {
		if c.Header().Get("Content-Type") == "" {
			c.Header().Set("Content-Type", http.DetectContentType(p))
		}
		c.WriteHeader(http.StatusOK)
	}
	if c.gz != nil {
		return c.gz.Write(p)
	}
	return c.ResponseWriter.Write(p)
}

// Flush sends what is buffered.
func (c *compressor) Flush() { c.FlushError() }

// FlushError sends what is buffered and tells whether that worked.
func (c *compressor) FlushError() error {
	if c.gz != nil {
		if err := c.gz.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(c.ResponseWriter).Flush()
}

// close ends the stream. It is not reached by a panic: a broken answer must not look complete.
func (c *compressor) close() {
	if c.gz == nil {
		return
	}
	c.gz.Close()
	c.gz.Reset(nil)
	c.writers.Put(c.gz)
}
