package login

import (
	"slices"
	"testing"
)

// What is asked next depends on what was shown and on nothing else: a first factor always, a second of who has one.
func TestNext(t *testing.T) {
	first := []string{"password", "passkey"}
	second := []string{"totp", "recoverycode"}
	for name, c := range map[string]struct {
		policy  Policy
		shown   []string
		chosen  string
		method  string
		choices []string
		done    bool
	}{
		"the usual method comes first":            {Policy{First: first}, nil, "", "password", first, false},
		"another may be chosen":                   {Policy{First: first}, nil, "passkey", "passkey", first, false},
		"one that is not offered may not":         {Policy{First: first}, nil, "totp", "password", first, false},
		"a first factor is enough":                {Policy{First: first}, []string{"password"}, "", "", nil, true},
		"not for who has a second":                {Policy{First: first, Second: second}, []string{"password"}, "", "totp", second, false},
		"another second may be chosen":            {Policy{First: first, Second: second}, []string{"password"}, "recoverycode", "recoverycode", second, false},
		"a first twice is no second":              {Policy{First: first, Second: second}, []string{"password", "passkey"}, "", "totp", second, false},
		"both are enough":                         {Policy{First: first, Second: second}, []string{"password", "totp"}, "", "", nil, true},
		"a second alone opens nothing":            {Policy{First: first, Second: second}, []string{"totp"}, "", "password", first, false},
		"what was shown under a name now unknown": {Policy{First: first}, []string{"magiclink"}, "", "password", first, false},
	} {
		var shown []Shown
		for _, s := range c.shown {
			shown = append(shown, Shown{Method: s})
		}
		method, choices, done := next(c.policy, shown, c.chosen)
		if method != c.method || done != c.done || !slices.Equal(choices, c.choices) {
			t.Errorf("%s: %q %v %v", name, method, choices, done)
		}
	}
}
