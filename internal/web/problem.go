package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
)

// Problem is a refusal on the wire (RFC 9457).
type Problem struct {
	Type      string       `json:"type" doc:"Where this refusal is explained."`
	Title     string       `json:"title" doc:"A short text, the same for every refusal of this kind."`
	Status    int          `json:"status" doc:"The status of the answer."`
	Detail    string       `json:"detail" doc:"For people: what happened and what to do."`
	Code      string       `json:"code" doc:"For programs: stable, one of the catalogue of errors."`
	RequestID string       `json:"request_id,omitempty" doc:"What to tell the operator."`
	Errors    []FieldError `json:"errors,omitempty" doc:"The input fields at fault."`

	retryAfter time.Duration
	challenge  string
}

// FieldError is one input field at fault.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// unavailableWait is what a client is told to wait when nobody knows how long a dependency will be ill.
const unavailableWait = 5 * time.Second

// NewProblem turns err into what may be shown of it. What is our fault or a dependency's is logged here, once, with the
// request id; nothing that was typed is ever repeated.
func NewProblem(ctx context.Context, err error) *Problem {
	var sent http.Header
	if x := exchangeOf(ctx); x != nil {
		sent = x.w.r.Header
	}
	return newProblem(ctx, sent, err)
}

func newProblem(ctx context.Context, sent http.Header, err error) *Problem {
	e := refusal(err)
	logRefusal(ctx, e, err)
	if e.Kind == apperr.Internal {
		e = apperr.ErrInternal
	}
	p := &Problem{
		Type:       explained(ctx) + "/docs/errors#" + e.Code,
		Title:      title(e.Kind),
		Status:     StatusOf(e),
		Detail:     e.Message,
		Code:       e.Code,
		RequestID:  database.OriginOf(ctx).RequestID,
		retryAfter: e.RetryAfter,
	}
	for _, f := range e.Fields {
		p.Errors = append(p.Errors, FieldError{f.Name, f.Message})
	}
	switch p.Status {
	case http.StatusUnauthorized:
		p.challenge = challenge(sent)
	case http.StatusTooManyRequests:
		p.retryAfter = max(p.retryAfter, time.Second)
	case http.StatusServiceUnavailable:
		if p.retryAfter <= 0 {
			p.retryAfter = unavailableWait
		}
	}
	return p
}

// explained is what the address of the catalogue begins with.
func explained(ctx context.Context) string {
	if x := exchangeOf(ctx); x != nil {
		return x.edge.path
	}
	return ""
}

// refusal finds what err refuses; a body over the limit and a deadline that passed are refusals of their own.
func refusal(err error) *apperr.Error {
	err = BodyError(err)
	if _, ok := errors.AsType[*apperr.Error](err); !ok {
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return ErrTimeout.Because(err)
		}
	}
	return apperr.Of(err)
}

func logRefusal(ctx context.Context, e *apperr.Error, err error) {
	level := slog.LevelDebug
	switch {
	case e.Kind == apperr.Internal:
		level = slog.LevelError
	case e.Kind == apperr.Unavailable && ctx.Err() == nil: // a client that has gone away is nobody's fault
		level = slog.LevelWarn
	case e.Unwrap() == nil:
		return
	}
	logger, route := slog.Default(), ""
	if x := exchangeOf(ctx); x != nil {
		logger, route = x.edge.logger, x.w.r.Pattern
	}
	if logger.Enabled(ctx, level) {
		logger.LogAttrs(ctx, level, "request refused", slog.String("code", e.Code), slog.Any("error", err),
			slog.String("route", route), slog.String("request_id", database.OriginOf(ctx).RequestID))
	}
}

// challenge is the WWW-Authenticate of RFC 6750 section 3: error only for a request that showed a token.
func challenge(sent http.Header) string {
	for _, v := range sent["Authorization"] {
		if len(v) >= 6 && strings.EqualFold(v[:6], "bearer") {
			return `Bearer realm="admit", error="invalid_token"`
		}
	}
	return `Bearer realm="admit"`
}

// BodyError turns the error of reading a body into ErrTooLarge when the limit stopped it, and leaves every other as it is.
func BodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return ErrTooLarge.Because(err)
	}
	return err
}

// WriteError answers with the Problem of err. Once an answer has begun it does nothing but log.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	p := newProblem(r.Context(), r.Header, err)
	if x := exchangeOf(r.Context()); x != nil && x.w.status != 0 {
		return
	}
	p.Write(w)
}

// Write sends the problem.
func (p *Problem) Write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers: it cannot happen
	}
	h := w.Header()
	p.SetHeaders(h)
	h.Set("Content-Type", p.ContentType(""))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	w.Write(body)
}

// SetHeaders puts the headers that belong to the problem into h, and takes out those that described the answer it replaces.
// It is for an answer that carries more members than Problem has.
func (p *Problem) SetHeaders(h http.Header) {
	for _, stale := range []string{"Content-Encoding", "Content-Length", "Etag", "Last-Modified", "Content-Disposition"} {
		delete(h, stale)
	}
	if p.challenge != "" {
		h.Set("WWW-Authenticate", p.challenge)
	}
	if p.retryAfter > 0 {
		h.Set("Retry-After", seconds(p.retryAfter))
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", contentSecurityPolicy)
}

// seconds rounds up, because a client that comes back too early is refused again.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}

// Error gives the code and the detail. With GetStatus, GetHeaders and ContentType it lets an API framework send a Problem as it is.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is the status of the answer.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are the headers that belong to the problem and are not on every answer.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	p.SetHeaders(h)
	h.Del("Cache-Control") // a framework adds to what is there
	h.Del("Content-Security-Policy")
	return h
}

// ContentType is the media type of RFC 9457 section 6.1, whatever was negotiated.
func (p *Problem) ContentType(string) string { return "application/problem+json" }
