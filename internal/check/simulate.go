package check

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/org"
)

// ErrChange is a change that cannot be tried out.
var ErrChange = apperr.New(apperr.Invalid, "change_invalid", "This change cannot be tried out: something it needs is missing, or it makes no sense.").In("changes")

// Trial is changes to try out, one after the other.
type Trial struct {
	Changes []Change   `json:"changes" maxItems:"100"`
	Checks  []Question `json:"checks,omitempty" maxItems:"100" doc:"Questions to answer before and after."`
}

// Change is one change to try out. What it needs depends on its type.
type Change struct {
	Type        string      `json:"type" enum:"member_roles,member_remove,member_suspend,role_permissions,role_create,role_delete,global_roles" doc:"member_roles: org_id, user_id, roles. member_remove: org_id, user_id. member_suspend: org_id, user_id, suspended. role_permissions: role, permissions. role_create: name, permissions, base or reach. role_delete: role. The last three are about global roles without org_id. global_roles: user_id, roles."`
	OrgID       string      `json:"org_id,omitempty" maxLength:"100" doc:"The id or the slug of an organization."`
	UserID      string      `json:"user_id,omitempty" maxLength:"100" doc:"usr_…"`
	Roles       []string    `json:"roles,omitempty" maxItems:"50" doc:"Exactly these, by id or key. Who is no member joins with them."`
	Suspended   *bool       `json:"suspended,omitempty" doc:"true when left out."`
	Role        string      `json:"role,omitempty" maxLength:"100" doc:"The id or the key of a role."`
	Name        string      `json:"name,omitempty" maxLength:"200"`
	Base        string      `json:"base,omitempty" maxLength:"100" doc:"The built-in role a role of an organization adds to."`
	Reach       authz.Reach `json:"reach,omitempty" enum:"platform,all_orgs" doc:"Where a global role counts."`
	Permissions []string    `json:"permissions,omitempty" maxItems:"1000" doc:"Exactly these patterns, each with its condition behind the word if."`
}

// Outcome is what changes would do. Nothing is changed.
type Outcome struct {
	Gains        Diff     `json:"gains"`
	Losses       Diff     `json:"losses"`
	Checks       []Before `json:"checks"`
	WithoutOwner []string `json:"without_owner" doc:"The organizations that would lose their last owner."`
	NoSuperAdmin bool     `json:"no_super_admin" doc:"Whether the last super_admin would be lost."`
	Refused      *Refusal `json:"refused" doc:"How the changes would be refused to you; null when they would be carried out."`
	Revision     string   `json:"revision"`
}

// Diff is who gains or loses what, as far as it needs no resource.
type Diff struct {
	Count int        `json:"count" doc:"Of users with organization and permission, however few are listed."`
	Items []Affected `json:"items" doc:"At most 100, of the organizations in which you hold sys:authz:explain."`
}

// Affected is what one user gains or loses in one place.
type Affected struct {
	UserID      string   `json:"user_id"`
	OrgID       *string  `json:"org_id" doc:"null on the platform."`
	Permissions []string `json:"permissions"`
}

// Before is one answer before and after.
type Before struct {
	Before Answer `json:"before"`
	After  Answer `json:"after"`
}

// Refusal is how a change would be refused.
type Refusal struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

const mostAffected = 100

// Simulate tries changes out, for who holds sys:authz:explain wherever something would change.
func (r *Round) Simulate(t Trial) (Outcome, error) {
	next, touched := r.root, []string{}
	var refused error
	for i, c := range t.Changes {
		orgID := r.org(c.OrgID)
		if err := r.others(orgID); err != nil {
			return Outcome{}, err
		}
		if !slices.Contains(touched, orgID) {
			touched = append(touched, orgID)
		}
		made, err := c.apply(next, orgID)
		switch {
		case errors.Is(err, authz.ErrRoleSystem) || errors.Is(err, authz.ErrRoleHeld) || errors.Is(err, authz.ErrRoleTaken):
			if refused == nil {
				refused = err
			}
		case err != nil:
			return Outcome{}, at(i, err)
		default:
			next = made
		}
	}
	if refused == nil {
		refused = r.s.authz.Judge(r.root, next, r.caller, touched)
	}
	if refused != nil && apperr.Of(refused).Kind == apperr.Internal {
		return Outcome{}, refused
	}
	checks, err := r.checks(next, t.Checks)
	if err != nil {
		return Outcome{}, err
	}
	sim := r.root.Compare(next, nil, r.s.now(), mostAffected)
	out := Outcome{Gains: r.diff(sim.Gains), Losses: r.diff(sim.Losses), Checks: checks, NoSuperAdmin: sim.NoSuperAdmin, Revision: r.Revision()}
	out.WithoutOwner = slices.DeleteFunc(append([]string{}, sim.WithoutOwner...), func(org string) bool { return r.others(org) != nil })
	if refused != nil {
		e := apperr.Of(refused)
		out.Refused = &Refusal{e.Code, e.Message}
	}
	return out, nil
}

// at says which of the changes a refusal is about.
func at(i int, err error) error {
	e := *apperr.Of(err)
	if e.Kind == apperr.Internal { // what was put together makes no sense as a whole
		e = *ErrChange.Because(err)
	}
	return e.In("changes." + strconv.Itoa(i))
}

func (r *Round) checks(next *authz.Root, list []Question) ([]Before, error) {
	out := make([]Before, len(list))
	for i, q := range list {
		if err := r.others(r.org(q.OrgID)); err != nil {
			return nil, err
		}
		query, err := r.query(&q)
		if err != nil {
			return nil, err
		}
		for _, side := range []struct {
			root *authz.Root
			to   *Answer
		}{{r.root, &out[i].Before}, {next, &out[i].After}} {
			d, err := r.s.authz.Check(r.ctx, side.root, query)
			if err != nil && d.Code != authz.UnknownPermission {
				return nil, err
			}
			*side.to = Answer{d.Allowed, d.Code}
		}
	}
	return out, nil
}

// diff lists what the caller may know of.
func (r *Round) diff(d authz.Diff) Diff {
	out := Diff{Count: d.Count, Items: []Affected{}}
	for _, c := range d.List {
		if r.others(c.Org) == nil {
			out.Items = append(out.Items, Affected{c.User, some(c.Org), c.Permissions})
		}
	}
	return out
}

// apply gives the Root with one change more.
func (c Change) apply(r *authz.Root, orgID string) (*authz.Root, error) {
	if _, there := r.OrgRows(orgID); orgID != "" && !there {
		return nil, authz.ErrOrg
	}
	switch c.Type {
	case "member_roles", "member_remove", "member_suspend":
		if orgID == "" || !somebody(c.UserID) {
			return nil, ErrChange
		}
		return c.member(r, orgID)
	case "global_roles":
		if orgID != "" || !somebody(c.UserID) {
			return nil, ErrChange
		}
		return c.member(r, "")
	}
	return c.role(r, orgID)
}

// member changes a member, or with orgID "" the global roles of a user.
func (c Change) member(r *authz.Root, orgID string) (*authz.Root, error) {
	m, there := r.Member(orgID, c.UserID)
	m.User = c.UserID
	if !there && (c.Type == "member_remove" || c.Type == "member_suspend") {
		return nil, org.ErrMember
	}
	gone := c.Type == "member_remove"
	switch c.Type {
	case "member_suspend":
		m.Suspended = c.Suspended == nil || *c.Suspended
	case "member_roles", "global_roles":
		var roles []authz.Assignment
		for _, ref := range c.Roles {
			role, known := r.Role(orgID, ref)
			if !known {
				return nil, org.ErrRole
			}
			a := authz.Assignment{Role: role.ID}
			if i := slices.IndexFunc(m.Roles, func(had authz.Assignment) bool { return had.Role == role.ID }); i >= 0 {
				a = m.Roles[i] // which keeps its end
			}
			if !slices.ContainsFunc(roles, func(b authz.Assignment) bool { return b.Role == a.Role }) {
				roles = append(roles, a)
			}
		}
		m.Roles = roles
		gone = orgID == "" && len(roles) == 0 && !m.Suspended // of the platform only they are listed who are more than others
	}
	changes := authz.Changes{Members: map[string][]authz.Member{orgID: {m}}}
	if gone {
		changes = authz.Changes{Gone: map[string][]string{orgID: {c.UserID}}}
	}
	return r.Apply(r.Rev(), changes)
}

// role changes a role of an organization, or with orgID "" a global one.
func (c Change) role(r *authz.Root, orgID string) (*authz.Root, error) {
	changes := authz.Changes{}
	var roles *[]authz.Role
	if orgID == "" {
		rows := r.PlatformRows()
		changes.Platform, roles = &rows, &rows.Globals
	} else {
		rows, _ := r.OrgRows(orgID)
		changes.Orgs = []authz.OrgRows{rows}
		roles = &changes.Orgs[0].Roles
	}
	var err error
	if c.Type == "role_create" {
		err = c.create(r, orgID, roles)
	} else {
		err = c.edit(r, orgID, roles)
	}
	if err != nil {
		return nil, err
	}
	return r.Apply(r.Rev(), changes)
}

func (c Change) create(r *authz.Root, orgID string, roles *[]authz.Role) error {
	key, err := authz.RoleKey(c.Name)
	if err != nil {
		return err
	}
	if _, taken := r.Role(orgID, key); taken {
		return authz.ErrRoleTaken
	}
	role := authz.Role{ID: id.New("rol"), Org: orgID, Key: key, Name: strings.TrimSpace(c.Name), Scope: authz.ScopeOrg, Base: c.Base}
	if orgID == "" {
		role.ID, role.Scope, role.Reach = key, authz.ScopeGlobal, c.Reach
		if role.Reach == "" {
			role.Reach = authz.ReachPlatform
		}
	}
	templates := authz.SystemTemplates()
	if c.Base != "" && (orgID == "" || !slices.ContainsFunc(templates, func(t authz.Role) bool { return t.ID == c.Base })) {
		return org.ErrRole
	}
	if role.Grants, err = r.ParseGrants(c.Permissions); err != nil {
		return err
	}
	*roles = append(*roles, role)
	return nil
}

func (c Change) edit(r *authz.Root, orgID string, roles *[]authz.Role) error {
	role, known := r.Role(orgID, c.Role)
	if !known {
		return authz.ErrRoleUnknown
	}
	i := slices.IndexFunc(*roles, func(had authz.Role) bool { return had.ID == role.ID })
	switch {
	case role.System || i < 0:
		return authz.ErrRoleSystem
	case c.Type == "role_delete" && r.RoleHeld(orgID, role.ID):
		return authz.ErrRoleHeld
	case c.Type == "role_delete":
		*roles = slices.Delete(*roles, i, i+1)
		return nil
	}
	grants, err := r.ParseGrants(c.Permissions)
	(*roles)[i].Grants = grants
	return err
}

// somebody reports whether an id can be of a person or a service account.
func somebody(userID string) bool { return id.Valid("usr", userID) || id.Valid("svc", userID) }
