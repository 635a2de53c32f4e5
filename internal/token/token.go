// Package token makes and checks access tokens, and keeps the keys that sign them.
package token

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/user"
)

// ErrInvalid is an access token that is not one of ours, or not any more. It does not say which.
var ErrInvalid = apperr.New(apperr.Unauthenticated, "invalid_token", "The access token is not valid or has expired. Refresh it, or sign in again.")

// ErrShared is a rotation where there is no key to rotate.
var ErrShared = apperr.New(apperr.Conflict, "signing_key_shared", "ACCESS_SECRET signs here, and no other key. Set another one and start the server again.")

// State is what a signing key is for.
type State string

// The states of a signing key.
const (
	Signing State = "signing"
	Next    State = "next"    // published, so that everybody has it by the time it signs
	Retired State = "retired" // signs no more, and is honoured until its last token has expired
)

// Key is a signing key, without its secret half.
type Key struct {
	ID        string    `json:"id" doc:"The kid of the tokens it signs."`
	Algorithm string    `json:"algorithm"`
	State     State     `json:"state" enum:"signing,next,retired"`
	Since     time.Time `json:"since" doc:"When it begins, or began, to sign. Of ACCESS_SECRET nobody knows."`
}

// Grant is what an access token is made from.
type Grant struct {
	User      user.User
	SessionID string
	AMR       []string  // authentication methods, RFC 8176
	AuthAt    time.Time // when the person last proved who they are
	Org       *string   // the organization they work in, nil outside of any
	OrgRoles  []string  // the keys of their roles there
	Revision  string    // of the rights that all of this is by
	Actor     string    // who acts in their name; "" for themselves
	Scope     string    // of a service account: what it is for at most
	Until     time.Time // when it ends at the latest, where it is not to live as long as others
}

// Claims are the claims of an access token: RFC 9068, and ours.
type Claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  string   `json:"aud"`
	ExpiresAt int64    `json:"exp"` // seconds since 1970 UTC, as are the other times
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	ID        string   `json:"jti"`
	SessionID string   `json:"sid"`
	Type      string   `json:"typ"` // always "access"
	Role      string   `json:"role"`
	Roles     []string `json:"roles"`
	Org       *string  `json:"org"` // null outside an organization
	OrgRoles  []string `json:"org_roles"`
	Revision  string   `json:"rev"` // of the rights it was made by; at_least takes it
	AMR       []string `json:"amr"`
	AuthTime  int64    `json:"auth_time"`
	Act       *Actor   `json:"act,omitempty"`       // only where somebody acts in the name of the subject
	Scope     string   `json:"scope,omitempty"`     // only of a service account, as is client_id: RFC 9068, section 2.2
	ClientID  string   `json:"client_id,omitempty"` // the account itself
}

// Actor is who acts in the name of a token's subject (RFC 8693, section 4.1).
type Actor struct {
	Subject string `json:"sub"`
}

// Issued is an access token and how long it lives.
type Issued struct {
	Token     string
	ExpiresIn time.Duration
}

// leeway is how far clocks may differ for a token that is not valid yet. One that has expired gets none.
const leeway = 30 * time.Second

// check holds the claims against this server and now.
func (c Claims) check(issuer, audience string, now time.Time) error {
	soon := now.Add(leeway).Unix()
	if c.Issuer != issuer || c.Audience != audience || c.Type != "access" || c.Subject == "" || !id.Valid("ses", c.SessionID) && !id.Valid("key", c.SessionID) ||
		c.ExpiresAt <= now.Unix() || c.NotBefore > soon || c.IssuedAt > soon {
		return ErrInvalid
	}
	return nil
}

type (
	// KeyCreated is told of a new signing key. It signs from active_at on.
	KeyCreated struct {
		KeyID     string    `json:"key_id"`
		Algorithm string    `json:"algorithm"`
		ActiveAt  time.Time `json:"active_at"`
	}
	// KeyDeleted is told of a signing key that no valid token is left of.
	KeyDeleted struct {
		KeyID string `json:"key_id"`
	}
)

func (KeyCreated) Kind() string { return "signing_key.created" }
func (KeyDeleted) Kind() string { return "signing_key.deleted" }

func (e KeyCreated) Subject() string { return e.KeyID }
func (e KeyDeleted) Subject() string { return e.KeyID }
