package secret

import (
	"runtime"
	"runtime/metrics"
	"sync"
)

// sweeper keeps the memory of finished hashes from piling up. Each hash leaves a block of many MiB behind, and the
// collector, which paces itself by the whole heap, would let several of them lie.
type sweeper struct {
	block uint64 // bytes that one hash leaves behind

	mu    sync.Mutex
	left  uint64 // bytes left behind since the last collection
	cycle uint64
}

const allowance = 16 << 20

// after counts the blocks just left behind and collects when they are too many.
func (s *sweeper) after(blocks int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cycle, live := heap()
	if cycle != s.cycle {
		s.cycle, s.left = cycle, 0
	}
	s.left += uint64(blocks) * s.block
	// A collection costs as much as there is alive, so a large heap may keep a part of itself in such blocks.
	if s.left < max(allowance, live/4) {
		return
	}
	s.left = 0
	done := make(chan struct{})
	go func() { // not here: this thread may be starved, and everything waits for who stops the world
		defer close(done)
		runtime.GC()
	}()
	<-done
	s.cycle, _ = heap()
}

// heap gives the number of collections so far and the bytes the last one found alive.
func heap() (cycle, live uint64) {
	sample := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64(), sample[1].Value.Uint64()
}
