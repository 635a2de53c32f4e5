// Package impersonation lets somebody who looks after people act in the name of one for a while, in a session of its own that says who is
// behind it. It gives nobody more than they hold themselves, and the person is told.
package impersonation

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// Permission is what acting in the name of others asks for.
const Permission = "sys:users:impersonate"

// The refusals of this package.
var (
	ErrOff      = apperr.New(apperr.Forbidden, "impersonation_off", "Nobody acts in the name of others here: IMPERSONATION_MINUTES is 0.")
	ErrReason   = apperr.New(apperr.Invalid, "impersonation_reason", "Say why, in 5 to 500 characters. The person reads it.").In("reason")
	ErrMinutes  = apperr.New(apperr.Invalid, "impersonation_minutes", "Choose from one minute to as many as IMPERSONATION_MINUTES allows.").In("minutes")
	ErrSelf     = apperr.New(apperr.Conflict, "impersonation_of_oneself", "This is you. Choose somebody else.")
	ErrDisabled = apperr.New(apperr.Conflict, "impersonation_of_nobody", "Nobody can act as a guest, or as somebody who may not sign in.")
)

type (
	// Began is told of somebody who acts in the name of another from now on, in this session.
	Began struct {
		UserID    string    `json:"user_id"`
		ActorID   string    `json:"actor_id"`
		SessionID string    `json:"session_id"`
		Reason    string    `json:"reason"`
		Until     time.Time `json:"until"`
	}
)

func (Began) Kind() string      { return "impersonation.began" }
func (e Began) Subject() string { return e.UserID }
