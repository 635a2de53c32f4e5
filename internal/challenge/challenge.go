// Package challenge is what is sent to an address and has to come back: a link, a code, or both, good once.
package challenge

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/ratelimit"
)

// The refusals of this package.
var (
	ErrLink  = apperr.New(apperr.Malformed, "link_invalid", "This link has run out, was used before, or was replaced by a newer one. Ask for another.").In("token")
	ErrSpent = apperr.New(apperr.TooMany, "code_guessed", "Too many wrong codes were entered. A new code can be sent when the time of the last one is over; until then, use another way.")
	ErrCode  = apperr.New(apperr.Malformed, "code_wrong", "This code is not right, has run out, or was used before. After five wrong ones it is dead: ask for another.").In("code")
)

// Purpose is what a challenge is good for. One of a purpose opens nothing of another.
type Purpose string

// The purposes.
const (
	VerifyEmail   Purpose = "verify_email"
	ChangeEmail   Purpose = "change_email"
	VerifyPhone   Purpose = "verify_phone"
	ResetPassword Purpose = "reset_password"
	SignIn        Purpose = "sign_in"       // a link and a code, bound to an attempt
	SecondFactor  Purpose = "second_factor" // a code, bound to an attempt or to a session
	Enrol         Purpose = "enrol"         // a code that makes its way to be a second factor
	NotMe         Purpose = "not_me"
	Unlock        Purpose = "unlock"
	KeepAccount   Purpose = "keep_account"
	Unusual       Purpose = "unusual" // a code, bound to an attempt
)

// mostTries is how many answers a code stands.
const mostTries = 5

// guesses are the wrong answers that the codes of one person, or of an address of nobody, stand together: at most ten in any hour and
// eighty in any day, so that a year of guessing finds one with a chance of three in a hundred.
var guesses = ratelimit.Rule{Name: "guess", Limit: 72, Per: 24 * time.Hour, Burst: 7}

// Challenge is what was sent and has not come back. There is one for each Purpose and About; a newer one takes its place, and the
// wrong answers to the older go on to count.
type Challenge struct {
	Purpose   Purpose
	About     string // whose it is: the id of a person, an attempt or a session
	UserID    string // whom it concerns, "" when that is nobody
	Target    string // the address or number it was sent to
	Data      string // what else there is to know when it comes back
	ExpiresAt time.Time
}

// Sent is what went out. Only hashes of it are kept.
type Sent struct {
	Token string // at least 128 random bits, for a link
	Code  string // six digits
}
