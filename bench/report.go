package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"
)

// report prints what was found, and writes it to RESULTS.md when asked.
func (b *bench) report(args string, quiet noise, asJSON, write bool) error {
	noisy := quiet.String()
	if os.Getenv("TEST_POSTGRES_URL") != "" {
		noisy += ", Postgres among them"
	}
	about := []string{
		strings.TrimSpace("go run . " + args),
		machine(),
		b.pin.String() + "; " + noisy,
		fmt.Sprintf("%d pairs of %v samples, %.0f s in all; 32 connections over loopback HTTP/1.1 unless a line says otherwise", b.pairs, b.sample, time.Since(quiet.began).Seconds()),
		"×http is CPU per request by that of a bare net/http answer of the same bytes sampled just before: median (range)",
	}
	if asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(map[string]any{"about": about, "results": b.results}); err != nil {
			return err
		}
	} else {
		fmt.Print(strings.Join(about, "\n"), "\n\n", b.table(false))
	}
	if !write {
		return nil
	}
	text := "# Results\n\n`" + about[0] + "`\n\n- " + strings.Join(about[1:], "\n- ") + "\n\n" + b.table(true)
	return os.WriteFile("RESULTS.md", []byte(text), 0o644)
}

// machine says on what it was measured, without saying where.
func machine() string {
	cpu := "unknown CPU"
	text, _ := os.ReadFile("/proc/cpuinfo")
	if _, rest, ok := strings.Cut(string(text), "model name"); ok {
		line, _, _ := strings.Cut(rest, "\n")
		cpu = strings.Trim(line, "\t :")
	}
	return fmt.Sprintf("%s, %d CPUs, %s/%s, %s", cpu, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

var columns = []string{"what", "req/s", "p50 ms", "p99 ms", "CPU µs", "×http", "against the target"}

// table is the results in columns; in Markdown, or aligned for a terminal.
func (b *bench) table(markdown bool) string {
	lines := [][]string{columns}
	for _, r := range b.results {
		checks := make([]string, 0, len(r.Checks)+1)
		for _, c := range r.Checks {
			checks = append(checks, c.String())
		}
		if r.Note != "" {
			checks = append(checks, r.Note)
		}
		ratio := ""
		if r.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f (%.2f–%.2f)", r.Ratio, r.Range[0], r.Range[1])
		}
		lines = append(lines, []string{r.Name, blank(r.PerSecond), blank(r.P50), blank(r.P99), blank(r.CPU), ratio, strings.Join(checks, "; ")})
	}
	var out strings.Builder
	widths := widthsOf(lines)
	for i, line := range lines {
		if markdown {
			fmt.Fprintf(&out, "| %s |\n", strings.Join(line, " | "))
			if i == 0 {
				out.WriteString("|---|--:|--:|--:|--:|--:|---|\n")
			}
			continue
		}
		for k, cell := range line[:len(line)-1] {
			out.WriteString(cell + strings.Repeat(" ", widths[k]-utf8.RuneCountInString(cell)+2))
		}
		out.WriteString(line[len(line)-1] + "\n")
	}
	return out.String()
}

func blank(v float64) string {
	if v == 0 {
		return ""
	}
	return number(v)
}

func widthsOf(lines [][]string) []int {
	widths := make([]int, len(columns))
	for _, line := range lines {
		for k, cell := range line {
			widths[k] = max(widths[k], utf8.RuneCountInString(cell))
		}
	}
	return widths
}
