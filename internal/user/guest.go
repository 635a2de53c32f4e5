package user

import (
	"context"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
)

// The refusals about guests.
var (
	ErrGuest    = apperr.New(apperr.Forbidden, "guest_not_allowed", "This is not for guests. Make an account first: what you did so far stays yours.")
	ErrNotGuest = apperr.New(apperr.Conflict, "account_exists", "This guest has an account by now. Sign in with it.")
)

// CreateGuest adds somebody of whom nothing is known.
func CreateGuest(tx *database.Tx) (User, error) {
	u := userRow{ID: id.New("usr"), CreatedAt: tx.Now, UpdatedAt: tx.Now, Guest: true}
	if err := database.Insert(tx, "users", u); err != nil {
		return User{}, err
	}
	tx.Emit(Created{UserID: u.ID, Identifiers: []string{}})
	return ByID(tx.Context(), tx, u.ID)
}

// Settle makes a guest somebody who is known by ids. Of several that try for one guest, one succeeds.
func Settle(tx *database.Tx, userID string, ids []Identifier, name string) (User, error) {
	n, err := settle(tx, userID, name)
	if err == nil && n == 0 {
		err = ErrNotGuest
	}
	if err != nil {
		return User{}, err
	}
	kinds := []string{}
	for _, i := range ids {
		if err := addIdentifier(tx, userID, i); err != nil {
			return User{}, err
		}
		kinds = append(kinds, i.Kind)
	}
	tx.Emit(Settled{userID, kinds})
	return ByID(tx.Context(), tx, userID)
}

// Left are guests without a session: nobody can come back as them.
func (s *Service) Left(ctx context.Context, limit int) ([]string, error) {
	return left(ctx, s.db, s.db.Now(), limit)
}
