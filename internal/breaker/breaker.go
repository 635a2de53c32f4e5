// Package breaker leaves a service alone that has just failed (a circuit breaker): of all who need it while it is ill, one asks in a second, and
// the log is told once a minute.
package breaker

import (
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	rest  = time.Second // how long it is left alone after it failed
	quiet = time.Minute // how often the log is told, where it is ill again and again
)

// Breaker watches one service. Times are counted since it was made, by the monotonic clock.
type Breaker struct {
	log        *slog.Logger
	away, back string // what the log is told
	began      time.Time
	ill        atomic.Bool  // the log was told so
	again      atomic.Int64 // when it may be asked again, 0 while it is well
	saidAt     atomic.Int64 // when the log was told that it is ill
}

// New watches a service of which nothing is known. The log is told away when it fails, and back when it is well again.
func New(log *slog.Logger, away, back string) *Breaker {
	return &Breaker{log: log, away: away, back: back, began: time.Now()}
}

// May reports whether the service is to be asked now. Whoever asks says with Done how it went.
func (b *Breaker) May() bool {
	now, at := time.Since(b.began), b.again.Load()
	return at == 0 || int64(now) >= at && b.again.CompareAndSwap(at, int64(now+rest))
}

// Done notes how it went: nil is well.
func (b *Breaker) Done(err error) {
	if err == nil {
		b.again.Store(0)
		if b.ill.CompareAndSwap(true, false) {
			b.log.Info(b.back)
		}
		return
	}
	now := time.Since(b.began)
	b.again.Store(int64(now + rest))
	if said := b.saidAt.Load(); (said == 0 || int64(now-quiet) >= said) && b.saidAt.CompareAndSwap(said, int64(now)) {
		b.ill.Store(true)
		b.log.Warn(b.away, "err", err)
	}
}
