// Package yotitest is a Yoti identity-verification service in memory, for tests
// and demos of programs that use [github.com/yotiface/yotiface].
//
//	server := yotitest.NewServer()
//	defer server.Close()
//
//	id := server.PutSession(sessionJSON)
//	session, err := server.Client().GetSession(ctx, id)
//
// The service is a real one on a loopback port: what is tested is the whole way
// from the client's method to the wire and back. It keeps sessions, applicants
// with their faces, and media, and serves what was put into it.
//
// # Signatures
//
// Every request is verified as the service would verify it, by a reading of
// Yoti's signing scheme that shares no code with the client: the SDK ID, a nonce
// that was never seen before, a timestamp of these minutes, and the signature
// over the bytes that arrived. So a test that passes has also shown that nothing
// is sent twice and that what is signed is what is sent.
//
// # Faults
//
// [Server.Inject] makes the next requests fail in a chosen way, each fault once
// unless it says otherwise:
//
//	server.Inject(
//		yotitest.Status(503).RetryAfter(time.Second).Times(2),
//		yotitest.Drop().On("GET", "/sessions/{session_id}"),
//	)
//
// [Server.Requests] tells afterwards what arrived.
//
// # Demos
//
// [Demo] is a server with people in it: the documented session and some that
// differ from it in one respect each, with drawn faces. [DrawFace] and
// [DrawCapture] draw more of them. No picture shows anybody who exists.
package yotitest
