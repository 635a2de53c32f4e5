package backup

import (
	"fmt"
	"strings"
	"time"

	"filippo.io/age"
)

// Key seals backups and opens them: a pair of keys (X25519), of which one half is enough to seal, or a passphrase (scrypt).
type Key struct {
	to   age.Recipient
	from age.Identity // nil of a public half
}

const shortest = 12 // characters of a passphrase

// ParseKey reads a key in any form. Lines that begin with # are passed over, as age writes them.
func ParseKey(text string) (Key, error) {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 {
		return Key{}, ErrNoKey
	}
	switch text := lines[0]; {
	case strings.HasPrefix(text, "AGE-SECRET-KEY-"):
		pair, err := age.ParseX25519Identity(text)
		if err != nil {
			return Key{}, ErrNoKey // its own words hold the key
		}
		return Key{pair.Recipient(), pair}, nil
	case strings.HasPrefix(text, "age1"):
		public, err := age.ParseX25519Recipient(text)
		if err != nil {
			return Key{}, ErrNoKey
		}
		return Key{to: public}, nil
	case len(text) < shortest:
		return Key{}, ErrNoKey
	default:
		to, err := age.NewScryptRecipient(text)
		if err != nil {
			return Key{}, err
		}
		from, err := age.NewScryptIdentity(text)
		return Key{to, from}, err
	}
}

// NewKey draws a pair of keys, as a file that age understands too.
func NewKey(now time.Time) (file string, public string, err error) {
	pair, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", err
	}
	public = pair.Recipient().String()
	return fmt.Sprintf("# created: %s\n# public key: %s\n%s\n", now.UTC().Format(time.RFC3339), public, pair), public, nil
}
