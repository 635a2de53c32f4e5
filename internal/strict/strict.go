// Package strict refuses bodies that can be read in two ways: what one program checks must be what the next one does.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"
)

// What is wrong with a body.
var (
	ErrUTF8      = errors.New("the body is not UTF-8")
	ErrNUL       = errors.New("the body holds a NUL character, or one that stands for text which was broken")
	ErrTwice     = errors.New("the body names a member twice")
	ErrTrailing  = errors.New("the body goes on after its end")
	ErrForm      = errors.New("the body is not a valid form")
	ErrMalformed = errors.New("the body is not valid JSON")
)

// unreadable is NUL, and what encoding/json makes of half a surrogate pair: of two texts that differ it would make one.
const unreadable = "\x00\uFFFD"

// JSON refuses what encoding/json reads in its own way: invalid UTF-8, a member given twice, text after the end.
func JSON(data []byte) error {
	if !utf8.Valid(data) {
		return ErrUTF8
	}
	if !json.Valid(data) {
		return ErrMalformed
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := walk(d); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return ErrTrailing
	}
	return nil
}

func walk(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return ErrMalformed
	}
	if s, ok := t.(string); ok && strings.ContainsAny(s, unreadable) {
		return ErrNUL
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
				return ErrMalformed
			}
			if strings.ContainsAny(name, unreadable) {
				return ErrNUL
			}
			if seen[strings.ToLower(name)] { // encoding/json does not tell cases apart
				return ErrTwice
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

// Form reads a form (application/x-www-form-urlencoded) into an object of texts.
func Form(data []byte) (map[string]any, error) {
	values, err := url.ParseQuery(string(data))
	if err != nil {
		return nil, ErrForm
	}
	members := map[string]any{}
	for name, given := range values {
		switch {
		case len(given) > 1:
			return nil, ErrTwice
		case !utf8.ValidString(name) || !utf8.ValidString(given[0]):
			return nil, ErrUTF8
		case strings.ContainsAny(name+given[0], unreadable):
			return nil, ErrNUL
		}
		members[name] = given[0]
	}
	return members, nil
}
