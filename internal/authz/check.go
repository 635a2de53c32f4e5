package authz

import "time"

// Check answers one question. A permission that was never declared is an error; everything else is a decision.
func (r *Root) Check(q Query) (Decision, error) {
	p, ok := r.cat.bit[q.Permission]
	if !ok {
		return Decision{Code: UnknownPermission, Rev: r.rev}, r.cat.unknown(q.Permission)
	}
	code := r.decide(&q, p, false)
	return Decision{code == Granted, code, r.rev}, nil
}

// place is where a question is asked: which of the things it is about were found.
type place struct {
	org    *space  // nil for a question about the platform
	user   *member // among the users with global roles
	member *member // of the organization
}

// decide is the one decision. engine says that a policy engine grants what the roles do not.
//
// q must not escape: where CEL takes over, a copy does.
func (r *Root) decide(q *Query, p int, engine bool) Code {
	at, code := r.locate(q, p)
	if code != "" {
		return code
	}
	if !r.granted(at, p, q.Now) {
		code := at.missing()
		if r.mayBe(at, p, q.Now) {
			code = r.ungranted(*q, at, p, code)
		}
		if code != Granted && (!engine || code == NotAMember || code == MemberSuspended) {
			return code
		}
	}
	if q.Ceiling != nil && !r.below(*q, p) {
		return CredentialCeiling
	}
	if r.platform.watched && r.platform.guarded.has(p) || at.org != nil && at.org.watched && at.org.guarded.has(p) {
		return r.guarded(*q, at, p)
	}
	return Granted
}

// locate finds subject and organization. A code other than "" ends the question before any grant is looked at. Without a
// permission p is -1.
func (r *Root) locate(q *Query, p int) (at place, code Code) {
	if p >= 0 && r.cat.nowhere(p, q.Org) {
		return at, WrongScope
	}
	if q.Org != "" {
		org := r.orgs.find(q.Org)
		if org == nil {
			return at, UnknownOrg
		}
		at.org = *org
	}
	h := r.orgs.hash(q.Subject)
	if at.user = r.platform.members.get(h, q.Subject); at.user != nil && at.user.suspended {
		return at, UserSuspended
	}
	if at.org != nil {
		if at.org.suspended {
			return at, OrgSuspended
		}
		at.member = at.org.members.get(h, q.Subject)
	}
	return at, ""
}

// granted reports whether a role gives the permission without a condition.
func (r *Root) granted(at place, p int, now time.Time) bool {
	if at.org == nil {
		return at.user != nil && r.platform.gives(at.user, p, now)
	}
	if m := at.member; m != nil && !m.suspended && at.org.gives(m, p, now) {
		return true
	}
	return at.user != nil && r.platform.reaches(at.user, p, now)
}

func (s *space) gives(m *member, p int, now time.Time) bool {
	if s.masks[int(m.set)*s.width+p>>6]&(1<<(p&63)) != 0 {
		return true
	}
	for _, t := range m.timed() {
		if t.alive(now) && s.roles[t.role].mask.has(p) {
			return true
		}
	}
	return false
}

// reaches is gives for a question in an organization that is asked of global roles.
func (s *space) reaches(m *member, p int, now time.Time) bool {
	if s.sets[m.set].far.has(p) {
		return true
	}
	for _, t := range m.timed() {
		if t.alive(now) && s.roles[t.role].row.Reach == ReachAllOrgs && s.roles[t.role].mask.has(p) {
			return true
		}
	}
	return false
}

// alive reports whether the role still counts. Without a time nothing that ends does.
func (t *timedRole) alive(now time.Time) bool { return !now.IsZero() && now.Before(t.until) }

// missing says what is missing when no role gives the permission.
func (at place) missing() Code {
	switch {
	case at.org == nil:
		return MissingPermission
	case at.member == nil:
		return NotAMember
	case at.member.suspended:
		return MemberSuspended
	}
	return MissingPermission
}

// ungranted looks for a conditional grant that holds.
func (r *Root) ungranted(q Query, at place, p int, missing Code) Code {
	f := r.facts(q, at)
	for role := range r.held(at, q.Now) {
		for _, g := range role.conditional(r.cat, p) {
			ok, err := g.cond.eval(f)
			switch {
			case ok:
				return Granted
			case err != nil:
				missing = ConditionError
			case missing != ConditionError:
				missing = ConditionFalse
			}
		}
	}
	return missing
}

// mayBe reports whether any role that counts gives the permission under a condition.
func (r *Root) mayBe(at place, p int, now time.Time) bool {
	if !r.platform.maybe.has(p) && (at.org == nil || !at.org.maybe.has(p)) {
		return false
	}
	for role := range r.held(at, now) {
		if role.maybe.has(p) {
			return true
		}
	}
	return false
}

// below reports whether the credential may be used for the permission at all.
func (r *Root) below(q Query, p int) bool {
	c := q.Ceiling
	if c.Org != "" && c.Org != q.Org {
		return false
	}
	if c.Patterns != nil || c.Actor == "" {
		ok := false
		for _, pattern := range c.Patterns {
			ok = ok || r.cat.matches(pattern, p)
		}
		if !ok {
			return false
		}
	}
	if c.Actor == "" || c.Actor == q.Subject {
		return true
	}
	q.Subject, q.Ceiling = c.Actor, nil
	return r.decide(&q, p, false) == Granted
}

// guarded asks every guard. What a new proof of identity would settle is a step-up; what fails any other way comes first.
func (r *Root) guarded(q Query, at place, p int) Code {
	code := Granted
	f := r.facts(q, at)
	for g := range r.guardsOf(at, p) {
		if found := g.ask(f); found != Granted && (code == Granted || code == NeedsStepUp) {
			code = found
		}
	}
	return code
}

// ask gives Granted, or why not.
func (g *guard) ask(f *facts) Code {
	ok, err := g.cond.eval(f)
	switch {
	case ok:
		return Granted
	case err != nil:
		return ConditionError
	}
	if g.cond.stepUp {
		if ok, err := g.cond.eval(f.stepped()); ok && err == nil {
			return NeedsStepUp
		}
	}
	return GuardFailed
}
