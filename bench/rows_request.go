package main

import (
	"encoding/json"
	"fmt"
)

const connections = 32

// me is who-am-I with everything in memory.
func (b *bench) me() error {
	s, cookie, err := b.signedUp()
	if err != nil {
		return err
	}
	defer s.stop()
	token, err := accessToken(s)
	if err != nil {
		return err
	}
	if err := b.steady("me, cookie, warm", s, me(cookie), ratioAtMost(1.25), p99AtMost(2)); err != nil {
		return err
	}
	return b.steady("me, bearer, warm", s, bearer(token), ratioAtMost(1.25), p99AtMost(2))
}

// cold is the same with every request asking SQLite.
func (b *bench) cold() error {
	s, cookie, err := b.signedUp("SESSION_CACHE_ENTRIES=0")
	if err != nil {
		return err
	}
	defer s.stop()
	token, err := accessToken(s)
	if err != nil {
		return err
	}
	if err := b.steady("me, cookie, cold, SQLite", s, me(cookie), ratioAtMost(2.6)); err != nil {
		return err
	}
	// No target: a signature (ES256) is verified besides, which alone is some 7 × http.
	return b.steady("me, bearer, cold, SQLite", s, bearer(token))
}

// steady measures one request that is always the same.
func (b *bench) steady(name string, s *child, req []byte, checks ...check) error {
	f, err := newFleet(s.addr, connections, always(req, 200))
	if err != nil {
		return err
	}
	defer f.close()
	_, err = b.beside(name, s, f, req, checks...)
	return err
}

func bearer(token string) []byte {
	return request("GET", "/auth/me", "", "Authorization: Bearer "+token)
}

// tokens signs in as a client of /api/v1 does.
func tokens(s *child) (answer, error) {
	return asked(s.addr, request("POST", "/api/v1/login", signIn), 200)
}

func accessToken(s *child) (string, error) {
	a, err := tokens(s)
	if err != nil {
		return "", err
	}
	var t struct {
		AccessToken string `json:"access_token"`
	}
	err = json.Unmarshal(a.body, &t)
	return t.AccessToken, err
}

// refresh is one session per connection, each request with the token of the answer before.
func (b *bench) refresh() error {
	return b.refreshOn("refresh with rotation, SQLite", nil, rateAtLeast(3500), cpuAtMost(250))
}

func (b *bench) refreshOn(name string, env []string, checks ...check) error {
	s, _, err := b.signedUp(append(cheap.env(), env...)...)
	if err != nil {
		return err
	}
	defer s.stop()
	f, err := newFleet(s.addr, connections, func(int) talk { return &rotating{} })
	if err != nil {
		return err
	}
	defer f.close()
	for _, w := range f {
		a, err := tokens(s)
		if err != nil {
			return err
		}
		w.talk.(*rotating).token = a.cookie("refresh_token")
	}
	a, err := tokens(s)
	if err != nil {
		return err
	}
	extra := rotating{a.cookie("refresh_token")}
	_, err = b.beside(name, s, f, extra.ask(), checks...)
	return err
}

// logout ends a session with every request, until there are none left.
func (b *bench) logout() error {
	n := 60_000
	if b.quick {
		n = 10_000
	}
	s, err := b.seeded(n, b.server)
	if err != nil {
		return err
	}
	defer s.stop()
	leave := func(i int64) []byte {
		return request("POST", "/auth/logout", "", "Cookie: session_id="+seedCookie(i), "Content-Length: 0")
	}
	last := int64(n - 1)
	f, err := newFleet(s.addr, connections, counting(200, func(i int64) []byte {
		if i >= last {
			return nil
		}
		return leave(i)
	}))
	if err != nil {
		return err
	}
	defer f.close()
	r, err := b.beside("logout, SQLite", s, f, leave(last))
	if err == nil && r.PerSecond == 0 {
		err = fmt.Errorf("%d sessions were too few", n)
	}
	return err
}
