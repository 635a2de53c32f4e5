package otp

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"strings"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

// Method asks for what it sends.
type Method struct {
	Deps
	name string
	kind string // of the identifier it goes to
	by   notify.Channel
	ask  challenge.Ask
	uses login.Use
	amr  string // RFC 8176
}

// Deps are what a Method stands on.
type Deps struct {
	DB         *database.DB
	Challenges *challenge.Service
	Notify     *notify.Service
	Users      *user.Service
	Door       login.Config
	Base       string // of links
}

// NewMethods makes those that cfg enables and that messages get anywhere by.
func NewMethods(cfg Config, d Deps) (list []Method) {
	const both = login.First | login.Second | login.StepUp | login.Passes // guesses are counted where codes are kept
	for _, m := range []struct {
		on bool
		Method
	}{
		{cfg.Link, Method{d, Link, user.KindEmail, notify.Email, challenge.Link | challenge.Code, login.First | login.Passes | login.Mail, "otp"}},
		{cfg.Email, Method{d, Email, user.KindEmail, notify.Email, challenge.Code, both | login.Mail, "otp"}},
		{cfg.Phone, Method{d, Phone, user.KindPhone, notify.SMS, challenge.Code, both | login.Text, "sms"}},
	} {
		if m.on && d.Notify.Carries(m.by) {
			list = append(list, m.Method)
		}
	}
	return list
}

// Name is "magiclink", "email" or "phone".
func (m Method) Name() string { return m.name }

// Uses are to open the door; of codes also to be a second factor, and to show again who one is.
func (m Method) Uses() login.Use { return m.uses }

// Reads takes six digits, or what stands in a link.
func (m Method) Reads(in login.Answer) bool {
	return len(clean(in["code"])) == 6 || m.ask&challenge.Link != 0 && in["token"] != ""
}

// Opens reports whether a person has shown that the address or number is theirs.
func (m Method) Opens(ctx context.Context, q database.Querier, userID string) (bool, error) {
	u, err := user.ByID(ctx, q, userID)
	return u.Verified(m.kind), err
}

// note is what is kept of what was sent: whose attempt or session asked, and where its browser wants to be.
type note struct {
	For      string `json:"for"`
	ReturnTo string `json:"return_to,omitempty"`
}

func (n note) text() string {
	text, err := json.Marshal(n)
	if err != nil {
		panic(err) // two strings
	}
	return string(text)
}

// of is the note of whoever holds the secret of an attempt, or of a session.
func of(attempt, sessionID, returnTo string) note {
	return note{hex.EncodeToString(secret.Sum(attempt + " " + sessionID)), returnTo}
}

// sending is what is sent in an attempt, and what has to come back. At the first step it goes to where was typed, to whoever that is; later
// to what its person has shown to be theirs. Its Target is empty when there is no such place. reaches says whether it may let anybody in.
func (m Method) sending(a login.Attempt) (c challenge.Challenge, reaches bool) {
	c = challenge.Challenge{Purpose: challenge.SignIn, Data: of(a.ID, a.SessionID, a.ReturnTo).text()}
	if a.User != nil {
		c.UserID = a.User.ID
	}
	if len(a.Shown) == 0 && a.SessionID == "" {
		if a.Identifier.Kind == m.kind {
			c.Target, c.About = a.Identifier.Value, m.kind+" "+a.Identifier.Value
		}
		return c, m.Door.Reaches(a.User, m.kind)
	}
	c.Purpose, c.About = challenge.SecondFactor, m.kind+" "+c.UserID
	if a.User != nil && a.User.Verified(m.kind) {
		c.Target = m.address(*a.User)
	}
	return c, true
}

// enrolling is what is sent to a person in an attempt or a session, and makes codes of this kind their second factor. Its Target is empty when
// nothing is known to be theirs.
func (m Method) enrolling(u user.User, attempt, sessionID string) challenge.Challenge {
	c := challenge.Challenge{Purpose: challenge.Enrol, About: m.kind + " " + u.ID, UserID: u.ID, Data: of(attempt, sessionID, "").text()}
	if u.Verified(m.kind) {
		c.Target = m.address(u)
	}
	return c
}

func (m Method) address(u user.User) string {
	if m.kind == user.KindPhone {
		return u.Phone
	}
	return u.Email
}

// Begin sends the message, unless it was sent just now, and asks for what stands in it.
func (m Method) Begin(ctx context.Context, a login.Attempt) (login.Prompt, error) {
	c, reaches := m.sending(a)
	return m.prompt(ctx, a, c, reaches)
}

// Offer sends a code to where its person is known to be reached: whoever shows it has codes be their second factor.
func (m Method) Offer(ctx context.Context, a login.Attempt) (login.Prompt, error) {
	return m.prompt(ctx, a, m.enrolling(*a.User, a.ID, ""), true)
}

func (m Method) prompt(ctx context.Context, a login.Attempt, c challenge.Challenge, reaches bool) (login.Prompt, error) {
	p := login.Prompt{Fields: []login.Field{{Name: "code", Type: "code", Autocomplete: "one-time-code"}}}
	if c.Target == "" {
		return p, nil
	}
	last, err := m.Challenges.Open(ctx, m.DB, c.Purpose, c.About)
	if err == nil && last.Data == c.Data && m.DB.Now().Before(last.ExpiresAt.Add(again-Life)) {
		return p, nil
	}
	if err != nil && !errors.Is(err, challenge.ErrCode) {
		return p, err
	}
	err = m.send(ctx, c, reaches)
	if no := apperr.Of(err); len(a.Shown) > 0 && no.Kind == apperr.TooMany {
		p.Wait, err = int(math.Ceil(no.RetryAfter.Seconds())), nil // the attempt is not lost by it: there may be another way
	}
	return p, err
}

// send sends what c says, and to nobody when it lets nobody in: as much work as to somebody.
func (m Method) send(ctx context.Context, c challenge.Challenge, reaches bool) error {
	if err := m.afford(ctx, c.Target); err != nil {
		return err
	}
	return m.DB.Write(ctx, func(tx *database.Tx) error {
		c.ExpiresAt = tx.Now.Add(Life)
		sent, err := m.Challenges.Issue(tx, c, m.ask)
		if err != nil {
			return err
		}
		msg := notify.Message{To: c.Target, Channel: m.by, UserID: c.UserID, Nobody: !reaches, Expires: c.ExpiresAt, Content: notify.OneTimeCode{Code: sent.Code, Where: notify.Here(tx)}}
		if sent.Token != "" {
			msg.Content = notify.MagicLink{Link: m.Base + "/auth/magic-link?token=" + url.QueryEscape(sent.Token), Code: sent.Code, Where: notify.Here(tx)}
		}
		return m.Notify.Send(tx, msg)
	})
}

func (m Method) afford(ctx context.Context, to string) error {
	if m.by != notify.SMS {
		return m.Challenges.Afford(to)
	}
	if err := m.Users.Textable(to); err != nil {
		return err
	}
	return m.Challenges.AffordText(ctx, to)
}

// Verify judges a code in the attempt that it was sent in, or a link.
func (m Method) Verify(ctx context.Context, a login.Attempt, in login.Answer) (login.Proof, error) {
	c, _ := m.sending(a)
	proof := login.Proof{AMR: m.amr, Owns: c.Purpose == challenge.SignIn}
	if c.Target == "" {
		return proof, login.ErrCode
	}
	var err error
	if in["token"] != "" && m.ask&challenge.Link != 0 {
		proof.Consume, err = m.follow(ctx, c, in["token"], in["code"])
	} else {
		proof.Consume, err = m.answer(ctx, c, in["code"])
	}
	return proof, err
}

// Confirm judges the code that shows that codes arrive.
func (m Method) Confirm(ctx context.Context, a login.Attempt, in login.Answer) (login.Proof, error) {
	keep, err := m.confirm(ctx, m.enrolling(*a.User, a.ID, ""), in["code"])
	return login.Proof{AMR: m.amr, Consume: func(tx *database.Tx) error { return told(keep(tx)) }}, told(err)
}

// confirm judges a code. What it returns spends it, while its person is reached where it went.
func (m Method) confirm(ctx context.Context, c challenge.Challenge, code string) (func(tx *database.Tx) error, error) {
	was, spend, err := m.Challenges.Answer(ctx, c.Purpose, c.About, clean(code))
	if err == nil && was.Data != c.Data {
		err = challenge.ErrCode
	}
	return func(tx *database.Tx) error {
		if err := spend(tx); err != nil {
			return err
		}
		now, err := user.ByID(tx.Context(), tx, c.UserID)
		if err == nil && (!now.Verified(m.kind) || m.address(now) != was.Target) {
			err = challenge.ErrCode
		}
		return err
	}, err
}

// answer judges the code of what was sent. It counts for where it went and for whoever asked for it.
func (m Method) answer(ctx context.Context, c challenge.Challenge, code string) (func(tx *database.Tx) error, error) {
	was, spend, err := m.Challenges.Answer(ctx, c.Purpose, c.About, clean(code))
	if err == nil && (was.Target != c.Target || was.Data != c.Data) {
		err = challenge.ErrCode
	}
	return func(tx *database.Tx) error { return told(spend(tx)) }, told(err)
}

// follow judges a link. From where it was asked for it is enough, from elsewhere it takes the code beside it: a link is forwarded, and
// followed by programs.
func (m Method) follow(ctx context.Context, c challenge.Challenge, token, code string) (func(tx *database.Tx) error, error) {
	was, err := m.Challenges.ByLink(ctx, m.DB, challenge.SignIn, token)
	switch {
	case err != nil:
		return nil, err
	case was.About != c.About:
		return nil, challenge.ErrLink
	case was.Data == c.Data:
		return func(tx *database.Tx) error {
			_, err := m.Challenges.TakeLink(tx, challenge.SignIn, token)
			return err
		}, nil
	case code == "":
		return nil, ErrBrowser
	}
	return m.answer(ctx, was, code)
}

// told is a refusal in the words of a sign-in.
func told(err error) error {
	if errors.Is(err, challenge.ErrCode) {
		return login.ErrCode.Say(challenge.ErrCode.Message).Because(err)
	}
	return err
}

// clean makes what was typed the code that was meant.
func clean(code string) string { return strings.NewReplacer(" ", "", "-", "").Replace(code) }
