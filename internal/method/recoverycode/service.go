package recoverycode

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

// length is the characters of a code without its hyphens: 80 random bits.
const length = 16

// alphabet has nothing in it that is easily taken for something else (Crockford's base 32, in lower case).
var alphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Method asks for a recovery code, and makes them.
type Method struct {
	db      *database.DB
	key     []byte
	notices *notice.Service
}

// NewMethod keeps codes hashed with a key of box: a copy of the database is not enough to try them.
func NewMethod(db *database.DB, box *secret.Box, notices *notice.Service) Method {
	return Method{db, box.Derive("recovery codes", 32), notices}
}

// Name is "recoverycode".
func (Method) Name() string { return Name }

// Uses are to stand in for a second factor, at the door and later.
func (Method) Uses() login.Use { return login.Second | login.StepUp | login.Spare }

// Reads takes what has the length of a code.
func (Method) Reads(in login.Answer) bool { return len(clean(in["code"])) == length }

// Begin asks for a code.
func (Method) Begin(context.Context, login.Attempt) (login.Prompt, error) {
	return login.Prompt{Fields: []login.Field{{Name: "code", Type: "text", Autocomplete: "off"}}}, nil
}

// Verify leaves it to the change that uses a code up to find it.
func (m Method) Verify(_ context.Context, a login.Attempt, in login.Answer) (login.Proof, error) {
	if a.User == nil || !m.Reads(in) {
		return login.Proof{}, login.ErrCode
	}
	userID, hash := a.User.ID, m.hash(a.User.ID, in["code"])
	return login.Proof{AMR: AMR, Consume: func(tx *database.Tx) error {
		ok, err := spend(tx, userID, hash)
		if err == nil && !ok {
			return login.ErrCode
		}
		if err != nil {
			return err
		}
		n, err := left(tx.Context(), tx, userID)
		if err != nil {
			return err
		}
		tx.Emit(Used{userID, n})
		u, err := user.ByID(tx.Context(), tx, userID)
		if err != nil {
			return err
		}
		return m.notices.Tell(tx, u, u.Email, notice.Change{What: notice.CodeUsed}, func(notMe string, w notify.Where) notify.Content {
			return notify.RecoveryCodeUsed{Left: int(n), NotMe: notMe, Where: w}
		})
	}}, nil
}

// Issue makes new codes for a person in place of those there are. They are shown this once.
func (m Method) Issue(tx *database.Tx, userID string) ([]string, error) {
	if _, err := removeAll(tx, userID); err != nil {
		return nil, err
	}
	codes := make([]string, Count)
	for i := range codes {
		text := alphabet.EncodeToString(secret.Random(length * 5 / 8))
		codes[i] = text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
		if err := insert(tx, userID, m.hash(userID, codes[i])); err != nil {
			return nil, err
		}
	}
	tx.Emit(Issued{userID, Count})
	return codes, nil
}

// Discard takes a person's codes away.
func (Method) Discard(tx *database.Tx, userID string) error {
	n, err := removeAll(tx, userID)
	if n > 0 {
		tx.Emit(Withdrawn{userID, n})
	}
	return err
}

// Left is how many codes of a person are not used yet.
func (m Method) Left(ctx context.Context, userID string) (int, error) {
	n, err := left(ctx, m.db, userID)
	return int(n), err
}

// Renew makes new codes for a person who has a second factor.
func (m Method) Renew(ctx context.Context, userID string) (codes []string, err error) {
	err = m.db.Write(ctx, func(tx *database.Tx) error {
		u, err := user.ByID(ctx, tx, userID)
		if err == nil && !u.Enrolled() {
			return ErrNoFactor
		}
		if err != nil {
			return err
		}
		codes, err = m.Issue(tx, userID)
		return err
	})
	return codes, err
}

func (m Method) hash(userID, code string) []byte {
	mac := hmac.New(sha256.New, m.key)
	mac.Write([]byte(userID + " " + clean(code)))
	return mac.Sum(nil)
}

// clean makes what was typed from paper the code that was meant.
func clean(code string) string {
	return strings.NewReplacer(" ", "", "-", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(code))
}
