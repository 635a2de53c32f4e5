package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/testkit"
)

// TestMain lets the test binary be the program itself, for what needs a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUN_BESIDE") != "" && os.Getenv("ADMIT_URL") != "" {
		os.Exit(besideServer())
	}
	if os.Getenv("TEST_RUN_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// bench is a directory and an environment to run commands in.
type bench struct {
	*testing.T
	dir      string
	env      []string
	terminal cli.Terminals
	typed    []string // what is typed where nothing is shown
}

// answer is how a command ended.
type answer struct {
	t        *testing.T
	code     int
	out, err string
}

func newBench(t *testing.T, env ...string) *bench {
	dir := t.TempDir()
	cheap := []string{"DATA_DIR=" + filepath.Join(dir, "admit-data"), "PASSWORD_HASH_MEMORY_KIB=64", "PASSWORD_HASH_ITERATIONS=1", "RATE_LIMIT=off", "EMAIL_VERIFICATION=off"}
	return &bench{T: t, dir: dir, env: append(env, cheap...)} // of two that are the same, the first wins
}

func (b *bench) program(ctx context.Context, stdin string) (*cli.Program, *testkit.Journal, *testkit.Journal) {
	out, err := &testkit.Journal{}, &testkit.Journal{}
	typed := b.typed
	return &cli.Program{Ctx: ctx, Dir: b.dir, Stdin: strings.NewReader(stdin), Stdout: out, Stderr: err, Environ: b.env,
		EnvFile: filepath.Join(b.dir, ".env"), Terminal: b.terminal, Hidden: func() (string, error) {
			text := typed[0]
			typed = typed[1:]
			return text, nil
		}}, out, err
}

// run runs a command with nothing to read.
func (b *bench) run(args ...string) answer {
	b.Helper()
	return b.typing("", args...)
}

func (b *bench) typing(stdin string, args ...string) answer {
	b.Helper()
	p, out, err := b.program(b.Context(), stdin)
	code := run(p, args)
	return answer{b.T, code, out.String(), err.String()}
}

// want holds the exit code, and what is somewhere in the output.
func (a answer) want(code int, says ...string) answer {
	a.t.Helper()
	if a.code != code {
		a.t.Fatalf("exit code %d, want %d\n%s\n%s", a.code, code, a.out, a.err)
	}
	for _, s := range says {
		if !strings.Contains(a.out+a.err, s) {
			a.t.Fatalf("%q is not in\n%s\n%s", s, a.out, a.err)
		}
	}
	return a
}

func (a answer) json() (v struct {
	ID       string
	IsActive bool `json:"is_active"`
	Roles    []string
	Revoked  int
	Items    []map[string]any
	Next     *string `json:"next_cursor"`
	OK       bool
	Faults   []map[string]string
	Checks   []app.Check
	URL      string

	Slug, Name, Reach string
	Suspended         bool
	Permissions       []string
}) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.out), &v); err != nil {
		a.t.Fatalf("%v in %s", err, a.out)
	}
	return v
}

// eventually asks until it is so.
func eventually(t *testing.T, within time.Duration, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// served is a server that runs in this process.
type served struct {
	url, origin string
	said        *testkit.Journal
	stop        func() int
}

var local = regexp.MustCompile(`https?://localhost:\d+`)

// serve starts a server on a free port and waits until it has greeted.
func (b *bench) serve(args ...string) served {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	p, _, said := b.program(ctx, "")
	ended := make(chan int, 1)
	go func() { ended <- run(p, append([]string{"serve", "--port", "0"}, args...)) }()
	stop := sync.OnceValue(func() int { cancel(); return <-ended })
	b.Cleanup(func() { stop() })
	eventually(b.T, 20*time.Second, "a greeting", func() bool {
		return strings.Contains(said.String(), "admit doctor\n") || strings.Contains(said.String(), `"msg":"ready"`)
	})
	origin := local.FindString(said.String())
	return served{strings.Replace(origin, "localhost", "127.0.0.1", 1), origin, said, stop}
}

func (s served) client(t *testing.T) *testkit.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &testkit.Client{T: t, URL: s.url, Header: http.Header{}, Client: &http.Client{Jar: jar}}
}
