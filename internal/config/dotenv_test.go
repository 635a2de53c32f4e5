package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestDotEnvIsRead(t *testing.T) {
	for _, c := range []struct{ rule, text, value string }{
		{"a value runs to the end of the line", "A=hello world  ", "hello world"},
		{"a value may be nothing", "A=", ""},
		{"a value may be nothing and have a comment", "A= # nothing", ""},
		{"a comment follows a space", "A=b # c", "b"},
		{"a # inside a word is itself", "A=#a#b", "#a#b"},
		{"= in a value is itself", "A=b=c", "b=c"},
		{"quotes inside a value are themselves", `A=["http://a"]`, `["http://a"]`},
		{"nothing is interpolated", "A=$B${C}`d`", "$B${C}`d`"},
		{"a backslash outside quotes is itself", `A=C:\new`, `C:\new`},
		{"export is passed over", "export  A=b", "b"},
		{"leading space is passed over", "  \tA=b", "b"},
		{"Windows ends lines its own way", "\r\nA=b\r\n", "b"},
		{"Windows marks files its own way", "\ufeffA=b", "b"},
		{"single quotes keep everything", `A=' $x \n "y" '`, ` $x \n "y" `},
		{"single quotes have one escape", `A='it\'s'`, "it's"},
		{"double quotes have escapes", `A="a\n\t\r\"\\\$"`, "a\n\t\r\"\\$"},
		{"a comment may follow quotes", `A="b" # c`, "b"},
		{"a # in quotes is itself", `A="b # c"`, "b # c"},
		{"quotes span lines", "A='b\r\nc'", "b\nc"},
	} {
		vars, faults := readDotEnv(".env", c.text)
		if len(faults) > 0 || len(vars) != 1 || vars[0].name != "A" || vars[0].value != c.value {
			t.Errorf("%s: %+v %v", c.rule, vars, faults)
		}
	}
}

func TestDotEnvCountsLines(t *testing.T) {
	vars, faults := readDotEnv("x.env", "# one\n\nA='a\nb'\nexport B=\"c\" # d\n\nC=1")
	want := []variable{{"A", "a\nb", 3}, {"B", "c", 5}, {"C", "1", 7}}
	if len(faults) > 0 || !reflect.DeepEqual(vars, want) {
		t.Errorf("%+v %v", vars, faults)
	}
}

func TestDotEnvFaults(t *testing.T) {
	for _, c := range []struct{ rule, text, want string }{
		{"a line has a =", "A=1\nB", "line 2: the line has no ="},
		{"a line begins with a name", "my-key=1", "line 1: the line does not begin with a name"},
		{"a name begins with no digit", "1A=1", "does not begin with a name"},
		{"no space before =", "A =1", "A (.env line 1): there is a space before ="},
		{"no space after =", "A= 1", "A (.env line 1): there is a space after ="},
		{"a quote is closed", "A=\"b\n\nB=1", "A (.env line 1): the quote is never closed. Close it with \"."},
		{"a quote ends a value", "A='b'c", "something follows the closing quote"},
		{"a quote that runs on says where to", "A='b\nB='c", "A (.env line 1): the quote ends only on line 2, where something follows it"},
		{"a comment keeps its distance", "A='b'#c", "something follows the closing quote"},
		{"an escape is known", `A="C:\new\q"`, "unknown escape. In double quotes write \\\\ for a backslash"},
		{"a line does not end in a backslash", "A=\"b\\\nc\"", "unknown escape"},
		{"a name is set once", "A=1\nB=2\nA=1", "A (.env line 3): is already set on line 1"},
		{"no control characters", "A=a\x00b", "control character"},
		{"no lone carriage return", "A=a\rB=b", "control character"},
		{"no control characters in quotes", "A='a\n\x07b'", "control character"},
		{"UTF-8", "A=\xff", "not UTF-8"},
	} {
		_, faults := readDotEnv(".env", c.text)
		if len(faults) != 1 || !strings.Contains(faults[0].String(), c.want) {
			t.Errorf("%s: %v", c.rule, faults)
		}
	}
}

func TestDotEnvGoesOnAfterAFault(t *testing.T) {
	for _, c := range []struct {
		rule, text, names string
		faults            int
	}{
		{"a quote that is never closed costs its line", "A=\"x\nB=1\nC=2", "BC", 1},
		{"a quote that is closed by the next one says where", "A='x\nB='y\nC=2", "C", 1},
		{"a bad name before a long quote is one fault", "my-key='a\nb\nc'\nD=2", "D", 1},
		{"a bad escape costs its value", "A=\"\\q\nb\"\nB=1", "B", 1},
	} {
		vars, faults := readDotEnv(".env", c.text)
		var names string
		for _, v := range vars {
			names += v.name
		}
		if names != c.names || len(faults) != c.faults {
			t.Errorf("%s: %+v %v", c.rule, vars, faults)
		}
	}
}

func FuzzDotEnv(f *testing.F) {
	for _, seed := range []string{"A=b # c", "export A='x\\''\r\nB=\"\\n\n\"", "\ufeffA=[\"x\"]", "A='", "A =1\nA= 1", "A=\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		vars, faults := readDotEnv(".env", text)
		var b strings.Builder
		seen := map[string]bool{}
		for _, v := range vars {
			if !envName.MatchString(v.name) || seen[v.name] || v.line < 1 || v.line > strings.Count(text, "\n")+1 {
				t.Fatalf("%+v", v)
			}
			seen[v.name] = true
			b.WriteString(v.name + "=" + dotEnvQuote(v.value) + "\n")
		}
		for _, fault := range faults {
			if strings.ContainsAny(fault.String(), "\n\x00") {
				t.Fatalf("%q is not one line", fault)
			}
		}
		again, faults := readDotEnv(".env", b.String())
		if len(faults) > 0 || len(again) != len(vars) {
			t.Fatalf("%q cannot be read back: %v", b.String(), faults)
		}
		for i := range vars {
			if vars[i].name != again[i].name || vars[i].value != again[i].value {
				t.Fatalf("%+v is read back as %+v", vars[i], again[i])
			}
		}
	})
}
