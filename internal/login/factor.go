package login

import (
	"context"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/knowndevice"
	"github.com/admit-dev/admit/internal/mfa"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// Enrol has a second factor be asked of a person from now on, in the change that keeps its secret. Every other session of theirs
// ends: it began without it. With the first factor come replacements for it, which are shown this once. Of one that is kept beside
// the others its method has told the person.
func (s *Service) Enrol(tx *database.Tx, userID, sessionID, method string) (spares []string, err error) {
	u, err := user.ByID(tx.Context(), tx, userID)
	if err != nil {
		return nil, err
	}
	beside := slices.Contains(u.Beside, method)
	if !beside {
		if err := user.AddFactor(tx, userID, method); err != nil {
			return nil, err
		}
	}
	if err := Forget(tx, userID); err != nil {
		return nil, err
	}
	if sessionID != "" {
		if err := session.Raise(tx, userID, sessionID); err != nil {
			return nil, err
		}
	}
	if _, err := session.RevokeAll(tx, userID, sessionID, session.FactorAdded); err != nil {
		return nil, err
	}
	if !beside {
		if err := s.tell(tx, u, notice.FactorAdded, method); err != nil {
			return nil, err
		}
	}
	if len(u.Factors) > 0 {
		return nil, nil
	}
	for _, r := range s.replacements() {
		more, err := r.Issue(tx, userID)
		if err != nil {
			return nil, err
		}
		spares = append(spares, more...)
	}
	return spares, nil
}

// Unenrol has a second factor be asked no more, in the change that forgets its secret. With the last one go the replacements.
func (s *Service) Unenrol(tx *database.Tx, userID, method string) error {
	if err := user.RemoveFactor(tx, userID, method); err != nil {
		return err
	}
	if err := Forget(tx, userID); err != nil {
		return err
	}
	u, err := user.ByID(tx.Context(), tx, userID)
	if err != nil {
		return err
	}
	if err := s.tell(tx, u, notice.FactorRemoved, method); err != nil {
		return err
	}
	return s.Left(tx, u)
}

// Left holds, after a person has taken a second factor away, that one is left where one is required. With the last go the
// replacements.
func (s *Service) Left(tx *database.Tx, u user.User) error {
	if !u.Enrolled() {
		concerned, err := s.mfa.ConcernsIn(tx, &u)
		if err == nil && concerned {
			err = mfa.ErrLast
		}
		if err != nil {
			return err
		}
	}
	return s.dropSpares(tx, u)
}

// dropSpares takes what stands in for second factors from somebody who has none.
func (s *Service) dropSpares(tx *database.Tx, u user.User) error {
	if u.Enrolled() {
		return nil
	}
	for _, r := range s.replacements() {
		if err := r.Discard(tx, u.ID); err != nil {
			return err
		}
	}
	return nil
}

// tell writes to a person that a second factor came or went.
func (s *Service) tell(tx *database.Tx, u user.User, what notice.What, method string) error {
	return s.notices.Tell(tx, u, u.Email, notice.Change{What: what, Value: method}, func(notMe string, w notify.Where) notify.Content {
		if what == notice.FactorAdded {
			return notify.FactorAdded{Factor: notify.Factor(method), NotMe: notMe, Where: w}
		}
		return notify.FactorRemoved{Factor: notify.Factor(method), NotMe: notMe, Where: w}
	})
}

// Discard takes from a person what one method keeps of them, and has it be asked no more.
func (s *Service) Discard(tx *database.Tx, userID, method string) error {
	if k, ok := s.method(method).(Keeper); ok {
		if err := k.Discard(tx, userID); err != nil {
			return err
		}
	}
	if err := user.RemoveFactor(tx, userID, method); err != nil {
		return err
	}
	u, err := user.ByID(tx.Context(), tx, userID)
	if err != nil {
		return err
	}
	return s.dropSpares(tx, u)
}

// DiscardOne is Discard for a method of which a person may have several; id is "" for others.
func (s *Service) DiscardOne(tx *database.Tx, userID, method, id string) error {
	if m, ok := s.method(method).(interface {
		DiscardOne(tx *database.Tx, userID, id string) error
	}); ok && id != "" {
		if err := m.DiscardOne(tx, userID, id); err != nil {
			return err
		}
		u, err := user.ByID(tx.Context(), tx, userID)
		if err != nil {
			return err
		}
		return s.dropSpares(tx, u)
	}
	return s.Discard(tx, userID, method)
}

// DropFactors has no second factor be asked of a person any more, forgets the secrets of all of them, and names them. Where one is
// required, they set one up when they sign in next; what was asked for that reason alone goes too.
func (s *Service) DropFactors(tx *database.Tx, u user.User) ([]string, error) {
	names := u.Factors
	concerned, err := s.mfa.ConcernsIn(tx, &u)
	if err != nil {
		return nil, err
	}
	if concerned {
		names = slices.Concat(names, u.Beside)
	}
	for _, name := range names {
		if err := s.Discard(tx, u.ID, name); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// Shut ends every session and every sign-in of a person, and whatever was sent to them opens nothing any more. Where somebody else had
// the account, every key that was made of it ends too.
func (s *Service) Shut(tx *database.Tx, userID string, why session.Reason) error {
	if err := Forget(tx, userID); err != nil {
		return err
	}
	if err := challenge.Forget(tx, userID, challenge.VerifyEmail, challenge.ChangeEmail, challenge.VerifyPhone, challenge.ResetPassword, challenge.SignIn, challenge.SecondFactor, challenge.Enrol, challenge.Unlock, challenge.Unusual); err != nil {
		return err
	}
	if reason, ok := disowned[why]; ok {
		if err := apikey.RevokeAll(tx, userID, reason); err != nil {
			return err
		}
	}
	_, err := session.RevokeAll(tx, userID, "", why)
	return err
}

// disowned are the reasons of which somebody else had the account.
var disowned = map[session.Reason]apikey.Reason{session.NotMe: apikey.NotMe, session.Reclaimed: apikey.Reclaimed}

// Reclaim gives an account to the owner of an address or a number of it, who has just shown that it is theirs, when nobody had before:
// whoever made it may be somebody else. Everything that opens it is gone.
func (s *Service) Reclaim(tx *database.Tx, u user.User, i user.Identifier) error {
	if err := user.Reclaim(tx, u.ID, i); err != nil {
		return err
	}
	for _, m := range s.methods {
		if _, ok := m.(Keeper); !ok {
			continue
		}
		if err := s.Discard(tx, u.ID, m.Name()); err != nil {
			return err
		}
	}
	if _, err := s.DropFactors(tx, u); err != nil { // of methods that are offered no more
		return err
	}
	if _, err := knowndevice.ForgetAll(tx, u.ID); err != nil {
		return err
	}
	tx.Emit(Reclaimed{u.ID})
	return s.Shut(tx, u.ID, session.Reclaimed)
}

// Reachable reports whether a person could still sign in.
func (s *Service) Reachable(tx *database.Tx, userID string) (bool, error) {
	n, err := s.waysIn(tx.Context(), tx, userID)
	return n > 0, err
}

// Ways is how many ways there are to sign in as a person.
func (s *Service) Ways(ctx context.Context, userID string) (int, error) {
	return s.waysIn(ctx, s.db, userID)
}

// waysIn counts methods, and a verified address, whatever is sent there: what comes the same way is lost together.
func (s *Service) waysIn(ctx context.Context, q database.Querier, userID string) (n int, err error) {
	u, err := user.ByID(ctx, q, userID)
	if err == nil && u.EmailVerified {
		n++
	}
	for _, m := range s.methods {
		if o, ok := m.(Opener); ok && err == nil && m.Uses()&Mail == 0 {
			var open bool
			if open, err = o.Opens(ctx, q, userID); open {
				n++
			}
		}
	}
	return n, err
}

// Forget ends every sign-in of a person that is under way, and the trust in their devices: what was shown in it, or on them, may open
// nothing any more.
func Forget(tx *database.Tx, userID string) error {
	if err := removeOf(tx, userID); err != nil {
		return err
	}
	return knowndevice.Distrust(tx, userID)
}

func (s *Service) replacements() (list []Replacement) {
	for _, m := range s.methods {
		if r, ok := m.(Replacement); ok && m.Uses()&Spare != 0 {
			list = append(list, r)
		}
	}
	return list
}

// policy is what is asked of somebody who is signed in.
func (s *Service) policy(ctx context.Context, u *user.User) (Policy, error) {
	required, err := s.mfa.Concerns(ctx, u)
	return policyOf(s.methods, u, required), err
}

// Offers names what somebody who is signed in may show to prove again that it is them, the usual way first, and reports whether asking for
// that one sends a message.
func (s *Service) Offers(ctx context.Context, u user.User) (choices []string, sends bool, err error) {
	p, err := s.policy(ctx, &u)
	if err != nil || len(p.Again) == 0 {
		return nil, false, err
	}
	return p.Again, p.way[p.Again[0]] != 0, nil
}

// Ask says what somebody who is signed in may show to prove again that it is them, and what to fill in or to sign for one of these
// ways: the one that is chosen, or else the first.
func (s *Service) Ask(ctx context.Context, u user.User, sessionID, method string) (Prompt, []string, error) {
	p, err := s.policy(ctx, &u)
	if err != nil {
		return Prompt{}, nil, err
	}
	choices := p.Again
	if method == "" && len(choices) > 0 {
		method = choices[0]
	}
	m := s.method(method)
	if m == nil || !slices.Contains(choices, method) {
		return Prompt{}, nil, ErrMethod
	}
	prompt, err := m.Begin(ctx, Attempt{User: &u, SessionID: sessionID, Method: method, ExpiresAt: s.db.Now().Add(attemptLife)})
	prompt.Method = method
	return prompt, choices, err
}

// Reauthenticate has somebody who is signed in prove again that it is them. Who has a second factor shows that one: a password
// that was read over a shoulder must not take it away.
// method is the one the answer is of, "" when it can be told by its form.
func (s *Service) Reauthenticate(ctx context.Context, u user.User, sessionID, method string, in Answer) error {
	p, err := s.policy(ctx, &u)
	if err != nil {
		return err
	}
	m := s.method(method)
	if method == "" {
		m = meant(s.named(p.Again), nil, in)
	}
	if m == nil || !slices.Contains(p.Again, m.Name()) {
		return ErrUnsuited.Say("This cannot prove that it is you. What can: " + strings.Join(p.Again, ", ") + ".")
	}
	a := Attempt{User: &u, SessionID: sessionID, Method: m.Name(), ExpiresAt: s.db.Now().Add(attemptLife)}
	err = s.judge(ctx, &a, in, func(proof Proof) error {
		return s.db.Write(ctx, func(tx *database.Tx) error {
			if proof.Consume != nil {
				if err := proof.Consume(tx); err != nil {
					return err
				}
			}
			if proof.Whole || slices.Contains(p.Second, a.Method) {
				if err := session.Raise(tx, u.ID, sessionID, strings.Fields(proof.AMR)...); err != nil {
					return err
				}
			}
			if err := a.try.Right(tx); err != nil {
				return err
			}
			return session.Prove(tx, u.ID, sessionID, a.Method)
		})
	})
	if !wrong(err) {
		return err
	}
	return s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(ProofFailed{u.ID, a.Method})
		if err := a.try.Wrong(tx); err != nil {
			return err
		}
		return tx.Refuse(ErrProof)
	})
}
