package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/totp"
)

type codeIn struct {
	Body struct {
		Code string `json:"code" maxLength:"100" doc:"The six digits that the app shows." example:"123456"`
	}
}

type verifyIn struct {
	Delivery
	Body struct {
		Attempt string `json:"attempt" maxLength:"100" doc:"The id of the attempt that asks."`
		Code    string `json:"code" maxLength:"100" doc:"The six digits that the app shows, or a recovery code." example:"123456"`
		Trust   bool   `json:"trust,omitempty" doc:"Ask for no second factor in this browser for trust_days."`
	}
}

type reauthenticateIn struct {
	Body struct {
		Password string `json:"password,omitempty" maxLength:"4096" doc:"For who has no second factor."`
		Code     string `json:"code,omitempty" maxLength:"100" doc:"The six digits that the app shows, or a recovery code." example:"123456"`

		Method     string     `json:"method,omitempty" maxLength:"40" doc:"Which of the methods the code is of, where several ask for one."`
		Credential credential `json:"credential,omitempty" doc:"PublicKeyCredential.toJSON() of a passkey that signed what /auth/reauthenticate/options asks."`
	}
}

type askProof struct {
	Body struct {
		Method string `json:"method,omitempty" maxLength:"40" doc:"One of methods; empty is the first."`
	}
}

// ProofAsked is what proves again that somebody is who they are.
type ProofAsked struct {
	Prompt  login.Prompt `json:"prompt" doc:"What to fill in, or to sign."`
	Methods []string     `json:"methods" doc:"The methods to choose from."`
}

// RecoveryCodes are ten codes that stand in for a second factor.
type RecoveryCodes struct {
	Codes []string `json:"recovery_codes" doc:"Each is good once. They are shown this once. Empty when an app was replaced: the codes there are go on to count."`
}

func newRecoveryCodes(codes []string) RecoveryCodes {
	if codes == nil {
		codes = []string{}
	}
	return RecoveryCodes{codes}
}

// Proved says how long a proof is good.
type Proved struct {
	Message    string    `json:"message"`
	FreshUntil time.Time `json:"fresh_until" doc:"Until then sensitive routes ask for no other proof."`
}

func (s *API) factors() {
	tags := []string{"Second factors"}
	operation(s, huma.Operation{Method: "POST", Path: "/auth/mfa/totp", Summary: "Begin to set up an authenticator app", Tags: tags}, user|fresh|enrolling, func(q *call, _ *struct{}) (totp.Setup, error) {
		return s.app.TOTP.SetUp(q, q.live.User)
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/mfa/totp/confirm", Summary: "Show that the app works; it is asked for from now on", Tags: tags}, user|limited|enrolling, func(q *call, in *codeIn) (RecoveryCodes, error) {
		codes, err := s.app.TOTP.Confirm(q, q.live.User.ID, q.live.Session.ID, in.Body.Code)
		return newRecoveryCodes(codes), err
	})
	operation(s, huma.Operation{Method: "DELETE", Path: "/auth/mfa/totp", Summary: "Have the authenticator app be asked for no more", DefaultStatus: http.StatusNoContent, Tags: tags}, user|fresh, func(q *call, _ *struct{}) (nothing, error) {
		return nothing{}, s.app.TOTP.Remove(q, q.live.User.ID)
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/mfa/recovery-codes", Summary: "Get new recovery codes; the old ones are worthless", Tags: tags}, user|fresh, func(q *call, _ *struct{}) (RecoveryCodes, error) {
		codes, err := s.app.Recovery.Renew(q, q.live.User.ID)
		return newRecoveryCodes(codes), err
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/mfa/verify", Summary: "Show the second factor and sign in", Responses: s.entering(http.StatusOK), Tags: tags}, limited, func(q *call, in *verifyIn) (any, error) {
		f := s.finish(q, in.Delivery, false)
		f.Trust = in.Body.Trust
		out, err := s.app.Door.Answer(q, in.Body.Attempt, login.Answer{"code": in.Body.Code}, f)
		return s.entered(q, in.Delivery, out, err)
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/reauthenticate", Summary: "Prove again that it is you, for what is sensitive", Tags: tags}, user|limited|proving, s.reauthenticate)
	operation(s, huma.Operation{Method: "POST", Path: "/auth/reauthenticate/options", Summary: "What proves again that it is you", Tags: tags}, user|limited|proving, func(q *call, in *askProof) (ProofAsked, error) {
		prompt, methods, err := s.app.Door.Ask(q, q.live.User, q.live.Session.ID, in.Body.Method)
		return ProofAsked{prompt, methods}, err
	})
}

func (s *API) reauthenticate(q *call, in *reauthenticateIn) (Proved, error) {
	given := login.Answer{}
	for name, value := range map[string]string{"password": in.Body.Password, "code": in.Body.Code, "credential": in.Body.Credential.text()} {
		if value != "" {
			given[name] = value
		}
	}
	at := s.app.DB.Now()
	err := s.app.Door.Reauthenticate(q, q.live.User, q.live.Session.ID, in.Body.Method, given)
	return Proved{"Thank you. Go on with what you were doing.", at.Add(freshFor)}, err
}
