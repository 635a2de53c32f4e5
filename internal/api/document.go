package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/session"
)

// Key sets are described by their outside only: what a key has depends on its kind (RFC 7517).
type keySet struct {
	Keys []map[string]any `json:"keys"`
}

// shapes describes an answer that has one of several shapes; that of tokens only where there are any.
func (s *API) shapes(status int, contentType string, each ...any) map[string]*huma.Response {
	var list []*huma.Schema
	for _, v := range each {
		if _, tokens := v.(Tokens); tokens && len(each) > 1 && !s.app.Config.Parts.On(part.Tokens) {
			continue
		}
		list = append(list, s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v), true, ""))
	}
	schema := list[0]
	if len(list) > 1 {
		schema = &huma.Schema{OneOf: list}
	}
	return map[string]*huma.Response{itoa(status): {Description: http.StatusText(status), Content: map[string]*huma.MediaType{contentType: {Schema: schema}}}}
}

// entering describes the answers of what ends in a session: the person, or the tokens a client asked for.
func (s *API) entering(status int) map[string]*huma.Response {
	return s.shapes(status, "application/json", Entered{}, Tokens{})
}

// made describes the answers of what makes an account; under ENUMERATION_PROTECTION=strict there is the second.
func (s *API) made(shapes ...any) map[string]*huma.Response {
	all := s.shapes(http.StatusCreated, "application/json", shapes...)
	all[itoa(http.StatusAccepted)] = s.shapes(http.StatusAccepted, "application/json", Message{})[itoa(http.StatusAccepted)]
	return all
}

// complete adds to the document what the framework cannot know of an operation.
func (s *API) complete(op huma.Operation, asks access) {
	if empty := op.Responses[itoa(http.StatusNoContent)]; empty != nil {
		empty.Content = nil
	}
	if !s.app.Config.Parts.On(part.Tokens) {
		s.cookiesOnly(op)
	}
	if asks&formed != 0 {
		content := s.huma.OpenAPI().Paths[op.Path].Post.RequestBody.Content
		content[formType] = &huma.MediaType{Schema: content["application/json"].Schema}
	}
}

// cookiesOnly leaves of the ways in which a session can come back the one there is without tokens: requests are held to the document.
func (s *API) cookiesOnly(op huma.Operation) {
	path := s.huma.OpenAPI().Paths[op.Path]
	if path == nil || op.Method != http.MethodPost {
		return
	}
	for _, p := range path.Post.Parameters {
		if p.Name == "transport" {
			p.Description, p.Schema.Description = "", ""
			p.Schema.Enum = []any{string(session.Cookie)}
			p.Schema.PrecomputeMessages()
		}
	}
}
