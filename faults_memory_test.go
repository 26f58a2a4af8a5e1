package yotiface_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// What these tests measure is the memory of the whole process, so no other test runs beside them.

// faultFill is the middle of a body that does not end, one MiB of it at a time.
var faultFill = map[string][]byte{
	"spaces": bytes.Repeat([]byte(" "), mib),
	"base64": bytes.Repeat([]byte("AAAA"), mib/4),
	"arrays": bytes.Repeat([]byte("["), mib),
}

// faultBegin is how a body begins that is all right so far: JSON, or an image.
func faultBegin(path string) (begin string, fill []byte) {
	switch {
	case strings.HasSuffix(path, "/content"):
		return "\xff\xd8\xff", faultFill["spaces"]
	case strings.Contains(path, "/faces/"):
		return `{"face":{"data":"` + base64.StdEncoding.EncodeToString([]byte("\xff\xd8\xff")), faultFill["base64"]
	}
	return "{", faultFill["spaces"]
}

//nolint:paralleltest // it measures the memory of the process
func TestBodiesOfAnySizeStayWithinTheLimit(t *testing.T) {
	packed := map[byte][]byte{}
	for _, fill := range faultFill {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(fill)
		require.NoError(t, w.Close())
		packed[fill[0]] = b.Bytes()
	}
	for _, size := range []struct {
		name  string
		serve func(w http.ResponseWriter, begin string, fill []byte)
	}{
		{"no end", func(w http.ResponseWriter, begin string, fill []byte) {
			_, err := io.WriteString(w, begin)
			for err == nil {
				_, err = w.Write(fill)
			}
		}},
		{"256 MiB, declared", func(w http.ResponseWriter, begin string, fill []byte) {
			w.Header().Set("Content-Length", strconv.Itoa(256*mib))
			_, err := io.WriteString(w, begin)
			for err == nil {
				_, err = w.Write(fill)
			}
		}},
		{"1 TiB, declared", func(w http.ResponseWriter, begin string, _ []byte) {
			w.Header().Set("Content-Length", strconv.Itoa(1<<40))
			_, _ = io.WriteString(w, begin)
		}},
		{"100 MiB from 100 kB of gzip", func(w http.ResponseWriter, begin string, fill []byte) {
			w.Header().Set("Content-Encoding", "gzip")
			first := gzip.NewWriter(w)
			_, _ = io.WriteString(first, begin)
			_ = first.Close()
			for range 100 { // gzip goes on in parts
				_, _ = w.Write(packed[fill[0]])
			}
		}},
	} {
		for _, call := range faultCalls {
			if call.method != http.MethodGet || call.waits() || call.requests > 1 {
				continue
			}
			// The default limit once, as reading 32 MiB takes a while under the race detector.
			limit, opts := 2*mib, []yotiface.Option{yotiface.WithMaxResponseBytes(2 * mib)}
			if call.name == "GetSession" {
				limit, opts = 32*mib, nil
			}
			t.Run(size.name+"/"+call.name, func(t *testing.T) {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					begin, fill := faultBegin(r.URL.Path)
					size.serve(w, begin, fill)
				}))
				defer server.Close()
				client := newFaultClient(t, server.URL, append(opts, onlyOneAttempt)...)
				use := measure(func() {
					var err error
					if call.streams {
						err = faultDiscard(t.Context(), client, call.name)
					} else {
						_, err = call.do(t.Context(), client)
					}
					require.ErrorIs(t, err, yotiface.ErrResponseTooLarge)
					assertOneLine(t, err.Error())
				})
				t.Log(use)
				if strings.HasSuffix(size.name, ", declared") || call.streams {
					assert.Less(t, use.total, 2*mib, "refused by its header, or passed on")
				} else {
					// A buffer that grows to the limit, and what it grew out of; twice that under the race detector.
					assert.Less(t, use.total, 12*limit)
					assert.Less(t, use.peak, 8*limit)
				}
			})
		}
	}
}

// faultDiscard downloads to nowhere.
func faultDiscard(ctx context.Context, client *yotiface.Client, name string) error {
	if name == "DownloadFace" {
		return onlyError(client.DownloadFace(ctx, faultID, faultFaceID, io.Discard))
	}
	return onlyError(client.DownloadMedia(ctx, faultID, faultFaceID, io.Discard))
}

// A limit that a caller has taken away does not make the header's word worth the memory.
//
//nolint:paralleltest // it measures the memory of the process
func TestDeclaredLengthIsNotBelieved(t *testing.T) {
	for _, call := range faultCalls {
		if call.method != http.MethodGet || call.waits() || call.requests > 1 {
			continue
		}
		t.Run(call.name, func(t *testing.T) {
			s := newFaultServer(t, func(c *faultConn) {
				if request, ok := c.next(); ok {
					begin, _ := faultBegin(request.path())
					c.write(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", math.MaxInt64-1000, begin))
				}
			})
			client := newFaultClient(t, s.url, yotiface.WithMaxResponseBytes(math.MaxInt64), onlyOneAttempt)
			use := measure(func() {
				defer func() { assert.Nil(t, recover(), "an allocation by the header's word") }()
				_, err := call.do(t.Context(), client)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			})
			t.Log(use)
			assert.Less(t, use.total, 80*mib)
		})
	}
}

//nolint:paralleltest // it measures the memory of the process
func TestErrorBodiesOfAnySize(t *testing.T) {
	for _, size := range []struct {
		name   string
		length string // "" for chunks without end
	}{{"no end", ""}, {"1 GiB", strconv.Itoa(1 << 30)}, {"1 TiB", strconv.Itoa(1 << 40)}} {
		for _, call := range faultCalls {
			t.Run(size.name+"/"+call.name, func(t *testing.T) {
				dropped := make(chan struct{})
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					defer close(dropped)
					if size.length != "" {
						w.Header().Set("Content-Length", size.length)
					}
					w.WriteHeader(http.StatusForbidden)
					var err error
					for err == nil {
						_, err = w.Write(faultFill["spaces"])
					}
				}))
				defer server.Close()
				client := newFaultClient(t, server.URL)
				use := measure(func() {
					_, err := call.do(t.Context(), client)
					var apiErr *yotiface.APIError
					require.ErrorAs(t, err, &apiErr)
					assert.Equal(t, http.StatusForbidden, apiErr.StatusCode)
					assert.Len(t, apiErr.Body, 4*kib)
					assert.LessOrEqual(t, cap(apiErr.Body), 8*kib, "the rest is not kept either")
				})
				assert.Less(t, use.total, 2*mib)
				<-dropped // the connection, or the test never ends
			})
		}
	}
}

//nolint:paralleltest // it measures the memory of the process
func TestDeepNesting(t *testing.T) {
	for _, call := range faultCalls {
		if !call.content || call.waits() || call.requests > 1 || strings.HasSuffix(call.name, "Media") {
			continue
		}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"new":`)
			_, _ = w.Write(faultFill["arrays"])
		}))
		use := measure(func() {
			got, err := call.do(t.Context(), newFaultClient(t, server.URL))
			var decodeErr *yotiface.DecodeError
			require.ErrorAs(t, err, &decodeErr, call.name)
			assert.Empty(t, got)
			assertOneLine(t, err.Error())
		})
		server.Close()
		assert.Less(t, use.total, 16*mib, call.name)
	}
}

func TestBodyOfExactlyTheLimit(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name  string
		write func(w http.ResponseWriter, body string)
	}{
		{"declared", func(w http.ResponseWriter, body string) {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = io.WriteString(w, body)
		}},
		{"in chunks", func(w http.ResponseWriter, body string) {
			_, _ = io.WriteString(w, body[:10])
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, body[10:])
		}},
		{"compressed", func(w http.ResponseWriter, body string) {
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			_, _ = io.WriteString(packed, body)
			_ = packed.Close()
		}},
	} {
		for _, call := range faultCalls {
			if !call.content || call.waits() || call.requests > 1 {
				continue
			}
			t.Run(way.name+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				var size int
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body := faultBodies[r.Method+" "+r.URL.Path]
					if strings.HasPrefix(body, "{") {
						body += strings.Repeat(" ", 1000) // which may come late
					}
					size = len(body)
					way.write(w, body)
				}))
				defer server.Close()
				_, err := call.do(t.Context(), newFaultClient(t, server.URL))
				require.NoError(t, err)
				got, err := call.do(t.Context(), newFaultClient(t, server.URL, yotiface.WithMaxResponseBytes(int64(size))))
				require.NoError(t, err)
				assert.Equal(t, call.right, got)
				_, err = call.do(t.Context(), newFaultClient(t, server.URL, yotiface.WithMaxResponseBytes(int64(size-1))))
				require.ErrorIs(t, err, yotiface.ErrResponseTooLarge)
				assertOneLine(t, err.Error())
			})
		}
	}
}

//nolint:paralleltest // it measures the memory of the process
func TestFaceOf5MiBOverTheWire(t *testing.T) {
	const size = 5 * mib
	image := append([]byte("\xff\xd8\xff"), make([]byte, size-3)...)
	body := []byte(`{"face":{"data":"` + base64.StdEncoding.EncodeToString(image) + `","content_type":"image/jpeg"}}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}))
	defer server.Close()
	client := newFaultClient(t, server.URL)
	var face *yotiface.Face
	get := measure(func() {
		var err error
		face, err = client.GetFace(t.Context(), faultID, faultFaceID)
		require.NoError(t, err)
	})
	assert.Equal(t, image, face.Data)
	assert.Less(t, get.total, size+size/4, "one allocation of its own size")
	download := measure(func() {
		info, err := client.DownloadFace(t.Context(), faultID, faultFaceID, io.Discard)
		require.NoError(t, err)
		assert.EqualValues(t, size, info.Size)
	})
	assert.Less(t, download.total, mib, "the same few kilobytes whatever the size")
	t.Log("get:", get, "download:", download)
}

// A usage is what something took of the heap.
type usage struct{ total, peak int }

func (u usage) String() string {
	return fmt.Sprintf("allocated %.1f MiB, at most %.1f MiB at a time", float64(u.total)/mib, float64(u.peak)/mib)
}

// measure measures what the process allocates while f runs, and how much of that there is at most at a time, collected
// or not.
func measure(f func()) usage {
	heap := func() uint64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, peak := heap(), uint64(0)
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				peak = max(peak, heap())
			}
		}
	})
	f()
	close(done)
	running.Wait()
	peak = max(peak, heap())
	runtime.ReadMemStats(&after)
	return usage{int(after.TotalAlloc - before.TotalAlloc), int(max(peak, start) - start)}
}
