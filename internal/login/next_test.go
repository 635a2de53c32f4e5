package login

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/admit-dev/admit/internal/user"
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
		"a second twice is no first":              {Policy{First: first, Second: second}, []string{"totp", "recoverycode"}, "", "password", first, false},
		"what is both counts once":                {Policy{First: first, Second: []string{"passkey"}}, []string{"passkey"}, "", "passkey", []string{"passkey"}, false},
		"and is asked again":                      {Policy{First: first, Second: []string{"passkey"}}, []string{"passkey", "passkey"}, "", "", nil, true},
		"then whose the address is":               {Policy{First: first, Address: []string{"mail"}, Second: second}, []string{"password"}, "", "mail", []string{"mail"}, false},
		"and then the second":                     {Policy{First: first, Address: []string{"mail"}, Second: second}, []string{"password", "mail"}, "", "totp", second, false},
		"all three are enough":                    {Policy{First: first, Address: []string{"mail"}, Second: second}, []string{"password", "mail", "totp"}, "", "", nil, true},
		"an address is no second factor":          {Policy{First: first, Second: second}, []string{"password", "mail"}, "", "totp", second, false},
		"a first that is both factors is enough":  {Policy{First: first, Second: second}, []string{"passkey!"}, "", "", nil, true},
		"also after another first":                {Policy{First: first, Second: second}, []string{"password", "passkey!"}, "", "", nil, true},
		"a second that is both is no first":       {Policy{First: first, Second: second}, []string{"totp!"}, "", "password", first, false},
		"a trusted device asks for no second":     {Policy{First: first, Second: second, Trusted: true}, []string{"password"}, "", "", nil, true},
		"but for the first":                       {Policy{First: first, Second: second, Trusted: true}, []string{"totp"}, "", "password", first, false},
		"and for whose the address is":            {Policy{First: first, Address: []string{"mail"}, Second: second, Trusted: true}, []string{"password"}, "", "mail", []string{"mail"}, false},
		"two of one mailbox are one factor":       {mailed(), []string{"link", "mail"}, "", "paper", []string{"paper"}, false},
		"in whatever order":                       {mailed(), []string{"mail", "link", "mail"}, "mail", "paper", []string{"paper"}, false},
		"a mailbox after a password is a second":  {mailed(), []string{"password", "mail"}, "", "", nil, true},
		"and is asked for":                        {mailed(), []string{"password"}, "", "mail", []string{"mail", "paper"}, false},
		"a password before it is a first":         {mailed(), []string{"link", "password", "mail"}, "", "", nil, true},
		"nobody passes with a mailbox alone":      {Policy{First: []string{"link"}, Second: []string{"mail"}, way: mailed().way}, []string{"link", "mail"}, "", "mail", []string{"mail"}, false},
		"what was shown under a name now unknown": {Policy{First: first}, []string{"magiclink"}, "", "password", first, false},
	} {
		var shown []Shown
		for _, s := range c.shown {
			name, whole := strings.CutSuffix(s, "!")
			shown = append(shown, Shown{Method: name, Whole: whole})
		}
		method, choices, done := next(c.policy, shown, c.chosen)
		if method != c.method || done != c.done || !slices.Equal(choices, c.choices) {
			t.Errorf("%s: %q %v %v", name, method, choices, done)
		}
	}
}

// mailed is the policy of somebody whose second factor are codes by mail.
func mailed() Policy {
	return Policy{First: []string{"password", "link", "mail"}, Second: []string{"mail", "paper"}, way: map[string]Use{"link": Mail, "mail": Mail}}
}

// fake is a method that only says what it is for.
type fake struct {
	name string
	uses Use
}

func (f fake) Name() string                                         { return f.name }
func (f fake) Uses() Use                                            { return f.uses }
func (f fake) Reads(in Answer) bool                                 { return in[f.name] != "" }
func (fake) Begin(context.Context, Attempt) (Prompt, error)         { return Prompt{}, nil }
func (fake) Verify(context.Context, Attempt, Answer) (Proof, error) { return Proof{}, nil }

// setUp is a fake that can be set up inside a sign-in.
type setUp struct{ fake }

func (setUp) Offer(context.Context, Attempt) (Prompt, error)          { return Prompt{}, nil }
func (setUp) Confirm(context.Context, Attempt, Answer) (Proof, error) { return Proof{}, nil }

// Where a second factor is required, who has none sets one up, who has one beside their first shows it, and nobody else is asked for
// anything new. What is both factors at once is enough.
func TestPolicyWhereASecondFactorIsRequired(t *testing.T) {
	methods := []Method{fake{"password", First | StepUp}, setUp{fake{"passkey", First | Second | StepUp}}, setUp{fake{"totp", Second | StepUp}}, fake{"paper", Second | StepUp | Spare}}
	for name, c := range map[string]struct {
		factors, beside []string
		second, again   []string
		enrol           bool
	}{
		"nothing is set up":              {nil, nil, []string{"passkey", "totp"}, []string{"password", "passkey"}, true},
		"one stands beside":              {nil, []string{"passkey"}, []string{"passkey", "paper"}, []string{"passkey", "paper"}, false},
		"one is asked anyway":            {[]string{"totp"}, nil, []string{"totp", "paper"}, []string{"totp", "paper"}, false},
		"one that is offered no more":    {[]string{"sms"}, nil, []string{"paper", "sms"}, []string{"paper"}, false},
		"one is asked and one beside it": {[]string{"totp"}, []string{"passkey"}, []string{"passkey", "totp", "paper"}, []string{"passkey", "totp", "paper"}, false},
	} {
		p := policyOf(methods, &user.User{Factors: c.factors, Beside: c.beside}, true)
		if !slices.Equal(p.Second, c.second) || !slices.Equal(p.Again, c.again) || p.Enrol != c.enrol {
			t.Errorf("%s: %+v", name, p)
		}
		if _, choices, done := next(p, []Shown{{Method: "password"}}, ""); done || !slices.Equal(choices, c.second) {
			t.Errorf("%s: after a password %v %v", name, choices, done)
		}
		if _, _, done := next(p, []Shown{{Method: "passkey", Whole: true}}, ""); !done {
			t.Errorf("%s: both factors at once are not enough", name)
		}
		for _, shown := range [][]Shown{nil, {{Method: "totp"}}, {{Method: "paper"}}} {
			if enrols(p, shown) {
				t.Errorf("%s: something is set up after %v", name, shown)
			}
		}
		trusted := p
		trusted.Trusted = true
		if _, _, done := next(trusted, []Shown{{Method: "password"}}, ""); done == c.enrol {
			t.Errorf("%s: on a trusted device it is enough: %v", name, done)
		}
		if enrols(p, []Shown{{Method: "password"}}) != c.enrol {
			t.Errorf("%s: after a password, set up %v", name, !c.enrol)
		}
	}
}

// What a method says of itself is all that decides where it is asked.
func TestPolicyOf(t *testing.T) {
	methods := []Method{fake{"password", First | StepUp}, fake{"magiclink", First}, fake{"totp", Second | StepUp}, fake{"passkey", First | Second | StepUp}, fake{"paper", Second | StepUp | Spare}}
	for name, c := range map[string]struct {
		factors, beside      []string
		first, second, again []string
	}{
		"without a second factor a first proves again": {nil, nil, []string{"password", "magiclink", "passkey"}, nil, []string{"password", "passkey"}},
		"what may stand beside one asks for nothing":   {nil, []string{"passkey"}, []string{"password", "magiclink", "passkey"}, nil, []string{"password", "passkey"}},
		"and may be chosen once one is asked":          {[]string{"totp"}, []string{"passkey"}, []string{"password", "magiclink", "passkey"}, []string{"totp", "passkey", "paper"}, []string{"totp", "passkey", "paper"}},
		"with one, it does, or its spare":              {[]string{"totp"}, nil, []string{"password", "magiclink", "passkey"}, []string{"totp", "paper"}, []string{"totp", "paper"}},
		"any of several":                               {[]string{"passkey", "totp"}, nil, []string{"password", "magiclink", "passkey"}, []string{"totp", "passkey", "paper"}, []string{"totp", "passkey", "paper"}},
		"one that is offered no more is still asked":   {[]string{"sms"}, nil, []string{"password", "magiclink", "passkey"}, []string{"paper", "sms"}, []string{"paper"}},
	} {
		p := policyOf(methods, &user.User{Factors: c.factors, Beside: c.beside}, false)
		if !slices.Equal(p.First, c.first) || !slices.Equal(p.Second, c.second) || !slices.Equal(p.Again, c.again) {
			t.Errorf("%s: %v", name, p)
		}
	}
	if p := policyOf(methods, nil, false); p.Second != nil {
		t.Errorf("a stranger is asked for %v", p.Second)
	}
}

// Whatever is answered in whatever order, it is enough exactly when a first factor was shown and, of who has one, a second beside it
// or with it.
func TestNextWantsEveryProof(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var methods []Method
		u := &user.User{}
		u.EmailVerified = rapid.Bool().Draw(t, "verified")
		u.Email = rapid.SampledFrom([]string{"", "ann@example.com"}).Draw(t, "email")
		uses := rapid.SampledFrom([]Use{First, First | StepUp, Second, Second | StepUp, First | Second, Second | Spare, Address})
		for i := range rapid.IntRange(0, 5).Draw(t, "methods") {
			methods = append(methods, fake{fmt.Sprint("m", i), uses.Draw(t, "uses")})
			if rapid.Bool().Draw(t, "beside") && methods[i].Uses()&Second != 0 {
				u.Beside = append(u.Beside, methods[i].Name())
			}
			if rapid.Bool().Draw(t, "enrolled") && methods[i].Uses()&Second != 0 && methods[i].Uses()&Spare == 0 {
				u.Factors = append(u.Factors, methods[i].Name())
			}
		}
		methods = append(methods, fake{"usual", First})
		if rapid.Bool().Draw(t, "set up") {
			methods = append(methods, setUp{fake{"app", Second}})
		}
		required := rapid.Bool().Draw(t, "required")
		p := policyOf(methods, u, required)
		second := len(u.Factors) > 0 || required && (u.Enrolled() || methods[len(methods)-1].Name() == "app")
		var shown []Shown
		for range rapid.IntRange(0, 5).Draw(t, "answers") {
			shown = append(shown, Shown{Method: rapid.SampledFrom(methods).Draw(t, "shown").Name(), Whole: rapid.Bool().Draw(t, "whole")})
		}
		address := len(p.Address) == 0
		enough := false
		for i, a := range shown {
			for j, b := range shown {
				first := slices.Contains(p.First, a.Method)
				enough = enough || first && (!second || a.Whole || i != j && slices.Contains(p.Second, b.Method))
			}
			address = address || slices.Contains(p.Address, a.Method)
		}
		enough = enough && address // a method of the kind shows nothing else
		method, choices, done := next(p, shown, "")
		if done != enough || done != (method == "") || !done && !slices.Contains(choices, method) {
			t.Fatalf("%v after %v: %q %v %v", p, shown, method, choices, done)
		}
	})
}

// An attempt without a name goes on with nothing but what finds out whose it is, and what was shown in it names its person.
func TestPolicyWithoutAName(t *testing.T) {
	methods := []Method{fake{"password", First | StepUp}, fake{"passkey", First | Second | StepUp | Finds}, fake{"totp", Second}}
	named := Attempt{Identifier: user.Identifier{Kind: user.KindEmail, Value: "nobody@example.com"}}
	for name, c := range map[string]struct {
		attempt Attempt
		want    []string
	}{
		"nobody was named":        {Attempt{}, []string{"passkey"}},
		"somebody unknown was":    {named, []string{"password", "passkey"}},
		"the person was found":    {Attempt{User: &user.User{}}, []string{"password", "passkey"}},
		"the person was told too": {Attempt{User: &user.User{}, Identifier: named.Identifier}, []string{"password", "passkey"}},
	} {
		if got := policyIn(methods, c.attempt).First; !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// How somebody signed in is told in words of RFC 8176, each once; two factors make mfa, be they shown at once or one by one.
func TestAMR(t *testing.T) {
	for want, shown := range map[string][]Shown{
		"pwd":              {{Method: "password", AMR: "pwd"}},
		"pwd otp mfa":      {{Method: "password", AMR: "pwd"}, {Method: "totp", AMR: "otp"}},
		"hwk user":         {{Method: "passkey", AMR: "hwk user"}},
		"swk user mfa":     {{Method: "passkey", AMR: "swk user", Whole: true}},
		"pwd hwk user mfa": {{Method: "password", AMR: "pwd"}, {Method: "passkey", AMR: "hwk user"}},
		"hwk user swk mfa": {{Method: "passkey", AMR: "hwk user"}, {Method: "passkey", AMR: "swk user"}},
	} {
		if got := strings.Join(amr(shown), " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// An answer goes to the method that can read it, and to the one that was asked where none can or both.
func TestMeant(t *testing.T) {
	a, b := fake{"a", First}, fake{"b", First}
	for name, c := range map[string]struct {
		in   Answer
		want Method
	}{
		"the chosen one reads it": {Answer{"a": "x", "b": "x"}, a},
		"only another does":       {Answer{"b": "x"}, b},
		"none does":               {Answer{"c": "x"}, a},
	} {
		if got := meant([]Method{b, a}, a, c.in); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if meant([]Method{a, b}, nil, Answer{}) != nil {
		t.Error("an empty answer is meant for somebody")
	}
}
