package torture_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// process is a running admit serve.
type process struct {
	*testing.T
	*caller
	cmd  *exec.Cmd
	addr string
	log  *testkit.Journal
	gone chan struct{}
	code int
}

// settings is the environment of a server: a directory, a store and what else is said.
func settings(dir, databaseURL string, more ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "DATA_DIR=" + filepath.Join(dir, "admit-data"), "DATABASE_URL=" + databaseURL,
		"BASE_URL=http://localhost:8000", "RATE_LIMIT=off", "EMAIL_VERIFICATION=off", "PASSWORD_HASH_MEMORY_KIB=64", "PASSWORD_HASH_ITERATIONS=1",
	}, more...)
}

// launch starts a server and does not wait for it.
func launch(t *testing.T, dir string, env []string) *process {
	t.Helper()
	addr := "127.0.0.1:" + testkit.FreePort(t)
	cmd := exec.Command(program, "serve")
	return launched(t, cmd, dir, addr, env)
}

func launched(t *testing.T, cmd *exec.Cmd, dir, addr string, env []string) *process {
	t.Helper()
	p := &process{T: t, cmd: cmd, addr: addr, caller: newCaller("http://" + addr), log: &testkit.Journal{}, gone: make(chan struct{})}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(env, "ADDR="+addr), p.log, p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		p.code = cmd.ProcessState.ExitCode()
		close(p.gone)
	}()
	t.Cleanup(p.kill)
	return p
}

// serve starts a server and waits until it is ready.
func serve(t *testing.T, dir string, env []string) *process {
	t.Helper()
	p := launch(t, dir, env)
	p.waitReady(20 * time.Second)
	return p
}

// waitReady waits until the server says that it is ready, and says how long that took.
func (p *process) waitReady(limit time.Duration) time.Duration {
	p.Helper()
	return within(p.T, limit, "ready: "+p.addr, func() bool {
		select {
		case <-p.gone:
			p.Fatalf("the server ended with %d:\n%s", p.code, p.log)
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, "GET", p.url+"/health/ready", nil)
		resp, err := p.client.Do(r)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// kill ends the server at once, as kill -9 does, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.gone
	p.client.CloseIdleConnections()
}

// terminate asks the server to end and waits for that.
func (p *process) terminate() {
	p.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.Fatal(err)
	}
	p.ended(15 * time.Second)
}

func (p *process) ended(limit time.Duration) {
	p.Helper()
	select {
	case <-p.gone:
	case <-time.After(limit):
		p.Fatalf("the server has not ended after %v:\n%s", limit, p.log)
	}
}
