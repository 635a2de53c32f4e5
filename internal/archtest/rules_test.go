package archtest_test

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"strings"
	"testing"
)

// statement is SQL by its first word and the one that belongs to it, and placeholder a part of one.
var (
	statement   = regexp.MustCompile("(?s)^[`\"]\\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE|ALTER|DROP)\\s")
	placeholder = regexp.MustCompile(`[=<>(,]\s*\$[1-9]\b`)
)

func TestSQLStaysInStores(t *testing.T) {
	files, all := tree(t)
	for _, s := range all {
		if s.test || path.Base(s.path) == "store.go" || s.pkg == "internal/database" || s.pkg == "internal/testkit" {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && (statement.MatchString(lit.Value) || placeholder.MatchString(lit.Value)) {
				t.Errorf("%s: SQL outside a store: move it to the store.go of its package, as a function that says what it finds or changes", s.where(files, lit.Pos()))
			}
			return true
		})
	}
}

// realTime lists who may look at the machine's clock, and why. Everything that expires goes by the one clock a test can
// move: database.DB.Now, tx.Now inside a change, or the now function that was handed in.
var realTime = map[string]string{
	"client/client.go":               "the clock of a service that brings no other, and how long the feed has been silent, on the monotonic clock",
	"client/verify.go":               "when the feed was heard last and the keys were asked for last, on the monotonic clock",
	"internal/api/revocation.go":     "the deadlines of a connection",
	"internal/app/app.go":            "it is where the one clock comes from when nobody brings another",
	"internal/database/database.go":  "the same, for a store that is opened by itself",
	"internal/event/feed.go":         "how old the database's last answer is, on the monotonic clock: a clock that is moved must not make a stale copy fresh",
	"internal/revocation/service.go": "how old what it read last is, on the monotonic clock",
	"internal/breaker/breaker.go":    "how long a service is left alone that has failed",
	"internal/testkit/redis.go":      "how long a connection to it may take",
	"internal/token/service.go":      "how often an unknown key id may make us ask the database, which no wrong clock may change",
	"internal/testkit/postfix.go":    "how long a mail takes through another program",
	"internal/sandbox/sandbox.go":    "the clock that its own is ahead of",
	"internal/secret/queue.go":       "how long a hash takes",
	"internal/database/sqlite.go":    "how long a start waits for the lock of a file",
	"internal/cli/store/backup.go":   "the time that is written into a new key, for people",
	"internal/testkit/testkit.go":    "the name of a schema that nobody else has",
}

func TestOneClock(t *testing.T) {
	files, all := tree(t)
	used := map[string]bool{}
	for _, s := range all {
		if s.test {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok || pkg.Name != "time" || sel.Sel.Name != "Now" && sel.Sel.Name != "Since" && sel.Sel.Name != "Until" {
				return true
			}
			used[s.path] = true
			if realTime[s.path] == "" && !strings.HasPrefix(s.path, "cmd/") && !strings.HasPrefix(s.path, "examples/") {
				t.Errorf("%s: time.%s: use the clock of the database (db.Now, tx.Now) or one that is handed in; if it can never decide whether something has expired, add the file to realTime in internal/archtest/rules_test.go with the reason", s.where(files, sel.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
	for file := range realTime {
		if !used[file] {
			t.Errorf("%s does not look at the machine's clock any more: take it off realTime", file)
		}
	}
}

func TestNothingHappensOnImport(t *testing.T) {
	files, all := tree(t)
	for _, s := range all {
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: an init function: make a New that is called, so that whoever imports this package decides", s.where(files, f.Pos()))
			}
		}
	}
}

const (
	mostOfAFile     = 500
	mostOfAFunction = 60
	mostOfAPackage  = 2500
)

func TestSizes(t *testing.T) {
	files, all := tree(t)
	packages := map[string]int{}
	for _, s := range all {
		if s.test {
			continue
		}
		packages[s.pkg] += s.lines
		if s.lines > mostOfAFile {
			t.Errorf("%s has %d lines: split it by what a reader would look for, at most %d", s.path, s.lines, mostOfAFile)
		}
		for _, d := range s.syntax.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1; n > mostOfAFunction {
				t.Errorf("%s: %s has %d lines: give a part of it a name, at most %d", s.where(files, f.Pos()), f.Name.Name, n, mostOfAFunction)
			}
		}
	}
	for pkg, n := range packages {
		if n > mostOfAPackage && oneThing[name(pkg)] == "" {
			t.Errorf("%s has %d lines: it is two things, at most %d", name(pkg), n, mostOfAPackage)
		}
	}
}

// oneThing are packages that are larger for a reason.
var oneThing = map[string]string{
	"internal/authz": "docs/decisions/0011-authorization-is-one-package.md",
	"internal/api":   "one file per noun of the contract, and nothing that two of them share but api.go and view.go",
}

// spoken are methods whose meaning is that of the interface they are written for: database.Event and its Failed.
var spoken = map[string]bool{"Kind": true, "Subject": true, "Failed": true}

func TestExportedNamesSayWhatTheyAre(t *testing.T) {
	files, all := tree(t)
	described := map[string]bool{}
	for _, s := range all {
		if s.syntax.Doc != nil {
			described[s.pkg] = true
		}
	}
	for _, s := range all {
		if s.test {
			continue
		}
		if !described[s.pkg] {
			t.Errorf("%s has no package comment: begin one file with a sentence on what the package is", name(s.pkg))
			described[s.pkg] = true
		}
		mute := func(at token.Pos, what string) {
			t.Errorf("%s: %s has no comment: one sentence that says what a caller gets", s.where(files, at), what)
		}
		for _, d := range s.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && !(d.Recv != nil && (spoken[d.Name.Name] || !ast.IsExported(receiver(d)))) {
					mute(d.Pos(), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					for _, n := range undocumented(d, spec) {
						mute(spec.Pos(), n)
					}
				}
			}
		}
	}
}

func receiver(f *ast.FuncDecl) string {
	e := f.Recv.List[0].Type
	for {
		switch t := e.(type) {
		case *ast.StarExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

// undocumented are the exported names of a declaration that no comment is about. A group of values may share one.
func undocumented(d *ast.GenDecl, spec ast.Spec) (names []string) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && (d.Doc == nil || d.Lparen.IsValid()) {
			names = append(names, s.Name.Name)
		}
	case *ast.ValueSpec:
		for _, n := range s.Names {
			if n.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

// judged are the functions that change what somebody may do. Only package account calls them, inside an authz.Write, where every
// change is judged (invariant 25); what package org writes takes an authz.Tx by its type.
var judged = map[string]bool{"Grant": true, "Revoke": true, "Disable": true, "Enable": true, "Delete": true, "Close": true, "Reopen": true}

func TestRightsChangeInOnePlace(t *testing.T) {
	files, all := tree(t)
	found := 0
	for _, s := range all {
		if s.test {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "user" || !judged[sel.Sel.Name] {
				return true
			}
			if found++; s.pkg != "internal/account" {
				t.Errorf("%s: user.%s changes what somebody may do: call package account, which has it judged", s.where(files, sel.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
	if found < len(judged) {
		t.Errorf("only %d calls found", found)
	}
}
