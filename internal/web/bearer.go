package web

import (
	"net/http"
	"strings"
)

// maxBearer is more than any token of ours has.
const maxBearer = 16 << 10

// Bearer reads the token of the Authorization header (RFC 6750 section 2.1). A token in the query or the body is never looked
// at (RFC 9700 section 4.3.2). present tells that somebody tried, also when it failed; another scheme is not ours and absent.
func Bearer(r *http.Request) (token string, present bool, err error) {
	sent := r.Header["Authorization"]
	if len(sent) == 0 || len(sent) == 1 && sent[0] == "" {
		return "", false, nil
	}
	if len(sent) > 1 {
		return "", true, errBearer
	}
	scheme, rest := sent[0], ""
	if at := strings.IndexAny(scheme, " \t"); at >= 0 {
		scheme, rest = scheme[:at], scheme[at:]
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false, nil
	}
	token = strings.TrimLeft(rest, " ")
	if !validBearer(token) {
		return "", true, errBearer
	}
	return token, true, nil
}

// validBearer is the b64token of RFC 6750 section 2.1.
func validBearer(s string) bool {
	if len(s) > maxBearer {
		return false
	}
	s = strings.TrimRight(s, "=")
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c|0x20-'a' > 25 && c-'0' > 9 && c != '-' && c != '.' && c != '_' && c != '~' && c != '+' && c != '/' {
			return false
		}
	}
	return s != ""
}
