package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/typo"
)

// flaw is why a text is not a value. Neither sentence quotes the text; value is the part at fault, shown unless it is secret.
type flaw struct {
	value, what, fix string
	cause            error // said by a foreign parser, which may quote what it read
}

// take makes text the value of the field, or leaves the field as it is. An empty text is no value.
func (s *setting) take(text string) *flaw {
	v := s.value
	if text == "" {
		if s.min != nil && *s.min > 0 && v.CanInt() { // the zero of a number is a number
			return &flaw{what: "is missing"}
		}
		return nil
	}
	fresh := reflect.New(bare(v.Type())).Elem()
	if f := s.parse(fresh, text); f != nil {
		return f
	}
	if f := s.judge(fresh, text); f != nil {
		return f
	}
	if v.Kind() == reflect.Pointer {
		v.Set(fresh.Addr())
	} else {
		v.Set(fresh)
	}
	return nil
}

func (s *setting) parse(v reflect.Value, text string) *flaw {
	switch {
	case isText(v.Type()):
		return s.parseText(v, text)
	case v.Kind() == reflect.Slice:
		return s.parseList(v, text)
	case v.Kind() == reflect.Bool:
		b, ok := truth[strings.ToLower(strings.TrimSpace(text))]
		if !ok {
			return &flaw{value: text, what: "is neither true nor false", fix: "Give true or false."}
		}
		v.SetBool(b)
	case v.CanInt():
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, v.Type().Bits())
		if err != nil {
			return &flaw{value: text, what: "is not a whole number", fix: "Give " + s.accepts() + "."}
		}
		v.SetInt(n)
	default:
		v.SetString(text)
	}
	return nil
}

var truth = map[string]bool{
	"true": true, "1": true, "yes": true, "on": true,
	"false": false, "0": false, "no": false, "off": false,
}

func (s *setting) parseText(v reflect.Value, text string) *flaw {
	if a, err := netip.ParseAddr(text); err == nil && v.Type() == reflect.TypeFor[netip.Prefix]() { // one address is a network of one
		text = netip.PrefixFrom(a, a.BitLen()).String()
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
		return &flaw{value: text, what: "is not accepted", fix: s.doc, cause: err}
	}
	return nil
}

func (s *setting) parseList(v reflect.Value, text string) *flaw {
	items, f := split(text)
	if f != nil {
		return f
	}
	for _, item := range items {
		e := reflect.New(v.Type().Elem()).Elem()
		if !isText(e.Type()) {
			e.SetString(item)
		} else if f := s.parseText(e, item); f != nil {
			return f
		}
		v.Set(reflect.Append(v, e))
	}
	return nil
}

const listFix = `Write a,b,c or a JSON array: ["a","b"].`

func split(text string) ([]string, *flaw) {
	text = strings.TrimSpace(text)
	var items []string
	if strings.HasPrefix(text, "[") {
		var list []*string // a plain string would read null as ""
		if err := json.Unmarshal([]byte(text), &list); err != nil || slices.Contains(list, nil) {
			return nil, &flaw{value: text, what: "is not a JSON array of strings", fix: listFix}
		}
		for _, item := range list {
			items = append(items, *item)
		}
	} else {
		for item := range strings.SplitSeq(text, ",") {
			items = append(items, strings.TrimSpace(item))
		}
	}
	if slices.Contains(items, "") {
		return nil, &flaw{value: text, what: "has an empty item", fix: listFix}
	}
	return items, nil
}

// judge holds a parsed value against oneof, min and max.
func (s *setting) judge(v reflect.Value, text string) *flaw {
	words := []string{text}
	if v.Kind() == reflect.Slice && s.oneof != nil {
		words, _ = split(text)
	}
	for _, word := range words {
		if s.oneof != nil && !slices.Contains(s.oneof, word) {
			fix := "Give " + s.accepts() + "."
			if near, ok := s.meant(word); ok && !s.secret {
				fix = "Did you mean " + near + "? " + fix
			}
			return &flaw{value: word, what: "is not one of its values", fix: fix}
		}
	}
	n, ok := count(v)
	if !ok || (s.min == nil || n >= *s.min) && (s.max == nil || n <= *s.max) {
		return nil
	}
	f := &flaw{value: text, what: "is out of bounds", fix: "Give " + s.accepts() + "."}
	switch v.Kind() {
	case reflect.String:
		f.what = "has " + plural(n, "character")
	case reflect.Slice:
		f.what = "has " + plural(n, "item")
	}
	return f
}

func count(v reflect.Value) (int64, bool) {
	switch v.Kind() {
	case reflect.String:
		return int64(utf8.RuneCountInString(v.String())), true
	case reflect.Slice:
		return int64(v.Len()), true
	}
	if v.CanInt() {
		return v.Int(), true
	}
	return 0, false
}

// meant guesses which of its words was meant: prod is production.
func (s *setting) meant(word string) (string, bool) {
	word = strings.ToLower(strings.TrimSpace(word))
	for _, w := range s.oneof {
		if len(word) >= 3 && strings.HasPrefix(strings.ToLower(w), word) {
			return w, true
		}
	}
	return typo.Nearest(word, s.oneof)
}

// accepts says in words what the setting takes; "" when only its doc can.
func (s *setting) accepts() string {
	t := bare(s.value.Type())
	switch {
	case s.oneof != nil && t.Kind() == reflect.Slice:
		return "a list of " + alternatives(s.oneof)
	case s.oneof != nil:
		return alternatives(s.oneof)
	case t.Kind() == reflect.String:
		return s.between("character")
	case isText(t):
		return ""
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		if bounds := s.between("item"); bounds != "" {
			return "a list of " + bounds
		}
		return "a list"
	}
	return strings.TrimSpace("a whole number " + s.between(""))
}

// between words the bounds: "from 1 to 5", "at least 1".
func (s *setting) between(unit string) string {
	switch {
	case s.min != nil && s.max != nil:
		return fmt.Sprintf("from %d to %s", *s.min, plural(*s.max, unit))
	case s.min != nil:
		return "at least " + plural(*s.min, unit)
	case s.max != nil:
		return "at most " + plural(*s.max, unit)
	}
	return ""
}

func plural(n int64, unit string) string {
	switch {
	case unit == "":
		return strconv.FormatInt(n, 10)
	case n == 1:
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

func alternatives(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
