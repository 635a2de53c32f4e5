package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/zitadel/passwap/verifier"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/scrypt"
	"golang.org/x/text/unicode/norm"
)

var errCost = errors.New("secret: the parameters of this password hash are out of bounds")

func decided(equal bool) verifier.Result {
	if equal {
		return verifier.OK
	}
	return verifier.Fail
}

// djangoPBKDF2 verifies pbkdf2_sha256$iterations$salt$base64, the default of Django.
type djangoPBKDF2 struct{}

func (djangoPBKDF2) Validate(encoded string) (verifier.Result, error) {
	_, _, _, result, err := djangoPBKDF2{}.parse(encoded)
	return result, err
}

func (djangoPBKDF2) Verify(encoded, password string) (verifier.Result, error) {
	rounds, salt, want, result, err := djangoPBKDF2{}.parse(encoded)
	if result != verifier.OK {
		return result, err
	}
	got, err := pbkdf2.Key(sha256.New, password, salt, rounds, len(want))
	return decided(err == nil && Equal(got, want)), err
}

func (djangoPBKDF2) parse(encoded string) (rounds int, salt, hash []byte, _ verifier.Result, _ error) {
	part := strings.Split(encoded, "$")
	if part[0] != "pbkdf2_sha256" || len(part) != 4 {
		return 0, nil, nil, verifier.Skip, nil
	}
	rounds, err := strconv.Atoi(part[1])
	if err != nil || rounds < 1 || rounds > maxRounds {
		return 0, nil, nil, verifier.Fail, errCost
	}
	hash, err = base64.StdEncoding.DecodeString(part[3])
	if err != nil || len(hash) != sha256.Size {
		return 0, nil, nil, verifier.Fail, errCost
	}
	return rounds, []byte(part[2]), hash, verifier.OK, nil
}

// djangoBcrypt verifies bcrypt_sha256$$2b$…: bcrypt of the hexadecimal SHA-256 of the password, which has no limit of 72 bytes.
type djangoBcrypt struct{}

func (djangoBcrypt) Validate(encoded string) (verifier.Result, error) {
	inner, ok := strings.CutPrefix(encoded, "bcrypt_sha256$")
	if !ok {
		return verifier.Skip, nil
	}
	cost, err := bcrypt.Cost([]byte(inner))
	if err != nil || len(inner) != 60 || cost > maxBcrypt {
		return verifier.Fail, errCost
	}
	return verifier.OK, nil
}

func (d djangoBcrypt) Verify(encoded, password string) (verifier.Result, error) {
	if result, err := d.Validate(encoded); result != verifier.OK {
		return result, err
	}
	sum := hex.EncodeToString(Sum(password))
	err := bcrypt.CompareHashAndPassword([]byte(strings.TrimPrefix(encoded, "bcrypt_sha256$")), []byte(sum))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return verifier.Fail, nil
	}
	return decided(err == nil), err
}

// firebase verifies Firebase's scrypt (github.com/firebase/scrypt): the signer key of the project, encrypted with a key
// that scrypt derives from the password, as $fbscrypt$v=1,n=…,r=…,p=1,ss=<salt separator>,sk=<signer key>$<salt>$<hash>.
type firebase struct{}

type firebaseHash struct {
	ln, r, p               int
	salt, signer, expected []byte
}

func (firebase) Validate(encoded string) (verifier.Result, error) {
	_, result, err := firebase{}.parse(encoded)
	return result, err
}

func (firebase) Verify(encoded, password string) (verifier.Result, error) {
	h, result, err := firebase{}.parse(encoded)
	if result != verifier.OK {
		return result, err
	}
	key, err := scrypt.Key([]byte(password), h.salt, 1<<h.ln, h.r, h.p, 32)
	if err != nil {
		return verifier.Fail, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return verifier.Fail, err
	}
	got := make([]byte, len(h.signer))
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(got, h.signer) // the key is fresh, so a zero counter is sound
	return decided(Equal(got, h.expected)), nil
}

func (firebase) parse(encoded string) (h firebaseHash, _ verifier.Result, _ error) {
	rest, ok := strings.CutPrefix(encoded, "$fbscrypt$")
	if !ok {
		return h, verifier.Skip, nil
	}
	part := strings.Split(rest, "$")
	costs, keys, ok := strings.Cut(rest, ",ss=")
	if !ok || len(part) != 3 {
		return h, verifier.Fail, errCost
	}
	p, ok := params(costs, "v", "n", "r", "p")
	if !ok || p[0] != 1 || !scryptFits(p[1], p[2], p[3]) {
		return h, verifier.Fail, errCost
	}
	keys, _, _ = strings.Cut(keys, "$")
	separator, signer, _ := strings.Cut(keys, ",sk=")
	var failed [4]error
	h.ln, h.r, h.p = p[1], p[2], p[3]
	h.salt, failed[0] = unbase64(part[1])
	between, err := unbase64(separator)
	failed[1] = err
	h.signer, failed[2] = unbase64(signer)
	h.expected, failed[3] = unbase64(part[2])
	h.salt = append(h.salt, between...)
	if errors.Join(failed[:]...) != nil || len(h.signer) < 16 || len(h.expected) != len(h.signer) {
		return h, verifier.Fail, errCost
	}
	return h, verifier.OK, nil
}

// unbase64 reads both alphabets of RFC 4648: Firebase exports hashes in the URL-safe one and keys in the other.
func unbase64(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(s))
}

// betterAuth verifies the scrypt of better-auth, <salt>:<hash> in hexadecimal: the salt is taken as the text it is written in, and the
// password in NFKC.
type betterAuth struct{}

const betterAuthLog, betterAuthR = 14, 16

func (betterAuth) Validate(encoded string) (verifier.Result, error) {
	_, _, result, err := betterAuth{}.parse(encoded)
	return result, err
}

func (betterAuth) Verify(encoded, password string) (verifier.Result, error) {
	salt, want, result, err := betterAuth{}.parse(encoded)
	if result != verifier.OK {
		return result, err
	}
	got, err := scrypt.Key([]byte(norm.NFKC.String(password)), []byte(salt), 1<<betterAuthLog, betterAuthR, 1, len(want))
	return decided(err == nil && Equal(got, want)), err
}

func (betterAuth) parse(encoded string) (salt string, hash []byte, _ verifier.Result, _ error) {
	salt, text, ok := strings.Cut(encoded, ":")
	if !ok || strings.Trim(encoded, "0123456789abcdef:") != "" {
		return "", nil, verifier.Skip, nil
	}
	hash, err := hex.DecodeString(text)
	if err != nil || len(salt) < 16 || len(hash) != 64 {
		return "", nil, verifier.Fail, errCost
	}
	return salt, hash, verifier.OK, nil
}

// OpenBetterAuth decrypts what better-auth keeps sealed with its secret: a nonce of 24 bytes and XChaCha20-Poly1305
// (draft-irtf-cfrg-xchacha), in hexadecimal, with $ba$<version>$ before it where secrets are rotated.
func OpenBetterAuth(key, sealed string) (string, error) {
	if rest, ok := strings.CutPrefix(sealed, "$ba$"); ok {
		_, sealed, _ = strings.Cut(rest, "$")
	}
	data, err := hex.DecodeString(sealed)
	if err != nil || len(data) < chacha20poly1305.NonceSizeX {
		return "", ErrSealed
	}
	aead, err := chacha20poly1305.NewX(Sum(key))
	if err != nil {
		return "", err
	}
	plain, err := aead.Open(nil, data[:chacha20poly1305.NonceSizeX], data[chacha20poly1305.NonceSizeX:], nil)
	if err != nil {
		return "", ErrSealed
	}
	return string(plain), nil
}
