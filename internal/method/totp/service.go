package totp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
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

// Method asks for the code of an authenticator app, and sets apps up.
type Method struct {
	db     *database.DB
	box    *secret.Box
	issuer string
}

// NewMethod checks codes with secrets that box has sealed. Apps call this site as cfg says, or else as host.
func NewMethod(db *database.DB, box *secret.Box, cfg Config, host string) Method {
	return Method{db, box, cmp.Or(cfg.Issuer, host)}
}

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
func (Method) Begin(context.Context, login.Attempt) (login.Prompt, error) { return ask(), nil }

func ask() login.Prompt {
	return login.Prompt{Fields: []login.Field{{Name: "code", Type: "code", Autocomplete: "one-time-code"}}}
}

// Offer asks for the code of an app that is set up with what it gives.
func (m Method) Offer(ctx context.Context, a login.Attempt) (login.Prompt, error) {
	setup, err := m.SetUp(ctx, *a.User)
	p := ask()
	p.Challenge = setup
	return p, err
}

// Confirm judges the code of an app that is set up inside a sign-in.
func (m Method) Confirm(ctx context.Context, a login.Attempt, in login.Answer) (login.Proof, error) {
	keep, err := m.confirm(ctx, a.User.ID, in["code"])
	if errors.Is(err, ErrCode) {
		err = login.ErrCode // it counts as a guess, as any other at the door
	}
	return login.Proof{AMR: AMR, Consume: keep}, err
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
	door *login.Service
}

// NewService works with the apps of m.
func NewService(m Method, door *login.Service) *Service { return &Service{m, door} }

// SetUp makes a secret for a person's app. It counts for nothing before Confirm, and until then the app there is goes on to count.
func (m Method) SetUp(ctx context.Context, u user.User) (Setup, error) {
	key, err := rfc6238.Generate(rfc6238.GenerateOpts{Issuer: m.issuer, AccountName: cmp.Or(u.Email, u.Username, u.Phone, u.ID), Period: period,
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
	sealed := m.box.Seal([]byte(key.Secret()), about(u.ID))
	err = m.db.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(SetupBegun{u.ID})
		return setPending(tx, u.ID, sealed, tx.Now.Add(pendingLife))
	})
	return Setup{key.Secret(), key.URL(), "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture.Bytes())}, err
}

// Confirm has the app count from now on, for whoever shows a code of it. What it returns stands in for a lost one, and is shown once.
func (s *Service) Confirm(ctx context.Context, userID, sessionID, code string) (spares []string, err error) {
	keep, err := s.confirm(ctx, userID, code)
	if err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		if err := keep(tx); err != nil {
			return err
		}
		spares, err = s.door.Enrol(tx, userID, sessionID, Name)
		return err
	})
	return spares, err
}

// confirm judges a code of an app that waits. What it returns keeps the app.
func (m Method) confirm(ctx context.Context, userID, code string) (keep func(tx *database.Tx) error, err error) {
	r, err := find(ctx, m.db, userID)
	if err != nil {
		return nil, err
	}
	if r.Pending == nil || !m.db.Now().Before(*r.PendingUntil) {
		return nil, ErrPending
	}
	plain, err := m.box.Open(r.Pending, about(userID))
	if err != nil {
		return nil, err
	}
	step, ok := match(string(plain), code, m.db.Now(), 0)
	if !ok {
		return nil, ErrCode
	}
	return func(tx *database.Tx) error {
		ok, err := confirm(tx, userID, r.Pending, step)
		if err == nil && !ok {
			err = ErrPending
		}
		if err == nil {
			tx.Emit(Confirmed{userID})
		}
		return err
	}, nil
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
