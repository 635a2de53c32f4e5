package testkit

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Redis is a real Redis server of one test, behind an address that stays and can be slow.
type Redis struct {
	t    testing.TB
	URL  string
	port string
	dir  string

	mu    sync.Mutex
	cmd   *exec.Cmd
	delay time.Duration
}

// NewRedis starts one.
func NewRedis(t testing.TB) *Redis {
	t.Helper()
	if testing.Short() {
		t.Skip("the fast tests start no Redis")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is not installed. Run make test, which installs it, or make test-fast for what needs no service.")
	}
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Redis{t: t, URL: "redis://" + door.Addr().String() + "/0", dir: t.TempDir(), port: FreePort(t)}
	r.Start()
	t.Cleanup(func() { _ = door.Close(); r.Stop() })
	go func() {
		for {
			c, err := door.Accept()
			if err != nil {
				return
			}
			go r.pass(c)
		}
	}()
	return r
}

// pass hands on what is said, as slowly as is asked for.
func (r *Redis) pass(c net.Conn) {
	defer c.Close()
	server, err := net.Dial("tcp", "127.0.0.1:"+r.port)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, c)
		_ = server.Close()
	}()
	part := make([]byte, 32<<10)
	for {
		n, err := server.Read(part)
		if n > 0 {
			r.mu.Lock()
			delay := r.delay
			r.mu.Unlock()
			time.Sleep(delay)
			if _, err := c.Write(part[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Slow has every answer come later.
func (r *Redis) Slow(delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = delay
}

// Start starts the server, empty.
func (r *Redis) Start() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cmd = exec.Command("redis-server", "--port", r.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", r.dir)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	for range 500 {
		if answer, err := r.say("PING"); err == nil && strings.HasPrefix(answer, "+PONG") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatal("redis-server does not answer")
}

// Stop kills it.
func (r *Redis) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.cmd = nil
	}
}

// Do has the server do something, such as FLUSHALL.
func (r *Redis) Do(words ...string) string {
	r.t.Helper()
	answer, err := r.say(words...)
	if err != nil || strings.HasPrefix(answer, "-") {
		r.t.Fatalf("redis %v: %v %s", words, err, answer)
	}
	return answer
}

func (r *Redis) say(words ...string) (string, error) {
	c, err := net.DialTimeout("tcp", "127.0.0.1:"+r.port, time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(c, "$%d\r\n%s\r\n", len(w), w)
	}
	answer := make([]byte, 64<<10)
	n, err := c.Read(answer)
	return string(answer[:n]), err
}
