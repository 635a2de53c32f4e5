package notify

import (
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/device"
)

// Content is what a message says: one of the types below. The words are in the catalogue, under the name of the type.
type Content interface {
	name() string
	fill(v *view)
}

// Where is when and from where something was done, for its owner to recognise.
type Where struct {
	At      time.Time `json:"at,omitzero"`
	IP      string    `json:"ip,omitempty"`
	Browser string    `json:"browser,omitempty"`
	System  string    `json:"system,omitempty"`
}

// Here is where the request of a change comes from.
func Here(tx *database.Tx) Where {
	o := database.OriginOf(tx.Context())
	w := Where{At: tx.Now, IP: o.IP}
	if o.UserAgent != "" {
		w.Browser, w.System = device.Parse(o.UserAgent)
	}
	return w
}

// Factor is a way to sign in, or a part of one, that came or went.
type Factor string

// The factors.
const (
	Passkey       Factor = "passkey"
	TOTP          Factor = "totp"
	Phone         Factor = "phone"
	EmailCode     Factor = "email"
	RecoveryCodes Factor = "recovery_codes"
	Identity      Factor = "identity"
)

type (
	// VerifyEmail asks whether an address belongs to whoever signed up with it.
	VerifyEmail struct {
		Link  string `json:"link"`
		Code  string `json:"code,omitempty"`
		Where Where  `json:"where,omitzero"` // it was asked for
	}
	// AccountExists tells somebody who signed up that they have an account already.
	AccountExists struct {
		Link string `json:"link"` // to sign in or to reset the password
	}
	// ConfirmAddress asks whether a new address of an account is its owner's. It goes to the new one.
	ConfirmAddress struct {
		Link  string `json:"link"`
		Code  string `json:"code,omitempty"`
		Where Where  `json:"where,omitzero"` // it was asked for
	}
	// AddressChanged tells of a change of address. It goes to the old one.
	AddressChanged struct {
		To    string `json:"to"` // the new address
		NotMe string `json:"not_me,omitempty"`
		Where Where  `json:"where"`
	}
	// ResetPassword has a link to choose a new password.
	ResetPassword struct {
		Link  string `json:"link"`
		Code  string `json:"code,omitempty"`
		Where Where  `json:"where,omitzero"` // it was asked for
	}
	// PasswordChanged tells of a new password.
	PasswordChanged struct {
		NotMe string `json:"not_me,omitempty"` // the link that undoes it; may be empty
		Where Where  `json:"where"`
	}
	// MagicLink has a link and a code to sign in with.
	MagicLink struct {
		Link  string `json:"link"`
		Code  string `json:"code,omitempty"`
		Where Where  `json:"where,omitzero"` // it was asked for
	}
	// OneTimeCode has a code to type in, by mail or by text.
	OneTimeCode struct {
		Code  string `json:"code"`
		Where Where  `json:"where,omitzero"` // it was asked for
	}
	// NewSignIn tells of a sign-in from a device that was not known.
	NewSignIn struct {
		NotMe string `json:"not_me,omitempty"`
		Where Where  `json:"where"`
	}
	// FactorAdded tells of a new way to sign in.
	FactorAdded struct {
		Factor Factor `json:"factor"`
		Label  string `json:"label,omitempty"` // what its owner calls it
		NotMe  string `json:"not_me,omitempty"`
		Where  Where  `json:"where"`
	}
	// FactorRemoved tells of a way to sign in that is gone.
	FactorRemoved struct {
		Factor Factor `json:"factor"`
		Label  string `json:"label,omitempty"`
		NotMe  string `json:"not_me,omitempty"`
		Where  Where  `json:"where"`
	}
	// RecoveryCodeUsed tells of a recovery code that was spent, and how many are left.
	RecoveryCodeUsed struct {
		Left  int    `json:"left"`
		NotMe string `json:"not_me,omitempty"`
		Where Where  `json:"where"`
	}
	// KeyAdded tells of a new API key.
	KeyAdded struct {
		Name  string `json:"name"` // what its owner calls it
		NotMe string `json:"not_me,omitempty"`
		Where Where  `json:"where"`
	}
	// AccountLocked tells that somebody guesses, and gives the owner a way in.
	AccountLocked struct {
		Link  string `json:"link,omitempty"` // lets the owner pass
		Where Where  `json:"where"`
	}
	// Invitation invites into an organization.
	Invitation struct {
		Org     string   `json:"org"`
		Inviter string   `json:"inviter"`
		Roles   []string `json:"roles,omitempty"`
		Link    string   `json:"link"`
	}
	// Impersonated tells of somebody who looks after people and acts in the name of one. By may be empty.
	Impersonated struct {
		By     string `json:"by,omitempty"`
		Reason string `json:"reason"`
		Link   string `json:"link"` // to where it can be ended
		Where  Where  `json:"where"`
	}
	// AccountClosed tells of an account that is closed and will be deleted, and has a link that keeps it.
	AccountClosed struct {
		Link  string    `json:"link"`
		Until time.Time `json:"until"` // it is deleted then
		Where Where     `json:"where"`
	}
	// AccountDeleted tells of an account that is gone.
	AccountDeleted struct {
		Where Where `json:"where"`
	}
	// ExportReady has a link to the data of a person.
	ExportReady struct {
		Link string `json:"link"`
	}
	// Test shows that messages arrive.
	Test struct{}
)

func (VerifyEmail) name() string      { return "verify_email" }
func (AccountExists) name() string    { return "account_exists" }
func (ConfirmAddress) name() string   { return "confirm_address" }
func (AddressChanged) name() string   { return "address_changed" }
func (ResetPassword) name() string    { return "reset_password" }
func (PasswordChanged) name() string  { return "password_changed" }
func (MagicLink) name() string        { return "magic_link" }
func (OneTimeCode) name() string      { return "one_time_code" }
func (NewSignIn) name() string        { return "new_sign_in" }
func (FactorAdded) name() string      { return "factor_added" }
func (FactorRemoved) name() string    { return "factor_removed" }
func (RecoveryCodeUsed) name() string { return "recovery_code_used" }
func (KeyAdded) name() string         { return "key_added" }
func (AccountLocked) name() string    { return "account_locked" }
func (Invitation) name() string       { return "invitation" }
func (Impersonated) name() string     { return "impersonated" }
func (AccountClosed) name() string    { return "account_closed" }
func (AccountDeleted) name() string   { return "account_deleted" }
func (ExportReady) name() string      { return "export_ready" }
func (Test) name() string             { return "test" }

func (c VerifyEmail) fill(v *view)    { v.link, v.code, v.where = c.Link, c.Code, c.Where }
func (c AccountExists) fill(v *view)  { v.link = c.Link }
func (c ConfirmAddress) fill(v *view) { v.link, v.code, v.where = c.Link, c.Code, c.Where }
func (c AddressChanged) fill(v *view) {
	v.Address = clean(c.To)
	v.notice(c.NotMe, c.Where)
}
func (c ResetPassword) fill(v *view)   { v.link, v.code, v.where = c.Link, c.Code, c.Where }
func (c PasswordChanged) fill(v *view) { v.notice(c.NotMe, c.Where) }
func (c MagicLink) fill(v *view)       { v.link, v.code, v.where = c.Link, c.Code, c.Where }
func (c OneTimeCode) fill(v *view)     { v.code, v.where = c.Code, c.Where }
func (c NewSignIn) fill(v *view)       { v.notice(c.NotMe, c.Where) }
func (c FactorAdded) fill(v *view) {
	v.factor, v.label = c.Factor, c.Label
	v.notice(c.NotMe, c.Where)
}
func (c FactorRemoved) fill(v *view) {
	v.factor, v.label = c.Factor, c.Label
	v.notice(c.NotMe, c.Where)
}
func (c RecoveryCodeUsed) fill(v *view) {
	v.Count, v.counted = c.Left, true
	v.notice(c.NotMe, c.Where)
}
func (c KeyAdded) fill(v *view) {
	v.Label = plain(c.Name)
	v.notice(c.NotMe, c.Where)
}
func (c AccountLocked) fill(v *view) {
	v.link = c.Link
	v.where = c.Where
}
func (c Invitation) fill(v *view) {
	v.Org, v.Inviter, v.link = plain(c.Org), plain(c.Inviter), c.Link
	for i, role := range c.Roles {
		if i > 0 {
			v.Roles += ", "
		}
		v.Roles += plain(role)
	}
}
func (c Impersonated) fill(v *view) {
	v.Inviter, v.Label, v.link, v.where = plain(c.By), unlinked(cut(oneLine(c.Reason), longestReason)), c.Link, c.Where
}
func (c AccountClosed) fill(v *view)  { v.link, v.until, v.where = c.Link, c.Until, c.Where }
func (c AccountDeleted) fill(v *view) { v.where = c.Where }
func (c ExportReady) fill(v *view)    { v.link = c.Link }
func (Test) fill(*view)               {}

// samples are one of each kind, filled in: what the words are tried with before anybody is written to. New kinds are added here.
func samples() []Content {
	at := Where{time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC), "192.0.2.1", "Firefox", "Linux"}
	const link = "https://auth.example.com/somewhere#t=Q7"
	return []Content{
		VerifyEmail{link, "415203", at}, AccountExists{link}, ConfirmAddress{link, "415203", at}, AddressChanged{"new@example.com", link, at},
		ResetPassword{link, "415203", at}, PasswordChanged{link, at}, MagicLink{link, "415203", at}, OneTimeCode{"415203", at}, NewSignIn{link, at},
		FactorAdded{Passkey, "Laptop", link, at}, FactorRemoved{TOTP, "", link, at}, RecoveryCodeUsed{3, link, at}, KeyAdded{"Nightly build", link, at}, AccountLocked{link, at},
		Invitation{"Acme", "Ann", []string{"recruiter"}, link}, Impersonated{"Ann", "A mended invoice", link, at}, AccountClosed{link, at.At, at}, AccountDeleted{at}, ExportReady{link}, Test{},
	}
}
