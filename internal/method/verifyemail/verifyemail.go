// Package verifyemail asks, where that is required, whether the address of whoever signs in is theirs.
package verifyemail

import (
	"context"
	"errors"

	"github.com/admit-dev/admit/internal/address"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
)

// Name is what the method is called.
const Name = "verify_email"

// Method asks for the code of a mail.
type Method struct{ addresses *address.Service }

// NewMethod asks through addresses.
func NewMethod(addresses *address.Service) Method { return Method{addresses} }

// Name is "verify_email".
func (Method) Name() string { return Name }

// Uses are to show that the address is one's own.
func (Method) Uses() login.Use { return login.Address | login.Passes }

// Reads takes an answer with a code, or with nothing when the link was used.
func (Method) Reads(in login.Answer) bool { return in["password"] == "" }

// Begin sends the mail, unless it was sent just now.
func (m Method) Begin(ctx context.Context, a login.Attempt) (login.Prompt, error) {
	p := login.Prompt{Fields: []login.Field{{Name: "code", Type: "code", Autocomplete: "one-time-code"}}}
	err := m.addresses.Remind(ctx, a.User.ID)
	if e, ok := errors.AsType[*apperr.Error](err); ok && (e.Kind == apperr.TooMany || errors.Is(err, address.ErrVerified)) {
		err = nil // the one that was sent is still good
	}
	return p, err
}

// Verify judges the code. Who has used the link meanwhile needs none.
func (m Method) Verify(ctx context.Context, a login.Attempt, in login.Answer) (login.Proof, error) {
	if a.User == nil {
		return login.Proof{}, login.ErrCode
	}
	if a.User.EmailVerified {
		return login.Proof{}, nil
	}
	note, err := m.addresses.Answer(ctx, a.User.ID, in["code"])
	if errors.Is(err, challenge.ErrCode) {
		err = login.ErrCode.Because(err)
	}
	return login.Proof{Consume: func(tx *database.Tx) error {
		err := note(tx)
		if errors.Is(err, challenge.ErrCode) {
			err = login.ErrCode.Because(err)
		}
		return err
	}}, err
}
