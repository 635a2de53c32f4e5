// Package otp signs people in with what is sent to an address of theirs and comes back: a code by mail, a code by text message, a
// link by mail.
package otp

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals of this package.
var (
	ErrBrowser    = apperr.New(apperr.Forbidden, "code_required", "This link was asked for in another browser. Enter the code that stands in the same mail.").In("code")
	ErrWho        = apperr.New(apperr.Invalid, "address_required", "Say where the code goes: to an e-mail address or to a phone number, and not to both.").In("email")
	ErrUnverified = apperr.New(apperr.Conflict, "address_unverified", "Codes go to an address that is known to be yours. Verify yours first.")
	ErrSetUp      = apperr.New(apperr.Conflict, "factor_exists", "These codes are a second factor of yours already. There is nothing left to do.")
	ErrNoFactor   = apperr.New(apperr.NotFound, "factor_not_found", "These codes are no second factor of yours.")
	ErrNoNumber   = apperr.New(apperr.NotFound, "phone_not_found", "This account has no phone number.")
	ErrSameNumber = apperr.New(apperr.Invalid, "phone_unchanged", "This is the number of the account already, and it is verified.").In("phone")
	ErrNeeded     = apperr.New(apperr.Conflict, "phone_in_use", "Codes to this number are your second factor. Remove that first, or take another number.")
	ErrLast       = apperr.New(apperr.Conflict, "last_identifier", "This number is your only way in. Add another way to sign in first, then remove it.")
)

// The names of the methods.
const (
	Link  = "magiclink"
	Email = "email"
	Phone = "phone"
	Mail  = "mail_check"
)

// Life is how long what was sent is good.
const Life = 10 * time.Minute

const again = time.Minute // the least between two messages of one attempt

type (
	// NumberAsked is told of somebody who says that a phone number is theirs.
	NumberAsked struct {
		UserID string `json:"user_id"`
	}
)

func (NumberAsked) Kind() string { return "phone.verification_sent" }

func (e NumberAsked) Subject() string { return e.UserID }
