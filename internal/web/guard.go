package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/impersonation"
	"github.com/admit-dev/admit/internal/mfa"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/token"
	"github.com/admit-dev/admit/internal/user"
)

var errBearer = token.ErrInvalid

// ErrRole is a person without the global role that is asked for.
var ErrRole = apperr.New(apperr.Forbidden, "missing_role", "This needs a role you do not have.")

// Guard finds out who is asking.
type Guard struct {
	cookies  *Cookies
	sessions *session.Service
	authz    *authz.Service
	mfa      *mfa.Policy
	acting   *impersonation.Service
	keys     *apikey.Service
	now      func() time.Time
}

// NewGuard reads these cookies and asks these sessions, roles, requirements, who may act in the name of others, and keys.
func NewGuard(cookies *Cookies, sessions *session.Service, az *authz.Service, required *mfa.Policy, acting *impersonation.Service, keys *apikey.Service, now func() time.Time) *Guard {
	return &Guard{cookies, sessions, az, required, acting, keys, now}
}

// Identify is who sent r, or a refusal: also for a session in which no second factor was shown, of somebody of whom one is required, and
// for who acts in the name of another and would change something.
func (g *Guard) Identify(r *http.Request) (*session.Live, error) {
	return g.alone(r, g.mfa.Enough)
}

// Enroller is Identify for what sets a second factor up: who has none needs none for it.
func (g *Guard) Enroller(r *http.Request) (*session.Live, error) {
	return g.alone(r, g.mfa.MayEnrol)
}

// Prover is Identify for what shows a second factor: a session that lacks it may.
func (g *Guard) Prover(r *http.Request) (*session.Live, error) {
	return g.alone(r, func(context.Context, *session.Session, *user.User) error { return nil })
}

// Either is Identify for what somebody may do who acts in the name of another.
func (g *Guard) Either(r *http.Request) (*session.Live, error) {
	return g.demand(r, g.mfa.Enough)
}

// Keyed is Identify, or with acting Either, for what may also be done with an API key: whoever asks goes by CallerOf, or asks for no more than
// who it is.
func (g *Guard) Keyed(r *http.Request, acting bool) (*session.Live, error) {
	live, err := g.Whoever(r)
	if err == nil {
		err = g.enough(r.Context(), live, g.mfa.Enough)
	}
	if err == nil && !acting {
		err = alone(r, live)
	}
	if err != nil {
		return nil, err
	}
	return live, nil
}

// Return gives a browser its own session back that it had before it acted in the name of another, and clears the cookie of the other. It says
// whose that is, or false where it has ended.
func (g *Guard) Return(w http.ResponseWriter, r *http.Request) (*session.Live, bool, error) {
	own, ok := g.cookies.Own(r)
	if !ok {
		g.cookies.ClearSession(w)
		return nil, false, nil
	}
	live, err := g.sessions.ByCookie(r.Context(), own)
	switch {
	case errors.Is(err, session.ErrUnknown):
		g.cookies.ClearSession(w)
		g.cookies.own.Clear(w)
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	g.cookies.Return(w, own, live.Session.ExpiresAt, g.now())
	return live, true, nil
}

// Acted is whose session a browser would go back to in which acting in the name of another has ended by itself, or nil.
func (g *Guard) Acted(r *http.Request) *session.Live {
	own, ok := g.cookies.Own(r)
	if !ok {
		return nil
	}
	live, err := g.sessions.ByCookie(r.Context(), own)
	if err != nil {
		return nil
	}
	return live
}

type demanded = func(context.Context, *session.Session, *user.User) error

// alone refuses who acts in the name of another what is more than looking.
func (g *Guard) alone(r *http.Request, enough demanded) (*session.Live, error) {
	live, err := g.demand(r, enough)
	if err == nil {
		err = alone(r, live)
	}
	if err != nil {
		return nil, err
	}
	return live, nil
}

func alone(r *http.Request, live *session.Live) error {
	if live.Session.Act != nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return authz.ErrActing
	}
	return nil
}

func (g *Guard) demand(r *http.Request, enough demanded) (*session.Live, error) {
	live, err := g.Recognize(r)
	if err == nil {
		err = g.enough(r.Context(), live, enough)
	}
	if err != nil {
		return nil, err
	}
	return live, nil
}

func (g *Guard) enough(ctx context.Context, live *session.Live, enough demanded) error {
	err := enough(ctx, &live.Session, &live.User)
	if errors.Is(err, authz.ErrMFA) && live.Session.Transport != session.Key {
		if raised, gone := g.sessions.Raised(ctx, live); gone != nil || raised {
			err = gone
		}
	}
	return err
}

// Recognize is who sent r, by bearer token or session cookie, or a refusal. A bearer token that is not valid is not made up
// for by a cookie: who shows one means it. It is for what somebody may do who has to show a second factor first. A key is nobody
// who could do anything for themselves: what may be done with one asks Keyed.
func (g *Guard) Recognize(r *http.Request) (*session.Live, error) {
	live, err := g.Whoever(r)
	if err == nil && live.Session.Transport == session.Key {
		return nil, authz.ErrCeiling
	}
	return live, err
}

// Whoever is Recognize, of keys too.
func (g *Guard) Whoever(r *http.Request) (*session.Live, error) {
	live, err := g.look(r)
	if err == nil {
		err = g.acting.Holds(r.Context(), &live.Session)
	}
	if err == nil && live.Session.Transport == session.Key {
		err = g.keys.Afford(live.Session.ID)
	}
	if err != nil {
		return nil, err
	}
	live.Session.Sign(database.OriginOf(r.Context()))
	return live, nil
}

// Enough refuses a session that is not enough for its person, or whose actor may no longer act in their name.
func (g *Guard) Enough(ctx context.Context, n *session.Session, u *user.User) error {
	if err := g.acting.Holds(ctx, n); err != nil {
		return err
	}
	return g.mfa.Enough(ctx, n, u)
}

func (g *Guard) look(r *http.Request) (*session.Live, error) {
	text, present, err := Bearer(r)
	if err != nil {
		return nil, err
	}
	switch {
	case present && apikey.Is(text):
		return g.keys.ByText(r.Context(), text)
	case present:
		return g.sessions.ByAccessToken(r.Context(), text)
	}
	if cookie, ok := g.cookies.Session(r); ok {
		return g.sessions.ByCookie(r.Context(), cookie)
	}
	return nil, session.ErrUnknown
}

// CallerOf is who sent r, with what conditions and guards may read of the request: context.ip, context.amr,
// context.auth_age in seconds, and context.transport.
func (g *Guard) CallerOf(r *http.Request, live *session.Live) authz.Caller {
	n := live.Session
	c := authz.Caller{User: live.User.ID, Context: map[string]any{
		"ip": database.OriginOf(r.Context()).IP, "amr": n.AMR, "auth_age": int64(g.now().Sub(n.FreshAt()).Seconds()), "transport": string(n.Transport)}}
	c.Ceiling = n.Ceiling
	if n.Act != nil {
		c.Ceiling = &authz.Ceiling{Actor: n.Act.UserID}
	}
	return c
}

type liveKey struct{}

// LiveFrom is who sent the request, or nil outside RequireUser.
func LiveFrom(ctx context.Context) *session.Live {
	live, _ := ctx.Value(liveKey{}).(*session.Live)
	return live
}

// RequireUser lets only signed-in people through, who acts in their name, and keys of theirs, and refuses everybody else with 401.
func (g *Guard) RequireUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		live, err := g.Keyed(r, true)
		if err != nil {
			WriteError(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), liveKey{}, live)))
	})
}

// Fresh refuses somebody who has not proved for that long that it is them.
func (g *Guard) Fresh(ctx context.Context, live *session.Live, most time.Duration) error {
	if live.Session.Act != nil {
		return authz.ErrActing
	}
	if live.Session.Transport == session.Key {
		return authz.ErrCeiling
	}
	if live.User.Guest {
		return nil // has nothing to prove it with, and nothing to lose but the session
	}
	fresh, err := g.sessions.Fresh(ctx, live, most)
	if err == nil && !fresh {
		err = authz.ErrStepUp
	}
	return err
}

// RequireFresh lets only people through who proved a short time ago that it is them: 401 for strangers, 403 for everybody else.
func (g *Guard) RequireFresh(most time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return g.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := g.Fresh(r.Context(), LiveFrom(r.Context()), most); err != nil {
				WriteError(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}

// RequireGlobalRole lets only people with a global role through: 401 for strangers, 403 for everybody else.
func (g *Guard) RequireGlobalRole(role string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return g.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			live := LiveFrom(r.Context())
			if live.Session.Transport == session.Key { // what it may do is said in permissions, and by no role
				WriteError(w, r, authz.ErrCeiling)
				return
			}
			if !live.User.HasRole(role) {
				WriteError(w, r, ErrRole)
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}

// RequirePermission lets only people through who have a permission in the organization that org names, by its id; "" is the
// platform. Everybody else is told what is missing: 401 for strangers, 403 for those who are signed in.
func (g *Guard) RequirePermission(permission string, org func(*http.Request) (string, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return g.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			orgID, err := org(r)
			if err == nil {
				database.OriginOf(r.Context()).Org = orgID
				err = g.authz.RequireOpenly(r.Context(), g.CallerOf(r, LiveFrom(r.Context())), permission, orgID)
			}
			if err != nil {
				WriteError(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}
