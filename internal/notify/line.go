package notify

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	abreast      = 4                // letters under way to one service at once, while it is well
	longestPause = 15 * time.Second // between two tries of a service that is ill
)

// line is what leads to one service: how many letters are under way, and whether the service is ill.
type line struct {
	channel Channel
	sender  Sender // nil when there is none
	wake    chan struct{}

	mu       sync.Mutex
	running  int
	failures int       // of the service, one after another
	until    time.Time // when an ill service is tried again
	settled  chan struct{}
	missed   sync.Once
}

func newLine(c Channel) *line {
	return &line{channel: c, wake: make(chan struct{}, 1), settled: make(chan struct{})}
}

// begin takes a place on the line, if there is one: a service that is ill is tried with one letter at a time, and only now
// and then. Otherwise it says how long to wait; 0 is until something changes.
func (l *line) begin(now time.Time) (ok bool, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	room := abreast
	if l.failures > 0 {
		room = 1
	}
	if pause := l.until.Sub(now); pause > 0 && l.failures > 0 {
		return false, pause
	}
	if l.running >= room {
		return false, 0
	}
	l.running++
	return true, 0
}

// end gives the place back.
func (l *line) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	close(l.settled)
	l.settled = make(chan struct{})
}

// nudge has the line look for letters. It never waits.
func (l *line) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// state is how many letters are under way, and what is closed when there is one less.
func (l *line) state() (running int, settled <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running, l.settled
}

// ill notes that the service failed. It says how long it is left alone, and whether that is news.
func (l *line) ill(now time.Time) (pause time.Duration, news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if pause := l.until.Sub(now); pause > 0 && l.failures > 0 {
		return pause, false // another letter found out just before
	}
	l.failures++
	pause = min(time.Second<<min(l.failures-1, 10), longestPause)
	pause += rand.N(pause/4 + 1) // so that many servers do not come back at once
	l.until = now.Add(pause)
	return pause, l.failures == 1
}

// well notes that the service answered, and says whether that is news.
func (l *line) well() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	news := l.failures > 0
	l.failures = 0
	return news
}
