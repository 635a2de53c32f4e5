package apikey

import (
	"encoding/base32"
	"encoding/binary"
	"hash/crc32"
	"strings"

	"github.com/admit-dev/admit/internal/secret"
)

// A key is a prefix by which scanners find it, 240 random bits, and a checksum of all that, so that a key that was cut off or mistyped is
// refused without asking anybody. Every letter is small: there is one way to write it.
const (
	ofPerson  = "admit_key_"
	ofService = "admit_svc_"

	randomBytes = 30
	bodyLength  = randomBytes * 8 / 5
	sumLength   = 7
	hintLength  = len(ofPerson) + 4
)

var alphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

func newText(prefix string) string {
	text := prefix + alphabet.EncodeToString(secret.Random(randomBytes))
	return text + checksum(text)
}

func checksum(text string) string {
	return alphabet.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text))))
}

// Is reports whether a bearer token means to be a key.
func Is(text string) bool { return strings.HasPrefix(text, "admit_") }

// sound reports whether a key can be one of ours.
func sound(text string) bool {
	body := len(ofPerson) + bodyLength
	return len(text) == body+sumLength && (strings.HasPrefix(text, ofPerson) || strings.HasPrefix(text, ofService)) && checksum(text[:body]) == text[body:]
}
