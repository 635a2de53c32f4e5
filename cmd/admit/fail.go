package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/config"
)

// The exit codes.
const (
	exitFailed     = 1
	exitUsage      = 2
	exitNotFound   = 3
	exitNotAllowed = 4
	exitWarnings   = 10 // of doctor

	exitInterrupted = 130 // as a shell calls it
)

// failure is a command's own refusal: its exit code and, unless everything has been said, a sentence and what to do.
type failure struct {
	code int
	text string
}

func (f failure) Error() string { return f.text }

func refuse(code int, format string, args ...any) error {
	return failure{code, fmt.Sprintf(format, args...)}
}

// fail says what went wrong, if anything did, and gives the exit code.
func (p *program) fail(err error) int {
	if err == nil {
		return 0
	}
	code, text := judge(err)
	if text != "" {
		fmt.Fprintln(p.stderr, "admit: "+text)
	}
	return code
}

func judge(err error) (code int, text string) {
	if f, ok := errors.AsType[failure](err); ok {
		return f.code, f.text
	}
	if e, ok := errors.AsType[*apperr.Error](err); ok {
		return codeOf(e.Kind), words(e)
	}
	if errors.Is(err, fs.ErrPermission) {
		return exitNotAllowed, err.Error()
	}
	return exitFailed, err.Error()
}

func codeOf(kind apperr.Kind) int {
	switch kind {
	case apperr.NotFound:
		return exitNotFound
	case apperr.Forbidden, apperr.Unauthenticated:
		return exitNotAllowed
	case apperr.Invalid, apperr.Malformed:
		return exitUsage
	}
	return exitFailed
}

// words is a refusal for an operator, who may know the cause, which a client of the server may not.
func words(e *apperr.Error) string {
	cause := e.Unwrap()
	switch {
	case cause == nil:
		return e.Message
	case e.Kind == apperr.Internal:
		return cause.Error()
	}
	return strings.TrimSuffix(e.Message, ".") + " (" + strings.Join(strings.Fields(cause.Error()), " ") + ")."
}

var (
	strangeWord = regexp.MustCompile(`^unexpected argument (.+?)(, did you mean .*)?$`)
	strangeFlag = regexp.MustCompile(`^unknown flag (\S+?)(, did you mean .*)?$`)
	notNumber   = regexp.MustCompile(`^(\S+): expected a valid (\d+) bit u?int but got (.*)$`)
	wanting     = regexp.MustCompile(`^(?:expected|missing positional arguments) "?([^",]+?)"?$`)
)

// usage words what the parser refused.
func usage(err error) error {
	refused, ok := errors.AsType[*kong.ParseError](err)
	if !ok {
		return refuse(exitUsage, "%s", err)
	}
	node := refused.Context.Selected()
	if node == nil {
		node = refused.Context.Model.Node
	}
	name := strings.TrimPrefix(node.FullPath(), "admit ")
	said, see := err.Error(), " See "+node.FullPath()+" --help."
	if m := strangeWord.FindStringSubmatch(said); m != nil {
		if node.Leaf() {
			return refuse(exitUsage, "%s does not take %q.%s", name, m[1], see)
		}
		return refuse(exitUsage, "There is no command %q.%s%s", strings.TrimPrefix(name+" "+m[1], "admit "), meant(m[1], children(node)), see)
	}
	if m := strangeFlag.FindStringSubmatch(said); m != nil {
		return refuse(exitUsage, "%s has no flag %s.%s%s", name, m[1], meant(m[1], flags(node)), see)
	}
	if m := notNumber.FindStringSubmatch(said); m != nil {
		what := map[string]string{"16": "a number from 0 to 65535"}[m[2]]
		return refuse(exitUsage, "%s is %s, not %s.%s", m[1], cmp.Or(what, "a whole number"), m[3], see)
	}
	if m := wanting.FindStringSubmatch(said); m != nil && node.Leaf() {
		return refuse(exitUsage, "%s needs %s.%s", name, strings.ToUpper(strings.NewReplacer("<", "", ">", "").Replace(m[1])), see)
	}
	if !node.Leaf() {
		return refuse(exitUsage, "%s needs one of: %s.%s", name, strings.Join(children(node), ", "), see)
	}
	return refuse(exitUsage, "%s.%s", strings.TrimSuffix(said, "."), see)
}

// meant is what a word was probably meant to be: one with a slip of the finger, or cut short.
func meant(word string, of []string) string {
	near, ok := config.Nearest(word, of)
	if ok {
		return " Did you mean " + near + "?"
	}
	var longer []string
	for _, name := range of {
		if len(word) > 2 && strings.HasPrefix(name, word) {
			longer = append(longer, name)
		}
	}
	if longer == nil {
		return ""
	}
	return " Did you mean " + strings.Join(longer, " or ") + "?"
}

func children(n *kong.Node) []string {
	var names []string
	for _, c := range n.Children {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}

// flags is every flag that a command understands, with its dashes.
func flags(n *kong.Node) []string {
	var names []string
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			names = append(names, "--"+f.Name)
		}
	}
	return names
}
