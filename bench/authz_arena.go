package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"
)

// arena is where engines are asked the same in the same moments, among so many people.
type arena struct {
	b         *bench
	users     int
	questions map[bool][]question // by whether roles are shared
	floors    [2]func(q *question) bool
	next      int     // the question to begin with: what one has just read would be quicker for the next
	admit     float64 // CPU of a check in ns, once it has been measured
}

// finding is what one way to ask an engine costs.
type finding struct {
	Users   int        `json:"users"`
	Name    string     `json:"name"`
	NS      float64    `json:"cpu_ns"`
	Bytes   float64    `json:"bytes"`
	Allocs  float64    `json:"allocs"`
	ByInt   float64    `json:"times_number_map"`
	ByText  float64    `json:"times_string_map"`
	Range   [2]float64 `json:"times_string_map_range"`
	N       int        `json:"questions"`              // measured
	Agreed  int        `json:"questions_checked"`      // answered as the rows say, before anything was measured
	Revoked float64    `json:"revoked_ns,omitempty"`   // until the first answer that knew of it
	Still   bool       `json:"still_allowed,omitzero"` // after it was revoked
	Checks  []check    `json:"checks,omitempty"`
}

func (a *arena) measureAll(e engine, all []question) error {
	for _, k := range e.asked {
		if err := a.measure(e, k, all); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return nil
}

const slow = 20 * time.Millisecond // for one question; such are asked few

// measure asks in turns with the floors, after it has held the answers against the rows.
func (a *arena) measure(e engine, k asker, all []question) error {
	list := all
	if k.about != nil {
		list = k.about(all)
	}
	n, each, err := agrees(k, list)
	if err != nil {
		return err
	}
	if k.warm {
		list = list[:n]
	}
	f := finding{Users: a.users, Name: k.name}
	rounds, length := a.b.pairs, a.b.sample/10
	if each > slow {
		rounds, length = 1, a.b.sample
	}
	if err := a.rounds(&f, k, list, rounds, length); err != nil {
		return err
	}
	if err := a.revoked(&f, e, k, all); err != nil {
		return err
	}
	if k.judge != nil {
		for _, c := range k.judge(a, f) {
			f.Checks = append(f.Checks, c.judge(nil))
		}
	}
	a.b.access.Findings = append(a.b.access.Findings, f)
	return nil
}

// agrees asks a thousand questions, or as many as take a second, and says how many that were and what one took.
func agrees(k asker, list []question) (n int, each time.Duration, err error) {
	began := time.Now()
	for n < min(1000, len(list)) && (n < 2 || time.Since(began) < time.Second) {
		if q := &list[n]; k.ask(q) != q.want {
			return n, 0, fmt.Errorf("%s %s in %s is answered %v, and the rows say %v", q.user, q.name, q.org, !q.want, q.want)
		}
		n++
	}
	return n, time.Since(began) / time.Duration(n), nil
}

func (a *arena) rounds(f *finding, k asker, list []question, rounds int, length time.Duration) error {
	var own []spent
	var byInt, byText []float64
	all := a.questions[false]
	if rounds > 1 {
		a.ask(k.ask, list, length/4) // what only happens once is not measured
	}
	for range rounds {
		number, text, s := a.ask(a.floors[0], all, a.b.sample/10), a.ask(a.floors[1], all, a.b.sample/10), a.ask(k.ask, list, length)
		if number.wrong+text.wrong+s.wrong > 0 {
			return fmt.Errorf("%d answers are not what the rows say", number.wrong+text.wrong+s.wrong)
		}
		own, f.N = append(own, s), f.N+s.n
		byInt, byText = append(byInt, s.each()/number.each()), append(byText, s.each()/text.each())
	}
	f.NS, f.Bytes, f.Allocs = medianOf(own, spent.each), medianOf(own, spent.bytesEach), medianOf(own, spent.allocsEach)
	f.ByInt, f.ByText = median(byInt), median(byText)
	f.Range = [2]float64{slices.Min(byText), slices.Max(byText)}
	return nil
}

// spent is what asking some questions took.
type spent struct {
	n, wrong      int
	cpu           time.Duration
	bytes, allocs uint64
}

func (s spent) each() float64      { return float64(s.cpu.Nanoseconds()) / float64(s.n) }
func (s spent) bytesEach() float64 { return math.Round(float64(s.bytes) / float64(s.n)) }

// allocsEach leaves out what is less than one in twenty questions, which is the runtime's own.
func (s spent) allocsEach() float64 { return math.Round(10*float64(s.allocs)/float64(s.n)) / 10 }

// ask asks one question after the other for some time, and at least two.
func (a *arena) ask(f func(q *question) bool, list []question, length time.Duration) (s spent) {
	a.next += 1 << 14
	at, batch := a.next%len(list), 1
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, start := time.Now(), cpu()
	for s.n < 2 || time.Since(began) < length {
		for range batch {
			if q := &list[at]; f(q) != q.want {
				s.wrong++
			}
			if at++; at == len(list) {
				at = 0
			}
		}
		if s.n += batch; time.Since(began) < length/8 {
			batch *= 2
		}
	}
	s.cpu = cpu() - start
	runtime.ReadMemStats(&after)
	s.bytes, s.allocs = after.TotalAlloc-before.TotalAlloc, after.Mallocs-before.Mallocs
	return s
}

// revoked measures from taking somebody's roles away to the first answer that says so.
func (a *arena) revoked(f *finding, e engine, k asker, all []question) error {
	if e.revoke == nil || k.about != nil {
		return nil
	}
	q := &all[slices.IndexFunc(all, func(q question) bool { return q.want })]
	var took []float64
	for began := time.Now(); len(took) == 0 || len(took) < 101 && time.Since(began) < time.Second/2; {
		if !k.ask(q) {
			return fmt.Errorf("%s has lost what was given back", q.user)
		}
		start := cpu()
		err := e.revoke(q)
		f.Still = k.ask(q)
		took = append(took, float64((cpu() - start).Nanoseconds()))
		if err := errors.Join(err, e.give(q)); err != nil {
			return err
		}
		if f.Still {
			return nil
		}
	}
	f.Revoked = median(took)
	return nil
}
