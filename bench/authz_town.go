package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/authz"
)

// What every engine is given, however many people there are.
const (
	orgCount   = 1000
	roleCount  = 20 // in each organization
	grantCount = 50 // of each role
	nameCount  = 200
	allGrants  = orgCount * roleCount * grantCount
)

// town is organizations with roles, and people who each hold two roles of one organization.
type town struct {
	platform authz.PlatformRows
	orgs     []authz.OrgRows
	names    []string // of the permissions that roles grant
	where    []int    // the organization of each person
	held     [][2]int // the roles of each person
	grants   [][]bool // of role after role, which permissions it grants
}

// newTown makes the same town for the same numbers. Where roles are shared, those of all organizations grant the same.
func newTown(users int, shared bool) *town {
	t := &town{platform: authz.PlatformRows{Permissions: authz.SystemPermissions(), Templates: authz.SystemTemplates(), Globals: authz.SystemGlobals()}}
	for i := range nameCount {
		t.names = append(t.names, fmt.Sprintf("area%02d:action%d", i/10, i%10))
		t.platform.Permissions = append(t.platform.Permissions, authz.Permission{Name: t.names[i]})
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range orgCount {
		o := authz.OrgRows{ID: fmt.Sprintf("org_%026d", i)}
		for j := range roleCount {
			granted := random.Perm(nameCount)[:grantCount]
			if shared {
				granted = rand.New(rand.NewPCG(3, uint64(j))).Perm(nameCount)[:grantCount]
			}
			o.Roles = append(o.Roles, t.role(o.ID, j, granted))
		}
		t.orgs = append(t.orgs, o)
	}
	for i := range users {
		at := i * orgCount / users
		first := random.IntN(roleCount)
		roles := [2]int{first, (first + 1 + random.IntN(roleCount-1)) % roleCount}
		t.where, t.held = append(t.where, at), append(t.held, roles)
		o := &t.orgs[at]
		o.Members = append(o.Members, authz.Member{User: userID(i), Roles: []authz.Assignment{{Role: o.Roles[roles[0]].ID}, {Role: o.Roles[roles[1]].ID}}})
	}
	return t
}

func userID(i int) string { return fmt.Sprintf("usr_%026d", i) }

func (t *town) role(org string, j int, granted []int) authz.Role {
	r := authz.Role{ID: roleID(org, j), Org: org, Key: roleKey(j), Scope: authz.ScopeOrg, Grants: make([]authz.Grant, 0, len(granted))}
	has := make([]bool, nameCount)
	for _, k := range granted {
		r.Grants, has[k] = append(r.Grants, authz.Grant{Pattern: t.names[k]}), true
	}
	t.grants = append(t.grants, has)
	return r
}

func roleID(org string, j int) string { return fmt.Sprintf("rol_%s_%02d", org[4:], j) }

func roleKey(j int) string { return fmt.Sprintf("role%d", j) }

// authors is the town in which everybody holds one role more, that lets them edit what they own.
func authors(users int) *town {
	t := newTown(users, false)
	t.platform.Permissions = append(t.platform.Permissions, authz.Permission{Name: ownedName})
	for i := range t.orgs {
		o := &t.orgs[i]
		author := authz.Role{ID: "rol_author_" + o.ID, Org: o.ID, Key: "author", Scope: authz.ScopeOrg,
			Grants: []authz.Grant{{Pattern: ownedName, Condition: "resource.owner == subject.id"}}}
		o.Roles = append(o.Roles, author)
		for j := range o.Members {
			o.Members[j].Roles = append(o.Members[j].Roles, authz.Assignment{Role: author.ID})
		}
	}
	return t
}

const ownedName = "notes:edit"

// question is one question, in numbers and in strings of its own, as strings of a request are: equal strings at one address
// are found without being read.
type question struct {
	u, o, p         int
	user, org, name string
	held            [2]int // the roles of the person in their own organization
	resource        map[string]any
	own             bool // it is about an organization of the person
	want            bool
}

// questions is n of them in no order, so that a large town does not stay in the caches of the CPU. One of eight is asked
// about an organization that is not the person's. The answers are found by looking at the rows.
func (t *town) questions(n int) []question {
	random := rand.New(rand.NewPCG(5, 6))
	list := make([]question, n)
	for i := range list {
		q := &list[i]
		q.u, q.p = random.IntN(len(t.where)), random.IntN(nameCount)
		if q.o = t.where[q.u]; i%8 == 7 {
			q.o = random.IntN(orgCount)
		}
		q.user, q.org, q.name = userID(q.u), strings.Clone(t.orgs[q.o].ID), strings.Clone(t.names[q.p])
		q.held, q.own = t.held[q.u], t.where[q.u] == q.o
		q.want = q.own && slices.ContainsFunc(q.held[:], func(j int) bool { return t.grants[q.o*roleCount+j][q.p] })
	}
	return list
}
