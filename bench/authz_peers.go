package main

import (
	"fmt"
	"strings"

	casbin "github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
	"github.com/cedar-policy/cedar-go"
)

// casbinModel is RBAC with domains. The comparisons that are cheap come first, which is kinder than the order of Casbin's own
// examples.
const casbinModel = `
[request_definition]
r = sub, dom, perm
[policy_definition]
p = sub, dom, perm
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.perm == p.perm && r.dom == p.dom && g(r.sub, p.sub, r.dom)
`

// casbinShared is the kindest case: no organization has roles of its own.
var casbinShared = strings.NewReplacer("p = sub, dom, perm", "p = sub, perm", "r.dom == p.dom && ", "").Replace(casbinModel)

// casbinOf tells Casbin a town. Where roles are shared, those of the first organization are everybody's.
func casbinOf(t *town, shared bool) (*casbin.CachedEnforcer, error) {
	text, orgs := casbinModel, t.orgs
	if shared {
		text, orgs = casbinShared, t.orgs[:1]
	}
	m, err := model.NewModelFromString(text)
	if err != nil {
		return nil, err
	}
	e, err := casbin.NewCachedEnforcer(m)
	if err != nil {
		return nil, err
	}
	for _, o := range orgs {
		var rules [][]string
		for _, r := range o.Roles {
			for _, g := range r.Grants {
				if shared {
					rules = append(rules, []string{r.Key, g.Pattern})
				} else {
					rules = append(rules, []string{r.Key, o.ID, g.Pattern})
				}
			}
		}
		if _, err := e.AddPolicies(rules); err != nil {
			return nil, err
		}
	}
	var links [][]string
	for u, o := range t.where {
		for _, j := range t.held[u] {
			links = append(links, []string{userID(u), roleKey(j), t.orgs[o].ID})
		}
	}
	if len(links) > 0 {
		_, err = e.AddGroupingPolicies(links)
	}
	return e, err
}

// casbinEngine asks Casbin, without and with its cache of decisions.
func casbinEngine(name string, shared bool) func(t *town) (engine, error) {
	return func(t *town) (engine, error) {
		e, err := casbinOf(t, shared)
		if err != nil {
			return engine{}, err
		}
		var judge func(a *arena, f finding) []check
		if shared {
			judge = casbinTargets
		}
		links := func(q *question) [][]string {
			return [][]string{{q.user, roleKey(q.held[0]), q.org}, {q.user, roleKey(q.held[1]), q.org}}
		}
		return engine{
			asked: []asker{{name: name + ", Enforcer", judge: judge, ask: func(q *question) bool {
				ok, err := e.Enforcer.Enforce(q.user, q.org, q.name)
				return err == nil && ok
			}}, {name: name + ", CachedEnforcer", warm: true, ask: func(q *question) bool {
				ok, err := e.Enforce(q.user, q.org, q.name)
				return err == nil && ok
			}}},
			revoke: func(q *question) error { _, err := e.RemoveGroupingPolicies(links(q)); return err },
			give:   func(q *question) error { _, err := e.AddGroupingPolicies(links(q)); return err },
		}, nil
	}
}

const (
	cedarUser = cedar.EntityType("User")
	cedarRole = cedar.EntityType("Role")
	cedarOrg  = cedar.EntityType("Org")
	cedarAct  = cedar.EntityType("Action")
)

func cedarID(kind cedar.EntityType, id string) cedar.EntityUID {
	return cedar.NewEntityUID(kind, cedar.String(id))
}

// cedarTags is the kindest case: one policy, and what each role grants as data beside the organization.
func cedarTags(t *town) (engine, error) {
	policies, err := cedar.NewPolicySetFromBytes("policy", []byte(
		`permit(principal, action, resource) when { resource.hasTag(context.name) && principal in resource.getTag(context.name) };`))
	if err != nil {
		return engine{}, err
	}
	entities := cedar.EntityMap{}
	for i, o := range t.orgs {
		tags := cedar.RecordMap{}
		for p, name := range t.names {
			var roles []cedar.Value
			for j := range o.Roles {
				if t.grants[i*roleCount+j][p] {
					roles = append(roles, cedarID(cedarRole, o.Roles[j].ID))
				}
			}
			tags[cedar.String(name)] = cedar.NewSet(roles...)
		}
		id := cedarID(cedarOrg, o.ID)
		entities[id] = cedar.Entity{UID: id, Tags: cedar.NewRecord(tags)}
	}
	t.cedarUsers(entities)
	var contexts []cedar.Record
	for _, name := range t.names {
		contexts = append(contexts, cedar.NewRecord(cedar.RecordMap{"name": cedar.String(name)}))
	}
	action := cedarID(cedarAct, "use")
	return cedarEngine("cedar-go, one policy, roles in tags", policies, entities, func(q *question) cedar.Request {
		return cedar.Request{Principal: cedarID(cedarUser, q.user), Action: action, Resource: cedarID(cedarOrg, q.org), Context: contexts[q.p]}
	}), nil
}

// cedarPolicies is a policy for each role, as they would be written.
func cedarPolicies(t *town) (engine, error) {
	policies := cedar.NewPolicySet()
	for _, o := range t.orgs {
		var text strings.Builder
		for _, r := range o.Roles {
			var actions []string
			for _, g := range r.Grants {
				actions = append(actions, fmt.Sprintf(`Action::"%s"`, g.Pattern))
			}
			fmt.Fprintf(&text, "permit(principal in Role::%q, action in [%s], resource == Org::%q);\n", r.ID, strings.Join(actions, ", "), o.ID)
		}
		list, err := cedar.NewPolicyListFromBytes(o.ID, []byte(text.String()))
		if err != nil {
			return engine{}, err
		}
		for j, p := range list {
			policies.Add(cedar.PolicyID(o.Roles[j].ID), p)
		}
	}
	entities := cedar.EntityMap{}
	t.cedarUsers(entities)
	return cedarEngine("cedar-go, a policy for each role", policies, entities, func(q *question) cedar.Request {
		return cedar.Request{Principal: cedarID(cedarUser, q.user), Action: cedarID(cedarAct, q.name), Resource: cedarID(cedarOrg, q.org)}
	}), nil
}

// cedarUsers adds the people. Their roles are of one organization, so the roles need not say of which.
func (t *town) cedarUsers(entities cedar.EntityMap) {
	for u, o := range t.where {
		id := cedarID(cedarUser, userID(u))
		entities[id] = cedar.Entity{UID: id, Parents: cedarRoles(t.orgs[o].ID, t.held[u])}
	}
}

func cedarRoles(org string, held [2]int) cedar.EntityUIDSet {
	return cedar.NewEntityUIDSet(cedarID(cedarRole, roleID(org, held[0])), cedarID(cedarRole, roleID(org, held[1])))
}

func cedarEngine(name string, policies cedar.PolicyIterator, entities cedar.EntityMap, request func(q *question) cedar.Request) engine {
	change := func(q *question, parents cedar.EntityUIDSet) error {
		id := cedarID(cedarUser, q.user)
		entities[id] = cedar.Entity{UID: id, Parents: parents}
		return nil
	}
	return engine{
		asked: []asker{{name: name, ask: func(q *question) bool {
			decision, _ := cedar.Authorize(policies, entities, request(q))
			return decision == cedar.Allow
		}}},
		revoke: func(q *question) error { return change(q, cedar.NewEntityUIDSet()) },
		give:   func(q *question) error { return change(q, cedarRoles(q.org, q.held)) },
	}
}
