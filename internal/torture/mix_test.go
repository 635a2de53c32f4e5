package torture_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// hustle is one person whom many use at once.
type hustle struct {
	*testing.T
	*caller
	email    string
	password atomic.Value // the one that holds, as a string
}

func (h *hustle) credentials() m { return m{"email": h.email, "password": h.password.Load()} }

// ok sends and holds that the answer is one of these: never an error of the server.
func (h *hustle) ok(s sent, statuses ...int) reply {
	h.Helper()
	r, err := h.send(s)
	if err != nil {
		h.Errorf("%s %s: %v", s.method, s.path, err)
		return r
	}
	for _, want := range statuses {
		if r.status == want {
			return r
		}
	}
	h.Errorf("%s %s answered %v, want %v", s.method, s.path, r, statuses)
	return r
}

// Eight use one account at once in every way there is. Then, whatever happened: after a password change no other session
// works, after signing out everywhere else nothing but the kept one.
func TestEverythingAtOnce(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := testkit.Start(t, testkit.Config(t, testkit.DatabaseURL(t, engine)), testkit.NewClock())
		for round := range times(3) {
			h := &hustle{T: t, caller: newCaller(s.URL), email: fmt.Sprintf("round%d@example.com", round)}
			h.password.Store(password)
			h.ok(signUp(h.email), 201)
			var got everything
			var all sync.WaitGroup
			for n := range 8 {
				all.Go(func() { h.worker(n, &got) })
			}
			all.Wait()
			h.changeEndsOthers(&got)
			h.logoutAllEndsOthers(&got)
			h.client.CloseIdleConnections()
		}
	})
}

// everything is every credential that was ever given.
type everything struct {
	mu                        sync.Mutex
	cookies, tokens, accesses []string
}

func (e *everything) keep(r reply) reply {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.session != "" {
		e.cookies = append(e.cookies, r.session)
	}
	if r.refresh != "" {
		e.tokens = append(e.tokens, r.refresh)
	}
	if a := r.text1("access_token"); a != "" {
		e.accesses = append(e.accesses, a)
	}
	return r
}

// worker does one kind of thing again and again, with sessions of its own that others end.
func (h *hustle) worker(n int, got *everything) {
	for i := range 6 {
		cookie := got.keep(h.ok(sent{path: "/auth/login", body: h.credentials()}, 200, 401)).session
		token := got.keep(h.ok(sent{path: "/api/v1/login", body: m{"username": h.email, "password": h.password.Load()}}, 200, 401))
		if cookie == "" || token.refresh == "" {
			continue // the password was changed in between
		}
		h.ok(me(cookie), 200, 401)
		h.ok(sent{method: "GET", path: "/api/v1/about_me", bearer: token.text1("access_token")}, 200, 401)
		switch n {
		case 0: // one of them changes passwords: nobody else knows the next one
			next := fmt.Sprintf("password-%d-%d", n, i)
			r := h.ok(sent{path: "/auth/password/change", session: cookie, body: m{"current_password": h.password.Load(), "new_password": next}}, 200, 401)
			if r.status == 200 {
				h.password.Store(next)
			}
		case 1:
			h.ok(sent{path: "/auth/logout-all", session: cookie, body: m{"keep_current": i%2 == 0}}, 200, 401)
		case 2:
			h.ok(logOut(cookie), 200)
		case 3:
			h.ok(sent{method: "GET", path: "/auth/sessions", session: cookie}, 200, 401)
		case 4:
			h.ok(logOutToken(token.refresh), 200, 401)
		default:
			r := token
			for again := 0; again < 3 && r.refresh != ""; again++ {
				r = got.keep(h.ok(refresh(r.refresh), 200, 401))
			}
		}
	}
}

// changeEndsOthers changes the password while others sign in with the old one.
func (h *hustle) changeEndsOthers(got *everything) {
	h.Helper()
	keep := h.ok(sent{path: "/auth/login", body: h.credentials()}, 200).session
	old := h.credentials()
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() { got.keep(h.ok(sent{path: "/auth/login", body: old}, 200, 401)) })
		all.Go(func() {
			got.keep(h.ok(sent{path: "/api/v1/login", body: m{"username": h.email, "password": old["password"]}}, 200, 401))
		})
	}
	h.ok(sent{path: "/auth/password/change", session: keep, body: m{"current_password": old["password"], "new_password": "the last of them"}}, 200)
	all.Wait()
	h.password.Store("the last of them")
	h.dead(got, "a password change")
	h.ok(me(keep), 200)
	h.ok(sent{path: "/auth/login", body: old}, 401)
}

// logoutAllEndsOthers signs everything else out.
func (h *hustle) logoutAllEndsOthers(got *everything) {
	h.Helper()
	for range 3 {
		got.keep(h.ok(sent{path: "/auth/login", body: h.credentials()}, 200))
		got.keep(h.ok(sent{path: "/api/v1/login", body: m{"username": h.email, "password": h.password.Load()}}, 200))
	}
	keep := h.ok(sent{path: "/auth/login", body: h.credentials()}, 200).session
	h.ok(me(got.cookies[len(got.cookies)-1]), 200) // remembered, which must not help it
	h.ok(sent{path: "/auth/logout-all", session: keep, body: m{"keep_current": true}}, 200)
	h.dead(got, "signing out everywhere else")
	h.ok(me(keep), 200)
	h.ok(sent{path: "/auth/logout-all", session: keep}, 200)
	h.ok(me(keep), 401)
}

// dead holds that none of it works.
func (h *hustle) dead(got *everything, after string) {
	h.Helper()
	for _, c := range got.cookies {
		if r, _ := h.send(me(c)); r.status != 401 {
			h.Fatalf("after %s a cookie works: %v", after, r)
		}
	}
	for _, a := range got.accesses {
		if r, _ := h.send(sent{method: "GET", path: "/api/v1/about_me", bearer: a}); r.status != 401 {
			h.Fatalf("after %s an access token works: %v", after, r)
		}
	}
	for _, k := range got.tokens {
		if r, _ := h.send(refresh(k)); r.status != 401 {
			h.Fatalf("after %s a refresh token works: %v", after, r)
		}
	}
}
