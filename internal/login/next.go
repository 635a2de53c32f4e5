package login

import "slices"

// Policy is what is asked of one person.
type Policy struct {
	First  []string // the methods that open the door, the usual one first
	Second []string // the second factors this person has set up; one of them is asked after a first
}

// next decides what is asked after what has been shown, and whether that is enough. It is the only place that does: no
// method names another, each is answered and returns here.
func next(p Policy, shown []Shown, chosen string) (method string, choices []string, done bool) {
	has := func(methods []string) bool {
		return slices.ContainsFunc(shown, func(s Shown) bool { return slices.Contains(methods, s.Method) })
	}
	choices = p.First
	if has(p.First) {
		choices = p.Second
		if len(p.Second) == 0 || has(p.Second) {
			return "", nil, true
		}
	}
	if slices.Contains(choices, chosen) {
		return chosen, choices, false
	}
	return choices[0], choices, false
}
