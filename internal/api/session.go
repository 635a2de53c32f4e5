package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/device"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/session"
)

// ErrCursor is a place in a list that no list gave.
var ErrCursor = apperr.New(apperr.Malformed, "cursor_invalid", "This cursor was not given by this list. Begin without one.").In("cursor")

// Session is a sign-in that is alive, on the wire.
type Session struct {
	ID         string    `json:"id" doc:"ses_…"`
	Current    bool      `json:"current" doc:"Whether this request came with it."`
	Transport  string    `json:"transport" enum:"cookie,token"`
	Device     string    `json:"device" doc:"A guess for people to recognise it by."`
	IP         string    `json:"ip"`
	UserAgent  string    `json:"user_agent"`
	Methods    []string  `json:"methods" doc:"How it was signed in (RFC 8176)."`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	Actor      *Actor    `json:"actor,omitempty" doc:"Only where somebody else acts in your name: who."`
}

// Sessions is a part of the list.
type Sessions struct {
	Items      []Session `json:"items"`
	NextCursor *string   `json:"next_cursor" doc:"Give it as cursor for the next part; null at the end."`
}

func newSession(n session.Session, current string) Session {
	return Session{n.ID, n.ID == current, string(n.Transport), device.Name(n.UserAgent), n.IP, n.UserAgent, n.AMR, n.CreatedAt, n.SeenAt, n.ExpiresAt, newActor(n)}
}

// Part asks for a part of a list.
type Part struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Most items to give."`
	Cursor string `query:"cursor" maxLength:"100" doc:"Where to go on: next_cursor of the part before."`
}

type oneSession struct {
	ID string `path:"id" maxLength:"100"`
}

type endAll struct {
	Body *struct { // a pointer: there may be none
		KeepCurrent bool `json:"keep_current,omitempty" doc:"Leave the session that asks."`
	}
}

// Ended says how many sessions were ended.
type Ended struct {
	Message string `json:"message"`
	Revoked int    `json:"revoked"`
}

func (s *API) sessions() {
	tags := []string{"Account"}
	operation(s, huma.Operation{Method: "GET", Path: "/auth/sessions", Summary: "Where you are signed in, newest first", Tags: tags}, user, s.listSessions)
	operation(s, huma.Operation{Method: "DELETE", Path: "/auth/sessions/{id}", Summary: "Sign one device out", DefaultStatus: http.StatusNoContent, Tags: tags}, user, s.endSession)
	operation(s, huma.Operation{Method: "POST", Path: "/auth/logout-all", Summary: "Sign out everywhere", Tags: tags}, user, s.endAll)
}

func (s *API) listSessions(q *call, in *Part) (Sessions, error) {
	if in.Cursor != "" && !id.Valid("ses", in.Cursor) {
		return Sessions{}, ErrCursor
	}
	list, err := s.app.Sessions.List(q, q.live.User.ID)
	out := Sessions{Items: []Session{}}
	for _, n := range list {
		if in.Cursor != "" && n.ID >= in.Cursor {
			continue
		}
		if len(out.Items) == in.Limit {
			out.NextCursor = &out.Items[in.Limit-1].ID
			break
		}
		out.Items = append(out.Items, newSession(n, q.live.Session.ID))
	}
	return out, err
}

func (s *API) endSession(q *call, in *oneSession) (nothing, error) {
	err := s.app.Sessions.Revoke(q, q.live.User.ID, in.ID, session.RevokedByUser)
	if err == nil && in.ID == q.live.Session.ID {
		s.cookies.ClearSession(q.w)
	}
	return nothing{}, err
}

func (s *API) endAll(q *call, in *endAll) (Ended, error) {
	except := ""
	if in.Body != nil && in.Body.KeepCurrent {
		except = q.live.Session.ID
	}
	n, err := s.app.Sessions.RevokeAll(q, q.live.User.ID, except, session.RevokedByUser)
	if err == nil && except == "" {
		s.cookies.ClearSession(q.w)
	}
	return Ended{"You are signed out.", n}, err
}
