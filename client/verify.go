package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/admit-dev/admit/internal/revoked"
)

// User is who sent a request, as their access token says.
type User struct {
	ID        string
	Roles     []string // global roles
	OrgID     string   // the organization they work in; "" outside of any
	OrgRoles  []string // the keys of their roles there
	SessionID string
	AMR       []string  // how they signed in, RFC 8176
	AuthAt    time.Time // when they last proved who they are
	ActorID   string    // who acts in their name; "" for themselves
}

// HasRole reports whether the person holds a global role.
func (u *User) HasRole(role string) bool { return slices.Contains(u.Roles, role) }

// claims are those of an access token: RFC 9068, and those of Admit.
type claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  string   `json:"aud"`
	ExpiresAt int64    `json:"exp"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	SessionID string   `json:"sid"`
	Type      string   `json:"typ"`
	Roles     []string `json:"roles"`
	Org       string   `json:"org"`
	OrgRoles  []string `json:"org_roles"`
	Revision  string   `json:"rev"`
	AMR       []string `json:"amr"`
	AuthTime  int64    `json:"auth_time"`
	Act       *struct {
		Subject string `json:"sub"`
	} `json:"act"`
}

const (
	longest = 8 << 10          // more than an access token can have
	leeway  = 30 * time.Second // how far clocks may differ
	rest    = 5 * time.Second  // between two questions for a key that is not known
	answer  = 5 * time.Second  // how long the server may take
)

// Verify is whose a token is, or one of ErrToken, ErrEnded, ErrOutdated and ErrStale. It asks the server only for a key it has not seen yet.
func (c *Client) Verify(ctx context.Context, token string) (*User, error) {
	if len(token) > longest {
		return nil, ErrToken
	}
	payload, ok := c.open(ctx, token, "at+jwt")
	var t claims
	if !ok || json.Unmarshal(payload, &t) != nil {
		return nil, ErrToken
	}
	now := c.opt.Now()
	soon := now.Add(leeway).Unix()
	if t.Issuer != c.issuer || t.Audience != c.opt.Audience || t.Type != "access" || t.Subject == "" || t.ExpiresAt <= now.Unix() || t.NotBefore > soon || t.IssuedAt > soon {
		return nil, ErrToken
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	switch {
	case c.set.Ended(t.SessionID):
		return nil, ErrEnded
	case c.set.Outdated(t.Subject, t.Org, t.Revision):
		return nil, ErrOutdated
	case c.opt.OnStale == Refuse && c.stale():
		return nil, ErrStale
	}
	u := &User{ID: t.Subject, Roles: t.Roles, OrgID: t.Org, OrgRoles: t.OrgRoles, SessionID: t.SessionID, AMR: t.AMR, AuthAt: time.Unix(t.AuthTime, 0)}
	if t.Act != nil {
		u.ActorID = t.Act.Subject
	}
	return u, nil
}

// open checks the signature of a token of a type (RFC 8725, sections 3.1, 3.2 and 3.11).
func (c *Client) open(ctx context.Context, token, typ string) (payload []byte, ok bool) {
	algorithms := []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256}
	if c.opt.Secret != "" {
		algorithms = []jose.SignatureAlgorithm{jose.HS256}
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(token[strings.LastIndexByte(token, '.')+1:]); err != nil {
		return nil, false // the same signature, written in another way
	}
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return nil, false
	}
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != typ {
		return nil, false
	}
	if c.opt.Secret != "" {
		payload, err = signed.Verify([]byte(c.opt.Secret))
		return payload, err == nil
	}
	key, ok := c.key(ctx, header.KeyID)
	if !ok || key.Algorithm != header.Algorithm {
		return nil, false
	}
	payload, err = signed.Verify(key.Key)
	return payload, err == nil
}

// key is the public key with an id. One that is not known may be new.
func (c *Client) key(ctx context.Context, id string) (jose.JSONWebKey, bool) {
	if key, ok := c.known(id); ok {
		return key, true
	}
	c.fetching.Lock() // whoever comes while another asks waits for the answer
	defer c.fetching.Unlock()
	if key, ok := c.known(id); ok || time.Since(c.asked) < rest {
		return key, ok
	}
	c.asked = time.Now()
	if err := c.fetch(context.WithoutCancel(ctx)); err != nil { // it is asked for others, too
		c.opt.Log.WarnContext(ctx, "the keys of the Admit server cannot be read", "err", err)
	}
	return c.known(id)
}

func (c *Client) known(id string) (jose.JSONWebKey, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	key, ok := c.keys[id]
	return key, ok
}

// fetch reads the key set, which replaces the one before.
func (c *Client) fetch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	resp, err := c.get(ctx, "/.well-known/jwks.json")
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&set); err != nil {
		return err
	}
	keys := map[string]jose.JSONWebKey{}
	for _, key := range set.Keys {
		if key.IsPublic() && key.Valid() {
			keys[key.KeyID] = key
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys = keys
	return nil
}

// hear takes in a message of the feed.
func (c *Client) hear(ctx context.Context, text string) bool {
	payload, ok := c.open(ctx, text, revoked.Type)
	var m revoked.Message
	if !ok || json.Unmarshal(payload, &m) != nil || m.Issuer != c.issuer {
		return false
	}
	now := c.opt.Now()
	if at := time.Unix(m.At, 0); now.Sub(at) > leeway || at.Sub(now) > leeway {
		return false // an old one, shown again
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set.Add(m, now)
	if c.heard.IsZero() {
		close(c.ready)
	}
	c.heard = time.Now()
	return true
}
