// Package yotiface reads Yoti identity-verification sessions, judges their Familiar Face Search, and fetches the face of
// the person who matched.
//
// A person goes through a Yoti session, and Yoti searches a pool of known faces for theirs. This is the shortest program
// that asks what came of it:
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"log"
//		"os"
//		"time"
//
//		"github.com/yotiface/yotiface"
//	)
//
//	func main() {
//		client, err := yotiface.NewClientFromEnv() // YOTI_CLIENT_SDK_ID, YOTI_KEY_FILE_PATH
//		if err != nil {
//			log.Fatal(err)
//		}
//		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
//		defer cancel()
//		session, err := client.GetSession(ctx, os.Args[1])
//		if err != nil {
//			log.Fatal(err)
//		}
//		fmt.Println(session.FaceSearchOutcome()) // APPROVED, REJECTED, PENDING or UNDETERMINED
//	}
//
// # Authentication
//
// Every request is signed with the RSA key of an application, which comes as a .pem file from the Yoti Hub together with
// the SDK ID. [NewClient] takes both, [NewClientFromEnv] finds them through the environment. Given the
// same nonce and time, the signature is that of the official Go SDK, which this package complements and does not replace.
//
// # Familiar face search
//
// [Session.FaceSearchOutcome] is one answer for the session, [Session.FamiliarFaceSearches] has each search with its
// evidence. Yoti's recommendation answers the approval criterion and not the question whether there was a match: under
// [CriteriaNoMatch] a match is rejected, under [CriteriaMatch] it is approved. The outcome is the recommendation unless
// the search's own evidence contradicts it; then it is [OutcomeUndetermined], as is everything odd, and
// [FamiliarFaceSearch.Inconsistency] says why. The zero value of an outcome is never an approval.
//
// [Client.MatchedFaces] fetches who matched. A match is a resemblance: let a person compare the faces before anybody is
// turned away or let in on it.
//
// # Errors
//
// What the service refuses is an [*APIError] that matches a sentinel such as [ErrNotFound]. An answer that is not the JSON
// it should be, or about another session than was asked for, is a [*DecodeError]. A mistake in an argument is
// [ErrInvalidArgument], and nothing was sent. A non-nil error comes with no result.
//
// # Retries
//
// By default a call is tried three times, each time with a new signature:
//
//   - after 408, 429, 500, 502, 503 and 504, refused and broken connections, and attempts that took too long;
//   - with a random wait of up to 200 ms, 400 ms, and so on, or as long as Retry-After says, up to 10 s;
//   - not if the context would end first: then the last error comes at once.
//
// An attempt may take 30 seconds; for the whole call, give the context a deadline. See [RetryPolicy].
//
// # Privacy
//
// Faces, keys, session tokens and signed URLs are in no error, log record or formatted value; IDs are in no error, log
// record of this package, or explanation. Fields that hold them say so. See SECURITY.md for what is left to the caller.
//
// # Testing
//
// Package yotitest is a Yoti in memory that verifies every signature; examples/familiarface is a program that runs against
// it without an account.
package yotiface
