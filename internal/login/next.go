package login

import (
	"cmp"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/user"
)

// Policy is what is asked of one person.
type Policy struct {
	First   []string // the methods that open the door, the usual one first
	Address []string // those one of which shows whose the address is; none of people who have shown it
	Second  []string // those one of which is asked after a first; none of people without a second factor
	Again   []string // those one of which shows later that it is still them
	Trusted bool     // whether they trust the device that they are on
	Enrol   bool     // those of Second are to be set up: a second factor is required, and there is none
	Check   []string // those one of which keeps programs out; none where nothing is unusual. What cannot be guessed does so too
	Confirm []string // those one of which is asked where a sign-in is unusual, of people without a second factor
	StepUp  bool     // a sign-in is unusual: trust in a device does not count
	sure    []string // those of First that cannot be guessed

	way map[string]Use // how what a method asks for comes to people, of those that send it
}

// policyIn is what is asked in an attempt. One that began without a name goes on with a method that finds out whose it is. What is sent
// opens the door for who typed where to: that, and not what is known of them, decides whether it is offered.
func policyIn(methods []Method, a Attempt) Policy {
	if a.Nameless() {
		methods = slices.DeleteFunc(slices.Clone(methods), func(m Method) bool { return m.Uses()&Finds == 0 })
	}
	p := policyOf(methods, a.User, a.RequireMFA)
	p.First = slices.DeleteFunc(p.First, func(name string) bool {
		return p.way[name] == Mail && a.Identifier.Kind != user.KindEmail || p.way[name] == Text && a.Identifier.Kind != user.KindPhone
	})
	if a.Risk.SignUp {
		p.First = nil // it signs nobody in
	}
	for _, m := range methods {
		switch {
		case a.Risk.Challenged && m.Uses()&Check != 0 && (m.Uses()&Confirm == 0 || a.Identifier.Kind == user.KindEmail):
			p.Check = append(p.Check, m.Name())
		case m.Uses()&Passes != 0 && slices.Contains(p.First, m.Name()):
			p.sure = append(p.sure, m.Name())
		}
		if a.Risk.StepUp && m.Uses()&Confirm != 0 && a.User != nil && a.User.EmailVerified && (len(p.Second) == 0 || p.Enrol) {
			p.Confirm = append(p.Confirm, m.Name())
		}
	}
	if slices.ContainsFunc(p.sure, func(name string) bool { return p.way[name] == Mail }) { // one mail is enough to choose from
		p.Check = slices.DeleteFunc(p.Check, func(name string) bool {
			return slices.ContainsFunc(methods, func(m Method) bool { return m.Name() == name && m.Uses()&Confirm != 0 })
		})
	}
	p.StepUp = a.Risk.StepUp
	return p
}

// policyOf is what methods say of u, or of a stranger. A second factor that a person has set up and that is not offered any
// more is still asked of them: it cannot be shown, and so nobody passes without it. Where a second factor is required of u, what
// they have beside their first is asked too, and who has nothing sets something up.
func policyOf(methods []Method, u *user.User, required bool) (p Policy) {
	of := func(use Use, more func(Method) bool) (names []string) {
		for _, m := range methods {
			if m.Uses()&use == use && more(m) {
				names = append(names, m.Name())
			}
		}
		return names
	}
	p.way = map[string]Use{}
	for _, m := range methods {
		p.way[m.Name()] = m.Uses() & (Mail | Text)
	}
	all := func(Method) bool { return true }
	arrives := func(m Method) bool {
		way := p.way[m.Name()]
		return way == 0 || u != nil && (way == Mail && u.EmailVerified || way == Text && u.PhoneVerified)
	}
	p.First, p.Again = of(First, all), of(First|StepUp, arrives)
	if u != nil && u.Email != "" && !u.EmailVerified {
		p.Address = of(Address, all)
	}
	switch {
	case u == nil:
		return p
	case required && !u.Enrolled():
		p.Enrol = true
		p.Second = of(Second, func(m Method) bool { _, ok := m.(Enroller); return ok && arrives(m) })
		slices.SortStableFunc(p.Second, func(a, b string) int { return cmp.Compare(p.way[a], p.way[b]) }) // what is sent is the weaker, and last
		return p
	case len(u.Factors) == 0 && !required:
		return p
	}
	enrolled := func(m Method) bool {
		return m.Uses()&Spare != 0 || slices.Contains(u.Factors, m.Name()) || slices.Contains(u.Beside, m.Name())
	}
	p.Second, p.Again = of(Second, enrolled), of(Second|StepUp, enrolled)
	for _, name := range u.Factors {
		if !slices.Contains(p.Second, name) {
			p.Second = append(p.Second, name)
		}
	}
	return p
}

// next decides what is asked after what has been shown, and whether that is enough. It is the only place that does: no
// method names another, each is answered and returns here.
func next(p Policy, shown []Shown, chosen string) (method string, choices []string, done bool) {
	if len(p.Check) > 0 && !slices.ContainsFunc(shown, func(s Shown) bool { return slices.Contains(p.Check, s.Method) || slices.Contains(p.sure, s.Method) }) {
		choices = slices.Concat(p.Check, p.sure)
		if slices.Contains(choices, chosen) {
			return chosen, choices, false
		}
		return choices[0], choices, false
	}
	second := p.Second
	if p.Trusted && !p.Enrol && !p.StepUp || p.whole(shown) {
		second = nil // it was shown on this device before, or the first was both factors at once
	}
	stages := p.before(shown)
	if len(second) > 0 {
		stages = append(stages, second)
	}
	at := 0
	for at < len(stages) && p.passed(stages[:at+1], shown) {
		at++
	}
	if at == len(stages) {
		return "", nil, true
	}
	for _, name := range stages[at] {
		if p.passed(stages[:at+1], append(slices.Clone(shown), Shown{Method: name})) {
			choices = append(choices, name)
		}
	}
	if len(choices) == 0 {
		choices = stages[at] // none of them is enough beside what was shown, and so nobody passes
	}
	if slices.Contains(choices, chosen) {
		return chosen, choices, false
	}
	return choices[0], choices, false
}

// before is what is asked before a second factor. Who reads their mail need not show that again.
func (p Policy) before(shown []Shown) [][]string {
	stages := [][]string{p.First}
	if len(p.Address) > 0 {
		stages = append(stages, p.Address)
	}
	if len(p.Confirm) > 0 && !p.whole(shown) && !slices.ContainsFunc(shown, func(s Shown) bool { return p.way[s.Method] == Mail }) {
		stages = append(stages, p.Confirm)
	}
	return stages
}

// whole reports whether the first factor was both factors at once.
func (p Policy) whole(shown []Shown) bool {
	return slices.ContainsFunc(shown, func(s Shown) bool { return s.Whole && slices.Contains(p.First, s.Method) })
}

// enrols reports whether what is asked after what has been shown is to be set up first.
func enrols(p Policy, shown []Shown) bool { return p.Enrol && p.passed(p.before(shown), shown) }

// passed reports whether something was shown for each stage. What was shown once counts once, and what came the same way counts once: who
// reads somebody's mail has one factor, however often it is shown.
func (p Policy) passed(stages [][]string, shown []Shown) bool {
	if len(stages) == 0 {
		return true
	}
	for i, s := range shown {
		if !slices.Contains(stages[0], s.Method) {
			continue
		}
		var left []Shown
		for j, other := range shown {
			if way := p.way[s.Method]; j != i && (way == 0 || p.way[other.Method] != way) {
				left = append(left, other)
			}
		}
		if p.passed(stages[1:], left) {
			return true
		}
	}
	return false
}

// amr names how somebody signed in, in the words of RFC 8176.
func amr(shown []Shown) (list []string) {
	proofs := 0
	for _, s := range shown {
		if s.AMR == "" {
			continue // it shows whose an address is, and not who somebody is
		}
		proofs++
		for _, word := range strings.Fields(s.AMR) {
			if !slices.Contains(list, word) {
				list = append(list, word)
			}
		}
	}
	if proofs > 1 || slices.ContainsFunc(shown, func(s Shown) bool { return s.Whole }) {
		list = append(list, "mfa")
	}
	return list
}

// meant is the method among choices that an answer is for: the chosen one, unless only another can read it.
func meant(choices []Method, chosen Method, in Answer) Method {
	if chosen == nil || !chosen.Reads(in) {
		for _, m := range choices {
			if m.Reads(in) {
				return m
			}
		}
	}
	return chosen
}
