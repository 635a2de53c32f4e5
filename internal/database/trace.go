package database

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// traced begins a span for a statement where its request has one, and returns what ends it. The text of a statement holds no value.
func traced(ctx context.Context, engine, text string) func(error) {
	above := trace.SpanFromContext(ctx)
	if !above.IsRecording() {
		return func(error) {}
	}
	_, span := above.TracerProvider().Tracer("github.com/admit-dev/admit").Start(ctx, "query", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("db.system.name", engine), attribute.String("db.query.text", text)))
	return func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
