// Package password is signing in, and up, with a secret that is remembered.
package password

import (
	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals of this package.
var (
	ErrTooShort = apperr.New(apperr.Invalid, "password_too_short", "This password is too short. A short sentence works well.").In("password")
	ErrTooLong  = apperr.New(apperr.Invalid, "password_too_long", "This password is too long.").In("password")
	ErrText     = apperr.New(apperr.Invalid, "password_invalid", "A password is text: letters, digits, spaces and signs of any language.").In("password")
	ErrCommon   = apperr.New(apperr.Invalid, "password_common", "This password appears in known leaks, so others may guess it. Choose another.").In("password")
	ErrLeaked   = apperr.New(apperr.Invalid, "password_leaked", "This password appears in known leaks, so others may guess it. Choose another.").In("password")
	ErrRepeated = apperr.New(apperr.Invalid, "password_repeats", "This password repeats a few characters. Choose another: a short sentence works well.").In("password")
	ErrWord     = apperr.New(apperr.Invalid, "password_is_a_word", "This password is one word with little added, which is guessed early. Take several words.").In("password")
	ErrAbout    = apperr.New(apperr.Invalid, "password_about_you", "This password is made of your name, your address or the name of this site, which is guessed first. Choose another.").In("password")
	ErrCurrent  = apperr.New(apperr.Forbidden, "current_password_wrong", "The current password is not right. Nothing was changed.").In("current_password")
	ErrSet      = apperr.New(apperr.Conflict, "password_set", "This account has a password. Change it, or reset it by mail.")
	ErrMissing  = apperr.New(apperr.Invalid, "password_missing", "This account has no password yet.")
)

// AMR is what a password is called in RFC 8176.
const AMR = "pwd"

type (
	// Changed is told of a new password. It is also told of the first one that is set later than the account.
	Changed struct {
		UserID string `json:"user_id"`
	}
	// Removed is told of a password that was taken away: the account has none until its owner sets one.
	Removed struct {
		UserID string `json:"user_id"`
	}
	// SignUpRepeated is told of a sign-up with a name that somebody has, where the answer may not tell it.
	SignUpRepeated struct{}
	// GuessedEarly is told of somebody who signed in with a password that would not be taken today: it is on the list of common ones.
	GuessedEarly struct {
		UserID string `json:"user_id"`
	}
	// ChangeFailed is told of somebody signed in who did not know the current password.
	ChangeFailed struct {
		UserID string `json:"user_id"`
	}
	// Rehashed is told of a stored hash that was replaced by a stronger one of the same password.
	Rehashed struct {
		UserID string `json:"user_id"`
	}
)

func (Changed) Kind() string        { return "password.changed" }
func (Removed) Kind() string        { return "password.removed" }
func (SignUpRepeated) Kind() string { return "user.signup_repeated" }
func (GuessedEarly) Kind() string   { return "password.guessed_early" }
func (ChangeFailed) Kind() string   { return "password.change_failed" }
func (Rehashed) Kind() string       { return "password.rehashed" }

func (e Changed) Subject() string      { return e.UserID }
func (e Removed) Subject() string      { return e.UserID }
func (SignUpRepeated) Subject() string { return "" }
func (e GuessedEarly) Subject() string { return e.UserID }
func (e ChangeFailed) Subject() string { return e.UserID }
func (e Rehashed) Subject() string     { return e.UserID }

func (ChangeFailed) Failed()   {}
func (SignUpRepeated) Failed() {}
