// Command bench measures Admit: every figure beside a floor that is sampled in the same moments, because what machines and
// their neighbours do to absolute figures is larger than what a change to the code does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	parts := map[string]func(context.Context, []string) error{"floor": floor, "hash": hash, "writes": writes, "serve": serve}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := run
	args := os.Args[1:]
	if len(args) > 0 && parts[args[0]] != nil {
		do, args = parts[args[0]], args[1:]
	}
	if err := do(ctx, args); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of the whole.
type bench struct {
	ctx      context.Context
	dir      string // temporary
	admit    string // the program under measurement
	self     string // this program, for its floors
	pin      pin
	sample   time.Duration
	pairs    int
	quick    bool
	profiles string // where CPU profiles go; then the server is our own, which can be asked for them
	section  string // where what is measured belongs
	results  []result
	access   access // who may do what

	usualHash float64 // CPU of a default hash in ms, once a row has measured it
}

func run(ctx context.Context, args []string) error {
	b := &bench{ctx: ctx}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&b.quick, "quick", false, "a rough answer in four minutes")
	only := flags.String("only", "", "measure only these `rows`, comma-separated: "+names())
	asJSON := flags.Bool("json", false, "print JSON")
	write := flags.Bool("write", false, "write RESULTS.md; sections that are not measured stay there")
	seconds := flags.Float64("seconds", 0, "length of one sample (default 1, with --quick 0.3)")
	flags.StringVar(&b.profiles, "profile", "", "keep CPU profiles in this `directory`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	b.sample, b.pairs = time.Second, 6
	if b.quick {
		b.sample, b.pairs = 300*time.Millisecond, 3
	}
	if *seconds > 0 {
		b.sample = time.Duration(*seconds * float64(time.Second))
	}
	list, err := pick(*only)
	if err == nil && *write {
		err = whole(list)
	}
	if err == nil {
		err = b.prepare()
	}
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	quiet := listen()
	failed := b.measureAll(list)
	if len(b.results)+len(b.access.Findings) == 0 {
		return failed
	}
	if *write && failed != nil {
		*write, failed = false, fmt.Errorf("RESULTS.md stays as it is: %w", failed)
	}
	return errors.Join(failed, b.report(strings.Join(args, " "), quiet, *asJSON, *write))
}

// prepare makes room and settles on CPUs.
func (b *bench) prepare() (err error) {
	if b.profiles != "" {
		if b.profiles, err = filepath.Abs(b.profiles); err != nil {
			return err
		}
		if err := os.MkdirAll(b.profiles, 0o755); err != nil {
			return err
		}
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "admit-bench-"); err != nil {
		return err
	}
	b.pin = pinned()
	return nil
}

// build makes the program under measurement.
func (b *bench) build() error {
	b.admit = filepath.Join(b.dir, "admit")
	build := exec.CommandContext(b.ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.admit, "./cmd/admit")
	build.Dir = ".."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("admit does not build (run this in bench/): %w\n%s", err, out)
	}
	return nil
}

// The sections of the report.
const (
	requests = "Requests"
	telling  = "What the time of an answer tells"
	rights   = "Who may do what"
)

type row struct {
	name    string
	do      func(*bench) error
	section string
}

// rows is everything there is to measure, in the order of the report.
var rows = []row{
	{"me", (*bench).me, requests},
	{"cold", (*bench).cold, requests},
	{"login", (*bench).login, requests},
	{"signup", (*bench).signUp, requests},
	{"refresh", (*bench).refresh, requests},
	{"logout", (*bench).logout, requests},
	{"writes", (*bench).writeFloor, requests},
	{"burst", (*bench).bursts, requests},
	{"storm", (*bench).storm, requests},
	{"start", (*bench).starts, requests},
	{"idle", (*bench).idle, requests},
	{"reads", (*bench).reads, requests},
	{"memory", (*bench).sessionMemory, requests},
	{"scale", (*bench).scale, requests},
	{"timing", (*bench).timing, telling},
	{"postgres", (*bench).postgres, requests},
	{"authz", (*bench).authz, rights},
}

func names() string {
	var list []string
	for _, r := range rows {
		list = append(list, r.name)
	}
	return strings.Join(list, ", ")
}

// pick is the rows with these names, all of them for none.
func pick(only string) ([]row, error) {
	if only == "" {
		return rows, nil
	}
	var list []row
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(rows, func(r row) bool { return r.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no row %q; there are %s", name, names())
		}
		list = append(list, rows[i])
	}
	return list, nil
}

// whole refuses to write a part of a section: what else it holds would be gone from RESULTS.md.
func whole(list []row) error {
	has := func(is func(row) bool) bool { return slices.ContainsFunc(list, is) }
	var left []string
	for _, r := range rows {
		if has(func(l row) bool { return l.section == r.section }) && !has(func(l row) bool { return l.name == r.name }) {
			left = append(left, r.name)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("--write takes a section as a whole: name %s too, or leave --write out", strings.Join(left, ", "))
	}
	if os.Getenv("TEST_POSTGRES_URL") == "" && has(func(l row) bool { return l.name == "postgres" }) {
		return errors.New("--write needs PostgreSQL for the row postgres: TEST_POSTGRES_URL is not set (scripts/with-services.sh sets it)")
	}
	return nil
}

// measureAll goes on after a row that failed: what the others found is worth having.
func (b *bench) measureAll(list []row) (failed error) {
	for _, r := range list {
		if b.admit == "" && r.name != "authz" { // which measures in this process
			if err := b.build(); err != nil {
				return err
			}
		}
		began := time.Now()
		b.section = r.section
		if err := r.do(b); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", r.name, err))
		}
		if b.ctx.Err() != nil {
			return failed
		}
		fmt.Fprintf(os.Stderr, "%-9s %5.1f s\n", r.name, time.Since(began).Seconds())
	}
	return failed
}
