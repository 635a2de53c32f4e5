package user

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

const sweepBatch = 500

// ChangeEmail makes an address, which its person has shown to be theirs, their own in place of the one they have. That one is kept
// for them until a time, if it was verified: nobody else can take it, and RestoreEmail gives it back.
func ChangeEmail(tx *database.Tx, userID, email string, heldUntil time.Time) error {
	if err := removeHeld(tx, userID, email); err != nil {
		return err
	}
	if err := giveUp(tx, userID, heldUntil); err != nil {
		return err
	}
	if err := addIdentifier(tx, userID, Identifier{KindEmail, email}); err != nil {
		return err
	}
	if _, err := setVerified(tx, userID, Identifier{KindEmail, email}); err != nil {
		return err
	}
	tx.Emit(EmailChanged{userID})
	if err := known(tx, userID); err != nil {
		return err
	}
	return touch(tx, userID)
}

// RestoreEmail gives a person the address back that was kept for them. Every address that came after it is gone: it may be a thief's.
// Those before it are kept on.
func RestoreEmail(tx *database.Tx, userID, email string) error {
	r, err := heldRow(tx, userID, email)
	if err != nil {
		return err
	}
	if err := restore(tx, r); err != nil {
		return err
	}
	tx.Emit(EmailRestored{userID})
	return touch(tx, userID)
}

// HasEmail reports whether an address is a person's, or is kept for them.
func HasEmail(ctx context.Context, q database.Querier, userID, email string) (bool, error) {
	return has(ctx, q, userID, email)
}

// Sweep gives addresses free that were kept long enough, a few at a time.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Sweep(ctx, sweepBatch, removeGivenUp)
}
