// Package owner makes the first super_admin, with a printed link that works once, and brings a lost one back.
package owner

import (
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/account"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

// ErrLink is a link that was used, has run out, or never was.
var ErrLink = apperr.New(apperr.Forbidden, "owner_link_invalid", "This link was used already or has run out. Make a new one on the server: admit admin link")

// Life is how long a link works.
const Life = 30 * time.Minute

// Config names the owner where nobody can click a link.
type Config struct {
	Email    string        `env:"OWNER_EMAIL" doc:"Makes this address the owner (super_admin) at the first start. Without OWNER_PASSWORD the printed link sets its password."`
	Password secret.String `env:"OWNER_PASSWORD" secret:"true" doc:"The owner's first password, for OWNER_EMAIL."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(production bool) error {
	if c.Email == "" && c.Password.Reveal() != "" {
		return errors.New("OWNER_PASSWORD is set and OWNER_EMAIL is not: say whose password it is")
	}
	if c.Email != "" {
		if _, err := user.ParseEmail(c.Email); err != nil {
			return errors.New("OWNER_EMAIL is not an e-mail address")
		}
	}
	return nil
}

type (
	// LinkCreated is told of a link that was printed.
	LinkCreated struct {
		ExpiresAt time.Time `json:"expires_at"`
	}
	// LinkUsed is told of a link that made an owner.
	LinkUsed struct {
		UserID string `json:"user_id"`
	}
)

func (LinkCreated) Kind() string { return "owner_link.created" }
func (LinkUsed) Kind() string    { return "owner_link.used" }

func (LinkCreated) Subject() string { return "" }
func (e LinkUsed) Subject() string  { return e.UserID }

// Service makes owners.
type Service struct {
	db        *database.DB
	cfg       Config
	users     *user.Service
	passwords *password.Service
	door      *login.Service
	authz     *authz.Service
}

// NewService works on db.
func NewService(db *database.DB, cfg Config, users *user.Service, passwords *password.Service, door *login.Service, az *authz.Service) *Service {
	return &Service{db, cfg, users, passwords, door, az}
}

// Missing reports whether nobody could sign in as owner.
func (s *Service) Missing(ctx context.Context) (bool, error) { return missing(ctx, s.db) }

// First makes the owner that OWNER_EMAIL names, while there is none.
func (s *Service) First(ctx context.Context) error {
	if s.cfg.Email == "" {
		return nil
	}
	if has, err := s.users.HasOwner(ctx); err != nil || has {
		return err
	}
	u, err := s.passwords.Create(ctx, authz.System, user.New{Email: s.cfg.Email}, s.cfg.Password.Reveal())
	if errors.Is(err, user.ErrEmailTaken) {
		u, err = s.users.Find(ctx, s.cfg.Email)
	}
	if err != nil {
		return err
	}
	return s.authz.Write(ctx, authz.System, func(tx *authz.Tx) error { return account.Grant(tx, u.ID, user.SuperAdmin) })
}

// Link makes the secret of a new link.
func (s *Service) Link(ctx context.Context) (string, error) {
	key := secret.Text()
	err := s.db.Write(ctx, func(tx *database.Tx) error {
		if err := removeExpired(tx); err != nil {
			return err
		}
		tx.Emit(LinkCreated{tx.Now.Add(Life)})
		return insert(tx, secret.Sum(key), tx.Now.Add(Life))
	})
	return key, err
}

// Claim spends a link: an account is made with this address and password, or the one there is shows its password, and it
// becomes super_admin and is signed in. One change; a link that is refused afterwards stays usable.
func (s *Service) Claim(ctx context.Context, key, email, pass string, f login.Finish) (out login.Outcome, err error) {
	if err := valid(ctx, s.db, secret.Sum(key)); err != nil {
		return out, err // before anything is hashed for a stranger
	}
	made, err := s.passwords.Account(ctx, email, pass)
	if err != nil {
		return out, err
	}
	err = s.authz.Write(ctx, authz.System, func(tx *authz.Tx) error {
		if err := spend(tx.Tx, secret.Sum(key)); err != nil {
			return err
		}
		u, err := made(tx.Tx)
		if err != nil {
			return err
		}
		database.OriginOf(ctx).Actor = u.ID
		tx.Emit(LinkUsed{u.ID})
		if err := account.Grant(tx, u.ID, user.SuperAdmin); err != nil {
			return err
		}
		if u, err = user.ByID(ctx, tx.Tx, u.ID); err != nil {
			return err
		}
		if !u.Active() {
			return login.ErrCredentials
		}
		out, err = s.door.Welcome(tx.Tx, u, login.Shown{Method: "password", AMR: password.AMR}, f)
		return err
	})
	return s.door.Continue(ctx, out, err)
}
