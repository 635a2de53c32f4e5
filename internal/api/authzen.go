package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/authzen"
	"github.com/admit-dev/admit/internal/strict"
	"github.com/admit-dev/admit/internal/web"
)

// rawIn is a body that is read by the rules of another specification.
type rawIn struct {
	RawBody []byte `contentType:"application/json"`
}

func (s *API) authzen() {
	zen := s.app.AuthZEN
	foreignOp(s, "evaluation", "May the subject do it? (AuthZEN 1.0)", zen.Evaluate)
	foreignOp(s, "evaluations", "Several questions at once (AuthZEN 1.0)", func(ctx context.Context, c authz.Caller, in authzen.Evaluations) (authzen.Decisions, string, error) {
		return zen.EvaluateAll(ctx, c, in, func(err error) int { return web.StatusOf(apperr.Of(malformed(err))) })
	})
	foreignOp(s, "search/subject", "Everybody who may do it (AuthZEN 1.0)", zen.SearchSubject)
	foreignOp(s, "search/resource", "Every organization in which it may be done (AuthZEN 1.0)", zen.SearchResource)
	foreignOp(s, "search/action", "Everything the subject may do (AuthZEN 1.0)", zen.SearchAction)
	meta := newAnswer(authzen.NewMetadata(s.app.Config.Web.Base()))
	raw[authzen.Metadata](s, huma.Operation{Method: "GET", Path: "/.well-known/authzen-configuration", Summary: "Where the AuthZEN endpoints are", Tags: []string{"AuthZEN"}}, public, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		meta.write(w)
	})
}

// foreignOp declares an operation of AuthZEN: members that are not known are passed over, and what is wrong with a request is 400.
func foreignOp[In, Out any](s *API, path, summary string, do func(context.Context, authz.Caller, In) (Out, string, error)) {
	op := huma.Operation{Method: "POST", Path: "/access/v1/" + path, Summary: summary, Tags: []string{"AuthZEN"}, SkipValidateBody: true}
	operation(s, op, user|keyed|acting|foreign, func(q *call, in *rawIn) (Out, error) {
		var request In
		var none Out
		if err := strict.JSON(in.RawBody); err != nil {
			return none, ErrBody.Because(err)
		}
		if err := json.Unmarshal(in.RawBody, &request); err != nil {
			return none, authzen.ErrRequest.Because(err)
		}
		out, revision, err := do(q, q.caller(), request)
		q.revision(revision)
		return out, malformed(err)
	})
	if at := s.huma.OpenAPI().Paths[op.Path]; at != nil { // the part may be off
		at.Post.RequestBody.Content["application/json"].Schema = s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[In](), true, "")
	}
}

// malformed makes 400 of every refusal of a request that is 415 or 422 elsewhere.
func malformed(err error) error {
	if err == nil {
		return nil
	}
	if e := apperr.Of(err); e.Kind == apperr.Invalid || e.Kind == apperr.Unsupported {
		return authzen.ErrRequest.Say(e.Message).Because(err)
	}
	return err
}
