package web

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

// exchange is all the edge knows of one request and its answer, in one allocation. It is not pooled: a handler that keeps
// its writer too long must never be able to write into somebody else's answer.
type exchange struct {
	edge   *Edge
	start  time.Time
	origin database.Origin
	ctx    exchangeContext
	w      recorder
	id     [1]string
}

type exchangeKey struct{}

// exchangeContext answers for the exchange itself, which saves a context value.
type exchangeContext struct {
	context.Context
	x *exchange
}

// Value gives the exchange, or what the context below carries.
func (c *exchangeContext) Value(key any) any {
	if _, ok := key.(exchangeKey); ok {
		return c.x
	}
	return c.Context.Value(key)
}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// Routed goes directly around a mux when something between it and the edge makes a new request, as r.WithContext does: the mux
// tells its pattern only to the request it is given, and the access log needs it.
func Routed(mux http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x := exchangeOf(r.Context()); x != nil {
			x.w.r = r
		}
		mux.ServeHTTP(w, r)
	})
}

// recorder counts what is answered, and turns the plain text with which a ServeMux refuses into a problem.
type recorder struct {
	http.ResponseWriter
	r         *http.Request // as the mux saw it, so that Pattern is set
	path      string        // below which the handler is
	status    int
	bytes     int64
	swallowed bool
}

// Unwrap lets http.ResponseController find what the server below can do.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sends the status, or the problem that stands for it.
func (w *recorder) WriteHeader(status int) {
	if w.swallowed {
		return
	}
	if status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		if w.fromMux() {
			w.refuse(status)
			return
		}
	}
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
		if to := w.Header().Get("Location"); w.path != "" && strings.HasPrefix(to, "/") {
			w.Header().Set("Location", w.path+to)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// fromMux tells the mux's own refusal from a handler's: no route matched, and it is the plain text of http.Error.
func (w *recorder) fromMux() bool {
	return w.status == 0 && w.r.Pattern == "" && strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain")
}

func (w *recorder) refuse(status int) {
	err := error(ErrNoRoute)
	if status == http.StatusMethodNotAllowed {
		err = ErrMethod
	}
	WriteError(w, w.r, err)
	w.swallowed = true
}

// Write sends a part of the body.
func (w *recorder) Write(p []byte) (int, error) {
	if w.swallowed {
		return len(p), nil
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom keeps the server's fast way to send a file.
func (w *recorder) ReadFrom(src io.Reader) (int64, error) {
	if w.swallowed {
		return io.Copy(io.Discard, src)
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := io.Copy(w.ResponseWriter, src)
	w.bytes += n
	return n, err
}

// Flush sends what is buffered.
func (w *recorder) Flush() { w.FlushError() }

// FlushError sends what is buffered and tells whether that worked.
func (w *recorder) FlushError() error {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}
