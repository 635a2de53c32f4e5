package authz

import "time"

// Scope is where a role is given, or where a permission may be asked.
type Scope string

// The scopes. A permission without one may be asked with and without an organization.
const (
	ScopeGlobal Scope = "global"
	ScopeOrg    Scope = "org"

	ScopeEngine Scope = "engine" // of a Path that a policy engine gave
)

// Reach is where a global role counts.
type Reach string

// The reaches. A role of the platform counts only where no organization is named.
const (
	ReachPlatform Reach = "platform"
	ReachAllOrgs  Reach = "all_orgs"
)

// Permission is an entry of the catalogue. An alias is another name for the permission it names, and no permission itself.
type Permission struct {
	Name        string
	Title       string
	Description string
	App         string
	Scope       Scope
	Sensitive   bool
	Deprecated  bool
	AliasOf     string
}

// Grant is a pattern that a role gives, and under which condition (CEL, "" when always).
type Grant struct {
	Pattern   string
	Condition string
}

// Role is a named list of grants. A custom role may add to one template, its Base.
type Role struct {
	ID     string
	Org    string // "" for templates and global roles
	Key    string // unique in its scope; what conditions see
	Name   string
	Scope  Scope
	System bool
	Reach  Reach // of global roles
	Grants []Grant
	Base   string // the id of a template
}

// Guard is a condition that must hold wherever its pattern is asked, in one organization or, without Org, everywhere.
type Guard struct {
	ID        string
	Org       string
	Pattern   string
	Condition string
	Message   string
}

// Assignment gives a role, for a time or for good.
type Assignment struct {
	Role      string
	ExpiresAt *time.Time
}

// Member is a person in an organization.
type Member struct {
	User      string
	Suspended bool
	Roles     []Assignment
}

// GlobalUser is a person who is disabled or holds global roles. Others need not be listed.
type GlobalUser struct {
	User     string
	Disabled bool
	Roles    []Assignment
}

// OrgRows is all there is to say of one organization.
type OrgRows struct {
	ID        string
	Slugs     []string // what it is and was called, sorted
	Suspended bool
	MFA       bool // its members need a second factor
	Roles     []Role
	Guards    []Guard
	Members   []Member
}

// PlatformRows is what all organizations share.
type PlatformRows struct {
	Permissions []Permission
	Templates   []Role
	Globals     []Role
	Guards      []Guard
	Users       []GlobalUser
}
