package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/database"
	"github.com/rs/cors"
)

// Edge is everything around the mux that holds for every request: who it seems to come from, what is refused before a
// handler sees it, the headers of every answer, and the line in the access log.
type Edge struct {
	config       Config
	path         string // of BASE_URL
	logger       *slog.Logger
	now          func() time.Time
	accessLevel  slog.Level
	headers      []header
	maxBody      int64
	protection   *http.CrossOriginProtection
	trusted      map[string]bool
	listed       map[string]bool
	exempt       map[route]bool
	gateway      string
	device       *Cookie
	clientOrigin func(r *http.Request, origin string) bool
	cors         *cors.Cors
	clientCORS   *cors.Cors
	observe      atomic.Pointer[Observer]
}

type route struct{ method, path string }

// NewEdge builds the edge, or says what is wrong with the configuration. In production every request is logged at Info, in
// development at Debug.
func NewEdge(cfg Config, production bool, logger *slog.Logger, now func() time.Time) (*Edge, error) {
	if err := cfg.Check(production); err != nil {
		return nil, err
	}
	e := &Edge{
		config:      cfg,
		path:        cfg.Path(),
		logger:      logger,
		now:         now,
		accessLevel: slog.LevelDebug,
		headers:     securityHeaders(cfg),
		maxBody:     int64(cfg.MaxBodyKiB) << 10,
		exempt:      map[route]bool{},
		device:      NewCookies(cfg).device,
	}
	if production {
		e.accessLevel = slog.LevelInfo
	}
	if err := e.trustOrigins(cfg); err != nil {
		return nil, err
	}
	return e, nil
}

// Exempt lets pages of other sites send method to exactly this path: the callback of a provider that posts, or a token endpoint
// that reads no cookie. Nothing that decodes or cleans to the path is exempt. It is called before the first request.
func (e *Edge) Exempt(method, path string) { e.exempt[route{method, path}] = true }

// Gateway says where proxies ask about other requests, whose method is in X-Forwarded-Method. It is called before the first request.
func (e *Edge) Gateway(path string) { e.gateway = path }

// ClientOrigins adds origins that are known only at run time, as those of registered clients. Their pages may read answers,
// never with cookies. It is called before the first request.
func (e *Edge) ClientOrigins(allowed func(r *http.Request, origin string) bool) {
	e.clientOrigin = allowed
	e.clientCORS = newCORS(false, allowed)
	if len(e.listed) == 0 {
		e.headers = append(e.headers, newHeader("Vary", "Origin"))
	}
}

// Observer is told of a request that was answered, with the pattern that matched.
type Observer func(method, route string, status int, took time.Duration)

// Observe has f told of every request from now on.
func (e *Edge) Observe(f Observer) { e.observe.Store(&f) }

// Wrap puts the edge around a handler of the app, anywhere on its host.
func (e *Edge) Wrap(next http.Handler) http.Handler { return &wrapped{e, next, ""} }

// WrapServer puts the edge around the mux of the whole server, or what is around a Routed mux: what is below the path of BASE_URL.
func (e *Edge) WrapServer(next http.Handler) http.Handler { return &wrapped{e, next, e.path} }

type wrapped struct {
	edge *Edge
	next http.Handler
	path string // below which next is, and knows nothing of it
}

// ServeHTTP runs one request through the edge and on to the handler.
func (h *wrapped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := h.edge
	x := &exchange{edge: e, start: e.now()}
	x.origin.RequestID = requestID(r.Header["X-Request-Id"])
	x.origin.IP = clientIP(r, e.config.TrustedProxies)
	x.origin.UserAgent = userAgent(r.Header["User-Agent"])
	x.origin.Device, _ = e.device.Get(r)
	x.origin.Language = language(r.Header["Accept-Language"])
	x.ctx = exchangeContext{database.WithOrigin(r.Context(), &x.origin), x}
	r = r.WithContext(&x.ctx)
	x.w = recorder{ResponseWriter: w, r: r, path: h.path}
	defer x.end()

	x.id[0] = x.origin.RequestID
	out := w.Header()
	out["X-Request-Id"] = x.id[:]
	for i := range e.headers {
		out[e.headers[i].name] = e.headers[i].value
	}
	if len(r.TransferEncoding) > 0 && r.ProtoMajor == 1 {
		// A Content-Length beside it has been dropped unseen, and whoever sent both may be smuggling (RFC 9112 section 6.1).
		out.Set("Connection", "close")
	}
	if err := e.refuse(out, r); err != nil {
		WriteError(&x.w, r, err)
		return
	}
	if !enter(h.path, r) {
		WriteError(&x.w, r, ErrOutside)
		return
	}
	if origins := r.Header["Origin"]; len(origins) > 0 && e.answerCORS(&x.w, r, origins) {
		return
	}
	if e.crossOrigin(r) {
		WriteError(&x.w, r, ErrCrossOrigin)
		return
	}
	if r.Body != nil && r.Body != http.NoBody {
		// The server's own writer, which closes the connection when the limit is hit.
		r.Body = http.MaxBytesReader(w, r.Body, e.maxBody)
	}
	h.next.ServeHTTP(&x.w, r)
}

// refuse says no to what no handler should see.
func (e *Edge) refuse(out http.Header, r *http.Request) error {
	switch {
	case r.Method == http.MethodTrace || r.Method == http.MethodConnect:
		out.Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		return ErrMethod
	case !validPath(r.URL.Path):
		return ErrPath
	case r.ContentLength > e.maxBody:
		return ErrTooLarge
	}
	return nil
}

func validPath(path string) bool {
	if path != "" && path[0] != '/' {
		return false
	}
	ascii := true
	for i := 0; i < len(path); i++ {
		if path[i] < ' ' || path[i] == 0x7f {
			return false
		}
		ascii = ascii && path[i] < utf8.RuneSelf
	}
	return ascii || utf8.ValidString(path)
}

// end answers for a handler that panicked and writes the line in the access log.
func (x *exchange) end() {
	v := recover()
	if v == nil {
		x.log()
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		x.log()
		panic(http.ErrAbortHandler)
	}
	begun := x.w.status != 0
	// Nothing a half-done handler decided may reach the client, least of all a session.
	out := x.w.Header()
	out.Del("Set-Cookie")
	out.Del("Location")
	WriteError(&x.w, x.w.r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
	x.log()
	if begun {
		// Half an answer must not look like a whole one.
		panic(http.ErrAbortHandler)
	}
}

// log counts the request and writes one line for it: the pattern and never the path, which may hold a token.
func (x *exchange) log() {
	status := x.w.status
	if status == 0 {
		status = http.StatusOK
	}
	took := x.edge.now().Sub(x.start)
	x.tell(status)
	if observe := x.edge.observe.Load(); observe != nil {
		(*observe)(x.w.r.Method, x.w.r.Pattern, status, took)
	}
	ctx, level := x.w.r.Context(), x.edge.accessLevel
	if status >= 500 && (status != http.StatusServiceUnavailable || ctx.Err() == nil) { // a client that has gone away is nobody's fault
		level = slog.LevelError
	}
	if !x.edge.logger.Enabled(ctx, level) {
		return
	}
	x.edge.logger.LogAttrs(ctx, level, "request",
		slog.String("method", x.w.r.Method),
		slog.String("route", x.w.r.Pattern),
		slog.Int("status", status),
		slog.Int64("bytes", x.w.bytes),
		slog.Duration("duration", took),
		slog.String("ip", x.origin.IP),
		slog.String("request_id", x.origin.RequestID))
}
