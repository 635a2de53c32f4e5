package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/tracing"
)

// traced has a server make traces and sends them, in the background: a request never waits for it, and what a collector does not take is dropped.
// What it returns sends those that are left.
func traced(ctx context.Context, cfg tracing.Config, log *slog.Logger) (admit.Option, func(), error) {
	if cfg.URL == "" {
		return admit.WithTracing(nil), func() {}, nil
	}
	headers, err := cfg.HeadersByName()
	if err != nil {
		return nil, nil, err
	}
	to, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(strings.TrimSuffix(cfg.URL, "/")+"/v1/traces"), otlptracehttp.WithHeaders(headers))
	if err != nil {
		return nil, nil, fmt.Errorf("TRACES_URL: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces were not taken, and are dropped", "err", err) }))
	about := resource.NewSchemaless(attribute.String("service.name", "admit"), attribute.String("service.version", version))
	provider := trace.NewTracerProvider(trace.WithBatcher(to), trace.WithResource(about),
		trace.WithSampler(trace.ParentBased(trace.TraceIDRatioBased(float64(cfg.Percent)/100))))
	return admit.WithTracing(provider), func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = provider.Shutdown(ctx) // a collector that is away has no say in how a server ends
	}, nil
}
