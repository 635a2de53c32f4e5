package cli

import (
	"cmp"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/lockout"
	"github.com/admit-dev/admit/internal/user"
)

// Whose is the person a command is about.
type Whose struct {
	User string `arg:"" help:"Id, e-mail address, username or phone number."`
}

// With opens the store, finds the person and has f do the work.
func (w Whose) With(p *Program, f func(a *app.App, u user.User) error) error {
	a, err := p.Open(false)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	u, err := FindUser(p, a, w.User)
	if err != nil {
		return err
	}
	return f(a, u)
}

// FindUser finds a person by id or any name they sign in with, and a service account by its id.
func FindUser(p *Program, a *app.App, ref string) (user.User, error) {
	find := a.Users.Find
	if id.Valid("svc", ref) {
		find = a.Users.Get
	}
	u, err := find(p.Ctx, ref)
	if errors.Is(err, user.ErrNotFound) {
		err = Refuse(ExitNotFound, "There is no user %q. See admit user list.", ref)
	}
	return u, err
}

// Person is a person as the API shows one.
type Person struct {
	ID            string    `json:"id"`
	Email         *string   `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	Username      *string   `json:"username"`
	Phone         *string   `json:"phone"`
	PhoneVerified bool      `json:"phone_verified"`
	Name          string    `json:"name"`
	IsActive      bool      `json:"is_active"`
	Role          string    `json:"role"`
	Roles         []string  `json:"roles"`
	Organizations []string  `json:"organizations"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`

	FailedAttempts int64      `json:"failed_attempts"`
	LockedUntil    *time.Time `json:"locked_until"`
}

// PersonOf is a person by what holds at root, whose account stands so.
func PersonOf(u user.User, root *authz.Root, l lockout.Lock) Person {
	return Person{u.ID, OrNull(u.Email), u.EmailVerified, OrNull(u.Username), OrNull(u.Phone), u.PhoneVerified, u.Name, u.Active(),
		u.Role(), append([]string{}, u.Roles...), append([]string{}, root.OrgsOf(u.ID)...), u.CreatedAt, u.UpdatedAt, l.Failures, l.Until}
}

// OrNull is nil for what is empty.
func OrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Label is the shortest name a person is found by.
func Label(u user.User) string { return cmp.Or(u.Email, u.Username, u.Phone, u.ID) }

// State says whether a person may sign in.
func State(u user.User, l lockout.Lock) string {
	switch {
	case u.EraseAt != nil:
		return "closed"
	case !u.Active():
		return "disabled"
	case l.Until != nil:
		return "locked"
	default:
		return "active"
	}
}

// After gives a program the person as the change left them.
func (p *Program) After(a *app.App, u user.User) error {
	if !p.JSON {
		return nil
	}
	u, err := a.Users.Get(p.Ctx, u.ID)
	if err != nil {
		return err
	}
	root, err := a.Authz.Root(p.Ctx)
	if err != nil {
		return err
	}
	locks, err := a.Locks.Of(p.Ctx, u)
	if err != nil {
		return err
	}
	return p.Print(PersonOf(u, root, locks[u.ID]))
}
