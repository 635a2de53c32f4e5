package apidocs

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func server(openapi func() []byte) *http.ServeMux {
	mux := http.NewServeMux()
	Mount(mux, openapi)
	return mux
}

func get(t *testing.T, h http.Handler, path, acceptEncoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if acceptEncoding != "" {
		r.Header.Set("Accept-Encoding", acceptEncoding)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func header(t *testing.T, r *http.Response, name, want string) {
	t.Helper()
	if got := r.Header.Get(name); got != want {
		t.Errorf("%s is %q, want %q", name, got, want)
	}
}

var reference = regexp.MustCompile(`(?:src|href|spec-url)="([^"]*)"`)

func TestPagesReferOnlyToThisHost(t *testing.T) {
	h := server(func() []byte { return []byte("{}") })
	want := map[string][]string{
		"/docs":  {"page", "swagger-ui", "swagger-ui-bundle", "docs"},
		"/redoc": {"page", "redoc.standalone"},
	}
	for page, assets := range want {
		t.Run(page, func(t *testing.T) {
			r := get(t, h, page, "")
			html := string(body(t, r))
			if r.StatusCode != http.StatusOK {
				t.Fatalf("status %d", r.StatusCode)
			}
			header(t, r, "Content-Type", "text/html; charset=utf-8")
			header(t, r, "Cache-Control", "no-cache")
			header(t, r, "X-Content-Type-Options", "nosniff")
			if strings.Contains(html, "<style") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(html) {
				t.Error("the page has inline code")
			}
			var seen []string
			for _, ref := range reference.FindAllStringSubmatch(html, -1) {
				url := ref[1]
				if url == "data:," {
					continue
				}
				if strings.HasPrefix(url, "/") || strings.Contains(url, ":") { // below a path of its host the root is another
					t.Fatalf("the page refers to %s", url)
				}
				url = "/" + url
				if status := get(t, h, url, "").StatusCode; status != http.StatusOK {
					t.Errorf("%s: status %d", url, status)
				}
				if name, found := strings.CutPrefix(url, assetPath); found {
					seen = append(seen, regexp.MustCompile(`\.[0-9a-f]{12}\.(js|css)$`).ReplaceAllString(name, ""))
				}
			}
			if strings.Join(seen, " ") != strings.Join(assets, " ") {
				t.Errorf("the page loads %v, want %v", seen, assets)
			}
		})
	}
}

func TestPolicyNamesNoOtherHost(t *testing.T) {
	h := server(nil)
	for _, page := range []string{"/docs", "/redoc"} {
		policy := get(t, h, page, "").Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: no %s in %s", page, part, policy)
			}
		}
		if regexp.MustCompile(`https?:|\*|unsafe-|//`).MatchString(policy) {
			t.Errorf("%s: loose policy %s", page, policy)
		}
	}
}

func TestOwnFilesNameNoOtherHost(t *testing.T) {
	for name, a := range load() {
		vendored := strings.HasPrefix(name, "swagger-ui") || strings.HasPrefix(name, "redoc")
		if vendored || name == "page.css" { // page.css names the link it hides
			continue
		}
		if content := unzip(t, a.gzipped); regexp.MustCompile(`(?:https?:)?//[a-z]`).Match(content) {
			t.Errorf("%s refers to another host:\n%s", name, content)
		}
	}
}

func TestReDocSendsNoTelemetry(t *testing.T) {
	if html := string(body(t, get(t, server(nil), "/redoc", ""))); !strings.Contains(html, `disable-telemetry="true"`) {
		t.Error(html)
	}
	// The attribute is only worth something while the vendored version knows it by this name.
	if !bytes.Contains(unzip(t, load()["redoc.standalone.js"].gzipped), []byte("disableTelemetry")) {
		t.Error("this ReDoc does not know disable-telemetry")
	}
}

func TestAssets(t *testing.T) {
	h := server(nil)
	types := map[string]string{
		"page.css": "text/css; charset=utf-8", "swagger-ui.css": "text/css; charset=utf-8",
		"swagger-ui-bundle.js": "text/javascript; charset=utf-8", "redoc.standalone.js": "text/javascript; charset=utf-8",
		"docs.js": "text/javascript; charset=utf-8",
	}
	assets := load()
	if len(assets) != len(types) {
		t.Errorf("%d assets, want %d", len(assets), len(types))
	}
	for name, a := range assets {
		t.Run(name, func(t *testing.T) {
			zipped := get(t, h, a.url, "br, gzip")
			plain := get(t, h, a.url, "identity")
			for _, r := range []*http.Response{zipped, plain} {
				header(t, r, "Content-Type", types[name])
				header(t, r, "Cache-Control", "public, max-age=31536000, immutable")
				header(t, r, "Vary", "Accept-Encoding")
				header(t, r, "X-Content-Type-Options", "nosniff")
			}
			header(t, zipped, "Content-Encoding", "gzip")
			header(t, plain, "Content-Encoding", "")
			content := body(t, plain)
			if len(content) == 0 || !bytes.Equal(content, unzip(t, body(t, zipped))) {
				t.Error("the two answers differ")
			}
		})
	}
}

func TestUnknownAsset(t *testing.T) {
	for _, path := range []string{assetPath, assetPath + "nothing.js", assetPath + "docs.js", assetPath + "..%2fdocs.html"} {
		if r := get(t, server(nil), path, ""); r.StatusCode != http.StatusNotFound || r.Header.Get("Cache-Control") != "" {
			t.Errorf("%s: status %d, Cache-Control %q", path, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
}

func TestDocument(t *testing.T) {
	r := get(t, server(func() []byte { return []byte(`{"openapi":"3.1.0"}`) }), "/openapi.json", "")
	header(t, r, "Content-Type", "application/json")
	header(t, r, "Cache-Control", "no-cache")
	if got := string(body(t, r)); got != `{"openapi":"3.1.0"}` {
		t.Error(got)
	}
	if r := get(t, server(nil), "/openapi.json", ""); r.StatusCode != http.StatusNotFound {
		t.Errorf("without a document of its own: status %d", r.StatusCode)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "identity": false, "br": false, "gzip": true, "GZIP": true, "deflate, gzip;q=1.0, *;q=0.5": true,
		"gzip;q=0": false, "gzip; q=0.0": false, "*": true, "*;q=0": false, "gzip;q=0, *": false, "*, gzip;q=0": false,
		"gzip;q=nonsense": false, "x-gzip": true, ";;,,": false,
	} {
		if got := acceptsGzip([]string{accept}); got != want {
			t.Errorf("Accept-Encoding: %s: %v, want %v", accept, got, want)
		}
	}
	if !acceptsGzip([]string{"br", "gzip"}) {
		t.Error("a second header line is not read")
	}
}

func unzip(t *testing.T, zipped []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
