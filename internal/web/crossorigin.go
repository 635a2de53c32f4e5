package web

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/rs/cors"
)

// trustOrigins takes the origin of BASE_URL and CORS_ORIGINS as our own pages.
func (e *Edge) trustOrigins(cfg Config) error {
	e.protection = http.NewCrossOriginProtection()
	e.trusted, e.listed = map[string]bool{cfg.Origin(): true}, map[string]bool{}
	for _, o := range cfg.CORSOrigins {
		e.trusted[o], e.listed[o] = true, true
	}
	for o := range e.trusted {
		if err := e.protection.AddTrustedOrigin(o); err != nil {
			return err
		}
	}
	e.cors = newCORS(true, func(_ *http.Request, origin string) bool { return e.listed[origin] })
	return nil
}

// newCORS compares through a function, because the library's own list folds case and an origin has to match exactly.
func newCORS(credentials bool, allowed func(r *http.Request, origin string) bool) *cors.Cors {
	return cors.New(cors.Options{
		AllowOriginVaryRequestFunc: func(r *http.Request, origin string) (bool, []string) { return allowed(r, origin), nil },
		AllowedMethods:             []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders:             []string{"authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "traceparent", "tracestate", "x-request-id", "x-requested-with"},
		ExposedHeaders:             []string{"RateLimit", "RateLimit-Policy", "Retry-After", "ETag", "X-Request-Id", "Idempotent-Replayed"},
		AllowCredentials:           credentials,
		MaxAge:                     600,
	})
}

// answerCORS adds what the Fetch standard wants, and answers a preflight.
func (e *Edge) answerCORS(w http.ResponseWriter, r *http.Request, origins []string) (done bool) {
	preflight := r.Method == http.MethodOptions && len(r.Header["Access-Control-Request-Method"]) > 0
	switch {
	case len(origins) > 1:
		// The library would echo both.
	case e.listed[origins[0]]:
		vary(w.Header())
		e.cors.HandlerFunc(w, r)
		return preflight
	case e.clientOrigin != nil && origins[0] != "" && origins[0] != "null":
		vary(w.Header())
		e.clientCORS.HandlerFunc(w, r)
		return preflight
	}
	if preflight {
		w.WriteHeader(http.StatusNoContent)
	}
	return preflight
}

// vary takes our own Vary out where the library adds one.
func vary(h http.Header) { delete(h, "Vary") }

// crossOrigin tells whether a page of another site sent a request that changes something. Clients that are no browser send
// neither Sec-Fetch-Site nor Origin nor Referer, and pass. It holds whether or not there is a cookie: a page must not be able
// to sign its visitor in as somebody else either.
func (e *Edge) crossOrigin(r *http.Request) bool {
	if method := r.Header.Get("X-Forwarded-Method"); method != "" && r.URL.Path == e.gateway { // about another request
		about := *r
		about.Method = strings.ToUpper(method)
		r = &about
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	origin, fetch := r.Header["Origin"], r.Header["Sec-Fetch-Site"]
	if len(origin) == 0 && len(fetch) == 0 && len(r.Header["Referer"]) == 0 {
		return false
	}
	switch {
	case len(origin) > 1 || len(fetch) > 1:
	case len(fetch) == 1 && fetch[0] != "":
		if e.protection.Check(r) == nil {
			return false
		}
	case len(origin) == 1:
		if e.ownOrigin(r, origin[0]) {
			return false
		}
	default:
		if e.ownOrigin(r, originOfURL(r.Header.Get("Referer"))) {
			return false
		}
	}
	return !e.excused(r, origin)
}

// excused is for what cannot be forged although it comes from elsewhere: the exempt routes, and a request of a client's page
// with an Authorization header, which a browser sends across only after a preflight of ours allowed it.
func (e *Edge) excused(r *http.Request, origin []string) bool {
	if r.URL.RawPath == "" && e.exempt[route{r.Method, r.URL.Path}] {
		return true
	}
	return len(origin) == 1 && e.clientOrigin != nil && len(r.Header["Authorization"]) > 0 && e.clientOrigin(r, origin[0])
}

// ownOrigin is for browsers that send no Sec-Fetch-Site, which they do not over plain http. http.CrossOriginProtection would
// compare with the Host header and so take http for https; we know our origin. While BASE_URL is plain http, the addresses
// of this machine and network count too, by number and not by name, so that a name that is made to point here gains nothing.
func (e *Edge) ownOrigin(r *http.Request, origin string) bool {
	if e.trusted[origin] {
		return true
	}
	if e.config.HTTPS() || origin != "http://"+r.Host {
		return false
	}
	u := url.URL{Host: r.Host}
	name := u.Hostname()
	_, err := netip.ParseAddr(name)
	return err == nil || name == "localhost"
}

func originOfURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "null"
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}
