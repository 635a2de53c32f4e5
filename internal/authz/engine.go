package authz

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// ErrEngine is given with a denial whose code is engine_error. It is for the log.
var ErrEngine = apperr.New(apperr.Unavailable, "engine_error", "The policy engine gave no answer, so the answer is no.")

// Verdict is what a policy engine says to one question.
type Verdict int

// The verdicts. The zero Verdict is none, and counts as an error.
const (
	Abstain Verdict = iota + 1
	Allow
	Block
)

// Engine is a rules engine beside the roles. It sees one revision, and never a token or a secret.
type Engine interface {
	Name() string
	Evaluate(ctx context.Context, v View, q Query) (Verdict, error)
}

// Mode is how much an engine may say.
type Mode string

// The modes of an engine.
const (
	ModeGuard Mode = "guard" // it may only take away
	ModeGrant Mode = "grant" // it may also give what roles do not
)

// Policy is the roles, and an engine if there is one.
type Policy struct {
	Engine  Engine
	Mode    Mode          // ModeGuard when ""
	Timeout time.Duration // 100 ms when 0
}

// Check asks the roles and the engine. An engine never overrules a suspension, a guard or a ceiling, gives nothing to who
// is no active member, and is not asked about sys: permissions: a policy that forgot them would lock everybody out. When it
// fails, the answer is no.
func (p Policy) Check(ctx context.Context, r *Root, q Query) (Decision, error) {
	d, err := r.Check(q)
	if err != nil || p.Engine == nil || r.own(q.Permission) {
		return d, err
	}
	if !d.Allowed {
		if p.Mode != ModeGrant || !r.grantable(q) {
			return d, nil
		}
	}
	verdict, err := p.ask(ctx, r, q)
	if err != nil {
		return Decision{Code: EngineError, Rev: r.rev}, ErrEngine.Because(fmt.Errorf("%s: %w", p.Engine.Name(), err))
	}
	switch {
	case verdict == Block && d.Allowed:
		return Decision{Code: GuardFailed, Rev: r.rev}, nil
	case verdict == Allow && !d.Allowed:
		return Decision{true, Granted, r.rev}, nil
	}
	return d, nil
}

// grantable reports whether nothing but a grant is missing.
func (r *Root) grantable(q Query) bool {
	return r.decide(&q, r.cat.bit[q.Permission], true) == Granted
}

// own reports whether a permission is of the server itself.
func (r *Root) own(permission string) bool {
	return strings.HasPrefix(r.cat.list[r.cat.bit[permission]].name, reserved)
}

type answer struct {
	verdict Verdict
	err     error
}

// ask waits no longer than the timeout. An engine that ignores its context is left behind; it cannot change the answer.
func (p Policy) ask(ctx context.Context, r *Root, q Query) (Verdict, error) {
	timeout := p.Timeout
	if timeout <= 0 {
		timeout = 100 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answers := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: fmt.Errorf("it panicked: %v", p)}
			}
			answers <- a
		}()
		a.verdict, a.err = p.Engine.Evaluate(ctx, r.View(), q)
		if a.err == nil && (a.verdict < Abstain || a.verdict > Block) {
			a.err = fmt.Errorf("verdict %d is none", a.verdict)
		}
	}()
	select {
	case a := <-answers:
		return a.verdict, a.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
