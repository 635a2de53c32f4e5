// Package session is what a person who has signed in holds: one row that can be ended, with a cookie or a pair of tokens
// as its transport.
package session

import (
	"sync/atomic"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/user"
)

// The refusals of this package. None says whether the session was ever there.
var (
	ErrUnknown = apperr.New(apperr.Unauthenticated, "session_invalid", "You are not signed in, or your session has ended. Sign in again.")
	ErrRefresh = apperr.New(apperr.Unauthenticated, "refresh_token_invalid", "This refresh token is not valid. Sign in again. Over plain http the cookie is only sent when COOKIE_SECURE is not true.")
	ErrReused  = apperr.New(apperr.Unauthenticated, "refresh_token_reused", "This refresh token was used before. The session has been ended to be safe. Sign in again.")
	ErrNone    = apperr.New(apperr.NotFound, "session_not_found", "There is no such session.")
)

// Transport is how a session reaches us.
type Transport string

// The transports of a session.
const (
	Cookie Transport = "cookie" // an opaque session cookie
	Token  Transport = "token"  // an access token, and a refresh token that renews it
	Key    Transport = "key"    // an API key, or an access token that was made from one
)

// Trusted is what is said in amr of a session that began on a device whose person trusts it, beside what they showed.
const Trusted = "trusted"

// Reason is why a session ended.
type Reason string

// The reasons a session ends for.
const (
	SignedOut       Reason = "signed_out"
	RevokedByUser   Reason = "revoked_by_user"
	RevokedByAdmin  Reason = "revoked_by_admin"
	PasswordChanged Reason = "password_changed"
	FactorAdded     Reason = "factor_added"
	PasswordReset   Reason = "password_reset"
	Reclaimed       Reason = "reclaimed" // the owner of the address took the account over
	NotMe           Reason = "not_me"    // its person says that something was not done by them
	UserDisabled    Reason = "user_disabled"
	UserDeleted     Reason = "user_deleted"
	AccountClosed   Reason = "account_closed" // its person wants to be deleted
	IdentityRemoved Reason = "identity_removed"
	TokenReused     Reason = "token_reused"
	Replaced        Reason = "replaced"     // the same browser signed in anew
	ActingEnded     Reason = "acting_ended" // who acted in the name of its person stopped
)

// Session is one sign-in that is alive.
type Session struct {
	ID        string
	UserID    string
	Transport Transport
	AMR       []string // authentication methods, RFC 8176
	AuthAt    time.Time
	IP        string // where it was seen last
	UserAgent string
	CreatedAt time.Time
	SeenAt    time.Time // to the minute
	ExpiresAt time.Time
	OrgID     string     // the organization it works in, if its person still belongs to it
	ProvedAt  *time.Time // when they proved again that it is them
	Act       *Act       // who acts in the name of its person; nil for the person themselves

	Ceiling *authz.Ceiling // the most that may be done with it; nil for who signed in

	generation int64 // of the refresh token that is valid now; 0 when none was given
	rotatedAt  *time.Time
	salt       []byte
}

// Act is who acts in the name of another.
type Act struct {
	UserID    string
	SessionID string // their own, with which this one ends
	Reason    string
}

// Sign writes into an origin who acts by a session.
func (s *Session) Sign(o *database.Origin) {
	o.Actor, o.Session = s.UserID, s.ID
	if s.Act != nil {
		o.Actor, o.Behalf = s.Act.UserID, s.UserID
	}
}

// Live is what a valid credential proves: a session and the person it belongs to. It is shared and never changed.
type Live struct {
	Session Session
	User    user.User

	until time.Time // when the credential itself ends, if before the session
	seen  atomic.Int64
	memo  atomic.Pointer[memo]
}

type memo struct{ of, value any }

// Memo keeps what an edge derives from the person, such as their JSON, for as long as this Live is valid and of is the same.
func (l *Live) Memo(of any, derive func() any) any {
	m := l.memo.Load()
	if m == nil || m.of != of {
		m = &memo{of, derive()}
		l.memo.Store(m)
	}
	return m.value
}

type (
	// Created is told of a sign-in that became a session.
	Created struct {
		UserID    string    `json:"user_id"`
		SessionID string    `json:"session_id"`
		Transport Transport `json:"transport"`
		AMR       []string  `json:"amr"`
	}
	// Revoked is told of a session that was ended before its time.
	Revoked struct {
		UserID     string `json:"user_id"`
		SessionID  string `json:"session_id"`
		Reason     Reason `json:"reason"`
		AgeSeconds int64  `json:"age_seconds"`
	}
	// Proved is told of somebody signed in who proved again that it is them.
	Proved struct {
		UserID    string `json:"user_id"`
		SessionID string `json:"session_id"`
		Method    string `json:"method"`
	}
	// OrgSwitched is told of a session that works in another organization now.
	OrgSwitched struct {
		UserID    string `json:"user_id"`
		SessionID string `json:"session_id"`
		OrgID     string `json:"org_id"`
	}
	// Refreshed is told of a refresh token that was exchanged for its successor.
	Refreshed struct {
		UserID     string `json:"user_id"`
		SessionID  string `json:"session_id"`
		Generation int64  `json:"generation"`
	}
	// Reused is told of a refresh token that came back after its successor was used: a copy is in other hands.
	Reused struct {
		UserID     string `json:"user_id"`
		SessionID  string `json:"session_id"`
		Generation int64  `json:"generation"`
		Current    int64  `json:"current_generation"`
	}
)

func (Created) Kind() string     { return "session.created" }
func (Revoked) Kind() string     { return "session.revoked" }
func (Proved) Kind() string      { return "session.proved" }
func (OrgSwitched) Kind() string { return "session.org_switched" }
func (Refreshed) Kind() string   { return "token.refreshed" }
func (Reused) Kind() string      { return "token.reuse_detected" }

func (e Created) Subject() string     { return e.UserID }
func (e Revoked) Subject() string     { return e.UserID }
func (e Proved) Subject() string      { return e.UserID }
func (e OrgSwitched) Subject() string { return e.UserID }
func (e Refreshed) Subject() string   { return e.UserID }
func (e Reused) Subject() string      { return e.UserID }

func (Reused) Failed() {}
