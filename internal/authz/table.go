package authz

import (
	"hash/maphash"
	"iter"
	"slices"
)

// table is a hash table in pages. A copy that differs in one key copies one page and shares the rest, so that changing one
// member of a large organization costs no more than of a small one.
type table[V any] struct {
	first page[V]   // as long as there is only one: most organizations are small
	more  []page[V] // a power of two
	n     int
	seed  maphash.Seed
}

type page[V any] struct {
	slots []slot[V] // at most three fifths full
	n     int
}

type slot[V any] struct {
	key string
	val V
	tag uint32 // of the hash; 0 when the slot is empty
}

const pageLeast = 4

// crowd is how many keys a page is made for, when there are so many pages: in a large table more, because a change copies the
// list of pages too. Twice as many, and there will be more pages.
func crowd(pages int) int { return max(128, pages/2) }

func (t *table[V]) hash(key string) uint64 { return maphash.String(t.seed, key) }

func (t *table[V]) page(h uint64) *page[V] {
	if len(t.more) == 0 {
		return &t.first
	}
	return &t.more[h&uint64(len(t.more)-1)]
}

func (t *table[V]) count() int { return max(1, len(t.more)) }

// at is the page at a place; places are numbered whether there is one or more.
func (t *table[V]) at(i int) *page[V] { return t.page(uint64(i)) }

// get takes the hash, because one key is looked for in several tables of one seed.
func (t *table[V]) get(h uint64, key string) *V {
	if t.n == 0 {
		return nil
	}
	slots, tag := t.page(h).slots, uint32(h>>32)|1
	if len(slots) == 0 {
		return nil
	}
	for i := home(h, len(slots)); slots[i].tag != 0; {
		if s := &slots[i]; s.tag == tag && s.key == key {
			return &s.val
		}
		if i++; i == len(slots) {
			i = 0
		}
	}
	return nil
}

// home is where a key is looked for first, in a page of any size.
func home(h uint64, size int) int { return int(h >> 32 * uint64(size) >> 32) }

func (t *table[V]) find(key string) *V { return t.get(t.hash(key), key) }

// all goes through the table in no order.
func (t *table[V]) all() iter.Seq2[string, *V] {
	return func(yield func(string, *V) bool) {
		for i := range t.count() {
			p := t.at(i)
			for j := range p.slots {
				if s := &p.slots[j]; s.tag != 0 && !yield(s.key, &s.val) {
					return
				}
			}
		}
	}
}

// differing gives every key of either table, leaving out the pages they share.
func differing[V any](a, b *table[V]) iter.Seq[string] {
	return func(yield func(string) bool) {
		paged := a.seed == b.seed && a.count() == b.count()
		for _, t := range [...]*table[V]{b, a} {
			for i := range t.count() {
				p := t.at(i)
				if len(p.slots) == 0 || paged && len(a.at(i).slots) > 0 && len(b.at(i).slots) > 0 && &a.at(i).slots[0] == &b.at(i).slots[0] {
					continue
				}
				for j := range p.slots {
					s := &p.slots[j]
					if s.tag != 0 && (t == b || b.find(s.key) == nil) && !yield(s.key) {
						return
					}
				}
			}
		}
	}
}

// editor changes a private copy of a table.
type editor[V any] struct {
	t   table[V]
	own []bool // pages that are copies already; nil as long as nothing was changed
}

// newTable begins an empty table for about n keys.
func newTable[V any](seed maphash.Seed, n int) *editor[V] {
	count := 1
	for count*crowd(count) < n {
		count *= 2
	}
	e := &editor[V]{t: table[V]{seed: seed}, own: make([]bool, count)}
	if count > 1 {
		e.t.more = make([]page[V], count)
	}
	each := n / count
	if count > 1 {
		each += each / 8 // by chance some get more than others
	}
	each = max(pageLeast, each*5/3+1)
	for i := range count {
		e.t.at(i).slots, e.own[i] = make([]slot[V], each), true
	}
	return e
}

func (t table[V]) edit() *editor[V] { return &editor[V]{t: t} }

func (e *editor[V]) page(h uint64) *page[V] {
	if e.own == nil {
		e.t.more, e.own = slices.Clone(e.t.more), make([]bool, e.t.count())
	}
	i := h & uint64(len(e.own)-1)
	p := e.t.page(h)
	if !e.own[i] {
		p.slots, e.own[i] = slices.Clone(p.slots), true
	}
	return p
}

// set adds or replaces, and reports whether the key is new.
func (e *editor[V]) set(key string, val V) bool {
	if count := e.t.count(); e.t.n >= 2*count*crowd(count) {
		e.grow()
	}
	h := e.t.hash(key)
	p := e.page(h)
	if (p.n+1)*5 > len(p.slots)*3 {
		p.resize(e.t.seed, max(pageLeast, len(p.slots)*3/2))
	}
	if !p.put(h, key, val) {
		return false
	}
	e.t.n++
	return true
}

func (e *editor[V]) del(key string) {
	h := e.t.hash(key)
	if e.t.get(h, key) == nil {
		return
	}
	p := e.page(h)
	for i := range p.slots {
		if p.slots[i].tag != 0 && p.slots[i].key == key {
			p.slots[i] = slot[V]{}
			break
		}
	}
	p.resize(e.t.seed, len(p.slots)) // probing must not stop at the gap
	e.t.n--
}

func (e *editor[V]) grow() {
	next := newTable[V](e.t.seed, e.t.n*2)
	for key, val := range e.t.all() {
		next.set(key, *val)
	}
	*e = *next
}

func (p *page[V]) put(h uint64, key string, val V) bool {
	tag := uint32(h>>32) | 1
	i := home(h, len(p.slots))
	for p.slots[i].tag != 0 {
		if s := &p.slots[i]; s.tag == tag && s.key == key {
			s.val = val
			return false
		}
		if i++; i == len(p.slots) {
			i = 0
		}
	}
	p.slots[i] = slot[V]{key, val, tag}
	p.n++
	return true
}

func (p *page[V]) resize(seed maphash.Seed, size int) {
	old := p.slots
	p.slots, p.n = make([]slot[V], size), 0
	for _, s := range old {
		if s.tag != 0 {
			p.put(maphash.String(seed, s.key), s.key, s.val)
		}
	}
}
