package user

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
)

// Past is a person as they were elsewhere.
type Past struct {
	ID          string // "" makes one
	Source      string // which export of which site they are of
	ExternalID  string // what they were called there
	Identifiers []Identifier
	Verified    []Identifier // of those, the ones they have shown to be theirs
	Name        string
	Language    string
	TimeZone    string
	Disabled    bool
	CreatedAt   *time.Time
}

// Import adds a person who was somebody elsewhere, and gives their id. An identifier that somebody has already is refused. Whoever calls
// it says that one who is disabled is other than before: see authz.Tx.
func Import(tx *database.Tx, p Past) (string, error) {
	u := pastRow{ID: p.ID, Name: p.Name, Language: p.Language, TimeZone: p.TimeZone, CreatedAt: tx.Now, UpdatedAt: tx.Now}
	if u.ID == "" {
		u.ID = id.New("usr")
	}
	if p.CreatedAt != nil && p.CreatedAt.Before(tx.Now) {
		u.CreatedAt = *p.CreatedAt
	}
	if p.Disabled {
		u.DisabledAt = &tx.Now
	}
	if err := database.Insert(tx, "users", u); err != nil {
		return "", err
	}
	kinds := []string{}
	for _, i := range p.Identifiers {
		if err := addIdentifier(tx, u.ID, i); err != nil {
			return "", err
		}
		kinds = append(kinds, i.Kind)
	}
	for _, i := range p.Verified {
		if _, err := setVerified(tx, u.ID, i); err != nil {
			return "", err
		}
	}
	tx.Emit(Imported{u.ID, kinds, p.Source})
	return u.ID, insertImported(tx, p, u.ID)
}

// ImportedAs finds who a person of a source is here, "" when they are nobody yet.
func ImportedAs(ctx context.Context, q database.Querier, source, externalID string) (string, error) {
	return importedAs(ctx, q, source, externalID)
}

// Origin is where a person came from.
type Origin struct {
	Source     string    `json:"source" db:"source"`
	ExternalID string    `json:"external_id" db:"external_id"`
	At         time.Time `json:"at" db:"at"`
}

// Origins is where a person came from, if they were imported.
func Origins(ctx context.Context, q database.Querier, userID string) ([]Origin, error) {
	return origins(ctx, q, userID)
}

// Owner is whose an identifier is, or for whom one that was given up is kept; "" when it is free.
func Owner(ctx context.Context, q database.Querier, i Identifier, now time.Time) (string, error) {
	return ownerOf(ctx, q, i, now)
}

// After is at most limit people whose ids come after one, in the order of their ids: neither guests nor programs, nor who asked to be
// erased.
func After(ctx context.Context, q database.Querier, after string, limit int) ([]User, error) {
	return following(ctx, q, after, limit)
}

// ParseProfile reads a name, a language and a time zone that somebody had elsewhere. What cannot be kept is empty, and is named.
func (s *Service) ParseProfile(name, language, timeZone string) (n, l, z string, wrong []error) {
	c, err := s.parse(Change{Name: &name})
	if n = *c.Name; err != nil {
		wrong = append(wrong, err)
	}
	if c, err = s.parse(Change{Language: &language}); err != nil {
		wrong = append(wrong, err)
	}
	l = *c.Language
	if c, err = s.parse(Change{TimeZone: &timeZone}); err != nil {
		wrong = append(wrong, err)
	}
	return n, l, *c.TimeZone, wrong
}
