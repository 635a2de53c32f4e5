package authz

import (
	"context"
	"slices"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals of somebody who asks for more than they may.
var (
	ErrOrg             = apperr.New(apperr.NotFound, "org_not_found", "There is no such organization, or you do not belong to it.")
	ErrNotAMember      = apperr.New(apperr.Forbidden, "not_a_member", "You do not belong to this organization, if there is one.")
	ErrOrgSuspended    = apperr.New(apperr.Forbidden, "org_suspended", "This organization is suspended. Ask the people who run this site.")
	ErrMemberSuspended = apperr.New(apperr.Forbidden, "member_suspended", "Your membership in this organization is suspended. Ask one of its administrators.")
	ErrConditional     = apperr.New(apperr.Forbidden, "condition_false", "You have the permission this needs only under a condition that does not hold now.")
	ErrGuard           = apperr.New(apperr.Forbidden, "guard_failed", "A rule of this organization or site stands against this at the moment.")
	ErrCeiling         = apperr.New(apperr.Forbidden, "credential_ceiling", "The key or session you use may not be used for this, whatever you hold yourself.")
	ErrStepUp          = apperr.New(apperr.Forbidden, "reauthentication_required", "Prove again that it is you, then repeat this.")
	ErrActing          = apperr.New(apperr.Forbidden, "acting_as_another", "You act in the name of somebody else, and this is theirs alone to do. Stop acting as them, then do it as yourself or let them do it.")
	ErrMFA             = apperr.New(apperr.Forbidden, "mfa_required", "A second factor is required of you. Set one up, or prove again with yours that it is you, then repeat this.")
)

// Caller is who asks for something or changes it. The zero Caller is nobody.
type Caller struct {
	User    string
	Ceiling *Ceiling       // of the credential they use; nil for a person who is signed in
	Context map[string]any // what conditions and guards may read of the request

	system bool
}

// System is the operator at the machine itself: the command line and the first start. Nothing is asked of it.
var System = Caller{system: true}

// MFA reports whether the caller showed a second factor in the session they use. Nothing is asked of the operator.
func (c Caller) MFA() bool {
	amr, _ := c.Context["amr"].([]string)
	return c.system || slices.Contains(amr, "mfa")
}

// Within reports whether the credential that is used may be used in an organization at all.
func (c Caller) Within(org string) bool {
	return c.Ceiling == nil || c.Ceiling.Org == "" || c.Ceiling.Org == org
}

// Self reports whether a user is who asks, and asks as a person: a key of theirs is no more than what it is for, also about themselves.
func (c Caller) Self(user string) bool {
	return c.User == user && (c.Ceiling == nil || c.Ceiling.Patterns == nil)
}

func (c Caller) query(permission, org string) Query {
	return Query{Subject: c.User, Permission: permission, Org: org, Context: c.Context, Ceiling: c.Ceiling}
}

// Refusal says what a denial means to who was denied, and names what is missing. Who may not know of the organization is told only
// that they do not belong to it, or where hide is set that there is none.
func (r *Root) Refusal(q Query, code Code, hide bool) error {
	if q.Org != "" && code != WrongScope && r.see(Caller{User: q.Subject, Ceiling: q.Ceiling, Context: q.Context}, q.Org, q.Now) != nil {
		code = NotAMember
	}
	named := func(e *apperr.Error, before, after string) error {
		return e.Say(before + r.named(q.Permission) + after)
	}
	switch code {
	case NotAMember, UnknownOrg:
		if hide {
			return ErrOrg
		}
		return named(ErrNotAMember, "You need the permission ", " in this organization, and you do not belong to it.")
	case MemberSuspended:
		return ErrMemberSuspended
	case OrgSuspended:
		return ErrOrgSuspended
	case NeedsStepUp:
		return ErrStepUp
	case CredentialCeiling:
		return named(ErrCeiling, "The key or session you use may not be used for ", ".")
	case ConditionFalse, ConditionError:
		return named(ErrConditional, "You have the permission ", " only under a condition that does not hold now.")
	case GuardFailed:
		return ErrGuard
	case EngineError:
		return ErrEngine
	case WrongScope:
		if q.Org == "" {
			return ErrWrongScope.Say("The permission " + q.Permission + " is asked of an organization. Say which.").In("org_id")
		}
		return ErrWrongScope.Say("The permission " + q.Permission + " is asked of the whole platform, not of an organization.").In("org_id")
	}
	if q.Org != "" {
		return named(ErrPermissionRequired, "You need the permission ", " in this organization.")
	}
	return named(ErrPermissionRequired, "You need the permission ", " for this.")
}

// named is a permission as people are told of it.
func (r *Root) named(permission string) string {
	if p, ok := r.Permission(permission); ok && p.Title != "" {
		return p.Name + " (" + p.Title + ")"
	}
	return permission
}

// Permission is an entry of the catalogue.
func (r *Root) Permission(name string) (Permission, bool) {
	for _, p := range r.cat.rows {
		if p.Name == name {
			return p, true
		}
	}
	return Permission{}, false
}

// Above refuses a caller who does not hold all that a user holds on the platform: nobody ends the sessions of, disables or
// becomes somebody above them. A key is nothing to change the account of its own person with.
func (s *Service) Above(r *Root, c Caller, user string) error {
	if c.system || c.Self(user) {
		return nil
	}
	if c.User == user {
		return ErrCeiling
	}
	a := Actor{User: c.User, Now: s.db.Now(), Ceiling: c.Ceiling}
	judged := change{before: r, actor: a, held: r.Held(a), far: r.heldFar(a), old: r.platform}
	if m := r.platform.members.find(user); m != nil {
		return judged.canManage(user, m)
	}
	return nil
}

// AboveEverywhere is Above of all that a user holds on the platform and in every organization they belong to.
func (s *Service) AboveEverywhere(r *Root, c Caller, user string) error {
	if err := s.Above(r, c, user); err != nil || c.system || c.User == user {
		return err
	}
	for _, org := range r.OrgsOf(user) {
		place, err := r.space(org)
		if err != nil {
			return err
		}
		m := place.members.find(user)
		if m == nil {
			continue
		}
		a := Actor{User: c.User, Org: org, Now: s.db.Now(), Ceiling: c.Ceiling}
		judged := change{before: r, actor: a, held: r.Held(a), far: r.heldFar(a), old: place}
		if err := judged.canManage(user, m); err != nil {
			return err
		}
	}
	return nil
}

// KnownGlobal refuses a global role that is not there, and says which was probably meant.
func (r *Root) KnownGlobal(key string) error {
	var keys []string
	for _, role := range r.platform.roles {
		if role.row.Key == key {
			return nil
		}
		keys = append(keys, role.row.Key)
	}
	if n := nearest(key, keys); n != "" {
		return ErrRoleUnknown.Say("There is no such role. Did you mean " + n + "?")
	}
	return ErrRoleUnknown
}

// See refuses a caller who may not know of an organization: neither a member, suspended or not, nor one who may see all.
func (s *Service) See(ctx context.Context, c Caller, org string) error {
	root, err := s.Root(ctx)
	if err != nil {
		return err
	}
	return root.see(c, org, s.db.Now())
}

// See is Service.See in a change.
func (tx *Tx) See(org string) error { return tx.Root.see(tx.caller, org, tx.Now) }

func (r *Root) see(c Caller, org string, now time.Time) error {
	if c.system {
		return nil
	}
	if !c.Within(org) {
		return ErrOrg
	}
	if found := r.orgs.find(org); found != nil && (*found).members.find(c.User) != nil {
		return nil
	}
	q := c.query("sys:orgs:read", "")
	q.Now = now
	if d, err := r.Check(q); err != nil || !d.Allowed {
		return ErrOrg
	}
	return nil
}

// Owns reports whether a user is an owner of an organization.
func (r *Root) Owns(org, user string) bool {
	s, err := r.space(org)
	if err != nil {
		return false
	}
	m, i, ok := s.members.find(user), uint32(0), false
	if i, ok = s.role(Owner); !ok || m == nil {
		return false
	}
	return m.in(s, i)
}

// Owners is the users who own an organization, sorted.
func (r *Root) Owners(org string) (list []string) {
	rows, _ := r.OrgRows(org)
	for _, m := range rows.Members {
		if r.Owns(org, m.User) {
			list = append(list, m.User)
		}
	}
	return list
}

// GlobalRoleKeys is the keys of the global roles a user holds now, in no order; none for who is disabled.
func (r *Root) GlobalRoleKeys(user string, now time.Time) []string {
	at, code := r.locate(&Query{Subject: user}, -1)
	if code != "" {
		return nil
	}
	var keys []string
	for role := range r.held(at, now) {
		keys = append(keys, role.row.Key)
	}
	return keys
}

// RoleKeys is the keys of the roles a member holds in an organization now, sorted; none for who is no active member.
func (r *Root) RoleKeys(org, user string, now time.Time) []string {
	at, code := r.locate(&Query{Subject: user, Org: org}, -1)
	if code != "" || at.member == nil || at.member.suspended {
		return nil
	}
	keys := []string{}
	for role, h := range r.held(at, now) {
		if !h.global {
			keys = append(keys, role.row.Key)
		}
	}
	slices.Sort(keys)
	return keys
}
