package pages

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/words"
)

// say fills in a word. The arguments are names and values in turn; a value called Count chooses the plural.
func (s *Site) say(locale, key string, args []any) (string, error) {
	data := map[string]any{"App": s.Name}
	for i := 0; i+1 < len(args); i += 2 {
		data[fmt.Sprint(args[i])] = args[i+1]
	}
	return s.words.Say(locale, key, data, data["Count"])
}

// mark fills in a word that has markup. What is filled in is text, set apart from it.
func (s *Site) mark(locale, key string, args []any) (template.HTML, error) {
	for i := 1; i < len(args); i += 2 {
		if _, safe := args[i].(template.HTML); !safe && args[i-1] != "Count" {
			args[i] = template.HTML("<bdi>" + template.HTMLEscapeString(fmt.Sprint(args[i])) + "</bdi>")
		}
	}
	out, err := s.say(locale, key, append(args, "App", template.HTML(template.HTMLEscapeString(s.Name))))
	return template.HTML(out), err
}

// functions are what templates call. Those that say something say it in one language.
func (s *Site) functions(locale string) template.FuncMap {
	return template.FuncMap{
		"t":      func(key string, args ...any) (string, error) { return s.say(locale, key, args) },
		"mark":   func(key string, args ...any) (template.HTML, error) { return s.mark(locale, key, args) },
		"asset":  s.assets.url,
		"served": s.Serves,
		"logo":   func() string { return s.assets.urls["logo"] },
		"field":  newField,
		"dict":   dict,
		"lines":  func(list []string) string { return strings.Join(list, "\n") },
		"textfile": func(list []string) template.URL {
			return template.URL("data:text/plain;charset=utf-8," + url.PathEscape(strings.Join(list, "\n")+"\n"))
		},
		"language": Language,
		"link": func(href, label string) template.HTML {
			return template.HTML(`<a href="` + template.HTMLEscapeString(href) + `">` + template.HTMLEscapeString(label) + `</a>`)
		},
		"dir": func() string { return words.Direction(locale) },
		"first": func(s string) string {
			for _, r := range s {
				return strings.ToUpper(string(r))
			}
			return ""
		},
	}
}

// Language is what a language is called in itself, or its tag.
func Language(tag string) string {
	return cmp.Or(map[string]string{"en": "English", "de": "Deutsch"}[tag], tag)
}

// dict is a map of names and values in turn, for a part that takes several.
func dict(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return m
}

// T says a word in the language of the visitor. A word that is not there is a mistake in the program; a page with a gap is better than none.
func (v *Visit) T(key string, args ...any) string {
	out, err := v.site.say(v.Locale, key, args)
	if err != nil {
		v.site.App.Log.ErrorContext(v, "a word is missing on a page", "key", key, "err", err)
	}
	return out
}

// told is what a refusal says to the visitor. English is the language of refusals; of other languages there are words by code, and
// where there are none for one, its English is better than nothing.
func (v *Visit) told(code, english string) string {
	if own := v.site.refusals[v.Locale][code]; own != "" {
		return own
	}
	return english
}

// loadRefusals reads what refusals say in languages other than English, by code.
func loadRefusals() (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	names, err := fs.Glob(files, "refusals/*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		said := map[string]string{}
		if err := json.Unmarshal(text, &said); err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(path.Base(name), ".json")] = said
	}
	return all, nil
}

// faultsOf says of a refusal which field each part of it is about.
func (v *Visit) faultsOf(err error) (list []Fault) {
	no := apperr.Of(err)
	for _, f := range no.Fields {
		code := no.Code
		if len(no.Fields) > 1 {
			code = codeOf(f)
		}
		list = append(list, Fault{f.Name, v.told(code, f.Message)})
	}
	if len(list) == 0 {
		list = append(list, Fault{"", v.told(no.Code, no.Message)})
	}
	return list
}

// Told is what a refusal says to the visitor, in one sentence or two.
func (v *Visit) Told(err error) string { return v.faultsOf(err)[0].Message }

// codeOf finds the refusal that one of several fields was given for.
func codeOf(f apperr.Field) string {
	for _, e := range apperr.All() {
		if e.Message == f.Message {
			return e.Code
		}
	}
	return ""
}

// Moment is a time for people: how long ago, and exactly.
type Moment struct{ ISO, Exact, Ago string }

// When puts a time into words, in the visitor's time zone.
func (v *Visit) When(t time.Time) Moment {
	local := t.In(v.Zone)
	m := Moment{ISO: t.UTC().Format(time.RFC3339), Exact: v.Day(local) + ", " + local.Format("15:04 MST")}
	d := v.Now.Sub(t)
	future := d < 0
	if future {
		d = -d
	}
	unit, n := "", 0
	switch {
	case d < time.Minute:
		m.Ago = v.T("time.now")
		return m
	case d < time.Hour:
		unit, n = "minutes", int(d.Minutes())
	case d < 24*time.Hour:
		unit, n = "hours", int(d.Hours())
	case d < 30*24*time.Hour:
		unit, n = "days", int(d.Hours()/24)
	default:
		m.Ago = v.Day(local)
		return m
	}
	if future {
		m.Ago = v.T("time.in_"+unit, "Count", n)
	} else {
		m.Ago = v.T("time."+unit+"_ago", "Count", n)
	}
	return m
}

// Day is a date as people write it.
func (v *Visit) Day(t time.Time) string {
	months := strings.Fields(v.T("time.months"))
	return v.T("time.date", "Day", t.Day(), "Month", months[t.Month()-1], "Year", t.Year())
}
