package totp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"image/png"
	"time"

	"github.com/pquerna/otp"
	rfc6238 "github.com/pquerna/otp/totp"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

const (
	pendingLife = 15 * time.Minute
	pixels      = 256
)

// Method asks for the code of an authenticator app.
type Method struct {
	db  *database.DB
	box *secret.Box
}

// NewMethod checks codes with secrets that box has sealed.
func NewMethod(db *database.DB, box *secret.Box) Method { return Method{db, box} }

// Name is "totp".
func (Method) Name() string { return Name }

// Uses are to be a second factor, and to show again who one is.
func (Method) Uses() login.Use { return login.Second | login.StepUp }

// Reads takes six digits.
func (Method) Reads(in login.Answer) bool { return digitsOnly(in["code"]) }

// Discard takes a person's app away.
func (Method) Discard(tx *database.Tx, userID string) error {
	ok, err := discard(tx, userID)
	if ok {
		tx.Emit(Removed{userID})
	}
	return err
}

// Begin asks for the code.
func (Method) Begin(context.Context, login.Attempt) (login.Prompt, error) {
	return login.Prompt{Fields: []login.Field{{Name: "code", Type: "code", Autocomplete: "one-time-code"}}}, nil
}

// Verify finds the time step whose code was typed. The change that uses it up decides who was first.
func (m Method) Verify(ctx context.Context, a login.Attempt, in login.Answer) (login.Proof, error) {
	if a.User == nil {
		return login.Proof{}, login.ErrCode
	}
	r, err := find(ctx, m.db, a.User.ID)
	if err != nil {
		return login.Proof{}, err
	}
	if r.Secret == nil {
		return login.Proof{}, login.ErrCode
	}
	plain, err := m.box.Open(r.Secret, about(a.User.ID))
	if err != nil {
		return login.Proof{}, err
	}
	step, ok := match(string(plain), in["code"], m.db.Now(), r.LastStep)
	if !ok {
		return login.Proof{}, login.ErrCode
	}
	return login.Proof{AMR: AMR, Consume: func(tx *database.Tx) error {
		ok, err := spend(tx, a.User.ID, r.Secret, step)
		if err == nil && !ok {
			return login.ErrCode // somebody was quicker with it
		}
		return err
	}}, nil
}

func about(userID string) string { return "totp_secrets.secret:" + userID }

// Service sets authenticator apps up.
type Service struct {
	Method
	issuer string
	door   *login.Service
}

// NewService names this site as cfg says, or else as host.
func NewService(m Method, cfg Config, host string, door *login.Service) *Service {
	return &Service{m, cmp.Or(cfg.Issuer, host), door}
}

// SetUp makes a secret for a person's app. It counts for nothing before Confirm, and until then the app there is goes on to count.
func (s *Service) SetUp(ctx context.Context, u user.User) (Setup, error) {
	key, err := rfc6238.Generate(rfc6238.GenerateOpts{Issuer: s.issuer, AccountName: cmp.Or(u.Email, u.Username, u.Phone, u.ID), Period: period,
		SecretSize: 20, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return Setup{}, err
	}
	image, err := key.Image(pixels, pixels)
	if err != nil {
		return Setup{}, err
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image); err != nil {
		return Setup{}, err
	}
	sealed := s.box.Seal([]byte(key.Secret()), about(u.ID))
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(SetupBegun{u.ID})
		return setPending(tx, u.ID, sealed, tx.Now.Add(pendingLife))
	})
	return Setup{key.Secret(), key.URL(), "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture.Bytes())}, err
}

// Confirm has the app count from now on, for whoever shows a code of it. What it returns stands in for a lost one, and is shown once.
func (s *Service) Confirm(ctx context.Context, userID, sessionID, code string) (spares []string, err error) {
	r, err := find(ctx, s.db, userID)
	if err != nil {
		return nil, err
	}
	if r.Pending == nil || !s.db.Now().Before(*r.PendingUntil) {
		return nil, ErrPending
	}
	plain, err := s.box.Open(r.Pending, about(userID))
	if err != nil {
		return nil, err
	}
	step, ok := match(string(plain), code, s.db.Now(), 0)
	if !ok {
		return nil, ErrCode
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		ok, err := confirm(tx, userID, r.Pending, step)
		if err == nil && !ok {
			return ErrPending
		}
		if err != nil {
			return err
		}
		tx.Emit(Confirmed{userID})
		spares, err = s.door.Enrol(tx, userID, sessionID, Name)
		return err
	})
	return spares, err
}

// Remove forgets a person's app.
func (s *Service) Remove(ctx context.Context, userID string) error {
	return s.db.Write(ctx, func(tx *database.Tx) error {
		ok, err := remove(tx, userID)
		if err == nil && !ok {
			return ErrNone
		}
		if err != nil {
			return err
		}
		tx.Emit(Removed{userID})
		return s.door.Unenrol(tx, userID, Name)
	})
}
