// Package authz answers what a subject may do, in which organization, now, and why. It is a pure function of rows: a Root is
// everything that holds at one revision, compiled, and never changes.
package authz

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals of this package.
var (
	ErrPermission          = apperr.New(apperr.Invalid, "permission_invalid", "A permission has one to three parts joined with a colon, such as jobs:post. Each begins with a letter and has at most 48 characters: a to z, digits, _ and -.").In("permission")
	ErrPattern             = apperr.New(apperr.Invalid, "pattern_invalid", "A pattern is a permission such as jobs:post, or one that ends in a star: jobs:*, billing:invoices:*, *.").In("permissions")
	ErrUnknownPermission   = apperr.New(apperr.Invalid, "unknown_permission", "This permission was never declared.").In("permission")
	ErrCondition           = apperr.New(apperr.Invalid, "condition_invalid", "This condition cannot be used.").In("condition")
	ErrRoleName            = apperr.New(apperr.Invalid, "role_name_invalid", "A role name has 1 to 48 letters, digits, spaces, _ and -, and begins with a letter.").In("name")
	ErrRoleReserved        = apperr.New(apperr.Invalid, "role_name_reserved", "This name belongs to a role that is built in. Choose another.").In("name")
	ErrCursor              = apperr.New(apperr.Invalid, "cursor_stale", "This cursor is of another revision, or none of ours. Begin the list again.").In("cursor")
	ErrCannotGrantMore     = apperr.New(apperr.Forbidden, "cannot_grant_more", "You can only give what you hold yourself.")
	ErrCannotManageHigher  = apperr.New(apperr.Forbidden, "cannot_manage_higher", "This person holds something that you do not. Ask somebody who holds at least as much.")
	ErrPermissionRequired  = apperr.New(apperr.Forbidden, "missing_permission", "You need another permission for this.")
	ErrRoleUnknown         = apperr.New(apperr.NotFound, "role_not_found", "There is no such role here.")
	ErrWrongScope          = apperr.New(apperr.Invalid, "wrong_scope", "This permission is not asked there.").In("org_id")
	ErrRoleTaken           = apperr.New(apperr.Conflict, "role_taken", "There is a role of that name already.").In("name")
	ErrRoleStale           = apperr.New(apperr.Stale, "role_changed", "The role was changed since you read it. Read it again, then decide.")
	ErrRoleHeld            = apperr.New(apperr.Conflict, "role_held", "Somebody holds this role, or is invited with it. Take it from them first.")
	ErrRoleSystem          = apperr.New(apperr.Conflict, "role_system", "This role is built in and cannot be changed. Make a role of your own.")
	ErrUnknownOrganization = apperr.New(apperr.NotFound, "unknown_org", "There is no such organization.")
)

// Code says why a decision is what it is. The list is closed.
type Code string

// The codes of decisions.
const (
	Granted             Code = "granted"
	MissingPermission   Code = "missing_permission"
	NotAMember          Code = "not_a_member"
	MemberSuspended     Code = "member_suspended"
	OrgSuspended        Code = "org_suspended"
	UserSuspended       Code = "user_suspended"
	UnknownPermission   Code = "unknown_permission"
	UnknownOrg          Code = "unknown_org"
	WrongScope          Code = "wrong_scope"
	GuardFailed         Code = "guard_failed"
	ConditionFalse      Code = "condition_false"
	ConditionError      Code = "condition_error"
	CredentialCeiling   Code = "credential_ceiling"
	NeedsStepUp         Code = "needs_step_up"
	Stale               Code = "stale"
	RevisionUnavailable Code = "revision_unavailable"
	EngineError         Code = "engine_error"
)

// Query is one question. Org is "" for a question about the platform.
type Query struct {
	Subject    string
	Permission string
	Org        string
	Resource   map[string]any // what conditions read as resource
	Context    map[string]any // what conditions read as context
	Now        time.Time      // the zero time ends every role that has an end
	Ceiling    *Ceiling       // nil when the credential has none
}

// Ceiling is the most that a credential may do, whatever its owner holds.
type Ceiling struct {
	Patterns []Pattern // nil when only Actor limits
	Org      string    // the one organization it may be used in; "" is everywhere
	Actor    string    // who acts in the subject's name; they must be allowed the same
}

// Decision is the answer, at one revision.
type Decision struct {
	Allowed bool
	Code    Code
	Rev     int64
}
