package authz

import "slices"

// homes is the organizations of each user, kept beside the members so that a person's are found without looking at all.
type homes = table[*[]string]

// OrgsOf is the organizations a user is a member of, suspended or not, sorted by id. It must not be changed.
func (r *Root) OrgsOf(user string) []string {
	if list := r.homes.find(user); list != nil {
		return **list
	}
	return nil
}

// RequiresMFA reports whether a user belongs to an organization whose members need a second factor, suspended or not.
func (r *Root) RequiresMFA(user string) bool {
	return slices.ContainsFunc(r.OrgsOf(user), func(id string) bool {
		s := r.orgs.find(id)
		return s != nil && (*s).mfa
	})
}

// settle notes who came to an organization and who left it; old or next is nil where there is none.
func settle(e *editor[*[]string], old, next *space) {
	none := table[member]{seed: e.t.seed}
	was, is := &none, &none
	if old != nil {
		was = &old.members
	}
	if next != nil {
		is = &next.members
	}
	for user := range differing(was, is) {
		settleOne(e, user, old, next)
	}
}

func settleOne(e *editor[*[]string], user string, old, next *space) {
	before, after := old != nil && old.members.find(user) != nil, next != nil && next.members.find(user) != nil
	switch {
	case before && !after:
		leave(e, user, old.id)
	case after && !before:
		enter(e, user, next)
	}
}

func enter(e *editor[*[]string], user string, s *space) {
	list := e.t.find(user)
	if list == nil {
		e.set(user, s.alone) // almost everybody belongs to one
		return
	}
	if i, there := slices.BinarySearch(**list, s.id); !there {
		more := slices.Insert(slices.Clone(**list), i, s.id)
		e.set(user, &more)
	}
}

func leave(e *editor[*[]string], user, org string) {
	list := e.t.find(user)
	if list == nil {
		return
	}
	i, there := slices.BinarySearch(**list, org)
	switch {
	case there && len(**list) == 1:
		e.del(user)
	case there:
		fewer := slices.Delete(slices.Clone(**list), i, i+1)
		e.set(user, &fewer)
	}
}

// OrgID is the id of an organization that is named by its id or by a slug it has or had; a name nobody has is given back.
func (r *Root) OrgID(ref string) string {
	if id := r.slugs.find(ref); id != nil {
		return *id
	}
	return ref
}

// Knows reports whether there is an organization with this id.
func (r *Root) Knows(org string) bool { return r.orgs.find(org) != nil }

// rename notes what an organization is called; old or next is nil where there is none.
func rename(e *editor[string], old, next *space) {
	if old != nil {
		for _, slug := range old.slugs {
			if id := e.t.find(slug); id != nil && *id == old.id {
				e.del(slug)
			}
		}
	}
	if next != nil {
		for _, slug := range next.slugs {
			e.set(slug, next.id)
		}
	}
}
