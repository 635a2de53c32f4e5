package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// pin is which CPU the servers run on and which the load comes from.
type pin struct{ server, load string }

func (p pin) works() bool { return p.server != "" }

// String says it for the report.
func (p pin) String() string {
	if !p.works() {
		return "servers and load on the same CPUs, not pinned (taskset or a second CPU is missing): ratios are rougher"
	}
	return fmt.Sprintf("servers on CPU %s, load on CPU %s", p.server, p.load)
}

// pinned moves this process to the second CPU it may use and leaves the first to the servers.
func pinned() pin {
	if _, err := exec.LookPath("taskset"); err != nil {
		return pin{}
	}
	cpus := allowed()
	if len(cpus) < 2 {
		return pin{}
	}
	p := pin{strconv.Itoa(cpus[0]), strconv.Itoa(cpus[1])}
	if exec.Command("taskset", "-a", "-c", "-p", p.load, strconv.Itoa(os.Getpid())).Run() != nil {
		return pin{}
	}
	runtime.GOMAXPROCS(1)
	return p
}

// allowed lists the CPUs this process may use.
func allowed() (cpus []int) {
	text, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(text), "Cpus_allowed_list:")
	list, _, _ := strings.Cut(rest, "\n")
	for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, err1 := strconv.Atoi(from)
		z, err2 := strconv.Atoi(to)
		for ; err1 == nil && err2 == nil && a <= z; a++ {
			cpus = append(cpus, a)
		}
	}
	return cpus
}
