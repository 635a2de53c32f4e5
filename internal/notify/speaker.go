package notify

import (
	"strings"
	"time"
	"unicode"

	"github.com/admit-dev/admit/internal/words"
)

// speaker says things of one message in one language. The first thing it cannot say is its error.
type speaker struct {
	words        *words.Catalogue
	locale, kind string
	zone         *time.Location
	v            *view
	err          error
}

func (s *speaker) common(key string) string {
	out, err := s.words.Say(s.locale, key, s.v, nil)
	if s.err == nil {
		s.err = err
	}
	return out
}

func (s *speaker) counted(key string, n int) string {
	out, err := s.words.Say(s.locale, key, map[string]int{"Count": n}, n)
	if s.err == nil {
		s.err = err
	}
	return out
}

// must says something particular to the kind of message.
func (s *speaker) must(key string) string {
	var count any
	if s.v.counted && key == "text" {
		count = s.v.Count
	}
	out, err := s.words.Say(s.locale, s.kind+"."+key, s.v, count)
	if s.err == nil {
		s.err = err
	}
	return out
}

// maybe says what not every kind has.
func (s *speaker) maybe(key string) (string, bool) {
	if !s.words.Knows(s.kind + "." + key) {
		return "", false
	}
	return s.must(key), true
}

// life is how long a link works: 30 minutes, 7 days.
func (s *speaker) life(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < 2*time.Hour:
		return s.counted("life.minutes", max(1, int(d.Round(time.Minute).Minutes())))
	case d < 48*time.Hour:
		return s.counted("life.hours", int(d.Round(time.Hour).Hours()))
	}
	return s.counted("life.days", int(d.Round(24*time.Hour).Hours()/24))
}

// factor is what a way to sign in is called, with the name its owner gave it.
func (s *speaker) factor() string {
	if s.v.factor == "" {
		return ""
	}
	s.v.Factor = s.common("factor." + string(s.v.factor))
	if s.v.label == "" {
		return s.v.Factor
	}
	s.v.Label = plain(s.v.label)
	return s.common("factor.labelled")
}

// facts are when and from where something was done.
func (s *speaker) facts() (list []fact) {
	w := s.v.where
	for _, t := range []struct {
		word string
		at   time.Time
	}{{"where.until", s.v.until}, {"where.time", w.At}} {
		if !t.at.IsZero() {
			list = append(list, fact{s.common(t.word), t.at.In(s.zone).Format("2006-01-02 15:04 MST")})
		}
	}
	s.v.Browser, s.v.System = plain(w.Browser), plain(w.System)
	switch {
	case s.v.Browser != "" && s.v.System != "":
		list = append(list, fact{s.common("where.device"), s.common("where.browser_and_system")})
	case s.v.Browser != "":
		list = append(list, fact{s.common("where.device"), s.v.Browser})
	}
	if w.IP != "" {
		list = append(list, fact{s.common("where.address"), w.IP})
	}
	return list
}

// longest is how much of a name somebody chose is shown to others.
const longest = 80

// longestReason is how much is shown of why something was done.
const longestReason = 500

// What shows nothing and is kept: one makes a single emoji of several, the other is what plain puts in.
const (
	joiner     = '\u200d'
	wordJoiner = '\u2060'
)

// oneLine keeps what can be seen, in one line.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar
	}), " ")
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) && r != joiner && r != wordJoiner { // right-to-left overrides, zero-width spaces
			return -1
		}
		return r
	}, s)
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// clean is a name that somebody chose, short enough.
func clean(s string) string { return cut(oneLine(s), longest) }

// plain is a name that somebody chose, as it may stand in a mail to somebody else: one line, and nothing in it that a mail
// program makes a link of. Whoever invites thousands with an address for a name sends spam in our name.
func plain(s string) string {
	s = clean(s)
	if strings.Contains(s, "@") && !strings.ContainsAny(s, "/ ") {
		return s // the address of who invites
	}
	return unlinked(s)
}

// unlinked has nothing in it that a mail program makes a link of.
func unlinked(s string) string {
	var b strings.Builder
	r := []rune(s)
	for i, c := range r {
		b.WriteRune(c)
		between := i > 0 && i+1 < len(r) && !unicode.IsSpace(r[i+1])
		if between && (c == '.' || c == ':' || c == '/') {
			b.WriteRune(wordJoiner)
		}
	}
	return b.String()
}
