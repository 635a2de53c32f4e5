// Package apidocs serves the API's interactive documentation, Swagger UI at /docs and ReDoc at /redoc, without any
// other host.
package apidocs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
)

const (
	assetPath    = "/docs/assets/"
	documentPath = "/openapi.json"
)

//go:embed assets/*.gz assets/*.js assets/*.css assets/*.html
var files embed.FS

// ReDoc puts its rules into <style> elements that are empty when they enter the page: the hash is that of nothing.
const (
	docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	redocPolicy = "default-src 'none'; script-src 'self'; " +
		"style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; img-src 'self' data:; font-src data:; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// Not mime.TypeByExtension, which believes what the machine's own table says of .js.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
}

// An asset's address holds a hash of its content, so a browser may keep it for ever.
type asset struct {
	url         string
	contentType string
	gzipped     []byte
}

// Mount serves GET /docs, GET /redoc and their assets on mux, and GET /openapi.json too unless openapi is nil because
// the API serves that document itself.
func Mount(mux *http.ServeMux, openapi func() []byte) {
	assets := load()
	for _, a := range assets { // each by its own address: what is not there is the mux's to refuse
		mux.HandleFunc("GET "+a.url, a.serve)
	}
	mux.Handle("GET /docs", page("docs.html", docsPolicy, assets))
	mux.Handle("GET /redoc", page("redoc.html", redocPolicy, assets))
	if openapi == nil {
		return
	}
	mux.HandleFunc("GET "+documentPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(openapi())
	})
}

func page(name, policy string, assets map[string]asset) http.Handler {
	source := must(files.ReadFile("assets/" + name))
	urls := template.FuncMap{"asset": func(name string) string { return assets[name].url[1:] }} // the pages are at the root, wherever that is
	var html bytes.Buffer
	if err := template.Must(template.New(name).Funcs(urls).Parse(string(source))).Execute(&html, nil); err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(html.Bytes())
	})
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(a.gzipped)))
		_, _ = w.Write(a.gzipped)
		return
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = io.Copy(w, must(gzip.NewReader(bytes.NewReader(a.gzipped))))
}

// acceptsGzip reports whether gzip, or else any coding, is accepted with a weight above zero.
func acceptsGzip(headers []string) bool {
	anything := false
	for _, choice := range strings.Split(strings.Join(headers, ","), ",") {
		coding, parameter, _ := strings.Cut(choice, ";")
		weight, hasWeight := strings.CutPrefix(strings.ReplaceAll(parameter, " ", ""), "q=")
		accepted := true
		if hasWeight {
			q, err := strconv.ParseFloat(weight, 64)
			accepted = err == nil && q > 0
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return accepted
		case "*":
			anything = accepted
		}
	}
	return anything
}

// load returns the assets by name. Those that are written here, not vendored, are small enough to compress at start.
func load() map[string]asset {
	assets := map[string]asset{}
	for _, entry := range must(files.ReadDir("assets")) {
		name := entry.Name()
		content := must(files.ReadFile("assets/" + name))
		if path.Ext(name) == ".html" {
			continue
		}
		name, vendored := strings.CutSuffix(name, ".gz")
		if !vendored {
			content = compress(content)
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(name)
		assets[name] = asset{
			url:         assetPath + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			contentType: contentTypes[ext],
			gzipped:     content,
		}
	}
	return assets
}

func compress(content []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(content)
	_ = w.Close()
	return out.Bytes()
}

// must is for what is embedded: it was read in the tests, so it can be read.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
