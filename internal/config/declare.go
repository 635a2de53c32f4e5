// Package config turns a tree of structs into settings: it loads them from flags, the environment, secret files and a
// .env file, says everything that is wrong at once, and writes the reference page from the same tags.
//
// A setting is a struct field with an env tag. The tags are env (its name), default, doc (one sentence), secret ("true"),
// min and max (of a number; of the characters of a text; of the items of a list), oneof (words between commas) and group
// (instead of the heading of its struct). A struct field without env is walked into; its doc tag is the heading of its group.
// A field is a string, an int, an int64, a bool, a type with UnmarshalText, a list of strings or of such types, or a pointer
// to one of these, which stays nil until the setting is given. What a developer gets wrong in a tag panics.
package config

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// setting is one field: what its tags declare, and what Load found for it.
type setting struct {
	name, fallback, doc, group string
	secret                     bool
	min, max                   *int64
	oneof                      []string
	value                      reflect.Value

	text     string // as given; empty when the default holds
	from     string
	present  bool // somebody wrote its name, even if to say nothing
	unusable bool // what was given is at fault, so the default stands in the field
}

// checker is a struct that has an opinion on its settings.
type checker struct {
	group string
	ask   func(production bool) error
}

// declared is a tree of structs, read.
type declared struct {
	settings []*setting
	named    map[string]*setting
	checks   []checker
}

var settingName = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)

// Default fills every setting of the struct that into points to with its default.
func Default(into any) { declare(into) }

// declare reads the tags, and fills in the defaults, which is how a default that does not parse is found.
func declare(into any) *declared {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("config: a pointer to a struct is needed, not %T", into))
	}
	d := &declared{named: map[string]*setting{}}
	d.walk(v.Elem(), "General", "")
	for _, s := range d.settings {
		if s.secret && d.named[s.name+"_FILE"] != nil {
			panic(fmt.Sprintf("config: %s_FILE is declared, and is also where the secret %s is read from", s.name, s.name))
		}
	}
	return d
}

// describe declares a root that is only read about.
func describe(root any) *declared {
	t := reflect.TypeOf(root)
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		panic("config: a struct is needed, not nil")
	}
	return declare(reflect.New(t).Interface())
}

// walk visits the fields of v, then v itself: a Check may rely on those below it having been asked.
func (d *declared) walk(v reflect.Value, group, prefix string) {
	for i := range v.NumField() {
		f, fv := v.Type().Field(i), v.Field(i)
		name, ok := f.Tag.Lookup("env")
		switch {
		case ok && name != "-":
			d.add(prefix+name, f, fv, group)
		case !f.IsExported() && !f.Anonymous || ok || fv.Kind() != reflect.Struct || isText(fv.Type()):
		default:
			d.walk(fv, heading(f, group), prefix+f.Tag.Get("prefix"))
		}
	}
	if !v.CanInterface() { // embedded, of a type that is not exported: its Check is promoted to what embeds it
		return
	}
	if c, ok := v.Addr().Interface().(interface{ Check(production bool) error }); ok {
		d.checks = append(d.checks, checker{group, c.Check})
	}
}

func heading(f reflect.StructField, parent string) string {
	if doc := f.Tag.Get("doc"); doc != "" {
		return doc
	}
	if f.Anonymous || f.Tag.Get("prefix") != "" {
		return parent
	}
	return f.Name
}

func (d *declared) add(name string, f reflect.StructField, v reflect.Value, group string) {
	s := &setting{
		name: name, fallback: f.Tag.Get("default"), doc: f.Tag.Get("doc"), group: group,
		secret: f.Tag.Get("secret") == "true" || masksItself(f.Type), from: "default", value: v,
	}
	if g := f.Tag.Get("group"); g != "" {
		s.group = g
	}
	if words := f.Tag.Get("oneof"); words != "" {
		s.oneof = strings.Split(words, ",")
	}
	switch {
	case !f.IsExported():
		s.mistake("is not exported")
	case !settingName.MatchString(name):
		s.mistake("is not a name in upper snake case")
	case d.named[name] != nil:
		s.mistake("is declared twice")
	case s.doc == "":
		s.mistake("has no doc")
	case !supported(f.Type):
		s.mistake("has a type that is not supported: " + f.Type.String())
	}
	s.min, s.max = s.bound("min", f.Tag), s.bound("max", f.Tag)
	s.value.SetZero()
	if fl := s.take(s.fallback); fl != nil {
		s.mistake("has a default that " + fl.what)
	}
	d.named[name] = s
	d.settings = append(d.settings, s)
}

// mistake is the developer's, not the operator's: any test that loads the struct finds it.
func (s *setting) mistake(what string) {
	panic(fmt.Sprintf("config: %s %s", s.name, what))
}

func (s *setting) bound(tag string, tags reflect.StructTag) *int64 {
	text, ok := tags.Lookup(tag)
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		s.mistake("has a " + tag + " that is not a whole number")
	}
	switch bare(s.value.Type()).Kind() {
	case reflect.Int, reflect.Int64, reflect.String, reflect.Slice:
	default:
		s.mistake("has a " + tag + ", and nothing that can be counted")
	}
	return &n
}

var (
	unmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	marshaler   = reflect.TypeFor[encoding.TextMarshaler]()
)

func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(unmarshaler) }

func bare(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func supported(t reflect.Type) bool {
	t = bare(t)
	switch {
	case isText(t):
		return true
	case t == reflect.TypeFor[time.Duration](): // "15" would mean 15 ns: the unit belongs in the name
		return false
	case t.Kind() == reflect.Slice:
		return t.Elem().Kind() == reflect.String || isText(t.Elem())
	}
	switch t.Kind() {
	case reflect.String, reflect.Int, reflect.Int64, reflect.Bool:
		return true
	}
	return false
}

// masksItself keeps a secret type secret when its tag is forgotten.
func masksItself(t reflect.Type) bool {
	t = bare(t)
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.String || !reflect.PointerTo(t).Implements(marshaler) {
		return false
	}
	const probe = "Probe-7f3a"
	v := reflect.New(t).Elem()
	v.SetString(probe)
	shown, err := v.Addr().Interface().(encoding.TextMarshaler).MarshalText()
	return err != nil || !strings.Contains(strings.ToLower(string(shown)), strings.ToLower(probe))
}
