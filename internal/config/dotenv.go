package config

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// variable is one NAME=value of a .env file.
type variable struct {
	name, value string
	line        int
}

// dotEnv reads the small language that shells, compose files and other readers of .env agree on:
//
//	# a comment
//	NAME=value up to the end or a space and #    # quotes and backslashes inside are themselves
//	export NAME='everything as it is, but \' is a quote'
//	NAME="\n \r \t \" \\ \$ are escapes, and
//	lines may follow"
//
// There is no interpolation. What the readers do not agree on is a fault.
type dotEnv struct {
	file, rest string
	line       int
	vars       []variable
	seen       map[string]int
	faults     []Finding
	oneLine    bool // a quote was never closed; no later one may swallow the file again
}

var (
	envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	export  = regexp.MustCompile(`^export[ \t]+`)
)

func readDotEnv(file, text string) ([]variable, []Finding) {
	r := &dotEnv{file: file, seen: map[string]int{}}
	r.rest = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	for r.rest != "" {
		r.statement(r.next())
	}
	return r.vars, r.faults
}

func (r *dotEnv) next() string {
	line, rest, _ := strings.Cut(r.rest, "\n")
	r.rest, r.line = rest, r.line+1
	return line
}

func (r *dotEnv) fault(line int, name, what, fix string) {
	r.faults = append(r.faults, Finding{Name: name, From: fmt.Sprintf("%s line %d", r.file, line), What: what, Fix: fix})
}

func (r *dotEnv) statement(text string) {
	at := r.line
	text = strings.TrimLeft(text, " \t")
	if strings.TrimSpace(text) == "" || text[0] == '#' {
		return
	}
	name, raw, ok := strings.Cut(export.ReplaceAllString(text, ""), "=")
	if !ok {
		r.fault(at, "", "the line has no =", "Write NAME=value, or begin the line with #.")
		return
	}
	// The value is read before the name is judged, so that a bad name before a long quote is one fault and not twenty.
	value, what, fix := r.value(raw)
	if garbage, cure := garbled(text); garbage != "" {
		what, fix = garbage, cure
	}
	switch {
	case !envName.MatchString(name) && envName.MatchString(strings.TrimSpace(name)):
		r.fault(at, strings.TrimSpace(name), "there is a space before =", "Write NAME=value without it.")
	case !envName.MatchString(name):
		r.fault(at, "", "the line does not begin with a name", "A name is letters, digits and _, and begins with no digit.")
	case what != "":
		r.fault(at, name, what, fix)
	case r.seen[name] != 0:
		r.fault(at, name, fmt.Sprintf("is already set on line %d", r.seen[name]), "Keep one of the two.")
	default:
		r.seen[name] = at
		r.vars = append(r.vars, variable{name, value, at})
	}
}

func (r *dotEnv) value(raw string) (value, what, fix string) {
	switch {
	case strings.HasPrefix(raw, `"`), strings.HasPrefix(raw, "'"):
		value, what, fix = r.quoted(raw[0], raw[1:])
	default:
		value = raw
		if i := comment(raw); i >= 0 {
			value = raw[:i]
		}
		value = strings.TrimRight(value, " \t")
		if strings.HasPrefix(value, " ") || strings.HasPrefix(value, "\t") {
			return "", "there is a space after =", "Write NAME=value without it, or put the value in quotes."
		}
	}
	return value, what, fix
}

// garbled says what makes a line unreadable, if anything does.
func garbled(text string) (what, fix string) {
	switch {
	case !utf8.ValidString(text):
		return "the line is not UTF-8", "Save the file as UTF-8."
	case strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
		return "the line holds a control character", `Remove it; in double quotes \n, \r and \t can be written.`
	}
	return "", ""
}

// comment finds the # that follows a space.
func comment(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] == '#' && (s[i-1] == ' ' || s[i-1] == '\t') {
			return i
		}
	}
	return -1
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '"': '"', '\\': '\\', '$': '$'}

func (r *dotEnv) quoted(quote byte, text string) (value, what, fix string) {
	rest, line := r.rest, r.line
	var b strings.Builder
	for {
		for i := 0; i < len(text); i++ {
			c := text[i]
			switch {
			case c == quote:
				if tail := strings.TrimSpace(text[i+1:]); what == "" && tail != "" && (tail[0] != '#' || text[i+1] == '#') {
					what, fix = "something follows the closing quote", "Put all of the value inside the quotes."
					if r.line != line {
						what, fix = fmt.Sprintf("the quote ends only on line %d, where something follows it", r.line), "Close it where it should end."
					}
				}
				return b.String(), what, fix
			case c == '\\' && quote == '\'' && strings.HasPrefix(text[i+1:], "'"):
				i++
				b.WriteByte('\'')
			case c == '\\' && quote == '"':
				i++
				if i == len(text) || escapes[text[i]] == 0 {
					what, fix = "the value holds an unknown escape", `In double quotes write \\ for a backslash, or use single quotes.`
				} else {
					b.WriteByte(escapes[text[i]])
				}
			default:
				b.WriteByte(c)
			}
		}
		if r.rest == "" || r.oneLine {
			r.rest, r.line, r.oneLine = rest, line, true
			return "", "the quote is never closed", fmt.Sprintf("Close it with %c.", quote)
		}
		b.WriteByte('\n')
		text = r.next()
		if garbage, cure := garbled(text); garbage != "" {
			what, fix = garbage, cure
		}
	}
}

// dotEnvQuote writes a value so that readDotEnv, and a shell, read it back.
func dotEnvQuote(value string) string {
	if !strings.ContainsFunc(value, func(c rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@,%+=", c)
	}) {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(value) + `"`
}
