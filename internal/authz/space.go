package authz

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"
)

// space is where roles are given: one organization, or the platform. It never changes.
//
// What a check reads comes first, and the masks lie side by side: at a hundred thousand users it is the number of places
// in memory that costs, not the work.
type space struct {
	members   table[member]
	masks     []uint64 // what each of sets gives unconditionally, width words each
	width     int
	suspended bool
	watched   bool      // there are guards
	maybe     bits      // what any role gives under some condition; nil when there is no condition
	sets      []roleSet // the distinct sets of roles that members hold for good
	roleMasks []uint64  // what each of roles gives unconditionally, width words each
	roles     []*role   // the first are templates; both parts are sorted by id
	order     []uint32  // the places of roles, those that give the least first
	templates int
	counts    []int32 // how many members hold each of sets
	guards    []*guard
	guarded   bits   // what any guard covers
	mfa       bool   // its members need a second factor
	id        string // "" for the platform
	slugs     []string
	alone     *[]string // the id, as the list of who belongs to this organization only
}

type member struct {
	ends      *[]timedRole // nil for almost everybody
	set       uint32
	suspended bool
}

func (m *member) timed() []timedRole {
	if m.ends == nil {
		return nil
	}
	return *m.ends
}

type timedRole struct {
	role  uint32
	until time.Time
}

// roleSet is what one combination of roles gives.
type roleSet struct {
	roles []uint32 // sorted
	far   bits     // what the global roles among them that count in organizations give unconditionally; nil without any
}

// role begins with what an explanation reads of it.
type role struct {
	own   []Pattern // the wide ones first
	mask  bits      // its own and its base's
	base  *role
	wide  int32 // how many of own that is
	size  int32 // how many permissions it gives: the fewer, the sooner it is suggested
	row   Role  // without its grants
	cond  []condGrant
	maybe bits
}

type condGrant struct {
	pattern Pattern
	cond    *condition
}

type guard struct {
	row     Guard
	pattern Pattern
	mask    bits
	cond    *condition
}

func (m *member) in(s *space, i uint32) bool {
	_, ok := slices.BinarySearch(s.sets[m.set].roles, i)
	return ok
}

// builder compiles the rows of one revision.
type builder struct {
	cat   *catalogue
	cond  *conditions
	text  map[string]Pattern // one copy of each pattern, however many roles hold it
	masks map[string]bits    // of wide patterns
	seed  maphash.Seed
}

func newBuilder(cat *catalogue, cond *conditions, seed maphash.Seed) *builder {
	return &builder{cat, cond, map[string]Pattern{}, map[string]bits{}, seed}
}

func checkID(id string) error {
	if id == "" || len(id) > 256 {
		return fmt.Errorf("an id has 1 to 256 bytes, this one has %d", len(id))
	}
	return nil
}

func (b *builder) pattern(s string) (Pattern, error) {
	if p, ok := b.text[s]; ok {
		return p, nil
	}
	p, err := ParsePattern(s)
	if err == nil {
		b.text[s] = p
	}
	return p, err
}

// role compiles a role into r. templates are what its base is looked for in.
func (b *builder) role(r *role, row Role, templates []*role) error {
	if err := checkID(row.ID); err != nil {
		return fmt.Errorf("role %.80q: %w", row.ID, err)
	}
	*r = role{row: row, own: make([]Pattern, 0, len(row.Grants))}
	r.row.Grants = nil
	for _, g := range row.Grants {
		p, err := b.pattern(g.Pattern)
		if err != nil {
			return fmt.Errorf("role %s, grant %.160q: %w", row.ID, g.Pattern, err)
		}
		if g.Condition == "" {
			r.own = append(r.own, p)
			continue
		}
		c, err := b.cond.compile(g.Condition)
		if err != nil {
			return fmt.Errorf("role %s, grant %s: %w", row.ID, g.Pattern, err)
		}
		r.cond = append(r.cond, condGrant{p, c})
	}
	for i, p := range r.own {
		if p.wide() {
			r.own[i], r.own[r.wide] = r.own[r.wide], p
			r.wide++
		}
	}
	if row.Base != "" {
		i, ok := roleIndex(templates, row.Base)
		if !ok {
			return fmt.Errorf("role %s: its base %q is no template", row.ID, row.Base)
		}
		r.base = templates[i]
	}
	b.derive(r)
	return nil
}

// derive fills what depends on the catalogue.
func (b *builder) derive(r *role) {
	r.mask, r.maybe = b.cat.empty(), nil
	for _, p := range r.own {
		b.cover(r.mask, p)
	}
	if len(r.cond) > 0 {
		r.maybe = b.cat.empty()
		for _, g := range r.cond {
			b.cover(r.maybe, g.pattern)
		}
	}
	if r.base != nil {
		r.mask, r.maybe = r.mask.with(r.base.mask), r.maybe.with(r.base.maybe)
	}
	r.size = int32(r.mask.count())
}

func (b *builder) cover(into bits, p Pattern) {
	if !p.wide() {
		b.cat.add(into, p)
		return
	}
	mask, ok := b.masks[p.text]
	if !ok {
		mask = b.cat.empty()
		b.cat.add(mask, p)
		b.masks[p.text] = mask
	}
	for i, word := range mask {
		into[i] |= word
	}
}

// roles compiles the roles of a space behind its templates.
func (b *builder) roles(templates []*role, rows []Role, org string, scope Scope) ([]*role, error) {
	list := slices.Grow(slices.Clone(templates), len(rows))
	block := make([]role, len(rows)) // side by side in memory, as they are looked through
	for i, row := range rows {
		if row.Org != org || row.Scope != scope {
			return nil, fmt.Errorf("role %.80q belongs to %q with scope %q, not here", row.ID, row.Org, row.Scope)
		}
		if global := scope == ScopeGlobal; global != (row.Reach != "") || global && row.Reach != ReachPlatform && row.Reach != ReachAllOrgs {
			return nil, fmt.Errorf("role %s: its reach cannot be %q", row.ID, row.Reach)
		}
		if err := b.role(&block[i], row, templates); err != nil {
			return nil, err
		}
		list = append(list, &block[i])
	}
	slices.SortFunc(list[len(templates):], func(a, b *role) int { return cmp.Compare(a.row.ID, b.row.ID) })
	ids, keys := make(map[string]bool, len(list)), make(map[string]bool, len(list))
	for _, r := range list {
		if ids[r.row.ID] || r.row.Key == "" || keys[r.row.Key] {
			return nil, fmt.Errorf("role %s: there are two roles of this id or of the key %q, or the key is missing", r.row.ID, r.row.Key)
		}
		ids[r.row.ID], keys[r.row.Key] = true, true
	}
	return list, nil
}

func roleIndex(roles []*role, id string) (int, bool) {
	return slices.BinarySearchFunc(roles, id, func(r *role, id string) int { return strings.Compare(r.row.ID, id) })
}

func (s *space) role(id string) (uint32, bool) {
	if i, ok := roleIndex(s.roles[:s.templates], id); ok {
		return uint32(i), true
	}
	i, ok := roleIndex(s.roles[s.templates:], id)
	return uint32(s.templates + i), ok
}

func (b *builder) guards(rows []Guard, org string) (list []*guard, all bits, err error) {
	seen := map[string]bool{}
	for _, row := range rows {
		if err := checkID(row.ID); err != nil || seen[row.ID] || row.Org != org {
			return nil, nil, fmt.Errorf("guard %.80q: its id is not usable or is there twice, or it belongs to %q", row.ID, row.Org)
		}
		seen[row.ID] = true
		p, err := b.pattern(row.Pattern)
		if err != nil {
			return nil, nil, fmt.Errorf("guard %s, pattern %.160q: %w", row.ID, row.Pattern, err)
		}
		c, err := b.cond.compile(row.Condition)
		if err != nil {
			return nil, nil, fmt.Errorf("guard %s: %w", row.ID, err)
		}
		g := &guard{row: row, pattern: p, mask: b.cat.empty(), cond: c}
		b.cover(g.mask, p)
		all = all.with(g.mask)
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *guard) int { return cmp.Compare(a.row.ID, b.row.ID) })
	return list, all, nil
}
