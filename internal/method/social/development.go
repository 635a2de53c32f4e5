package social

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/admit-dev/admit/internal/secret"
)

const developmentCodeLife = time.Minute

// developmentName is what the provider of development is called in addresses.
const developmentName = "development"

// Development is a provider for trying: whoever types an address there is signed in with it. It answers within the process, and
// people see one page of it.
type Development struct {
	base string
	box  *secret.Box
	key  ed25519.PrivateKey
	now  func() time.Time
}

func newDevelopment(base string, box *secret.Box, now func() time.Time) *Development {
	return &Development{base, box, ed25519.NewKeyFromSeed(box.Derive("development provider", ed25519.SeedSize)), now}
}

func (d *Development) issuer() string { return d.base + "/dev/provider" }

func (d *Development) provider() Provider {
	return Provider{Name: developmentName, Title: "Development account", Issuer: d.issuer(), Scopes: openID, Trusted: true, ClientID: "admit", Secret: "development"}
}

// Claimed is who somebody says they are at the development provider.
type Claimed struct {
	Email    string
	Verified bool
	Name     string
}

type developmentCode struct {
	Claimed
	Nonce, Challenge, RedirectURI string
	Until                         time.Time
}

// Approve gives the address to go on to for whoever typed who they are, or for who does not want to.
func (d *Development) Approve(asked url.Values, who Claimed, cancelled bool) (string, error) {
	back := d.base + "/auth/" + d.provider().Name + "/callback"
	if asked.Get("redirect_uri") != back || asked.Get("client_id") != "admit" || asked.Get("code_challenge_method") != "S256" {
		return "", ErrRefused
	}
	q := url.Values{"state": {asked.Get("state")}, "iss": {d.issuer()}}
	if cancelled {
		q.Set("error", "access_denied")
		return back + "?" + q.Encode(), nil
	}
	plain, err := json.Marshal(developmentCode{who, asked.Get("nonce"), asked.Get("code_challenge"), back, d.now().Add(developmentCodeLife)})
	if err != nil {
		return "", err
	}
	q.Set("code", base64.RawURLEncoding.EncodeToString(d.box.Seal(plain, "development code")))
	return back + "?" + q.Encode(), nil
}

// RoundTrip answers what we ask it as a provider elsewhere would.
func (d *Development) RoundTrip(r *http.Request) (*http.Response, error) {
	var out any
	var err error
	switch strings.TrimPrefix(r.URL.String(), d.issuer()) {
	case "/.well-known/openid-configuration":
		out = place{Issuer: d.issuer(), Auth: d.issuer() + "/authorize", Token: d.issuer() + "/token", Keys: d.issuer() + "/keys", Algs: []string{oidc.EdDSA}, SaysWho: true}
	case "/keys":
		out = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: d.key.Public(), KeyID: "development", Algorithm: oidc.EdDSA, Use: "sig"}}}
	case "/token":
		out, err = d.token(r)
	default:
		err = errors.New("there is nothing at this address")
	}
	status := http.StatusOK
	if err != nil {
		status, out = http.StatusBadRequest, map[string]string{"error": "invalid_grant"}
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
}

func (d *Development) token(r *http.Request) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	in, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	sealed, err := base64.RawURLEncoding.DecodeString(in.Get("code"))
	if err != nil {
		return nil, err
	}
	plain, err := d.box.Open(sealed, "development code")
	if err != nil {
		return nil, err
	}
	var code developmentCode
	if err := json.Unmarshal(plain, &code); err != nil {
		return nil, err
	}
	shown := sha256.Sum256([]byte(in.Get("code_verifier")))
	if base64.RawURLEncoding.EncodeToString(shown[:]) != code.Challenge || in.Get("redirect_uri") != code.RedirectURI || !d.now().Before(code.Until) {
		return nil, errors.New("the code is of another")
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: d.key, KeyID: "development"}}, nil)
	if err != nil {
		return nil, err
	}
	subject := sha256.Sum256([]byte(strings.ToLower(code.Email)))
	text, err := jwt.Signed(signer).Claims(map[string]any{"iss": d.issuer(), "sub": hex.EncodeToString(subject[:12]), "aud": "admit", "nonce": code.Nonce, "iat": d.now().Unix(), "exp": d.now().Add(time.Minute).Unix(),
		"email": code.Email, "email_verified": code.Verified, "name": code.Name}).Serialize()
	return map[string]any{"access_token": secret.Hex32(), "token_type": "Bearer", "expires_in": 60, "id_token": text}, err
}
