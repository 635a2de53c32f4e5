package api

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/token"
)

// Checks is how the server stands.
type Checks struct {
	Items []app.Check `json:"items"`
}

// Settings is every setting.
type Settings struct {
	Production bool             `json:"production"`
	Items      []config.Setting `json:"items"`
}

// SigningKeys is the keys that count now.
type SigningKeys struct {
	Items []token.Key `json:"items" doc:"The newest first."`
}

// Ways is what people sign in with.
type Ways struct {
	Items []app.Way `json:"items"`
}

type checksIn struct {
	Services bool `query:"services" doc:"Ask also those that carry mail and texts and those people sign in with. That takes a while."`
}

func (s *API) server() {
	tags := []string{"Server"}
	at := "/api/v1/server"
	operation(s, huma.Operation{Method: "GET", Path: at + "/overview", Summary: "How the site is used, and what needs attention", Tags: tags}, user|keyed, func(q *call, _ *struct{}) (app.Overview, error) {
		return s.app.Overview(q, q.caller())
	})
	operation(s, huma.Operation{Method: "GET", Path: at + "/checks", Summary: "How the server stands", Tags: tags}, user|keyed, func(q *call, in *checksIn) (Checks, error) {
		list, err := s.app.Examine(q, q.caller(), in.Services)
		return Checks{list}, err
	})
	operation(s, huma.Operation{Method: "GET", Path: at + "/settings", Summary: "The settings, and where each comes from; secrets are not shown", Tags: tags}, user|keyed, func(q *call, _ *struct{}) (Settings, error) {
		r, err := s.app.Settings(q, q.caller())
		return Settings{r.Production, r.Settings}, err
	})
	operation(s, huma.Operation{Method: "GET", Path: at + "/methods", Summary: "What people sign in with, and which setting switches it on", Tags: tags}, user|keyed, func(q *call, _ *struct{}) (Ways, error) {
		list, err := s.app.Ways(q, q.caller())
		return Ways{list}, err
	})
	operation(s, huma.Operation{Method: "GET", Path: at + "/keys", Summary: "The keys that sign access tokens", Tags: tags}, user|keyed, func(q *call, _ *struct{}) (SigningKeys, error) {
		list, err := s.app.Keys(q, q.caller())
		return SigningKeys{list}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: at + "/keys/rotate", Summary: "Publish a new signing key; it signs a while later", Tags: tags}, user|keyed, func(q *call, _ *struct{}) (SigningKeys, error) {
		err := s.app.RotateKeys(q, q.caller())
		return SigningKeys{s.app.Tokens.List()}, err
	})
}
