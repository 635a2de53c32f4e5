package torture_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/testkit"
)

// follower is a server that asks a standby for sessions.
type follower struct {
	*testing.T
	*caller
	*testkit.Server
	standby *cluster
	people  int
}

func follow(t *testing.T, pg, standby *cluster) *follower {
	t.Helper()
	cfg := testkit.Config(t, pg.url)
	cfg.Database.ReplicaURLs = []string{standby.url}
	s := testkit.Start(t, cfg, testkit.NewClock())
	return &follower{T: t, caller: newCaller(s.URL), Server: s, standby: standby}
}

// another is a server beside this one that remembers nobody.
func (f *follower) another() *follower {
	f.Helper()
	s := testkit.Start(f.T, f.Config, f.Clock)
	return &follower{T: f.T, caller: newCaller(s.URL), Server: s, standby: f.standby}
}

// join signs people up.
func (f *follower) join(n int) (cookies []string) {
	f.Helper()
	for range n {
		f.people++
		cookies = append(cookies, f.must(f.T, signUp(fmt.Sprintf("person%d@example.com", f.people)), 201).session)
	}
	return cookies
}

func (f *follower) sql(text string) {
	f.Helper()
	if _, err := open(f.T, f.standby.url).Exec(text); err != nil {
		f.Fatal(err)
	}
}

// status is what a session is answered with.
func (f *follower) status(cookie string) int {
	f.Helper()
	r, err := f.send(me(cookie))
	if err != nil {
		f.Fatal(err)
	}
	return r.status
}

// fromStandby is how many of these sessions, which are all alive, the standby was believed about.
func (f *follower) fromStandby(cookies []string) int {
	f.Helper()
	before := f.App().Sessions.Lookups().Replica
	for _, c := range cookies {
		if got := f.status(c); got != 200 {
			f.Fatalf("%d for a session that is alive", got)
		}
	}
	return int(f.App().Sessions.Lookups().Replica - before)
}

// believes waits until the standby is believed about somebody who has just come to another server.
func (f *follower) believes(other *follower) {
	f.Helper()
	within(f.T, 20*time.Second, "the standby is believed", func() bool {
		cookies := other.join(1)
		within(f.T, 20*time.Second, "it has taken on what there is", func() bool {
			r := f.App().DB.Replicas(f.Context())[0]
			return r.Err == nil && r.Lag == 0
		})
		return f.fromStandby(cookies) == 1
	})
}

// examined holds how the examination of the server speaks of the standby.
func (f *follower) examined(status, says string) {
	f.Helper()
	var e app.Examination
	e.Replicas(f.Context(), f.App().DB)
	if len(e.Checks) != 1 || e.Checks[0].Status != status || !strings.Contains(e.Checks[0].Detail, says) {
		f.Errorf("%+v", e.Checks)
	}
}

// A standby spares the database questions about sessions, and is believed only as far as is known that nothing has happened since: what has ended
// stays ended however far it is behind, what it does not know yet the database knows, and it may go, come back, or become a server of its own.
func TestReplicas(t *testing.T) {
	if !slices.Contains(testkit.Engines(), "postgres") {
		return
	}
	t.Parallel()
	pg := newCluster(t)
	standby := pg.standby()
	a := follow(t, pg, standby)
	b := a.another()
	b.believes(a)
	cookies := a.join(20)
	b.believes(a)
	if n := b.fromStandby(cookies[:10]); n != 10 {
		t.Errorf("%d of 10 sessions were read from the standby", n)
	}

	// It is behind. b has not read the second half.
	b.sql(`SELECT pg_wal_replay_pause()`)
	ended, alive := cookies[10:15], cookies[15:]
	late := a.join(3)
	for _, c := range ended {
		a.must(t, logOut(c), 200)
	}
	for i, c := range ended {
		within(t, 20*time.Second, fmt.Sprint("the end of session ", i), func() bool { return b.status(c) == 401 })
	}
	if n := b.fromStandby(alive[:3]); n != 3 {
		t.Errorf("%d of 3 sessions were read from the standby, to which nothing has happened", n)
	}
	if n := b.fromStandby(late); n != 0 {
		t.Errorf("%d sessions were read from a standby that cannot know them", n)
	}
	b.must(t, logOut(alive[3]), 200) // which the standby would say is alive
	if got := b.status(alive[3]); got != 401 {
		t.Errorf("%d after signing out here", got)
	}
	c := b.another() // has heard of nothing that was before
	if n := c.fromStandby([]string{alive[0], alive[1], late[0]}); n != 0 {
		t.Errorf("%d sessions were read from a standby by a server that cannot know what has happened since", n)
	}
	for _, gone := range ended {
		if got := c.status(gone); got != 401 {
			t.Errorf("%d for a session that has ended, by a server that has just begun", got)
		}
	}
	b.sql(`SELECT pg_wal_replay_resume()`)
	c.believes(a)

	// It is away.
	cookies = a.join(4)
	c.believes(a)
	standby.stop()
	if n := c.fromStandby(cookies[:2]); n != 0 {
		t.Errorf("%d sessions were read from a standby that is away", n)
	}
	if r := c.must(t, sent{method: "GET", path: "/health/ready"}, 200); !strings.Contains(string(r.text), `"degraded"`) || !strings.Contains(string(r.text), `"replicas":{"status":"unavailable"}`) {
		t.Errorf("%v", r)
	}
	c.examined(app.Problem, standby.port)
	standby.start()
	c.believes(a)
	c.examined(app.Fine, standby.port)

	// It becomes a server of its own, with a store that goes another way from here on.
	cookies = a.join(4)
	c.believes(a)
	standby.run("pg_ctl", "promote", "-w", "-s", "-D", standby.data())
	if n := c.fromStandby(cookies[:2]); n != 0 {
		t.Errorf("%d sessions were read from a server that is no standby any more", n)
	}
	c.examined(app.Problem, "no standby")
	apart := testkit.Start(t, testkit.Config(t, standby.url), testkit.NewClock())
	newCaller(apart.URL).must(t, signUp("elsewhere@example.com"), 201)
	a.must(t, logOut(cookies[2]), 200)
	other := follow(t, pg, standby.standby()) // what it follows says that this session is alive
	if got := other.status(cookies[2]); got != 401 {
		t.Errorf("%d for a session that has ended, from a standby of another server", got)
	}
	other.examined(app.Problem, "follows another server")
	if n := other.fromStandby(cookies[3:]); n != 0 {
		t.Errorf("%d sessions were read from a standby of another server", n)
	}
}
