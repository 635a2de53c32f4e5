package password

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/user"
	"github.com/admit-dev/admit/internal/wordlist"
)

// most characters beside a word do not make a password of it.
const trimmings = 4

// words of a person and of the site are tried first by whoever guesses. Those of fewer than four characters are in everything.
func words(about user.New, site []string) (list []string) {
	local, domain, _ := strings.Cut(about.Email, "@")
	label, _, _ := strings.Cut(domain, ".")
	for _, text := range append([]string{local, label, about.Username, about.Phone, about.Name}, site...) {
		for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if utf8.RuneCountInString(w) >= 4 {
				list = append(list, w)
			}
		}
	}
	return list
}

// guessed is why somebody who guesses tries a password early; nil when nothing speaks for it.
func guessed(p string, words []string) error {
	low := strings.ToLower(p)
	for _, w := range words {
		for _, text := range []string{low, plainly(low)} {
			if rest := strings.ReplaceAll(text, w, ""); rest != text && utf8.RuneCountInString(rest) <= trimmings {
				return ErrAbout
			}
		}
	}
	core := strings.TrimFunc(low, func(r rune) bool { return !unicode.IsLetter(r) })
	little := core != "" && utf8.RuneCountInString(low)-utf8.RuneCountInString(core) <= trimmings
	switch {
	case wordlist.Has(low):
		return ErrCommon
	case few(low):
		return ErrRepeated
	case wordlist.Has(plainly(low)), little && wordlist.Has(plainly(core)):
		return ErrWord
	}
	return nil
}

// few reports whether a password is one or two characters, or a short piece, over and over.
func few(p string) bool {
	different := map[rune]bool{}
	for _, r := range p {
		different[r] = true
	}
	if len(different) <= 2 {
		return true
	}
	for n := 1; n <= min(4, len(p)/2); n++ {
		if strings.Repeat(p[:n], len(p)/n+1)[:len(p)] == p {
			return true
		}
	}
	return false
}

// plainly undoes what people put for letters.
func plainly(p string) string {
	return strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t").Replace(p)
}

// allow refuses a password that may not be chosen, by whoever about tells of.
func (s *Service) allow(ctx context.Context, p string, about user.New) error {
	if err := s.cfg.Allow(p); err != nil {
		return err
	}
	p = Normalize(p)
	why := error(nil)
	if s.cfg.Common != "off" {
		why = guessed(p, words(about, s.site))
	}
	if why == nil && s.breaches.On() {
		leaked, err := s.breaches.Leaked(ctx, p)
		switch {
		case err != nil:
			s.log.Warn("whether a password is in known leaks could not be found out", "err", err)
			return s.breaches.Must(err)
		case leaked:
			return ErrLeaked
		}
	}
	if why != nil && s.cfg.Common == "warn" {
		s.log.Warn("a password was chosen that is guessed early; production would refuse it (PASSWORD_COMMON)")
		return nil
	}
	return why
}

// Strength is what may be said of a password while it is chosen. It is a hint and never a rule.
type Strength struct {
	Score      int    `json:"score" minimum:"0" maximum:"4" doc:"0 is guessed at once, 4 is not guessed."`
	Hint       string `json:"hint" doc:"What would make it better; empty when nothing needs to."`
	Acceptable bool   `json:"acceptable" doc:"Whether it would be taken."`
	Reason     string `json:"reason,omitempty" doc:"Why not: the code of the refusal."`
}

// Rate says how good a password is for whoever about tells of. Nothing is kept of it.
func (s *Service) Rate(ctx context.Context, p string, about user.New) (out Strength, err error) {
	err = s.allow(ctx, p, about)
	if e, ok := errors.AsType[*apperr.Error](err); ok && e.Kind == apperr.Invalid {
		out.Reason, out.Hint = e.Code, e.Message
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Acceptable = true
	if why := guessed(Normalize(p), words(about, s.site)); why != nil {
		out.Hint = "This is guessed early. Three or four words that do not belong together are not."
		return out, nil
	}
	switch n := utf8.RuneCountInString(Normalize(p)); {
	case n >= 20:
		out.Score = 4
	case n >= 15:
		out.Score = 3
	case n >= 11:
		out.Score = 2
	default:
		out.Score = 1
	}
	if out.Score < 3 {
		out.Hint = "Longer is better: a short sentence is easy to keep and hard to guess."
	}
	return out, nil
}
