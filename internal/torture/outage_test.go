package torture_test

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// outage is a server whose Postgres goes away.
type outage struct {
	*testing.T
	*caller
	pg            *cluster
	email         string
	cookie        string
	access, token string
}

// asks is one request of every kind, none of which may be answered as if nobody was signed in. None of them succeeds in
// changing anything that the next round needs.
func (o *outage) asks() []sent {
	return []sent{
		me(o.cookie), {method: "GET", path: "/auth/me", bearer: o.access}, {method: "GET", path: "/auth/sessions", session: o.cookie},
		logIn(o.email), logInToken(o.email), {path: "/auth/login", body: m{"email": "nobody@example.com", "password": password}},
		refresh(o.token), logOut(o.cookie), logOutToken(o.token), {path: "/auth/logout-all", session: o.cookie},
		{path: "/auth/signup", body: account("late@example.com")}, {path: "/api/v1/register", body: account("late@example.com")},
		{method: "PATCH", path: "/auth/me", session: o.cookie, body: m{"name": "Late"}},
		{path: "/auth/password/change", session: o.cookie, body: m{"current_password": password, "new_password": "late password"}},
		{path: "/auth/attempts", body: m{"identifier": o.email}},
	}
}

// refused holds how a request is answered while the store is away.
func (o *outage) refused(s sent) {
	o.Helper()
	r, err := o.send(s)
	switch {
	case err != nil:
		o.Errorf("%s %s while the store is away: %v", s.method, s.path, err)
	case r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || len(r.header["Set-Cookie"]) > 0:
		o.Errorf("%s %s while the store is away: %v, Retry-After %q, cookies %v", s.method, s.path, r, r.header.Get("Retry-After"), r.header["Set-Cookie"])
	}
}

// Postgres crashes and comes back: meanwhile everybody is told to come again, nobody is signed out, and two seconds after
// it is back everything that was answered before is there.
func TestPostgresAway(t *testing.T) {
	if !slices.Contains(testkit.Engines(), "postgres") {
		return
	}
	pg := newCluster(t)
	dir := t.TempDir()
	p := serve(t, dir, settings(dir, pg.url, "REFRESH_GRACE_SECONDS=0"))
	o := &outage{T: t, caller: p.caller, pg: pg, email: "ann@example.com"}
	o.cookie = o.must(t, signUp(o.email), 201).session
	for round := range times(3) {
		tokens := o.must(t, logInToken(o.email), 200)
		o.access, o.token = tokens.text1("access_token"), tokens.refresh
		l := newLoad(fmt.Sprintf("round%d", round), 6)
		l.run(o.caller)
		time.Sleep(150 * time.Millisecond) // of load
		pg.stop()
		within(t, 3*time.Second, "ready says 503 and names the database", func() bool {
			r, err := o.send(sent{method: "GET", path: "/health/ready"})
			return err == nil && r.status == 503 && strings.Contains(string(r.text), "database")
		})
		o.must(t, sent{method: "GET", path: "/health/live"}, 200)
		within(t, 3*time.Second, "nothing remembered is trusted", func() bool {
			r, err := o.send(me(o.cookie))
			return err == nil && r.status == 503
		})
		l.stop.Store(true)
		l.onlyAway(t)
		var all sync.WaitGroup
		for _, s := range o.asks() {
			all.Go(func() { o.refused(s) })
		}
		all.Wait()
		pg.start()
		back := within(t, 2*time.Second, "everything works again", func() bool {
			r, err := o.send(logIn(o.email))
			return err == nil && r.status == 200
		})
		t.Logf("%d acknowledged, back after %v", l.acks(), back)
		o.settled()
		l.verify(t, o.caller, true)
		o.must(t, me(o.cookie), 200)
		o.must(t, refresh(o.token), 200)
	}
	db := open(t, pg.url)
	halves(t, db)
	eventFile(t, db, "postgres", dir+"/admit-data/events.jsonl")
}

// onlyAway waits for the workers and holds that the store's absence was all they were ever refused for.
func (l *load) onlyAway(t *testing.T) {
	t.Helper()
	l.all.Wait()
	for len(l.faults) > 0 {
		if f := <-l.faults; !strings.Contains(f, " answered 503 ") {
			t.Error(f)
		}
	}
}

// settled waits until a row of answers in which none is an error.
func (o *outage) settled() {
	o.Helper()
	good := 0
	within(o.T, 10*time.Second, "every request works again", func() bool {
		r, err := o.send(sent{method: "GET", path: "/auth/sessions", session: o.cookie})
		if good++; err != nil || r.status != 200 {
			good = 0
		}
		return good >= 40
	})
}

// Restarts of Postgres leave neither goroutines nor connections behind.
func TestPostgresRestartsLeakNothing(t *testing.T) {
	if !slices.Contains(testkit.Engines(), "postgres") {
		return
	}
	pg := newCluster(t)
	s := testkit.Start(t, testkit.Config(t, pg.url), testkit.NewClock())
	o := &outage{T: t, caller: newCaller(s.URL), pg: pg, email: "ann@example.com"}
	o.cookie = o.must(t, signUp(o.email), 201).session
	busy := func() (goroutines, connections int) {
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for range 5 {
					if r, err := o.send(logIn(o.email)); err != nil || r.status >= 500 && r.status != 503 {
						t.Errorf("%v %v", r, err)
					}
				}
			})
		}
		all.Wait()
		o.client.CloseIdleConnections()
		within(t, 5*time.Second, "requests end", func() bool { return s.App().DB.Stats().InUse == 0 })
		time.Sleep(100 * time.Millisecond) // closed connections take their goroutines along
		return runtime.NumGoroutine(), s.App().DB.Stats().OpenConnections
	}
	before, connections := busy()
	for range times(4) {
		pg.restart()
		o.settled()
		busy()
	}
	after, now := busy()
	t.Logf("goroutines %d, then %d; connections %d, then %d", before, after, connections, now)
	if after > before+10 || now > s.Config.Database.MaxConnections {
		t.Errorf("goroutines %d, then %d; connections %d, then %d", before, after, connections, now)
	}
}
