package social

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/oauth2"
)

// asking asks a provider with the token it gave out.
type asking struct {
	provider *line
	token    string
}

// body is what is at an address.
func (a asking) body(ctx context.Context, address string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.provider.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", r.URL.Host, resp.Status)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		err = fmt.Errorf("%s: the answer broke off: %v", r.URL.Host, err) // it did answer
	}
	return body, err
}

func (a asking) into(ctx context.Context, address string, v any) error {
	body, err := a.body(ctx, address)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return nil
}

// read finds out who a token is of: by the ID token with OpenID Connect, and without it by asking.
func (l *line) read(ctx context.Context, p *place, token *oauth2.Token, nonce string) (Profile, error) {
	ask := asking{l, token.AccessToken}
	var said claims
	var err error
	if l.Issuer == "" {
		said, err = l.user(ctx, ask, p)
	} else {
		said, err = l.identity(ctx, ask, p, token, nonce)
	}
	if err != nil {
		return Profile{}, err
	}
	out := l.profile(said)
	if l.Look != nil {
		err = l.Look(ctx, ask, said, &out)
	}
	return out, err
}

func (l *line) user(ctx context.Context, ask asking, p *place) (claims, error) {
	address := p.User
	if l.Ask != nil {
		address = l.Ask(l.Provider, ask.token)
	}
	body, err := ask.body(ctx, address)
	if err != nil {
		return nil, err
	}
	return readClaims(body)
}

// identity verifies the ID token, and asks for the address where the token leaves it out.
func (l *line) identity(ctx context.Context, ask asking, p *place, token *oauth2.Token, nonce string) (claims, error) {
	text, _ := token.Extra("id_token").(string)
	if text == "" {
		return nil, errors.New("there is no ID token")
	}
	var silent error
	verified, err := p.verifier.Verify(context.WithValue(ctx, silentKey{}, &silent), text)
	if err = errors.Join(silent, err); err != nil {
		return nil, err
	}
	var raw json.RawMessage
	if err := verified.Claims(&raw); err != nil {
		return nil, err
	}
	said, err := readClaims(raw)
	if err != nil {
		return nil, err
	}
	azp := said.text("azp")
	switch {
	case !l.issued(p, verified.Issuer, said):
		return nil, errors.New("the ID token is of another issuer")
	case azp != "" && azp != l.ClientID, azp == "" && len(verified.Audience) > 1:
		return nil, errors.New("the ID token is of another client")
	case verified.IssuedAt.IsZero() || verified.Expiry.IsZero():
		return nil, errors.New("the ID token has no time")
	case (said.at("nonce") != nil || !l.NoNonce) && subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(nonce)) != 1:
		return nil, errors.New("the ID token has another nonce")
	case verified.AccessTokenHash != "" && verified.VerifyAccessToken(token.AccessToken) != nil:
		return nil, errors.New("the ID token is of another access token")
	}
	if said.text("email") != "" || p.User == "" {
		return said, nil
	}
	more, err := l.user(ctx, ask, p)
	if err != nil {
		return nil, err
	}
	if more.text("sub") != verified.Subject {
		return nil, errors.New("the user info is of somebody else")
	}
	for name, value := range more {
		if _, there := said[name]; !there {
			said[name] = value
		}
	}
	return said, nil
}

func (l *line) issued(p *place, issuer string, said claims) bool {
	if l.Issued != nil && l.Issued(l.Provider, issuer, said) {
		return true
	}
	return issuer == p.Issuer && issuer == l.Issuer
}
