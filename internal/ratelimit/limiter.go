package ratelimit

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"time"
)

// Limiter counts in memory. A nil Limiter allows everything: that is what RATE_LIMIT=off gives.
//
// Its size is bounded. When it is full of keys that all owe something, a new key takes the place of the one that has used the
// least part of its quota among a few, so keys that were used once never push out one that is used up: filling the table
// frees nobody. What the forgotten owed is kept in a small table they share, and whoever falls on the same place there starts
// with that debt, up to half his quota: so strangers are still limited, and a flood never shuts them out.
type Limiter struct {
	now    func() time.Time
	epoch  time.Time
	seed   maphash.Seed
	shards []shard
	shared *shared // what all servers count together; nil when each counts for itself
}

const (
	maxShards = 64
	minPer    = 16 // keys a shard holds at least, so that choosing among a few means something
	sample    = 8  // keys looked at when a new one comes in
	slots     = 64 // places for the forgotten, for each shard and window
)

type shard struct {
	mu        sync.Mutex
	live      map[uint64]debt
	forgotten map[int64]*[slots]int64 // by window, which is what makes debts of different rules comparable
	max       int
	_         [24]byte // keeps two shards off one cache line
}

// debt is paid at the instant until, in nanoseconds since the epoch of the Limiter.
type debt struct{ until, window int64 }

// New makes a Limiter that holds at most maxKeys keys.
func New(now func() time.Time, maxKeys int) *Limiter {
	maxKeys = max(maxKeys, 1)
	n := min(maxShards, max(1, maxKeys/minPer))
	n = 1 << (bits.Len(uint(n)) - 1)
	l := &Limiter{now: now, seed: maphash.MakeSeed(), shards: make([]shard, n)}
	// Years ago, so that a clock set back does not make instants negative; Add keeps the monotonic reading, so that a real
	// clock set back is not even noticed.
	l.epoch = now().Add(-10 * 365 * 24 * time.Hour)
	for i := range l.shards {
		l.shards[i] = shard{live: map[uint64]debt{}, forgotten: map[int64]*[slots]int64{}, max: maxKeys / n}
	}
	return l
}

// Take counts one event of key under r, unless the rule says no: here, and where servers count together also there. What this server
// has counted holds also while the other count cannot be asked, or was lost.
func (l *Limiter) Take(key string, r Rule) Result {
	if l == nil {
		return Result{Allowed: true, Limit: r.Quota(), Remaining: r.Quota()}
	}
	here := l.take(key, r)
	if l.shared == nil || !here.Allowed {
		return here
	}
	all, err := l.shared.take(key, r, l.now())
	if err != nil || all.Allowed && all.Remaining > here.Remaining {
		return here
	}
	if !all.Allowed {
		l.giveBack(key, r)
	}
	return all
}

func (l *Limiter) take(key string, r Rule) Result {
	step, window := r.terms()
	if step == 0 {
		return Result{RetryAfter: time.Hour}
	}
	h := l.hash(key, r.Name)
	s := l.shard(h)
	now := l.elapsed()

	s.mu.Lock()
	defer s.mu.Unlock()
	d, known := s.live[h]
	if !known {
		d.until = s.inherited(h, step, window, now)
	} else if d.until > now+window { // the clock was set back
		d.until = now + window
		s.live[h] = d
	}
	until := max(d.until, now)
	res := Result{Limit: int(window / step)}
	if until+step > now+window {
		res.ResetAfter = time.Duration(until - now)
		res.RetryAfter = time.Duration(until + step - now - window)
		return res
	}
	until += step
	if !known {
		s.makeRoom(now)
	}
	s.live[h] = debt{until, window}
	res.Allowed = true
	res.Remaining = int((now + window - until) / step)
	res.ResetAfter = time.Duration(until - now)
	return res
}

// GiveBack undoes exactly one Take of key under r: for what turned out not to count, as a password that was right.
func (l *Limiter) GiveBack(key string, r Rule) {
	if l == nil {
		return
	}
	l.giveBack(key, r)
	if l.shared != nil {
		l.shared.giveBack(key, r, l.now())
	}
}

func (l *Limiter) giveBack(key string, r Rule) {
	step, window := r.terms()
	if step == 0 {
		return
	}
	h := l.hash(key, r.Name)
	s := l.shard(h)
	now := l.elapsed()

	s.mu.Lock()
	defer s.mu.Unlock()
	d, known := s.live[h]
	if !known {
		return
	}
	if d.until = min(d.until, now+window) - step; d.until <= now {
		delete(s.live, h)
		return
	}
	s.live[h] = d
}

// Len is how many keys are held at this instant, those that owe nothing any more included.
func (l *Limiter) Len() int {
	if l == nil {
		return 0
	}
	n := 0
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		n += len(s.live)
		s.mu.Unlock()
	}
	return n
}

// hash stands for the key: addresses of people are not kept, long keys cost nothing, and the seed is unknown outside, so
// nobody can choose a key that collides with another's.
func (l *Limiter) hash(key, rule string) uint64 {
	var h maphash.Hash
	h.SetSeed(l.seed)
	h.WriteString(rule)
	h.WriteByte(0)
	h.WriteString(key)
	return h.Sum64()
}

func (l *Limiter) shard(h uint64) *shard { return &l.shards[h&uint64(len(l.shards)-1)] }

func (l *Limiter) elapsed() int64 { return int64(l.now().Sub(l.epoch)) }

// makeRoom looks at a few keys, drops those that owe nothing, and forgets one if the shard is still full. Looking on every
// new key keeps what is out of date below one in eight without a sweeper.
func (s *shard) makeRoom(now int64) {
	var victim uint64
	least, looked := 2.0, 0
	for h, d := range s.live {
		if d.until <= now {
			delete(s.live, h)
		} else if used := float64(d.until-now) / float64(d.window); used < least {
			victim, least = h, used
		}
		if looked++; looked == sample {
			break
		}
	}
	if len(s.live) >= s.max {
		s.forget(victim)
	}
}

func (s *shard) forget(h uint64) {
	d := s.live[h]
	delete(s.live, h)
	table := s.forgotten[d.window]
	if table == nil {
		table = new([slots]int64)
		s.forgotten[d.window] = table
	}
	place := &table[slot(h)]
	*place = max(*place, d.until)
}

func (s *shard) inherited(h uint64, step, window, now int64) int64 {
	table := s.forgotten[window]
	if table == nil {
		return 0
	}
	place := &table[slot(h)]
	*place = min(*place, now+window) // the clock was set back
	return min(*place, now+window/step/2*step)
}

// slot uses bits that have no part in choosing the shard.
func slot(h uint64) uint64 { return h >> 32 % slots }
