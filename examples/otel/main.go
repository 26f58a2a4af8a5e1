// Command otel shows what tracing and metrics make of the library: OpenTelemetry's otelhttp in the caller's http.Client, and
// the library's log in the same trace. A person is looked up while the service has a bad moment, so each attempt is seen.
//
// It plays with a Yoti in memory, and needs no account and no collector:
//
//	go -C examples/otel run .
//
// To take over are telemetry.go and redact.go, with the providers of your service in place of the ones that main.go makes: the
// options of the client, and the transports that keep IDs and signatures out of what is recorded. And start a span around each
// unit of work, as judge does: without one, each attempt is a trace of its own, and the log knows none.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	server := yotitest.Demo()
	defer server.Close()
	server.Inject(
		yotitest.Status(http.StatusServiceUnavailable).On(http.MethodGet, "/sessions/{session_id}"),
		yotitest.Drop().On(http.MethodGet, "/sessions/{session_id}"),
		yotitest.Status(http.StatusTooManyRequests).On(http.MethodGet, "/applicant/{applicant_id}/faces/{face_id}"),
	)

	// In a service: the exporters and readers of your collector.
	spans, measurements := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	t := telemetry{
		traces:  sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
		metrics: sdkmetric.NewMeterProvider(sdkmetric.WithReader(measurements)),
		log:     slog.New(traced{slog.NewTextHandler(indented{out}, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutTime})}),
	}
	// In a service: yotiface.NewClientFromEnv(t.options(yotiface.Transport())...).
	hurry := yotiface.WithRetryPolicy(yotiface.RetryPolicy{MinBackoff: 50 * time.Millisecond})
	client := server.Client(append(t.options(yotiface.Transport()), hurry)...)

	fmt.Fprintln(out, "What WithLogger says, with the trace that it belongs to:")
	fmt.Fprintln(out)
	for _, s := range server.Sessions[:2] {
		if err := t.judge(ctx, client, s.ID); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\nThe traces, in which each attempt is a span of its own:\n\n")
	printTraces(out, spans.GetSpans())
	fmt.Fprintf(out, "\nThe metrics:\n\n")
	return printMetrics(ctx, out, measurements)
}

// judge is one unit of work of a service, and so one trace: the verdict, and the faces for a reviewer.
func (t telemetry) judge(ctx context.Context, client *yotiface.Client, sessionID string) (err error) {
	ctx, span := t.traces.Tracer(scope).Start(ctx, "judge a session")
	defer span.End()
	defer func() {
		if err != nil {
			span.SetStatus(codes.Error, err.Error()) // an error of the library names no ID
		}
	}()

	session, err := client.GetSession(ctx, sessionID)
	if err != nil {
		return err
	}
	outcome := attribute.Stringer("yoti.outcome", session.FaceSearchOutcome())
	span.SetAttributes(outcome)
	verdicts, err := t.metrics.Meter(scope).Int64Counter("yoti.verdicts", metric.WithDescription("sessions that were judged"))
	if err != nil {
		return err
	}
	verdicts.Add(ctx, 1, metric.WithAttributes(outcome))

	for _, search := range session.FamiliarFaceSearches() {
		faces, err := client.MatchedFaces(ctx, search)
		if err != nil {
			return err
		}
		span.AddEvent("faces fetched", trace.WithAttributes(attribute.Int("yoti.faces", len(faces))))
	}
	return nil
}
