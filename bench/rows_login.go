package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

const signingIn = 8 // connections

// login is signing in with a password, with the default hash and with one that costs nothing.
func (b *bench) login() error {
	return errors.Join(b.loginOn("SQLite", usual), b.loginOn("SQLite", cheap))
}

func (b *bench) loginOn(store string, c cost, env ...string) error {
	s, _, err := b.signedUp(append(c.env(), env...)...)
	if err != nil {
		return err
	}
	defer s.stop()
	f, err := newFleet(s.addr, signingIn, always(request("POST", "/auth/login", signIn), 200))
	if err != nil {
		return err
	}
	defer f.close()
	return b.beyondHash("login", store, c, 0.7, s, f)
}

// signUp makes a new person with every request.
func (b *bench) signUp() error { return errors.Join(b.signUpWith(usual), b.signUpWith(cheap)) }

func (b *bench) signUpWith(c cost) error {
	s, _, err := b.signedUp(c.env()...)
	if err != nil {
		return err
	}
	defer s.stop()
	f, err := newFleet(s.addr, signingIn, counting(201, func(n int64) []byte {
		return request("POST", "/auth/signup", fmt.Sprintf(`{"email":"new%d@example.com","password":%q}`, n, password))
	}))
	if err != nil {
		return err
	}
	defer f.close()
	return b.beyondHash("sign-up", "SQLite", c, 1, s, f)
}

// beyondHash measures requests that hash a password, in turns with the bare hash.
func (b *bench) beyondHash(what, store string, c cost, limit float64, s *child, f fleet) error {
	d := b.sample
	if c == usual {
		d = 2 * d // some 30 hashes a second are all there are
	}
	var list []sample
	var bare, beyond []float64
	for range b.pairs {
		h, err := b.bareHash(c, d/2)
		if err != nil {
			return err
		}
		m, err := s.measure(b.ctx, f, d)
		if err != nil {
			return err
		}
		list = append(list, m)
		bare = append(bare, h.each())
		beyond = append(beyond, (m.each()-h.each())/1e3)
	}
	name := fmt.Sprintf("%s, default hash, 8 connections, %s", what, store)
	if c == cheap {
		name = fmt.Sprintf("%s, hash of 8 KiB, 8 connections, %s", what, store)
	}
	r := loaded(name, list)
	r.Note = fmt.Sprintf("bare hash %s ms", number(median(bare)/1e3))
	checks := []check{most("CPU beyond the hash", median(beyond), limit, "ms")}
	if c == usual {
		b.usualHash = median(bare) / 1e3
	} else if what == "login" && b.usualHash > 0 {
		// Of two times as long as the default hash the difference is mostly noise; here it is not.
		checks = append(checks, most("of the default hash", 100*median(beyond)/b.usualHash, 2, "%"))
	}
	b.add(r, checks...)
	return b.profile(name, s, f)
}

// bursts is many people who sign in at the same moment, on a server that was idle.
func (b *bench) bursts() error {
	dir, err := b.dataDir()
	if err != nil {
		return err
	}
	s, err := b.server(dir)
	if err != nil {
		return err
	}
	_, err = asked(s.addr, request("POST", "/auth/signup", signIn), 201)
	s.stop()
	if err != nil {
		return err
	}
	sizes := []int{64, 1000}
	if b.quick {
		sizes = sizes[:1]
	}
	for _, n := range sizes {
		if err := b.burst(dir, n); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) burst(dir string, n int) error {
	s, err := b.server(dir)
	if err != nil {
		return err
	}
	defer s.stop()
	time.Sleep(time.Second)
	idle, err := s.memory("VmRSS")
	if err != nil {
		return err
	}
	var shed atomic.Int64
	f, err := newFleet(s.addr, n, func(int) talk { return &once{req: request("POST", "/auth/login", signIn), shed: &shed} })
	if err != nil {
		return err
	}
	defer f.close()
	m, err := s.measure(b.ctx, f, 30*time.Second)
	if err != nil {
		return err
	}
	peak, err := s.memory("VmHWM")
	if err != nil {
		return err
	}
	r := result{Name: fmt.Sprintf("%d logins at once", n), P50: m.quantile(0.5), P99: m.quantile(0.99), CPU: m.each(),
		Note: fmt.Sprintf("%d signed in, %d sent away with Retry-After", int64(n)-shed.Load(), shed.Load())}
	b.add(r, most("peak RSS over idle", (peak-idle)/(1<<20), float64(b.workers()*usual.KiB)/1024+32, "MiB"),
		most("last answer", m.took.Seconds(), 10, "s"))
	return nil
}

// storm is who-am-I while others guess passwords without end.
func (b *bench) storm() error {
	s, cookie, err := b.signedUp("LOCKOUT_AFTER=0") // each guess is hashed, which is the most it can cost
	if err != nil {
		return err
	}
	defer s.stop()
	calm, err := newFleet(s.addr, connections, always(me(cookie), 200))
	if err != nil {
		return err
	}
	defer calm.close()
	wrong := fmt.Sprintf(`{"email":%q,"password":"not the one"}`, email)
	guessing, err := newFleet(s.addr, 16, always(request("POST", "/auth/login", wrong), 401))
	if err != nil {
		return err
	}
	defer guessing.close()
	var quiet, loud []sample
	var share, guesses []float64
	for range min(b.pairs, 4) {
		a, err := s.measure(b.ctx, calm, b.sample)
		if err != nil {
			return err
		}
		c, g, err := b.both(s, calm, guessing)
		if err != nil {
			return err
		}
		quiet, loud = append(quiet, a), append(loud, c)
		share = append(share, 100*c.perSecond()/a.perSecond())
		guesses = append(guesses, g.perSecond())
	}
	b.add(loaded("me, calm", quiet))
	r := loaded("me, during 16 connections of wrong logins", loud)
	r.CPU = 0 // that of the hashes is in it
	r.Note = number(median(guesses)) + " wrong logins/s beside it"
	b.add(r, least("of calm req/s", median(share), 80, "%"), most("p99", r.P99, 5, "ms"))
	return nil
}

// both loads a server with f while g has been at it for a moment and goes on.
func (b *bench) both(s *child, f, g fleet) (a, c sample, err error) {
	head := b.sample / 3
	done := make(chan error, 1)
	go func() {
		var err error
		c, err = g.run(b.ctx, b.sample+2*head)
		done <- err
	}()
	time.Sleep(head)
	a, err = s.measure(b.ctx, f, b.sample)
	if err2 := <-done; err == nil {
		err = err2
	}
	return a, c, err
}
