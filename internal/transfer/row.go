package transfer

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// row is one object of a file. Names of members are told apart without capitals and underscores: the same table has emailVerified in
// one export and email_verified in another. The first member that is not what it was asked as makes the whole row wrong.
type row struct {
	place
	table   string // the member of the file it is under, "" when it is under none
	raw     []byte // as it stands there; nil where it is from CSV
	members map[string]any
	given   map[string]any // the same under the names that stand there
	wrong   string
}

func rowOf(members map[string]any, at place) *row {
	r := &row{place: at, members: make(map[string]any, len(members)), given: members}
	for name, value := range members {
		r.members[plain(name)] = value
	}
	return r
}

func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

func (r *row) fail(name, want string) {
	if r.wrong == "" {
		r.wrong = fmt.Sprintf("%s is not %s", name, want)
	}
}

// has reports whether there is a member, and it is not null.
func (r *row) has(name string) bool { return r.members[plain(name)] != nil }

// column reports whether there is a member, if only null.
func (r *row) column(name string) bool {
	_, ok := r.members[plain(name)]
	return ok
}

// text is a member that is text or a number, "" when there is none.
func (r *row) text(name string) string {
	switch v := r.members[plain(name)].(type) {
	case nil:
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	default:
		r.fail(name, "text")
	}
	return ""
}

// number is a member that is a whole number, otherwise when there is none.
func (r *row) number(name string, otherwise int64) int64 {
	text := r.text(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		r.fail(name, "a whole number")
	}
	return n
}

// truth is a member that is true or false, in any way that databases write it.
func (r *row) truth(name string) bool {
	switch v := r.members[plain(name)].(type) {
	case nil:
		return false
	case bool:
		return v
	}
	switch strings.ToLower(r.text(name)) {
	case "true", "t", "1", "yes", "y":
		return true
	case "", "false", "f", "0", "no", "n":
		return false
	}
	r.fail(name, "true or false")
	return false
}

var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999 -0700 MST",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02"}

// moment is a member that is a time: as text, or as seconds, milliseconds or microseconds since 1970.
func (r *row) moment(name string) *time.Time {
	text := r.text(name)
	if text == "" {
		return nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return r.since(name, n)
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return r.likely(name, t)
		}
	}
	r.fail(name, "a time")
	return nil
}

func (r *row) since(name string, n int64) *time.Time {
	switch {
	case n < 1e11:
		return r.likely(name, time.Unix(n, 0))
	case n < 1e14:
		return r.likely(name, time.UnixMilli(n))
	}
	return r.likely(name, time.UnixMicro(n))
}

// likely refuses times that no account can be of, and that a database would not keep.
func (r *row) likely(name string, t time.Time) *time.Time {
	if t = t.UTC().Truncate(time.Microsecond); t.Year() < 1970 || t.Year() > 9999 {
		r.fail(name, "a time")
		return nil
	}
	return &t
}

// sub is a member that is an object, or text that holds one; an empty one when there is none.
func (r *row) sub(name string) *row {
	switch v := r.members[plain(name)].(type) {
	case nil:
	case map[string]any:
		return rowOf(v, r.place)
	case string:
		if sub, err := objectOf([]byte(v), r.place); err == nil {
			return sub
		}
		r.fail(name, "an object")
	default:
		r.fail(name, "an object")
	}
	return rowOf(nil, r.place)
}

// list is a member that is an array.
func (r *row) list(name string) []any {
	switch v := r.members[plain(name)].(type) {
	case nil:
	case []any:
		return v
	default:
		r.fail(name, "an array")
	}
	return nil
}

// subs is a member that is an array of objects.
func (r *row) subs(name string) []*row {
	var subs []*row
	for _, v := range r.list(name) {
		if o, ok := v.(map[string]any); ok {
			subs = append(subs, rowOf(o, r.place))
		} else {
			r.fail(name, "an array of objects")
		}
	}
	return subs
}

// texts is a member that is an array of texts, or text with commas between.
func (r *row) texts(name string) []string {
	v := r.members[plain(name)]
	if text, ok := v.(string); ok {
		return words(text, ",")
	}
	var texts []string
	for _, v := range r.list(name) {
		switch t := v.(type) {
		case string:
			texts = append(texts, words(t, "")...)
		case json.Number:
			texts = append(texts, t.String())
		default:
			r.fail(name, "an array of texts")
		}
	}
	return texts
}

// adopt takes over what is wrong with a part.
func (r *row) adopt(part *row) {
	if r.wrong == "" {
		r.wrong = part.wrong
	}
}

// words are the parts of text that are not empty; without a separator it is one.
func words(text, separator string) []string {
	parts := []string{text}
	if separator != "" {
		parts = strings.Split(text, separator)
	}
	var list []string
	for _, w := range parts {
		if w = strings.TrimSpace(w); w != "" {
			list = append(list, w)
		}
	}
	return list
}
