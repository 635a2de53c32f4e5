// Package wordlist knows the passwords that are guessed first: those that leaked most often, and plain words.
package wordlist

import (
	"bytes"
	_ "embed"
	"hash/fnv"
	"strings"
	"sync"

	"github.com/FastFilter/xorfilter"
)

// filter is a binary fuse filter of 16 bits (Graf and Lemire, 2022) of the lower-case entries: scripts/vendor-wordlist.sh makes it.
//
//go:embed words.bin
var filter []byte

var load = sync.OnceValue(func() *xorfilter.BinaryFuse[uint16] {
	f, err := xorfilter.LoadBinaryFuse[uint16](bytes.NewReader(filter))
	if err != nil {
		panic(err) // a file of our own
	}
	return f
})

// Has reports whether a password is on the list, in whatever case. Of 65,536 that are not, one is said to be.
func Has(password string) bool { return load().Contains(Key(password)) }

// Key is what the list keeps of an entry.
func Key(password string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.ToLower(password)))
	return h.Sum64()
}
