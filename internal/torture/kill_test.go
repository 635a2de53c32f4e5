package torture_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// Acknowledged writes survive kill -9 at any instant; nothing is done by half; the event file tells everything once. That
// the server is ready again within a second is held by make torture alone: elsewhere other packages are tested beside it.
func TestKill(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		kills, lanes := times(50), 2
		if engine == "postgres" {
			kills, lanes = times(12), 1
		}
		var mu sync.Mutex
		var ready []time.Duration
		acks, events := 0, 0
		t.Run("lanes", func(t *testing.T) {
			for lane := range lanes {
				t.Run(fmt.Sprint(lane), func(t *testing.T) {
					t.Parallel()
					k := newKiller(t, engine)
					for round := range kills / lanes {
						k.round(round)
					}
					k.audit()
					mu.Lock()
					defer mu.Unlock()
					ready, acks, events = append(ready, k.ready...), acks+k.acks, events+k.events
				})
			}
		})
		if len(ready) == 0 {
			t.Fatal("nothing was killed")
		}
		most, longest := p99(ready)
		t.Logf("%d kills, %d acknowledged answers, %d events; ready again p99 %v, at most %v", len(ready), acks, events, most, longest)
		if times(1) > 1 && most > time.Second {
			t.Errorf("ready again after %v (p99), more than a second", most)
		}
	})
}

// killer kills one server again and again.
type killer struct {
	*testing.T
	engine, dir, url string
	env              []string
	before           *load // what was answered before the last kill
	ready            []time.Duration
	acks, events     int
}

func newKiller(t *testing.T, engine string) *killer {
	dir, url := t.TempDir(), testkit.DatabaseURL(t, engine)
	return &killer{T: t, engine: engine, dir: dir, url: url, env: settings(dir, url, "REFRESH_GRACE_SECONDS=0")}
}

// start starts the server again and holds what had been answered.
func (k *killer) start() *process {
	p := launch(k.T, k.dir, k.env)
	again := p.waitReady(20 * time.Second)
	if k.before != nil {
		k.ready = append(k.ready, again)
	}
	db := open(k.T, k.url)
	defer db.Close()
	k.events = eventFile(k.T, db, k.engine, filepath.Join(k.dir, "admit-data", "events.jsonl"))
	halves(k.T, db)
	if k.before != nil {
		k.before.verify(k.T, p.caller, true)
	}
	return p
}

// round kills the server during load.
func (k *killer) round(n int) {
	p := k.start()
	if k.Failed() {
		k.Fatalf("after %d kills; the server said:\n%s", n, p.log)
	}
	l := newLoad(fmt.Sprintf("round%d", n), 8)
	l.run(p.caller)
	time.Sleep(50*time.Millisecond + rand.N(200*time.Millisecond)) // the instant of death is a matter of chance
	p.kill()
	l.wait(k.T)
	k.acks += l.acks()
	k.before = l
}

// audit holds that the store is sound after all that.
func (k *killer) audit() {
	p := k.start()
	p.terminate()
	if k.engine == "sqlite" {
		db := open(k.T, k.url)
		if all := column[string](k.T, db, `PRAGMA integrity_check`); len(all) != 1 || all[0] != "ok" {
			k.Errorf("integrity_check: %v", all)
		}
	}
}
