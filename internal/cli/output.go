package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Table prints rows: aligned under their heading for people, tab-separated and bare for programs.
func (p *Program) Table(heading []string, rows [][]string) error {
	var w io.Writer = p.Stdout
	if p.Terminal.Out {
		aligned := tabwriter.NewWriter(p.Stdout, 0, 0, 3, ' ', 0)
		defer func() { _ = aligned.Flush() }()
		w = aligned
		if heading != nil {
			rows = append([][]string{heading}, rows...)
		}
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = Cell(c)
			if p.Terminal.Out && c == "" && i < len(row)-1 {
				cells[i] = "-"
			}
		}
		if _, err := fmt.Fprintln(w, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return nil
}

// Cell keeps what a client sent, such as its user agent, from moving the cursor or breaking the row.
func Cell(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// Print prints data for programs.
func (p *Program) Print(v any) error {
	e := json.NewEncoder(p.Stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Page is a list as the API gives one.
type Page struct {
	Items      any     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// Listed prints a part of a list.
func Listed[T any](p *Program, items []T, next string, heading []string, row func(T) []string) error {
	if p.JSON {
		return p.Print(Page{items, OrNull(next)})
	}
	return p.Table(heading, Mapped(items, row))
}

// Mapped is f of each. It is never null in JSON.
func Mapped[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = f(a)
	}
	return out
}

// Part is which part of a list is asked for.
type Part struct {
	Limit int    `default:"50" help:"How many, at most 1000."`
	After string `help:"Go on where a list ended." placeholder:"CURSOR"`
}

// Validate is called by the parser.
func (c Part) Validate() error {
	if c.Limit < 1 || c.Limit > 1000 {
		return Refuse(ExitUsage, "--limit is a number from 1 to 1000")
	}
	return nil
}

// More says how a list goes on, if it does.
func (p *Program) More(command, next string) {
	if next != "" {
		p.Say("There are more: %s --after %s", command, next)
	}
}

// Say tells the person what was done.
func (p *Program) Say(format string, args ...any) {
	if !p.Quiet {
		fmt.Fprintf(p.Stderr, format+"\n", args...)
	}
}

// Next names the command that is likely to follow, where somebody reads it.
func (p *Program) Next(commands ...string) {
	if p.Terminal.Err {
		p.Say("Next: %s", strings.Join(commands, " · "))
	}
}

// Asks reports whether a question would be answered.
func (p *Program) Asks() bool { return p.Terminal.In && !p.NoInput }

// Confirm has a person type word before something that cannot be undone.
func (p *Program) Confirm(yes bool, what, word string) error {
	if yes {
		return nil
	}
	if !p.Asks() {
		return Refuse(ExitUsage, "%s cannot be undone. Say so with --yes.", what)
	}
	fmt.Fprintf(p.Stderr, "%s cannot be undone. Type %s to go on: ", what, word)
	answer, err := p.line()
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != word {
		return Refuse(ExitFailed, "Nothing was changed.")
	}
	return nil
}

func (p *Program) line() (string, error) {
	text, err := bufio.NewReader(p.Stdin).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return text, err
}

// Secret asks for a password twice, as nobody sees what is typed.
func (p *Program) Secret(what string) (string, error) {
	var answers [2]string
	for i, question := range []string{what, "Once more"} {
		fmt.Fprint(p.Stderr, question+": ")
		var err error
		answers[i], err = p.Hidden()
		fmt.Fprintln(p.Stderr)
		if err != nil {
			return "", err
		}
	}
	if answers[0] != answers[1] {
		return "", Refuse(ExitFailed, "The two were not the same. Nothing was changed.")
	}
	return answers[0], nil
}

// Stamp is a time as every command shows one.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Plural is a number of things, in words.
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// YesNo is true or false.
func YesNo(b bool) string { return strconv.FormatBool(b) }

// Number is a number in a table.
func Number(n int) string { return strconv.Itoa(n) }

// Gone tells a program what is no more.
func (p *Program) Gone(id string) error {
	if !p.JSON {
		return nil
	}
	return p.Print(map[string]any{"id": id, "deleted": true})
}
