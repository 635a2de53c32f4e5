// Package casbinengine lets a Casbin model and policy decide beside the roles. Casbin's own caches and watchers are not used:
// roles come from the revision that is asked, and nothing is remembered between questions.
package casbinengine

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	casbin "github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
	"github.com/casbin/govaluate"

	"github.com/admit-dev/admit/internal/authz"
)

// Engine is a loaded model and policy.
//
// What a model may name in its request definition: sub (user:ID), dom or org (the organization, "" for the platform), perm (the
// permission), obj and act (the permission without its last part, and that part; one of a single part is both), res and
// ctx (what the question brings). g(r.sub, p.sub) and g(r.sub, p.sub, r.dom) know the roles of the subject as
// role:KEY, global ones as role:global:KEY, and follow the g lines of the policy from there.
type Engine struct {
	model    string
	rules    []rule
	tokens   []string // of the request
	noMatch  authz.Verdict
	deciders sync.Pool
}

// Config is where the model and the policy are.
type Config struct {
	Model   string // files
	Policy  string
	NoMatch authz.Verdict // what it means that Casbin does not allow: Block unless set to Abstain
}

// Load reads model and policy, and refuses what Casbin would only stumble over when asked.
func Load(c Config) (*Engine, error) {
	text, err := os.ReadFile(c.Model)
	if err != nil {
		return nil, err
	}
	policy, err := os.ReadFile(c.Policy)
	if err != nil {
		return nil, err
	}
	e, err := parse(string(text), c.Model)
	if err != nil {
		return nil, err
	}
	if e.noMatch = c.NoMatch; e.noMatch == 0 {
		e.noMatch = authz.Block
	}
	m, _ := model.NewModelFromString(e.model)
	if e.rules, err = readRules(m, string(policy), c.Policy); err != nil {
		return nil, err
	}
	d, err := e.newDecider()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Policy, err)
	}
	e.deciders.Put(d)
	return e, nil
}

func parse(text, file string) (*Engine, error) {
	m, err := model.NewModelFromString(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	e := &Engine{model: text}
	for _, token := range m["r"]["r"].Tokens {
		name := strings.TrimPrefix(token, "r_")
		if !slices.Contains([]string{"sub", "dom", "org", "perm", "obj", "act", "res", "ctx"}, name) {
			return nil, fmt.Errorf("%s: line %d: a request has no %q: use sub, dom, org, perm, obj, act, res, ctx", file, lineOf(text, "r"), name)
		}
		e.tokens = append(e.tokens, name)
	}
	known := model.LoadFunctionMap()
	functions := known.GetFunctions()
	for name := range m["g"] {
		functions[name] = func(...any) (any, error) { return false, nil }
	}
	for name, a := range m["m"] {
		if strings.Contains(a.Value, "eval(") {
			return nil, fmt.Errorf("%s: line %d: eval() is not supported: a policy must be readable before it is asked", file, lineOf(text, name))
		}
		if _, err := govaluate.NewEvaluableExpressionWithFunctions(a.Value, functions); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", file, lineOf(text, name), err)
		}
	}
	return e, nil
}

// lineOf finds where a model defines a key.
func lineOf(text, key string) int {
	for i, line := range strings.Split(text, "\n") {
		if name, _, ok := strings.Cut(line, "="); ok && strings.TrimSpace(name) == key {
			return i + 1
		}
	}
	return 1
}

// decider is an enforcer for one question at a time: Casbin does not tell a function which question it is asked for.
type decider struct {
	enforcer *casbin.Enforcer
	roles    map[string]*roles // by the name of the function
}

func (e *Engine) newDecider() (*decider, error) {
	m, err := model.NewModelFromString(e.model)
	if err != nil {
		return nil, err
	}
	enforcer, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, err
	}
	d := &decider{enforcer, map[string]*roles{}}
	for name := range m["g"] {
		d.roles[name] = &roles{own: name == "g"}
		m["g"][name].RM = nil // or Casbin would put its own function in the place of ours
		enforcer.AddFunction(name, d.roles[name].call)
	}
	for _, r := range e.rules {
		if r.kind[:1] == "g" {
			err = d.roles[r.kind].add(r.fields)
		} else {
			err = m.AddPolicy("p", r.kind, r.fields)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", r.line, err)
		}
	}
	return d, nil
}

// Name is casbin.
func (e *Engine) Name() string { return "casbin" }

// Evaluate asks Casbin.
func (e *Engine) Evaluate(_ context.Context, v authz.View, q authz.Query) (authz.Verdict, error) {
	d, _ := e.deciders.Get().(*decider)
	if d == nil {
		var err error
		if d, err = e.newDecider(); err != nil {
			return 0, err
		}
	}
	defer e.deciders.Put(d)
	for _, r := range d.roles {
		r.ask(v, q)
	}
	ok, rule, err := d.enforcer.EnforceEx(e.request(q)...)
	switch {
	case err != nil:
		return 0, err
	case ok:
		return authz.Allow, nil
	case len(rule) > 0: // a rule denies
		return authz.Block, nil
	}
	return e.noMatch, nil
}

func (e *Engine) request(q authz.Query) []any {
	object, action := q.Permission, q.Permission
	if i := strings.LastIndexByte(q.Permission, ':'); i >= 0 {
		object, action = q.Permission[:i], q.Permission[i+1:]
	}
	values := make([]any, len(e.tokens))
	for i, token := range e.tokens {
		switch token {
		case "sub":
			values[i] = user(q.Subject)
		case "dom", "org":
			values[i] = q.Org
		case "perm":
			values[i] = q.Permission
		case "obj":
			values[i] = object
		case "act":
			values[i] = action
		case "res":
			values[i] = q.Resource
		case "ctx":
			values[i] = q.Context
		}
	}
	return values
}

func user(id string) string  { return "user:" + id }
func role(key string) string { return "role:" + key }
