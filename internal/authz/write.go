package authz

import (
	"context"
	"errors"
	"slices"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
)

// The refusals of changing.
var (
	ErrLastOwner      = apperr.New(apperr.Conflict, "last_owner", "An organization needs an owner. Make somebody else one first.")
	ErrLastSuperAdmin = apperr.New(apperr.Conflict, "last_super_admin", "This is the last super_admin. Give the role to somebody else first.")
)

// Tx is one change of who may do what. Only Service.Write makes one, so whoever asks for it is judged.
type Tx struct {
	*database.Tx
	Root *Root // what holds before the change, and what it is judged by

	caller  Caller
	touched []touch
}

// Caller is by whose rights the change is judged.
func (tx *Tx) Caller() Caller { return tx.caller }

// As has the change judged by the rights of another: whoever invited the one who accepts.
func (tx *Tx) As(c Caller) { tx.caller = c }

// Touch says that an organization, or with "" the platform, is other after the change.
func (tx *Tx) Touch(org string) { tx.touch(touch{Org: org}) }

// TouchMember says that one member of an organization, or with "" one user of the platform, is other after the change.
func (tx *Tx) TouchMember(org, user string) { tx.touch(touch{org, user}) }

func (tx *Tx) touch(t touch) {
	if !slices.Contains(tx.touched, t) {
		tx.touched = append(tx.touched, t)
	}
}

// Require refuses a caller without a permission, by the rights before the change.
func (tx *Tx) Require(permission, org string) error {
	if tx.caller.system {
		return nil
	}
	q := tx.caller.query(permission, org)
	q.Now = tx.Now
	d, err := tx.Root.Check(q)
	if err != nil || d.Allowed {
		return err
	}
	return tx.Root.Refusal(q, d.Code, true)
}

// Would judges a member that is not there yet, as if they came with these roles now.
func (tx *Tx) Would(org string, m Member) error {
	next, err := tx.Root.WithMembers(tx.Root.rev+1, org, []Member{m}, nil)
	if err != nil {
		return err
	}
	return tx.judge(next, org)
}

var errBehind = errors.New("authz: the change was judged by an older revision")

// Write carries out f in one transaction that no other change of rights runs beside. What it is judged by is exactly what
// holds before it; what it did is in force on this server when Write returns. What f writes is compared with what was there
// by its effects: see AuthorizeChange.
func (s *Service) Write(ctx context.Context, c Caller, f func(tx *Tx) error) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ErrStale.Because(ctx.Err())
	}
	for range 100 {
		root, err := s.Root(ctx)
		if err != nil {
			return err
		}
		var next *Root
		err = s.db.Write(ctx, func(tx *database.Tx) (err error) {
			next, err = s.change(tx, c, root, f)
			return err
		})
		if errors.Is(err, errBehind) { // another server was first
			if err := s.Refresh(ctx); err != nil {
				return err
			}
			continue
		}
		if next != nil {
			s.advanced(root, next)
		}
		return err
	}
	return ErrBehind
}

// advanced puts what this server has just changed in force, without reading it again.
func (s *Service) advanced(old, next *Root) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now.Load(); now.root == old {
		s.install(held{next, now.epoch})
	}
}

// change is one try of Write. It gives what holds after it, nil when that is what held before.
func (s *Service) change(dbtx *database.Tx, c Caller, root *Root, f func(tx *Tx) error) (*Root, error) {
	at, err := advance(dbtx)
	if err != nil {
		return nil, err
	}
	if at.Revision != root.rev+1 {
		return nil, errBehind
	}
	tx := &Tx{Tx: dbtx, Root: root, caller: c}
	refused := f(tx)
	if refused != nil && !database.Refused(refused) {
		return nil, refused
	}
	if len(tx.touched) == 0 {
		return nil, errors.Join(retreat(dbtx), refused)
	}
	next, err := root.reread(dbtx.Context(), dbtx, at.Revision, tx.touched, dbtx.Enter)
	if err != nil {
		return nil, err
	}
	if err := tx.allowed(next); err != nil {
		return nil, err
	}
	var orgs []string
	for _, t := range tx.touched {
		if err := insertChange(dbtx, at.Revision, t); err != nil {
			return nil, err
		}
		orgs = append(orgs, t.Org)
	}
	slices.Sort(orgs)
	dbtx.Emit(Changed{at.Revision, slices.Compact(orgs)})
	return next, refused
}

// allowed judges what came of the change.
func (tx *Tx) allowed(next *Root) error {
	for _, t := range tx.touched {
		if err := tx.judge(next, t.Org); err != nil {
			return err
		}
	}
	if tx.Root.HasSuperAdmin() && !next.HasSuperAdmin() {
		return ErrLastSuperAdmin
	}
	for _, t := range tx.touched {
		orgs := []string{t.Org}
		if t.Org == "" { // whoever is disabled or gone no longer acts as owner anywhere
			orgs = tx.Root.OrgsOf(t.User)
		}
		for _, org := range orgs {
			if _, err := next.space(org); err == nil && org != "" && !next.HasOwner(org) && (tx.Root.HasOwner(org) || !tx.caller.system) {
				return ErrLastOwner
			}
		}
	}
	return nil
}

// judge compares one organization, or the platform. One that has just been made, or is gone, is nobody else's matter.
func (tx *Tx) judge(next *Root, org string) error {
	if tx.caller.system {
		return nil
	}
	for _, r := range []*Root{tx.Root, next} {
		if _, err := r.space(org); err != nil {
			return nil
		}
	}
	c := tx.caller
	return AuthorizeChange(tx.Root, next, Actor{User: c.User, Org: org, Now: tx.Now, Ceiling: c.Ceiling, Context: c.Context})
}
