package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is a server under measurement, in a process of its own.
type child struct {
	cmd       *exec.Cmd
	addr      string
	pprofAddr string        // where an inspectable one tells of itself
	ready     time.Duration // from the start to the first answer
	talk      bytes.Buffer
	ended     chan struct{}
}

// command is a program on the CPU of the servers, with no environment but env.
func (b *bench) command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	if b.pin.works() {
		args = append([]string{"-c", b.pin.server, name}, args...)
		name = "taskset"
	}
	c := exec.CommandContext(ctx, name, args...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 5 * time.Second
	c.Dir = b.dir
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}, env...)
	return c
}

// start runs a server that reads ADDR, and waits until it answers path.
func (b *bench) start(env []string, path string, name string, args ...string) (*child, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(b.ctx)
	c := &child{addr: addr, ended: make(chan struct{})}
	c.cmd = b.command(ctx, append(env, "ADDR="+addr), name, args...)
	c.cmd.Stderr = &c.talk
	begin := time.Now()
	if err := c.cmd.Start(); err != nil {
		stop()
		return nil, err
	}
	go func() { _ = c.cmd.Wait(); stop(); close(c.ended) }()
	req := request("GET", path, "")
	for time.Since(begin) < 20*time.Second {
		if _, err = asked(addr, req, 200); err == nil {
			c.ready = time.Since(begin)
			return c, nil
		}
		select {
		case <-c.ended:
			return nil, fmt.Errorf("the server ended: %s", c.talk.String())
		case <-time.After(200 * time.Microsecond):
		}
	}
	c.stop()
	return nil, fmt.Errorf("the server does not answer: %w", err)
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// stop ends the process and waits for it.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.ended:
	case <-time.After(5 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}

func (c *child) cpu() (time.Duration, error) { return processCPU(c.cmd.Process.Pid) }

// measure loads the server for d and counts its CPU time.
func (c *child) measure(ctx context.Context, f fleet, d time.Duration) (sample, error) {
	before, err := c.cpu()
	if err != nil {
		return sample{}, err
	}
	s, err := f.run(ctx, d)
	if err != nil {
		return s, fmt.Errorf("%w%s", err, c.last())
	}
	after, err := c.cpu()
	s.cpu = after - before
	return s, err
}

// last is what the server said last, for the message of a failed run.
func (c *child) last() string {
	select {
	case <-c.ended:
	default:
		return ""
	}
	return "; the server has ended: " + c.talk.String()
}

// memory reads VmRSS or VmHWM, in bytes.
func (c *child) memory(name string) (float64, error) {
	return c.proc("status", name+":", 1024)
}

// written is how many bytes the process has had written to disks.
func (c *child) written() (float64, error) { return c.proc("io", "write_bytes:", 1) }

func (c *child) proc(file, name string, unit float64) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", c.cmd.Process.Pid, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			n, err := strconv.ParseFloat(fields[1], 64)
			return n * unit, err
		}
	}
	return 0, fmt.Errorf("no %s in /proc/PID/%s", name, file)
}
