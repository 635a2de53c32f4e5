package otp

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/user"
)

// Service begins sign-ins, and has codes be second factors and numbers be people's.
type Service struct {
	Deps
	methods []Method
	door    *login.Service
	notices *notice.Service
}

// NewService signs people in by way of door.
func NewService(d Deps, methods []Method, door *login.Service, notices *notice.Service) *Service {
	return &Service{d, methods, door, notices}
}

func (s *Service) method(name string) (Method, error) {
	i := slices.IndexFunc(s.methods, func(m Method) bool { return m.name == name })
	if i < 0 {
		return Method{}, login.ErrMethod
	}
	return s.methods[i], nil
}

// SendLink begins a sign-in with a link to an address. returnTo is where it leads in the end; whoever calls it allows that.
func (s *Service) SendLink(ctx context.Context, email, returnTo string) (login.Step, error) {
	i, err := user.ParseEmail(email)
	if err != nil {
		return login.Step{}, err
	}
	return s.door.Start(ctx, i.Value, Link, returnTo)
}

// SendCode begins a sign-in with a code to an address or to a number.
func (s *Service) SendCode(ctx context.Context, email, phone string) (login.Step, error) {
	method := Email
	i, err := user.ParseEmail(email)
	switch {
	case (email == "") == (phone == ""):
		return login.Step{}, ErrWho
	case phone != "":
		method = Phone
		if i, err = s.Users.ParsePhone(phone); err == nil {
			err = s.Users.Textable(i.Value)
		}
	}
	if err != nil {
		return login.Step{}, err
	}
	return s.door.Start(ctx, i.Value, method, "")
}

// Followed is what a link is about, for a page to say.
type Followed struct {
	Email string
	Code  bool // the code of the mail is asked too: it is another browser that asked for the link
}

// Show finds what a link is about for whoever holds an attempt, "" for none. Nothing is spent.
func (s *Service) Show(ctx context.Context, attempt, token string) (Followed, error) {
	c, mine, _, err := s.find(ctx, attempt, token)
	return Followed{c.Target, !mine}, err
}

func (s *Service) find(ctx context.Context, attempt, token string) (c challenge.Challenge, mine bool, n note, err error) {
	if c, err = s.Challenges.ByLink(ctx, s.DB, challenge.SignIn, token); err != nil {
		return c, false, n, err
	}
	err = json.Unmarshal([]byte(c.Data), &n)
	return c, attempt != "" && n == of(attempt, "", n.ReturnTo), n, err
}

// Follow signs in with a link: from where it was asked for as it is, from elsewhere with the code of the same mail.
func (s *Service) Follow(ctx context.Context, attempt, token, code string, f login.Finish) (login.Outcome, error) {
	c, mine, n, err := s.find(ctx, attempt, token)
	if err != nil {
		return login.Outcome{}, err
	}
	if mine {
		return s.door.Answer(ctx, attempt, login.Answer{"token": token}, f)
	}
	out, err := s.door.SignIn(ctx, c.Target, Link, login.Answer{"token": token, "code": code}, f)
	out.ReturnTo = n.ReturnTo
	return out, err
}

// SetUp sends a person the code that makes codes of a method their second factor: to the address or number that is known to be theirs, and
// nowhere else.
func (s *Service) SetUp(ctx context.Context, u user.User, sessionID, method string) error {
	m, err := s.method(method)
	switch {
	case err != nil:
		return err
	case slices.Contains(u.Factors, method):
		return ErrSetUp
	case !u.Verified(m.kind):
		return ErrUnverified
	}
	return m.send(ctx, m.enrolling(u, "", sessionID), true)
}

// Confirm has codes of a method be asked of a person from now on who shows one. What it returns stands in for them, and is shown once.
func (s *Service) Confirm(ctx context.Context, u user.User, sessionID, method, code string) (spares []string, err error) {
	m, err := s.method(method)
	if err != nil {
		return nil, err
	}
	keep, err := m.confirm(ctx, m.enrolling(u, "", sessionID), code)
	if err != nil {
		return nil, err
	}
	err = s.DB.Write(ctx, func(tx *database.Tx) error {
		if err := keep(tx); err != nil {
			return err
		}
		spares, err = s.door.Enrol(tx, u.ID, sessionID, method)
		return err
	})
	return spares, err
}

// Remove has codes of a method be asked of a person no more.
func (s *Service) Remove(ctx context.Context, userID, method string) error {
	return s.DB.Write(ctx, func(tx *database.Tx) error {
		u, err := user.ByID(ctx, tx, userID)
		if err == nil && !slices.Contains(u.Factors, method) {
			err = ErrNoFactor
		}
		if err != nil {
			return err
		}
		return s.door.Unenrol(tx, userID, method)
	})
}
