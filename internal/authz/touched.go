package authz

import (
	"context"
	"time"
)

// Touched is what a revision left other than before: a member, with no User a whole organization, with no Org the platform.
type Touched struct {
	Revision int64  `db:"revision"`
	Org      string `db:"org_id"`
	User     string `db:"user_id"`
}

// Touched is what was left other since a time, and the life of the database that the revisions are of.
func (s *Service) Touched(ctx context.Context, since time.Time) (epoch string, list []Touched, err error) {
	at, err := where(ctx, s.db)
	if err != nil {
		return "", nil, err
	}
	list, err = touchedSince(ctx, s.db, since)
	return at.Epoch, list, err
}

// TouchedBy is what one revision left other.
func (s *Service) TouchedBy(ctx context.Context, revision int64) ([]Touched, error) {
	return touchedBy(ctx, s.db, revision)
}

// Epoch names the life of the database that the memory is of.
func (s *Service) Epoch() string {
	if now := s.now.Load(); now != nil {
		return now.epoch
	}
	return ""
}
