// Package yotiface reads a Yoti identity-verification session, judges its Familiar Face Search, and fetches the face of
// the person who matched.
package yotiface
