package authz

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
)

// With gives the Root of the next revision: p replaces the platform when it is not nil, changed replaces organizations or adds
// them, removed takes them away. Everything else is shared with r, which stays as it is.
func (r *Root) With(rev int64, p *PlatformRows, changed []OrgRows, removed []string) (*Root, error) {
	next := *r
	next.rev, next.cond = rev, r.cond.again()
	b := newBuilder(r.cat, next.cond, r.orgs.seed)
	r.platform.remember(next.cond)
	for _, t := range r.templates {
		t.remember(next.cond)
	}
	edit, where, slugs := next.orgs.edit(), next.homes.edit(), next.slugs.edit()
	for _, id := range removed {
		if old := r.orgs.find(id); old != nil {
			settle(where, *old, nil)
			rename(slugs, *old, nil)
		}
		edit.del(id)
	}
	for i := range changed {
		if old := r.orgs.find(changed[i].ID); old != nil {
			(*old).remember(next.cond)
			edit.del(changed[i].ID) // what it was need not fit a platform that changes with it
		}
	}
	if p != nil {
		next.orgs = edit.t
		if err := next.replacePlatform(r, b, *p); err != nil {
			return nil, err
		}
		edit = next.orgs.edit()
	}
	for i := range changed {
		s, err := b.org(next.templates, &changed[i])
		if err != nil {
			return nil, err
		}
		var old *space
		if found := r.orgs.find(s.id); found != nil {
			old = *found
		}
		settle(where, old, s)
		rename(slugs, old, s)
		edit.set(s.id, s)
	}
	next.orgs, next.homes, next.slugs = edit.t, where.t, slugs.t
	return &next, nil
}

// WithMembers changes members of one organization, or with org "" the users of the platform (Suspended is Disabled there).
// It costs the same however many members there are.
func (r *Root) WithMembers(rev int64, org string, changed []Member, removed []string) (*Root, error) {
	old := r.platform
	if org != "" {
		found := r.orgs.find(org)
		if found == nil {
			return nil, ErrUnknownOrganization
		}
		old = *found
	}
	s := *old
	s.sets, s.counts, s.masks = slices.Clone(old.sets), slices.Clone(old.counts), slices.Clone(old.masks)
	e := &spaceEditor{b: &builder{cat: r.cat}, s: &s, edit: old.members.edit()}
	for _, user := range removed {
		e.drop(user)
	}
	for _, m := range changed {
		if err := e.put(m.User, m.Suspended, m.Roles); err != nil {
			return nil, err
		}
	}
	s.members = e.edit.t
	next := *r
	next.rev = rev
	if org == "" {
		next.platform = &s
		return &next, nil
	}
	edit, where := r.orgs.edit(), r.homes.edit()
	edit.set(org, &s)
	for _, user := range removed {
		settleOne(where, user, old, &s)
	}
	for _, m := range changed {
		settleOne(where, m.User, old, &s)
	}
	next.orgs, next.homes = edit.t, where.t
	return &next, nil
}

// replacePlatform compiles the platform, and of the organizations only what depends on what changed there.
func (r *Root) replacePlatform(old *Root, b *builder, p PlatformRows) error {
	if !slices.Equal(old.cat.rows, p.Permissions) {
		cat, err := newCatalogue(p.Permissions)
		if err != nil {
			return err
		}
		b.cat = cat
	}
	if err := r.setPlatform(b, p); err != nil {
		return err
	}
	if r.cat == old.cat && reflect.DeepEqual(rowsOf(old.templates), rowsOf(r.templates)) {
		r.templates = old.templates // those that the organizations share
		return nil
	}
	sameIDs := slices.EqualFunc(old.templates, r.templates, func(a, b *role) bool { return a.row.ID == b.row.ID })
	edit := newTable[*space](old.orgs.seed, old.orgs.n)
	for id, s := range r.orgs.all() {
		next, err := b.again(*s, r.templates, sameIDs)
		if err != nil {
			return fmt.Errorf("organization %s: %w", id, err)
		}
		edit.set(id, next)
	}
	r.orgs = edit.t
	return nil
}

// again derives an organization from another catalogue or other templates. Members refer to roles by their place, so as long
// as no template came or went they are not touched.
func (b *builder) again(s *space, templates []*role, sameIDs bool) (*space, error) {
	s.remember(b.cond)
	if !sameIDs {
		rows := s.orgRows()
		return b.org(templates, &rows)
	}
	next := *s
	next.roles = slices.Clone(templates)
	keys := make(map[string]bool, len(s.roles))
	for _, t := range templates {
		keys[t.row.Key] = true
	}
	for _, old := range s.roles[s.templates:] {
		r := *old
		if r.base != nil {
			i, _ := roleIndex(templates, r.row.Base)
			r.base = templates[i]
		}
		if keys[r.row.Key] {
			return nil, fmt.Errorf("role %s: a template has the key %q now", r.row.ID, r.row.Key)
		}
		b.derive(&r)
		next.roles = append(next.roles, &r)
	}
	next.lay(b.cat)
	next.sets, next.masks = make([]roleSet, len(s.sets)), make([]uint64, len(s.sets)*next.width)
	for i, set := range s.sets {
		next.setMask(i, set.roles)
		next.sets[i] = next.newSet(set.roles)
	}
	var rows []Guard
	for _, g := range s.guards {
		rows = append(rows, g.row)
	}
	var err error
	next.guards, next.guarded, err = b.guards(rows, s.id)
	return &next, err
}

// remember lets the next revision use the conditions that are compiled already.
func (s *space) remember(c *conditions) {
	for _, r := range s.roles[s.templates:] {
		r.remember(c)
	}
	for _, g := range s.guards {
		c.known[g.cond.source] = g.cond
	}
}

func (r *role) remember(c *conditions) {
	for _, g := range r.cond {
		c.known[g.cond.source] = g.cond
	}
}

// rows gives back the row a role was compiled from; its grants may be in another order.
func (r *role) rows() Role {
	row := r.row
	row.Grants = make([]Grant, 0, len(r.own)+len(r.cond))
	for _, p := range r.own {
		row.Grants = append(row.Grants, Grant{Pattern: p.text})
	}
	for _, g := range r.cond {
		row.Grants = append(row.Grants, Grant{g.pattern.text, g.cond.source})
	}
	return row
}

func rowsOf(roles []*role) []Role {
	var rows []Role
	for _, r := range roles {
		rows = append(rows, r.rows())
	}
	return rows
}

// OrgRows gives back what an organization was compiled from, sorted by id.
func (r *Root) OrgRows(id string) (OrgRows, bool) {
	s := r.orgs.find(id)
	if s == nil {
		return OrgRows{}, false
	}
	return (*s).orgRows(), true
}

func (s *space) orgRows() OrgRows {
	rows := OrgRows{ID: s.id, Slugs: s.slugs, Suspended: s.suspended, MFA: s.mfa, Roles: rowsOf(s.roles[s.templates:]), Guards: s.guardRows()}
	for user, m := range s.members.all() {
		rows.Members = append(rows.Members, Member{user, m.suspended, s.assignments(m)})
	}
	slices.SortFunc(rows.Members, func(a, b Member) int { return cmp.Compare(a.User, b.User) })
	return rows
}

// PlatformRows gives back what the platform was compiled from, sorted by id.
func (r *Root) PlatformRows() PlatformRows {
	s := r.platform
	rows := PlatformRows{Permissions: slices.Clone(r.cat.rows), Templates: rowsOf(r.templates), Globals: rowsOf(s.roles), Guards: s.guardRows()}
	for user, m := range s.members.all() {
		rows.Users = append(rows.Users, GlobalUser{user, m.suspended, s.assignments(m)})
	}
	slices.SortFunc(rows.Users, func(a, b GlobalUser) int { return cmp.Compare(a.User, b.User) })
	return rows
}

func (s *space) guardRows() []Guard {
	var rows []Guard
	for _, g := range s.guards {
		rows = append(rows, g.row)
	}
	return rows
}

func (s *space) assignments(m *member) []Assignment {
	var list []Assignment
	for _, i := range s.sets[m.set].roles {
		list = append(list, Assignment{Role: s.roles[i].row.ID})
	}
	for _, t := range m.timed() {
		until := t.until
		list = append(list, Assignment{s.roles[t.role].row.ID, &until})
	}
	return list
}
