package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"
)

// section is a part of the report that is measured by itself.
type section struct {
	title  string
	about  []string
	tables []table
}

// report prints what was found, and writes it to RESULTS.md when asked.
func (b *bench) report(args string, quiet noise, asJSON, write bool) error {
	noisy := quiet.String()
	if os.Getenv("TEST_POSTGRES_URL") != "" {
		noisy += ", Postgres among them"
	}
	command, took := strings.TrimSpace("go run . "+args), time.Since(quiet.began).Seconds()
	var found []section
	about := func(more ...string) []string {
		return append([]string{command, machine(), b.pin.String() + "; " + noisy}, more...)
	}
	if t := b.table(requests); len(t.lines) > 1 {
		found = append(found, section{requests, about(
			fmt.Sprintf("%d pairs of %v samples, %.0f s in all; 32 connections over loopback HTTP/1.1 unless a line says otherwise", b.pairs, b.sample, took),
			"×http is CPU per request by that of a bare net/http answer of the same bytes sampled just before: median (range)",
		), []table{t}})
	}
	if t := b.table(telling); len(t.lines) > 1 {
		found = append(found, section{telling, about(
			"two requests in turns on one connection, compared by the Mann-Whitney U test: p is how likely chance alone sets them this far apart, |AUC − 0.5| how much better than a guess one answer tells which of the two it was",
		), []table{t}})
	}
	if len(b.access.Findings) > 0 {
		found = append(found, section{rights, b.access.about(b, command, noisy, took), b.access.tables()})
	}
	if asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		abouts := map[string][]string{}
		for _, s := range found {
			abouts[s.title] = s.about
		}
		if err := e.Encode(map[string]any{"about": abouts, "results": b.results, "authorization": b.access}); err != nil {
			return err
		}
	} else {
		for _, s := range found {
			fmt.Print(strings.Join(s.about, "\n"), "\n\n", s.text(false))
		}
	}
	if !write {
		return nil
	}
	return writeResults(found)
}

// writeResults puts the sections in the place of those of the same title; one that was not measured stays as it is.
func writeResults(found []section) error {
	old, err := os.ReadFile("RESULTS.md")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := "# Results\n"
	for _, title := range []string{requests, telling, rights} {
		_, part, kept := strings.Cut(string(old), "\n## "+title+"\n")
		part, _, _ = strings.Cut(part, "\n## ")
		for _, s := range found {
			if s.title == title {
				part, kept = "\n`"+s.about[0]+"`\n\n- "+strings.Join(s.about[1:], "\n- ")+"\n\n"+s.text(true), true
			}
		}
		if kept {
			text += "\n## " + title + "\n" + strings.TrimRight(part, "\n") + "\n"
		}
	}
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

// table is lines of cells, the head first. The cells between the words at both ends are numbers.
type table struct {
	words int // how many columns at the beginning are words; the last is too
	lines [][]string
}

// table is the results of a section.
func (b *bench) table(section string) table {
	t := table{1, [][]string{{"what", "req/s", "p50 ms", "p99 ms", "CPU µs", "×http", "against the target"}}}
	for _, r := range b.results {
		if r.Section != section {
			continue
		}
		ratio := ""
		if r.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f (%.2f–%.2f)", r.Ratio, r.Range[0], r.Range[1])
		}
		t.lines = append(t.lines, []string{r.Name, blank(r.PerSecond), blank(r.P50), blank(r.P99), blank(r.CPU), ratio, verdicts(r.Checks, r.Note)})
	}
	return t
}

func verdicts(checks []check, note string) string {
	var parts []string
	for _, c := range checks {
		parts = append(parts, c.String())
	}
	if note != "" {
		parts = append(parts, note)
	}
	return strings.Join(parts, "; ")
}

// text is the tables in columns; in Markdown, or aligned for a terminal.
func (s section) text(markdown bool) string {
	var out strings.Builder
	for _, t := range s.tables {
		t.write(&out, markdown)
		out.WriteString("\n")
	}
	return out.String()
}

func (t table) write(out *strings.Builder, markdown bool) {
	last := len(t.lines[0]) - 1
	widths := widthsOf(t.lines)
	for i, line := range t.lines {
		if markdown {
			for _, cell := range line {
				out.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
			}
			out.WriteString("|\n")
			if i == 0 {
				out.WriteString(strings.Repeat("|---", t.words) + strings.Repeat("|--:", last-t.words) + "|---|\n")
			}
			continue
		}
		for k, cell := range line[:last] {
			out.WriteString(cell + strings.Repeat(" ", widths[k]-utf8.RuneCountInString(cell)+2))
		}
		out.WriteString(line[last] + "\n")
	}
}

func blank(v float64) string {
	if v == 0 {
		return ""
	}
	return number(v)
}

func widthsOf(lines [][]string) []int {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for k, cell := range line {
			widths[k] = max(widths[k], utf8.RuneCountInString(cell))
		}
	}
	return widths
}
