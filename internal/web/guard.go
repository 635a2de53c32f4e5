package web

import (
	"context"
	"net/http"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/token"
)

var errBearer = token.ErrInvalid

// ErrRole is a person without the global role that is asked for.
var ErrRole = apperr.New(apperr.Forbidden, "missing_role", "This needs a role you do not have.")

// Guard finds out who is asking.
type Guard struct {
	cookies  *Cookies
	sessions *session.Service
}

// NewGuard reads these cookies and asks these sessions.
func NewGuard(cookies *Cookies, sessions *session.Service) *Guard { return &Guard{cookies, sessions} }

// Identify is who sent r, by bearer token or session cookie, or a refusal. A bearer token that is not valid is not made up
// for by a cookie: who shows one means it.
func (g *Guard) Identify(r *http.Request) (*session.Live, error) {
	live, err := g.look(r)
	if err == nil {
		from := database.OriginOf(r.Context())
		from.Actor, from.Session = live.User.ID, live.Session.ID
	}
	return live, err
}

func (g *Guard) look(r *http.Request) (*session.Live, error) {
	text, present, err := Bearer(r)
	if err != nil {
		return nil, err
	}
	if present {
		return g.sessions.ByAccessToken(r.Context(), text)
	}
	if cookie, ok := g.cookies.Session(r); ok {
		return g.sessions.ByCookie(r.Context(), cookie)
	}
	return nil, session.ErrUnknown
}

type liveKey struct{}

// LiveFrom is who sent the request, or nil outside RequireUser.
func LiveFrom(ctx context.Context) *session.Live {
	live, _ := ctx.Value(liveKey{}).(*session.Live)
	return live
}

// RequireUser lets only signed-in people through, and refuses everybody else with 401.
func (g *Guard) RequireUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		live, err := g.Identify(r)
		if err != nil {
			WriteError(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), liveKey{}, live)))
	})
}

// RequireGlobalRole lets only people with a global role through: 401 for strangers, 403 for everybody else.
func (g *Guard) RequireGlobalRole(role string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return g.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !LiveFrom(r.Context()).User.HasRole(role) {
				WriteError(w, r, ErrRole)
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}
