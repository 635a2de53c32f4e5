package rights

import (
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/org"
)

// orgView is an organization as the API shows one.
type orgView struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	Suspended bool      `json:"suspended"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	RequireMFA bool `json:"require_mfa"`
}

func orgOf(o org.Org) orgView {
	return orgView{o.ID, o.Slug, o.Name, o.SuspendedAt != nil, o.CreatedAt, o.UpdatedAt, o.RequireMFA}
}

// heldView is a role somebody holds as the API shows one.
type heldView struct {
	ID        string     `json:"id"`
	Key       string     `json:"key"`
	Name      string     `json:"name"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// memberView is a member as the API shows one.
type memberView struct {
	ID        string     `json:"id"`
	UserID    string     `json:"user_id"`
	Email     *string    `json:"email"`
	Username  *string    `json:"username"`
	Name      string     `json:"name"`
	Suspended bool       `json:"suspended"`
	Roles     []heldView `json:"roles"`
	CreatedAt time.Time  `json:"created_at"`
}

func memberOf(m org.Member) memberView {
	roles := cli.Mapped(m.Roles, func(h org.Held) heldView { return heldView(h) })
	return memberView{m.ID, m.User.ID, cli.OrNull(m.User.Email), cli.OrNull(m.User.Username), m.User.Name, m.SuspendedAt != nil, roles, m.CreatedAt}
}

// invitationView is an invitation as the API shows one.
type invitationView struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Roles     []string  `json:"roles"`
	InvitedBy *string   `json:"invited_by"`
	CreatedAt time.Time `json:"created_at"`
	SentAt    time.Time `json:"sent_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func invitationOf(i org.Invitation) invitationView {
	return invitationView{i.ID, i.Email, append([]string{}, i.Roles...), cli.OrNull(i.InvitedBy), i.CreatedAt, i.SentAt, i.ExpiresAt}
}

// orgRoleView is a role of an organization as the API shows one.
type orgRoleView struct {
	ID          string    `json:"id"`
	Key         string    `json:"key"`
	Name        string    `json:"name"`
	Base        *string   `json:"base"`
	System      bool      `json:"system"`
	Permissions []string  `json:"permissions"`
	Members     int64     `json:"members"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

func orgRoleOf(r org.Role) orgRoleView {
	return orgRoleView{r.ID, r.Key, r.Name, cli.OrNull(r.Base), r.System, cli.Mapped(r.Grants, authz.Grant.String), r.Members, r.CreatedAt, r.UpdatedAt}
}

// roleView is a global role as the API shows one.
type roleView struct {
	Key         string    `json:"key"`
	Name        string    `json:"name"`
	Reach       string    `json:"reach"`
	System      bool      `json:"system"`
	Permissions []string  `json:"permissions"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

func roleOf(r authz.GlobalRole) roleView {
	return roleView{r.Key, r.Name, string(r.Reach), r.System, cli.Mapped(r.Grants, authz.Grant.String), r.CreatedAt, r.UpdatedAt}
}

// permissionView is an entry of the catalogue as the API shows one.
type permissionView struct {
	Name        string  `json:"name"`
	Title       string  `json:"title"`
	Description string  `json:"description"`
	App         string  `json:"app"`
	Scope       *string `json:"scope"`
	Sensitive   bool    `json:"sensitive"`
	Deprecated  bool    `json:"deprecated"`
	AliasOf     *string `json:"alias_of"`
}

func permissionOf(p authz.Permission) permissionView {
	return permissionView{p.Name, p.Title, p.Description, p.App, cli.OrNull(string(p.Scope)), p.Sensitive, p.Deprecated, cli.OrNull(p.AliasOf)}
}

// guardView is a guard as the API shows one.
type guardView struct {
	ID        string `json:"id"`
	Pattern   string `json:"pattern"`
	Condition string `json:"condition"`
	Message   string `json:"message"`
}

func guardOf(g authz.Guard) guardView { return guardView{g.ID, g.Pattern, g.Condition, g.Message} }
