package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/consent"
)

// Consent is something that somebody agreed to.
type Consent struct {
	Document string    `json:"document" example:"terms"`
	Version  string    `json:"version" example:"2026-11-01"`
	GivenAt  time.Time `json:"given_at"`
}

// Consents is all that somebody agrees to.
type Consents struct {
	Items []Consent `json:"items"`
}

// AgreedTo is what an account agrees to from its beginning.
type AgreedTo struct {
	Document string `json:"document" maxLength:"64" doc:"A name that you choose: small letters, digits and -, the first of them a letter." example:"terms"`
	Version  string `json:"version" maxLength:"64" example:"2026-11-01"`
}

func agreed(list []AgreedTo) (out []consent.Consent) {
	for _, c := range list {
		out = append(out, consent.Consent{Document: c.Document, Version: c.Version})
	}
	return out
}

func newConsent(c consent.Consent) Consent { return Consent(c) }

// DocumentRef names a document.
type DocumentRef struct {
	Document string `path:"document" maxLength:"64" doc:"A name that you choose, such as terms or newsletter."`
}

type giveIn struct {
	DocumentRef
	Body struct {
		Version string `json:"version" maxLength:"64" doc:"Which version of it was shown." example:"2026-11-01"`
	}
}

func (s *API) consents() {
	tags := []string{"Account"}
	at := "/auth/me/consents"
	operation(s, huma.Operation{Method: "GET", Path: at, Summary: "What you agree to", Tags: tags}, user, func(q *call, _ *struct{}) (Consents, error) {
		list, err := s.app.Consents.Of(q, q.live.User.ID)
		return Consents{append([]Consent{}, mapped(list, newConsent)...)}, err
	})
	operation(s, huma.Operation{Method: "PUT", Path: at + "/{document}", Summary: "Agree to a version of a document", Tags: tags}, user, func(q *call, in *giveIn) (Consent, error) {
		c, err := s.app.Consents.Give(q, q.live.User.ID, consent.Consent{Document: in.Document, Version: in.Body.Version})
		return newConsent(c), err
	})
	operation(s, huma.Operation{Method: "DELETE", Path: at + "/{document}", Summary: "Agree no longer", DefaultStatus: http.StatusNoContent, Tags: tags}, user, func(q *call, in *DocumentRef) (nothing, error) {
		return nothing{}, s.app.Consents.Withdraw(q, q.live.User.ID, in.Document)
	})
}
