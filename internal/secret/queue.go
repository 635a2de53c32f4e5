package secret

import (
	"container/list"
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// ErrBusy says that more passwords wait to be hashed than can be within the allowed wait.
var ErrBusy = apperr.New(apperr.Unavailable, "hashing_busy", "Too many people are signing in at this moment. Try again shortly.")

// Stats is what the pool of workers is doing, for metrics.
type Stats struct {
	Workers int           // threads that hash
	Waiting int           // callers in the queue
	Running int           // hashes under way
	Done    uint64        // hashes finished since the start
	Shed    uint64        // callers sent away with ErrBusy
	Mean    time.Duration // what a hash has lately taken
}

type job struct {
	run  func() error
	err  error
	done chan struct{}
}

// queue runs jobs first come, first served, on a few threads of the lowest priority.
type queue struct {
	limit   int
	timeout time.Duration
	ended   sync.WaitGroup

	mu     sync.Mutex
	filled sync.Cond
	jobs   list.List // of *job
	stats  Stats
	closed bool

	tell    func(busy bool) // nil when nobody wants to know
	telling sync.Mutex      // held while tell runs, so that its last word is the truth
	busied  bool
	calm    *time.Timer
}

// calmAfter is how long nobody hashes before that is told: people sign in one after another.
const calmAfter = time.Second

func newQueue(workers, limit int, timeout time.Duration) *queue {
	q := &queue{limit: limit, timeout: timeout, stats: Stats{Workers: workers}}
	q.filled.L = &q.mu
	for range workers {
		q.ended.Go(q.work)
	}
	return q
}

// do runs the job on a worker and waits for it, no longer than the caller is there.
func (q *queue) do(ctx context.Context, run func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	j := &job{run: run, done: make(chan struct{})}
	place, err := q.push(j)
	if err != nil {
		return err
	}
	q.report(true)
	late := time.NewTimer(q.timeout)
	defer late.Stop()
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		q.leave(place)
		return context.Cause(ctx)
	case <-late.C:
	}
	if q.leave(place) {
		return q.busy()
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// push gives the job its place, or refuses it when it would wait in vain.
func (q *queue) push(j *job) (*list.Element, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.jobs.Len() >= q.limit || q.wait() > q.timeout {
		q.stats.Shed++
		return nil, q.refusal()
	}
	place := q.jobs.PushBack(j)
	q.filled.Signal()
	return place, nil
}

// leave takes a job out of the queue and tells whether it was still in it.
func (q *queue) leave(place *list.Element) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	before := q.jobs.Len()
	q.jobs.Remove(place) // does nothing for a place that was taken out already
	return q.jobs.Len() < before
}

// report tells that hashing begins, or that it has been calm for a while. It is never called by a worker: what is told may
// stop every thread for a moment, and one of low priority would make that a long one.
func (q *queue) report(busy bool) {
	q.mu.Lock()
	idle := q.stats.Running == 0 && q.jobs.Len() == 0
	news := q.tell != nil && q.busied != busy && (busy || idle)
	if news {
		q.busied = busy
	}
	q.mu.Unlock()
	if !news {
		return
	}
	q.telling.Lock()
	defer q.telling.Unlock()
	q.mu.Lock()
	busy = q.busied
	q.mu.Unlock()
	q.tell(busy)
}

func (q *queue) busy() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats.Shed++
	return q.refusal()
}

func (q *queue) refusal() error { return ErrBusy.Wait(max(q.wait(), time.Second)) }

// wait estimates how long the last in the queue waits.
func (q *queue) wait() time.Duration {
	return q.stats.Mean * time.Duration(q.jobs.Len()) / time.Duration(q.stats.Workers)
}

func (q *queue) work() {
	// Never unlocked: Go ends the thread with the goroutine, and so no other work inherits its low priority.
	runtime.LockOSThread()
	lower()
	for {
		j := q.next()
		if j == nil {
			return
		}
		start := time.Now()
		j.err = attempt(j.run)
		q.finished(time.Since(start))
		close(j.done)
	}
}

func (q *queue) next() *job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.jobs.Len() == 0 && !q.closed {
		q.filled.Wait()
	}
	if q.closed {
		return nil
	}
	q.stats.Running++
	return q.jobs.Remove(q.jobs.Front()).(*job)
}

func (q *queue) finished(took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats.Running--
	q.stats.Done++
	if q.stats.Mean == 0 {
		q.stats.Mean = took
	}
	q.stats.Mean += (took - q.stats.Mean) / 8
	if q.stats.Running > 0 || q.tell == nil {
		return
	}
	if q.calm == nil {
		q.calm = time.AfterFunc(calmAfter, func() { q.report(false) })
	} else {
		q.calm.Reset(calmAfter)
	}
}

func (q *queue) snapshot() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Waiting = q.jobs.Len()
	return s
}

// close sends those who wait away and returns when the last worker has ended.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	for q.jobs.Len() > 0 {
		j := q.jobs.Remove(q.jobs.Front()).(*job)
		q.stats.Shed++
		j.err = q.refusal()
		close(j.done)
	}
	if q.calm != nil {
		q.calm.Stop()
	}
	q.filled.Broadcast()
	q.mu.Unlock()
	q.ended.Wait()
}

// attempt keeps a stored hash that trips up a verifier from ending the program.
func attempt(run func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("secret: hashing panicked: %v", r)
		}
	}()
	return run()
}
