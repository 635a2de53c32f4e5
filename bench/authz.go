package main

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

// contestants is everything that is told a town, in the order of the report. The two floors come first.
var contestants = []struct {
	name   string
	shared bool // its town is the one whose organizations share their roles
	town   func(users int) *town
	load   func(t *town) (engine, error)
}{
	{"map of Go by numbers", false, ownRoles, intMap},
	{"map of Go by strings", false, ownRoles, textMap},
	{"Admit", false, ownRoles, admitEngine},
	{"Admit with conditions", false, authors, admitCondition},
	{"Casbin, roles shared by all", true, sharedRoles, casbinEngine("Casbin, roles shared by all", true)},
	{"Casbin, roles of organizations", false, ownRoles, casbinEngine("Casbin, roles of organizations", false)},
	{"cedar-go, one policy", false, ownRoles, cedarTags},
	{"cedar-go, a policy for each role", false, ownRoles, cedarPolicies},
}

func ownRoles(users int) *town    { return newTown(users, false) }
func sharedRoles(users int) *town { return newTown(users, true) }

// authz measures the decision of who may do what beside maps of Go and beside the engines one could take instead.
func (b *bench) authz() error {
	bare := map[string]float64{} // what each weighs without people
	for _, users := range []int{0, 10, 1_000, 100_000} {
		if err := b.authzAmong(users, bare); err != nil {
			return err
		}
	}
	if err := b.authzChanges(); err != nil {
		return err
	}
	return b.authzServer()
}

// authzAmong puts everything that is in the contest through towns of so many people; of none, to learn what the roles weigh.
func (b *bench) authzAmong(users int, bare map[string]float64) error {
	a := arena{b: b, users: users}
	if users > 0 {
		a.questions = map[bool][]question{false: ownRoles(users).questions(1 << 16), true: sharedRoles(users).questions(1 << 16)}
	}
	var waiting []func() error
	for i, c := range contestants {
		began := time.Now()
		e, load, bytes, err := weigh(c.town, users, c.load)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if users == 0 {
			bare[c.name] = bytes
			continue
		}
		if e.revoke != nil {
			b.access.weighed(weight{users, c.name, load, (bytes - bare[c.name]) / float64(users), bare[c.name] / allGrants, nil})
		}
		waiting = append(waiting, func() error { return a.measureAll(e, a.questions[c.shared]) })
		if i < len(a.floors) {
			a.floors[i] = e.asked[0].ask
		}
		if i+1 < len(a.floors) {
			continue // everything is measured in turns with all floors
		}
		for _, do := range waiting {
			if err := do(); err != nil {
				return fmt.Errorf("%d people: %w", users, err)
			}
		}
		waiting = nil
		fmt.Fprintf(os.Stderr, "  %6d people, %-32s %5.1f s\n", users, c.name, time.Since(began).Seconds())
		if b.ctx.Err() != nil {
			return b.ctx.Err()
		}
	}
	return nil
}

// weigh tells an engine a town. Its weight is all that is alive afterwards, with the strings it keeps of a town that is gone.
func weigh(build func(users int) *town, users int, load func(t *town) (engine, error)) (e engine, ms, bytes float64, err error) {
	before := heapAlive()
	t := build(users)
	start := cpu()
	e, err = load(t)
	ms = (cpu() - start).Seconds() * 1e3
	t = nil
	return e, ms, heapAlive() - before, err
}

func cpu() time.Duration {
	d, _ := processCPU(os.Getpid())
	return d
}

func heapAlive() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
