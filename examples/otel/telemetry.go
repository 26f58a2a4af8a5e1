package main

import (
	"context"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/yotiface/yotiface"
)

// scope names what records the spans and numbers that are not otelhttp's: your own package, where you copy this.
const scope = "github.com/yotiface/yotiface/examples/otel"

// telemetry is where a service's signals go.
type telemetry struct {
	traces  trace.TracerProvider
	metrics metric.MeterProvider
	log     *slog.Logger
}

// options make each attempt of a client a span, a measurement of http.client.request.duration, and a log record. base is what
// the requests go through, such as yotiface.Transport().
//
// The order of the transports matters: what is recorded lies between the one that takes the IDs out of the request and the
// one that puts them back.
func (t telemetry) options(base http.RoundTripper) []yotiface.Option {
	recorded := otelhttp.NewTransport(
		revealed{base},
		otelhttp.WithTracerProvider(t.traces),
		otelhttp.WithMeterProvider(t.metrics),
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()), // Yoti has no use for the trace's ID
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + r.URL.Path }),
		otelhttp.WithMetricAttributesFn(func(r *http.Request) []attribute.KeyValue {
			return []attribute.KeyValue{attribute.String("url.template", r.URL.Path)}
		}),
	)
	return []yotiface.Option{
		yotiface.WithHTTPClient(&http.Client{Transport: redacted{recorded, base}}),
		yotiface.WithLogger(t.log),
	}
}

// traced adds to a log record the trace and the span that it was written in. The library logs with the context of the call,
// so the span is the caller's, and not that of the attempt.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, record slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, record)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }
func (h traced) WithGroup(name string) slog.Handler       { return traced{h.Handler.WithGroup(name)} }
