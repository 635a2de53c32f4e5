// Package passkey is signing in with a key that a device or a password manager holds (WebAuthn Level 3).
package passkey

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/login"
)

// The refusals of this package.
var (
	ErrOff      = apperr.New(apperr.Forbidden, "passkeys_disabled", "Passkeys are not offered here. They need https or localhost, and a name instead of an IP address. Ask the people who run this site.")
	ErrNotBegun = apperr.New(apperr.Forbidden, "passkey_not_begun", "This was not begun in this session, was finished already, or took too long. Begin to add the passkey again.")
	ErrInvalid  = apperr.New(apperr.Malformed, "passkey_invalid", "This passkey was not made for this site and this request, so it was not added. Begin again.").In("credential")
	ErrTaken    = apperr.New(apperr.Conflict, "passkey_taken", "This passkey was added already.")
	ErrFull     = apperr.New(apperr.Conflict, "passkeys_full", "There are as many passkeys as one person may have. Remove one that you do not use.")
	ErrNone     = apperr.New(apperr.NotFound, "passkey_not_found", "There is no such passkey.")
	ErrLast     = apperr.New(apperr.Conflict, "passkey_last", "This passkey is the only way into the account. Set a password, verify an address or add another passkey first.")
	ErrName     = apperr.New(apperr.Invalid, "passkey_name_invalid", "A passkey's name has 1 to 60 characters and no control characters.").In("name")
)

// errWrong is every passkey that opens nothing, in the same words as a wrong password: they tell nobody why.
var errWrong = login.ErrCredentials

// Name is what the method is called.
const Name = "passkey"

// Most is how many passkeys a person may have.
const Most = 20

// Passkey is one of a person's passkeys.
type Passkey struct {
	ID           string
	CredentialID []byte
	Name         string // what its owner calls it
	Provider     string // who keeps it, "" when that is not known; a label that nothing rests on
	Synced       bool   // its provider has a copy, so it is on other devices too
	DeviceBound  bool   // it never leaves its device
	UserVerified bool   // its device asked for a fingerprint, a face or a PIN when it was made
	CreatedAt    time.Time
	LastUsedAt   *time.Time
	SuspectedAt  *time.Time // when it last looked as if there were a copy
}

// Options is what a browser is asked to sign: PublicKeyCredentialCreationOptionsJSON or PublicKeyCredentialRequestOptionsJSON.
type Options struct {
	PublicKey any `json:"publicKey" doc:"For PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON."`
}

type (
	// Added is told of a passkey that opens an account from now on.
	Added struct {
		UserID      string `json:"user_id"`
		PasskeyID   string `json:"passkey_id"`
		Provider    string `json:"provider,omitempty"`
		DeviceBound bool   `json:"device_bound"`
	}
	// Renamed is told of a passkey that its owner calls something else.
	Renamed struct {
		UserID    string `json:"user_id"`
		PasskeyID string `json:"passkey_id"`
	}
	// Removed is told of a passkey that opens nothing any more.
	Removed struct {
		UserID    string `json:"user_id"`
		PasskeyID string `json:"passkey_id"`
	}
	// CloneSuspected is told of a passkey whose counter went back: somebody may have a copy of its key. What it was shown for was
	// refused.
	CloneSuspected struct {
		UserID    string `json:"user_id"`
		PasskeyID string `json:"passkey_id"`
		Counter   int64  `json:"counter"`
		Stored    int64  `json:"stored_counter"`
	}
)

func (Added) Kind() string          { return "passkey.added" }
func (Renamed) Kind() string        { return "passkey.renamed" }
func (Removed) Kind() string        { return "passkey.removed" }
func (CloneSuspected) Kind() string { return "passkey.clone_suspected" }

func (e Added) Subject() string          { return e.UserID }
func (e Renamed) Subject() string        { return e.UserID }
func (e Removed) Subject() string        { return e.UserID }
func (e CloneSuspected) Subject() string { return e.UserID }

func (CloneSuspected) Failed() {}
