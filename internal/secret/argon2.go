package secret

import (
	"encoding/binary"
	_ "unsafe" // for go:linkname

	_ "golang.org/x/crypto/argon2"
)

// The arithmetic of argon2 is that of golang.org/x/crypto/argon2, assembly included. Only the loop around it is here:
// the library hands the work to goroutines of its own, off the thread of low priority, and allocates its memory anew
// for each hash. TestArgon2IsTheLibrarys holds the two together when the library is updated.

const blockLength = 128

type block [blockLength]uint64

//go:linkname initHash golang.org/x/crypto/argon2.initHash
func initHash(password, salt, key, data []byte, time, memory, threads, keyLen uint32, mode int) [72]byte

//go:linkname blake2bHash golang.org/x/crypto/argon2.blake2bHash
func blake2bHash(out, in []byte)

//go:linkname processBlock golang.org/x/crypto/argon2.processBlock
func processBlock(out, in1, in2 *block)

//go:linkname processBlockXOR golang.org/x/crypto/argon2.processBlockXOR
func processBlockXOR(out, in1, in2 *block)

//go:linkname indexAlpha golang.org/x/crypto/argon2.indexAlpha
func indexAlpha(rand uint64, lanes, segments, threads, n, slice, lane, index uint32) uint32

//go:linkname extractKey golang.org/x/crypto/argon2.extractKey
func extractKey(b []block, memory, threads, keyLen uint32) []byte

const (
	modeID     = 2
	syncPoints = 4
)

// idKey is argon2id (RFC 9106) in the calling thread and in memory that is used again.
func idKey(b []block, password, salt []byte, time, memory, threads, keyLen uint32) []byte {
	h0 := initHash(password, salt, nil, nil, time, memory, threads, keyLen, modeID)
	memory = max(memory/(syncPoints*threads), 2) * syncPoints * threads
	b = b[:memory]
	lanes := memory / threads
	var first [1024]byte
	for lane := range threads {
		binary.LittleEndian.PutUint32(h0[68:], lane)
		for i := range uint32(2) {
			binary.LittleEndian.PutUint32(h0[64:], i)
			blake2bHash(first[:], h0[:])
			at := &b[lane*lanes+i]
			for k := range at {
				at[k] = binary.LittleEndian.Uint64(first[k*8:])
			}
		}
	}
	for n := range time {
		for slice := range uint32(syncPoints) {
			for lane := range threads {
				segment(b, time, n, slice, lane, memory, threads)
			}
		}
	}
	return extractKey(b, memory, threads, keyLen)
}

func segment(b []block, time, n, slice, lane, memory, threads uint32) {
	lanes := memory / threads
	segments := lanes / syncPoints
	independent := n == 0 && slice < syncPoints/2
	mix := processBlockXOR
	if n == 0 {
		mix = processBlock // there is nothing yet to keep, or what the last hash left
	}
	var addresses, in, zero block
	if independent {
		in = block{uint64(n), uint64(lane), uint64(slice), uint64(memory), uint64(time), modeID}
	}
	next := func() {
		in[6]++
		processBlock(&addresses, &in, &zero)
		processBlock(&addresses, &addresses, &zero)
	}
	index := uint32(0)
	if n == 0 && slice == 0 {
		index = 2 // the first two blocks are there already
		next()
	}
	for offset := lane*lanes + slice*segments + index; index < segments; index, offset = index+1, offset+1 {
		prev := offset - 1
		if index == 0 && slice == 0 {
			prev += lanes
		}
		var random uint64
		if independent {
			if index%blockLength == 0 {
				next()
			}
			random = addresses[index%blockLength]
		} else {
			random = b[prev][0]
		}
		mix(&b[offset], &b[prev], &b[indexAlpha(random, lanes, segments, threads, n, slice, lane, index)])
	}
}
