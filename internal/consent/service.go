package consent

import (
	"context"

	"github.com/admit-dev/admit/internal/database"
)

// Service keeps what people agreed to.
type Service struct{ db *database.DB }

// NewService works on db.
func NewService(db *database.DB) *Service { return &Service{db} }

// Check refuses what Give would refuse, all of it at once.
func Check(list []Consent) error {
	for _, c := range list {
		if err := c.check(); err != nil {
			return err
		}
	}
	if len(list) > most {
		return ErrTooMany
	}
	return nil
}

// Give notes within a change that somebody agrees, from now on. Agreeing to the same version again changes nothing.
func Give(tx *database.Tx, userID string, list ...Consent) error {
	if len(list) == 0 {
		return nil
	}
	for _, c := range list {
		n, err := put(tx, userID, c)
		if err != nil {
			return err
		}
		if n > 0 {
			tx.Emit(Given{userID, c.Document, c.Version})
		}
	}
	n, err := count(tx, userID)
	if err == nil && n > most {
		return ErrTooMany
	}
	return err
}

// Of lists what somebody agrees to, by document.
func (s *Service) Of(ctx context.Context, userID string) ([]Consent, error) {
	return list(ctx, s.db, userID)
}

// Give notes that somebody agrees.
func (s *Service) Give(ctx context.Context, userID string, c Consent) (Consent, error) {
	if err := c.check(); err != nil {
		return c, err
	}
	err := s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet() // the same version again tells nothing
		err := Give(tx, userID, c)
		if err == nil {
			c, err = one(tx, userID, c.Document)
		}
		return err
	})
	return c, err
}

// Withdraw notes that somebody agrees no longer.
func (s *Service) Withdraw(ctx context.Context, userID, document string) error {
	return s.db.Write(ctx, func(tx *database.Tx) error {
		was, err := remove(tx, userID, document)
		if err != nil {
			return err
		}
		if len(was) == 0 {
			return ErrNotFound
		}
		tx.Emit(Withdrawn{userID, document, was[0]})
		return nil
	})
}
