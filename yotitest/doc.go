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
// from the client's method to the wire and back. It keeps sessions, media,
// applicants with their faces, and pools. [Server.PutSession] and its sisters put
// something into it, and a client can create and delete everything as it can with
// Yoti. What Yoti does not document is decided here in the plainest way: adding an
// applicant to a pool twice changes nothing, deleting one takes their faces and
// memberships along, deleting a pool leaves the applicants, and the next face
// takes the place of an archetype face that is deleted.
//
// # Users
//
// A session that a client has created waits for its user. The test plays that
// part, and Yoti's:
//
//	created, err := client.CreateSession(ctx, spec)
//	server.CompleteSession(created.SessionID, yotitest.Matches(applicantID))
//
// The session is completed then: it has a capture with its image, and its checks
// have reports that agree with their criteria and with who is in the pools. The
// notifications that it was created with have been sent, over HTTP and with their
// credentials; options lose, double and reverse them, since Yoti promises neither
// their number nor their order. [Server.PendSession] stops half-way, and
// [Server.ExpireSession] is for users who never come.
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
// [Server.Requests] tells afterwards what arrived, and [Server.Notifications] what
// was sent.
//
// # Demos
//
// [Demo] is a server with people in it: the documented session and some that
// differ from it in one respect each, with drawn faces. [DrawFace] and
// [DrawCapture] draw more of them. No picture shows anybody who exists.
package yotitest
