package totp

import (
	"context"
	"encoding/base32"
	"strings"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/user"
)

// ErrSecret is a secret of an app that none can have.
var ErrSecret = apperr.New(apperr.Invalid, "totp_secret_invalid", "This is no secret of an authenticator app: it is in base 32 and has at least 80 bits.")

// leastSecret is the bytes of the shortest secrets that apps were given (RFC 4226 wants 16, and many sites gave 10).
const leastSecret, mostSecret = 10, 128

// ParseSecret reads a secret in base 32 (RFC 4648), as apps are given it, and gives it in the form that is kept.
func ParseSecret(text string) (string, error) {
	text = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "=", "").Replace(text))
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || len(raw) < leastSecret || len(raw) > mostSecret {
		return "", ErrSecret
	}
	return text, nil
}

// Import has an app that its person set up elsewhere count here, as part of the change that makes them. The secret is one that
// ParseSecret gave.
func (m Method) Import(tx *database.Tx, userID, secret string) error {
	if err := keep(tx, userID, m.box.Seal([]byte(secret), about(userID))); err != nil {
		return err
	}
	return user.AddFactor(tx, userID, Name)
}

// Reveal is the secret of a person's app, "" when there is none: for a copy that another server is to go on with.
func (m Method) Reveal(ctx context.Context, q database.Querier, userID string) (string, error) {
	r, err := find(ctx, q, userID)
	if err != nil || r.Secret == nil {
		return "", err
	}
	plain, err := m.box.Open(r.Secret, about(userID))
	return string(plain), err
}
