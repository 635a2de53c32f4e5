package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// sessionMemory is what one more cached session costs, between the first fifth and the last: the page caches of SQLite and
// everything else that comes once is there by then.
func (b *bench) sessionMemory() error {
	n := int64(100_000)
	if b.quick {
		n = 25_000
	}
	s, err := b.seeded(int(n), b.inspectable)
	if err != nil {
		return err
	}
	defer s.stop()
	var rss, heap [2]float64
	for i, part := range [][2]int64{{0, n / 5}, {n / 5, n}} {
		if err := b.visit(s, part[0], part[1]); err != nil {
			return err
		}
		if rss[i], err = s.memory("VmRSS"); err != nil {
			return err
		}
		if heap[i], err = s.heap(b.ctx); err != nil {
			return err
		}
	}
	more := float64(n - n/5)
	b.add(result{Name: "one cached session", Note: fmt.Sprintf("of %d more, each used once: entry, session, person, ready-made JSON, last use; RSS has the collector's headroom on top", n-n/5)},
		most("RSS", (rss[1]-rss[0])/more, 350, "bytes"), plain("alive on the heap", (heap[1]-heap[0])/more, "bytes"))
	return b.keepHeap(s)
}

// visit has each seeded person from one to another ask once.
func (b *bench) visit(s *child, from, to int64) error {
	f, err := newFleet(s.addr, connections, counting(200, func(i int64) []byte {
		if i += from; i < to {
			return me(seedCookie(i))
		}
		return nil
	}))
	if err != nil {
		return err
	}
	defer f.close()
	_, err = f.run(b.ctx, time.Minute)
	return err
}

// scale is who-am-I among few and among many people, cold and from memory.
func (b *bench) scale() error {
	many := 100_000
	if b.quick {
		many = 20_000
	}
	for _, cache := range []string{"0", "100000"} {
		small, err := b.seeded(100, b.server, "SESSION_CACHE_ENTRIES="+cache)
		if err != nil {
			return err
		}
		large, err := b.seeded(many, b.server, "SESSION_CACHE_ENTRIES="+cache)
		if err == nil {
			err = b.compare(many, cache == "0", small, large)
			large.stop()
		}
		small.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) compare(many int, cold bool, small, large *child) error {
	name := fmt.Sprintf("me at %d people by me at 100, cold", many)
	span := many
	if !cold {
		span = many / 2 // all of them fit the cache
		name = fmt.Sprintf("me at %d people by me at 100, %d warm", many, span)
		if err := b.visit(large, 0, int64(span)); err != nil {
			return err
		}
	}
	random := func(span int) func(int) talk {
		return counting(200, func(int64) []byte { return me(seedCookie(rand.Int64N(int64(span)))) })
	}
	few, err := newFleet(small.addr, connections, random(100))
	if err != nil {
		return err
	}
	defer few.close()
	lots, err := newFleet(large.addr, connections, random(span))
	if err != nil {
		return err
	}
	defer lots.close()
	var p pairs
	for i := range b.pairs + 1 {
		a, err := small.measure(b.ctx, few, b.sample/2)
		if err != nil {
			return err
		}
		c, err := large.measure(b.ctx, lots, b.sample/2)
		if err != nil {
			return err
		}
		if i > 0 {
			p.add(a, c)
		}
	}
	r := loaded(name, p.samples)
	b.add(r, most("CPU", median(p.ratios), 1.05, "×"))
	return nil
}
