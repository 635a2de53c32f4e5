package secret

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"golang.org/x/crypto/argon2"
)

func TestArgon2IsTheLibrarys(t *testing.T) {
	memory := make([]block, 600)
	for range 300 {
		p := 1 + rand.Uint32N(5)
		m := 8*p + rand.Uint32N(500)
		n := 1 + rand.Uint32N(4)
		size := 4 + rand.Uint32N(80)
		password, salt := Random(rand.IntN(80)), Random(rand.IntN(40))
		want := argon2.IDKey(password, salt, n, m, uint8(p), size)
		if got := idKey(memory, password, salt, n, m, p, size); !bytes.Equal(got, want) {
			t.Fatalf("m=%d t=%d p=%d: %x and not %x", m, n, p, got, want)
		}
	}
}
