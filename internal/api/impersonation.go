package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/impersonation"
	"github.com/admit-dev/admit/internal/session"
)

type impersonateIn struct {
	UserRef
	Carrier
	Body struct {
		Reason  string `json:"reason" maxLength:"2000" doc:"Why, in 5 to 500 characters. The person reads it, and it stands in the audit log." example:"Ticket 4711: the invoice page stays empty"`
		Minutes int    `json:"minutes,omitempty" doc:"For how long at most; without it as long as IMPERSONATION_MINUTES allows."`
	}
}

func (s *API) impersonation() {
	operation(s, huma.Operation{Method: "POST", Path: "/api/v1/users/{user}/impersonate", Summary: "Act in the name of a person for a while, in a session of its own", Responses: s.shapes(http.StatusOK, "application/json", Me{}, Tokens{}), Tags: []string{"Users"}}, user|fresh, s.impersonate)
	operation(s, huma.Operation{Method: "POST", Path: "/auth/impersonation/end", Summary: "Stop acting in the name of a person, and go on as oneself", Tags: []string{"Account"}}, user|acting, func(q *call, _ *struct{}) (Message, error) {
		if err := s.app.Acting.End(q, q.live); err != nil {
			return Message{}, err
		}
		if _, _, err := s.guard.Return(q.w, q.r); err != nil {
			return Message{}, err
		}
		return Message{"You act as yourself again."}, nil
	})
}

func (s *API) impersonate(q *call, in *impersonateIn) (any, error) {
	transport := session.Cookie
	if in.Transport == string(session.Token) {
		transport = session.Token
	}
	b, err := s.app.Acting.Begin(q, q.caller(), q.live, impersonation.Ask{UserID: in.User, Reason: in.Body.Reason, Minutes: in.Body.Minutes, Transport: transport})
	if err != nil {
		return nil, err
	}
	if transport == session.Token {
		access, err := s.issue(q, b.User, b.Session)
		return Tokens{AccessToken: access.Token, RefreshToken: b.Credential, TokenType: "bearer", ExpiresIn: int64(access.ExpiresIn.Seconds())}, err
	}
	s.cookies.Act(q.w, q.r, b.Credential, q.live.Session.ExpiresAt, s.app.DB.Now())
	u, err := s.user(q, b.User)
	return Me{u, newActor(b.Session), nil}, err
}
