package api

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/admit-dev/admit/internal/idempotency"
	"github.com/admit-dev/admit/internal/web"
)

const idempotencyKey = "Idempotency-Key"

// repeated are the headers of an answer that belong to what was done, and so come back with it.
var repeated = []string{"Content-Type", "Set-Cookie", "Www-Authenticate", "Location", "Clear-Site-Data"}

// once does a POST with an Idempotency-Key once, and repeats its answer.
func (s *API) once(asks access) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.onceOnly(w, r, asks, next) })
	}
}

func (s *API) onceOnly(w http.ResponseWriter, r *http.Request, asks access, next http.Handler) {
	given, sent := r.Header[idempotencyKey]
	if !sent {
		next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		web.WriteError(w, r, web.BodyError(err))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	q := idempotency.Request{Key: given[0], Caller: s.caller(r, asks), Method: r.Method, Path: r.URL.RequestURI(), Body: body}
	if len(given) > 1 {
		q.Key = "" // which of them would count?
	}
	if err := q.Check(); err != nil {
		web.WriteError(w, r, err)
		return
	}
	before, err := s.app.Answers.Begin(r.Context(), q)
	switch {
	case err != nil:
		web.WriteError(w, r, err)
	case before != nil:
		replay(w, *before)
	default:
		s.first(w, r, q, next)
	}
}

// caller is what shows who asks, where the body does not: strangers who sign in are told apart by the secret in theirs.
func (s *API) caller(r *http.Request, asks access) string {
	if asks&user != 0 {
		return r.Context().Value(callKey{}).(*call).live.User.ID
	}
	if asks&cookied == 0 {
		return ""
	}
	cookie, _ := s.cookies.Session(r)
	refresh, _ := s.cookies.Refresh(r)
	return r.Header.Get("Authorization") + "\n" + cookie + "\n" + refresh
}

// first does what is asked and keeps the answer. One that says only that it did not work this time is not kept.
func (s *API) first(w http.ResponseWriter, r *http.Request, q idempotency.Request, next http.Handler) {
	done := context.WithoutCancel(r.Context()) // a client that goes away now is the one who will ask again
	kept := false
	defer func() {
		if !kept {
			if err := s.app.Answers.Forget(done, q); err != nil {
				s.app.Log.WarnContext(done, "an idempotency key could not be given back; it frees itself in a minute", "err", err)
			}
		}
	}()
	rec := &recording{ResponseWriter: w, status: http.StatusOK}
	next.ServeHTTP(rec, r)
	if rec.status >= http.StatusInternalServerError || rec.status == http.StatusTooManyRequests {
		return
	}
	a := idempotency.Answer{Status: rec.status, Header: map[string][]string{}, Body: rec.body.Bytes()}
	for _, name := range repeated {
		if values := w.Header()[name]; len(values) > 0 {
			a.Header[name] = values
		}
	}
	if err := s.app.Answers.End(done, q, a); err != nil {
		s.app.Log.WarnContext(done, "an answer could not be kept for its idempotency key", "err", err)
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
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (w *recording) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the body.
func (w *recording) Write(p []byte) (int, error) {
	w.body.Write(p)
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find the writer below.
func (w *recording) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// limitKept counts the requests per address that leave something behind before anybody knows who asks: an answer that is kept
// for its key.
func (s *API) limitKept(next http.Handler) http.Handler {
	counted := s.limit(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, sent := r.Header[idempotencyKey]; sent {
			counted.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
