package password

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Normalize gives the form in which a password is hashed: Unicode NFC, so that the same keys on another system are the
// same password (NIST SP 800-63B-4, section 3.1.1.2).
func Normalize(p string) string { return norm.NFC.String(p) }

// Allow refuses a password that may not be chosen. Length is all it asks: rules about kinds of characters make passwords
// harder to remember and no harder to guess.
func (c Config) Allow(p string) error {
	p = Normalize(p)
	switch n := utf8.RuneCountInString(p); {
	case !utf8.ValidString(p) || !printable(p):
		return ErrText
	case n < c.MinLength:
		return ErrTooShort.Say(fmt.Sprintf("Use at least %d characters. A short sentence works well.", c.MinLength))
	case n > c.MaxLength:
		return ErrTooLong.Say(fmt.Sprintf("Use at most %d characters.", c.MaxLength))
	}
	return nil
}

func printable(p string) bool {
	for _, r := range p {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}
