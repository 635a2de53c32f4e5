package authz

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

const (
	maxCondition = 4096   // characters
	maxNodes     = 500    // of the expression, macros expanded
	maxCost      = 20_000 // about a millisecond
	rolesVar     = "subject.roles"
)

// condition is a compiled CEL expression. It is safe for many callers at once.
type condition struct {
	source  string
	program cel.Program
	stepUp  bool // it reads how long ago the person proved themself
}

// CheckCondition says what is wrong with a condition, with its line and column.
func (r *Root) CheckCondition(source string) error {
	_, err := r.cond.again().compile(source)
	return err
}

// conditions compiles each condition once, in one environment that is not built before it is needed.
type conditions struct {
	env   func() (*cel.Env, error)
	known map[string]*condition
}

func newConditions() *conditions {
	return &conditions{env: sync.OnceValues(newEnv), known: map[string]*condition{}}
}

// again is for the next revision: the same environment, and nothing known yet, so that what went out of use is let go.
func (c *conditions) again() *conditions {
	return &conditions{env: c.env, known: map[string]*condition{}}
}

func newEnv() (*cel.Env, error) {
	facts := cel.MapType(cel.StringType, cel.DynType)
	return cel.NewEnv(
		cel.Variable("subject.id", cel.StringType),
		cel.Variable(rolesVar, cel.ListType(cel.StringType)),
		cel.Variable("org.id", cel.StringType),
		cel.Variable("resource", facts),
		cel.Variable("context", facts),
		cel.Variable("now", cel.TimestampType),
		cel.CrossTypeNumericComparisons(true), // numbers that came as JSON are doubles
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxCondition),
		cel.ExpressionNodeLimit(maxNodes),
		cel.ParserRecursionLimit(50),
		cel.RegexProgramSizeLimit(1000),
	)
}

func (c *conditions) compile(source string) (*condition, error) {
	if known := c.known[source]; known != nil {
		return known, nil
	}
	env, err := c.env()
	if err != nil {
		return nil, err
	}
	tree, issues := env.Compile(source)
	if issues.Err() != nil {
		first := issues.Errors()[0]
		at := fmt.Sprintf("line %d, column %d: ", first.Location.Line(), first.Location.Column()+1)
		return nil, ErrCondition.Say("This condition cannot be used: " + at + first.Message).Because(issues.Err())
	}
	if tree.OutputType() != cel.BoolType {
		return nil, ErrCondition.Say("This condition cannot be used: it gives " + tree.OutputType().String() + ", and must give true or false.")
	}
	if !monotone(tree.NativeRep().Expr()) {
		return nil, ErrCondition.Say(`This condition cannot be used: it may ask for a role, as in "editor" in subject.roles, and for nothing else of the roles. Otherwise a role more could take a permission away.`)
	}
	program, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, ErrCondition.Say("This condition cannot be used: " + err.Error() + ".").Because(err)
	}
	made := &condition{source, program, strings.Contains(source, "mfa_age") || strings.Contains(source, "auth_age")}
	c.known[source] = made
	return made, nil
}

// monotone reports whether holding more roles can only turn the expression from false to true.
func monotone(e ast.Expr) bool {
	if !readsRoles(e) {
		return true
	}
	if e.Kind() != ast.CallKind {
		return false
	}
	args := e.AsCall().Args()
	switch e.AsCall().FunctionName() {
	case operators.LogicalAnd, operators.LogicalOr:
		return !slices.ContainsFunc(args, func(a ast.Expr) bool { return !monotone(a) })
	case operators.Conditional:
		return !readsRoles(args[0]) && monotone(args[1]) && monotone(args[2])
	case operators.In:
		return !readsRoles(args[0]) && args[1].Kind() == ast.IdentKind
	}
	return false
}

func readsRoles(e ast.Expr) bool {
	found := false
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.IdentKind && strings.TrimPrefix(e.AsIdent(), ".") == rolesVar
	}))
	return found
}

var errNotBool = errors.New("the condition did not give true or false")

// eval is total: what cannot be answered is an error, and every caller takes an error for a no.
func (c *condition) eval(f *facts) (ok bool, err error) {
	defer func() {
		if p := recover(); p != nil { // a value of the caller's own type may panic in a method
			ok, err = false, fmt.Errorf("the condition panicked: %v", p)
		}
	}()
	out, _, err := c.program.Eval(f)
	if err != nil {
		return false, err
	}
	ok, is := out.Value().(bool)
	if !is {
		return false, errNotBool
	}
	return ok, nil
}

// facts is what one question tells conditions.
type facts struct {
	q     Query
	roles []string
}

// Parent makes facts a CEL activation.
func (f *facts) Parent() cel.Activation { return nil }

// ResolveName gives a declared variable. Without a time there is no now: what asks for it fails, and denies.
func (f *facts) ResolveName(name string) (any, bool) {
	switch name {
	case "subject.id":
		return f.q.Subject, true
	case rolesVar:
		return f.roles, true
	case "org.id":
		return f.q.Org, true
	case "resource":
		return f.q.Resource, true
	case "context":
		return f.q.Context, true
	case "now":
		return f.q.Now, !f.q.Now.IsZero()
	}
	return nil, false
}

// stepped is the same question as it would be asked right after the person proved themself again.
func (f *facts) stepped() *facts {
	again := *f
	again.q.Context = make(map[string]any, len(f.q.Context)+2)
	maps.Copy(again.q.Context, f.q.Context)
	again.q.Context["mfa_age"], again.q.Context["auth_age"] = 0, 0
	return &again
}
