package webhook

import (
	"encoding/json"

	"github.com/admit-dev/admit/internal/database"
)

// setMedia is the media type of a Security Event Token, and less "application/" the typ of its header (RFC 8417, section 2.3).
const setMedia, setType = "application/secevent+jwt", "secevent+jwt"

// signal is what Shared Signals call a kind of event.
type signal struct {
	uri    string
	detail map[string]any
}

const (
	caep = "https://schemas.openid.net/secevent/caep/event-type/"
	risc = "https://schemas.openid.net/secevent/risc/event-type/"
)

// signals are the kinds of events that a Security Event Token can tell of: OpenID CAEP 1.0, sections 3.1 and 3.3, and RISC 1.0, section 2.
var signals = map[string]signal{
	"session.revoked":  {caep + "session-revoked", nil},
	"password.changed": {caep + "credential-change", map[string]any{"credential_type": "password", "change_type": "update"}},
	"password.reset":   {caep + "credential-change", map[string]any{"credential_type": "password", "change_type": "update"}},
	"password.removed": {caep + "credential-change", map[string]any{"credential_type": "password", "change_type": "delete"}},
	"user.disabled":    {risc + "account-disabled", nil},
	"user.enabled":     {risc + "account-enabled", nil},
	"user.closed":      {risc + "account-disabled", nil}, // its owner wants it deleted
	"user.reopened":    {risc + "account-enabled", nil},
	"user.deleted":     {risc + "account-purged", nil},
}

// tells reports whether an event of a kind can be told of in a format.
func (f Format) tells(kind string) bool {
	_, is := signals[kind]
	return f == Events || is
}

type issSub struct {
	Format  string `json:"format"`
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
}

type opaque struct {
	Format string `json:"format"`
	ID     string `json:"id"`
}

// complexSubject names a session of a person (OpenID Shared Signals 1.0, section 3.4).
type complexSubject struct {
	Format  string `json:"format"`
	User    issSub `json:"user"`
	Session opaque `json:"session"`
}

// claims are those of a Security Event Token: no exp, and no sub, so that it is taken for no other token (RFC 8417, section 4).
type claims struct {
	Issuer   string                    `json:"iss"`
	Audience string                    `json:"aud"`
	ID       string                    `json:"jti"`
	IssuedAt int64                     `json:"iat"`
	Subject  any                       `json:"sub_id"` // RFC 9493
	Events   map[string]map[string]any `json:"events"`
}

// set is an event as a Security Event Token for an address. Its jti is the id of the event, at each try.
func (s *Service) set(r database.Record, audience string) ([]byte, error) {
	if s.sign == nil {
		return nil, ErrShared
	}
	var about struct {
		UserID    string `json:"user_id"`
		SessionID string `json:"session_id"`
	}
	if err := json.Unmarshal(r.Data, &about); err != nil {
		return nil, err
	}
	known := signals[r.Kind]
	detail := map[string]any{"event_timestamp": r.At.Unix()}
	for name, v := range known.detail {
		detail[name] = v
	}
	switch r.Origin.Actor {
	case "":
	case about.UserID:
		detail["initiating_entity"] = "user"
	default:
		detail["initiating_entity"] = "admin"
	}
	user := issSub{"iss_sub", s.issuer, about.UserID}
	c := claims{s.issuer, audience, r.ID, s.db.Now().Unix(), user, map[string]map[string]any{known.uri: detail}}
	if r.Kind == "session.revoked" {
		c.Subject = complexSubject{"complex", user, opaque{"opaque", about.SessionID}}
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	text, err := s.sign(setType, payload)
	return []byte(text), err
}
