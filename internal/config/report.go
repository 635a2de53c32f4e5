package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Finding is one line to the operator: what is wrong with which setting, and how to put it right.
type Finding struct {
	Name string `json:"name,omitempty"` // of the setting, or of what was taken for one
	From string `json:"from,omitempty"` // where it was given
	What string `json:"what"`           // what is wrong; never holds a secret
	Fix  string `json:"fix,omitempty"`  // what to do
}

// String is the finding on one line.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(f.Name)
	switch {
	case f.Name != "" && f.From != "" && f.From != "default":
		b.WriteString(" (" + f.From + ")")
	case f.Name == "":
		b.WriteString(f.From)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(f.What)
	if f.Fix != "" {
		return strings.TrimSuffix(b.String(), ".") + ". " + f.Fix
	}
	return b.String()
}

// Error is everything that is wrong with the settings.
type Error struct {
	Faults []Finding
}

// Error gives each fault its line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in the settings:", plural(int64(len(e.Faults)), "fault"))
	for _, f := range e.Faults {
		b.WriteString("\n  " + f.String())
	}
	return b.String()
}

// Setting is one setting as it was loaded.
type Setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"` // "***" when it is a secret and was given
	Default string `json:"default"`
	Doc     string `json:"doc"`
	Accepts string `json:"accepts,omitempty"` // its bounds or its words
	Group   string `json:"group"`
	From    string `json:"from"` // "default", "environment", "file /run/x", ".env line 3", "flag --port"
	Secret  bool   `json:"secret,omitempty"`
	Given   bool   `json:"given,omitempty"` // somebody gave it a value
}

// Report is what Load found, fit to be printed.
type Report struct {
	Production bool      `json:"production"`
	Settings   []Setting `json:"settings"`
	Warnings   []Finding `json:"warnings,omitempty"`
	Weak       []Finding `json:"weak,omitempty"` // what production would refuse and development accepts
}

// Find is the setting of that name.
func (r *Report) Find(name string) (Setting, bool) {
	for _, s := range r.Settings {
		if s.Name == name {
			return s, true
		}
	}
	return Setting{}, false
}

// Names is every setting's name, as Nearest wants them.
func (r *Report) Names() []string {
	names := make([]string, len(r.Settings))
	for i, s := range r.Settings {
		names[i] = s.Name
	}
	return names
}

func (l *loader) finish() (*Report, error) {
	r := &Report{Production: l.production(), Warnings: once(l.warnings), Weak: once(l.weak)}
	for _, s := range l.settings {
		r.Settings = append(r.Settings, Setting{
			Name: s.name, Value: s.shown(), Default: s.fallback, Doc: s.doc, Accepts: s.accepts(),
			Group: s.group, From: s.from, Secret: s.secret, Given: s.text != "",
		})
	}
	if len(l.faults) == 0 {
		return r, nil
	}
	return r, &Error{once(l.faults)}
}

// once says nothing twice.
func once(list []Finding) []Finding {
	var out []Finding
	for _, f := range list {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// black takes secrets out of what a Check worded.
func (l *loader) black(text string) string {
	var secrets []string
	for _, s := range l.settings {
		if s.secret && len(s.text) >= 4 { // a shorter one would black out ordinary words
			quoted := strconv.Quote(s.text)
			secrets = append(secrets, s.text, quoted[1:len(quoted)-1])
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // one may begin with another
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

func (s *setting) shown() string {
	switch {
	case s.secret && s.text != "":
		return "***"
	case s.secret:
		return s.fallback
	case s.unusable && s.text != "":
		return s.text
	}
	return show(s.value)
}

// show writes a value as it could be given.
func show(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.Slice && !isText(v.Type()) {
		items := make([]string, v.Len())
		for i := range items {
			items[i] = show(v.Index(i))
		}
		text, _ := json.Marshal(items) // strings always marshal
		return string(text)
	}
	if m, ok := v.Addr().Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		if err != nil {
			return "***"
		}
		return string(text)
	}
	return fmt.Sprint(v.Interface())
}

func quote(value string) string { return strconv.Quote(shorten(value, 40)) }

func shorten(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
