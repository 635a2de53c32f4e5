// Package address is whose an e-mail address is: showing that it is one's own, and taking another.
package address

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals of this package.
var (
	ErrVerified = apperr.New(apperr.Conflict, "email_verified", "This address is verified already. There is nothing left to do.")
	ErrNone     = apperr.New(apperr.Conflict, "email_missing", "This account has no e-mail address.").In("email")
	ErrSame     = apperr.New(apperr.Invalid, "email_unchanged", "This is the address of the account already.").In("email")
)

// Life is how long a mail that asks whose an address is can be answered.
const Life = 24 * time.Hour

const again = time.Minute // the least between two mails that nobody asked for

type (
	// Asked is told of a mail that asks whether an address is somebody's.
	Asked struct {
		UserID string `json:"user_id"`
	}
	// ChangeAsked is told of somebody who wants another address.
	ChangeAsked struct {
		UserID string `json:"user_id"`
	}
)

func (Asked) Kind() string       { return "email.verification_sent" }
func (ChangeAsked) Kind() string { return "email.change_requested" }

func (e Asked) Subject() string       { return e.UserID }
func (e ChangeAsked) Subject() string { return e.UserID }
