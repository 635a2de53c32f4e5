// Package secret keeps what must not be known: random values, password hashes, sealed columns and configured secrets.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
)

// Random gives n bytes from the operating system's random source.
func Random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: it ends the program instead
	return b
}

// Hex32 gives 32 random bytes as 64 hexadecimal characters, the form of a session id.
func Hex32() string { return hex.EncodeToString(Random(32)) }

// Text gives at least 128 random bits in letters and digits, the form of what is put in a link.
func Text() string { return rand.Text() }

// Sum is the SHA-256 of an opaque token (FIPS 180-4), which is what the database keeps of it.
func Sum(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Equal compares in a time that tells nothing of where a and b differ.
func Equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
