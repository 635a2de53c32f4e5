package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// noise is how much of the machine others used meanwhile: the first thing to know about a figure that surprises.
type noise struct {
	began time.Time
	busy  time.Duration // of all CPUs, since the machine started
	own   time.Duration // of this process and the children that have ended
}

func listen() noise { return noise{time.Now(), busy(), own()} }

// String is the share of the CPUs that others had since listen.
func (n noise) String() string {
	took := time.Since(n.began) * time.Duration(len(allowed()))
	if took == 0 || n.busy == 0 {
		return "what others used of the CPUs is unknown"
	}
	others := max(0, busy()-n.busy-(own()-n.own))
	return fmt.Sprintf("others used %.0f %% of the CPUs meanwhile", 100*others.Seconds()/took.Seconds())
}

// busy is the time that all CPUs together have worked, and that the host of a virtual machine took from them.
func busy() (d time.Duration) {
	text, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line) {
		// cpu user nice system idle iowait irq softirq steal guest…
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		ticks, _ := strconv.Atoi(field)
		d += time.Duration(ticks) * 10 * time.Millisecond
	}
	return d
}

func own() (d time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			d += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return d
}
