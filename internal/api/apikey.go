package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/id"
)

// APIKey is a key on the wire, without its secret.
type APIKey struct {
	ID         string     `json:"id" doc:"key_…"`
	UserID     string     `json:"user_id" doc:"Whose it is: usr_…, or svc_… of a service account."`
	Name       string     `json:"name"`
	Hint       string     `json:"hint" doc:"How the key begins, to recognise it by." example:"admit_key_7f3k"`
	Scopes     []string   `json:"scopes" doc:"The permissions it is for, and patterns of them."`
	OrgID      *string    `json:"org_id" doc:"The one organization it can be used in, or null for everywhere."`
	CreatedBy  *string    `json:"created_by" doc:"Who made it, where that was somebody else."`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at" doc:"null for one that never expires."`
	LastUsedAt *time.Time `json:"last_used_at" doc:"To some minutes; null for one that never was."`
	ReplacedBy *string    `json:"replaced_by" doc:"The key that it was rotated to, or null."`
}

// APIKeyMade is a key that was made just now.
type APIKeyMade struct {
	APIKey
	Key string `json:"key" doc:"The key itself. It is shown this once." example:"admit_key_7f3k…"`
}

// APIKeys is a part of a list of keys.
type APIKeys struct {
	Items      []APIKey `json:"items"`
	NextCursor *string  `json:"next_cursor" doc:"Give it as cursor for the next part; null at the end."`
}

func newAPIKey(k apikey.Key) APIKey {
	return APIKey{k.ID, k.UserID, k.Name, k.Hint, k.Scopes, next(k.OrgID), next(k.CreatedBy), k.CreatedAt, k.ExpiresAt, k.SeenAt, next(k.ReplacedBy)}
}

func madeAPIKey(k apikey.Key, text string, err error) (APIKeyMade, error) {
	return APIKeyMade{newAPIKey(k), text}, err
}

type listKeysIn struct {
	Part
	UserID string `query:"user_id" maxLength:"100" doc:"The keys of somebody else, for holders of sys:apikeys:manage."`
	OrgID  string `query:"org_id" maxLength:"100" doc:"The keys that can be used in this organization alone, for holders of sys:apikeys:manage there."`
}

type newKeyBody struct {
	Name    string   `json:"name" maxLength:"1000" example:"Nightly build"`
	Scopes  []string `json:"scopes" minItems:"1" maxItems:"100" doc:"What it is for: permissions such as jobs:post, or patterns such as jobs:*. It can do that as far as whoever it belongs to can." example:"[\"jobs:*\"]"`
	OrgID   string   `json:"org_id,omitempty" maxLength:"100" doc:"The id or the slug of the one organization it can be used in; everywhere when left out."`
	Days    int      `json:"expires_in_days,omitempty" doc:"1 to 365; 90 when left out."`
	Forever bool     `json:"never_expires,omitempty" doc:"Only where API_KEY_NEVER_EXPIRES allows it."`
}

func (b newKeyBody) key() apikey.New {
	return apikey.New{Name: b.Name, Scopes: b.Scopes, Org: b.OrgID, Days: b.Days, Forever: b.Forever}
}

type newKeyIn struct{ Body newKeyBody }

// KeyRef names a key.
type KeyRef struct {
	ID string `path:"id" maxLength:"100" doc:"key_…"`
}

type rotateBody struct {
	OverlapHours *int `json:"overlap_hours,omitempty" minimum:"0" maximum:"168" doc:"For how long the old key works on: 0 to 168; 24 when left out."`
}

func (b *rotateBody) overlap() time.Duration {
	if b == nil || b.OverlapHours == nil {
		return 24 * time.Hour
	}
	return time.Duration(*b.OverlapHours) * time.Hour
}

type rotateKeyIn struct {
	KeyRef
	Body *rotateBody
}

func (s *API) apiKeys() {
	tags := []string{"API keys"}
	at := "/api/v1/api-keys"
	operation(s, huma.Operation{Method: "GET", Path: at, Summary: "Your API keys, newest first", Tags: tags}, user, s.listKeys)
	operation(s, huma.Operation{Method: "POST", Path: at, Summary: "Make an API key", DefaultStatus: http.StatusCreated, Tags: tags}, user|fresh, func(q *call, in *newKeyIn) (APIKeyMade, error) {
		return madeAPIKey(s.app.APIKeys.Create(q, q.live.User.ID, in.Body.key()))
	})
	operation(s, huma.Operation{Method: "GET", Path: at + "/{id}", Summary: "One of your API keys", Tags: tags}, user, func(q *call, in *KeyRef) (APIKey, error) {
		k, err := s.app.APIKeys.Get(q, q.live.User.ID, in.ID)
		return newAPIKey(k), err
	})
	operation(s, huma.Operation{Method: "POST", Path: at + "/{id}/rotate", Summary: "Make a key like another, which works on for a while", DefaultStatus: http.StatusCreated, Tags: tags}, user|fresh, func(q *call, in *rotateKeyIn) (APIKeyMade, error) {
		return madeAPIKey(s.app.APIKeys.Rotate(q, q.live.User.ID, in.ID, in.Body.overlap()))
	})
	operation(s, huma.Operation{Method: "DELETE", Path: at + "/{id}", Summary: "Revoke a key, at once: one of yours, or for holders of sys:apikeys:manage one of others", DefaultStatus: http.StatusNoContent, Tags: tags}, user, func(q *call, in *KeyRef) (nothing, error) {
		return nothing{}, s.app.APIKeys.Revoke(q, q.caller(), in.ID)
	})
}

func (s *API) listKeys(q *call, in *listKeysIn) (APIKeys, error) {
	if in.Cursor != "" && !id.Valid("key", in.Cursor) {
		return APIKeys{}, ErrCursor
	}
	if in.OrgID != "" {
		list, after, err := s.app.APIKeys.In(q, q.caller(), in.OrgID, in.UserID, in.Cursor, in.Limit)
		return APIKeys{mapped(list, newAPIKey), next(after)}, err
	}
	userID := in.UserID
	if userID == "" {
		userID = q.live.User.ID
	}
	list, err := s.app.APIKeys.Of(q, q.caller(), userID)
	return pageOfKeys(list, in.Part), err
}

// pageOfKeys is a part of a list that is short enough to be read whole.
func pageOfKeys(list []apikey.Key, in Part) APIKeys {
	out := APIKeys{Items: []APIKey{}}
	for _, k := range list {
		if in.Cursor != "" && k.ID >= in.Cursor {
			continue
		}
		if len(out.Items) == in.Limit {
			out.NextCursor = &out.Items[in.Limit-1].ID
			break
		}
		out.Items = append(out.Items, newAPIKey(k))
	}
	return out
}
