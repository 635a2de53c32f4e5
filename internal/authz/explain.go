package authz

import (
	"slices"
	"strings"
	"time"
)

// Explanation is a decision with its reasons. Everything in it is of the platform or of the organization that was asked about.
type Explanation struct {
	Decision
	Subject    string
	Permission string // as it is declared, also when an alias was asked
	Org        string
	GrantedBy  []Path       // every way the permission is given; each alone would do
	Unmet      []Path       // conditional grants that do not hold, with Code
	BlockedBy  []Blocked    // everything that takes it away again
	Held       []Held       // the roles that count
	WouldAllow []Suggestion // the fewest rights first; each alone would turn the answer, given what else is the same
	StepUp     bool         // proving oneself again would turn the answer
	AcrossOrgs bool         // a global role was used in an organization the subject is no active member of
	Nearest    string       // for a permission that was never declared: what was probably meant
}

// Path is one grant that covers the permission.
type Path struct {
	Scope     Scope
	Role, Key string
	Via       string // the id of the template that holds the grant for the role
	Pattern   string
	Condition string
	ExpiresAt *time.Time
	Code      Code // Granted, ConditionFalse or ConditionError
}

// Blocked is one thing that stands against the permission.
type Blocked struct {
	Code      Code
	Engine    string // the name, for a policy engine
	Guard     string // the id, for a guard
	Org       string // whose guard; "" when it is of the platform
	Pattern   string
	Condition string
	Message   string
}

// Held is a role that counts for the question.
type Held struct {
	Scope     Scope
	Role, Key string
	Matched   bool // it gives the permission, perhaps under a condition
}

// Suggestion is a role that would allow what was denied. To someone who is no member it means to join with it.
type Suggestion struct {
	Scope     Scope
	Role, Key string
	Pattern   string // of the role, that covers the permission
}

// Explain answers as Check does, and says why.
func (r *Root) Explain(q Query) (Explanation, error) {
	e := Explanation{Decision: Decision{Code: UnknownPermission, Rev: r.rev}, Subject: q.Subject, Permission: q.Permission, Org: q.Org}
	p, ok := r.cat.bit[q.Permission]
	if !ok {
		e.Nearest = nearest(q.Permission, r.cat.names)
		return e, r.cat.unknown(q.Permission)
	}
	e.Permission = r.cat.list[p].name
	at, code := r.locate(&q, p)
	if code != "" {
		e.Code = code
		if code == UserSuspended || code == OrgSuspended {
			e.BlockedBy = []Blocked{{Code: code, Org: q.Org}}
		}
		return e, nil
	}
	a := asking{q: q, at: at}
	r.paths(&e, &a, p)
	r.blocks(&e, &a, p)
	e.Code = e.decide(at)
	e.Allowed = e.Code == Granted
	e.StepUp = e.Code == NeedsStepUp
	if len(e.GrantedBy) == 0 && len(e.BlockedBy) == 0 && q.Subject != "" {
		r.suggest(&e, &a, p)
	}
	return e, nil
}

// asking is a question with what was found; conditions are told of it only if there are any.
type asking struct {
	q  Query
	at place
	f  *facts
}

func (a *asking) facts(r *Root) *facts {
	if a.f == nil {
		a.f = r.facts(a.q, a.at)
	}
	return a.f
}

// paths lists the roles that count, and every grant of theirs that covers the permission.
func (r *Root) paths(e *Explanation, a *asking, p int) {
	at := a.at
	for role, h := range r.held(at, a.q.Now) {
		scope, in := ScopeOrg, at.org
		if h.global {
			scope, in = ScopeGlobal, r.platform
		}
		matched := in.covers(int(h.place), p)
		if e.Held == nil {
			e.Held = make([]Held, 0, r.room(at))
		}
		e.Held = append(e.Held, Held{scope, role.row.ID, role.row.Key, matched})
		if !matched {
			continue
		}
		path := Path{Scope: scope, Role: role.row.ID, Key: role.row.Key, ExpiresAt: h.until, Code: Granted}
		for part, pattern := range role.unconditional(r.cat, p) {
			path.Pattern, path.Via = pattern.text, part.via(role)
			e.GrantedBy = append(e.GrantedBy, path)
			e.AcrossOrgs = e.AcrossOrgs || h.global && at.org != nil && (at.member == nil || at.member.suspended)
		}
		for part, g := range role.conditional(r.cat, p) {
			path.Pattern, path.Via, path.Condition = g.pattern.text, part.via(role), g.cond.source
			switch ok, err := g.cond.eval(a.facts(r)); {
			case ok:
				path.Code = Granted
				e.GrantedBy = append(e.GrantedBy, path)
				e.AcrossOrgs = e.AcrossOrgs || h.global && at.org != nil && (at.member == nil || at.member.suspended)
				continue
			case err != nil:
				path.Code = ConditionError
			default:
				path.Code = ConditionFalse
			}
			e.Unmet = append(e.Unmet, path)
		}
	}
}

func (r *role) via(holder *role) string {
	if r == holder {
		return ""
	}
	return r.row.ID
}

// blocks lists what stands against the permission, granted or not.
func (r *Root) blocks(e *Explanation, a *asking, p int) {
	if at := a.at; len(e.GrantedBy) == 0 && at.member != nil && at.member.suspended {
		e.BlockedBy = append(e.BlockedBy, Blocked{Code: MemberSuspended, Org: at.org.id})
	}
	if a.q.Ceiling != nil && !r.below(a.q, p) {
		e.BlockedBy = append(e.BlockedBy, Blocked{Code: CredentialCeiling})
	}
	for g := range r.guardsOf(a.at, p) {
		if code := g.ask(a.facts(r)); code != Granted {
			e.BlockedBy = append(e.BlockedBy, Blocked{Code: code, Guard: g.row.ID, Org: g.row.Org, Pattern: g.pattern.text, Condition: g.row.Condition, Message: g.row.Message})
		}
	}
}

// decide repeats the order of Root.decide over what was listed.
func (e *Explanation) decide(at place) Code {
	if len(e.GrantedBy) == 0 {
		code := at.missing()
		for _, path := range e.Unmet {
			if code != ConditionError {
				code = path.Code
			}
		}
		return code
	}
	code := Granted
	for _, b := range e.BlockedBy {
		if b.Code == CredentialCeiling {
			return CredentialCeiling
		}
		if code == Granted || code == NeedsStepUp && b.Code != NeedsStepUp {
			code = b.Code
		}
	}
	return code
}

// suggest finds the roles that would allow it.
func (r *Root) suggest(e *Explanation, a *asking, p int) {
	if a.at.org != nil {
		r.suggestFrom(e, a, p, a.at.org, ScopeOrg)
	}
	r.suggestFrom(e, a, p, r.platform, ScopeGlobal)
}

func (r *Root) suggestFrom(e *Explanation, a *asking, p int, s *space, scope Scope) {
	n := 0
	for i := range s.roles {
		if s.covers(i, p) {
			n++
		}
	}
	if n == 0 {
		return
	}
	for _, i := range s.order {
		if !s.covers(int(i), p) {
			continue
		}
		role := s.roles[i]
		if scope == ScopeGlobal && a.at.org != nil && role.row.Reach != ReachAllOrgs {
			continue
		}
		if pattern, ok := r.wouldGive(a, role, p, scope == ScopeGlobal); ok {
			if e.WouldAllow == nil {
				e.WouldAllow = make([]Suggestion, 0, n+1)
			}
			e.WouldAllow = append(e.WouldAllow, Suggestion{scope, role.row.ID, role.row.Key, pattern.text})
		}
	}
}

// covers reports whether a role gives the permission, perhaps under a condition.
func (s *space) covers(i, p int) bool {
	return s.roleMasks[i*s.width+p>>6]&(1<<(p&63)) != 0 || s.maybe.has(p) && s.roles[i].maybe.has(p)
}

// wouldGive finds the grant by which the role would allow it, were it held.
func (r *Root) wouldGive(a *asking, role *role, p int, global bool) (Pattern, bool) {
	if role.mask.has(p) {
		return role.first(r.cat, p), true
	}
	for _, g := range role.conditional(r.cat, p) {
		f := a.facts(r)
		with := facts{f.q, append(slices.Clone(f.roles), role.name(global))}
		if ok, err := g.cond.eval(&with); ok && err == nil {
			return g.pattern, true
		}
	}
	return Pattern{}, false
}

// ForUser is what may be told to the person themself: it names nobody's roles.
func (e *Explanation) ForUser() string {
	switch e.Code {
	case Granted:
		return "You may do this."
	case NeedsStepUp:
		return "Confirm that it is you, then try again."
	case UserSuspended:
		return "Your account is disabled."
	case UnknownPermission:
		return "This permission does not exist."
	case CredentialCeiling:
		return "The key or token you use may not do this."
	case GuardFailed, ConditionFalse, ConditionError:
		for _, b := range e.BlockedBy {
			if b.Message != "" {
				return b.Message
			}
		}
		return "You may not do this here and now."
	}
	return "You need the permission " + e.Permission + "."
}

// ForAdmin is what may be told to those who may read the audit log.
func (e *Explanation) ForAdmin() string {
	var s strings.Builder
	s.WriteString(string(e.Code))
	for _, g := range e.GrantedBy {
		s.WriteString("; granted by " + g.Key + " with " + g.Pattern)
	}
	for _, b := range e.BlockedBy {
		s.WriteString("; blocked by " + string(b.Code) + " " + b.Guard + b.Engine)
	}
	if len(e.GrantedBy) == 0 {
		s.WriteString("; roles held: [")
		for i, h := range e.Held {
			if i > 0 {
				s.WriteString(" ")
			}
			s.WriteString(h.Key)
		}
		s.WriteString("], none grants " + e.Permission)
	}
	return s.String()
}
