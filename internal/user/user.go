// Package user is the people Admit knows and what they are found by: e-mail address, username, phone number.
package user

import (
	"slices"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// SuperAdmin is the global role of an owner. There is always at least one who holds it, once there was one.
const SuperAdmin = "super_admin"

// The refusals of this package.
var (
	ErrNotFound      = apperr.New(apperr.NotFound, "user_not_found", "There is no such user.")
	ErrEmailTaken    = apperr.New(apperr.Conflict, "email_taken", "This e-mail address has an account already. Sign in, or reset the password.").In("email")
	ErrUsernameTaken = apperr.New(apperr.Conflict, "username_taken", "This username is taken. Choose another.").In("username")
	ErrPhoneTaken    = apperr.New(apperr.Conflict, "phone_taken", "This phone number has an account already. Sign in instead.").In("phone")
	ErrEmail         = apperr.New(apperr.Invalid, "email_invalid", "This is not an e-mail address. It looks like name@example.com and has at most 255 characters.").In("email")
	ErrUsername      = apperr.New(apperr.Invalid, "username_invalid", "A username has 4 to 24 characters: letters a to z, digits, and . _ - between them, with at least one letter.").In("username")
	ErrPhone         = apperr.New(apperr.Invalid, "phone_invalid", "This is not a phone number. Write it with its country code, as in +49 171 1234567.").In("phone")
	ErrTexts         = apperr.New(apperr.Invalid, "phone_not_texted", "No text can be sent to this number: it takes none, or is of a country that is not served here. Give the number of a mobile phone, or sign in another way.").In("phone")
	ErrNoIdentifier  = apperr.New(apperr.Invalid, "identifier_missing", "An e-mail address, a username or a phone number is needed.").In("email")
	ErrName          = apperr.New(apperr.Invalid, "name_invalid", "A name has at most 200 characters and no control characters.").In("name")
	ErrLanguage      = apperr.New(apperr.Invalid, "language_unknown", "This language is not spoken here. Leave it empty to go by the browser.").In("language")
	ErrTimeZone      = apperr.New(apperr.Invalid, "time_zone_unknown", "This is no time zone. Write its name in the IANA database, such as Europe/Berlin, or leave it empty for UTC.").In("time_zone")
	ErrRole          = apperr.New(apperr.Invalid, "role_invalid", "A role is a word such as super_admin: letters a to z, digits, _ and -, at most 48.").In("role")
)

// User is a person.
type User struct {
	ID            string
	Name          string
	Email         string // the primary address, folded; "" when there is none
	EmailVerified bool
	Username      string
	Phone         string // E.164
	PhoneVerified bool
	Roles         []string // global roles, sorted
	Factors       []string // the methods they have set up as a second factor, sorted
	Beside        []string // the methods that may be chosen as the second factor once one of Factors is asked for, sorted
	Guest         bool     // nothing is known of them; they are who they are by their session alone
	Service       bool     // a program that acts for itself; it has no way to sign in
	Language      string   // what pages and messages speak to them, a BCP 47 tag; "" is as the browser says
	TimeZone      string   // which time they are shown, by its name in the IANA database; "" is UTC
	DisabledAt    *time.Time
	EraseAt       *time.Time // when everything of theirs is erased, who asked for it; their account is closed until then
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Active reports whether the person may sign in.
func (u *User) Active() bool { return u.DisabledAt == nil && u.EraseAt == nil }

// Enrolled reports whether the person has a second factor: one that is always asked for, or one that can be.
func (u *User) Enrolled() bool { return len(u.Factors)+len(u.Beside) > 0 }

// Verified reports whether the person has shown that what they are known by, of a kind, is theirs.
func (u *User) Verified(kind string) bool {
	return kind == KindEmail && u.EmailVerified || kind == KindPhone && u.PhoneVerified
}

// Proven reports whether the person has shown of anything they are known by that it is theirs.
func (u *User) Proven() bool { return u.EmailVerified || u.PhoneVerified }

// HasRole reports whether the person holds a global role.
func (u *User) HasRole(role string) bool { return slices.Contains(u.Roles, role) }

// Role is the first global role, or "user" for a person without one: the claim that description C's clients read.
func (u *User) Role() string {
	if len(u.Roles) > 0 {
		return u.Roles[0]
	}
	return "user"
}

type (
	// Created is told of a new person.
	Created struct {
		UserID      string   `json:"user_id"`
		Identifiers []string `json:"identifiers"` // the kinds, never the values
	}
	// Imported is told of a person who came from elsewhere. What came with them is told of by events of its own.
	Imported struct {
		UserID      string   `json:"user_id"`
		Identifiers []string `json:"identifiers"` // the kinds, never the values
		Source      string   `json:"source"`
	}
	// Settled is told of a guest who has an account now, with the id they had.
	Settled struct {
		UserID      string   `json:"user_id"`
		Identifiers []string `json:"identifiers"` // the kinds, never the values
	}
	// Updated is told of a changed profile: the names of the fields, never their values.
	Updated struct {
		UserID string   `json:"user_id"`
		Fields []string `json:"fields"`
	}
	// IdentifierVerified is told of an address or number that a person has shown to be theirs.
	IdentifierVerified struct {
		UserID     string `json:"user_id"`
		Identifier string `json:"identifier"` // the kind, never the value
	}
	// EmailChanged is told of another address. It is verified: its person showed what was sent there.
	EmailChanged struct {
		UserID string `json:"user_id"`
	}
	// EmailRestored is told of an address that was given up, and is its person's again.
	EmailRestored struct {
		UserID string `json:"user_id"`
	}
	// Disabled is told of a person who may no longer sign in.
	Disabled struct {
		UserID string `json:"user_id"`
	}
	// Enabled is told of a person who may sign in again.
	Enabled struct {
		UserID string `json:"user_id"`
	}
	// Closed is told of a person who wants to be deleted. Their account is closed until everything is erased.
	Closed struct {
		UserID  string    `json:"user_id"`
		EraseAt time.Time `json:"erase_at"`
	}
	// Reopened is told of a person who keeps the account that was to be deleted.
	Reopened struct {
		UserID string `json:"user_id"`
	}
	// Deleted is told of a person who is gone.
	Deleted struct {
		UserID string `json:"user_id"`
	}
	// RoleGranted is told of a global role given.
	RoleGranted struct {
		UserID string   `json:"user_id"`
		Role   string   `json:"role"`
		Before []string `json:"before"`
		After  []string `json:"after"`
	}
	// RoleRevoked is told of a global role taken.
	RoleRevoked struct {
		UserID string   `json:"user_id"`
		Role   string   `json:"role"`
		Before []string `json:"before"`
		After  []string `json:"after"`
	}
	// FactorAdded is told of a second factor that is asked of a person from now on.
	FactorAdded struct {
		UserID string `json:"user_id"`
		Method string `json:"method"`
	}
	// FactorRemoved is told of a second factor that is asked no more.
	FactorRemoved struct {
		UserID string `json:"user_id"`
		Method string `json:"method"`
	}
)

func (Created) Kind() string            { return "user.created" }
func (Imported) Kind() string           { return "user.imported" }
func (Settled) Kind() string            { return "user.settled" }
func (Updated) Kind() string            { return "user.updated" }
func (IdentifierVerified) Kind() string { return "user.identifier_verified" }
func (EmailChanged) Kind() string       { return "user.email_changed" }
func (EmailRestored) Kind() string      { return "user.email_restored" }
func (Disabled) Kind() string           { return "user.disabled" }
func (Enabled) Kind() string            { return "user.enabled" }
func (Closed) Kind() string             { return "user.closed" }
func (Reopened) Kind() string           { return "user.reopened" }
func (Deleted) Kind() string            { return "user.deleted" }
func (RoleGranted) Kind() string        { return "role.granted" }
func (RoleRevoked) Kind() string        { return "role.revoked" }
func (FactorAdded) Kind() string        { return "factor.added" }
func (FactorRemoved) Kind() string      { return "factor.removed" }

func (e Created) Subject() string            { return e.UserID }
func (e Imported) Subject() string           { return e.UserID }
func (e Settled) Subject() string            { return e.UserID }
func (e Updated) Subject() string            { return e.UserID }
func (e IdentifierVerified) Subject() string { return e.UserID }
func (e EmailChanged) Subject() string       { return e.UserID }
func (e EmailRestored) Subject() string      { return e.UserID }
func (e Disabled) Subject() string           { return e.UserID }
func (e Enabled) Subject() string            { return e.UserID }
func (e Closed) Subject() string             { return e.UserID }
func (e Reopened) Subject() string           { return e.UserID }
func (e Deleted) Subject() string            { return e.UserID }
func (e RoleGranted) Subject() string        { return e.UserID }
func (e RoleRevoked) Subject() string        { return e.UserID }
func (e FactorAdded) Subject() string        { return e.UserID }
func (e FactorRemoved) Subject() string      { return e.UserID }
