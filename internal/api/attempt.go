package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/login"
)

var errStep = apperr.New(apperr.Unauthenticated, "step_required", "One more step is needed to sign in. Go on with the attempt.")

type startAttempt struct {
	Body struct {
		Identifier string `json:"identifier,omitempty" maxLength:"320" doc:"An e-mail address, a username or a phone number."`
		Method     string `json:"method,omitempty" maxLength:"40" doc:"How to sign in; empty is the usual way."`
	}
}

type answerAttempt struct {
	Delivery
	ID   string `path:"id" maxLength:"100"`
	Body struct {
		Values   map[string]string `json:"values" doc:"The fields of the prompt."`
		Remember bool              `json:"remember,omitempty" doc:"Keep the session for SESSION_REMEMBER_HOURS."`
		Trust    bool              `json:"trust,omitempty" doc:"Ask for no second factor in this browser for trust_days."`
	}
}

type switchAttempt struct {
	ID   string `path:"id" maxLength:"100"`
	Body struct {
		Method string `json:"method" maxLength:"40" doc:"One of the methods of the attempt."`
	}
}

func (s *API) attempts() {
	tags := []string{"Signing in"}
	operation(s, huma.Operation{Method: "POST", Path: "/auth/attempts", Summary: "Begin to sign in", DefaultStatus: http.StatusCreated, Tags: tags}, limited,
		func(q *call, in *startAttempt) (login.Step, error) {
			return s.app.Door.Start(q, in.Body.Identifier, in.Body.Method, "")
		})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/attempts/{id}/answer", Summary: "Answer what is asked", Responses: s.entering(http.StatusOK), Tags: tags}, limited,
		func(q *call, in *answerAttempt) (any, error) {
			f := s.finish(q, in.Delivery, in.Body.Remember)
			f.Trust = in.Body.Trust
			out, err := s.app.Door.Answer(q, in.ID, in.Body.Values, f)
			return s.entered(q, in.Delivery, out, err)
		})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/attempts/{id}/method", Summary: "Sign in another way", Tags: tags}, limited,
		func(q *call, in *switchAttempt) (login.Step, error) {
			return s.app.Door.Switch(q, in.ID, in.Body.Method)
		})
}
