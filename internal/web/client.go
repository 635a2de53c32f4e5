package web

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// requestID takes the id a caller sent when it is one that can be logged anywhere, and makes one otherwise. It is no secret: it
// only has to differ from every other, and to tell nothing of how many there were.
func requestID(sent []string) string {
	if len(sent) == 1 && validRequestID(sent[0]) {
		return sent[0]
	}
	var raw [12]byte
	binary.LittleEndian.PutUint64(raw[:], rand.Uint64())
	binary.LittleEndian.PutUint32(raw[8:], rand.Uint32())
	var text [24]byte
	hex.Encode(text[:], raw[:])
	return string(text[:])
}

func validRequestID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c|0x20-'a' > 25 && c-'0' > 9 && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// maxUserAgent is how much of a User-Agent is kept, maxLanguage the longest Accept-Language that is believed.
const (
	maxUserAgent = 400
	maxLanguage  = 100
)

// userAgent is what was sent, without anything that could break a log line or a page.
func userAgent(sent []string) string {
	if len(sent) == 0 {
		return ""
	}
	s := sent[0]
	for i := 0; i < len(s); i++ {
		if i >= maxUserAgent || s[i] < ' ' || s[i] >= 0x7f {
			return cleanUserAgent(s)
		}
	}
	return s
}

// language is Accept-Language, when it is one that a browser could have sent.
func language(sent []string) string {
	if len(sent) == 0 || len(sent[0]) > maxLanguage {
		return ""
	}
	return sent[0]
}

func cleanUserAgent(s string) string {
	// Cut first: what follows is never worth looking at, however long it is.
	s = s[:min(len(s), maxUserAgent)]
	for len(s) > 0 && len(s) == maxUserAgent {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

// clientIP is the address of the peer, or of the one the operator's own proxies say they speak for. X-Forwarded-For is read
// from the right, because everything left of the first stranger is his word; Forwarded is not read at all.
func clientIP(r *http.Request, trusted []netip.Prefix) string {
	peer := hostOf(r.RemoteAddr)
	if len(trusted) == 0 {
		return peer
	}
	addr, err := netip.ParseAddr(peer)
	if err != nil || !contains(trusted, addr.Unmap()) {
		return peer
	}
	client := addr.Unmap()
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			var last string
			if at := strings.LastIndexByte(rest, ','); at >= 0 {
				rest, last = rest[:at], rest[at+1:]
			} else {
				last, more = rest, false
			}
			hop, ok := parseHop(last)
			if !ok {
				return client.String()
			}
			client = hop
			if !contains(trusted, hop) {
				return client.String()
			}
		}
	}
	return client.String()
}

// parseHop reads one entry of X-Forwarded-For; some proxies add the port.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	addr, err := netip.ParseAddr(s)
	if err != nil {
		port, portErr := netip.ParseAddrPort(s)
		if portErr != nil {
			return netip.Addr{}, false
		}
		addr = port.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

func contains(list []netip.Prefix, addr netip.Addr) bool {
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// hostOf is the address in a RemoteAddr, without port, brackets and zone, and without allocating.
func hostOf(remote string) string {
	at := strings.LastIndexByte(remote, ':')
	if at < 0 {
		return ""
	}
	host := strings.TrimSuffix(strings.TrimPrefix(remote[:at], "["), "]")
	if zone := strings.IndexByte(host, '%'); zone >= 0 {
		host = host[:zone]
	}
	return host
}
