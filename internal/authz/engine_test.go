package authz_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/authz"
)

type engine func(ctx context.Context, v authz.View, q authz.Query) (authz.Verdict, error)

func (engine) Name() string { return "test" }
func (e engine) Evaluate(ctx context.Context, v authz.View, q authz.Query) (authz.Verdict, error) {
	return e(ctx, v, q)
}

func says(v authz.Verdict) engine {
	return func(context.Context, authz.View, authz.Query) (authz.Verdict, error) { return v, nil }
}

// An engine may take away, and give only when told to, and never where something else says no. When it fails the answer is no.
func TestEngine(t *testing.T) {
	w := world{
		P: authz.PlatformRows{Permissions: append(authz.SystemPermissions(), authz.Permission{Name: "jobs:post"}, authz.Permission{Name: "jobs:close"}), Templates: authz.SystemTemplates(),
			Users: []authz.GlobalUser{{User: "off", Disabled: true}}, Guards: []authz.Guard{{ID: "g", Pattern: "jobs:close", Condition: "context.ok == true"}}},
		Orgs: []authz.OrgRows{{ID: "o1", Members: []authz.Member{{User: "olga", Roles: []authz.Assignment{{Role: "owner"}}}, {User: "max"}, {User: "off"}, {User: "sus", Suspended: true}}}},
	}
	r := compile(t, w)
	failing := engine(func(context.Context, authz.View, authz.Query) (authz.Verdict, error) {
		return authz.Allow, errors.New("ill")
	})
	panicking := engine(func(context.Context, authz.View, authz.Query) (authz.Verdict, error) { panic("ill") })
	slow := engine(func(ctx context.Context, _ authz.View, _ authz.Query) (authz.Verdict, error) {
		time.Sleep(300 * time.Millisecond)
		return authz.Allow, nil
	})
	for _, c := range []struct {
		what       string
		engine     engine
		mode       authz.Mode
		who, to    string
		want       authz.Code
		engineFail bool
	}{
		{"no engine", nil, "", "olga", "jobs:post", authz.Granted, false},
		{"abstains", says(authz.Abstain), "", "olga", "jobs:post", authz.Granted, false},
		{"blocks", says(authz.Block), "", "olga", "jobs:post", authz.GuardFailed, false},
		{"is not asked about sys", says(authz.Block), "", "olga", "sys:roles:create", authz.Granted, false},
		{"a guard may not give", says(authz.Allow), "", "max", "jobs:post", authz.MissingPermission, false},
		{"gives", says(authz.Allow), authz.ModeGrant, "max", "jobs:post", authz.Granted, false},
		{"blocks when it may give", says(authz.Block), authz.ModeGrant, "olga", "jobs:post", authz.GuardFailed, false},
		{"abstains when it may give", says(authz.Abstain), authz.ModeGrant, "max", "jobs:post", authz.MissingPermission, false},
		{"gives no sys", says(authz.Allow), authz.ModeGrant, "max", "sys:roles:create", authz.MissingPermission, false},
		{"gives nothing to strangers", says(authz.Allow), authz.ModeGrant, "eve", "jobs:post", authz.NotAMember, false},
		{"gives nothing to the disabled", says(authz.Allow), authz.ModeGrant, "off", "jobs:post", authz.UserSuspended, false},
		{"gives nothing to the suspended", says(authz.Allow), authz.ModeGrant, "sus", "jobs:post", authz.MemberSuspended, false},
		{"a guard stands above it", says(authz.Allow), authz.ModeGrant, "max", "jobs:close", authz.MissingPermission, false},
		{"fails", failing, "", "olga", "jobs:post", authz.EngineError, true},
		{"fails to give", failing, authz.ModeGrant, "max", "jobs:post", authz.EngineError, true},
		{"panics", panicking, "", "olga", "jobs:post", authz.EngineError, true},
		{"says nothing", says(0), "", "olga", "jobs:post", authz.EngineError, true},
		{"says nonsense", says(9), "", "olga", "jobs:post", authz.EngineError, true},
		{"is late", slow, "", "olga", "jobs:post", authz.EngineError, true},
	} {
		p := authz.Policy{Mode: c.mode, Timeout: 50 * time.Millisecond}
		if c.engine != nil {
			p.Engine = c.engine
		}
		d, err := p.Check(context.Background(), r, authz.Query{Subject: c.who, Permission: c.to, Org: "o1", Now: epoch})
		if d.Code != c.want || d.Allowed != (d.Code == authz.Granted) || is(err, authz.ErrEngine) != c.engineFail || d.Rev != 1 {
			t.Errorf("%s: %+v, %v", c.what, d, err)
		}
	}
	if _, err := (authz.Policy{Engine: says(authz.Allow), Mode: authz.ModeGrant}).Check(context.Background(), r, authz.Query{Subject: "max", Permission: "jobs:pots", Org: "o1"}); !is(err, authz.ErrUnknownPermission) {
		t.Error(err)
	}
}
