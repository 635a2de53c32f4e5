package secret

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zitadel/passwap/verifier"

	"github.com/admit-dev/admit/internal/apperr"
)

func small(workers, queue int) Config {
	return Config{MemoryKiB: 8, Iterations: 1, Parallelism: 1, Workers: workers, Queue: queue, TimeoutSeconds: 10}
}

func start(t testing.TB, c Config) *Hasher {
	h := NewHasher(c)
	t.Cleanup(h.Close)
	return h
}

func TestHashAndVerify(t *testing.T) {
	h := start(t, small(2, 16))
	ctx := t.Context()
	for _, password := range []string{"", "lètmein", strings.Repeat("x", 5000), "nul\x00byte"} {
		phc, err := h.Hash(ctx, password)
		if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=8,t=1,p=1$") {
			t.Fatal(phc, err)
		}
		if up, err := h.Verify(ctx, phc, password); up != "" || err != nil {
			t.Errorf("a current hash gives %q %v", up, err)
		}
		if up, err := h.Verify(ctx, phc, password+"x"); up != "" || !errors.Is(err, ErrMismatch) {
			t.Errorf("a wrong password gives %q %v", up, err)
		}
	}
	if err := h.VerifyNothing(ctx, "anything"); !errors.Is(err, ErrMismatch) {
		t.Error(err)
	}
	if _, err := h.Verify(ctx, "!unusable", "x"); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}

func TestUpgradeHappensOnce(t *testing.T) {
	ctx := t.Context()
	phc, err := start(t, small(1, 4)).Hash(ctx, "pw")
	if err != nil {
		t.Fatal(err)
	}
	dearer := small(1, 4)
	dearer.MemoryKiB = 16
	h := start(t, dearer)
	up, err := h.Verify(ctx, phc, "pw")
	if err != nil || !strings.HasPrefix(up, "$argon2id$v=19$m=16,t=1,p=1$") {
		t.Fatal(up, err)
	}
	if up, err = h.Verify(ctx, up, "pw"); up != "" || err != nil {
		t.Errorf("second time: %q %v", up, err)
	}
	if up, err = h.Verify(ctx, phc, "no"); up != "" || !errors.Is(err, ErrMismatch) {
		t.Errorf("wrong password: %q %v", up, err)
	}
}

func TestManyCallersFewWorkers(t *testing.T) {
	h := start(t, small(2, 64))
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			password := fmt.Sprint(i)
			phc, err := h.Hash(t.Context(), password)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := h.Verify(t.Context(), phc, password); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s := h.Stats(); s.Done != 128 || s.Waiting != 0 || s.Shed != 0 {
		t.Errorf("%+v", s)
	}
}

// occupy keeps the only worker of q busy until the returned function is called.
func occupy(q *queue) (release func()) {
	begun, hold := make(chan struct{}), make(chan struct{})
	go q.do(context.Background(), func() error {
		close(begun)
		<-hold
		return nil
	})
	<-begun
	return sync.OnceFunc(func() { close(hold) })
}

func TestFullQueueSheds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(small(1, 2))
		release := occupy(h.queue)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := h.Hash(t.Context(), "pw"); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if h.Waiting() != 2 {
			t.Errorf("%d wait", h.Waiting())
		}
		_, err := h.Hash(t.Context(), "pw")
		if !errors.Is(err, ErrBusy) || apperr.Of(err).RetryAfter <= 0 || apperr.Of(err).Kind != apperr.Unavailable {
			t.Errorf("err = %v", err)
		}
		release()
		wg.Wait()
		h.Close()
		if s := h.Stats(); s.Done != 3 || s.Shed != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestLongWaitIsShed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(small(1, 8))
		release := occupy(h.queue)
		began := time.Now()
		_, err := h.Hash(t.Context(), "pw")
		if !errors.Is(err, ErrBusy) || apperr.Of(err).RetryAfter <= 0 {
			t.Errorf("err = %v", err)
		}
		if waited := time.Since(began); waited != 10*time.Second {
			t.Errorf("waited %v", waited)
		}
		if h.Waiting() != 0 {
			t.Error("it is still in the queue")
		}
		release()
		h.Close()
	})
}

func TestHopelessWaitIsShedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(small(1, 8))
		h.queue.finished(time.Minute)
		h.queue.stats.Running = 0
		release := occupy(h.queue)
		var wg sync.WaitGroup
		wg.Go(func() { h.Hash(t.Context(), "pw") })
		synctest.Wait()
		_, err := h.Hash(t.Context(), "pw")
		if !errors.Is(err, ErrBusy) || apperr.Of(err).RetryAfter != time.Minute {
			t.Errorf("err = %v after %v", err, apperr.Of(err).RetryAfter)
		}
		release()
		wg.Wait()
		h.Close()
	})
}

func TestCancelledWaiterDoesNotHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 8, 10*time.Second)
		release := occupy(q)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				err := q.do(ctx, func() error {
					t.Error("it ran")
					return nil
				})
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		if n := q.snapshot().Waiting; n != 0 {
			t.Errorf("%d still wait", n)
		}
		if err := q.do(ctx, func() error { return nil }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		release()
		q.close()
	})
}

func TestCallerGoneWhileHashing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 8, 10*time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		hold := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := q.do(ctx, func() error { <-hold; return nil }); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		close(hold)
		q.close() // the test fails if a goroutine is left
	})
}

func TestFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 8, 10*time.Second)
		release := occupy(q)
		var order []int
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() { q.do(t.Context(), func() error { order = append(order, i); return nil }) })
			synctest.Wait()
		}
		release()
		wg.Wait()
		q.close()
		for i, got := range order {
			if got != i {
				t.Fatal(order)
			}
		}
	})
}

func TestCloseSendsWaitersAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(small(1, 8))
		release := occupy(h.queue)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := h.Hash(t.Context(), "pw"); !errors.Is(err, ErrBusy) {
				t.Error(err)
			}
		})
		synctest.Wait()
		go h.Close()
		wg.Wait()
		release()
		if _, err := h.Hash(t.Context(), "pw"); !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
	})
}

func TestPanicIsAnError(t *testing.T) {
	h := start(t, small(1, 2))
	if err := h.queue.do(t.Context(), func() error { panic("oh") }); err == nil {
		t.Error("no error")
	}
	if _, err := h.Hash(t.Context(), "pw"); err != nil {
		t.Error(err)
	}
}

var _ = []verifier.Verifier{djangoPBKDF2{}, djangoBcrypt{}, firebase{}, betterAuth{}}

// A program hears once that hashing begins and once that it is calm again, however many sign in, and the last word is true.
func TestOnBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(small(2, 16))
		defer h.Close()
		var mu sync.Mutex
		var heard []bool
		h.OnBusy(func(busy bool) {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, busy)
		})
		want := func(words ...bool) {
			t.Helper()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(heard, words) {
				t.Fatal(heard, words)
			}
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := h.Hash(t.Context(), "password"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		want(true)
		time.Sleep(calmAfter / 2)
		if _, err := h.Hash(t.Context(), "password"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(calmAfter * 3 / 4)
		synctest.Wait()
		want(true)
		time.Sleep(calmAfter)
		synctest.Wait()
		want(true, false)
		if _, err := h.Hash(t.Context(), "password"); err != nil {
			t.Fatal(err)
		}
		want(true, false, true)
	})
}
