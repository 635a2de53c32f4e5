package config

import (
	"errors"
	"regexp"
	"strings"
)

// production is what ENVIRONMENT says, or was meant to say; what cannot be guessed is taken for production, so that a slip
// there hides no other fault.
func (l *loader) production() bool {
	s := l.named["ENVIRONMENT"]
	if s == nil {
		return false
	}
	word := s.text
	if word == "" {
		word = s.fallback
	}
	if s.unusable {
		if near, ok := s.meant(word); ok {
			word = near
		}
		return word != "development"
	}
	return word == "production"
}

// check asks every struct for its opinion.
func (l *loader) check() {
	production := l.production()
	var faults []Finding
	refused := map[Finding]bool{}
	for _, c := range l.checks {
		for _, f := range l.opinions(c, production) {
			refused[f] = true
			faults = append(faults, f)
		}
	}
	if !production {
		for _, c := range l.checks {
			for _, f := range l.opinions(c, true) {
				if refused[f] {
					continue
				}
				l.weak = append(l.weak, f)
				if s := l.named[f.Name]; s != nil && s.text != "" {
					f.Fix = strings.TrimSpace(f.Fix + " Development accepts it; production will not.")
					l.warnings = append(l.warnings, f)
				}
			}
		}
	}
	l.faults = append(l.faults, faults...)
}

func (l *loader) opinions(c checker, production bool) []Finding {
	var list []Finding
	for _, err := range leaves(c.ask(production)) {
		if f, ok := l.word(c.group, oneLine(l.black(err.Error()))); ok {
			list = append(list, f)
		}
	}
	return list
}

// leaves takes errors.Join apart, and leaves alone an error that has words of its own around others.
func leaves(err error) []error {
	if err == nil {
		return nil
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	if joined := errors.Join(many.Unwrap()...); joined == nil || joined.Error() != err.Error() {
		return []error{err}
	}
	var list []error
	for _, e := range many.Unwrap() {
		list = append(list, leaves(e)...)
	}
	return list
}

var nameInText = regexp.MustCompile(`[A-Z][A-Z0-9_]*`)

// word makes a finding of what a Check said. It is about the first setting it names; not ok means that it speaks of a setting
// which is already at fault, so of a value that nobody gave.
func (l *loader) word(group, text string) (f Finding, ok bool) {
	for _, name := range nameInText.FindAllString(text, -1) {
		s := l.named[name]
		if s == nil {
			continue
		}
		if s.unusable {
			return f, false
		}
		if f.Name == "" {
			f.Name, f.From = name, s.from
		}
	}
	text = strings.TrimSuffix(text, ".")
	if f.Name == "" {
		return Finding{What: group + ": " + text}, true
	}
	rest, leads := strings.CutPrefix(text, f.Name)
	switch {
	case leads && strings.HasPrefix(rest, ": "):
		f.What = rest[2:]
	case leads && strings.HasPrefix(rest, " "):
		f.What = rest[1:]
	default:
		f.What = text
	}
	return f, true
}
