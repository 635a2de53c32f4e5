// Package org is organizations: who belongs to them, who was invited, and the roles they make for themselves. Who may change
// what is not decided here: every change is an authz.Write, which judges it by its effects.
package org

import (
	"strconv"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/user"
)

// The refusals of this package. ErrNotFound is also said of an organization that the asker may not know of.
var (
	ErrNotFound       = authz.ErrOrg
	ErrMember         = apperr.New(apperr.NotFound, "member_not_found", "There is no such member.")
	ErrIsMember       = apperr.New(apperr.Conflict, "member_exists", "This person is a member already.").In("email")
	ErrSlug           = apperr.New(apperr.Invalid, "slug_invalid", "A slug has 2 to 48 characters: letters a to z, digits, and - between them.").In("slug")
	ErrSlugTaken      = apperr.New(apperr.Conflict, "slug_taken", "This slug is taken, or was another organization's. Choose another.").In("slug")
	ErrName           = apperr.New(apperr.Invalid, "org_name_invalid", "A name has 1 to 200 characters and no control characters.").In("name")
	ErrTooMany        = apperr.New(apperr.Conflict, "orgs_owned", "You own as many organizations as one person can make here.")
	ErrRole           = apperr.New(apperr.Invalid, "role_unknown", "There is no such role in this organization.").In("roles")
	ErrPrecondition   = apperr.New(apperr.Stale, "if_match_missing", "Send If-Match with the ETag of the role you read, so that nobody's change is lost.")
	ErrGuard          = apperr.New(apperr.NotFound, "guard_not_found", "There is no such guard.")
	ErrInvitation     = apperr.New(apperr.NotFound, "invitation_not_found", "This invitation is not there any more: it was accepted, revoked, replaced by a newer mail, or has run out. Ask for a new one.")
	ErrInvitationUser = apperr.New(apperr.Forbidden, "invitation_other_address", "This invitation is for another address than yours. Sign in with the address it was sent to.")
	ErrInvited        = apperr.New(apperr.Conflict, "invitation_exists", "This address is invited already. Send the invitation again instead.").In("email")
	ErrTooManyInvited = apperr.New(apperr.TooMany, "invitations_pending", "Too many invitations of this organization are waiting. Revoke some, or wait until they are answered.")
	ErrInviterLost    = apperr.New(apperr.Forbidden, "invitation_outgrown", "Whoever invited you may not give these roles any more. Ask for a new invitation.")
	ErrOwnerExpires   = apperr.New(apperr.Invalid, "owner_expires", "The owner role has no end: an organization could be left without an owner.").In("expires_at")
	ErrMFA            = apperr.New(apperr.Forbidden, "mfa_missing", "You did not show a second factor in this session, so that you would lock yourself out. Set one up, or prove again with yours that it is you, then repeat this.").In("require_mfa")
	ErrExpired        = apperr.New(apperr.Invalid, "expires_in_past", "This time is over already.").In("expires_at")
)

// Org is an organization.
type Org struct {
	ID          string
	Slug        string
	Name        string
	SuspendedAt *time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time
	RequireMFA  bool // its members need a second factor
}

// Role is a role of one organization.
type Role struct {
	ID        string // of a built-in role its key
	OrgID     string
	Key       string
	Name      string
	Base      string // the built-in role it adds to, if any
	System    bool
	Version   int64 // moves with every change
	Grants    []authz.Grant
	Members   int64 // who hold it
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ETag names the version of a role (RFC 9110, section 8.8.3).
func (r Role) ETag() string { return `"` + r.ID + "." + strconv.FormatInt(r.Version, 10) + `"` }

// Held is a role somebody holds.
type Held struct {
	ID        string
	Key       string
	Name      string
	ExpiresAt *time.Time // nil: until it is taken
}

// Member is a person in an organization.
type Member struct {
	ID          string // mem_…
	OrgID       string
	User        user.User
	Roles       []Held
	SuspendedAt *time.Time
	CreatedAt   time.Time
}

// Invitation is somebody who was asked to join.
type Invitation struct {
	ID        string
	OrgID     string
	Email     string
	InvitedBy string   // "" for the operator
	Roles     []string // ids
	CreatedAt time.Time
	SentAt    time.Time
	ExpiresAt time.Time

	generation int64
}

type (
	// Created is told of a new organization.
	Created struct {
		OrgID string `json:"org_id"`
		Slug  string `json:"slug"`
	}
	// Updated is told of an organization with another name or slug.
	Updated struct {
		OrgID      string `json:"org_id"`
		Name       string `json:"name"`
		Slug       string `json:"slug"`
		FormerName string `json:"former_name"`
		FormerSlug string `json:"former_slug"`
	}
	// Suspended is told of an organization in which nobody may do anything for the time being, or may again.
	Suspended struct {
		OrgID     string `json:"org_id"`
		Suspended bool   `json:"suspended"`
	}
	// MFARequired is told of an organization whose members need a second factor from now on, or no longer.
	MFARequired struct {
		OrgID    string `json:"org_id"`
		Required bool   `json:"required"`
	}
	// Deleted is told of an organization that is gone.
	Deleted struct {
		OrgID string `json:"org_id"`
	}
	// MemberAdded is told of a person who joined.
	MemberAdded struct {
		OrgID  string   `json:"org_id"`
		UserID string   `json:"user_id"`
		Roles  []string `json:"roles"`
	}
	// MemberRemoved is told of a person who left or was removed.
	MemberRemoved struct {
		OrgID  string   `json:"org_id"`
		UserID string   `json:"user_id"`
		Roles  []string `json:"roles"`
	}
	// MemberRolesChanged is told of a member with other roles.
	MemberRolesChanged struct {
		OrgID  string   `json:"org_id"`
		UserID string   `json:"user_id"`
		Before []string `json:"before"`
		After  []string `json:"after"`
	}
	// MemberSuspended is told of a member whose rights rest, or hold again.
	MemberSuspended struct {
		OrgID     string `json:"org_id"`
		UserID    string `json:"user_id"`
		Suspended bool   `json:"suspended"`
	}
	// RoleCreated is told of a new role.
	RoleCreated struct {
		OrgID       string   `json:"org_id"`
		RoleID      string   `json:"role_id"`
		Key         string   `json:"key"`
		Permissions []string `json:"permissions"`
	}
	// RoleUpdated is told of a role that grants other permissions or has another name.
	RoleUpdated struct {
		OrgID  string   `json:"org_id"`
		RoleID string   `json:"role_id"`
		Key    string   `json:"key"`
		Before []string `json:"before"`
		After  []string `json:"after"`
	}
	// RoleDeleted is told of a role that is gone.
	RoleDeleted struct {
		OrgID  string `json:"org_id"`
		RoleID string `json:"role_id"`
		Key    string `json:"key"`
	}
	// GuardAdded is told of a new condition on what may be done in an organization.
	GuardAdded struct {
		OrgID     string `json:"org_id"`
		GuardID   string `json:"guard_id"`
		Pattern   string `json:"pattern"`
		Condition string `json:"condition"`
	}
	// GuardRemoved is told of a condition that is lifted.
	GuardRemoved struct {
		OrgID   string `json:"org_id"`
		GuardID string `json:"guard_id"`
		Pattern string `json:"pattern"`
	}
	// Invited is told of an invitation, the first time and each time it is sent again. Delivery makes the link from it.
	Invited struct {
		OrgID        string   `json:"org_id"`
		InvitationID string   `json:"invitation_id"`
		Roles        []string `json:"roles"`
		Generation   int64    `json:"generation"`
	}
	// InvitationRevoked is told of an invitation that was taken back.
	InvitationRevoked struct {
		OrgID        string `json:"org_id"`
		InvitationID string `json:"invitation_id"`
	}
	// InvitationAccepted is told of an invitation that made a member.
	InvitationAccepted struct {
		OrgID        string `json:"org_id"`
		InvitationID string `json:"invitation_id"`
		UserID       string `json:"user_id"`
	}
)

func (Created) Kind() string            { return "org.created" }
func (Updated) Kind() string            { return "org.updated" }
func (Suspended) Kind() string          { return "org.suspended" }
func (MFARequired) Kind() string        { return "org.mfa_required" }
func (Deleted) Kind() string            { return "org.deleted" }
func (MemberAdded) Kind() string        { return "member.added" }
func (MemberRemoved) Kind() string      { return "member.removed" }
func (MemberRolesChanged) Kind() string { return "member.roles_changed" }
func (MemberSuspended) Kind() string    { return "member.suspended" }
func (RoleCreated) Kind() string        { return "org_role.created" }
func (RoleUpdated) Kind() string        { return "org_role.updated" }
func (RoleDeleted) Kind() string        { return "org_role.deleted" }
func (GuardAdded) Kind() string         { return "org_guard.added" }
func (GuardRemoved) Kind() string       { return "org_guard.removed" }
func (Invited) Kind() string            { return "invitation.sent" }
func (InvitationRevoked) Kind() string  { return "invitation.revoked" }
func (InvitationAccepted) Kind() string { return "invitation.accepted" }

func (e Created) Subject() string            { return e.OrgID }
func (e Updated) Subject() string            { return e.OrgID }
func (e Suspended) Subject() string          { return e.OrgID }
func (e MFARequired) Subject() string        { return e.OrgID }
func (e Deleted) Subject() string            { return e.OrgID }
func (e MemberAdded) Subject() string        { return e.UserID }
func (e MemberRemoved) Subject() string      { return e.UserID }
func (e MemberRolesChanged) Subject() string { return e.UserID }
func (e MemberSuspended) Subject() string    { return e.UserID }
func (e RoleCreated) Subject() string        { return e.RoleID }
func (e RoleUpdated) Subject() string        { return e.RoleID }
func (e RoleDeleted) Subject() string        { return e.RoleID }
func (e GuardAdded) Subject() string         { return e.GuardID }
func (e GuardRemoved) Subject() string       { return e.GuardID }
func (e Invited) Subject() string            { return e.InvitationID }
func (e InvitationRevoked) Subject() string  { return e.InvitationID }
func (e InvitationAccepted) Subject() string { return e.UserID }

// Place is the organization that the member is of: many may be made in one change.
func (e MemberAdded) Place() string { return e.OrgID }

// Place is the organization that the member is of.
func (e MemberSuspended) Place() string { return e.OrgID }
