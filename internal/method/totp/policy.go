package totp

import (
	"crypto/subtle"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

const (
	period = 30 // seconds
	drift  = 1  // steps that a device's clock may be ahead or behind
	digits = 6
)

func stepAt(t time.Time) int64 { return t.Unix() / period }

// match finds the time step whose code this is, of those about now and after last: a step counts once.
func match(secret, code string, now time.Time, last int64) (step int64, ok bool) {
	code = clean(code)
	for s := stepAt(now) - drift; s <= stepAt(now)+drift; s++ {
		right, err := hotp.GenerateCodeCustom(secret, uint64(s), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(right), []byte(code)) == 1 && s > last && !ok {
			step, ok = s, true
		}
	}
	return step, ok
}

// clean takes out what apps put between the digits.
func clean(code string) string { return strings.NewReplacer(" ", "", "-", "").Replace(code) }

// digitsOnly reports whether a code has the form of one of ours.
func digitsOnly(code string) bool {
	code = clean(code)
	return len(code) == digits && strings.Trim(code, "0123456789") == ""
}
