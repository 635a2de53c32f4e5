// Package web is the edge of every HTTP answer: the status table and problems, the checks and headers around the mux, cookies,
// bearer tokens, limits and the server itself. It decides nothing about people.
package web

import (
	"net/http"

	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals the edge gives by itself.
var (
	ErrNoRoute     = apperr.New(apperr.NotFound, "route_not_found", "There is nothing at this address.")
	ErrOutside     = apperr.New(apperr.NotFound, "outside_base_path", "This server is below a path of this host, that of BASE_URL, and this address is not. A proxy must pass the address on as it is.")
	ErrMethod      = apperr.New(apperr.Malformed, "method_not_allowed", "This address does not answer to that method. The Allow header lists those it knows.")
	ErrPath        = apperr.New(apperr.Malformed, "invalid_path", "The path of this request holds characters that no address has.")
	ErrTooLarge    = apperr.New(apperr.TooLarge, "body_too_large", "The body of this request is larger than this server accepts.")
	ErrCrossOrigin = apperr.New(apperr.Forbidden, "cross_origin", "A page of another site sent this request. If it is yours, add its origin to CORS_ORIGINS.")
	ErrTimeout     = apperr.New(apperr.Unavailable, "timeout", "This took too long and was given up. Try again.")
)

// Status is the one table from the kind of a refusal to the status of an answer.
func Status(kind apperr.Kind) int {
	switch kind {
	case apperr.Malformed:
		return http.StatusBadRequest
	case apperr.Invalid:
		return http.StatusUnprocessableEntity
	case apperr.Unauthenticated:
		return http.StatusUnauthorized
	case apperr.Forbidden:
		return http.StatusForbidden
	case apperr.NotFound:
		return http.StatusNotFound
	case apperr.Conflict:
		return http.StatusConflict
	case apperr.Stale:
		return http.StatusPreconditionFailed
	case apperr.TooLarge:
		return http.StatusRequestEntityTooLarge
	case apperr.Unsupported:
		return http.StatusUnsupportedMediaType
	case apperr.TooMany:
		return http.StatusTooManyRequests
	case apperr.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// StatusOf is the status of a refusal: that of its kind, but for the one whose kind has no status of its own.
func StatusOf(e *apperr.Error) int {
	if e.Code == ErrMethod.Code {
		return http.StatusMethodNotAllowed
	}
	return Status(e.Kind)
}

// Advice is what a program does about a refusal of a kind.
func Advice(kind apperr.Kind) string {
	switch kind {
	case apperr.Malformed, apperr.TooLarge, apperr.Unsupported:
		return "Change the request; sent again as it is, it is refused again."
	case apperr.Invalid:
		return "Show each message of errors beside its field and let the person correct it."
	case apperr.Unauthenticated:
		return "Renew the access token once, or have the person sign in."
	case apperr.Forbidden:
		return "Do not repeat it; the person may not do this, or not yet."
	case apperr.NotFound:
		return "Treat it as gone; it may also be somebody else's."
	case apperr.Conflict:
		return "Read the current state, then decide whether to try again."
	case apperr.Stale:
		return "Read it anew and send the change again with the new ETag."
	case apperr.TooMany:
		return "Wait as long as Retry-After says."
	case apperr.Unavailable:
		return "Wait as long as Retry-After says and send the same again; keep the session."
	}
	return "Try again later; tell the operator the request_id if it goes on."
}

// title is the short text of a problem, the same for every refusal of a kind (RFC 9457 section 3.1.3).
func title(kind apperr.Kind) string {
	switch kind {
	case apperr.Malformed:
		return "Request not understood"
	case apperr.Invalid:
		return "Input not accepted"
	case apperr.Unauthenticated:
		return "Not signed in"
	case apperr.Forbidden:
		return "Not allowed"
	case apperr.NotFound:
		return "Not found"
	case apperr.Conflict:
		return "Conflict"
	case apperr.Stale:
		return "Changed meanwhile"
	case apperr.TooLarge:
		return "Too large"
	case apperr.Unsupported:
		return "Media type not supported"
	case apperr.TooMany:
		return "Too many requests"
	case apperr.Unavailable:
		return "Temporarily unavailable"
	}
	return "Internal error"
}
