package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/serviceaccount"
)

// ServiceAccount is a program that acts for itself, on the wire.
type ServiceAccount struct {
	ID          string    `json:"id" doc:"svc_…; where a user is named, it is too."`
	OrgID       *string   `json:"org_id" doc:"The organization it belongs to, or null for the site."`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	IsActive    bool      `json:"is_active"`
	CreatedBy   *string   `json:"created_by"`
	CreatedAt   time.Time `json:"created_at"`
}

// ServiceAccounts is a part of a list of service accounts.
type ServiceAccounts struct {
	Items      []ServiceAccount `json:"items"`
	NextCursor *string          `json:"next_cursor" doc:"Give it as cursor for the next part; null at the end."`
}

func newServiceAccount(a serviceaccount.Account) ServiceAccount {
	return ServiceAccount{a.ID, next(a.OrgID), a.Name, a.Description, a.DisabledAt == nil, next(a.CreatedBy), a.CreatedAt}
}

type listProgramsIn struct {
	Part
	OrgID string `query:"org_id" maxLength:"100" doc:"The id or the slug of an organization; those of the site when left out."`
}

type newProgramIn struct {
	Body struct {
		OrgID       string   `json:"org_id,omitempty" maxLength:"100" doc:"The id or the slug of the organization it belongs to; the site when left out."`
		Name        string   `json:"name" maxLength:"1000" example:"Importer"`
		Description string   `json:"description,omitempty" maxLength:"2000"`
		Roles       []string `json:"roles,omitempty" maxItems:"50" doc:"Roles of the organization by id or key, or global roles by key. Give no more than you hold."`
	}
}

// ProgramRef names a service account.
type ProgramRef struct {
	Account string `path:"account" maxLength:"100" doc:"svc_…"`
}

type editProgramIn struct {
	ProgramRef
	Body struct {
		Name        *string `json:"name,omitempty" maxLength:"1000"`
		Description *string `json:"description,omitempty" maxLength:"2000"`
	}
}

type programKeysIn struct {
	ProgramRef
	Part
}

type newProgramKeyIn struct {
	ProgramRef
	Body newKeyBody
}

type programKeyRef struct {
	ProgramRef
	KeyRef
}

type rotateProgramKeyIn struct {
	ProgramRef
	KeyRef
	Body *rotateBody
}

func (s *API) programs() {
	tags := []string{"Service accounts"}
	at := "/api/v1/service-accounts"
	one := at + "/{account}"
	programs := s.app.Programs
	operation(s, huma.Operation{Method: "GET", Path: at, Summary: "The service accounts of an organization or of the site, newest first", Tags: tags}, user|keyed, func(q *call, in *listProgramsIn) (ServiceAccounts, error) {
		if in.Cursor != "" && !id.Valid("svc", in.Cursor) {
			return ServiceAccounts{}, ErrCursor
		}
		list, after, err := programs.List(q, q.caller(), in.OrgID, in.Cursor, in.Limit)
		return ServiceAccounts{mapped(list, newServiceAccount), next(after)}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: at, Summary: "Make a service account", DefaultStatus: http.StatusCreated, Tags: tags}, user|keyed, func(q *call, in *newProgramIn) (ServiceAccount, error) {
		b := in.Body
		a, err := programs.Create(q, q.caller(), serviceaccount.New{Org: b.OrgID, Name: b.Name, Description: b.Description, Roles: b.Roles})
		return newServiceAccount(a), s.changed(q, err)
	})
	operation(s, huma.Operation{Method: "GET", Path: one, Summary: "A service account", Tags: tags}, user|keyed, func(q *call, in *ProgramRef) (ServiceAccount, error) {
		a, err := programs.Get(q, q.caller(), in.Account)
		return newServiceAccount(a), err
	})
	operation(s, huma.Operation{Method: "PATCH", Path: one, Summary: "Give it another name or description", Tags: tags}, user|keyed, func(q *call, in *editProgramIn) (ServiceAccount, error) {
		a, err := programs.Update(q, q.caller(), in.Account, in.Body.Name, in.Body.Description)
		return newServiceAccount(a), err
	})
	operation(s, huma.Operation{Method: "DELETE", Path: one, Summary: "Delete it with its keys", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *ProgramRef) (nothing, error) {
		return nothing{}, s.changed(q, programs.Delete(q, q.caller(), in.Account))
	})
	s.programKeys(tags, one+"/keys")
}

func (s *API) programKeys(tags []string, at string) {
	programs := s.app.Programs
	operation(s, huma.Operation{Method: "GET", Path: at, Summary: "Its keys, newest first", Tags: tags}, user|keyed, func(q *call, in *programKeysIn) (APIKeys, error) {
		if in.Cursor != "" && !id.Valid("key", in.Cursor) {
			return APIKeys{}, ErrCursor
		}
		list, err := programs.Keys(q, q.caller(), in.Account)
		return pageOfKeys(list, in.Part), err
	})
	operation(s, huma.Operation{Method: "POST", Path: at, Summary: "Make a key of it", DefaultStatus: http.StatusCreated, Tags: tags}, user|fresh, func(q *call, in *newProgramKeyIn) (APIKeyMade, error) {
		return madeAPIKey(programs.AddKey(q, q.caller(), in.Account, in.Body.key()))
	})
	operation(s, huma.Operation{Method: "POST", Path: at + "/{id}/rotate", Summary: "Make a key like another, which works on for a while", DefaultStatus: http.StatusCreated, Tags: tags}, user|fresh, func(q *call, in *rotateProgramKeyIn) (APIKeyMade, error) {
		return madeAPIKey(programs.RotateKey(q, q.caller(), in.Account, in.ID, in.Body.overlap()))
	})
	operation(s, huma.Operation{Method: "DELETE", Path: at + "/{id}", Summary: "Revoke a key of it, at once", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *programKeyRef) (nothing, error) {
		return nothing{}, programs.RevokeKey(q, q.caller(), in.Account, in.ID)
	})
}
