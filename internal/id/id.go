// Package id makes the identifiers of everything Admit stores: a prefix that names the kind and a UUIDv7 (RFC 9562) that sorts by time.
package id

import (
	"encoding/base32"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Crockford's alphabet sorts as the bytes do and has no letters that look alike.
var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

const length = 26 // of 16 bytes in base32

// New makes an identifier such as usr_06bpk3v2x5r4… It is unique, sorts by time, and is never a secret.
func New(prefix string) string {
	u := uuid.Must(uuid.NewV7())
	return prefix + "_" + encoding.EncodeToString(u[:])
}

// Valid reports whether s has the shape of an identifier with this prefix.
func Valid(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix+"_")
	if !ok || len(rest) != length {
		return false
	}
	b, err := encoding.DecodeString(rest)
	return err == nil && encoding.EncodeToString(b) == rest
}

// Time is when the identifier was made, by the clock of the machine, to the millisecond. It is zero for what is no identifier.
func Time(s string) time.Time {
	_, rest, _ := strings.Cut(s, "_")
	b, err := encoding.DecodeString(rest)
	if err != nil || len(b) != 16 {
		return time.Time{}
	}
	var ms int64
	for _, c := range b[:6] {
		ms = ms<<8 | int64(c)
	}
	return time.UnixMilli(ms).UTC()
}

// Raw is the 16 bytes of an identifier, all zero for what is none.
func Raw(s string) (raw [16]byte) {
	_, rest, _ := strings.Cut(s, "_")
	if b, err := encoding.DecodeString(rest); err == nil && len(b) == len(raw) {
		copy(raw[:], b)
	}
	return raw
}

// Text is the identifier of these 16 bytes.
func Text(prefix string, raw [16]byte) string { return prefix + "_" + encoding.EncodeToString(raw[:]) }
