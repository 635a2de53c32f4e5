package authz

import (
	"iter"
	"time"
)

// holding is one assignment that counts for a question.
type holding struct {
	place  uint32 // of the role in its space
	global bool
	until  *time.Time
}

// held gives the roles that count: those of the membership unless it is suspended, and the global ones that reach this far.
func (r *Root) held(at place, now time.Time) iter.Seq2[*role, holding] {
	return func(yield func(*role, holding) bool) {
		if m := at.member; m != nil && !m.suspended && !at.org.each(m, now, false, false, yield) {
			return
		}
		if at.user != nil {
			r.platform.each(at.user, now, at.org != nil, true, yield)
		}
	}
}

// room is how many roles held gives at most.
func (r *Root) room(at place) int {
	n := 0
	if m := at.member; m != nil {
		n = len(at.org.sets[m.set].roles) + len(m.timed())
	}
	if m := at.user; m != nil {
		n += len(r.platform.sets[m.set].roles) + len(m.timed())
	}
	return n
}

func (s *space) each(m *member, now time.Time, far, global bool, yield func(*role, holding) bool) bool {
	for _, i := range s.sets[m.set].roles {
		if role := s.roles[i]; (!far || role.row.Reach == ReachAllOrgs) && !yield(role, holding{place: i, global: global}) {
			return false
		}
	}
	timed := m.timed()
	for i := range timed {
		t := &timed[i]
		if role := s.roles[t.role]; t.alive(now) && (!far || role.row.Reach == ReachAllOrgs) && !yield(role, holding{t.role, global, &t.until}) {
			return false
		}
	}
	return true
}

// conditional gives the conditional grants of the role and of its base that cover the permission, with the role that has them.
func (r *role) conditional(cat *catalogue, p int) iter.Seq2[*role, condGrant] {
	return func(yield func(*role, condGrant) bool) {
		for _, part := range [...]*role{r, r.base} {
			if part == nil || !part.maybe.has(p) {
				continue
			}
			for _, g := range part.cond {
				if cat.matches(g.pattern, p) && !yield(part, g) {
					return
				}
			}
		}
	}
}

// guardsOf gives the guards that cover the permission: those of the platform, then those of the organization.
func (r *Root) guardsOf(at place, p int) iter.Seq[*guard] {
	return func(yield func(*guard) bool) {
		for _, s := range [...]*space{r.platform, at.org} {
			if s == nil || !s.guarded.has(p) {
				continue
			}
			for _, g := range s.guards {
				if g.mask.has(p) && !yield(g) {
					return
				}
			}
		}
	}
}

// facts tells conditions about the subject. A global role is listed with the prefix global:, which no key of an organization
// can have, so that nobody makes a role of their own that looks like one.
func (r *Root) facts(q Query, at place) *facts {
	f := &facts{q: q}
	r.know(f, at)
	return f
}

// know reads the roles for conditions, the first time one asks.
func (r *Root) know(f *facts, at place) {
	if f.roles != nil {
		return
	}
	f.roles = []string{}
	for role, h := range r.held(at, f.q.Now) {
		f.roles = append(f.roles, role.name(h.global))
	}
}

func (r *role) name(global bool) string {
	if global {
		return "global:" + r.row.Key
	}
	return r.row.Key
}

// unconditional gives the patterns of the role and of its base that cover the permission, with the role that has them.
func (r *role) unconditional(cat *catalogue, p int) iter.Seq2[*role, Pattern] {
	return func(yield func(*role, Pattern) bool) {
		for _, part := range [...]*role{r, r.base} {
			if part == nil || !part.mask.has(p) {
				continue
			}
			for _, pattern := range part.own {
				if cat.matches(pattern, p) && !yield(part, pattern) {
					return
				}
			}
		}
	}
}

// first is the first of them, found without looking at every name the role holds.
func (r *role) first(cat *catalogue, p int) Pattern {
	for _, part := range [...]*role{r, r.base} {
		if part == nil {
			continue
		}
		for _, pattern := range part.own[:part.wide] {
			if cat.matches(pattern, p) {
				return pattern
			}
		}
	}
	if names := cat.list[p].names; len(names) == 1 {
		return names[0]
	}
	for _, pattern := range r.unconditional(cat, p) {
		return pattern
	}
	return Pattern{}
}
