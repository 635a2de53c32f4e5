package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/secret"
)

// key is a signing key in memory.
type key struct {
	ID        string
	Algorithm jose.SignatureAlgorithm
	ActiveAt  time.Time
	verify    any         // the public half, or the shared secret
	signer    jose.Signer // of access tokens; nil when the private half cannot be opened
	private   any
	public    *jose.JSONWebKey
}

const accessType = "at+jwt" // RFC 9068, section 2.1

// hold takes the private half.
func (k *key) hold(private any) (err error) {
	k.private = private
	k.signer, err = k.newSigner(accessType)
	return err
}

func (k *key) newSigner(typ jose.ContentType) (jose.Signer, error) {
	opt := (&jose.SignerOptions{}).WithType(typ).WithHeader("kid", k.ID) // of a shared key go-jose tells no id by itself
	return jose.NewSigner(jose.SigningKey{Algorithm: k.Algorithm, Key: jose.JSONWebKey{Key: k.private, KeyID: k.ID, Algorithm: string(k.Algorithm)}}, opt)
}

// sharedKey is the key of verifiers that hold ACCESS_SECRET. It is in no key set.
func sharedKey(s string) (*key, error) {
	sum := sha256.Sum256([]byte("key id " + s))
	k := &key{ID: "hs_" + hex.EncodeToString(sum[:6]), Algorithm: jose.HS256, verify: []byte(s)}
	return k, k.hold([]byte(s))
}

// generate makes a key pair and the row that keeps it. It is slow for RS256.
func generate(alg string, box *secret.Box, now, active time.Time) (keyRow, error) {
	var private crypto.Signer
	var err error
	switch jose.SignatureAlgorithm(alg) {
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case jose.RS256:
		private, err = rsa.GenerateKey(rand.Reader, 3072)
	default:
		err = errors.New("token: no such algorithm: " + alg)
	}
	if err != nil {
		return keyRow{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return keyRow{}, err
	}
	r := keyRow{ID: id.New("sig"), Algorithm: alg, CreatedAt: now, ActiveAt: active}
	jwk, err := json.Marshal(jose.JSONWebKey{Key: private.Public(), KeyID: r.ID, Algorithm: alg, Use: "sig"})
	r.Public = string(jwk)
	r.Private = box.Seal(der, "signing_keys/private/"+r.ID)
	return r, err
}

// open makes a row usable. A private half that was sealed with another key is left out: its tokens can still be checked.
func open(r keyRow, box *secret.Box) (*key, error) {
	var public jose.JSONWebKey
	if err := json.Unmarshal([]byte(r.Public), &public); err != nil {
		return nil, err
	}
	k := &key{ID: r.ID, Algorithm: jose.SignatureAlgorithm(r.Algorithm), ActiveAt: r.ActiveAt, verify: public.Key, public: &public}
	der, err := box.Open(r.Private, "signing_keys/private/"+r.ID)
	if err != nil {
		return k, nil
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	return k, k.hold(private)
}
