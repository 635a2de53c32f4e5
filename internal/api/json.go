package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// A body that can be read in two ways is refused: what one program checks must be what the next one does.
var (
	errUTF8      = errors.New("the body is not UTF-8")
	errNUL       = errors.New("the body holds a NUL character, or one that stands for text which was broken")
	errTwice     = errors.New("the body names a member twice")
	errTrailing  = errors.New("the body goes on after its end")
	errForm      = errors.New("the body is not a valid form")
	errMalformed = errors.New("the body is not valid JSON")
)

var strictJSON = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	},
	Unmarshal: func(data []byte, v any) error {
		if into, first := v.(*any); first { // huma reads twice: to check, then into the type
			if err := unambiguous(data); err != nil {
				return err
			}
			d := json.NewDecoder(bytes.NewReader(data))
			return d.Decode(into)
		}
		return json.Unmarshal(data, v)
	},
}

// unreadable is NUL, and what encoding/json makes of half a surrogate pair: of two texts that differ it would make one.
const unreadable = "\x00\uFFFD"

// unambiguous refuses what encoding/json reads in its own way: invalid UTF-8, a member given twice, text after the end.
func unambiguous(data []byte) error {
	if !utf8.Valid(data) {
		return errUTF8
	}
	if !json.Valid(data) {
		return errMalformed
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := walk(d); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

func walk(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return errMalformed
	}
	if s, ok := t.(string); ok && strings.ContainsAny(s, unreadable) {
		return errNUL
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			t, err := d.Token()
			name, ok := t.(string)
			if err != nil || !ok {
				return errMalformed
			}
			if strings.ContainsAny(name, unreadable) {
				return errNUL
			}
			if seen[strings.ToLower(name)] { // encoding/json does not tell cases apart
				return errTwice
			}
			seen[strings.ToLower(name)] = true
		}
		if err := walk(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

const formType = "application/x-www-form-urlencoded"

// form reads an OAuth 2 password form (RFC 6749, section 4.3.2) as if it were JSON.
var form = huma.Format{
	Marshal: func(io.Writer, any) error { return errors.New("api: answers are JSON") },
	Unmarshal: func(data []byte, v any) error {
		values, err := url.ParseQuery(string(data))
		if err != nil {
			return errForm
		}
		members := map[string]any{}
		for name, given := range values {
			switch {
			case len(given) > 1:
				return errTwice
			case !utf8.ValidString(name) || !utf8.ValidString(given[0]):
				return errUTF8
			case strings.ContainsAny(name+given[0], unreadable):
				return errNUL
			}
			members[name] = given[0]
		}
		if into, first := v.(*any); first {
			*into = members
			return nil
		}
		text, err := json.Marshal(members)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, v)
	},
}
