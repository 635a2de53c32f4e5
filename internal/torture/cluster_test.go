package torture_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// cluster is a PostgreSQL of the test's own, to be stopped and started.
type cluster struct {
	*testing.T
	bin, dir, url, port string
	owner               *syscall.Credential // whom the server runs as; nil is us
}

var postgresVersion = regexp.MustCompile(`\d+`)

// postgresBin is the directory of the newest PostgreSQL, as scripts/with-services.sh finds it.
func postgresBin(t *testing.T) string {
	t.Helper()
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err != nil { // beside what it leads to are the other programs
			t.Fatal(err)
		}
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*",
		"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	version := func(dir string) int {
		out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
		if err != nil {
			return 0
		}
		n, _ := strconv.Atoi(postgresVersion.FindString(string(out)))
		return n
	}
	if len(dirs) == 0 {
		t.Fatal("no PostgreSQL server programs found; TEST_ENGINES=sqlite tests without them")
	}
	best := slices.MaxFunc(dirs, func(a, b string) int { return cmp.Compare(version(a), version(b)) })
	if version(best) < 13 {
		t.Fatal("no PostgreSQL 13 or newer found; TEST_ENGINES=sqlite tests without it")
	}
	return best
}

// newCluster makes a cluster and starts it. It is gone with the test.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := place(t)
	c.run("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	c.begin()
	return c
}

// standby makes another server that follows this one (hot standby) and starts it.
func (c *cluster) standby() *cluster {
	c.Helper()
	s := place(c.T)
	s.run("pg_basebackup", "-h", "127.0.0.1", "-p", c.port, "-U", "postgres", "-D", s.data(), "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
	s.begin()
	return s
}

// place is where a cluster can be.
func place(t *testing.T) *cluster {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "torture-pg") // short: the path of a socket may have about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := &cluster{T: t, bin: postgresBin(t), dir: dir, port: testkit.FreePort(t)}
	c.url = "postgres://postgres@127.0.0.1:" + c.port + "/postgres?sslmode=disable"
	if os.Getuid() == 0 { // a server does not run as root
		c.owner = credential(t)
		if err := os.Chown(dir, int(c.owner.Uid), int(c.owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// begin starts it for the first time. It ends with the test.
func (c *cluster) begin() {
	c.Helper()
	c.Cleanup(func() { _ = c.command("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", c.data()).Run() })
	c.start()
}

func credential(t *testing.T) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			t.Fatal(err)
		}
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.Env = c.dir, []string{"PATH=" + os.Getenv("PATH")}
	if c.owner != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.owner}
	}
	return cmd
}

// run runs a program to its end. What it leaves running writes to the log of the cluster, not to our pipe.
func (c *cluster) run(name string, args ...string) {
	c.Helper()
	log, err := os.OpenFile(filepath.Join(c.dir, "run.log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o666)
	if err != nil {
		c.Fatal(err)
	}
	defer log.Close()
	cmd := c.command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log.Name())
		c.Fatalf("%s: %v\n%s", name, err, text)
	}
}

func (c *cluster) options() string {
	// The machine does not fail here, only the server: what it has handed to the kernel is safe without a sync.
	return fmt.Sprintf("-p %s -c listen_addresses=127.0.0.1 -c unix_socket_directories=%s -c fsync=off", c.port, c.dir)
}

func (c *cluster) start() {
	c.Helper()
	c.run("pg_ctl", "start", "-w", "-s", "-D", c.data(), "-l", filepath.Join(c.dir, "postgres.log"), "-o", c.options())
}

// stop ends the server as a crash does.
func (c *cluster) stop() {
	c.Helper()
	c.run("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", c.data())
}

func (c *cluster) restart() {
	c.Helper()
	c.run("pg_ctl", "restart", "-w", "-s", "-m", "immediate", "-D", c.data(), "-l", filepath.Join(c.dir, "postgres.log"), "-o", c.options())
}
