package social

import (
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
)

// Issuer is who vouches for the accounts of a provider, by its name, whether people may sign in with it yet or not. Of one whose people
// have another subject in each app, or whose issuer is another for each of them, nothing can be said from outside.
func (c Config) Issuer(provider string) (string, bool) {
	for _, n := range c.table() {
		if p := n.at(n.client.URL); n.Name == provider {
			return p.issuer(), n.Name != "microsoft" && p.issuer() != ""
		}
	}
	more, err := readFile(c.File, false)
	for _, p := range more {
		if p.Name == provider && err == nil {
			return p.issuer(), true
		}
	}
	return "", false
}

// Clean makes of an account at a provider, as somebody else tells of it, what may be kept. It refuses who it is, if that cannot be read.
func (i *Identity) Clean() error {
	for _, vouching := range []string{i.Provider, i.Issuer} {
		p := Profile{Subject: vouching}
		if err := p.clean(); err != nil {
			return err
		}
	}
	p := Profile{Subject: i.Subject, Name: i.Name, Picture: i.Picture}
	err := p.clean()
	i.Name, i.Picture = p.Name, p.Picture
	return err
}

// Import has an account at a provider open an account here, as part of the change that makes it. What is empty of i is made.
func Import(tx *database.Tx, i Identity) error {
	if i.CreatedAt.IsZero() {
		i.CreatedAt = tx.Now
	}
	r := identityRow{ID: id.New("idn"), Provider: i.Provider, Issuer: i.Issuer, Subject: i.Subject, UserID: i.UserID, Email: i.Email, Name: i.Name, Picture: i.Picture,
		CreatedAt: i.CreatedAt, LastUsedAt: latest(i.LastUsedAt, i.CreatedAt)}
	tx.Emit(Linked{r.UserID, r.ID, r.Provider})
	return insertIdentity(tx, r)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Opens is whose account an account at a provider opens, "" when it opens none.
func Opens(ctx context.Context, q database.Querier, issuer, subject string) (userID string, err error) {
	r, err := bySubject(ctx, q, issuer, subject)
	if errors.Is(err, database.ErrNone) {
		return "", nil
	}
	return r.UserID, err
}

// Of is every account at a provider that opens a person's account, the oldest first.
func Of(ctx context.Context, q database.Querier, userID string) ([]Identity, error) {
	rows, err := listOf(ctx, q, userID)
	list := make([]Identity, len(rows))
	for i, r := range rows {
		list[i] = Identity{r.ID, r.Provider, "", r.Issuer, r.Subject, r.UserID, r.Email, r.Name, r.Picture, r.CreatedAt, r.LastUsedAt}
	}
	return list, err
}
