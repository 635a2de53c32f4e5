package social

import (
	"context"
	"errors"
	"slices"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
)

// Method is a first factor that is shown elsewhere: an attempt only says where to go, and who comes back enters by Service.Return.
type Method struct {
	db          *database.DB
	site        Site
	providers   []Provider
	development *Development
}

// Choice is a provider that somebody may go to.
type Choice struct {
	Provider string `json:"provider" doc:"Its name in addresses."`
	Title    string `json:"title" doc:"What people call it."`
	Redirect string `json:"redirect" doc:"Where to send the browser."`
}

// Name is "social".
func (Method) Name() string { return Name }

// Uses are to open the door, where there is a provider.
func (m Method) Uses() login.Use {
	if len(m.providers) == 0 {
		return 0
	}
	return login.First
}

// Reads takes no answer: it comes back from the provider.
func (Method) Reads(login.Answer) bool { return false }

// Begin says where one may go.
func (m Method) Begin(context.Context, login.Attempt) (login.Prompt, error) {
	list := []Choice{}
	for _, p := range m.providers {
		list = append(list, Choice{p.Name, p.Title, m.site.Base + "/auth/" + p.Name + "/login"})
	}
	out := login.Prompt{Fields: []login.Field{}, Challenge: list}
	if len(list) == 1 {
		out.Redirect = list[0].Redirect
	}
	return out, nil
}

// Verify accepts nothing here.
func (Method) Verify(context.Context, login.Attempt, login.Answer) (login.Proof, error) {
	return login.Proof{}, ErrNotHere
}

// Opens reports whether a person has an account at a provider that is offered.
func (m Method) Opens(ctx context.Context, q database.Querier, userID string) (bool, error) {
	rows, err := listOf(ctx, q, userID)
	return slices.ContainsFunc(rows, func(r identityRow) bool {
		return slices.ContainsFunc(m.providers, func(p Provider) bool { return p.Name == r.Provider })
	}), err
}

// Discard has no account at any provider open a person's account any more.
func (m Method) Discard(tx *database.Tx, userID string) error {
	gone, err := removeAll(tx, userID)
	for _, r := range gone {
		tx.Emit(Unlinked{userID, r.ID, r.Provider})
	}
	return err
}

// DiscardOne unlinks one identity of a person, if it is there still.
func (m Method) DiscardOne(tx *database.Tx, userID, identityID string) error {
	r, err := identityOf(tx.Context(), tx, userID, identityID)
	if errors.Is(err, ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	tx.Emit(Unlinked{userID, identityID, r.Provider})
	return remove(tx, userID, identityID)
}
