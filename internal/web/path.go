package web

import (
	"net/http"
	"strings"
)

// Where BASE_URL has a path it is taken off a request at the edge, by enter, and put before the Location of an answer, by recorder; pages put it
// before their links. Everything between knows its own addresses only.

// enter takes base, the path of BASE_URL, off the address of r, and reports whether r is for this server. Beside what is below that path it answers
// two things at the root of its host: /.well-known/, which clients look for there (RFC 8615) and some with the path behind it (RFC 8414,
// section 3.1), and /health/, for what watches it and comes by no proxy.
func enter(base string, r *http.Request) bool {
	if base == "" {
		return true
	}
	inside := func(path string) (string, bool) {
		if below, found := strings.CutPrefix(path, base); found && (below == "" || below[0] == '/') {
			return "/" + strings.TrimPrefix(below, "/"), true
		}
		if strings.HasPrefix(path, "/.well-known/") {
			return strings.TrimSuffix(path, base), true
		}
		return path, strings.HasPrefix(path, "/health/")
	}
	path, found := inside(r.URL.Path)
	if !found {
		return false
	}
	raw := r.URL.RawPath
	if raw != "" {
		if raw, found = inside(raw); !found { // the path itself is written with no escapes
			return false
		}
	}
	below := *r.URL
	below.Path, below.RawPath = path, raw
	r.URL = &below
	return true
}
