// Package totp is a second factor from an authenticator app: a code that changes every thirty seconds (RFC 6238).
package totp

import "github.com/admit-dev/admit/internal/apperr"

// The refusals of this package.
var (
	ErrCode    = apperr.New(apperr.Invalid, "totp_code_wrong", "This is not the code of the app now. See that the clock of your device is right, and try the next one.").In("code")
	ErrPending = apperr.New(apperr.Conflict, "totp_not_begun", "There is no secret to confirm, or it was confirmed already, or too long ago. Begin to set up the app again.")
	ErrNone    = apperr.New(apperr.NotFound, "totp_not_found", "No authenticator app is set up.")
)

// Name is what the method is called, and AMR what its codes are called in RFC 8176.
const (
	Name = "totp"
	AMR  = "otp"
)

// Setup is what an authenticator app needs to know. It is shown once.
type Setup struct {
	Secret string `json:"secret" doc:"Base32, to be typed where no camera is."`
	URI    string `json:"uri" doc:"otpauth://totp/…"`
	QR     string `json:"qr" doc:"The uri as a picture: a data: URI of a PNG."`
}

type (
	// SetupBegun is told of a secret that was shown and is not confirmed yet.
	SetupBegun struct {
		UserID string `json:"user_id"`
	}
	// Confirmed is told of an authenticator app that works. It replaces the one there was.
	Confirmed struct {
		UserID string `json:"user_id"`
	}
	// Removed is told of an authenticator app whose secret is forgotten.
	Removed struct {
		UserID string `json:"user_id"`
	}
)

func (SetupBegun) Kind() string { return "totp.setup_begun" }
func (Confirmed) Kind() string  { return "totp.confirmed" }
func (Removed) Kind() string    { return "totp.removed" }

func (e SetupBegun) Subject() string { return e.UserID }
func (e Confirmed) Subject() string  { return e.UserID }
func (e Removed) Subject() string    { return e.UserID }
