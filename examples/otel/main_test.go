package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m) // idle connections end with the servers that they go to
}

// recorder keeps all signals of a test.
type recorder struct {
	telemetry
	spans        *tracetest.InMemoryExporter
	measurements *sdkmetric.ManualReader
	logged       *bytes.Buffer
}

func newRecorder() recorder {
	spans, measurements, logged := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader(), new(bytes.Buffer)
	return recorder{
		telemetry{
			traces:  sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
			metrics: sdkmetric.NewMeterProvider(sdkmetric.WithReader(measurements)),
			log:     slog.New(traced{slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug})}),
		},
		spans, measurements, logged,
	}
}

var hurry = yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxBackoff: 1})

// everything is all that was recorded, as text.
func (r recorder) everything(t *testing.T) string {
	t.Helper()
	spans, err := json.Marshal(r.spans.GetSpans())
	require.NoError(t, err)
	var all metricdata.ResourceMetrics
	require.NoError(t, r.measurements.Collect(t.Context(), &all))
	metrics, err := json.Marshal(all.ScopeMetrics)
	require.NoError(t, err)
	return string(spans) + string(metrics) + r.logged.String()
}

func TestTheProgramShowsAttemptsAsSpans(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	took := regexp.MustCompile(` +[0-9.]+(ms|µs|s)  `)
	_, traces, found := strings.Cut(took.ReplaceAllString(out.String(), "  "), "a span of its own:\n\n")
	require.True(t, found)
	const want = `  judge a session  yoti.outcome=REJECTED
    GET /idverify/v1/sessions/:id  http.response.status_code=503  error.type=503
    GET /idverify/v1/sessions/:id  error.type=no answer
    GET /idverify/v1/sessions/:id  http.response.status_code=200
    GET /idverify/v1/applicant/:id  http.response.status_code=200
    GET /idverify/v1/applicant/:id/faces/:id  http.response.status_code=429  error.type=429
    GET /idverify/v1/applicant/:id/faces/:id  http.response.status_code=200
  judge a session  yoti.outcome=APPROVED
    GET /idverify/v1/sessions/:id  http.response.status_code=200
    GET /idverify/v1/applicant/:id  http.response.status_code=200
    GET /idverify/v1/applicant/:id/faces/:id  http.response.status_code=200

The metrics:

  http.client.request.duration  1×  error.type=github.com/yotiface/yotiface/examples/otel.noAnswer http.request.method=GET url.template=/idverify/v1/sessions/:id
  http.client.request.duration  1×  http.request.method=GET http.response.status_code=429 url.template=/idverify/v1/applicant/:id/faces/:id
  http.client.request.duration  1×  http.request.method=GET http.response.status_code=503 url.template=/idverify/v1/sessions/:id
  http.client.request.duration  2×  http.request.method=GET http.response.status_code=200 url.template=/idverify/v1/applicant/:id
  http.client.request.duration  2×  http.request.method=GET http.response.status_code=200 url.template=/idverify/v1/applicant/:id/faces/:id
  http.client.request.duration  2×  http.request.method=GET http.response.status_code=200 url.template=/idverify/v1/sessions/:id
  yoti.verdicts  1×  yoti.outcome=APPROVED
  yoti.verdicts  1×  yoti.outcome=REJECTED
`
	assert.Equal(t, want, traces)
	assert.Equal(t, 9, strings.Count(out.String(), "trace_id="), "one line a request")
}

// Whatever happens to a call: none of its IDs, and nothing of its signature, is in what is recorded.
func TestNothingThatIdentifiesIsRecorded(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]yotitest.Fault{
		"an answer":        yotitest.Slow(0),
		"an error":         yotitest.Status(http.StatusInternalServerError),
		"a refusal":        yotitest.Status(http.StatusUnauthorized),
		"a broken line":    yotitest.Drop(),
		"half an answer":   yotitest.Truncate(100),
		"garbage":          yotitest.Garbage(),
		"another location": yotitest.Redirect("https://elsewhere.example/7938ac1e-0a4a-49b7-953f-08cfa764358f"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			demo := yotitest.Demo()
			defer demo.Close()
			r := newRecorder()
			var sent []string
			client := demo.Client(append(r.options(yotiface.Transport()), hurry)...)
			demo.Inject(fault.Times(2))
			_ = r.judge(t.Context(), client, demo.Sessions[0].ID) // some faults are not survived
			demo.Inject(fault.On(http.MethodGet, "/applicant/{applicant_id}/faces/{face_id}"))
			_ = r.judge(t.Context(), client, demo.Sessions[0].ID)
			for _, request := range demo.Requests() {
				sent = append(sent, request.Nonce)
			}
			require.NotEmpty(t, sent)

			session, err := demo.Client().GetSession(t.Context(), demo.Sessions[0].ID)
			require.NoError(t, err)
			hidden := append(sent, session.ID, demo.SDKID(), "nonce", "timestamp", "sdkId", "elsewhere")
			for _, search := range session.FamiliarFaceSearches() {
				hidden = append(hidden, search.ID, search.Config.PoolID)
				hidden = append(hidden, search.MatchingApplicantIDs()...)
				for _, id := range search.MatchingApplicantIDs() {
					applicant, err := demo.Client().GetApplicant(t.Context(), id)
					require.NoError(t, err)
					hidden = append(hidden, applicant.FaceIDs()...)
				}
			}
			everything := r.everything(t)
			assert.Contains(t, everything, "/idverify/v1/sessions/:id")
			for _, text := range hidden {
				require.NotEmpty(t, text)
				assert.NotContains(t, everything, text)
			}
			assert.NotRegexp(t, `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-`, everything, "no UUID at all")
		})
	}
}

// A server that is none can send back what it received, and net/http quotes that.
func TestWhatABrokenServerEchoesIsNotRecorded(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]string{
		"in place of an answer": "",
		"behind a body":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testEcho(t, before)
		})
	}
}

func testEcho(t *testing.T, before string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			received := make([]byte, 4096)
			n, _ := conn.Read(received)
			_, _ = io.WriteString(conn, before+string(received[:n]))
			_ = conn.Close()
		}
	}()
	account := yotitest.NewServer()
	defer account.Close()
	r := newRecorder()
	const session = "7938ac1e-0a4a-49b7-953f-08cfa764358f"
	client := account.Client(append(r.options(yotiface.Transport()), hurry, yotiface.WithBaseURL("http://"+listener.Addr().String()+"/idverify/v1"))...)
	require.Error(t, r.judge(t.Context(), client, session))
	everything := r.everything(t)
	assert.Contains(t, everything, "no answer")
	for _, hidden := range []string{session, account.SDKID(), "nonce", "timestamp"} {
		assert.NotContains(t, everything, hidden)
	}
}

func TestKindsOfErrorsAreRecordedAndTheirIdentityIsKept(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }))
	defer server.Close()
	account := yotitest.NewServer()
	defer account.Close()
	r := newRecorder()
	once := yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 1})
	client := account.Client(append(r.options(yotiface.Transport()), once, yotiface.WithAttemptTimeout(50*time.Millisecond), yotiface.WithBaseURL(server.URL+"/idverify/v1"))...)
	_, err := client.GetSession(t.Context(), "ID1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	spans := r.spans.GetSpans()
	require.Len(t, spans, 1)
	assert.Equal(t, "timeout", spans[0].Status.Description)
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	account := yotitest.NewServer()
	defer account.Close()
	base := &http.Transport{}
	client := account.Client(append(newRecorder().options(base), yotiface.WithBaseURL(server.URL+"/idverify/v1"))...)
	_, err := client.GetSession(t.Context(), "ID1")
	require.ErrorIs(t, err, yotiface.ErrNotFound)
	client.CloseIdleConnections()
	<-closed
}

// What goes over the wire is what the library sends without all this: no trace's ID, no chunks, no nonce twice.
func TestRequestsAreNotChanged(t *testing.T) {
	t.Parallel()
	nonces := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		nonces[req.URL.Query().Get("nonce")]++
		assert.Empty(t, req.TransferEncoding)
		assert.NotContains(t, req.Header, "Content-Length")
		assert.NotContains(t, req.Header, "Traceparent")
		assert.NotEmpty(t, req.Header.Get("X-Yoti-Auth-Digest"))
		if len(nonces) == 2 { // on a connection that was in use before: net/http would send it again by itself
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `{"session_id":"ID1","state":"COMPLETED"}`)
	}))
	defer server.Close()
	account := yotitest.NewServer()
	defer account.Close()
	r := newRecorder()
	client := account.Client(append(r.options(yotiface.Transport()), hurry, yotiface.WithBaseURL(server.URL+"/idverify/v1"))...)
	for range 3 {
		_, err := client.GetSession(t.Context(), "ID1")
		require.NoError(t, err)
	}
	assert.Len(t, nonces, 4)
	for _, times := range nonces {
		assert.Equal(t, 1, times)
	}
}

func TestErrorsOfACallEndTheTraceWithOne(t *testing.T) {
	t.Parallel()
	account := yotitest.NewServer()
	defer account.Close()
	r := newRecorder()
	client := account.Client(r.options(yotiface.Transport())...)
	require.ErrorIs(t, r.judge(context.Background(), client, "ID1"), yotiface.ErrNotFound)
	spans := r.spans.GetSpans()
	require.Len(t, spans, 2)
	assert.Equal(t, "judge a session", spans[1].Name)
	assert.Equal(t, codes.Error, spans[1].Status.Code)
	assert.Contains(t, spans[1].Status.Description, "404 Not Found")
	assert.Contains(t, r.logged.String(), fmt.Sprintf("trace_id=%s span_id=%s", spans[1].SpanContext.TraceID(), spans[1].SpanContext.SpanID()))
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/idverify/v1/sessions/7938ac1e":                  "/idverify/v1/sessions/:id",
		"/sandbox/idverify/v1/sessions/A/media/B/content": "/sandbox/idverify/v1/sessions/:id/media/:id/content",
		"/idverify/v1/applicants":                         "/idverify/v1/applicants",
		"/idverify/v1/applicants/A/faces/B":               "/idverify/v1/applicants/:id/faces/:id",
		"/idverify/v1/pools/A/applicants/B":               "/idverify/v1/pools/:id/applicants/:id",
		"/idverify/v1/a-path-of-next-year/A":              "/idverify/v1/:id/:id",
		"":                                                "",
		"/":                                               "/",
	} {
		assert.Equal(t, want, template(path), path)
	}
}
