package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// table prints rows: aligned under their heading for people, tab-separated and bare for programs.
func (p *program) table(heading []string, rows [][]string) error {
	var w io.Writer = p.stdout
	if p.terminal.out {
		aligned := tabwriter.NewWriter(p.stdout, 0, 0, 3, ' ', 0)
		defer func() { _ = aligned.Flush() }()
		w = aligned
		if heading != nil {
			rows = append([][]string{heading}, rows...)
		}
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = cell(c)
			if p.terminal.out && c == "" && i < len(row)-1 {
				cells[i] = "-"
			}
		}
		if _, err := fmt.Fprintln(w, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return nil
}

// cell keeps what a client sent, such as its user agent, from moving the cursor or breaking the row.
func cell(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// json prints data for programs.
func (p *program) json(v any) error {
	e := json.NewEncoder(p.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// page is a list as the API gives one.
type page struct {
	Items      any     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// say tells the person what was done.
func (p *program) say(format string, args ...any) {
	if !p.Quiet {
		fmt.Fprintf(p.stderr, format+"\n", args...)
	}
}

// next names the command that is likely to follow, where somebody reads it.
func (p *program) next(commands ...string) {
	if p.terminal.err {
		p.say("Next: %s", strings.Join(commands, " · "))
	}
}

// asks reports whether a question would be answered.
func (p *program) asks() bool { return p.terminal.in && !p.NoInput }

// confirm has a person type word before something that cannot be undone.
func (p *program) confirm(yes bool, what, word string) error {
	if yes {
		return nil
	}
	if !p.asks() {
		return refuse(exitUsage, "%s cannot be undone. Say so with --yes.", what)
	}
	fmt.Fprintf(p.stderr, "%s cannot be undone. Type %s to go on: ", what, word)
	answer, err := p.line()
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != word {
		return refuse(exitFailed, "Nothing was changed.")
	}
	return nil
}

func (p *program) line() (string, error) {
	text, err := bufio.NewReader(p.stdin).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return text, err
}

// secret asks for a password twice, as nobody sees what is typed.
func (p *program) secret(what string) (string, error) {
	var answers [2]string
	for i, question := range []string{what, "Once more"} {
		fmt.Fprint(p.stderr, question+": ")
		var err error
		answers[i], err = p.hidden()
		fmt.Fprintln(p.stderr)
		if err != nil {
			return "", err
		}
	}
	if answers[0] != answers[1] {
		return "", refuse(exitFailed, "The two were not the same. Nothing was changed.")
	}
	return answers[0], nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
