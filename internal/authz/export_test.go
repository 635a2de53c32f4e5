package authz

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// Dump is everything a Root derives, in a form in which equal means equal, whatever the layout in memory.
func (r *Root) Dump() string {
	var s strings.Builder
	fmt.Fprintln(&s, r.cat.names, r.cat.list, r.cat.only, len(r.cat.bit))
	dumpSpace(&s, r.platform)
	for _, id := range orgIDs(r) {
		dumpSpace(&s, *r.orgs.find(id))
	}
	var people []string
	for user := range r.homes.all() {
		people = append(people, user)
	}
	slices.Sort(people)
	for _, user := range people {
		fmt.Fprintln(&s, "home", user, r.OrgsOf(user))
	}
	return s.String()
}

// DumpOrg is Dump of one organization.
func (r *Root) DumpOrg(id string) string {
	var s strings.Builder
	if found := r.orgs.find(id); found != nil {
		dumpSpace(&s, *found)
	}
	return s.String()
}

// SameOrg reports whether two Roots share the very memory of an organization.
func SameOrg(a, b *Root, id string) bool {
	x, y := a.orgs.find(id), b.orgs.find(id)
	return x != nil && y != nil && *x == *y
}

func dumpSpace(s *strings.Builder, o *space) {
	fmt.Fprintf(s, "space %q suspended=%v guarded=%x maybe=%x watched=%v\n", o.id, o.suspended, o.guarded, o.maybe, o.watched)
	for _, r := range o.roles {
		fmt.Fprintf(s, " role %+v mask=%x maybe=%x size=%d\n", r.rows(), r.mask, r.maybe, r.size)
	}
	for _, g := range o.guards {
		fmt.Fprintf(s, " guard %+v mask=%x\n", g.row, g.mask)
	}
	live := make([]int32, len(o.sets))
	for _, user := range users(o) {
		m := o.members.find(user)
		live[m.set]++
		set := o.sets[m.set]
		fmt.Fprintf(s, " member %s suspended=%v roles=%v mask=%x far=%x\n", user, m.suspended, o.assignmentsText(m), o.mask(m.set), set.far)
	}
	if !slices.Equal(live, o.counts) { // the sets may be in another order, and some may be left over
		fmt.Fprintf(s, "counts are wrong: %v, not %v\n", o.counts, live)
	}
}

func (s *space) assignmentsText(m *member) (list []string) {
	for _, a := range s.assignments(m) {
		text := a.Role
		if a.ExpiresAt != nil {
			text += a.ExpiresAt.String()
		}
		list = append(list, text)
	}
	return list
}

// Sets is how many sets of roles an organization keeps.
func Sets(r *Root, id string) int { return len((*r.orgs.find(id)).sets) }

// Colliding finds three keys of one hash in a table that has two of them, as 1 and 2; 0 is not found.
func Colliding() (found [3]int) {
	e := newTable[int](maphash.MakeSeed(), 2)
	const h = 1 << 40
	p := e.page(h)
	p.put(h, "a", 1)
	p.put(h, "b", 2)
	e.t.n = 2
	for i, key := range []string{"a", "b", "c"} {
		if v := e.t.get(h, key); v != nil {
			found[i] = *v
		}
	}
	return found
}
