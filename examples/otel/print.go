package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// This is what a collector and its screens are for. It is here so that the example needs none.

// printTraces draws spans below their parents, in the order in which they began.
func printTraces(out io.Writer, spans tracetest.SpanStubs) {
	slices.SortStableFunc(spans, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	var draw func(parent trace.SpanID, indent string)
	draw = func(parent trace.SpanID, indent string) {
		for _, span := range spans {
			if span.Parent.SpanID() != parent {
				continue
			}
			took := span.EndTime.Sub(span.StartTime).Round(100 * time.Microsecond)
			fmt.Fprintf(out, "  %-62s %8s", indent+span.Name, took)
			for _, a := range span.Attributes {
				if shownKeys[a.Key] {
					fmt.Fprintf(out, "  %s=%s", a.Key, a.Value.Emit())
				}
			}
			fmt.Fprintln(out)
			draw(span.SpanContext.SpanID(), indent+"  ")
		}
	}
	draw(trace.SpanID{}, "")
}

// shownKeys are the attributes that say something here; all of them are free of IDs.
var shownKeys = map[attribute.Key]bool{"http.response.status_code": true, "error.type": true, "yoti.outcome": true}

// printMetrics prints what was measured, one line for each set of attributes.
func printMetrics(ctx context.Context, out io.Writer, reader *sdkmetric.ManualReader) error {
	var all metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &all); err != nil {
		return err
	}
	var lines []string
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				if m.Name != "http.client.request.duration" {
					continue
				}
				for _, point := range data.DataPoints {
					lines = append(lines, fmt.Sprintf("%s  %d×  %s", m.Name, point.Count, labels(point.Attributes)))
				}
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					lines = append(lines, fmt.Sprintf("%s  %d×  %s", m.Name, point.Value, labels(point.Attributes)))
				}
			}
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintln(out, "  "+line)
	}
	return nil
}

// labels writes attributes, without the address of the service, which is another one each time.
func labels(set attribute.Set) string {
	var texts []string
	for _, a := range set.ToSlice() {
		if !strings.HasPrefix(string(a.Key), "server.") && !strings.HasPrefix(string(a.Key), "network.") && a.Key != "url.scheme" {
			texts = append(texts, fmt.Sprintf("%s=%s", a.Key, a.Value.Emit()))
		}
	}
	return strings.Join(texts, " ")
}

// withoutTime leaves the time and the level out of a log record, to make it fit a screen.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	return a
}

// indented writes each line a little to the right.
type indented struct{ to io.Writer }

func (w indented) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if _, err := fmt.Fprintf(w.to, "  %s", line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
