package admit

import (
	"context"
	"net/http"
	"time"

	"github.com/admit-dev/admit/internal/place"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/web"
)

// User is who sent a request.
type User struct {
	ID            string
	Name          string
	Email         string // "" when there is none
	EmailVerified bool
	Username      string
	Phone         string // E.164
	Roles         []string
	SessionID     string    // "" where an API key was shown
	AuthAt        time.Time // when they last proved who they are; in 1970 where an API key was shown
	ActorID       string    // who acts in their name; "" for themselves
	KeyID         string    // the API key that was shown, or that the token is of; "" for a session. Roles is empty then: ask for permissions
}

// HasRole reports whether the person holds a global role.
func (u *User) HasRole(role string) bool {
	for _, r := range u.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// RequireUser lets only signed-in people through to next, by session cookie, bearer token or API key, and answers 401 to everybody
// else. A session that ended is refused on the next request.
func (s *Server) RequireUser(next http.Handler) http.Handler {
	return s.edge.Wrap(s.guard.RequireUser(next))
}

// RequireGlobalRole lets only people with a global role through, such as super_admin: 401 for strangers, 403 for others.
func (s *Server) RequireGlobalRole(role string) func(http.Handler) http.Handler {
	require := s.guard.RequireGlobalRole(role)
	return func(next http.Handler) http.Handler { return s.edge.Wrap(require(next)) }
}

// RequireFresh lets only people through who proved less than most ago that it is them, by signing in or by POST
// /auth/reauthenticate: 401 for strangers, and 403 with the code reauthentication_required for everybody else. It is for what
// somebody who finds an open browser must not do.
func (s *Server) RequireFresh(most time.Duration) func(http.Handler) http.Handler {
	require := s.guard.RequireFresh(most)
	return func(next http.Handler) http.Handler { return s.edge.Wrap(require(next)) }
}

// Place says which organization a request is about: its id or slug. "" is none, and asks about the whole platform.
type Place = place.Place

// OrgFromPath takes the organization from a wildcard of the route's pattern, as in /orgs/{org}/jobs.
func OrgFromPath(name string) Place { return place.FromPath(name) }

// OrgFromQuery takes the organization from a parameter of the query.
func OrgFromQuery(name string) Place { return place.FromQuery(name) }

// Platform asks about the whole platform.
func Platform(*http.Request) string { return "" }

// RequirePermission lets only people through who have a permission, such as post_job, in the organization that org names: 401 for
// strangers, 403 for others, with a problem (RFC 9457) that says what is missing. It goes by what holds now, whatever the
// access token says, and asks no database for it. A permission that was never declared is an error (422) and nobody's.
func (s *Server) RequirePermission(permission string, org Place) func(http.Handler) http.Handler {
	require := s.guard.RequirePermission(permission, func(r *http.Request) (string, error) { return s.app.Authz.OrgID(r.Context(), org(r)) })
	return func(next http.Handler) http.Handler { return s.edge.Wrap(require(next)) }
}

// UserFrom is who sent the request, or nil outside RequireUser and RequireGlobalRole.
func UserFrom(ctx context.Context) *User {
	live := web.LiveFrom(ctx)
	if live == nil {
		return nil
	}
	u := live.User
	n := live.Session
	by, sessionID, keyID := "", n.ID, ""
	if n.Act != nil {
		by = n.Act.UserID
	}
	if n.Transport == session.Key {
		sessionID, keyID = "", n.ID
	}
	return &User{ID: u.ID, Name: u.Name, Email: u.Email, EmailVerified: u.EmailVerified, Username: u.Username, Phone: u.Phone,
		Roles: append([]string(nil), u.Roles...), SessionID: sessionID, AuthAt: n.FreshAt(), ActorID: by, KeyID: keyID}
}
