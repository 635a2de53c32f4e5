package admit_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/testkit"
)

// envelope is what stands around the data of every event.
var envelope = map[string]string{
	"id":         "`evt_…`, different for each event.",
	"at":         "When the change was made, in UTC.",
	"kind":       "One of the kinds below.",
	"outcome":    "`success` or `failure`.",
	"subject":    "The id it is about. Absent when that is nobody known.",
	"actor":      "Who acted: the id of a person, or `cli`. Absent for a stranger.",
	"session_id": "The session of the actor.",
	"org_id":     "The organization the request was about.",
	"ip":         "The address of the client, as far as `TRUSTED_PROXIES` lets it be known.",
	"user_agent": "What the client calls itself, at most 400 bytes.",
	"request_id": "The `X-Request-Id` of the request.",
	"data":       "What is particular to the kind. `on_behalf_of` beside it: the person in whose name the actor acted.",
	"cursor":     "Its place in the order of commits.",
}

func TestEventCatalogueIsCurrent(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Events

<!-- Generated from the event types themselves; a test fails when this page is stale. -->

Every change stores what happened in the same transaction as its rows: an event is there if, and only if, the change is (` + "`TestWriteIsWhole`" + `).
Events are kept in the table ` + "`events`" + `, read in the order of commits without leaving one out (` + "`TestEventsSkipNothing`" + `), and appended to the file
that ` + "`EVENT_FILE`" + ` names, one JSON object a line; [webhooks, Kafka and NATS](webhooks.md) are told of the same. They hold ids and small facts, never a secret, a password or an e-mail address. Readers must pass over kinds and members
they do not know.

| Member | Type | Meaning |
|---|---|---|
`)
	for f := range reflect.TypeFor[event.Line]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if envelope[name] == "" {
			t.Fatalf("say in envelope what %s is", name)
		}
		kind := "text"
		switch name {
		case "at":
			kind = "time, RFC 3339"
		case "data":
			kind = "object"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, kind, envelope[name])
	}
	for _, e := range eventTypes(t) {
		fmt.Fprintf(&b, "\n## `%s`\n\n%s Outcome: %s.\n", e.kind, e.doc, e.outcome)
		if len(e.fields) > 0 {
			b.WriteString("\n| Data | Type |\n|---|---|\n" + strings.Join(e.fields, ""))
		}
	}
	testkit.Current(t, "docs/events.md", b.String())
}

type eventType struct {
	kind, doc, outcome string
	fields             []string
}

// goPackage is what the catalogue needs of one: its types, which of them are events, and the values of its named texts.
type goPackage struct {
	types  map[string]*ast.TypeSpec
	kinds  map[string]string // by type
	failed map[string]bool
	values map[string][]string // by type
}

// eventTypes finds every type whose Kind returns a literal.
func eventTypes(t *testing.T) (list []eventType) {
	t.Helper()
	packages := map[string]*goPackage{}
	err := filepath.WalkDir("internal", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		p := packages[filepath.Dir(path)]
		if p == nil {
			p = &goPackage{map[string]*ast.TypeSpec{}, map[string]string{}, map[string]bool{}, map[string][]string{}}
			packages[filepath.Dir(path)] = p
		}
		p.read(file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		for name, kind := range p.kinds {
			list = append(list, p.event(t, name, kind))
		}
	}
	if len(list) < 15 {
		t.Fatalf("only %d events were found", len(list))
	}
	slices.SortFunc(list, func(a, b eventType) int { return cmp.Compare(a.kind, b.kind) })
	return list
}

func (p *goPackage) read(file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					p.types[s.Name.Name] = s
				case *ast.ValueSpec:
					if of, ok := s.Type.(*ast.Ident); ok && d.Tok == token.CONST && len(s.Values) == 1 {
						if lit, ok := s.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
							p.values[of.Name] = append(p.values[of.Name], strings.Trim(lit.Value, `"`))
						}
					}
				}
			}
		case *ast.FuncDecl:
			if d.Recv == nil {
				continue
			}
			on, ok := d.Recv.List[0].Type.(*ast.Ident)
			if !ok {
				continue
			}
			if d.Name.Name == "Failed" {
				p.failed[on.Name] = true
			}
			if kind, ok := literal(d); ok && d.Name.Name == "Kind" {
				p.kinds[on.Name] = kind
			}
		}
	}
}

// literal is the text a function returns and nothing else.
func literal(f *ast.FuncDecl) (string, bool) {
	if f.Body == nil || len(f.Body.List) != 1 {
		return "", false
	}
	ret, ok := f.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return "", false
	}
	lit, ok := ret.Results[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

func (p *goPackage) event(t *testing.T, name, kind string) eventType {
	t.Helper()
	spec := p.types[name]
	body, ok := spec.Type.(*ast.StructType)
	doc := strings.Join(strings.Fields(spec.Doc.Text()), " ")
	told, begins := strings.CutPrefix(doc, name+" is told of ")
	if !ok || !begins {
		t.Fatalf("%s: an event is a struct whose comment begins with %s is told of …", kind, name)
	}
	e := eventType{kind: kind, doc: strings.ToUpper(told[:1]) + told[1:], outcome: "success"}
	if p.failed[name] {
		e.outcome = "failure"
	}
	for _, f := range body.Fields.List {
		tag, _ := strconv.Unquote(f.Tag.Value)
		member, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		what := p.jsonType(t, f.Type)
		if strings.Contains(options, "omitempty") {
			what += ", or absent"
		}
		if note := strings.TrimSpace(f.Comment.Text()); note != "" {
			what += ": " + note
		}
		e.fields = append(e.fields, fmt.Sprintf("| `%s` | %s |\n", member, what))
	}
	return e
}

func (p *goPackage) jsonType(t *testing.T, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.ArrayType:
		return "list of " + p.jsonType(t, e.Elt)
	case *ast.SelectorExpr:
		if e.Sel.Name == "Time" {
			return "time, RFC 3339"
		}
	case *ast.Ident:
		switch e.Name {
		case "string":
			return "text"
		case "int", "int64":
			return "whole number"
		case "bool":
			return "true or false"
		}
		if spec := p.types[e.Name]; spec != nil {
			if body, ok := spec.Type.(*ast.StructType); ok {
				var members []string
				for _, f := range body.Fields.List {
					tag, _ := strconv.Unquote(f.Tag.Value)
					member, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
					members = append(members, "`"+member+"` ("+p.jsonType(t, f.Type)+")")
				}
				return "object of " + strings.Join(members, " and ")
			}
		}
		if values := p.values[e.Name]; len(values) > 0 {
			return "`" + strings.Join(values, "`, `") + "`"
		}
	}
	t.Fatalf("say in jsonType what %v is in JSON", e)
	return ""
}
