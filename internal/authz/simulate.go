package authz

import (
	"cmp"
	"slices"
	"time"
)

// Changes are rows to try out: whole organizations, the whole platform, or members one by one. In Members the key is the
// organization, "" for the platform.
type Changes struct {
	Platform *PlatformRows
	Orgs     []OrgRows
	Removed  []string
	Members  map[string][]Member
	Gone     map[string][]string // members that leave
}

// Simulation is what changes would do.
type Simulation struct {
	Rev           int64
	Before, After []Decision // of the checks
	Gains, Losses Diff
	WithoutOwner  []string // organizations that would lose their last owner
	NoSuperAdmin  bool     // the last super_admin would be lost
	Next          *Root    // as it would be; for AuthorizeChange and further questions
}

// Diff is who gains, or loses, what. Count is exact however few are listed.
type Diff struct {
	Count int // of users with organization and permission
	List  []Change
}

// Change is what one user gains or loses in one organization, or on the platform.
type Change struct {
	User, Org   string
	Permissions []string
}

// Apply gives the Root with the changes in it. Nothing else sees it.
func (r *Root) Apply(rev int64, c Changes) (*Root, error) {
	next, err := r.With(rev, c.Platform, c.Orgs, c.Removed)
	if err != nil {
		return nil, err
	}
	orgs := map[string]bool{}
	for org := range c.Members {
		orgs[org] = true
	}
	for org := range c.Gone {
		orgs[org] = true
	}
	for org := range orgs {
		if next, err = next.WithMembers(rev, org, c.Members[org], c.Gone[org]); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// Simulate says what the changes would do, at now: the answers of the checks before and after, and who gains and loses what as
// far as it needs no resource. At most limit entries are listed of each.
func (r *Root) Simulate(c Changes, checks []Query, now time.Time, limit int) (Simulation, error) {
	next, err := r.Apply(r.rev, c)
	if err != nil {
		return Simulation{}, err
	}
	return r.Compare(next, checks, now, limit), nil
}

// Compare is Simulate for changes that are applied already.
func (r *Root) Compare(next *Root, checks []Query, now time.Time, limit int) Simulation {
	s := Simulation{Rev: r.rev, Next: next, NoSuperAdmin: r.HasSuperAdmin() && !next.HasSuperAdmin()}
	for _, q := range checks {
		was, _ := r.Check(q) // what is unknown says so in its code
		is, _ := next.Check(q)
		s.Before, s.After = append(s.Before, was), append(s.After, is)
	}
	d := differ{before: r, after: next, now: now, limit: limit, s: &s}
	d.platform()
	for _, id := range d.orgs() {
		d.org(id)
		if r.HasOwner(id) && !next.HasOwner(id) && next.orgs.find(id) != nil {
			s.WithoutOwner = append(s.WithoutOwner, id)
		}
	}
	return s
}

func orgIDs(roots ...*Root) []string {
	var ids []string
	for _, r := range roots {
		for id := range r.orgs.all() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// differ compares two Roots by their decisions, leaving out what cannot differ.
type differ struct {
	before, after *Root
	now           time.Time
	limit         int
	s             *Simulation
	moved         bool     // the platform is another one
	guards        bool     // and it has other guards
	known, far    []string // its users; those of them whose roles count in organizations
}

func (d *differ) platform() {
	was, is := d.before.platform, d.after.platform
	if d.moved = was != is; !d.moved {
		return
	}
	d.guards = !slices.Equal(was.guardRows(), is.guardRows())
	d.known = users(was, is)
	for _, user := range d.known {
		if a, b := was.members.find(user), is.members.find(user); a != nil && was.anyFar(a) || b != nil && is.anyFar(b) {
			d.far = append(d.far, user)
		}
	}
	d.users("", d.known)
}

// orgs is the organizations in which anything can differ, sorted.
func (d *differ) orgs() []string {
	if d.moved {
		return orgIDs(d.before, d.after)
	}
	var ids []string
	for id, s := range d.before.orgs.all() {
		if next := d.after.orgs.find(id); next == nil || *next != *s {
			ids = append(ids, id)
		}
	}
	for id := range d.after.orgs.all() {
		if d.before.orgs.find(id) == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (d *differ) org(id string) {
	was, is := (*space)(nil), (*space)(nil)
	if found := d.before.orgs.find(id); found != nil {
		was = *found
	}
	if found := d.after.orgs.find(id); found != nil {
		is = *found
	}
	if d.far == nil && !d.moved {
		for user, m := range d.before.platform.members.all() {
			if d.before.platform.anyFar(m) {
				d.far = append(d.far, user)
			}
		}
	}
	list := slices.Clone(d.far)
	same := !d.guards && was != nil && is != nil && d.before.cat == d.after.cat && sameRules(was, is)
	if same { // then only they can differ whose own roles did, here or on the platform
		for user := range differing(&was.members, &is.members) {
			if !sameIn(was, is, user) {
				list = append(list, user)
			}
		}
		for _, user := range d.known {
			if is.members.find(user) != nil {
				list = append(list, user)
			}
		}
	} else {
		list = append(list, users(was, is)...)
	}
	slices.Sort(list)
	d.users(id, slices.Compact(list))
}

// sameRules reports whether members with the same roles may do the same in both.
func sameRules(a, b *space) bool {
	return a == b || a.suspended == b.suspended && slices.Equal(a.guardRows(), b.guardRows()) && slices.EqualFunc(a.roles, b.roles, func(x, y *role) bool {
		return sameRole(x, y) && slices.Equal(x.mask, y.mask) && slices.Equal(x.maybe, y.maybe)
	})
}

func sameIn(a, b *space, user string) bool {
	x, y := a.members.find(user), b.members.find(user)
	return x != nil && y != nil && sameMember(a, b, x, y)
}

func (d *differ) users(org string, list []string) {
	names := d.before.cat.list
	if d.before.cat != d.after.cat {
		names = slices.Concat(names, d.after.cat.list)
		slices.SortFunc(names, func(a, b declared) int { return cmp.Compare(a.name, b.name) })
		names = slices.CompactFunc(names, func(a, b declared) bool { return a.name == b.name })
	}
	for _, user := range list {
		var gains, losses []string
		q := Query{Subject: user, Org: org, Now: d.now}
		for _, p := range names {
			q.Permission = p.name
			was, is := d.before.allows(q), d.after.allows(q)
			if is && !was {
				gains = append(gains, p.name)
			} else if was && !is {
				losses = append(losses, p.name)
			}
		}
		d.s.Gains.add(Change{user, org, gains}, d.limit)
		d.s.Losses.add(Change{user, org, losses}, d.limit)
	}
}

func (r *Root) allows(q Query) bool {
	p, ok := r.cat.bit[q.Permission]
	return ok && r.decide(&q, p, false) == Granted
}

func (d *Diff) add(c Change, limit int) {
	d.Count += len(c.Permissions)
	if len(c.Permissions) > 0 && len(d.List) < limit {
		d.List = append(d.List, c)
	}
}

// users is the members of both, sorted. Either may be nil.
func users(spaces ...*space) []string {
	var list []string
	for _, s := range spaces {
		if s == nil {
			continue
		}
		for user := range s.members.all() {
			list = append(list, user)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
