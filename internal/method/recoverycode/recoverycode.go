// Package recoverycode is a way in for who has lost their second factor: ten codes on paper, each good once.
package recoverycode

import "github.com/admit-dev/admit/internal/apperr"

// ErrNoFactor is somebody without a second factor, who has nothing to recover from.
var ErrNoFactor = apperr.New(apperr.Conflict, "second_factor_missing", "Recovery codes stand in for a second factor. Set one up first.")

// Name is what the method is called, and AMR what its codes are called in RFC 8176.
const (
	Name = "recoverycode"
	AMR  = "otp"
)

// Count is how many codes a person is given.
const Count = 10

type (
	// Issued is told of new recovery codes. Those before them are worthless.
	Issued struct {
		UserID string `json:"user_id"`
		Count  int    `json:"count"`
	}
	// Used is told of a recovery code that was spent, and of how many are left.
	Used struct {
		UserID string `json:"user_id"`
		Left   int64  `json:"left"`
	}
	// Withdrawn is told of recovery codes that went with the last second factor.
	Withdrawn struct {
		UserID string `json:"user_id"`
		Count  int64  `json:"count"`
	}
)

func (Issued) Kind() string    { return "recovery_codes.issued" }
func (Used) Kind() string      { return "recovery_code.used" }
func (Withdrawn) Kind() string { return "recovery_codes.withdrawn" }

func (e Issued) Subject() string    { return e.UserID }
func (e Used) Subject() string      { return e.UserID }
func (e Withdrawn) Subject() string { return e.UserID }
