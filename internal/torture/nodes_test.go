package torture_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// pair is two servers on one store.
type pair struct {
	*testing.T
	a, b *process
	url  string
	db   *sql.DB
}

// pairs runs f with two servers on one SQLite file, on one Postgres, and behind PgBouncer in transaction mode.
func pairs(t *testing.T, f func(p *pair)) {
	stores(t, func(t *testing.T, databaseURL string) {
		t.Parallel()
		f(newPair(t, databaseURL))
	})
}

// stores runs f on a fresh store of every kind.
func stores(t *testing.T, f func(t *testing.T, databaseURL string)) {
	each(t, func(t *testing.T, engine string) { f(t, testkit.DatabaseURL(t, engine)) })
	if slices.Contains(testkit.Engines(), "postgres") {
		t.Run("pgbouncer", func(t *testing.T) { f(t, pooledURL(t)) })
	}
}

func newPair(t *testing.T, databaseURL string, more ...string) *pair {
	t.Helper()
	dir := t.TempDir() // a shared one: the key in it is the same
	env := settings(dir, databaseURL, more...)
	p := &pair{T: t, a: launch(t, dir, append(env, "EVENT_FILE="+dir+"/a.jsonl")), b: launch(t, dir, append(env, "EVENT_FILE="+dir+"/b.jsonl")), url: databaseURL}
	p.a.waitReady(20 * time.Second)
	p.b.waitReady(20 * time.Second)
	p.db = open(t, databaseURL)
	return p
}

// pooledURL names a fresh database behind PgBouncer. A schema would not do: search_path is a setting of a connection, and
// connections are shared there.
func pooledURL(t *testing.T) string {
	t.Helper()
	server, pooler := os.Getenv("TEST_POSTGRES_URL"), os.Getenv("TEST_PGBOUNCER_URL")
	if server == "" || pooler == "" {
		t.Fatal("TEST_PGBOUNCER_URL is not set: scripts/with-services.sh go test ./internal/torture starts PgBouncer")
	}
	db := open(t, server)
	name := fmt.Sprintf("torture_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := open(t, server).Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(pooler)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// at sends many requests at the same instant, every other one to each server, and counts the answers by status.
func (p *pair) at(n int, request func(i int) sent) (map[int]int, []reply) {
	p.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	counts, replies := map[int]int{}, []reply{}
	var come sync.WaitGroup
	come.Add(n)
	for i := range n {
		to := p.a
		if i%2 == 1 {
			to = p.b
		}
		all.Go(func() {
			come.Done()
			come.Wait()
			r, err := to.send(request(i))
			if err != nil {
				p.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			counts[r.status]++
			replies = append(replies, r)
		})
	}
	all.Wait()
	return counts, replies
}

// Of many copies of one refresh at once, over two servers, all get the same successor, and it is the only one.
func TestOneRefreshOnTwoServers(t *testing.T) {
	pairs(t, func(p *pair) {
		p.a.must(p, signUp("ann@example.com"), 201)
		for range times(10) {
			token := p.a.must(p, logInToken("ann@example.com"), 200).refresh
			counts, replies := p.at(16, func(int) sent { return refresh(token) })
			if counts[200] != 16 {
				p.Fatalf("answers %v: %v", counts, replies)
			}
			for _, r := range replies {
				if r.refresh != replies[0].refresh || r.refresh == token {
					p.Fatalf("two successors of one token: %s, %s", r.refresh, replies[0].refresh)
				}
			}
			sid, _, _ := strings.Cut(token, ".")
			if n := column[int64](p.T, p.db, `SELECT COUNT(*) FROM events WHERE kind = 'token.refreshed' AND data LIKE '%'||$1||'%'`, sid); n[0] != 1 {
				p.Fatalf("one token was exchanged %d times", n[0])
			}
			p.b.must(p, refresh(replies[0].refresh), 200)
		}
	})
}

// Of many sign-ups of one address at once, over two servers, one makes the account.
func TestOneSignUpOnTwoServers(t *testing.T) {
	pairs(t, func(p *pair) {
		for round := range times(12) {
			email := fmt.Sprintf("round%d@example.com", round)
			counts, replies := p.at(32, func(int) sent { return signUp(email) })
			if counts[201] != 1 || counts[409] != 31 {
				p.Fatalf("round %d: answers %v: %v", round, counts, replies)
			}
		}
		halves(p.T, p.db)
	})
}
