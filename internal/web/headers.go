package web

import "net/textproto"

// header is one header line, made once: the slice goes into the map of every answer as it is. Its capacity is its length, so
// that Add copies it.
type header struct {
	name  string
	value []string
}

func newHeader(name, value string) header {
	return header{textproto.CanonicalMIMEHeaderKey(name), []string{value}}
}

// contentSecurityPolicy is for answers that are no page: nothing may be loaded, framed or sent from them.
const contentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'"

// securityHeaders are on every answer, errors included. A page sets its own Content-Security-Policy, a public file its own
// Cache-Control and Cross-Origin-Resource-Policy.
func securityHeaders(cfg Config) []header {
	list := []header{
		newHeader("X-Content-Type-Options", "nosniff"),
		newHeader("Referrer-Policy", "no-referrer"),
		newHeader("Content-Security-Policy", contentSecurityPolicy),
		newHeader("X-Frame-Options", "DENY"),
		newHeader("Cross-Origin-Opener-Policy", "same-origin"),
		newHeader("Cross-Origin-Resource-Policy", "same-origin"),
		newHeader("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
		newHeader("Cache-Control", "no-store"),
	}
	if cfg.HTTPS() {
		list = append(list, newHeader("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
	}
	if len(cfg.CORSOrigins) > 0 {
		// Also without an Origin: a cache must not give a page the answer that was made for no page (Fetch, CORS and caches).
		list = append(list, newHeader("Vary", "Origin"))
	}
	return list
}
