// Package mfa is whom a second factor is required of: everybody, who holds a global role, who belongs to an organization.
package mfa

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// ErrLast is the last second factor of somebody of whom one is required.
var ErrLast = apperr.New(apperr.Conflict, "mfa_last_factor", "A second factor is required of you, and this is the only one. Set another one up first.")

// everyone and off are the settings that name no roles.
const (
	everyone = "everyone"
	off      = "off"
)

// Config is what an operator may say of it.
type Config struct {
	Required []string `env:"MFA_REQUIRED" default:"off" doc:"Of whom a second factor is required: off, everyone, or the global roles of those it is required of, as super_admin,manager. An organization may require it of its members besides."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(production bool) error {
	if len(c.Required) > 1 && (slices.Contains(c.Required, everyone) || slices.Contains(c.Required, off)) {
		return errors.New("MFA_REQUIRED says off or everyone beside something else: write one of them alone, or only roles")
	}
	return nil
}

// Roles are the global roles whose holders need a second factor.
func (c Config) Roles() []string {
	return slices.DeleteFunc(slices.Clone(c.Required), func(s string) bool { return s == everyone || s == off })
}

// Policy knows of whom a second factor is required.
type Policy struct {
	everyone bool
	roles    []string
	authz    *authz.Service
}

// NewPolicy goes by cfg, and by the organizations that az knows.
func NewPolicy(cfg Config, az *authz.Service) *Policy {
	return &Policy{slices.Contains(cfg.Required, everyone), cfg.Roles(), az}
}

// Known refuses a setting that names a global role there is not: nothing would be required of anybody by it.
func (p *Policy) Known(ctx context.Context) error {
	root, err := p.authz.Root(ctx)
	if err != nil {
		return err
	}
	for _, role := range p.roles {
		if err := root.KnownGlobal(role); err != nil {
			return fmt.Errorf("MFA_REQUIRED names the role %q: %w", role, err)
		}
	}
	return nil
}

// here reports whether this site requires it of a person, whatever they belong to. Guests have nothing to show.
func (p *Policy) here(u *user.User) bool {
	return p.everyone && !u.Guest && !u.Service || slices.ContainsFunc(p.roles, u.HasRole)
}

// Concerns reports whether a second factor is required of a person, from memory.
func (p *Policy) Concerns(ctx context.Context, u *user.User) (bool, error) {
	root, err := p.authz.Root(ctx)
	return err == nil && p.ConcernsAt(root, u), err
}

// ConcernsAt is Concerns by what holds at a Root.
func (p *Policy) ConcernsAt(root *authz.Root, u *user.User) bool {
	return !u.Service && (p.here(u) || root.RequiresMFA(u.ID))
}

// ConcernsIn is Concerns as part of a change, as things stand in it.
func (p *Policy) ConcernsIn(tx *database.Tx, u *user.User) (bool, error) {
	if p.here(u) {
		return true, nil
	}
	return org.RequiresMFA(tx, u.ID)
}

// Enough refuses a session in which no second factor was shown, of a person of whom one is required. A key was made in a session that was
// enough; it counts while its person has a second factor.
func (p *Policy) Enough(ctx context.Context, n *session.Session, u *user.User) error {
	if n.MFA() || n.Transport == session.Key && u.Enrolled() {
		return nil
	}
	concerned, err := p.Concerns(ctx, u)
	if err == nil && concerned {
		err = authz.ErrMFA
	}
	return err
}

// MayEnrol is Enough, and lets a session set a second factor up whose person has none to show.
func (p *Policy) MayEnrol(ctx context.Context, n *session.Session, u *user.User) error {
	if !u.Enrolled() {
		return nil
	}
	return p.Enough(ctx, n, u)
}
