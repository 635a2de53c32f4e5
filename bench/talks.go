package main

import (
	"fmt"
	"sync/atomic"
)

// fixed asks the same again and again.
type fixed struct {
	req  []byte
	want int
}

func (f fixed) ask() []byte { return f.req }

func (f fixed) hear(a answer) error {
	if a.status != f.want {
		return a.unexpected()
	}
	return nil
}

func always(req []byte, want int) func(int) talk {
	return func(int) talk { return fixed{req, want} }
}

// made asks something new each time: the number of the request, counted over all connections, makes it.
type made struct {
	next *atomic.Int64
	make func(n int64) []byte // nil ends it
	want int
}

func (m made) ask() []byte { return m.make(m.next.Add(1) - 1) }

func (m made) hear(a answer) error { return fixed{want: m.want}.hear(a) }

func counting(want int, make func(n int64) []byte) func(int) talk {
	m := made{new(atomic.Int64), make, want}
	return func(int) talk { return m }
}

// times asks the same, n times over all connections.
func times(n int64, req []byte, want int) func(int) talk {
	return counting(want, func(i int64) []byte {
		if i >= n {
			return nil
		}
		return req
	})
}

// rotating refreshes one session: each answer holds the token of the next request.
type rotating struct{ token string }

func (r *rotating) ask() []byte {
	return request("POST", "/api/v1/refresh", "", "Cookie: refresh_token="+r.token, "Content-Length: 0")
}

func (r *rotating) hear(a answer) error {
	next := a.cookie("refresh_token")
	if a.status != 200 || next == "" || next == r.token {
		return a.unexpected()
	}
	r.token = next
	return nil
}

// once asks one thing and accepts that a busy server sends it away, if it says when to come back.
type once struct {
	req  []byte
	done bool
	shed *atomic.Int64
}

func (o *once) ask() []byte {
	if o.done {
		return nil
	}
	o.done = true
	return o.req
}

func (o *once) hear(a answer) error {
	switch a.status {
	case 200:
		return nil
	case 429, 503:
		if a.header("Retry-After") == "" {
			return fmt.Errorf("%d without Retry-After", a.status)
		}
		o.shed.Add(1)
		return nil
	}
	return a.unexpected()
}

// asked sends one request on a connection of its own. A status of 0 wants any that is a success.
func asked(addr string, req []byte, want int) (answer, error) {
	w, err := dial(addr, nil)
	if err != nil {
		return answer{}, err
	}
	defer w.Close()
	a, err := w.exchange(req)
	if err == nil && a.status != want && (want != 0 || a.status >= 300) {
		err = a.unexpected()
	}
	return a, err
}
