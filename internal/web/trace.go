package web

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Trace goes around a wrapped handler and begins a span for each request, as a part of the trace that the client names (W3C Trace Context).
// The edge gives it its name and what came of it: the pattern and never the path, which may hold a token.
func Trace(provider trace.TracerProvider, next http.Handler) http.Handler {
	tracer := provider.Tracer("github.com/admit-dev/admit")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// tell says in the span of a request, if there is one, what came of it (semantic conventions for HTTP).
func (x *exchange) tell(status int) {
	span := trace.SpanFromContext(x.w.r.Context())
	if !span.IsRecording() {
		return
	}
	if route := x.w.r.Pattern; route != "" {
		span.SetName(route)
		span.SetAttributes(attribute.String("http.route", route))
	}
	span.SetAttributes(attribute.Int("http.response.status_code", status), attribute.String("admit.request_id", x.origin.RequestID))
	if status >= 500 {
		span.SetStatus(codes.Error, "")
	}
}
