package main

import (
	"syscall"
	"time"
	"unsafe"
)

// processCPU is the CPU time of a process with all the threads it has and had. Unlike /proc/PID/stat, the clock of a
// process (clock_getcpuclockid) counts nanoseconds.
func processCPU(pid int) (time.Duration, error) {
	var t syscall.Timespec
	clock := ^pid<<3 | 2
	_, _, e := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&t)), 0)
	if e != 0 {
		return 0, e
	}
	return time.Duration(t.Nano()), nil
}
