package secret

import (
	"strconv"
	"strings"

	"github.com/zitadel/passwap/argon2"
	"github.com/zitadel/passwap/bcrypt"
	"github.com/zitadel/passwap/drupal7"
	"github.com/zitadel/passwap/md5"
	"github.com/zitadel/passwap/pbkdf2"
	"github.com/zitadel/passwap/phpass"
	"github.com/zitadel/passwap/scrypt"
	"github.com/zitadel/passwap/sha2"
	"github.com/zitadel/passwap/verifier"
)

// What an imported hash may cost: a second or two of one CPU and 256 MiB, whatever its format.
const (
	maxMemory   = 256 << 10 // KiB of argon2 and scrypt
	maxWork     = 1 << 20   // KiB times passes of argon2
	maxScrypt   = 1 << 22   // N times r times p
	maxRounds   = 2_500_000 // of PBKDF2; Django 6 makes 1,200,000
	maxShaCrypt = 1_000_000 // of SHA-crypt; passlib makes 656,000
	maxPhpass   = 20        // log2
	maxBcrypt   = 14        // log2
	maxEncoded  = 1024      // characters
	maxBcrypted = 72        // bytes of a password that bcrypt sees; it passes over the rest
	maxCrypted  = 256       // bytes of a password under the formats that read it again in every round
)

// formats is the stored hashes that can be verified, and what they may cost.
type formats struct {
	memory, work int
	verifiers    []verifier.Verifier
}

func newFormats(memory, work int) formats {
	return formats{memory, work, []verifier.Verifier{
		&argon2id{}, // for Known; a Hasher has its own before these
		argon2.NewVerifier(&argon2.ValidationOpts{MaxTime: maxWork, MinMemory: 8, MaxMemory: uint32(memory), MaxThreads: 64}),
		bcrypt.NewVerifier(&bcrypt.ValidationOpts{MaxCost: maxBcrypt}),
		scrypt.NewVerifier(&scrypt.ValidationOpts{MinLN: 1, MaxLN: 24, MinR: 1, MaxR: 32, MinP: 1, MaxP: 64}),
		pbkdf2.NewVerifier(&pbkdf2.ValidationOpts{MinRounds: 1, MaxRounds: maxRounds}),
		sha2.NewVerifier(&sha2.ValidationOpts{MaxSha256Rounds: maxShaCrypt, MaxSha512Rounds: maxShaCrypt}),
		phpass.NewVerifier(&phpass.ValidationOpts{MaxRounds: maxPhpass}),
		drupal7.NewVerifier(nil),
		md5.NewVerifier(),
		djangoPBKDF2{},
		djangoBcrypt{},
		firebase{},
		betterAuth{},
	}}
}

// Known tells whether a stored hash is of a format, and within a cost, that Verify can check.
func Known(encoded string) bool { return newFormats(maxMemory, maxWork).known(plain(encoded)) }

func (f formats) known(encoded string) bool {
	if !f.sound(encoded) {
		return false
	}
	for _, v := range f.verifiers {
		if result, err := v.Validate(encoded); result == verifier.OK && err == nil {
			return true
		}
	}
	return false
}

// sound looks where passwap does not: it bounds each parameter but not their product, takes an empty or a very short
// hash, which every or many a password would match, and fails on a bcrypt hash cut off after its first characters.
func (f formats) sound(encoded string) bool {
	unprintable := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(encoded) > maxEncoded || strings.ContainsFunc(encoded, unprintable) {
		return false
	}
	part := strings.Split(encoded, "$")
	if part[0] != "" || len(part) < 2 {
		return true
	}
	switch name := part[1]; {
	case strings.HasPrefix(name, "argon2"):
		return len(part) == 6 && f.argon2(part[3]) && digest(part[5])
	case name == "scrypt":
		return len(part) == 5 && scryptParams(part[2]) && digest(part[4])
	case strings.HasPrefix(name, "pbkdf2"):
		return len(part) == 5 && digest(part[4])
	case strings.HasPrefix(name, "2"):
		return len(part) == 4 && len(encoded) == 60
	case name == "7":
		return false // passwap reads another format under this name than crypt(3) writes
	}
	return true
}

func (f formats) argon2(s string) bool {
	p, ok := params(s, "m", "t", "p")
	return ok && p[2] <= 64 && p[0] >= 8*p[2] && p[0] <= f.memory && p[1] <= f.work && p[0]*p[1] <= f.work
}

func scryptParams(s string) bool {
	p, ok := params(s, "ln", "r", "p")
	return ok && scryptFits(p[0], p[1], p[2])
}

// scryptFits bounds the memory, 128·N·r bytes, and the work of scrypt (RFC 7914).
func scryptFits(ln, r, p int) bool {
	return ln >= 1 && ln <= 24 && r >= 1 && r <= 32 && p >= 1 && p <= 64 &&
		(r<<ln)/8 <= maxMemory && p*r<<ln <= maxScrypt
}

// digest tells whether s can be the base64 of 16 to 64 bytes.
func digest(s string) bool {
	n := len(strings.TrimRight(s, "="))
	return n >= 22 && n <= 86
}

// params reads "m=1,t=2,p=3": positive numbers by these names in this order.
func params(s string, names ...string) ([]int, bool) {
	items := strings.Split(s, ",")
	if len(items) != len(names) {
		return nil, false
	}
	values := make([]int, len(names))
	for i, item := range items {
		name, value, _ := strings.Cut(item, "=")
		n, err := strconv.ParseUint(value, 10, 31)
		if name != names[i] || err != nil || n == 0 {
			return nil, false
		}
		values[i] = int(n)
	}
	return values, true
}

// plain takes off the name Django puts before hashes that are otherwise in their usual form.
func plain(encoded string) string {
	if rest, ok := strings.CutPrefix(encoded, "argon2$argon2"); ok {
		return "$argon2" + rest
	}
	if rest, ok := strings.CutPrefix(encoded, "bcrypt$$2"); ok {
		return "$2" + rest
	}
	return encoded
}

// suits tells whether the password is one that the format can tell apart, at a bounded cost.
func suits(encoded, password string) bool {
	switch {
	case strings.HasPrefix(encoded, "$2"):
		return len(password) <= maxBcrypted
	case len(encoded) > 2 && strings.Contains("$1$ $5$ $6$ $P$ $H$ $S$", encoded[:3]):
		return len(password) <= maxCrypted
	}
	return true
}
