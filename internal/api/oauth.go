package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/serviceaccount"
	"github.com/admit-dev/admit/internal/strict"
	"github.com/admit-dev/admit/internal/web"
)

// OAuthToken is an access token as RFC 6749 section 5.1 has it.
type OAuthToken struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type" enum:"Bearer"`
	ExpiresIn   int64  `json:"expires_in" doc:"Seconds until it expires."`
	Scope       string `json:"scope" doc:"What it is for, with spaces between."`
}

// OAuthError is a refusal as RFC 6749 section 5.2 has it.
type OAuthError struct {
	Error       string `json:"error" enum:"invalid_request,invalid_client,invalid_scope,unsupported_grant_type"`
	Description string `json:"error_description"`
}

func (s *API) oauth() {
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: "string", Description: doc} }
	op := huma.Operation{Method: "POST", Path: "/oauth2/token", Summary: "Get an access token for a key of a service account (RFC 6749, section 4.4)", Tags: []string{"OAuth 2"},
		Description: "The account is the client_id and one of its keys the client_secret, in the form or as HTTP Basic.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{formType: {Schema: &huma.Schema{Type: "object", Required: []string{"grant_type"}, Properties: map[string]*huma.Schema{
			"grant_type": {Type: "string", Enum: []any{"client_credentials"}}, "scope": text("Permissions and patterns, with spaces between; all that the key is for when left out."),
			"client_id": text("svc_…"), "client_secret": text("admit_svc_…")}}}}},
	}
	s.response(&op, http.StatusOK, reflect.TypeFor[OAuthToken]())
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized} {
		s.response(&op, status, reflect.TypeFor[OAuthError]())
	}
	raw[OAuthToken](s, op, limited, s.token)
}

// token answers in the words of RFC 6749; who has to wait, and what is our fault, as everywhere else.
func (s *API) token(w http.ResponseWriter, r *http.Request) {
	id, key, in, no := s.client(r)
	switch {
	case no != "":
		oauthRefusal(w, http.StatusBadRequest, "invalid_request", no)
		return
	case in["grant_type"] == "":
		oauthRefusal(w, http.StatusBadRequest, "invalid_request", "grant_type is missing.")
		return
	case in["grant_type"] != "client_credentials":
		oauthRefusal(w, http.StatusBadRequest, "unsupported_grant_type", "There are tokens for client_credentials alone.")
		return
	}
	t, err := s.app.Programs.Exchange(r.Context(), id, key, in["scope"])
	switch {
	case errors.Is(err, serviceaccount.ErrClient):
		w.Header().Set("WWW-Authenticate", `Basic realm="admit"`)
		oauthRefusal(w, http.StatusUnauthorized, "invalid_client", serviceaccount.ErrClient.Message)
	case errors.Is(err, serviceaccount.ErrScope):
		oauthRefusal(w, http.StatusBadRequest, "invalid_scope", serviceaccount.ErrScope.Message)
	case err != nil:
		web.WriteError(w, r, err)
	default:
		newAnswer(OAuthToken{t.Token, "Bearer", int64(t.ExpiresIn.Seconds()), t.Scope}).write(w)
	}
}

// client reads the form, and the account and its key: as HTTP Basic (RFC 6749, section 2.3.1) or in the form, never both. no says what is
// wrong with the request.
func (s *API) client(r *http.Request) (id, key string, in map[string]string, no string) {
	body, err := read(r, true)
	if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), formType) {
		return "", "", nil, "Send a form: application/x-www-form-urlencoded."
	}
	members, err := strict.Form(body)
	if err != nil {
		return "", "", nil, "The form cannot be read: each parameter stands in it once, in UTF-8."
	}
	in = map[string]string{}
	for name, value := range members {
		in[name], _ = value.(string)
	}
	id, key = in["client_id"], in["client_secret"]
	user, password, basic := r.BasicAuth()
	switch {
	case basic && key != "":
		return "", "", nil, "The client shows itself twice: as HTTP Basic and in the form."
	case basic:
		var faults [2]error
		user, faults[0] = url.QueryUnescape(user)
		password, faults[1] = url.QueryUnescape(password)
		if errors.Join(faults[:]...) != nil || id != "" && id != user {
			return "", "", nil, "The client is named in two ways, or in one that cannot be read."
		}
		id, key = user, password
	}
	return id, key, in, ""
}

func oauthRefusal(w http.ResponseWriter, status int, code, description string) {
	body, err := json.Marshal(OAuthError{code, description})
	if err != nil {
		panic(err) // our own type
	}
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
