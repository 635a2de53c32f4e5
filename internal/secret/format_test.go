package secret

import (
	"errors"
	"strings"
	"testing"
)

type vector struct{ from, encoded, password string }

// Vectors come from the test suites of the programs that write the format, or from Python's hashlib and crypt.
func vectors() []vector {
	const signer = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
	return []vector{
		{"Django, argon2i", "argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q", "secret"},
		{"Django, argon2id", "argon2$argon2id$v=19$m=102400,t=2,p=8$Y041dExhNkljRUUy$TMa6A8fPJhCAUXRhJXCXdw", "secret"},
		{"libargon2, argon2i", "$argon2i$v=19$m=4096,t=3,p=1$cmFuZG9tc2FsdGlzaGFyZA$YMvo8AUoNtnKYGqeODruCjHdiEbl1pKL2MsYy9VgU/E", "password"},
		{"libargon2, argon2id", "$argon2id$v=19$m=4096,t=3,p=1$cmFuZG9tc2FsdGlzaGFyZA$DYojYpnUWSMmTtrkVXyaNWVGxLmGe1n8VJBPDdFkbjU", "password"},
		{"Django, PBKDF2", "pbkdf2_sha256$10000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=", "lètmein"},
		{"Django, bcrypt_sha256, nothing", "bcrypt_sha256$$2a$06$/3OeRpbOf8/l6nPPRdZPp.nRiyYqPobEZGdNRBWihQhiFDh1ws1tu", ""},
		{"Django, bcrypt_sha256, $2b$", "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuulyx/yrfLnuLCi6gwFG5mrkJjuQKpL6S", "lètmein"},
		{"Django, bcrypt_sha256", "bcrypt_sha256$$2a$08$NDjSAIcas.EcoxCRiArvT.MkNiPYVhrsrnJsRkLueZOoV1bsQqlmC", "lètmein"},
		{"Django, bcrypt", "bcrypt$$2b$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG", "lètmein"},
		{"crypt, $2b$", "$2b$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG", "lètmein"},
		{"crypt, $2y$", "$2y$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG", "lètmein"},
		{"crypt, 72 bytes", "$2b$04$abcdefghijklmnopqrstuuMtJwfagkGaCKZ.IMpPJzYjhgL/xnp2C", strings.Repeat("0123456789", 7) + "ab"},
		{"crypt, MD5", "$1$seasalt$Q3MX8tNkWyI.wLEm02R47.", "lètmein"},
		{"crypt, SHA-256", "$5$rounds=1000$seasalt$RY6svlBFylEKSuBI92n2AUylFpRpf8ZirnUTu.orR0.", "lètmein"},
		{"crypt, SHA-512", "$6$seasalt$CtSLwaBALu/Gu5EyuPV3orYVkCEUjkeeYoqQxSt6xJSaajRXlXaJ2M4DIPcOJ5vUmtFE2aPlA2MdavWbEreti0", "lètmein"},
		{"Drupal 7", "$S$ErandomsaOpYrAZqwxGynirQbWYCb3ejW4BwGH81LJcOzbzeVd02", "password"},
		{"phpass", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", "test12345"},
		{"hashlib, scrypt", "$scrypt$ln=10,r=8,p=2$c2Vhc2FsdHNlYXNhbHQ$gfHvPyqSNNArOQoRUI4EO5BYGdZIgVx679z6E4rsP9Y", "lètmein"},
		{"hashlib, PBKDF2-SHA1", "$pbkdf2$1000$c2Vhc2FsdHNlYXNhbHQ$ljKA6sQlCgSUhiGrarie7/.09LY", "lètmein"},
		{"hashlib, PBKDF2-SHA256", "$pbkdf2-sha256$1000$c2Vhc2FsdHNlYXNhbHQ$FSCcWBE.QSqxZPDXfZKviamwj897EM4u7QdMV2uTX.c", "lètmein"},
		{"hashlib, PBKDF2-SHA512", "$pbkdf2-sha512$1000$c2Vhc2FsdHNlYXNhbHQ$m8j911eqjSUvOG5dgj48uy70m7zfPTg5/Isvt2oRv2UZCswYGPH58wOAQN9irrlkZiobDoWgHBYYvbuyTP2cHQ", "lètmein"},
		{"firebase/scrypt", "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=" + signer + "$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==", "user1password"},
		{"hashlib, as better-auth", "00112233445566778899aabbccddeeff:5254ec51bd62d9feecbf9d724a5dbb273e55ab757ce7b5925822d9653c93858c2f8cd4383afe8139b4e969c7ae722b2a18d5dfcfd1d15251c3822a488c99e60a", "lètmein"},
		{"firebase/scrypt, exported alphabet", "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=" + signer + "$42xEC-ixf3L2lw==$lSrfV15cpx95_sZS2W9c9Kp6i_LVgQNDNC_qzrCnh1SAyZvqmZqAjTdn3aoItz-VHjoZilo78198JAdRuid5lQ==", "user1password"},
	}
}

func TestForeignHashes(t *testing.T) {
	h := start(t, small(1, 4))
	for _, v := range vectors() {
		t.Run(v.from, func(t *testing.T) {
			if !Known(v.encoded) {
				t.Fatal("not known")
			}
			up, err := h.Verify(t.Context(), v.encoded, v.password)
			if err != nil || !strings.HasPrefix(up, "$argon2id$v=19$m=8,t=1,p=1$") {
				t.Fatalf("gives %q %v", up, err)
			}
			if up, err := h.Verify(t.Context(), up, v.password); up != "" || err != nil {
				t.Errorf("the upgraded hash gives %q %v", up, err)
			}
			for _, wrong := range []string{v.password + "x", "x" + v.password} {
				if up, err := h.Verify(t.Context(), v.encoded, wrong); up != "" || !errors.Is(err, ErrMismatch) {
					t.Errorf("a wrong password gives %q %v", up, err)
				}
			}
		})
	}
}

func TestBcryptNeverMatchesByTruncation(t *testing.T) {
	const encoded = "$2b$04$abcdefghijklmnopqrstuuMtJwfagkGaCKZ.IMpPJzYjhgL/xnp2C" // crypt(3) gives it for both passwords
	password := strings.Repeat("0123456789", 7) + "ab"
	if _, err := start(t, small(1, 4)).Verify(t.Context(), encoded, password+"tail"); !errors.Is(err, ErrMismatch) {
		t.Error(err)
	}
}

func TestCurrentHashInDjangoSpelling(t *testing.T) {
	h := start(t, small(1, 4))
	phc, err := h.Hash(t.Context(), "pw")
	if err != nil {
		t.Fatal(err)
	}
	if up, err := h.Verify(t.Context(), "argon2"+phc, "pw"); up != phc || err != nil {
		t.Errorf("gives %q %v", up, err)
	}
}

// refused is what must not be imported: unknown, broken, matched by any password, or too costly.
func refused() []string {
	const b16 = "c2Vhc2FsdHNlYXNhbHQxMjM0"
	return []string{
		"", "$", "$$", "!", "plain", "5f4dcc3b5aa765d61d8327deb882cf99", "$2", "$2a", "$2b$", "$2b$04$", "$2b$31$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG",
		"$argon2d$v=19$m=4096,t=3,p=1$cmFuZG9tc2FsdGlzaGFyZA$CB0Du96aj3fQVcVSqb0LIA6Z6fpStjzjVkaC3RlpK9A",
		"$argon2id$v=16$m=8,t=1,p=1$" + b16 + "$" + b16,
		"$argon2id$v=19$m=8,t=0,p=1$" + b16 + "$" + b16,
		"$argon2id$v=19$m=8,t=1,p=0$" + b16 + "$" + b16,
		"$argon2id$v=19$m=8,t=1,p=2$" + b16 + "$" + b16,
		"$argon2id$v=19$m=4194304,t=1,p=1$" + b16 + "$" + b16,
		"$argon2id$v=19$m=8,t=4294967295,p=1$" + b16 + "$" + b16,
		"$argon2id$v=19$m=262144,t=10,p=1$" + b16 + "$" + b16,
		"$argon2id$v=19$m=8,t=1,p=1$" + b16 + "$",
		"$argon2id$v=19$m=8,t=1,p=1$" + b16 + "$YQ",
		"$argon2id$v=19$m=8,t=1,p=1$" + b16 + "$" + strings.Repeat("YWFh", 200),
		" $argon2id$v=19$m=8,t=1,p=1$" + b16 + "$" + b16,
		"$pbkdf2-sha256$1000$" + b16 + "$=",
		"$pbkdf2-sha256$1000$" + b16 + "$YQ",
		"$pbkdf2-sha256$4000000000$" + b16 + "$" + b16,
		"$scrypt$ln=24,r=32,p=1$" + b16 + "$" + b16,
		"$scrypt$ln=17,r=8,p=64$" + b16 + "$" + b16,
		"$scrypt$ln=10,r=8,p=1$" + b16 + "$",
		"$scrypt$ln=-1,r=8,p=1$" + b16 + "$" + b16,
		"$5$rounds=999999999$seasalt$RY6svlBFylEKSuBI92n2AUylFpRpf8ZirnUTu.orR0.",
		"$P$zIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0",
		"$S$zrandomsaOpYrAZqwxGynirQbWYCb3ejW4BwGH81LJcOzbzeVd02",
		"pbkdf2_sha256$0$s$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=",
		"pbkdf2_sha256$1000000000$s$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=",
		"pbkdf2_sha256$1$s$",
		"bcrypt_sha256$", "bcrypt_sha256$$2b$31$abcdefghijklmnopqrstuulyx/yrfLnuLCi6gwFG5mrkJjuQKpL6S",
		"$fbscrypt$", "$fbscrypt$v=1,n=24,r=8,p=1,ss=Bw==,sk=" + b16 + "$" + b16 + "$" + b16,
		"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=$" + b16 + "$",
		"$fbscrypt$v=2,n=14,r=8,p=1,ss=Bw==,sk=" + b16 + "$" + b16 + "$" + b16,
	}
}

func TestRefusedHashes(t *testing.T) {
	h := start(t, small(1, 4))
	for _, encoded := range refused() {
		if Known(encoded) {
			t.Errorf("%q is known", encoded)
		}
		if _, err := h.Verify(t.Context(), encoded, ""); !errors.Is(err, ErrFormat) {
			t.Errorf("%q gives %v", encoded, err)
		}
	}
}

func TestOwnHashBeyondTheImportBound(t *testing.T) {
	f := newFormats(1<<20, 1<<22)
	const encoded = "$argon2id$v=19$m=1048576,t=4,p=1$c2Vhc2FsdHNlYXNhbHQxMjM0$c2Vhc2FsdHNlYXNhbHQxMjM0"
	if Known(encoded) || !f.known(encoded) {
		t.Error("the configured cost is to be verified, and only where it is configured")
	}
}

func FuzzVerify(f *testing.F) {
	for _, v := range vectors() {
		f.Add(v.encoded, v.password)
	}
	for _, encoded := range refused() {
		f.Add(encoded, "pw")
	}
	h := start(f, small(1, 4))
	f.Fuzz(func(t *testing.T, encoded, password string) {
		known := Known(encoded)
		_, err := h.Verify(t.Context(), encoded, password)
		switch {
		case err == nil && !known:
			t.Errorf("%q is not known and matches", encoded)
		case err != nil && !errors.Is(err, ErrMismatch) && !errors.Is(err, ErrFormat):
			t.Errorf("%q: %v", encoded, err)
		}
	})
}
