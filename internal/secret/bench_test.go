package secret

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"
)

// BenchmarkArgon2 is the floor: argon2id at the default costs and nothing else.
func BenchmarkArgon2(b *testing.B) {
	for b.Loop() {
		argon2.IDKey([]byte("correct horse"), []byte("saltsaltsaltsalt"), 2, 19456, 1, 32)
	}
}

func BenchmarkHash(b *testing.B) {
	h := start(b, Config{Workers: 1})
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "correct horse"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyOverhead is what a Verify costs beside argon2, which is made as small as it can be.
func BenchmarkVerifyOverhead(b *testing.B) {
	h := start(b, small(1, 4))
	phc, err := h.Hash(b.Context(), "correct horse")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("argon2", func(b *testing.B) {
		for b.Loop() {
			argon2.IDKey([]byte("correct horse"), []byte("saltsaltsaltsalt"), 1, 8, 1, 32)
		}
	})
	b.Run("Verify", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Verify(b.Context(), phc, "correct horse"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkStorm reports the peak memory of many callers at once. The peak is of the process, so run one at a time.
func BenchmarkStorm(b *testing.B) {
	for _, callers := range []int{64, 1000} {
		b.Run(strconv.Itoa(callers), func(b *testing.B) {
			idle := resident(b, "VmRSS")
			for b.Loop() {
				h := NewHasher(Config{Workers: 2, Queue: 1000, TimeoutSeconds: 300})
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						if _, err := h.Hash(context.Background(), "correct horse"); err != nil {
							b.Error(err)
						}
					})
				}
				wg.Wait()
				h.Close()
			}
			b.ReportMetric(idle, "idle-MiB")
			b.ReportMetric(resident(b, "VmHWM")-idle, "peak-idle-MiB")
			b.ReportMetric(0, "B/op")
		})
	}
}

// resident reads one line of /proc/self/status, in MiB.
func resident(b *testing.B, line string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(runtime.GOOS + " does not tell its memory")
	}
	_, rest, _ := strings.Cut(string(text), line+":")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}
