package yotiface

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MarshalJSON encodes the session for storing or passing on: its fields as they are now and, on a session that was read
// from JSON, what the service sent and this version has no field for. It leaves out credentials, the client session token
// and api_key, so that none ends up in a log or a database by accident. For what the service sent, byte for byte, take
// [Session.RawJSON].
func (s Session) MarshalJSON() ([]byte, error) {
	s.ClientSessionToken = ""
	now, err := json.Marshal(plainSession(s))
	if err != nil {
		return nil, err
	}
	if s.raw == nil {
		return withoutCredentials(now)
	}
	read, decodeErr := decode[plainSession](s.raw)
	if decodeErr != nil {
		return nil, decodeErr
	}
	known, err := json.Marshal(read)
	if err != nil {
		return nil, err
	}
	raw := jsontext.Value(bytes.Clone(s.raw))
	if err := raw.Format(); err != nil { // written as the encoder writes, to be compared with it
		return nil, err
	}
	all, err := addUnknown(now, raw, known)
	if err != nil {
		return nil, err
	}
	return withoutCredentials(all)
}

// addUnknown returns a value with the members that raw has at the same place and known has not: those that no field was
// there for. An array is left as it is if elements have come or gone since it was read, and an element if it is another.
func addUnknown(now, raw, known jsontext.Value) (jsontext.Value, error) {
	kind := now.Kind()
	if raw.Kind() != kind || known.Kind() != kind || bytes.Equal(raw, known) {
		return now, nil // all is known, as in what is kept raw, however deep
	}
	switch kind {
	case jsontext.KindBeginObject:
		return addUnknownMembers(now, raw, known)
	case jsontext.KindBeginArray:
		return addUnknownElements(now, raw, known)
	default:
		return now, nil
	}
}

func addUnknownElements(now, raw, known jsontext.Value) (jsontext.Value, error) {
	var nows, raws, knowns []jsontext.Value
	for value, elements := range map[*jsontext.Value]*[]jsontext.Value{&now: &nows, &raw: &raws, &known: &knowns} {
		if err := json.Unmarshal(*value, elements); err != nil {
			return nil, err
		}
	}
	if len(raws) != len(nows) || len(knowns) != len(nows) {
		return now, nil
	}
	for i := range nows {
		if !sameElement(nows[i], knowns[i]) {
			continue
		}
		var err error
		if nows[i], err = addUnknown(nows[i], raws[i], knowns[i]); err != nil {
			return nil, err
		}
	}
	return json.Marshal(nows)
}

// sameElement reports whether an element of an array is the one that was read there: by its ID or, where it has none, by
// all that is known of it.
func sameElement(now, known jsontext.Value) bool {
	var ids [2]struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(now, &ids[0]) == nil && json.Unmarshal(known, &ids[1]) == nil && ids[0].ID+ids[1].ID != "" {
		return ids[0].ID == ids[1].ID
	}
	return bytes.Equal(now, known)
}

func addUnknownMembers(now, raw, known jsontext.Value) (jsontext.Value, error) {
	nowNames, nows, err := members(now)
	if err != nil {
		return nil, err
	}
	rawNames, raws, err := members(raw)
	if err != nil {
		return nil, err
	}
	_, knowns, err := members(known)
	if err != nil {
		return nil, err
	}
	for name := range nows {
		if nows[name], err = addUnknown(nows[name], raws[name], knowns[name]); err != nil {
			return nil, err
		}
	}
	for _, name := range rawNames {
		if knowns[name] == nil && nows[name] == nil {
			nowNames = append(nowNames, name)
			nows[name] = raws[name]
		}
	}
	var out bytes.Buffer
	enc := jsontext.NewEncoder(&out)
	_ = enc.WriteToken(jsontext.BeginObject)
	for _, name := range nowNames {
		_ = enc.WriteToken(jsontext.String(name))
		_ = enc.WriteValue(nows[name])
	}
	err = enc.WriteToken(jsontext.EndObject) // an error before stays one
	return bytes.TrimSpace(out.Bytes()), err
}

// members returns the names of an object in their order, and the values by name.
func members(object jsontext.Value) (names []string, values map[string]jsontext.Value, err error) {
	values = map[string]jsontext.Value{}
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := d.ReadToken(); err != nil { // the opening brace
		return nil, nil, err
	}
	for d.PeekKind() == jsontext.KindString {
		name, err := d.ReadToken()
		if err != nil {
			return nil, nil, err
		}
		text := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, nil, err
		}
		names = append(names, text)
		values[text] = bytes.Clone(value)
	}
	return names, values, nil
}
