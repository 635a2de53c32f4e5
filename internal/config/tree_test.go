package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

type shared struct {
	Scopes []string `env:"SCOPES" default:"openid" oneof:"openid,email" doc:"What is asked for."`
	Only   string   `env:"ONLY" default:"one" oneof:"one" doc:"No choice."`
	Most   int      `env:"MOST" default:"1" max:"9" doc:"At most nine."`
}

func (s shared) Check(bool) error {
	if s.Most == 7 {
		return fmt.Errorf("two things: %w and %w", errors.New("MOST is 7"), errors.New("7 is MOST"))
	}
	return nil
}

func TestTree(t *testing.T) {
	for _, c := range []struct{ rule, given, want string }{
		{"every item of a list is one of the words", "SCOPES=openid,phone", `SCOPES (environment): "phone" is not one of its values. Give a list of openid or email.`},
		{"a single word is no choice", "ONLY=two", "Give one."},
		{"an upper bound may stand alone", "MOST=10", "Give a whole number at most 9."},
		{"an error with words of its own is one line", "MOST=7", "1 fault in the settings:\n  MOST (environment): two things: MOST is 7 and 7 is MOST"},
	} {
		var r struct {
			Shared  shared
			Skipped time.Time
			Ignored string
			Dash    int `env:"-"`
		}
		_, err := Load(&r, Source{Environ: []string{c.given}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}

// One struct describes several of a kind: the prefix of a field stands before each name in it.
func TestPrefixedStructs(t *testing.T) {
	var r struct {
		Group struct {
			A, B shared `prefix:"A_"`
			C    struct {
				D shared `prefix:"D_"`
			} `prefix:"C_"`
		} `doc:"Group"`
	}
	defer func() {
		if fmt.Sprint(recover()) != "config: A_SCOPES is declared twice" {
			t.Error("two structs with one prefix are not told apart")
		}
		var r struct {
			Group struct {
				A shared `prefix:"A_"`
				C struct {
					D shared `prefix:"D_"`
				} `prefix:"C_"`
			} `doc:"Group"`
		}
		report, err := Load(&r, Source{Environ: []string{"A_MOST=2", "C_D_MOST=3"}})
		if s, _ := report.Find("C_D_MOST"); err != nil || r.Group.A.Most != 2 || r.Group.C.D.Most != 3 || s.Group != "Group" {
			t.Error(r, s, err)
		}
	}()
	_, _ = Load(&r, Source{})
}

// Embedded has a Check, which is also the Check of what embeds it.
type Embedded struct {
	Most int `env:"MOST" default:"1" doc:"At most nine."`
}

func (e Embedded) Check(bool) error {
	if e.Most == 7 {
		return errors.New("MOST: 7 is unlucky")
	}
	return nil
}

func TestEmbeddedStruct(t *testing.T) {
	var r struct{ Embedded }
	report, err := Load(&r, Source{Environ: []string{"MOST=3"}})
	if s, ok := report.Find("MOST"); err != nil || r.Most != 3 || !ok || s.Group != "General" {
		t.Error("an embedded struct without a heading belongs to its parent's group", report, err)
	}
	if _, ok := report.Find("NOPE"); ok {
		t.Error("what is not declared is not found")
	}
	_, err = Load(&r, Source{Environ: []string{"MOST=7"}})
	if err == nil || strings.Count(err.Error(), "unlucky") != 1 {
		t.Error("a Check that is promoted is heard once", err)
	}
}

func TestEmbeddedStructOfAnUnexportedType(t *testing.T) {
	var r struct{ shared }
	_, err := Load(&r, Source{Environ: []string{"MOST=3", "SCOPES=email"}})
	if err != nil || r.Most != 3 || r.Scopes[0] != "email" {
		t.Error(r, err)
	}
	if _, err = Load(&r, Source{Environ: []string{"MOST=7"}}); err == nil {
		t.Error("its Check is heard")
	}
}

func TestEnvFileThatCannotBeRead(t *testing.T) {
	path := write(t, ".env", strings.Repeat("#", maxEnvFile+1))
	_, _, said := load(t, Source{EnvFile: path})
	if !strings.Contains(said, path+": the file cannot be read: it is larger than 1024 KiB. Make it readable, or remove it.") {
		t.Error(said)
	}
}

func TestManyNamesOfOthersAreOneShortWarning(t *testing.T) {
	var b strings.Builder
	for i := range 14 {
		fmt.Fprintf(&b, "OTHER_%d=x\n", i)
	}
	_, report, _ := load(t, Source{EnvFile: write(t, ".env", b.String())})
	if len(report.Warnings) != 1 || !strings.HasSuffix(report.Warnings[0].String(), "OTHER_9 and 4 more; ignored") {
		t.Error(report.Warnings)
	}
}
