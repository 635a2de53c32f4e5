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
	if err := b.prepare(); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if *write {
		if err := whole(*only); err != nil {
			return err
		}
	}
	quiet := listen()
	failed := b.measureAll(*only)
	if len(b.results)+len(b.access.Findings) == 0 {
		return failed
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

var sections = []string{requests, telling, rights}

// rows is everything there is to measure, in the order of the report.
var rows = []struct {
	name    string
	do      func(*bench) error
	section string
}{
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

// whole refuses to write a part of a section: what else it holds would be gone from RESULTS.md.
func whole(only string) error {
	if only == "" {
		return nil
	}
	wanted := strings.Split(strings.ReplaceAll(only, " ", ""), ",")
	for _, section := range sections {
		var some bool
		var left []string
		for _, r := range rows {
			switch is := slices.Contains(wanted, r.name); {
			case r.section != section:
			case is:
				some = true
			default:
				left = append(left, r.name)
			}
		}
		if some && len(left) > 0 {
			return fmt.Errorf("--write takes %q as a whole: name %s too, or leave --write out", section, strings.Join(left, ", "))
		}
	}
	return nil
}

// measureAll goes on after a row that failed: what the others found is worth having.
func (b *bench) measureAll(only string) (failed error) {
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(only, ",") {
		wanted[strings.TrimSpace(name)] = only != ""
	}
	for _, r := range rows {
		if only != "" && !wanted[r.name] {
			continue
		}
		delete(wanted, r.name)
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
	delete(wanted, "")
	for name := range wanted {
		return fmt.Errorf("there is no row %q; there are %s", name, names())
	}
	return failed
}
