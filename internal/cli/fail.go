package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/typo"
)

// The exit codes.
const (
	ExitFailed     = 1
	ExitUsage      = 2
	ExitNotFound   = 3
	ExitNotAllowed = 4
	ExitWarnings   = 10 // of doctor, and of import

	ExitInterrupted = 130 // as a shell calls it
)

// failure is a command's own refusal: its exit code and, unless everything has been said, a sentence and what to do.
type failure struct {
	code int
	text string
}

func (f failure) Error() string { return f.text }

// Refuse is a refusal with its exit code: what is wrong, and what to do.
func Refuse(code int, format string, args ...any) error {
	return failure{code, fmt.Sprintf(format, args...)}
}

// Silent ends a command with an exit code when everything has been said.
func Silent(code int) error { return failure{code, ""} }

// Fail says what went wrong, if anything did, and gives the exit code.
func (p *Program) Fail(err error) int {
	if err == nil {
		return 0
	}
	code, text := Judge(err)
	if text != "" {
		fmt.Fprintln(p.Stderr, "admit: "+text)
	}
	return code
}

// Judge is the exit code of an error, and what is said of it.
func Judge(err error) (code int, text string) {
	if f, ok := errors.AsType[failure](err); ok {
		return f.code, f.text
	}
	if e, ok := errors.AsType[*apperr.Error](err); ok {
		return CodeOf(e.Kind), words(e)
	}
	if errors.Is(err, fs.ErrPermission) {
		return ExitNotAllowed, err.Error()
	}
	return ExitFailed, err.Error()
}

// CodeOf is the exit code of a kind of refusal.
func CodeOf(kind apperr.Kind) int {
	switch kind {
	case apperr.NotFound:
		return ExitNotFound
	case apperr.Forbidden, apperr.Unauthenticated:
		return ExitNotAllowed
	case apperr.Invalid, apperr.Malformed:
		return ExitUsage
	}
	return ExitFailed
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

// Usage words what the parser refused.
func Usage(err error) error {
	refused, ok := errors.AsType[*kong.ParseError](err)
	if !ok {
		return Refuse(ExitUsage, "%s", err)
	}
	node := refused.Context.Selected()
	if node == nil {
		node = refused.Context.Model.Node
	}
	name := strings.TrimPrefix(node.FullPath(), "admit ")
	said, see := err.Error(), " See "+node.FullPath()+" --help."
	if m := strangeWord.FindStringSubmatch(said); m != nil {
		if node.Leaf() {
			return Refuse(ExitUsage, "%s does not take %q.%s", name, m[1], see)
		}
		return Refuse(ExitUsage, "There is no command %q.%s%s", strings.TrimPrefix(name+" "+m[1], "admit "), Meant(m[1], children(node)), see)
	}
	if m := strangeFlag.FindStringSubmatch(said); m != nil {
		return Refuse(ExitUsage, "%s has no flag %s.%s%s", name, m[1], Meant(m[1], flags(node)), see)
	}
	if m := notNumber.FindStringSubmatch(said); m != nil {
		what := map[string]string{"16": "a number from 0 to 65535"}[m[2]]
		return Refuse(ExitUsage, "%s is %s, not %s.%s", m[1], cmp.Or(what, "a whole number"), m[3], see)
	}
	if m := wanting.FindStringSubmatch(said); m != nil && node.Leaf() {
		return Refuse(ExitUsage, "%s needs %s.%s", name, strings.ToUpper(strings.NewReplacer("<", "", ">", "").Replace(m[1])), see)
	}
	if !node.Leaf() {
		return Refuse(ExitUsage, "%s needs one of: %s.%s", name, strings.Join(children(node), ", "), see)
	}
	return Refuse(ExitUsage, "%s.%s", strings.TrimSuffix(said, "."), see)
}

// Meant is what a word was probably meant to be: one with a slip of the finger, or cut short.
func Meant(word string, of []string) string {
	near, ok := typo.Nearest(word, of)
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
