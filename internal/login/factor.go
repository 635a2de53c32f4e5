package login

import (
	"context"
	"strings"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// Enrol has a second factor be asked of a person from now on, in the change that keeps its secret. Every other session of theirs
// ends: it began without it. With the first factor come replacements for it, which are shown this once.
func (s *Service) Enrol(tx *database.Tx, userID, sessionID, method string) (spares []string, err error) {
	u, err := user.ByID(tx.Context(), tx, userID)
	if err != nil {
		return nil, err
	}
	if err := user.AddFactor(tx, userID, method); err != nil {
		return nil, err
	}
	if err := Forget(tx, userID); err != nil {
		return nil, err
	}
	if _, err := session.RevokeAll(tx, userID, sessionID, session.FactorAdded); err != nil || len(u.Factors) > 0 {
		return nil, err
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
	if err != nil || len(u.Factors) > 0 {
		return err
	}
	for _, r := range s.replacements() {
		if err := r.Withdraw(tx, userID); err != nil {
			return err
		}
	}
	return nil
}

// Forget ends every sign-in of a person that is under way: what was shown in it may open nothing any more.
func Forget(tx *database.Tx, userID string) error { return removeOf(tx, userID) }

func (s *Service) replacements() (list []Replacement) {
	for _, m := range s.methods {
		if r, ok := m.(Replacement); ok && m.Uses()&Spare != 0 {
			list = append(list, r)
		}
	}
	return list
}

// Reauthenticate has somebody who is signed in prove again that it is them. Who has a second factor shows that one: a password
// that was read over a shoulder must not take it away.
func (s *Service) Reauthenticate(ctx context.Context, u user.User, sessionID string, in Answer) error {
	choices := policyOf(s.methods, &u).Again
	m := meant(s.named(choices), nil, in)
	if m == nil {
		return ErrUnsuited.Say("This cannot prove that it is you. What can: " + strings.Join(choices, ", ") + ".")
	}
	a := Attempt{User: &u, Method: m.Name(), ExpiresAt: s.db.Now().Add(attemptLife)}
	err := s.judge(ctx, a, in, func(proof Proof) error {
		return s.db.Write(ctx, func(tx *database.Tx) error {
			if proof.Consume != nil {
				if err := proof.Consume(tx); err != nil {
					return err
				}
			}
			return session.Prove(tx, u.ID, sessionID, a.Method)
		})
	})
	if !wrong(err) {
		return err
	}
	return s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(ProofFailed{u.ID, a.Method})
		return tx.Refuse(ErrProof)
	})
}
