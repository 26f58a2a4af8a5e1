package yotiface_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// What must not be printed. Nothing of it is in the name of a type or a test.
const (
	theToken  = "cst.Jw8sQ2vLx0aTzR5kNfYbGh7uEo4iDp1m"
	theAPIKey = "wl-key-9Zr3Xc6Vb1Nm8Kj5Hg2Fd7Sa4Po0"
	thePhrase = "Quincy Adelmann, born 4 July, lives at"
	thePerson = "4e1b7c90-6d2f-4a83-9b5e-c07f18d3a62b"
)

var theImage = []byte("\xff\xd8\xff\xe0 the face of Quincy, pixel by pixel \xff\xd9")

// plainTypes hold nothing that must not be printed when their user prints them: IDs of people are theirs to handle.
var plainTypes = map[string]any{
	"Applicant":                         yotiface.Applicant{},
	"ApplicantFaces":                    yotiface.ApplicantFaces{},
	"ApplicantProfile":                  yotiface.ApplicantProfile{},
	"ApprovalCriteria":                  yotiface.ApprovalCriteria(""),
	"ApprovalOutcome":                   yotiface.ApprovalOutcome(0),
	"CaptureMethod":                     yotiface.CaptureMethod(""),
	"CheckState":                        yotiface.CheckState(""),
	"CheckType":                         yotiface.CheckType(""),
	"Detail":                            yotiface.Detail{},
	"DocumentType":                      yotiface.DocumentType(""),
	"FaceCapture":                       yotiface.FaceCapture{},
	"FaceRef":                           yotiface.FaceRef{},
	"FamiliarFaceSearchConfig":          yotiface.FamiliarFaceSearchConfig{},
	"FieldError":                        yotiface.FieldError{},
	"GeneratedCheck":                    yotiface.GeneratedCheck{},
	"GeneratedMedia":                    yotiface.GeneratedMedia{},
	"IDDocument":                        yotiface.IDDocument{},
	"LivenessCapture":                   yotiface.LivenessCapture{},
	"LivenessType":                      yotiface.LivenessType(""),
	"Match":                             yotiface.Match{},
	"MatchStatus":                       yotiface.MatchStatus(0),
	"MediaHolder":                       yotiface.MediaHolder{},
	"MediaInfo":                         yotiface.MediaInfo{},
	"MediaRef":                          yotiface.MediaRef{},
	"MediaType":                         yotiface.MediaType(""),
	"Notification":                      yotiface.Notification{},
	"Option":                            yotiface.Option(nil),
	"Page":                              yotiface.Page{},
	"Pool":                              yotiface.Pool{},
	"Recommendation":                    yotiface.Recommendation{},
	"RecommendationValue":               yotiface.RecommendationValue(""),
	"RequestedFamiliarFaceSearch":       yotiface.RequestedFamiliarFaceSearch{},
	"RequestedFamiliarFaceSearchConfig": yotiface.RequestedFamiliarFaceSearchConfig{},
	"Resource":                          yotiface.Resource{},
	"Resources":                         yotiface.Resources{},
	"Result":                            yotiface.Result(""),
	"RetryPolicy":                       yotiface.RetryPolicy{},
	"SessionState":                      yotiface.SessionState(""),
	"ShareCode":                         yotiface.ShareCode{},
	"Source":                            yotiface.Source{},
	"SourceType":                        yotiface.SourceType(""),
	"SubCheck":                          yotiface.SubCheck{},
	"SupplementaryDocument":             yotiface.SupplementaryDocument{},
	"Task":                              yotiface.Task{},
	"TaskReason":                        yotiface.TaskReason{},
	"TaskRecommendation":                yotiface.TaskRecommendation{},
	"TaskRecommendationValue":           yotiface.TaskRecommendationValue(""),
	"TaskState":                         yotiface.TaskState(""),
	"TaskType":                          yotiface.TaskType(""),
	"Topic":                             yotiface.Topic(""),
}

// A sample is a value that is full of secrets.
type sample struct {
	value   any
	secrets []string
}

// secretiveTypes hold something that must not be printed, whatever way of printing their user takes.
var secretiveTypes = map[string]func(*testing.T) []sample{
	"Client": func(t *testing.T) []sample {
		t.Helper()
		client := newOwnClient(t, nothingSent(t))
		key := ownKey()
		secrets := []string{string(ownPEM()[100:200]), string(key.D.Bytes()), key.D.String(), fmt.Sprintf("%x", key.D)}
		for _, prime := range key.Primes {
			secrets = append(secrets, string(prime.Bytes()), prime.String())
		}
		return []sample{{reflect.ValueOf(client).Elem().Interface(), secrets}} // a copy that vet would not let pass
	},
	"Session": func(t *testing.T) []sample {
		t.Helper()
		var session yotiface.Session
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"session_id":%q,"state":"ONGOING","client_session_token":%[2]q,"checks":[{
			"type":"WATCHLIST_ADVANCED_CA","config":{"api_key":%[3]q},"report":{"watchlist_summary":{"search_config":{"api_key":%[3]q}}}
		}],"identity_profile":{"api_key":%[3]q},"unheard_of":[{"client_session_token":%[2]q,"api_key":{"of":%[3]q}}]}`, thePerson, theToken, theAPIKey), &session))
		require.Equal(t, theToken, session.ClientSessionToken)
		return []sample{{session, []string{theToken, theAPIKey}}}
	},
	"CreatedSession": func(t *testing.T) []sample {
		t.Helper()
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			return reply(req, http.StatusCreated, fmt.Sprintf(`{"session_id":%q,"client_session_token":%q,"client_session_token_ttl":600}`, thePerson, theToken)), nil
		})
		session, err := client.CreateSession(t.Context(), struct{}{})
		require.NoError(t, err)
		require.Contains(t, session.ClientURL(), theToken)
		return []sample{{*session, []string{theToken}}}
	},
	"Face": func(*testing.T) []sample {
		return []sample{{yotiface.Face{ContentType: "image/jpeg", Data: theImage}, []string{string(theImage)}}}
	},
	"MatchedFace": func(*testing.T) []sample {
		face := yotiface.MatchedFace{Applicant: &yotiface.Applicant{ID: thePerson}, Face: &yotiface.Face{ContentType: "image/jpeg", Data: theImage}}
		return []sample{{face, []string{string(theImage)}}}
	},
	"FaceSource": func(*testing.T) []sample {
		return []sample{
			{yotiface.FaceFromImage(theImage), []string{string(theImage)}},
			{yotiface.FaceFromSession(thePerson, "media-of-"+thePerson), []string{thePerson}},
		}
	},
	"Media": func(*testing.T) []sample {
		return []sample{{yotiface.Media{ContentType: "image/jpeg", Data: theImage}, []string{string(theImage)}}}
	},
	"WatchlistSummary": func(*testing.T) []sample { return []sample{{theSummary, []string{theAPIKey}}} },
	"Report": func(*testing.T) []sample {
		return []sample{{yotiface.Report{WatchlistSummary: theSummary}, []string{theAPIKey}}}
	},
	"Check": func(*testing.T) []sample {
		return []sample{{yotiface.Check{Report: yotiface.Report{WatchlistSummary: theSummary}}, []string{theAPIKey}}}
	},
	"FamiliarFaceSearch": func(*testing.T) []sample {
		f := yotiface.FamiliarFaceSearch{}
		f.Report.WatchlistSummary = theSummary
		return []sample{{f, []string{theAPIKey}}}
	},
	"NotificationAuth": func(*testing.T) []sample {
		hash := sha256.Sum256([]byte(theToken))
		return []sample{
			{yotiface.BasicAuth(theAPIKey, theToken), []string{theAPIKey, theToken}},
			{yotiface.BearerToken(theToken), []string{theToken, string(hash[:])}},
		}
	},
	"NotificationError": func(t *testing.T) []sample {
		t.Helper()
		var samples []sample
		for _, contentType := range []string{"application/json", "text/" + theAPIKey} {
			for _, given := range []string{theToken, theAPIKey} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hook", strings.NewReader(`{"session_id":"/`+thePerson+`","`+thePhrase))
				r.Header.Set("Authorization", "Bearer "+given)
				r.Header.Set("Content-Type", contentType)
				_, err := yotiface.ParseNotification(r, yotiface.BearerToken(theToken))
				var refused *yotiface.NotificationError
				require.ErrorAs(t, err, &refused)
				samples = append(samples, sample{*refused, []string{theToken, theAPIKey, thePerson, thePhrase}})
			}
		}
		return samples
	},
	"APIError": func(t *testing.T) []sample {
		t.Helper()
		failed := failuresOf(t, hostileAnswers[0])[0]
		var apiErr *yotiface.APIError
		require.ErrorAs(t, failed.err, &apiErr)
		return []sample{
			{*apiErr, failed.secrets},
			{yotiface.APIError{StatusCode: 400, Message: "of " + thePerson, Body: []byte(thePhrase)}, []string{thePerson, thePhrase}},
		}
	},
	"DecodeError": func(t *testing.T) []sample {
		t.Helper()
		failed := failuresOf(t, hostileAnswers[1])[0]
		var decodeErr *yotiface.DecodeError
		require.ErrorAs(t, failed.err, &decodeErr)
		return []sample{
			{*decodeErr, failed.secrets},
			{yotiface.DecodeError{Path: "/" + thePerson, Body: []byte(thePhrase), Err: errors.New(thePhrase)}, []string{thePerson, thePhrase}},
		}
	},
}

var theSummary = func() (w yotiface.WatchlistSummary) {
	_ = w.UnmarshalJSON([]byte(`{"total_hits":1,"search_config":{"type":"WITH_CUSTOM_ACCOUNT","api_key":"` + theAPIKey + `"}}`))
	return w
}()

// A new exported type has to be looked at: is there anything in it that must not be printed?
func TestEveryExportedTypeIsLookedAt(t *testing.T) {
	t.Parallel()
	known := slices.Sorted(maps.Keys(plainTypes))
	known = append(known, slices.Sorted(maps.Keys(secretiveTypes))...)
	assert.ElementsMatch(t, exportedTypes(t), known, "every exported type is either in plainTypes or in secretiveTypes, and nothing else is")
	for name, value := range plainTypes {
		assert.Equal(t, "yotiface."+name, reflect.TypeOf(value).String())
	}
}

// exportedTypes reads the source of the package.
func exportedTypes(t *testing.T) (names []string) {
	t.Helper()
	files, err := fs.Glob(os.DirFS("."), "*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if decl, ok := decl.(*ast.GenDecl); ok {
				for _, spec := range decl.Specs {
					if spec, ok := spec.(*ast.TypeSpec); ok && spec.Name.IsExported() {
						names = append(names, spec.Name.Name)
					}
				}
			}
		}
	}
	require.NotEmpty(t, names)
	return names
}

// A new field has to be looked at too, where its name or its type suggests a secret.
func TestEveryFieldThatMayHoldASecretHoldsOneInItsSample(t *testing.T) {
	t.Parallel()
	suspicious := regexp.MustCompile(`(?i)token|key|secret|passw|auth|credential|signature|digest|nonce|data|body|raw|photo|url`)
	harmless := map[string]string{
		"Session.ImportToken": "an object that refers to media",
	}
	values := map[string]any{}
	maps.Copy(values, plainTypes)
	for name, samples := range secretiveTypes {
		values[name] = samples(t)[0].value
	}
	rawJSON := reflect.TypeFor[json.RawMessage]()
	for name, value := range values {
		v := reflect.ValueOf(value)
		if v.Kind() != reflect.Struct {
			continue
		}
		for field, fieldValue := range v.Fields() {
			kind := field.Type.Kind()
			bytes := kind == reflect.Slice && field.Type.Elem().Kind() == reflect.Uint8
			named := suspicious.MatchString(field.Name) && (kind == reflect.String || bytes)
			if !field.IsExported() || !named && (!bytes || field.Type == rawJSON) || harmless[name+"."+field.Name] != "" {
				continue
			}
			assert.False(t, fieldValue.IsZero(), "%s.%s may hold a secret: put one into its sample, or say why it does not", name, field.Name)
		}
	}
}

// containers are the places where a program may keep a value.
func containers(value any) map[string]any {
	v := reflect.ValueOf(value)
	typ := v.Type()
	p := reflect.New(typ)
	p.Elem().Set(v)
	slice := reflect.Append(reflect.MakeSlice(reflect.SliceOf(typ), 0, 1), v)
	array := reflect.New(reflect.ArrayOf(1, typ)).Elem()
	array.Index(0).Set(v)
	typed := reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "Name", Type: reflect.TypeFor[string]()},
		{Name: "Value", Type: typ},
		{Name: "Pointer", Type: p.Type()},
		{Name: "Values", Type: slice.Type()},
	}))
	typed.Elem().Field(1).Set(v)
	typed.Elem().Field(2).Set(p)
	typed.Elem().Field(3).Set(slice)
	mapping := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[string](), typ))
	mapping.SetMapIndex(reflect.ValueOf("name"), v)
	pointer := p.Interface()
	pointerToPointer := reflect.New(p.Type())
	pointerToPointer.Elem().Set(p)
	return map[string]any{
		"value":                  value,
		"pointer":                pointer,
		"pointer to a pointer":   pointerToPointer.Interface(),
		"slice":                  slice.Interface(),
		"array":                  array.Interface(),
		"map":                    mapping.Interface(),
		"typed struct":           typed.Elem().Interface(),
		"pointer to a struct":    typed.Interface(),
		"struct":                 struct{ Value, Pointer any }{value, pointer},
		"slice of anything":      []any{value, pointer},
		"map of anything":        map[string]any{"value": value, "pointer": pointer},
		"struct in a slice":      []struct{ Value any }{{value}, {pointer}},
		"struct in a struct":     struct{ Inner struct{ Value any } }{struct{ Value any }{value}},
		"pointer in a slice":     reflect.Append(reflect.MakeSlice(reflect.SliceOf(p.Type()), 0, 1), p).Interface(),
		"slice behind a pointer": &[]any{value},
	}
}

// formats are all the verbs of fmt, with the flags that make it write bytes in another way. Two are missing: %p where it
// is not for pointers, and %w outside fmt.Errorf. For these, fmt asks no method of a value, but writes its fields; vet refuses
// both.
var formats = []string{
	"%v", "%+v", "%#v", "% v", "%#+v", "%s", "%+s", "%#s", "% s", "%q", "%+q", "%#q", "%x", "%#x", "% x", "%# x", "%X", "%#X", "% X", "%# X",
	"%d", "%+d", "%#d", "% d", "%b", "%#b", "%o", "%#o", "%O", "%c", "%U", "%#U", "%t", "%e", "%E", "%f", "%F", "%g", "%G", "%T", "%z", "%k",
	"%200v", "%-200v", "%0200v", "%.9v", "%.40s", "%200.40x", "%6.2f",
}

// printAll prints a value in every way that there is, one line each.
func printAll(value any, formats []string) string {
	var out strings.Builder
	for _, format := range formats {
		fmt.Fprintf(&out, format+"\n", value)
	}
	if reflect.TypeOf(value).Kind() == reflect.Pointer {
		fmt.Fprintf(&out, "%p\n", value)
	}
	fmt.Fprintln(&out, fmt.Sprint(value), fmt.Errorf("wrapped: %v", value))
	for _, log := range []*slog.Logger{
		slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
	} {
		log.Info("any", slog.Any("value", value))
		log.Info("group", slog.Group("group", slog.Any("value", value)))
		log.With("value", value).WithGroup("group").Debug("with", "value", value)
		log.Info("slice", slog.Any("values", []any{value}))
	}
	for _, marshal := range []func() ([]byte, error){
		func() ([]byte, error) { return json.Marshal(value) },
		func() ([]byte, error) { return jsonv2.Marshal(value) },
	} {
		text, err := marshal()
		fmt.Fprintln(&out, string(text), err)
	}
	return out.String()
}

// forms are what pieces of a secret look like wherever they are printed: what fmt writes with each of its verbs, base64
// wherever it starts, and lists.
func forms(secret string) []string {
	const size = 12
	found := map[string]bool{}
	for _, start := range []int{0, (len(secret) - size) / 2, len(secret) - size} {
		piece := []byte(secret[start : start+size])
		found[string(piece)] = true
		for _, format := range formats {
			for _, given := range []any{piece, string(piece)} {
				text := fmt.Sprintf(format, given)
				if _, list, ok := strings.Cut(text, "[]byte{"); ok {
					text = list
				}
				text = strings.Trim(text, "[]{}\"'` ")
				text = strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X")
				if format == "%T" || len(text) < sieveMesh || strings.HasPrefix(text, "%!") && strings.Contains(text, "string=") {
					continue // holds nothing of it, too little, or the type and the plain piece
				}
				found[text] = true
			}
		}
		for before := range 3 {
			text := base64.StdEncoding.EncodeToString(slices.Concat(make([]byte, before), piece, make([]byte, 3)))
			text = text[(before*8+5)/6 : (before+size)*8/6]
			found[text] = true
			found[strings.NewReplacer("+", "-", "/", "_").Replace(text)] = true
		}
		decimal := strings.Trim(fmt.Sprintf("%d", piece), "[]")
		found[strings.ReplaceAll(decimal, " ", ",")] = true
		found[strings.ReplaceAll(decimal, " ", ", ")] = true
		found[strings.ReplaceAll(decimal, " ", ",\n")] = true
		found[url.QueryEscape(string(piece))] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// A sieve finds secrets in a text, in all their forms.
type sieve struct {
	forms  map[string][]string // by their first bytes
	begins [1 << 16]bool       // by their first two bytes, to be quick
}

const sieveMesh = 9 // bytes that every form has

var knownForms sync.Map // by secret; they are many, and asked for often

func newSieve(secrets []string) *sieve {
	n := &sieve{forms: map[string][]string{}}
	for _, secret := range secrets {
		known, ok := knownForms.Load(secret)
		if !ok {
			known, _ = knownForms.LoadOrStore(secret, forms(secret))
		}
		for _, form := range known.([]string) {
			n.forms[form[:sieveMesh]] = append(n.forms[form[:sieveMesh]], form)
			n.begins[int(form[0])<<8|int(form[1])] = true
		}
	}
	return n
}

// find returns the first form that is in text, and the line that it is in; "" if there is none.
func (n *sieve) find(text string) (form, line string) {
	for i := range len(text) - sieveMesh + 1 {
		if !n.begins[int(text[i])<<8|int(text[i+1])] {
			continue
		}
		for _, form := range n.forms[text[i:i+sieveMesh]] {
			if strings.HasPrefix(text[i:], form) {
				line, _, _ := strings.Cut(text[strings.LastIndex(text[:i], "\n")+1:], "\n")
				return form, line
			}
		}
	}
	return "", ""
}

// requireHidden makes sure that no secret is in a text in any form.
func requireHidden(t *testing.T, text string, secrets []string, what string) {
	t.Helper()
	form, line := newSieve(secrets).find(text)
	require.Empty(t, form, "%s: %.600q", what, line)
}

// The net must have no holes: what is not protected is found in whatever way it is printed.
func TestSecretsAreFoundWhereverTheyArePrinted(t *testing.T) {
	t.Parallel()
	type careless struct {
		Token string
		Data  []byte
	}
	for _, secret := range []string{theToken, theAPIKey, thePhrase, thePerson, string(theImage)} {
		mesh := newSieve([]string{secret})
		caught := func(text string) bool {
			form, _ := mesh.find(text)
			return form != ""
		}
		for _, format := range formats {
			if format == "%T" || format == "%.9v" {
				continue // holds nothing of it; holds less than a piece in some places
			}
			assert.True(t, caught(fmt.Sprintf(format, careless{Token: secret})) || strings.ContainsRune(format, '.'), "%s of text", format)
			assert.True(t, caught(fmt.Sprintf(format, careless{Data: []byte(secret)})), "%s of bytes", format)
			assert.True(t, caught(fmt.Sprintf(format, careless{Data: []byte("x" + secret + "x")})), "%s of bytes", format)
		}
		for _, before := range []string{"", "x", "xx"} {
			text, err := json.Marshal(careless{Data: []byte(before + secret)})
			require.NoError(t, err)
			assert.True(t, caught(string(text)), "JSON of bytes")
		}
		assert.False(t, caught("yotiface.Face{image/jpeg, 43 bytes}"))
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	for name, samples := range secretiveTypes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, sample := range samples(t) {
				assert.Equal(t, "yotiface."+name, reflect.TypeOf(sample.value).String())
				mesh := newSieve(sample.secrets)
				for place, value := range containers(sample.value) {
					form, line := mesh.find(printAll(value, formats))
					require.Empty(t, form, "in a %s: %.600q", place, line)
				}
			}
		})
	}
}

// No key, whole or in pieces, is in a client however it is printed.
func TestKeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[yotiface.Client]()) {
		assert.False(t, field.IsExported() && len(field.Index) == 1, "a crash reporter prints %s", field.Name)
	}
	client := newOwnClient(t, nothingSent(t))
	key := strings.ReplaceAll(strings.Join(strings.Split(strings.TrimSpace(string(ownPEM())), "\n")[1:], ""), "-----END RSA PRIVATE KEY-----", "")
	for place, value := range containers(reflect.ValueOf(client).Elem().Interface()) {
		text := printAll(value, formats)
		for i := 0; i+16 <= len(key); i += 4 {
			if strings.Contains(text, key[i:i+16]) {
				assert.Failf(t, "a piece of the key is printed", "%s: %q", place, key[i:i+16])
				break
			}
		}
	}
}

// A hostileAnswer is what a service could answer that repeats everything it was told, and tells more.
type hostileAnswer struct {
	name   string
	answer func(*http.Request) (*http.Response, error)
	opts   []yotiface.Option
}

func everythingOf(req *http.Request) string {
	return fmt.Sprintf("%s %s %s %s", thePerson, req.URL, req.URL.RawQuery, req.Header.Get("X-Yoti-Auth-Digest"))
}

var hostileAnswers = []hostileAnswer{
	{"an error of the service", func(req *http.Request) (*http.Response, error) {
		body, err := json.Marshal(map[string]any{
			"code": "C", "message": everythingOf(req), "errors": []map[string]string{{"property": thePerson, "message": everythingOf(req)}},
			"details": thePhrase, "token": theToken,
		})
		return reply(req, http.StatusBadRequest, string(body)), err
	}, nil},
	{"a broken answer", func(req *http.Request) (*http.Response, error) {
		return reply(req, http.StatusOK, fmt.Sprintf(`{"session_id":%q,"face":{"data":%q},"client_session_token":%q %s`, thePerson, thePhrase, theToken, everythingOf(req))), nil
	}, nil},
	{"an unavailable service", func(req *http.Request) (*http.Response, error) {
		return reply(req, http.StatusServiceUnavailable, "<html>"+thePhrase+everythingOf(req), "Content-Type", "text/html"), nil
	}, nil},
	{"a redirect", func(req *http.Request) (*http.Response, error) {
		return reply(req, http.StatusFound, thePhrase, "Location", "https://elsewhere.example/?token="+theToken+"&"+req.URL.RawQuery), nil
	}, nil},
	{"a wrong type", func(req *http.Request) (*http.Response, error) {
		return reply(req, http.StatusOK, fmt.Sprintf(`{"id":{%q:1},"session_id":{%q:1},"face":{%q:1,"data":{%q:%q}}}`, thePerson, thePerson, thePerson, thePhrase, theToken)), nil
	}, nil},
	{"a name twice", func(req *http.Request) (*http.Response, error) {
		return reply(req, http.StatusOK, fmt.Sprintf(`{%q:{"a":%q,"a":%q}}`, thePerson, thePhrase, theToken)), nil
	}, nil},
	{"somebody else", func(req *http.Request) (*http.Response, error) {
		return reply(req, http.StatusOK, fmt.Sprintf(`{"session_id":"%s-%s","id":"","client_session_token":%q}`, thePerson, thePerson, theToken)), nil
	}, nil},
	{"no content", func(req *http.Request) (*http.Response, error) {
		return reply(req, http.StatusNoContent, thePhrase), nil
	}, nil},
	{"too much", func(req *http.Request) (*http.Response, error) {
		return reply(req, http.StatusOK, `{"session_id":"`+thePhrase+theToken), nil
	}, []yotiface.Option{yotiface.WithMaxResponseBytes(10)}},
	{"a transport error", func(req *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Get", URL: req.URL.String(), Err: fmt.Errorf("cannot fetch %s", req.URL)}
	}, nil},
	{"a body that breaks off", func(req *http.Request) (*http.Response, error) {
		resp := reply(req, http.StatusOK, "")
		resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(`{"session_id":"`+thePhrase), failing{io.ErrUnexpectedEOF})), -1
		return resp, nil
	}, nil},
}

// A failure is an error that a call has returned, and what must be in no text of it.
type failure struct {
	name    string
	err     error
	secrets []string
}

// failuresOf are the errors of calls that are answered in one way, the first of them of GetSession.
func failuresOf(t *testing.T, hostile hostileAnswer) []failure {
	t.Helper()
	secrets := []string{thePerson, ownSDKID, thePhrase, theToken}
	requests := 0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
		query := req.URL.Query()
		secrets = append(secrets, query.Get("nonce"), query.Get("timestamp"), req.Header.Get("X-Yoti-Auth-Digest"))
		if requests++; requests == 7 {
			cancel() // or the wait would not end
		}
		return hostile.answer(req)
	}, append(hostile.opts, yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 2, MaxBackoff: time.Nanosecond}))...)
	all := []failure{
		{"GetSession", onlyError(client.GetSession(ctx, thePerson)), nil},
		{"GetFace", onlyError(client.GetFace(ctx, thePerson, "face-of-"+thePerson)), nil},
		{"AddFace", onlyError(client.AddFace(ctx, thePerson, yotiface.FaceFromImage(theImage))), nil},
		{"WaitForSession", onlyError(client.WaitForSession(ctx, thePerson, time.Nanosecond)), nil},
	}
	for i := range all {
		require.Error(t, all[i].err, "%s, %s", hostile.name, all[i].name)
		all[i].name, all[i].secrets = hostile.name+", "+all[i].name, secrets
	}
	return all
}

// failures has one error of each kind.
func failures(t *testing.T) (all []failure) {
	t.Helper()
	for i, hostile := range hostileAnswers {
		of := failuresOf(t, hostile)
		if wait := of[len(of)-1]; i > 0 && !errors.Is(wait.err, context.Canceled) {
			of = of[:1] // the others are like it
		} else if i > 0 {
			of = []failure{of[0], wait}
		}
		all = append(all, of...)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	client := newOwnClient(t, nothingSent(t))
	return append(all,
		failure{"a context that is done", onlyError(client.GetSession(done, thePerson)), []string{thePerson}},
		failure{"an ID that cannot be one", onlyError(client.GetSession(t.Context(), thePerson+"/"+theToken)), []string{thePerson, theToken}},
	)
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestErrorsPrintNothingButTheirText(t *testing.T) {
	t.Parallel()
	// With other verbs, fmt prints the fields of its own and of package errors' types, and asks no method of what is in them.
	ofErrors := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"}
	for _, failure := range failures(t) {
		assertOneLine(t, failure.err.Error())
		mesh := newSieve(failure.secrets)
		for _, test := range []struct {
			place   string
			value   any
			formats []string
		}{
			{"error", failure.err, formats},
			{"struct", struct{ Err error }{failure.err}, formats},
			{"pointer to a struct", &struct{ Err error }{failure.err}, formats},
			{"struct with anything", struct{ Err any }{failure.err}, formats},
			{"slice", []error{failure.err}, formats},
			{"map", map[string]error{"error": failure.err}, formats},
			{"struct in a slice", []struct{ Err error }{{failure.err}}, formats},
			{"wrapped error", fmt.Errorf("in the shop: %w", failure.err), ofErrors},
			{"joined error", errors.Join(failure.err, io.EOF), ofErrors},
		} {
			form, line := mesh.find(printAll(test.value, test.formats))
			require.Empty(t, form, "%s, in a %s: %.600q", failure.name, test.place, line)
		}
	}
}

// %w outside fmt.Errorf is a common mistake. fmt writes the fields of an error then, so what was received is printed; but of
// what the request said of its sender, nothing may be among them.
func TestErrorsPrintedWithTheWrongVerbDoNotTellTheRequest(t *testing.T) {
	t.Parallel()
	wrongly := string([]byte{'%', 'w'}) // vet knows better
	for _, body := range []string{`{"code":"C"}`, "<html>", ""} {
		for _, status := range []int{http.StatusBadRequest, http.StatusOK, http.StatusServiceUnavailable} {
			var secrets []string
			client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
				query := req.URL.Query()
				secrets = []string{thePerson, ownSDKID, query.Get("nonce"), query.Get("timestamp"), req.Header.Get("X-Yoti-Auth-Digest")}
				return reply(req, status, body), nil
			}, onlyOneAttempt)
			_, err := client.GetSession(t.Context(), thePerson)
			require.Error(t, err)
			requireHidden(t, fmt.Sprintf(wrongly, err), secrets, err.Error())
		}
	}
}

func TestLogRecordsHoldNothingThatIdentifies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		answers []int // one after the other
		want    []string
	}{
		{"success", []int{http.StatusOK}, []string{"GET /sessions/{session_id} 200 1"}},
		{"error", []int{http.StatusNotFound}, []string{"GET /sessions/{session_id} 404 1"}},
		{"retries", []int{http.StatusServiceUnavailable, 0, http.StatusOK}, []string{
			"GET /sessions/{session_id} 503 1", "GET /sessions/{session_id} 0 2", "GET /sessions/{session_id} 200 3",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			secrets := []string{thePerson, ownSDKID, theToken, thePhrase, "https://api.yoti.com"}
			tries := 0
			client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
				query := req.URL.Query()
				secrets = append(secrets, query.Get("nonce"), query.Get("timestamp"), req.Header.Get("X-Yoti-Auth-Digest"))
				status := test.answers[tries]
				tries++
				if status == 0 {
					return nil, fmt.Errorf("cannot fetch %s", req.URL)
				}
				return reply(req, status, fmt.Sprintf(`{"session_id":%q,"client_session_token":%q,"message":%q}`, thePerson, theToken, thePhrase)), nil
			},
				yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxBackoff: time.Nanosecond}),
				yotiface.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
			_, _ = client.GetSession(t.Context(), thePerson)

			var got []string
			for line := range strings.Lines(log.String()) {
				var record struct {
					Time     time.Time `json:"time"`
					Level    string    `json:"level"`
					Msg      string    `json:"msg"`
					Method   string    `json:"method"`
					Endpoint string    `json:"endpoint"`
					Status   int       `json:"status"`
					Duration int64     `json:"duration"`
					Try      int       `json:"try"`
					Error    string    `json:"error"`
				}
				require.NoError(t, jsonv2.Unmarshal([]byte(line), &record, jsonv2.RejectUnknownMembers(true)), "nothing else is logged")
				assert.Equal(t, "DEBUG", record.Level)
				assert.Equal(t, "yotiface: attempt", record.Msg)
				assert.Positive(t, record.Duration)
				assert.Equal(t, record.Status == 0, record.Error != "", "where there was no answer, why")
				got = append(got, fmt.Sprintf("%s %s %d %d", record.Method, record.Endpoint, record.Status, record.Try))
			}
			assert.Equal(t, test.want, got)
			requireHidden(t, log.String(), secrets, "log")
		})
	}
}

func TestAttemptsAreLoggedForDebuggingOnly(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	client := newOwnClient(t, func(req *http.Request) (*http.Response, error) { return reply(req, http.StatusNotFound, ""), nil },
		yotiface.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	_, err := client.GetSession(t.Context(), thePerson)
	require.ErrorIs(t, err, yotiface.ErrNotFound)
	assert.Empty(t, log.String(), "records are for debugging")
}
