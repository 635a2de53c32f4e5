package api

import (
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/web"
)

// passwordForm is the OAuth 2 password form as FastAPI's clients send it, or the same as JSON.
type passwordForm struct {
	Body struct {
		Username     string `json:"username,omitempty" maxLength:"320" doc:"A username, an e-mail address or a phone number." example:"john_doe"`
		Email        string `json:"email,omitempty" maxLength:"320"`
		Identifier   string `json:"identifier,omitempty" maxLength:"320"`
		Password     string `json:"password" maxLength:"4096"`
		GrantType    string `json:"grant_type,omitempty" enum:"password," doc:"Read for the sake of OAuth 2 clients."`
		Scope        string `json:"scope,omitempty" maxLength:"1000"`
		ClientID     string `json:"client_id,omitempty" maxLength:"200"`
		ClientSecret string `json:"client_secret,omitempty" maxLength:"1000"`
	}
}

type refresh struct {
	Body *struct { // a pointer: there may be none
		RefreshToken string `json:"refresh_token,omitempty" maxLength:"4096" doc:"For clients without cookies. It is answered with its successor."`
	}
}

func (s *API) v1() {
	tags := []string{"Tokens"}
	operation(s, huma.Operation{Method: "POST", Path: "/api/v1/register", Summary: "Make an account", DefaultStatus: http.StatusCreated, Responses: s.made(User{}), Tags: tags}, limited, s.register)
	operation(s, huma.Operation{Method: "POST", Path: "/api/v1/login", Summary: "Get an access token and the refresh cookie", Responses: s.shapes(http.StatusOK, "application/json", Tokens{}), Tags: tags}, limited|formed, s.tokenLogin)
	operation(s, huma.Operation{Method: "POST", Path: "/api/v1/refresh", Summary: "Get a new access token; the refresh token is rotated", Tags: tags}, cookied, s.refresh)
	operation(s, huma.Operation{Method: "POST", Path: "/api/v1/logout", Summary: "Sign out: the session is dead at once", Tags: tags}, cookied, s.tokenLogout)
}

func (s *API) register(q *call, in *signUp) (any, error) {
	if s.app.Config.Login.Strict() {
		out, err := s.app.Passwords.SignUp(q, in.person(), in.Body.Password, login.Finish{Given: in.given()}, agreed(in.Body.Consents)...)
		if err == nil && out.Step == nil {
			err = newAccepted()
		}
		return s.entered(q, page, out, err)
	}
	out, err := s.app.Passwords.Register(q, in.person(), in.Body.Password, in.given(), agreed(in.Body.Consents)...)
	if err != nil || out.Step != nil {
		return s.entered(q, page, out, err)
	}
	return s.user(q, out.User)
}

func (s *API) tokenLogin(q *call, in *passwordForm) (any, error) {
	who, err := identifier(in.Body.Username, in.Body.Email, in.Body.Identifier)
	if err != nil {
		return nil, err
	}
	out, err := s.app.Door.SignIn(q, who, "password", login.Answer{"password": in.Body.Password}, s.finish(q, page, false))
	return s.entered(q, page, out, err)
}

// held is the refresh token a request came with: in the body for native clients, else in the cookie.
func (s *API) held(q *call, in *refresh) (token string, native bool) {
	if in.Body != nil && in.Body.RefreshToken != "" {
		return in.Body.RefreshToken, true
	}
	token, _ = s.cookies.Refresh(q.r)
	return token, false
}

func (s *API) refresh(q *call, in *refresh) (Tokens, error) {
	given, native := s.held(q, in)
	next, err := s.app.Sessions.Refresh(q, given, s.guard.Enough)
	if err != nil {
		if !native && (errors.Is(err, session.ErrRefresh) || errors.Is(err, session.ErrReused)) {
			s.cookies.ClearRefresh(q.w)
		}
		return Tokens{}, err
	}
	access, err := s.issue(q, next.User, next.Session)
	if err != nil {
		return Tokens{}, err
	}
	out := Tokens{AccessToken: access.Token, TokenType: "bearer", ExpiresIn: int64(access.ExpiresIn.Seconds())}
	if native {
		out.RefreshToken = next.Token
	} else {
		s.cookies.SetRefresh(q.w, next.Token, next.Session.ExpiresAt, s.app.DB.Now())
	}
	return out, nil
}

func (s *API) tokenLogout(q *call, in *refresh) (Message, error) {
	given, _ := s.held(q, in)
	var err error
	if given == "" {
		var live *session.Live
		if _, present, _ := web.Bearer(q.r); !present {
			return Message{}, session.ErrRefresh
		}
		if live, err = s.guard.Recognize(q.r); err == nil {
			err = s.app.Sessions.Revoke(q, live.User.ID, live.Session.ID, session.SignedOut)
		}
	} else {
		err = s.app.Sessions.RevokeRefresh(q, given)
	}
	if err != nil && !errors.Is(err, session.ErrNone) {
		return Message{}, err
	}
	s.cookies.ClearRefresh(q.w)
	q.w.Header().Set("Clear-Site-Data", `"cache"`)
	return Message{"You are signed out."}, nil
}
