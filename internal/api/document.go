package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Key sets are described by their outside only: what a key has depends on its kind (RFC 7517).
type keySet struct {
	Keys []map[string]any `json:"keys"`
}

// shapes describes an answer that has one of several shapes.
func (s *API) shapes(status int, contentType string, each ...any) map[string]*huma.Response {
	var list []*huma.Schema
	for _, v := range each {
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
	if asks&formed != 0 {
		content := s.huma.OpenAPI().Paths[op.Path].Post.RequestBody.Content
		content[formType] = &huma.MediaType{Schema: content["application/json"].Schema}
	}
}
