// Package torture_test holds the promises of reliability by breaking things under real servers: killed processes, a store
// that goes away, full disks, failing statements. TORTURE=N does everything N times as often.
package torture_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

var program string // the admit that is tortured

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "torture")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "admit")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "../../cmd/admit")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// times is n, or as many times more as TORTURE says.
func times(n int) int {
	if by, err := strconv.Atoi(os.Getenv("TORTURE")); err == nil && by > 0 {
		return n * by
	}
	return n
}

// each runs f for every engine that is tested.
func each(t *testing.T, f func(t *testing.T, engine string)) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) { f(t, engine) })
	}
}

// within polls until ok says so, and fails with what was waited for when that takes longer than limit.
func within(t *testing.T, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
	return time.Since(began)
}

// p99 is the time that 99 of 100 did not exceed, and the longest.
func p99(list []time.Duration) (time.Duration, time.Duration) {
	slices.Sort(list)
	return list[(len(list)*99-1)/100], list[len(list)-1]
}
