package authz_test

import (
	"strings"
	"testing"

	"cel.dev/cel-go/common/types/ref"
	"pgregory.net/rapid"

	"github.com/admit-dev/admit/internal/authz"
)

func conditional(source string) world {
	return world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "jobs:post"}}, Templates: []authz.Role{{ID: "poster", Key: "poster", Scope: authz.ScopeOrg, Grants: []authz.Grant{{Pattern: "jobs:post", Condition: source}}}}},
		Orgs: []authz.OrgRows{{ID: "o1", Members: []authz.Member{{User: "u1", Roles: []authz.Assignment{{Role: "poster"}}}}}}}
}

type angry struct{}

func (angry) String() string { panic("angry") }

// rude is a value of CEL that panics at whatever is asked of it.
type rude struct{ ref.Val }

// Invariant 17: a condition that cannot be answered is a no that says so; it never panics and never allows.
func Test17ConditionTotality(t *testing.T) {
	self := map[string]any{}
	self["self"] = self
	huge := strings.Repeat("a", 1<<20)
	for source, contexts := range map[string][]map[string]any{
		"context.x == 1":                               {nil, {}, {"y": 1}},
		"context.x < 900":                              {{"x": rude{}}, {"x": "1"}, {"x": nil}, {"x": []int{1}}, {"x": self}, {"x": angry{}}, {"x": make(chan int)}, {"x": func() {}}},
		"context.x == true && context.y > 1":           {{"x": true}, {"x": true, "y": "z"}},
		"context.x.y.z == 1":                           {{"x": 1}, {"x": map[string]any{"y": nil}}, {"x": self}},
		"context.x / 0 == 1":                           {{"x": 1}},
		"context.x.matches('(a+)+$')":                  {{"x": huge}},
		"context.x.contains(context.x)":                {{"x": huge}},
		"context.l.all(a, context.l.all(b, a == b))":   {{"l": make([]int, 1000)}},
		"context.l[7] == 1":                            {{"l": []int{1}}},
		"timestamp(context.x) > now":                   {{"x": "soon"}},
		"now > timestamp('2020-01-01T00:00:00Z')":      {{}}, // asked without a time
		"context.x == 1 ? true : context.missing == 1": {{"x": 2}},
	} {
		w := conditional(source)
		r := compile(t, w)
		for i, context := range contexts {
			d, err := r.Check(authz.Query{Subject: "u1", Permission: "jobs:post", Org: "o1", Context: context})
			if err != nil || d.Allowed || d.Code != authz.ConditionError {
				t.Errorf("%s, context %d: %+v, %v", source, i, d, err)
			}
		}
	}
	check(t, func(t *rapid.T) {
		r := compile(t, conditional(rapid.SampledFrom(sources).Draw(t, "condition")))
		value := rapid.OneOf(rapid.Just[any](nil), rapid.Map(rapid.Int(), toAny), rapid.Map(rapid.String(), toAny), rapid.Map(rapid.Float64(), toAny), rapid.Map(rapid.SliceOf(rapid.Byte()), toAny))
		facts := rapid.MapOf(rapid.SampledFrom([]string{"owner", "mfa_age", "ok"}), value)
		_, _ = r.Check(authz.Query{Subject: "u1", Permission: "jobs:post", Org: "o1", Now: epoch, Resource: facts.Draw(t, "resource"), Context: facts.Draw(t, "context")})
	})
}

func toAny[T any](v T) any { return v }

// Numbers that came as JSON are as good as others.
func TestConditionNumbers(t *testing.T) {
	r := compile(t, conditional("context.mfa_age < 900 && context.level == 2"))
	for _, level := range []any{2, 2.0, int64(2), uint8(2)} {
		d, err := r.Check(authz.Query{Subject: "u1", Permission: "jobs:post", Org: "o1", Context: map[string]any{"mfa_age": 12.5, "level": level}})
		if err != nil || !d.Allowed {
			t.Errorf("%T: %+v, %v", level, d, err)
		}
	}
}

// A condition may ask for a role and for nothing else of the roles: otherwise a role more could take something away.
func TestConditionRoles(t *testing.T) {
	r := compile(t, world{})
	for source, ok := range map[string]bool{
		`"editor" in subject.roles`:                                    true,
		`"a" in subject.roles && ("b" in subject.roles || now > now)`:  true,
		`resource.role in subject.roles`:                               true,
		`context.x == 1 ? "a" in subject.roles : "b" in subject.roles`: true,
		`!("editor" in subject.roles)`:                                 false,
		`("editor" in subject.roles) == false`:                         false,
		`size(subject.roles) < 2`:                                      false,
		`subject.roles == ["a"]`:                                       false,
		`subject.roles[0] == "a"`:                                      false,
		`subject.roles.all(r, r == "a")`:                               false,
		`!subject.roles.exists(r, r == "a")`:                           false,
		`["a"].all(x, !(x in subject.roles))`:                          false,
		`"a" in subject.roles ? false : true`:                          false,
		`"a" in (subject.roles)`:                                       true,
		`"a" in (context.x == 1 ? subject.roles : ["a"])`:              false,
		`subject.roles in [["a"]]`:                                     false,
		`("a" in subject.roles) in [false]`:                            false,
		`.subject.roles == []`:                                         false,
		`"a" in context.list`:                                          true,
		strings.Repeat("true && ", 1000) + "true":                      false,
		strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300):   false,
		`"x".matches("` + strings.Repeat("(a?){9}", 40) + `")`:         false,
		`context.x.matches("[")`:                                       false,
	} {
		err := r.CheckCondition(source)
		if (err == nil) != ok || err != nil && !is(err, authz.ErrCondition) {
			t.Errorf("%.80s: %v", source, err)
		}
	}
}

// A guard that only wants a fresh proof of identity says so.
func TestStepUp(t *testing.T) {
	w := conditional("true")
	w.Orgs[0].Guards = []authz.Guard{{ID: "fresh", Org: "o1", Pattern: "jobs:*", Condition: "context.mfa_age < 900", Message: "Confirm first."}}
	ask := func(w world, context map[string]any) authz.Code {
		q := authz.Query{Subject: "u1", Permission: "jobs:post", Org: "o1", Context: context}
		e, err := compile(t, w).Explain(q)
		if err != nil || e.StepUp != (e.Code == authz.NeedsStepUp) || len(e.WouldAllow) > 0 {
			t.Errorf("%+v, %v", e, err)
		}
		if d, _ := compile(t, w).Check(q); d != e.Decision {
			t.Errorf("the answer is %+v, explained as %+v", d, e.Decision)
		}
		return e.Code
	}
	if got := ask(w, map[string]any{"mfa_age": 1000}); got != authz.NeedsStepUp {
		t.Error(got)
	}
	if got := ask(w, map[string]any{"mfa_age": 100}); got != authz.Granted {
		t.Error(got)
	}
	if got := ask(w, nil); got != authz.ConditionError {
		t.Error(got)
	}
	w.Orgs[0].Guards = append(w.Orgs[0].Guards, authz.Guard{ID: "never", Org: "o1", Pattern: "*", Condition: "context.mfa_age < 0 || org.id == 'o2'"})
	if got := ask(w, map[string]any{"mfa_age": 1000}); got != authz.GuardFailed {
		t.Error(got)
	}
}
