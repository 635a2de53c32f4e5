package web

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"

	"github.com/admit-dev/admit/internal/idempotency"
)

// IdempotencyKey is the header by which a client says that a request may be the same as one before.
const IdempotencyKey = "Idempotency-Key"

// repeated are the headers of an answer that belong to what was done, and so come back with it.
var repeated = []string{"Content-Type", "Set-Cookie", "Www-Authenticate", "Location", "Clear-Site-Data"}

// Once does a POST with an Idempotency-Key once, and repeats its answer.
type Once struct {
	answers *idempotency.Service
	log     *slog.Logger
}

// NewOnce keeps answers in answers.
func NewOnce(answers *idempotency.Service, log *slog.Logger) *Once { return &Once{answers, log} }

// Wrap puts it around a handler. caller is what shows who asks, where the body does not.
func (o *Once) Wrap(caller func(*http.Request) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { o.serve(w, r, caller, next) })
	}
}

func (o *Once) serve(w http.ResponseWriter, r *http.Request, caller func(*http.Request) string, next http.Handler) {
	given, sent := r.Header[IdempotencyKey]
	if !sent {
		next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		WriteError(w, r, BodyError(err))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	q := idempotency.Request{Key: given[0], Caller: caller(r), Method: r.Method, Path: r.URL.RequestURI(), Body: body}
	if len(given) > 1 {
		q.Key = "" // which of them would count?
	}
	if err := q.Check(); err != nil {
		WriteError(w, r, err)
		return
	}
	before, err := o.answers.Begin(r.Context(), q)
	switch {
	case err != nil:
		WriteError(w, r, err)
	case before != nil:
		replay(w, *before)
	default:
		o.first(w, r, q, next)
	}
}

// first does what is asked and keeps the answer. One that says only that it did not work this time is not kept.
func (o *Once) first(w http.ResponseWriter, r *http.Request, q idempotency.Request, next http.Handler) {
	done := context.WithoutCancel(r.Context()) // a client that goes away now is the one who will ask again
	kept := false
	defer func() {
		if !kept {
			if err := o.answers.Forget(done, q); err != nil {
				o.log.WarnContext(done, "an idempotency key could not be given back; it frees itself in a minute", "err", err)
			}
		}
	}()
	rec := &recording{ResponseWriter: w, header: map[string][]string{}}
	next.ServeHTTP(rec, r)
	if rec.status == 0 {
		rec.WriteHeader(http.StatusOK)
	}
	if rec.status >= http.StatusInternalServerError || rec.status == http.StatusTooManyRequests {
		return
	}
	a := idempotency.Answer{Status: rec.status, Header: rec.header, Body: rec.body.Bytes()}
	if err := o.answers.End(done, q, a); err != nil {
		o.log.WarnContext(done, "an answer could not be kept for its idempotency key", "err", err)
		return
	}
	kept = true
}

func replay(w http.ResponseWriter, a idempotency.Answer) {
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Idempotent-Replayed", "true")
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

// recording keeps what is answered. Answers here are small.
type recording struct {
	http.ResponseWriter
	status int
	header map[string][]string
	body   bytes.Buffer
}

// WriteHeader notes the status and what goes with it, as it is before the edge gets it.
func (w *recording) WriteHeader(status int) {
	w.status = status
	for _, name := range repeated {
		if values := w.Header()[name]; len(values) > 0 {
			w.header[name] = slices.Clone(values)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the body.
func (w *recording) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.body.Write(p)
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find the writer below.
func (w *recording) Unwrap() http.ResponseWriter { return w.ResponseWriter }
