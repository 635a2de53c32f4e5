package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// ErrSealed says that a sealed value cannot be opened.
var ErrSealed = errors.New("secret: this value cannot be opened: it was sealed with another key, for another place, or was changed since")

// A sealed value is this byte, a nonce of 12, the ciphertext and a tag of 16.
const sealVersion = 1

const rootSize = 32

// Box seals what the database keeps but must not be able to read: AES-256-GCM (NIST SP 800-38D) with keys from HKDF-SHA256 (RFC 5869).
type Box struct {
	prk  []byte
	aead cipher.AEAD
}

// NewBox makes a Box from a root key that lives outside the database.
func NewBox(root []byte) (*Box, error) {
	if len(root) < rootSize {
		return nil, fmt.Errorf("the root key has %d bytes and needs at least %d: make one with `openssl rand -hex 32` and keep it outside the database", len(root), rootSize)
	}
	prk, err := hkdf.Extract(sha256.New, root, nil)
	if err != nil {
		return nil, fmt.Errorf("secret: root key: %w", err)
	}
	b := &Box{prk: prk}
	block, err := aes.NewCipher(b.expand("seal", 32))
	if err != nil {
		return nil, fmt.Errorf("secret: root key: %w", err)
	}
	b.aead, err = cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("secret: root key: %w", err)
	}
	return b, nil
}

// Seal encrypts plain for one place, such as "credential.secret:crd_1"; it opens nowhere else.
func (b *Box) Seal(plain []byte, about string) []byte {
	return b.aead.Seal([]byte{sealVersion}, nil, plain, bind(about))
}

// Open decrypts what Seal made for the same place.
func (b *Box) Open(sealed []byte, about string) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, ErrSealed
	}
	plain, err := b.aead.Open(nil, nil, sealed[1:], bind(about))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// Derive gives n bytes of a key for another use, independent of every other label and of what Seal uses.
func (b *Box) Derive(label string, n int) []byte { return b.expand("derive:"+label, n) }

// GoString keeps the keys out of %#v.
func (b *Box) GoString() string { return b.String() }

// String keeps the keys out of logs.
func (b *Box) String() string { return "secret.Box" }

func (b *Box) expand(info string, n int) []byte {
	key, err := hkdf.Expand(sha256.New, b.prk, "admit:"+info, n)
	if err != nil {
		panic(err) // n is above 8,160, a mistake in the code that asks
	}
	return key
}

func bind(about string) []byte { return append([]byte{sealVersion}, about...) }
