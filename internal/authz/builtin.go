package authz

import "strings"

// The keys of the built-in roles. They are their ids too.
const (
	SuperAdmin = "super_admin"

	Owner       = "owner"
	Admin       = "admin"
	PlainMember = "member"
)

// The permissions of the server that the rules of this package ask for themselves.
const (
	MembersInvite = "sys:members:invite"
	MembersUpdate = "sys:members:update"
	MembersRemove = "sys:members:remove"
	RolesCreate   = "sys:roles:create"
	RolesUpdate   = "sys:roles:update"
	RolesDelete   = "sys:roles:delete"
	RolesAssign   = "sys:roles:assign"
	UsersDisable  = "sys:users:disable"
)

// SystemPermissions is the part of the catalogue that belongs to the server. Without a scope a permission is asked both of
// an organization and of the platform: its roles, its audit log.
func SystemPermissions() []Permission {
	var list []Permission
	add := func(scope Scope, sensitive bool, lines string) {
		for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
			name, title, _ := strings.Cut(strings.TrimSpace(line), " ")
			list = append(list, Permission{Name: name, Title: title, App: "admit", Scope: scope, Sensitive: sensitive})
		}
	}
	add(ScopeOrg, false, `sys:org:update Change the organization
		sys:members:read See members
		sys:members:invite Invite members
		sys:members:update Suspend and reinstate members`)
	add(ScopeOrg, true, `sys:org:delete Delete the organization
		sys:org:transfer Hand the organization over
		sys:members:remove Remove members`)
	add("", false, `sys:roles:read See roles
		sys:permissions:read See the catalogue of permissions`)
	add("", true, `sys:roles:create Create roles
		sys:roles:update Change roles and guards
		sys:roles:delete Delete roles
		sys:roles:assign Give and take roles
		sys:audit:read Read the audit log
		sys:audit:export Export the audit log
		sys:apikeys:manage Manage the API keys of others
		sys:service-accounts:manage Manage service accounts
		sys:authz:explain See why others may do something, and try changes out`)
	add(ScopeGlobal, false, `sys:users:read See users
		sys:orgs:read See every organization
		sys:orgs:create Create organizations, where not everybody may`)
	add(ScopeGlobal, true, `sys:users:create Make accounts for others
		sys:users:update Change users
		sys:users:disable Disable, enable and unlock users
		sys:users:logout End the sessions of users
		sys:users:recover Help users who lost a way in: send reset links, take second factors away
		sys:users:delete Delete users
		sys:users:impersonate Act as another user
		sys:orgs:suspend Suspend and reinstate organizations
		sys:permissions:declare Declare permissions
		sys:clients:manage Manage OAuth clients
		sys:keys:rotate Rotate signing keys
		sys:webhooks:manage Manage webhooks, which are told of everything
		sys:server:read See the health, the settings and the keys of the server`)
	return list
}

// SystemGlobals is the global role that cannot be changed. An installation begins with others, which are rows like those it
// makes itself: manager, internal and jobseeker.
func SystemGlobals() []Role {
	return []Role{{ID: SuperAdmin, Key: SuperAdmin, Name: "Super admin", Scope: ScopeGlobal, System: true, Reach: ReachAllOrgs, Grants: grants([]string{"*", "sys:*"})}}
}

// SystemTemplates is the roles every organization has.
func SystemTemplates() []Role {
	role := func(key, name string, patterns ...string) Role {
		return Role{ID: key, Key: key, Name: name, Scope: ScopeOrg, System: true, Grants: grants(patterns)}
	}
	return []Role{
		role(Owner, "Owner", "*", "sys:*"),
		role(Admin, "Admin", "*", "sys:members:*", "sys:roles:*", "sys:org:update", "sys:audit:read", "sys:apikeys:manage", "sys:permissions:read", "sys:authz:explain"),
		role(PlainMember, "Member"),
	}
}

func grants(patterns []string) []Grant {
	list := make([]Grant, len(patterns))
	for i, p := range patterns {
		list[i] = Grant{Pattern: p}
	}
	return list
}
