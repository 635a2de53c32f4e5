// Package social is signing in with an account at another service: OAuth 2.0 and OpenID Connect, from the side of the client.
package social

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals of this package.
var (
	ErrProvider  = apperr.New(apperr.NotFound, "provider_not_found", "This service is not offered here. Sign in another way.")
	ErrTrip      = apperr.New(apperr.Malformed, "sign_in_expired", "This sign-in was begun in another browser, was finished already, or has run out. Begin again.")
	ErrCancelled = apperr.New(apperr.Malformed, "sign_in_cancelled", "You did not go on at the other service. Nothing was changed. Begin again, or sign in another way.")
	ErrRefused   = apperr.New(apperr.Malformed, "provider_refused", "The other service did not let you through. Nothing was changed. Begin again.")
	ErrAnswer    = apperr.New(apperr.Malformed, "provider_answer_invalid", "What the other service answered cannot be trusted, so you are not signed in. Begin again; if it keeps happening, tell the people who run this site.")
	ErrDown      = apperr.New(apperr.Unavailable, "provider_unavailable", "The other service does not answer. Try again in a minute, or sign in another way.")
	ErrLink      = apperr.New(apperr.Conflict, "identity_link_required", "There is an account with this e-mail address already. Sign in to it the way you usually do, then connect this service in your account.")
	ErrTaken     = apperr.New(apperr.Conflict, "identity_taken", "This account of the other service opens another account here. Sign in with it and disconnect it there first.")
	ErrNone      = apperr.New(apperr.NotFound, "identity_not_found", "There is no such connected account.")
	ErrLast      = apperr.New(apperr.Conflict, "last_way_in", "This is your only way in. Set a password or add another way to sign in first, then disconnect it.")
	ErrHandoff   = apperr.New(apperr.Malformed, "handoff_invalid", "This code has run out, was used before, or belongs to another app. Begin again.").In("code")
	ErrChallenge = apperr.New(apperr.Malformed, "code_challenge_invalid", "An app that wants tokens sends code_challenge, the base64url of the SHA-256 of its code_verifier (RFC 7636, S256).").In("code_challenge")
	ErrNotHere   = apperr.New(apperr.Invalid, "redirect_required", "This way to sign in goes by the browser: open the address that redirect names.")
)

// Name is what the method is called, and AMR what signing in elsewhere is called in a session.
const (
	Name = "social"
	AMR  = "fed"
)

// Profile is what a provider says of somebody. Issuer and subject are who it is; everything else may change or be wrong.
type Profile struct {
	Issuer   string `json:"issuer"`
	Subject  string `json:"subject"`
	Email    string `json:"email"`
	Verified bool   `json:"verified"` // the provider is trusted for this address, and has verified it
	Name     string `json:"name"`
	Picture  string `json:"picture"`
}

// Identity is an account at a provider that opens an account here.
type Identity struct {
	ID         string
	Provider   string
	Title      string // of the provider
	Issuer     string
	Subject    string
	UserID     string
	Email      string // as the provider said it last
	Name       string
	Picture    string
	CreatedAt  time.Time
	LastUsedAt time.Time
}

type (
	// Linked is told of an account at a provider that opens an account here from now on.
	Linked struct {
		UserID     string `json:"user_id"`
		IdentityID string `json:"identity_id"`
		Provider   string `json:"provider"`
	}
	// Unlinked is told of one that opens it no more.
	Unlinked struct {
		UserID     string `json:"user_id"`
		IdentityID string `json:"identity_id"`
		Provider   string `json:"provider"`
	}
	// Used is told of somebody who came back from a provider and was known.
	Used struct {
		UserID     string `json:"user_id"`
		IdentityID string `json:"identity_id"`
		Provider   string `json:"provider"`
	}
	// Failed is told of somebody who came back from a provider and was let in nowhere.
	Failed struct {
		UserID   string `json:"user_id,omitempty"` // who wanted to link it
		Provider string `json:"provider"`
		Reason   string `json:"reason"` // the code of the refusal
	}
)

func (Linked) Kind() string   { return "identity.linked" }
func (Unlinked) Kind() string { return "identity.unlinked" }
func (Used) Kind() string     { return "identity.used" }
func (Failed) Kind() string   { return "identity.failed" }

func (e Linked) Subject() string   { return e.UserID }
func (e Unlinked) Subject() string { return e.UserID }
func (e Used) Subject() string     { return e.UserID }
func (e Failed) Subject() string   { return e.UserID }

func (Failed) Failed() {}
