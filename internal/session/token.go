package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/admit-dev/admit/internal/id"
)

// refreshToken is the refresh token of a session at a generation: its id, the generation, and a MAC over both and the
// session's salt. It is derived, never stored, so that whoever asks twice gets the same one.
func refreshToken(key []byte, s Session, generation int64) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(s.ID))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(generation)))
	mac.Write(s.salt)
	return s.ID + "." + strconv.FormatInt(generation, 10) + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// longest is more than a refresh token can have.
const longest = 120

// parseRefresh reads which session and generation a token claims. authentic shows whether it tells the truth.
func parseRefresh(token string) (sessionID string, generation int64, ok bool) {
	if len(token) > longest {
		return "", 0, false
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 || !id.Valid("ses", parts[0]) {
		return "", 0, false
	}
	generation, err := strconv.ParseInt(parts[1], 10, 64)
	return parts[0], generation, err == nil && generation > 0
}

func authentic(key []byte, s Session, generation int64, token string) bool {
	return subtle.ConstantTimeCompare([]byte(refreshToken(key, s, generation)), []byte(token)) == 1
}
