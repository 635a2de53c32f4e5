package login

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/risk"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// heed has an attempt be asked for what a verdict leads to.
func (a *Attempt) heed(v risk.Verdict) {
	a.Risk.Challenged = a.Risk.Challenged || v.Asks(risk.Challenge)
	a.Risk.StepUp = a.Risk.StepUp || v.Asks(risk.StepUp)
}

// greetAtDoor looks at where an attempt comes from, before anything is judged. Nobody on a device they are known on has to bear what others
// do, and everybody else is answered alike, whoever they named.
func (s *Service) greetAtDoor(ctx context.Context, a *Attempt) error {
	v := s.risk.Door(ctx)
	if !v.Any() {
		return nil
	}
	known, err := s.devices.Knows(ctx, userID(*a)) // asked of nobody too: it takes as long
	if err != nil {
		return err
	}
	if known {
		v = v.AtMost(risk.Notify)
	}
	a.Risk.Greeted = true
	a.heed(v)
	return s.report(ctx, v, *a)
}

// turn has an attempt ask by a method. It may have begun with one that cannot be guessed, or before anything was unusual: so who stands at the
// door is looked at again where one that can be guessed is to open it. What comes before that, if anything, is a step of its own.
func (s *Service) turn(ctx context.Context, a *Attempt, method string) (first *Step, err error) {
	a.Method = method
	if a.Risk.Greeted || len(a.Shown) > 0 || a.Nameless() {
		return nil, nil
	}
	if p := policyIn(s.methods, *a); !slices.Contains(p.First, method) || slices.Contains(p.sure, method) {
		return nil, nil
	}
	if err := s.greetAtDoor(ctx, a); err != nil {
		return nil, err
	}
	if a.Method, _, _ = next(policyIn(s.methods, *a), nil, method); a.Method == method {
		return nil, nil
	}
	step, err := s.begin(ctx, *a)
	return &step, err
}

// report tells of a verdict, and refuses what it blocks.
func (s *Service) report(ctx context.Context, v risk.Verdict, a Attempt) error {
	if !v.Any() {
		return nil
	}
	return s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(s.risk.Detected(ctx, v, userID(a), s.hash(a.Identifier)))
		if v.Outcome == risk.Block {
			return tx.Refuse(risk.ErrBlocked)
		}
		return nil
	})
}

// find is the attempt of an id. Where it goes on elsewhere than it began, somebody may have planted it.
func (s *Service) find(ctx context.Context, id string) (Attempt, error) {
	a, err := find(ctx, s.db, id, s.db.Now())
	if err != nil {
		return a, err
	}
	v := s.risk.Elsewhere(ctx, a.Risk.Began)
	a.heed(v)
	return a, s.report(ctx, v, a)
}

// unnamed reports whether an attempt is asked for a Check before anybody has shown who they are. Whose it is plays no part in that.
func (s *Service) unnamed(a Attempt) bool {
	m := s.method(a.Method)
	return m != nil && m.Uses()&Check != 0 && len(a.Shown) == 0
}

// assess looks once at whose an attempt is, after their first factor.
func (s *Service) assess(tx *database.Tx, a *Attempt, f Finish) error {
	if a.Risk.Assessed || !s.risk.AsksDevices() {
		return nil
	}
	a.Risk.Assessed = true
	st, err := s.devices.Stand(tx, a.User.ID, f.keeps())
	if err != nil {
		return err
	}
	v := s.risk.Person(tx.Context(), risk.Person{Known: st.Known, Before: st.Before, LastIP: st.LastIP, LastAt: st.LastAt})
	if !v.Any() {
		return nil
	}
	if slices.ContainsFunc(a.Shown, func(sh Shown) bool {
		return sh.Whole || s.method(sh.Method) != nil && s.method(sh.Method).Uses()&Mail != 0
	}) {
		v = v.AtMost(risk.StepUp) // a passkey, or their mail, with which they could have a device known
	}
	a.heed(v)
	a.Risk.Tell = v.Has(risk.Travel)
	tx.Emit(s.risk.Detected(tx.Context(), v, a.User.ID, s.hash(a.Identifier)))
	if v.Outcome == risk.Block {
		return tx.Refuse(risk.ErrBlocked)
	}
	return nil
}

// keeps reports whether the client keeps cookies.
func (f Finish) keeps() bool { return f.Cookies || f.Transport == session.Cookie }

// AtSignUp looks at where a sign-up comes from, before anything is made. It returns the step to be answered first, if there is one; or what
// spends the answer that was given, as part of the change that makes the account. name is what the account is to be called by.
func (s *Service) AtSignUp(ctx context.Context, name string, g Given) (spend func(tx *database.Tx) error, step *Step, err error) {
	spend = func(*database.Tx) error { return nil }
	i, err := s.users.ParseIdentifier(name)
	if err != nil {
		return spend, nil, nil // it makes no account, and says why
	}
	if g.Attempt != "" {
		a, err := s.find(ctx, g.Attempt)
		switch {
		case errors.Is(err, ErrAttempt), err == nil && (!a.Risk.SignUp || a.Identifier != i): // it has run out, or is of another
		case err != nil:
			return nil, nil, err
		default:
			spend, err = s.checked(ctx, a, g.Answer)
			return spend, nil, err
		}
	}
	v := s.risk.SignUp(ctx)
	a := Attempt{Identifier: i, ExpiresAt: s.db.Now().Add(attemptLife), Risk: Risk{SignUp: true, Challenged: true}}
	if err := s.report(ctx, v, a); err != nil {
		return nil, nil, err
	}
	a.Method, _, _ = next(policyIn(s.methods, a), nil, "")
	if !v.Asks(risk.Challenge) && !v.Asks(risk.StepUp) || a.Method == "" {
		return spend, nil, nil
	}
	first, err := s.begin(ctx, a)
	return nil, &first, err
}

// checked judges the answer to what a sign-up was asked. What it returns spends it.
func (s *Service) checked(ctx context.Context, a Attempt, in Answer) (func(tx *database.Tx) error, error) {
	if err := s.db.Write(ctx, func(tx *database.Tx) error { tx.Quiet(); return try(tx, a.ID) }); err != nil {
		return nil, err
	}
	if m := meant(s.named(policyIn(s.methods, a).Check), s.method(a.Method), in); m != nil {
		a.Method = m.Name()
	}
	m := s.method(a.Method)
	if m == nil || m.Uses()&Check == 0 {
		return nil, ErrMethod
	}
	proof, err := m.Verify(ctx, a, in)
	return func(tx *database.Tx) error {
		if err := remove(tx, a.ID); err != nil || proof.Consume == nil {
			return err
		}
		return proof.Consume(tx)
	}, err
}

// Named is the name that a sign-up is called by: the first there is of these.
func Named(u user.New) string { return cmp.Or(u.Email, u.Username, u.Phone) }
