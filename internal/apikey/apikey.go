// Package apikey is what programs act with in the place of somebody: keys that can do what they were made for, never more than whoever
// they belong to, and nothing that wants a person.
package apikey

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals of this package.
var (
	ErrInvalid  = apperr.New(apperr.Unauthenticated, "api_key_invalid", "This API key is not valid: it is incomplete, was revoked, or has expired.")
	ErrNone     = apperr.New(apperr.NotFound, "api_key_not_found", "There is no such API key.")
	ErrName     = apperr.New(apperr.Invalid, "api_key_name_invalid", "A key has a name of 1 to 100 characters, by which you recognise it.").In("name")
	ErrScopes   = apperr.New(apperr.Invalid, "api_key_scopes_invalid", "Say what the key is for: 1 to 100 permissions such as jobs:post, or patterns such as jobs:*.").In("scopes")
	ErrExpiry   = apperr.New(apperr.Invalid, "api_key_expiry_invalid", "A key lives for 1 to 365 days.").In("expires_in_days")
	ErrForever  = apperr.New(apperr.Invalid, "api_key_must_expire", "Every key has to expire here: API_KEY_NEVER_EXPIRES allows others.").In("never_expires")
	ErrOverlap  = apperr.New(apperr.Invalid, "api_key_overlap_invalid", "The old key goes on working for 0 to 168 hours.").In("overlap_hours")
	ErrTooMany  = apperr.New(apperr.Conflict, "api_key_limit", "There are 100 keys already. Revoke one that is not used any more.")
	ErrReplaced = apperr.New(apperr.Conflict, "api_key_replaced", "This key was replaced already, or has expired. Rotate the newer one, or make another.")
)

// Config is what an operator may say of keys.
type Config struct {
	NeverExpires bool `env:"API_KEY_NEVER_EXPIRES" default:"false" doc:"Whether API keys may be made that never expire. Others live for a year at most."`
}

// Key is a key without its secret.
type Key struct {
	ID         string
	UserID     string // whose it is
	Hint       string // how it begins
	Name       string
	Scopes     []string // patterns of permissions, sorted
	OrgID      string   // the one organization it can be used in; "" is everywhere
	CreatedBy  string   // who made it, where that is somebody else
	CreatedAt  time.Time
	ExpiresAt  *time.Time // nil never
	SeenAt     *time.Time // when it was used last, to the minute; nil for never
	ReplacedBy string     // the key that it was rotated to
}

// New is a key to be.
type New struct {
	Name    string
	Scopes  []string // permissions and patterns
	Org     string   // the id or the slug of the one organization it is for; "" is everywhere
	Days    int      // how long it lives; 0 is 90
	Forever bool
}

// usual is how many days a key lives of which nobody said how long.
const usual = 90

// Reason is why a key ended before its time.
type Reason string

// The reasons a key ends for.
const (
	Revoked   Reason = "revoked"          // by whose it is
	ByManager Reason = "revoked_by_admin" // by who looks after the keys of others
	Reclaimed Reason = "reclaimed"        // the owner of the address took the account over
	NotMe     Reason = "not_me"           // its person says that something was not done by them
	Replaced  Reason = "replaced"         // another took its place at once
)

type (
	// Created is told of a new key.
	Created struct {
		UserID    string    `json:"user_id"`
		KeyID     string    `json:"key_id"`
		Scopes    []string  `json:"scopes"`
		OrgID     string    `json:"org_id,omitempty"`
		ExpiresAt time.Time `json:"expires_at,omitzero"`
	}
	// Rotated is told of a key that another took the place of. It works on until then.
	Rotated struct {
		UserID     string    `json:"user_id"`
		KeyID      string    `json:"key_id"`
		ReplacedBy string    `json:"replaced_by"`
		Until      time.Time `json:"until"`
	}
	// Ended is told of a key that was ended before its time.
	Ended struct {
		UserID string `json:"user_id"`
		KeyID  string `json:"key_id"`
		Reason Reason `json:"reason"`
	}
)

func (Created) Kind() string { return "api_key.created" }
func (Rotated) Kind() string { return "api_key.rotated" }
func (Ended) Kind() string   { return "api_key.revoked" }

func (e Created) Subject() string { return e.UserID }
func (e Rotated) Subject() string { return e.UserID }
func (e Ended) Subject() string   { return e.UserID }
