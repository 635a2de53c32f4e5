package organization

import (
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/check"
)

// effect is what changes would do to people, as far as the visitor may be told.
type effect struct {
	Told          bool
	Gains, Losses []felt
	More          bool   // than is listed
	Refused       string // why the changes would be refused; "" where they would not
}

// felt is one permission that people gain or lose.
type felt struct {
	Key, Title string
	People     int
	Names      []string // of the first of them
}

// mostNamed is how many of those concerned are named.
const mostNamed = 3

// try has the changes tried out.
func (s *organization) try(v *visit, changes []check.Change) (e effect, err error) {
	if e.Told = v.May.Explain; !e.Told {
		return e, nil
	}
	round, err := s.app.Checks.Begin(v, v.Caller(), "")
	if err != nil {
		return e, err
	}
	out, err := round.Simulate(check.Trial{Changes: changes})
	if err != nil {
		return e, err
	}
	e.Gains, e.Losses = s.felt(v, out.Gains.Items), s.felt(v, out.Losses.Items)
	e.More = counted(out.Gains.Items) < out.Gains.Count || counted(out.Losses.Items) < out.Losses.Count
	if no := out.Refused; no != nil {
		e.Refused = no.Detail
		for _, known := range apperr.All() {
			if known.Code == no.Code {
				e.Refused = v.Told(known.Say(no.Detail))
			}
		}
	}
	return e, nil
}

func counted(list []check.Affected) (n int) {
	for _, a := range list {
		n += len(a.Permissions)
	}
	return n
}

// felt turns what each person gains or loses into who does, for each permission.
func (s *organization) felt(v *visit, list []check.Affected) (out []felt) {
	for _, a := range list {
		for _, key := range a.Permissions {
			i := slices.IndexFunc(out, func(f felt) bool { return f.Key == key })
			if i < 0 {
				p, _ := v.root.Permission(key)
				i, out = len(out), append(out, felt{Key: key, Title: p.Title})
			}
			if out[i].People++; len(out[i].Names) < mostNamed {
				if name := s.nameOf(v, a.UserID); name != "" {
					out[i].Names = append(out[i].Names, name)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b felt) int { return strings.Compare(a.Key, b.Key) })
	return out
}
