package api

import (
	"net/http"

	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/web"
)

// once does a POST with an Idempotency-Key once, and repeats its answer.
func (s *API) once(asks access) func(http.Handler) http.Handler {
	return s.repeats.Wrap(func(r *http.Request) string { return s.caller(r, asks) })
}

// caller is what shows who asks, where the body does not: strangers who sign in are told apart by the secret in theirs.
func (s *API) caller(r *http.Request, asks access) string {
	if asks&user != 0 {
		live := r.Context().Value(callKey{}).(*call).live
		if live.Session.Transport == session.Key {
			return live.Session.ID // what was answered to its person is not for a key of theirs
		}
		return live.User.ID
	}
	if asks&cookied == 0 {
		return ""
	}
	cookie, _ := s.cookies.Session(r)
	refresh, _ := s.cookies.Refresh(r)
	return r.Header.Get("Authorization") + "\n" + cookie + "\n" + refresh
}

// limitKept counts the requests per address that leave something behind before anybody knows who asks: an answer that is kept
// for its key.
func (s *API) limitKept(next http.Handler) http.Handler {
	counted := s.limit(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, sent := r.Header[web.IdempotencyKey]; sent {
			counted.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
