package password

import (
	"context"
	"errors"
	"log/slog"

	"github.com/admit-dev/admit/internal/address"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/breach"
	"github.com/admit-dev/admit/internal/consent"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
	"github.com/admit-dev/admit/internal/wordlist"
)

// Method signs in with a password.
type Method struct {
	db     *database.DB
	hasher *secret.Hasher
	watch  bool // tell of passwords that would not be taken today
}

// NewMethod checks passwords with hasher. It tells of those that cfg would refuse, and takes them: nobody is locked out by a list.
func NewMethod(db *database.DB, hasher *secret.Hasher, cfg Config) Method {
	return Method{db, hasher, cfg.Common == "refuse"}
}

// Name is "password".
func (Method) Name() string { return "password" }

// Uses are to open the door, and to show again who one is.
func (Method) Uses() login.Use { return login.First | login.StepUp }

// Reads takes an answer with a password.
func (Method) Reads(in login.Answer) bool { return in["password"] != "" }

// Discard takes a person's password away.
func (Method) Discard(tx *database.Tx, userID string) error {
	n, err := remove(tx, userID)
	if n > 0 {
		tx.Emit(Removed{userID})
	}
	return err
}

// Begin asks for the password.
func (Method) Begin(context.Context, login.Attempt) (login.Prompt, error) {
	return login.Prompt{Fields: []login.Field{{Name: "password", Type: "password", Autocomplete: "current-password"}}}, nil
}

// Verify compares the password with the stored hash. Nobody, and somebody without a password, cost the same.
func (m Method) Verify(ctx context.Context, a login.Attempt, in login.Answer) (login.Proof, error) {
	userID := ""
	if a.User != nil {
		userID = a.User.ID
	}
	stored, err := hashOf(ctx, m.db, userID)
	if err != nil {
		return login.Proof{}, err
	}
	upgraded, err := verify(ctx, m.hasher, stored, in["password"])
	early := err == nil && m.watch && wordlist.Has(Normalize(in["password"]))
	if wrong(err) {
		err = login.ErrCredentials.Because(err)
	}
	return login.Proof{AMR: AMR, Consume: func(tx *database.Tx) error {
		if early {
			tx.Emit(GuessedEarly{a.User.ID})
		}
		return consume(tx, a.User.ID, stored, upgraded)
	}}, err
}

// consume holds that the password is still the one that was compared, and stores a stronger hash of it if there is one.
func consume(tx *database.Tx, userID, stored, upgraded string) error {
	if upgraded != "" {
		ok, err := replace(tx, userID, stored, upgraded, nil)
		if err == nil && !ok {
			return login.ErrChanged
		}
		tx.Emit(Rehashed{userID})
		return err
	}
	now, err := hashOf(tx.Context(), tx, userID)
	if err == nil && now != stored {
		return login.ErrChanged
	}
	return err
}

// Opens reports whether a person has a password.
func (Method) Opens(ctx context.Context, q database.Querier, userID string) (bool, error) {
	return Has(ctx, q, userID)
}

func verify(ctx context.Context, hasher *secret.Hasher, stored, password string) (upgraded string, err error) {
	password = Normalize(password)
	if stored == "" {
		return "", hasher.VerifyNothing(ctx, password)
	}
	return hasher.Verify(ctx, stored, password)
}

// wrong reports whether a password opens nothing here: it is another one, or what is stored can be checked against none. The
// latter is not told apart, or it would tell that there is an account.
func wrong(err error) bool {
	return errors.Is(err, secret.ErrMismatch) || errors.Is(err, secret.ErrFormat)
}

// Service makes accounts with a password and changes passwords.
type Service struct {
	db        *database.DB
	cfg       Config
	hasher    *secret.Hasher
	users     *user.Service
	door      *login.Service
	authz     *authz.Service
	orgs      *org.Service
	notices   *notice.Service
	addresses *address.Service
	breaches  *breach.Service
	site      []string // what this site is called
	log       *slog.Logger
}

// Deps are what a Service stands on.
type Deps struct {
	DB        *database.DB
	Hasher    *secret.Hasher
	Users     *user.Service
	Door      *login.Service
	Authz     *authz.Service
	Orgs      *org.Service
	Notices   *notice.Service
	Addresses *address.Service
	Breaches  *breach.Service
	Site      []string // what this site is called: nobody's password
	Log       *slog.Logger
}

// NewService makes accounts and passwords as cfg says.
func NewService(cfg Config, d Deps) *Service {
	return &Service{d.DB, cfg, d.Hasher, d.Users, d.Door, d.Authz, d.Orgs, d.Notices, d.Addresses, d.Breaches, d.Site, d.Log}
}

// SignUp makes an account and signs it in: the person, their password and their session in one change. Under
// ENUMERATION_PROTECTION=strict the outcome has no session and is the same for an address that is taken.
func (s *Service) SignUp(ctx context.Context, in user.New, password string, f login.Finish, agreed ...consent.Consent) (out login.Outcome, err error) {
	return s.signUp(ctx, in, password, f, s.door.Config.Strict(), agreed)
}

// SignUpQuietly is SignUp as under ENUMERATION_PROTECTION=strict, for the hosted pages: they need tell nobody more, and no client depends on it.
func (s *Service) SignUpQuietly(ctx context.Context, in user.New, password string, g login.Given, agreed ...consent.Consent) (login.Outcome, error) {
	return s.signUp(ctx, in, password, login.Finish{Given: g}, true, agreed)
}

func (s *Service) signUp(ctx context.Context, in user.New, password string, f login.Finish, strict bool, agreed []consent.Consent) (out login.Outcome, err error) {
	if !s.door.Config.SignUp {
		return out, login.ErrSignUpOff
	}
	if err := consent.Check(agreed); err != nil {
		return out, err
	}
	if password == "" {
		return out, s.cfg.Allow(password)
	}
	spend, step, err := s.door.AtSignUp(ctx, login.Named(in), f.Given)
	if err != nil || step != nil {
		return login.Outcome{Step: step}, err
	}
	ids, name, hash, err := s.prepare(ctx, in, password, !strict)
	if err != nil {
		return out, err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		if err := spend(tx); err != nil {
			return err
		}
		u, err := s.create(tx, ids, name, hash)
		if err != nil {
			return err
		}
		if err := consent.Give(tx, u.ID, agreed...); err != nil {
			return err
		}
		if err := s.addresses.Welcome(tx, u, !strict); err != nil || strict {
			return err
		}
		out, err = s.door.Welcome(tx, u, login.Shown{Method: "password", AMR: AMR}, f)
		return err
	})
	if strict && isTaken(err) {
		err = s.exists(ctx, ids, spend)
	}
	return s.door.Continue(ctx, out, err)
}

// Settle is SignUp for a guest: they keep their id and what they have, and every session they had as a guest ends with the one that
// begins. Under ENUMERATION_PROTECTION=strict it tells nothing of a name that is taken, and the guest stays one.
func (s *Service) Settle(ctx context.Context, guestID string, in user.New, password string, f login.Finish, agreed ...consent.Consent) (out login.Outcome, err error) {
	if !s.door.Config.SignUp {
		return out, login.ErrSignUpOff
	}
	if err := consent.Check(agreed); err != nil {
		return out, err
	}
	if password == "" {
		return out, s.cfg.Allow(password)
	}
	strict := s.door.Config.Strict()
	spend, step, err := s.door.AtSignUp(ctx, login.Named(in), f.Given)
	if err != nil || step != nil {
		return login.Outcome{Step: step}, err
	}
	ids, name, hash, err := s.prepare(ctx, in, password, !strict)
	if err != nil {
		return out, err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		if err := spend(tx); err != nil {
			return err
		}
		u, err := user.Settle(tx, guestID, ids, name)
		if err != nil {
			return err
		}
		if err := insert(tx, u.ID, hash); err != nil {
			return err
		}
		if err := consent.Give(tx, u.ID, agreed...); err != nil {
			return err
		}
		if _, err := session.RevokeAll(tx, u.ID, "", session.Replaced); err != nil {
			return err
		}
		if err := s.addresses.Welcome(tx, u, !strict); err != nil || strict {
			return err
		}
		out, err = s.door.Welcome(tx, u, login.Shown{Method: "password", AMR: AMR}, f)
		return err
	})
	if strict && isTaken(err) {
		err = s.exists(ctx, ids, spend)
	}
	return s.door.Continue(ctx, out, err)
}

// exists writes to the owner of an address that somebody tried to sign up with.
func (s *Service) exists(ctx context.Context, ids []user.Identifier, spend func(tx *database.Tx) error) error {
	return s.db.Write(ctx, func(tx *database.Tx) error {
		if err := spend(tx); err != nil {
			return err
		}
		tx.Emit(SignUpRepeated{})
		for _, i := range ids {
			u, err := user.ByIdentifier(ctx, tx, i)
			if i.Kind != user.KindEmail || errors.Is(err, user.ErrNotFound) {
				continue
			}
			if err == nil && s.addresses.Afford(u.Email) == nil {
				err = s.addresses.Exists(tx, u)
			}
			return err
		}
		return nil
	})
}

// SignUpInvited makes an account for whoever shows an invitation that was sent to its address, as a member of the organization
// that invited it, and signs it in. It needs no open sign-up: somebody asked for this person.
func (s *Service) SignUpInvited(ctx context.Context, in user.New, password, invitation string, f login.Finish, agreed ...consent.Consent) (out login.Outcome, err error) {
	if err := consent.Check(agreed); err != nil {
		return out, err
	}
	if password == "" {
		return out, s.cfg.Allow(password)
	}
	if _, err := s.orgs.Show(ctx, invitation); err != nil {
		return out, err // before anything is hashed for a stranger
	}
	ids, name, hash, err := s.prepare(ctx, in, password, true)
	if err != nil {
		return out, err
	}
	err = s.authz.Write(ctx, authz.Caller{}, func(tx *authz.Tx) error {
		u, err := s.create(tx.Tx, ids, name, hash)
		if err != nil {
			return err
		}
		if err := consent.Give(tx.Tx, u.ID, agreed...); err != nil {
			return err
		}
		if _, err := s.orgs.AcceptAs(tx, u, invitation); err != nil {
			return err
		}
		if u, err = user.ByID(ctx, tx.Tx, u.ID); err != nil { // the address is verified now
			return err
		}
		out, err = s.door.Welcome(tx.Tx, u, login.Shown{Method: "password", AMR: AMR}, f)
		return err
	})
	return s.door.Continue(ctx, out, org.Outgrown(err))
}

// Register makes an account without signing it in. The outcome has the person, or the step to be answered first.
func (s *Service) Register(ctx context.Context, in user.New, password string, g login.Given, agreed ...consent.Consent) (out login.Outcome, err error) {
	if !s.door.Config.SignUp {
		return out, login.ErrSignUpOff
	}
	if err := consent.Check(agreed); err != nil {
		return out, err
	}
	if password == "" {
		return out, s.cfg.Allow(password)
	}
	spend, step, err := s.door.AtSignUp(ctx, login.Named(in), g)
	if err != nil || step != nil {
		return login.Outcome{Step: step}, err
	}
	out.User, err = s.make(ctx, in, password, spend, agreed...)
	return out, err
}

// Create makes an account, whether people may make one for themselves or not, for holders of sys:users:create. An empty password makes
// one without.
func (s *Service) Create(ctx context.Context, c authz.Caller, in user.New, password string) (u user.User, err error) {
	if err := s.authz.Require(ctx, c, "sys:users:create", ""); err != nil {
		return u, err
	}
	return s.make(ctx, in, password, func(*database.Tx) error { return nil })
}

// make makes an account in a change that first does something else.
func (s *Service) make(ctx context.Context, in user.New, password string, first func(tx *database.Tx) error, agreed ...consent.Consent) (u user.User, err error) {
	ids, name, hash, err := s.prepare(ctx, in, password, true)
	if err != nil {
		return u, err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		if err := first(tx); err != nil {
			return err
		}
		if u, err = s.create(tx, ids, name, hash); err != nil {
			return err
		}
		if err := consent.Give(tx, u.ID, agreed...); err != nil {
			return err
		}
		return s.addresses.Welcome(tx, u, false)
	})
	return u, err
}

// prepare reads, checks and hashes. Where it may be told, a taken identifier is refused before anything is hashed.
func (s *Service) prepare(ctx context.Context, in user.New, password string, tell bool) (ids []user.Identifier, name, hash string, err error) {
	ids, name, err = s.users.Parse(in)
	var weak error
	if password != "" {
		weak = s.allow(ctx, password, in)
	}
	if err := apperr.Fields(err, weak); err != nil {
		return nil, "", "", err
	}
	if tell {
		for _, i := range ids {
			if err := s.users.Free(ctx, i); err != nil {
				return nil, "", "", err
			}
		}
	}
	if password != "" {
		hash, err = s.hasher.Hash(ctx, Normalize(password))
	}
	return ids, name, hash, err
}

func (s *Service) create(tx *database.Tx, ids []user.Identifier, name, hash string) (user.User, error) {
	u, err := user.Create(tx, ids, name)
	if err != nil || hash == "" {
		return u, err
	}
	return u, insert(tx, u.ID, hash)
}

func isTaken(err error) bool {
	return errors.Is(err, user.ErrEmailTaken) || errors.Is(err, user.ErrUsernameTaken) || errors.Is(err, user.ErrPhoneTaken)
}

// Account finds the account of an address whose password this is, or prepares to make it, or to set the first password of
// one that has none: whoever asks has shown a right to that by other means. What it returns does so as part of a change.
func (s *Service) Account(ctx context.Context, email, password string) (func(tx *database.Tx) (user.User, error), error) {
	u, err := s.users.Find(ctx, email)
	if errors.Is(err, user.ErrNotFound) {
		ids, name, hash, err := s.prepare(ctx, user.New{Email: email}, password, false) // somebody quicker is found out by the change
		if err == nil && hash == "" {
			err = ErrTooShort
		}
		return func(tx *database.Tx) (user.User, error) { return s.create(tx, ids, name, hash) }, err
	}
	if err != nil {
		return nil, err
	}
	stored, err := hashOf(ctx, s.db, u.ID)
	if err != nil {
		return nil, err
	}
	if stored != "" {
		_, err := verify(ctx, s.hasher, stored, password)
		if wrong(err) || err == nil && !u.Active() {
			err = login.ErrCredentials
		}
		return func(tx *database.Tx) (user.User, error) { return u, consume(tx, u.ID, stored, "") }, err
	}
	if err := s.fit(ctx, password, u.ID); err != nil {
		return nil, err
	}
	hash, err := s.hasher.Hash(ctx, Normalize(password))
	return func(tx *database.Tx) (user.User, error) {
		tx.Emit(Changed{u.ID})
		return u, insert(tx, u.ID, hash)
	}, err
}
