package casbinengine

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/authz"
)

const withRoles = `[request_definition]
r = sub, dom, obj, act

[policy_definition]
p = sub, dom, obj, act, eft

[role_definition]
g = _, _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = g(r.sub, p.sub, r.dom) && (p.dom == "*" || r.dom == p.dom) && r.obj == p.obj && keyMatch(r.act, p.act)
`

func load(t *testing.T, model, policy string, c Config) (*Engine, error) {
	t.Helper()
	dir := t.TempDir()
	c.Model, c.Policy = filepath.Join(dir, "model.conf"), filepath.Join(dir, "policy.csv")
	for file, text := range map[string]string{c.Model: model, c.Policy: policy} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(c)
}

func root(t *testing.T) *authz.Root {
	t.Helper()
	role := func(key string) authz.Role {
		return authz.Role{ID: "rol_" + key, Org: "o1", Key: key, Scope: authz.ScopeOrg}
	}
	r, err := authz.Compile(1, authz.PlatformRows{
		Permissions: []authz.Permission{{Name: "jobs:post"}, {Name: "jobs:close"}, {Name: "post_job"}},
		Globals:     authz.SystemGlobals(), Users: []authz.GlobalUser{{User: "root", Roles: []authz.Assignment{{Role: authz.SuperAdmin}}}},
	}, []authz.OrgRows{{ID: "o1", Roles: []authz.Role{role("recruiter"), role("lead")}, Members: []authz.Member{
		{User: "rita", Roles: []authz.Assignment{{Role: "rol_recruiter"}}}, {User: "lea", Roles: []authz.Assignment{{Role: "rol_lead"}}}, {User: "max"}, {User: "role:recruiter"}, {User: "recruiter"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A model asks for the roles people hold now; the links of the policy lead on from them.
func TestEvaluate(t *testing.T) {
	e, err := load(t, withRoles, `# who may do what
p, role:recruiter, o1, jobs, post, allow
p, role:global:super_admin, *, jobs, *, allow
p, user:max, o1, post_job, post_job, allow
p, role:lead, o1, jobs, close, deny

g, role:lead, role:recruiter, o1
`, Config{NoMatch: authz.Abstain})
	if err != nil {
		t.Fatal(err)
	}
	r := root(t)
	ask := func(r *authz.Root, who, permission, org string) authz.Verdict {
		v, err := e.Evaluate(context.Background(), r.View(), authz.Query{Subject: who, Permission: permission, Org: org, Now: time.Now()})
		if err != nil {
			t.Errorf("%s %s: %v", who, permission, err)
		}
		return v
	}
	for _, c := range []struct {
		who, permission, org string
		want                 authz.Verdict
	}{
		{"rita", "jobs:post", "o1", authz.Allow}, {"rita", "jobs:close", "o1", authz.Abstain}, {"rita", "jobs:post", "o2", authz.Abstain},
		{"lea", "jobs:post", "o1", authz.Allow}, {"lea", "jobs:close", "o1", authz.Block}, {"root", "jobs:close", "o1", authz.Allow}, {"root", "jobs:post", "", authz.Allow},
		{"max", "post_job", "o1", authz.Allow}, {"max", "jobs:post", "o1", authz.Abstain},
		{"recruiter", "jobs:post", "o1", authz.Abstain}, {"role:recruiter", "jobs:post", "o1", authz.Abstain}, {"", "jobs:post", "o1", authz.Abstain},
	} {
		if got := ask(r, c.who, c.permission, c.org); got != c.want {
			t.Errorf("%s %s in %s: %d, want %d", c.who, c.permission, c.org, got, c.want)
		}
	}
	next, err := r.WithMembers(2, "o1", []authz.Member{{User: "rita"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ask(next, "rita", "jobs:post", "o1") != authz.Abstain || ask(r, "rita", "jobs:post", "o1") != authz.Allow {
		t.Error("a role that was taken is not of the revision that is asked")
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 50 {
				if ask(r, "rita", "jobs:post", "o1") != authz.Allow || ask(next, "rita", "jobs:post", "o1") != authz.Abstain {
					t.Error("callers disturb each other")
				}
			}
		})
	}
	group.Wait()
}

// A matcher may read what the question brings; what is not there is an error, and with it a no.
func TestAttributes(t *testing.T) {
	model := strings.NewReplacer("r = sub, dom, obj, act", "r = sub, perm, res", "p = sub, dom, obj, act, eft", "p = perm", "g = _, _, _", "g = _, _", "e = some(where (p.eft == allow)) && !some(where (p.eft == deny))", "e = some(where (p.eft == allow))").Replace(withRoles)
	model = model[:strings.Index(model, "m = ")] + "m = r.perm == p.perm && r.res.owner == r.sub\n"
	e, err := load(t, model, "p, jobs:close", Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := authz.Policy{Engine: e, Mode: authz.ModeGrant}
	for owner, want := range map[string]authz.Code{"user:max": authz.Granted, "user:rita": authz.MissingPermission, "": authz.EngineError} {
		q := authz.Query{Subject: "max", Permission: "jobs:close", Org: "o1", Resource: map[string]any{}}
		if owner != "" {
			q.Resource["owner"] = owner
		}
		if d, err := p.Check(context.Background(), root(t), q); d.Code != want {
			t.Errorf("%q: %+v, %v", owner, d, err)
		}
	}
}

// What Casbin would stumble over when asked is refused when it is loaded, with its place.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ model, policy, want string }{
		"no model":        {"", "", "model.conf"},
		"no matcher":      {withRoles[:strings.Index(withRoles, "[matchers]")], "", "matchers"},
		"matcher":         {strings.Replace(withRoles, "r.obj == p.obj", "r.obj == (p.obj", 1), "", "model.conf: line 14"},
		"function":        {strings.Replace(withRoles, "keyMatch(", "keyMach(", 1), "", "model.conf: line 14"},
		"eval":            {strings.Replace(withRoles, "r.obj == p.obj", "eval(p.obj)", 1), "", "model.conf: line 14: eval()"},
		"request":         {strings.Replace(withRoles, "r = sub, dom", "r = sub, tenant", 1), "", `model.conf: line 2: a request has no "tenant"`},
		"too few values":  {withRoles, "p, role:a, o1, jobs, post, allow\np, role:a, o1, jobs", "policy.csv: line 2: p has 5 values, this line has 3"},
		"too many values": {withRoles, "p, role:a, o1, jobs, post, allow, x", "policy.csv: line 1"},
		"effect":          {withRoles, "\n\np, role:a, o1, jobs, post, perhaps", `policy.csv: line 3: the effect is allow or deny, not "perhaps"`},
		"kind":            {withRoles, "q, role:a, o1", `policy.csv: line 1: the model has no policy "q"`},
		"kind of matcher": {withRoles, "m, x", `policy.csv: line 1: the model has no policy "m"`},
		"empty kind":      {withRoles, ", x", "policy.csv: line 1"},
		"quote":           {withRoles, `p, "role:a, o1, jobs, post, allow`, "policy.csv: line 1"},
		"link":            {withRoles, "g, role:a, role:b", "policy.csv: line 1: g has 3 values, this line has 2"},
	} {
		if _, err := load(t, c.model, c.policy, Config{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := Load(Config{Model: "/nowhere/model.conf"}); err == nil {
		t.Error("a model that is not there was loaded")
	}
}
