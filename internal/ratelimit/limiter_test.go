package ratelimit

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clock is moved by the test and by nobody else.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time              { return time.Unix(1_700_000_000, c.ns.Load()).UTC() }
func (c *clock) advance(d time.Duration)     { c.ns.Add(int64(d)) }
func newTest(keys int) (*Limiter, *clock)    { c := &clock{}; return New(c.now, keys), c }
func perMinute(limit int) Rule               { return Rule{Name: "test", Limit: limit, Per: time.Minute} }
func take(l *Limiter, k string, r Rule) bool { return l.Take(k, r).Allowed }

// bucket is the oracle: tokens counted up, where the Limiter counts an instant down.
type bucket struct{ credit, at int64 }

func (b *bucket) refill(now, window int64) {
	b.credit = min(window, b.credit+now-b.at)
	b.at = now
}

func TestTakeIsATokenBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rule{Name: "r", Limit: rapid.IntRange(1, 50).Draw(t, "limit"), Per: time.Duration(rapid.IntRange(1, 100_000).Draw(t, "per")),
			Burst: rapid.IntRange(0, 20).Draw(t, "burst")}
		step, window := r.terms()
		l, c := newTest(1000)
		want := map[string]*bucket{}
		for range rapid.IntRange(1, 200).Draw(t, "n") {
			c.advance(time.Duration(rapid.Int64Range(0, 2*step).Draw(t, "dt")))
			key := rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "key")
			now := c.ns.Load()
			b := want[key]
			if b == nil {
				b = &bucket{window, now}
				want[key] = b
			}
			b.refill(now, window)
			if rapid.IntRange(0, 4).Draw(t, "give") == 0 {
				l.GiveBack(key, r)
				b.credit = min(window, b.credit+step)
				continue
			}
			allowed := b.credit >= step
			if allowed {
				b.credit -= step
			}
			got := l.Take(key, r)
			exp := Result{Allowed: allowed, Limit: int(window / step), Remaining: int(b.credit / step), ResetAfter: time.Duration(window - b.credit)}
			if !allowed {
				exp.RetryAfter = time.Duration(step - b.credit)
			}
			if got != exp {
				t.Fatalf("take %q: got %+v, the bucket says %+v", key, got, exp)
			}
		}
	})
}

// RL-03: however many others come in once, a key that is used up stays refused until it may go on.
func TestAFloodNeverFreesAKeyThatIsUsedUp(t *testing.T) {
	for burst := 4; burst <= 20; burst++ {
		for room := 16; room <= 40; room += 3 {
			r := Rule{Name: "r", Limit: 1, Per: 1000, Burst: burst}
			l, c := newTest(room)
			for take(l, "hot", r) {
			}
			for i := range 990 {
				c.advance(1)
				l.Take(strconv.Itoa(i), r)
				if take(l, "hot", r) {
					t.Fatalf("burst %d: freed after %d others", burst, i)
				}
				if l.Len() > room {
					t.Fatalf("%d keys where %d have room", l.Len(), room)
				}
			}
		}
	}
}

func TestFillingTheTableFreesNobody(t *testing.T) {
	const room = 256
	l, c := newTest(room)
	ip, login := perMinute(5), Rule{Name: "login", Limit: 60, Per: time.Hour, Burst: 10}
	for take(l, "attacker", ip) {
	}
	for take(l, "victim", login) {
	}
	// The flood owes longer than the attacker's address does: what counts is the part of the quota that is used.
	for i := range 40 * room {
		l.Take(strconv.Itoa(i), login)
	}
	if take(l, "attacker", ip) || take(l, "victim", login) {
		t.Fatal("a flood of other keys freed a key that had used its quota")
	}
	if l.Len() > room {
		t.Fatalf("%d keys are held where %d are allowed", l.Len(), room)
	}
	for i := range 100 {
		got := 0
		for take(l, "newcomer"+strconv.Itoa(i), login) {
			got++
		}
		if got < login.Quota()/2 || got > login.Quota() {
			t.Fatalf("newcomer %d to a full table got %d of %d", i, got, login.Quota())
		}
	}
	c.advance(2 * time.Hour)
	if res := l.Take("newcomer1", login); res.Remaining != login.Quota()-1 {
		t.Fatalf("after the window everybody starts afresh, got %+v", res)
	}
}

func TestKeysThatOweNothingAreDropped(t *testing.T) {
	l, c := newTest(100_000)
	for i := range 10_000 {
		l.Take(strconv.Itoa(i), perMinute(5))
	}
	c.advance(time.Hour)
	for i := range 10_000 {
		l.Take("new"+strconv.Itoa(i), perMinute(5))
	}
	if l.Len() > 13_000 {
		t.Fatalf("%d keys are held, 10000 of them live", l.Len())
	}
}

// RL-03: 64 at once at a limit of 5, and exactly five pass.
func TestParallelTakesNeverOverrun(t *testing.T) {
	l, _ := newTest(1000)
	var passed atomic.Int64
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for range 64 {
		wg.Go(func() {
			<-gate
			if take(l, "victim", perMinute(5)) {
				passed.Add(1)
			}
		})
	}
	close(gate)
	wg.Wait()
	if passed.Load() != 5 {
		t.Fatalf("%d passed", passed.Load())
	}
}

// RL-05: a success gives back its own take and no other.
func TestGiveBackUndoesExactlyOne(t *testing.T) {
	l, _ := newTest(1000)
	r := perMinute(5)
	for range 4 {
		l.Take("ip", r)
	}
	l.Take("ip", r)
	l.GiveBack("ip", r)
	if res := l.Take("ip", r); !res.Allowed || res.Remaining != 0 {
		t.Fatalf("the fifth place came back: %+v", res)
	}
	if take(l, "ip", r) {
		t.Fatal("more came back than was given")
	}
	l.GiveBack("never seen", r)
	if got := l.Take("never seen", r); got.Remaining != 4 {
		t.Fatalf("giving back what was not taken grew the quota: %+v", got)
	}
}

func TestRetryAfterIsTheEarliestSuccess(t *testing.T) {
	l, c := newTest(1000)
	r := Rule{Name: "id", Limit: 60, Per: time.Hour, Burst: 10}
	for take(l, "a", r) {
	}
	res := l.Take("a", r)
	if res.RetryAfter != time.Minute || res.ResetAfter != 10*time.Minute || res.Limit != 10 || r.Window() != 10*time.Minute {
		t.Fatalf("%+v", res)
	}
	var limited = res.Err()
	if !errors.Is(limited, ErrLimited) {
		t.Fatal(limited)
	}
	c.advance(res.RetryAfter - 1)
	if take(l, "a", r) {
		t.Fatal("too early")
	}
	c.advance(1)
	if !take(l, "a", r) {
		t.Fatal("RetryAfter was kept and it did not help")
	}
}

// Promise "clock jumps": set back by a day, nobody waits longer than a window.
func TestAClockSetBackLocksNobodyOut(t *testing.T) {
	l, c := newTest(1000)
	r := perMinute(5)
	l.Take("a", r)
	c.advance(-24 * time.Hour)
	if res := l.Take("a", r); res.RetryAfter > r.Window() {
		t.Fatalf("%+v", res)
	}
	if !take(l, "b", r) {
		t.Fatal("a new key is refused before the epoch")
	}
	c.advance(r.Window())
	if !take(l, "a", r) {
		t.Fatal("still locked after a window")
	}
}

func TestRulesDoNotShareACountAndABrokenRuleAllowsNothing(t *testing.T) {
	l, _ := newTest(1000)
	a, b := perMinute(1), perMinute(1)
	b.Name = "other"
	if !take(l, "k", a) || !take(l, "k", b) || take(l, "k", a) {
		t.Fatal("two rules share a count")
	}
	for _, broken := range []Rule{{}, {Name: "x", Limit: 5}, {Name: "x", Per: time.Second}, {Name: "x", Limit: -1, Per: 1}} {
		if res := l.Take("k", broken); res.Allowed || res.RetryAfter <= 0 || broken.Quota() != 0 {
			t.Errorf("%+v: %+v", broken, res)
		}
	}
	huge := Rule{Name: "huge", Limit: 1, Per: 1 << 60, Burst: 1 << 40}
	if !take(l, "k", huge) || take(l, "k", huge) {
		t.Error("a window that overflows must still limit")
	}
}

func TestOffAllowsEverything(t *testing.T) {
	l := Config{RateLimit: "off"}.Open(time.Now, nil, nil)
	for range 100 {
		if !take(l, "a", perMinute(1)) {
			t.Fatal("limited though it is off")
		}
	}
	l.GiveBack("a", perMinute(1))
	if l.Len() != 0 {
		t.Fatal("counted though it is off")
	}
	if (Config{RateLimit: "memory"}).Open(time.Now, nil, nil) == nil {
		t.Fatal("memory is off")
	}
}

func TestIPKey(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2::": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "not:an:address": "not:an:address",
	} {
		if got := IPKey(in); got != want {
			t.Errorf("IPKey(%q) = %q, want %q", in, got, want)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	r := Rule{Name: "ip", Limit: 1 << 30, Per: time.Minute}
	for _, keys := range []int{1, 100_000} {
		b.Run(fmt.Sprintf("known keys %d", keys), func(b *testing.B) {
			l := New(time.Now, 1<<18)
			names := make([]string, keys)
			for i := range names {
				names[i] = "192.0.2." + strconv.Itoa(i)
				l.Take(names[i], r)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				l.Take(names[i%keys], r)
			}
		})
	}
	b.Run("new keys, full table", func(b *testing.B) {
		l := New(time.Now, 1<<12)
		r := Rule{Name: "ip", Limit: 5, Per: time.Hour}
		names := make([]string, 1<<16)
		for i := range names {
			names[i] = "2001:db8::" + strconv.Itoa(i)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			l.Take(names[i%len(names)], r)
		}
	})
}
