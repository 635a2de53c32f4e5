package secret

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"github.com/zitadel/passwap/verifier"
)

const (
	argonPrefix = "$argon2id$v=19$"
	argonSalt   = 16
	argonKey    = 32
)

// argon2id makes new hashes, in the PHC string format, and verifies those of any cost; it is a passwap.Hasher.
type argon2id struct {
	costs  []int     // memory in KiB, passes, lanes
	memory sync.Pool // of *[]block; it gives them back when nobody has signed in for a while
}

func newArgon2id(c Config) *argon2id {
	a := &argon2id{costs: []int{c.MemoryKiB, c.Iterations, c.Parallelism}}
	a.memory.New = func() any {
		b := make([]block, c.MemoryKiB)
		return &b
	}
	return a
}

// prefix is how every hash of the current costs begins.
func (a *argon2id) prefix() string {
	return fmt.Sprintf("%sm=%d,t=%d,p=%d$", argonPrefix, a.costs[0], a.costs[1], a.costs[2])
}

// Hash implements passwap.Hasher.
func (a *argon2id) Hash(password string) (string, error) {
	salt := Random(argonSalt)
	key := a.key(password, salt, a.costs, argonKey)
	return a.prefix() + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(key), nil
}

// Validate implements verifier.Verifier.
func (*argon2id) Validate(encoded string) (verifier.Result, error) {
	_, _, _, result, err := parseArgon2id(encoded)
	return result, err
}

// Verify implements verifier.Verifier.
func (a *argon2id) Verify(encoded, password string) (verifier.Result, error) {
	costs, salt, want, result, err := parseArgon2id(encoded)
	if result != verifier.OK {
		return result, err
	}
	if !Equal(a.key(password, salt, costs, len(want)), want) {
		return verifier.Fail, nil
	}
	if !strings.HasPrefix(encoded, a.prefix()) || len(salt) != argonSalt || len(want) != argonKey {
		return verifier.NeedUpdate, nil
	}
	return verifier.OK, nil
}

func (a *argon2id) key(password string, salt []byte, costs []int, size int) []byte {
	m, t, p := uint32(costs[0]), uint32(costs[1]), uint32(costs[2])
	if costs[0] > a.costs[0] {
		return idKey(make([]block, m), []byte(password), salt, t, m, p, uint32(size))
	}
	b := a.memory.Get().(*[]block)
	defer a.memory.Put(b)
	return idKey(*b, []byte(password), salt, t, m, p, uint32(size))
}

func parseArgon2id(encoded string) (costs []int, salt, hash []byte, _ verifier.Result, _ error) {
	rest, ok := strings.CutPrefix(encoded, argonPrefix)
	if !ok {
		return nil, nil, nil, verifier.Skip, nil
	}
	part := strings.Split(rest, "$")
	if len(part) != 3 {
		return nil, nil, nil, verifier.Fail, errCost
	}
	costs, ok = params(part[0], "m", "t", "p")
	salt, saltErr := base64.RawStdEncoding.DecodeString(part[1])
	hash, hashErr := base64.RawStdEncoding.DecodeString(part[2])
	if !ok || saltErr != nil || hashErr != nil || costs[0] < 8*costs[2] {
		return nil, nil, nil, verifier.Fail, errCost
	}
	return costs, salt, hash, verifier.OK, nil
}
