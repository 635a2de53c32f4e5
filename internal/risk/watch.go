package risk

import (
	"hash/maphash"
	"sync"
	"time"
)

// spans are the networks that an address is counted with, and how many times as much as of one address is usual there.
var spans = []struct {
	name  string
	times int
}{{"address", 1}, {"network", 5}, {"provider", 50}}

const (
	half       = 30 * time.Minute // what is counted is forgotten after one to two of these
	mostKeys   = 1 << 16          // networks in one half: some 10 MB, and 40 where each tried a list
	mostNames  = 64               // different names that are told apart at one address
	whatFailed = 0
	whatSigned = 1
)

// watch counts what networks do, in the memory of this server: in the present half hour and in the one before. When there are too many
// networks a half ends early.
type watch struct {
	seed maphash.Seed

	mu          sync.Mutex
	until       time.Time
	now, before map[uint64]*tally
}

// tally is what one network did. Names are hashes of hashes.
type tally struct {
	did   [2]int
	names []uint64
}

func newWatch() *watch { return &watch{seed: maphash.MakeSeed()} }

// turn begins another half when the present one is over.
func (w *watch) turn(at time.Time) {
	switch {
	case w.now != nil && at.Before(w.until) && at.After(w.until.Add(-2*half)) && len(w.now) < mostKeys:
		return
	case w.now != nil && at.Before(w.until.Add(half)):
		w.before = w.now
	default:
		w.before = nil
	}
	w.now, w.until = map[uint64]*tally{}, at.Add(half)
}

func (w *watch) hash(text string) uint64 { return maphash.String(w.seed, text) }

// count notes one more of what at each of the networks, and at the first of them for whom.
func (w *watch) count(at time.Time, what int, networks []string, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(at)
	for i, n := range networks {
		key := w.hash(n)
		t := w.now[key]
		if t == nil {
			t = &tally{}
			w.now[key] = t
		}
		t.did[what]++
		if i == 0 && name != "" {
			t.note(w.hash(name))
		}
	}
}

func (t *tally) note(name uint64) {
	for _, n := range t.names {
		if n == name {
			return
		}
	}
	if len(t.names) < mostNames {
		t.names = append(t.names, name)
	}
}

// counted is how many of what each of the networks did, and for how many names the first of them failed.
func (w *watch) counted(at time.Time, what int, networks []string) (did []int, names int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(at)
	all := tally{}
	for i, n := range networks {
		did = append(did, 0)
		key := w.hash(n)
		for _, half := range []map[uint64]*tally{w.now, w.before} {
			t := half[key]
			if t == nil {
				continue
			}
			did[i] += t.did[what]
			if i == 0 {
				for _, name := range t.names {
					all.note(name)
				}
			}
		}
	}
	return did, len(all.names)
}
