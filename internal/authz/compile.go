package authz

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"
)

// Root is who may do what at one revision. It is immutable: keep it as long as you like, from as many goroutines as you like.
type Root struct {
	rev       int64
	cat       *catalogue
	cond      *conditions
	templates []*role
	platform  *space // its members are the users with global roles, and the disabled ones
	orgs      table[*space]
	homes     homes
	slugs     table[string] // ids by slug
}

// Rev is the revision the Root was compiled at.
func (r *Root) Rev() int64 { return r.rev }

// Compile makes the Root of a revision from all rows. A row that makes no sense is an error that names it.
func Compile(rev int64, p PlatformRows, orgs []OrgRows) (*Root, error) {
	seed := maphash.MakeSeed()
	r := &Root{rev: rev, cond: newConditions()}
	cat, err := newCatalogue(p.Permissions)
	if err != nil {
		return nil, err
	}
	b := newBuilder(cat, r.cond, seed)
	if err := r.setPlatform(b, p); err != nil {
		return nil, err
	}
	edit := newTable[*space](seed, len(orgs))
	for i := range orgs {
		s, err := b.org(r.templates, &orgs[i])
		if err != nil {
			return nil, err
		}
		if !edit.set(s.id, s) {
			return nil, fmt.Errorf("organization %s is there twice", s.id)
		}
	}
	r.orgs = edit.t
	people := 0
	for _, o := range orgs {
		people += len(o.Members)
	}
	where := newTable[*[]string](seed, people)
	for _, s := range r.orgs.all() {
		settle(where, nil, *s)
	}
	slugs := newTable[string](seed, len(orgs))
	for _, s := range r.orgs.all() {
		rename(slugs, nil, *s)
	}
	r.homes, r.slugs = where.t, slugs.t
	return r, nil
}

func (r *Root) setPlatform(b *builder, p PlatformRows) (err error) {
	r.cat = b.cat
	if r.templates, err = b.roles(nil, p.Templates, "", ScopeOrg); err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	s := &space{}
	if s.roles, err = b.roles(nil, p.Globals, "", ScopeGlobal); err != nil {
		return fmt.Errorf("global roles: %w", err)
	}
	s.lay(b.cat)
	if s.guards, s.guarded, err = b.guards(p.Guards, ""); err != nil {
		return err
	}
	s.watched = len(s.guards) > 0
	e := &spaceEditor{b: b, s: s, index: map[string]uint32{}, edit: newTable[member](b.seed, 0)}
	for _, u := range p.Users {
		if err := e.put(u.User, u.Disabled, u.Roles); err != nil {
			return err
		}
	}
	s.members, r.platform = e.edit.t, s
	return nil
}

func (b *builder) org(templates []*role, rows *OrgRows) (*space, error) {
	if err := checkID(rows.ID); err != nil {
		return nil, fmt.Errorf("organization %.80q: %w", rows.ID, err)
	}
	s := &space{id: rows.ID, slugs: rows.Slugs, alone: &[]string{rows.ID}, suspended: rows.Suspended, mfa: rows.MFA, templates: len(templates)}
	var err error
	if s.roles, err = b.roles(templates, rows.Roles, rows.ID, ScopeOrg); err != nil {
		return nil, fmt.Errorf("organization %s: %w", rows.ID, err)
	}
	s.lay(b.cat)
	if s.guards, s.guarded, err = b.guards(rows.Guards, rows.ID); err != nil {
		return nil, fmt.Errorf("organization %s: %w", rows.ID, err)
	}
	s.watched = len(s.guards) > 0
	e := &spaceEditor{b: b, s: s, index: map[string]uint32{}, edit: newTable[member](b.seed, len(rows.Members))}
	for _, m := range rows.Members {
		if err := e.put(m.User, m.Suspended, m.Roles); err != nil {
			return nil, fmt.Errorf("organization %s: %w", rows.ID, err)
		}
	}
	s.members = e.edit.t
	return s, nil
}

// spaceEditor puts members into a space that nobody sees yet.
type spaceEditor struct {
	b     *builder
	s     *space
	edit  *editor[member]
	index map[string]uint32 // the sets by their roles; nil when the space is a copy that changes little
	held  []uint32
	key   []byte
}

// put adds a member. In a new space a member that is there already is an error; in a copy it is replaced.
func (e *spaceEditor) put(user string, suspended bool, roles []Assignment) error {
	if err := checkID(user); err != nil {
		return fmt.Errorf("member %.80q: %w", user, err)
	}
	m := member{suspended: suspended}
	var timed []timedRole
	e.held = e.held[:0]
	for _, a := range roles {
		i, ok := e.s.role(a.Role)
		if !ok {
			return fmt.Errorf("member %s: there is no role %.160q", user, a.Role)
		}
		if a.ExpiresAt == nil {
			e.held = append(e.held, i)
		} else {
			timed = append(timed, timedRole{i, *a.ExpiresAt})
		}
	}
	slices.Sort(e.held)
	e.held = slices.Compact(e.held)
	if timed = longest(timed, e.held); len(timed) > 0 {
		ends := timed // or every member would be given room for it
		m.ends = &ends
	}
	if e.index == nil {
		e.forget(user)
	}
	if e.s.id == "" && !m.suspended && len(e.held)+len(timed) == 0 { // as good as not listed
		e.edit.del(user)
		return nil
	}
	m.set = e.set()
	e.s.counts[m.set]++
	if !e.edit.set(user, m) && e.index != nil {
		return fmt.Errorf("member %s is there twice", user)
	}
	return nil
}

func (e *spaceEditor) drop(user string) {
	e.forget(user)
	e.edit.del(user)
}

func (e *spaceEditor) forget(user string) {
	if old := e.edit.t.find(user); old != nil {
		e.s.counts[old.set]--
	}
}

// longest keeps the last end of each role, and none of a role that is held for good.
func longest(timed []timedRole, held []uint32) []timedRole {
	slices.SortFunc(timed, func(a, b timedRole) int {
		if a.role != b.role {
			return int(a.role) - int(b.role)
		}
		return b.until.Compare(a.until)
	})
	timed = slices.CompactFunc(timed, func(a, b timedRole) bool { return a.role == b.role })
	return slices.DeleteFunc(timed, func(t timedRole) bool { _, ok := slices.BinarySearch(held, t.role); return ok })
}

// set finds the set of the roles in e.held, or makes it in the place of one that nobody holds any more.
func (e *spaceEditor) set() uint32 {
	if e.index == nil {
		free := -1
		for i, s := range e.s.sets {
			if slices.Equal(s.roles, e.held) {
				return uint32(i)
			}
			if e.s.counts[i] == 0 {
				free = i
			}
		}
		if free >= 0 {
			e.s.setMask(free, e.held)
			e.s.sets[free] = e.s.newSet(slices.Clone(e.held))
			return uint32(free)
		}
	} else {
		e.key = e.key[:0]
		for _, i := range e.held {
			e.key = binary.LittleEndian.AppendUint32(e.key, i)
		}
		if i, ok := e.index[string(e.key)]; ok {
			return i
		}
		e.index[string(e.key)] = uint32(len(e.s.sets))
	}
	e.s.masks = append(e.s.masks, make([]uint64, e.s.width)...)
	e.s.setMask(len(e.s.sets), e.held)
	e.s.sets = append(e.s.sets, e.s.newSet(slices.Clone(e.held)))
	e.s.counts = append(e.s.counts, 0)
	return uint32(len(e.s.sets) - 1)
}

func (s *space) newSet(held []uint32) roleSet {
	set := roleSet{roles: held}
	for _, i := range held {
		if r := s.roles[i]; r.row.Reach == ReachAllOrgs {
			set.far = set.far.with(r.mask)
		}
	}
	return set
}

// setMask writes what a set gives into its place.
func (s *space) setMask(i int, held []uint32) {
	mask := s.masks[i*s.width : (i+1)*s.width]
	clear(mask)
	for _, role := range held {
		for j, word := range s.roles[role].mask {
			mask[j] |= word
		}
	}
}

// mask is what a set gives without a condition.
func (s *space) mask(set uint32) bits { return s.masks[int(set)*s.width : (int(set)+1)*s.width] }

// lay puts the masks of all roles side by side, where they are looked through for one that would do, and orders them for it.
func (s *space) lay(cat *catalogue) {
	s.width = (len(cat.list) + 63) / 64
	s.roleMasks, s.maybe = make([]uint64, 0, len(s.roles)*s.width), nil
	for i, r := range s.roles {
		s.roleMasks, s.maybe = append(s.roleMasks, r.mask...), s.maybe.with(r.maybe)
		if i >= s.templates {
			r.mask = s.roleMasks[i*s.width:][:s.width:s.width]
		}
	}
	s.order = make([]uint32, len(s.roles))
	for i := range s.order {
		s.order[i] = uint32(i)
	}
	slices.SortStableFunc(s.order, func(a, b uint32) int { return cmp.Compare(s.roles[a].size, s.roles[b].size) })
}
