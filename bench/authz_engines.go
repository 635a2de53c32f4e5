package main

import (
	"slices"
	"sync/atomic"

	"github.com/admit-dev/admit/internal/authz"
)

// engine is something that was told a town and answers questions about it.
type engine struct {
	asked  []asker
	revoke func(q *question) error // takes from the person what they hold in the organization
	give   func(q *question) error // gives it back
}

// asker is one way to ask an engine.
type asker struct {
	name  string
	ask   func(q *question) bool
	about func(list []question) []question  // which questions, and with what; nil for all as they are
	warm  bool                              // only what was asked before is measured
	judge func(a *arena, f finding) []check // what was promised; nil where nothing was
}

// bitset is what a person may do in an organization.
type bitset [(nameCount + 63) / 64]uint64

func (t *town) bits(u int) (s bitset) {
	for _, j := range t.held[u] {
		for p, granted := range t.grants[t.where[u]*roleCount+j] {
			if granted {
				s[p>>6] |= 1 << (p & 63)
			}
		}
	}
	return s
}

// intMap is the floor of whoever has numbers for everything: one look into a map of Go.
func intMap(t *town) (engine, error) {
	type pair struct{ user, org uint32 }
	of := func(q *question) pair { return pair{uint32(q.u), uint32(q.o)} }
	known := map[pair]bitset{}
	for u, o := range t.where {
		known[pair{uint32(u), uint32(o)}] = t.bits(u)
	}
	return changing("map of Go by numbers", known, of, func(q *question) bool { return known[of(q)][q.p>>6]>>(q.p&63)&1 == 1 }), nil
}

// textMap is the floor of whoever is asked in strings: one look for the person and the organization, one for the permission.
func textMap(t *town) (engine, error) {
	type pair struct{ user, org string }
	of := func(q *question) pair { return pair{q.user, q.org} }
	known, bit := map[pair]bitset{}, map[string]int{}
	for u, o := range t.where {
		known[pair{userID(u), t.orgs[o].ID}] = t.bits(u)
	}
	for p, name := range t.names {
		bit[name] = p
	}
	return changing("map of Go by strings", known, of, func(q *question) bool {
		p := bit[q.name]
		return known[of(q)][p>>6]>>(p&63)&1 == 1
	}), nil
}

func changing[K comparable](name string, known map[K]bitset, of func(q *question) K, ask func(q *question) bool) engine {
	var was bitset
	return engine{
		asked:  []asker{{name: name, ask: ask}},
		revoke: func(q *question) error { was, known[of(q)] = known[of(q)], bitset{}; return nil },
		give:   func(q *question) error { known[of(q)] = was; return nil },
	}
}

// inForce is Admit as a server holds it: a pointer to what is true now.
type inForce struct{ atomic.Pointer[authz.Root] }

func compiled(t *town) (*inForce, error) {
	root, err := authz.Compile(1, t.platform, t.orgs)
	now := &inForce{}
	now.Store(root)
	return now, err
}

// admitEngine answers yes or no, and with reasons.
func admitEngine(t *town) (engine, error) {
	now, err := compiled(t)
	return engine{
		asked: []asker{{name: "Admit, check", judge: checkTargets, ask: func(q *question) bool {
			d, err := now.Load().Check(authz.Query{Subject: q.user, Org: q.org, Permission: q.name})
			return err == nil && d.Allowed
		}}, {name: "Admit, explanation of a denial", judge: explainTargets, about: denied, ask: func(q *question) bool {
			x, err := now.Load().Explain(authz.Query{Subject: q.user, Org: q.org, Permission: q.name})
			return err == nil && x.Allowed
		}}},
		revoke: func(q *question) error { return now.change(q, nil) },
		give: func(q *question) error {
			return now.change(q, []authz.Assignment{{Role: roleID(q.org, q.held[0])}, {Role: roleID(q.org, q.held[1])}})
		},
	}, err
}

func denied(list []question) []question {
	return slices.DeleteFunc(slices.Clone(list), func(q question) bool { return q.want })
}

// change puts a member with other roles in force.
func (now *inForce) change(q *question, roles []authz.Assignment) error {
	was := now.Load()
	next, err := was.WithMembers(was.Rev()+1, q.org, []authz.Member{{User: q.user, Roles: roles}}, nil)
	if err == nil {
		now.Store(next)
	}
	return err
}

// admitCondition answers whether people may edit what they own, and what somebody else does.
func admitCondition(t *town) (engine, error) {
	now, err := compiled(t)
	return engine{asked: []asker{{name: "Admit, grant under a condition", judge: conditionTargets, about: owners, ask: func(q *question) bool {
		d, err := now.Load().Check(authz.Query{Subject: q.user, Org: q.org, Permission: ownedName, Resource: q.resource})
		return err == nil && d.Allowed
	}}}}, err
}

func owners(list []question) []question {
	list = slices.Clone(list[:1<<12])
	list = slices.DeleteFunc(list, func(q question) bool { return !q.own })
	for i := range list {
		q := &list[i]
		q.want = i%2 == 0
		q.resource = map[string]any{"owner": q.user}
		if !q.want {
			q.resource["owner"] = "somebody"
		}
	}
	return list
}
