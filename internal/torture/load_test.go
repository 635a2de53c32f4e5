package torture_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// state is what a client knows of something of its own.
type state int

const (
	alive   state = iota // an answer said so
	ended                // an answer said so
	unknown              // a request was under way, and no answer came
)

// held is a session somebody has.
type held struct {
	state    state
	token    bool   // a refresh token, not a cookie
	current  string // the credential
	previous string // the refresh token before it
}

// person is somebody who signed up.
type person struct {
	email    string
	id       string
	state    state
	sessions []*held
}

// worker is one client that does one thing after the other and writes down every answer.
type worker struct {
	name   string
	server *caller
	people []*person
	n      int
	acks   int
}

// load is many workers at once.
type load struct {
	workers []*worker
	all     sync.WaitGroup
	stop    atomic.Bool
	faults  chan string  // answers that should not be
	lost    atomic.Int64 // requests without an answer
}

func newLoad(name string, n int) *load {
	l := &load{faults: make(chan string, 100)}
	for i := range n {
		l.workers = append(l.workers, &worker{name: fmt.Sprintf("%s-%d", name, i)})
	}
	return l
}

// run begins the work against one server. It ends with the first request that fails, or with stop.
func (l *load) run(server *caller) {
	for _, w := range l.workers {
		w.server = server
		l.all.Go(func() {
			for !l.stop.Load() {
				fault, err := w.step()
				if fault != "" {
					select {
					case l.faults <- fault:
					default:
					}
				}
				if err != nil {
					l.lost.Add(1)
					return
				}
			}
		})
	}
}

// wait waits for the workers and reports what they found wrong.
func (l *load) wait(t *testing.T) {
	t.Helper()
	l.all.Wait()
	for {
		select {
		case f := <-l.faults:
			t.Error(f)
		default:
			return
		}
	}
}

func (l *load) acks() (n int) {
	for _, w := range l.workers {
		n += w.acks
	}
	return n
}

// step does one thing. It returns an answer that should not be, and the error of a request without one.
func (w *worker) step() (fault string, err error) {
	var p *person
	if len(w.people) > 0 {
		p = w.people[len(w.people)-1-rand.IntN(min(4, len(w.people)))]
	}
	if p == nil || p.state != alive || rand.IntN(5) == 0 {
		return w.signUp()
	}
	var h *held
	if len(p.sessions) > 0 {
		h = p.sessions[rand.IntN(len(p.sessions))]
	}
	if h == nil || h.state != alive || rand.IntN(4) == 0 {
		return w.logIn(p, rand.IntN(3) > 0)
	}
	if rand.IntN(6) == 0 {
		return w.logOut(h)
	}
	if h.token {
		return w.refresh(h)
	}
	return w.do(me(h.current), 200, func(reply) {})
}

// do sends, holds the status and has done write down the answer.
func (w *worker) do(s sent, status int, done func(reply)) (string, error) {
	r, err := w.server.send(s)
	if err != nil {
		return "", err
	}
	if r.status != status {
		return fmt.Sprintf("%s answered %v, want %d", s.path, r, status), nil
	}
	w.acks++
	done(r)
	return "", nil
}

func (w *worker) signUp() (string, error) {
	w.n++
	p := &person{email: fmt.Sprintf("%s-%d@example.com", w.name, w.n), state: unknown}
	w.people = append(w.people, p)
	return w.do(signUp(p.email), 201, func(r reply) {
		p.state, p.id = alive, r.text1("id")
		p.sessions = append(p.sessions, &held{current: r.session})
	})
}

func (w *worker) logIn(p *person, token bool) (string, error) {
	if token {
		return w.do(logInToken(p.email), 200, func(r reply) { p.sessions = append(p.sessions, &held{token: true, current: r.refresh}) })
	}
	return w.do(logIn(p.email), 200, func(r reply) { p.sessions = append(p.sessions, &held{current: r.session}) })
}

func (w *worker) refresh(h *held) (string, error) {
	h.state = unknown
	return w.do(refresh(h.current), 200, func(r reply) {
		h.state, h.previous, h.current = alive, h.current, r.refresh
	})
}

func (w *worker) logOut(h *held) (string, error) {
	s := logOut(h.current)
	if h.token {
		s = logOutToken(h.current)
	}
	h.state = unknown
	return w.do(s, 200, func(reply) { h.state = ended })
}

// verify holds everything that was answered against a server of which nothing else is asked meanwhile. Refresh tokens are
// used up: strict says that none may be used twice.
func (l *load) verify(t *testing.T, server *caller, strict bool) {
	t.Helper()
	var all sync.WaitGroup
	for _, w := range l.workers {
		all.Go(func() {
			for _, p := range w.people {
				p.verify(t, server, strict)
			}
		})
	}
	all.Wait()
}

func (p *person) verify(t *testing.T, server *caller, strict bool) {
	if p.state != alive {
		return
	}
	hold := func(what string, s sent, status int) reply {
		r, err := server.send(s)
		if err != nil || r.status != status {
			t.Errorf("%s of %s: %v %v, want %d", what, p.email, r, err, status)
		}
		return r
	}
	hold("acknowledged sign-up", logIn(p.email), 200)
	for i, h := range p.sessions {
		switch {
		case h.state == unknown:
		case h.state == ended && h.token:
			hold("refresh after an acknowledged logout", refresh(h.current), 401)
		case h.state == ended:
			hold("acknowledged logout", me(h.current), 401)
		case !h.token:
			if r := hold("acknowledged cookie", me(h.current), 200); r.text1("id") != p.id {
				t.Errorf("the cookie of %s is of %s", p.id, r.text1("id"))
			}
		case strict && h.previous != "" && i%2 == 0:
			hold("refresh token before the current", refresh(h.previous), 401)
			hold("refresh token after a replay", refresh(h.current), 401)
			h.state = ended
		default:
			r := hold("current refresh token", refresh(h.current), 200)
			h.previous, h.current = h.current, r.refresh
		}
	}
}
