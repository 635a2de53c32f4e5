package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/session"
)

// Provider is a service one can sign in with, on the wire.
type Provider struct {
	Name  string `json:"name" doc:"Its name in addresses."`
	Title string `json:"title" doc:"What people call it."`
	Login string `json:"login" doc:"Where to send the browser."`
}

// Providers are all of them, in the order to show them.
type Providers struct {
	Items []Provider `json:"items"`
}

// Identity is an account at a provider that opens an account here, on the wire.
type Identity struct {
	ID         string    `json:"id" doc:"idn_…"`
	Provider   string    `json:"provider"`
	Title      string    `json:"title" doc:"What people call the provider."`
	Email      *string   `json:"email" doc:"As the provider said it last, or null."`
	Name       string    `json:"name"`
	Picture    *string   `json:"picture" doc:"An https address, or null."`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"`
}

// Identities are all of a person, the oldest first.
type Identities struct {
	Items []Identity `json:"items"`
}

// Redirect is where the browser is to be sent.
type Redirect struct {
	Redirect string `json:"redirect"`
}

type linkIn struct {
	Carrier
	Provider string    `path:"provider" maxLength:"40" doc:"The name of a provider."`
	Body     *struct { // a pointer: there may be none
		ReturnTo  string `json:"return_to,omitempty" maxLength:"2000" doc:"Where to lead back to: a path, or an address of a known origin; for transport=token one of APP_REDIRECTS."`
		Challenge string `json:"code_challenge,omitempty" maxLength:"100" doc:"For transport=token: the base64url of the SHA-256 of a secret that the app keeps (RFC 7636, S256)."`
	}
}

type redeemIn struct {
	Body struct {
		Code     string `json:"code" maxLength:"100" doc:"What the app was called with."`
		Verifier string `json:"code_verifier" maxLength:"200" doc:"The secret whose code_challenge the app began with."`
	}
}

type oneIdentity struct {
	ID string `path:"id" maxLength:"100"`
}

func newIdentity(i social.Identity) Identity {
	out := Identity{ID: i.ID, Provider: i.Provider, Title: i.Title, Name: i.Name, CreatedAt: i.CreatedAt, LastUsedAt: i.LastUsedAt}
	if i.Email != "" {
		out.Email = &i.Email
	}
	if i.Picture != "" {
		out.Picture = &i.Picture
	}
	return out
}

func (s *API) social() {
	s.trip = s.cookies.Named("social_trip", "/auth").Crossing()
	in, account := []string{"Signing in"}, []string{"Account"}
	operation(s, huma.Operation{Method: "GET", Path: "/auth/providers", Summary: "The services one can sign in with", Tags: in}, public, func(*call, *struct{}) (Providers, error) {
		out := Providers{Items: []Provider{}}
		for _, p := range s.app.Social.Providers() {
			out.Items = append(out.Items, Provider{p.Name, p.Title, s.app.Config.Web.Outside("/auth/" + p.Name + "/login")})
		}
		return out, nil
	})
	s.browsed("/auth/{provider}/login", "Send the browser to another service to sign in", http.StatusFound, "return_to", "transport", "code_challenge", "code_challenge_method", "remember")
	s.browsed("/auth/{provider}/callback", "Where the other service sends the browser back to", http.StatusSeeOther, "state", "code", "error", "iss", "name")
	operation(s, huma.Operation{Method: "POST", Path: "/auth/social/token", Summary: "Get tokens for the code a native app was called with", Responses: s.shapes(http.StatusOK, "application/json", Tokens{}, Identity{}), Tags: in}, limited, s.redeem)
	operation(s, huma.Operation{Method: "POST", Path: "/auth/{provider}/link", Summary: "Begin to connect an account at another service", Tags: account}, user|fresh, s.link)
	operation(s, huma.Operation{Method: "GET", Path: "/auth/identities", Summary: "The accounts at other services that open this one", Tags: account}, user, func(q *call, _ *struct{}) (Identities, error) {
		list, err := s.app.Social.List(q, q.live.User.ID)
		out := Identities{Items: []Identity{}}
		for _, i := range list {
			out.Items = append(out.Items, newIdentity(i))
		}
		return out, err
	})
	operation(s, huma.Operation{Method: "DELETE", Path: "/auth/identities/{id}", Summary: "Disconnect an account at another service", DefaultStatus: http.StatusNoContent, Tags: account}, user|fresh, func(q *call, in *oneIdentity) (nothing, error) {
		return nothing{}, s.app.Social.Unlink(q, q.live.User.ID, q.live.Session.ID, in.ID)
	})
}

// browsed describes an operation that is a page's.
func (s *API) browsed(path, summary string, status int, query ...string) {
	if !s.app.Config.Parts.On(part.Pages) {
		return
	}
	op := huma.Operation{Method: "GET", Path: path, Summary: summary, Tags: []string{"Signing in"}}
	if strings.Contains(path, "{provider}") {
		op.Parameters = []*huma.Param{{Name: "provider", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}, Description: "The name of a provider."}}
	}
	for _, name := range query {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "query", Schema: &huma.Schema{Type: "string"}})
	}
	s.declare(&op, public)
	op.Responses[itoa(status)] = &huma.Response{Description: "The browser is led on."}
	if status == http.StatusOK {
		op.Responses[itoa(status)] = &huma.Response{Description: "A page.", Content: map[string]*huma.MediaType{"text/html; charset=utf-8": {Schema: &huma.Schema{Type: "string"}}}}
	}
	s.huma.OpenAPI().AddOperation(&op)
}

func (s *API) link(q *call, in *linkIn) (Redirect, error) {
	t := social.Trip{UserID: q.live.User.ID, SessionID: q.live.Session.ID}
	given, challenge := "", ""
	if in.Body != nil {
		given, challenge = in.Body.ReturnTo, in.Body.Challenge
	}
	if !s.app.Social.Offers(in.Provider) {
		return Redirect{}, social.ErrProvider
	}
	var err error
	if in.Transport == string(session.Token) {
		if t.Challenge = challenge; challenge == "" {
			return Redirect{}, social.ErrChallenge
		}
		t.ReturnTo, err = s.app.Config.Web.ReturnToApp(given)
	} else {
		if t.Browser, _ = s.trip.Get(q.r); len(t.Browser) != 64 {
			t.Browser = secret.Hex32()
		}
		t.ReturnTo, err = s.app.Config.Web.ReturnTo(given)
	}
	if err != nil {
		return Redirect{}, err
	}
	to, err := s.app.Social.Begin(q, in.Provider, t)
	if err == nil && t.Browser != "" {
		now := s.app.DB.Now()
		s.trip.Set(q.w, t.Browser, now.Add(social.TripLife), now)
	}
	return Redirect{to}, err
}

func (s *API) redeem(q *call, in *redeemIn) (any, error) {
	var userID, sessionID string
	live, err := s.guard.Identify(q.r)
	switch {
	case err == nil:
		userID, sessionID = live.User.ID, live.Session.ID
	case !errors.Is(err, session.ErrUnknown) && !errors.Is(err, authz.ErrMFA): // whose session is not enough may sign in anew
		return nil, err
	}
	out, err := s.app.Social.Redeem(q, in.Body.Code, in.Body.Verifier, userID, sessionID, login.Finish{Transport: session.Token})
	if err == nil && out.Linked != nil {
		return newIdentity(*out.Linked), nil
	}
	return s.entered(q, Delivery{string(session.Token)}, out.Outcome, err)
}
