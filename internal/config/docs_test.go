package config

import (
	"regexp"
	"strings"
	"testing"
)

func TestMarkdownSaysEverything(t *testing.T) {
	page := Markdown(root{})
	for rule, want := range map[string]string{
		"a group has its heading":          "\n## Tokens and cookies\n",
		"a struct without doc is its name": "\n## Cookie\n",
		"a tag moves a setting":            "\n## Logging\n",
		"bounds":                           "| `ACCESS_TOKEN_EXPIRE_M` | `15` | a whole number from 1 to 1440 | Minutes an access token lives. |\n",
		"words":                            "| `COOKIE_SAMESITE` | `lax` | lax, strict or none |",
		"a secret and its file":            "| `ACCESS_SECRET` |  | at least 8 characters | Key of access tokens. **Secret**: `ACCESS_SECRET_FILE` may name a file that holds it. |\n",
		"a bar does not end a cell":        `Origins that may call \| with credentials.`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s: %q is not in\n%s", rule, want, page)
		}
	}
	if page != Markdown(&root{Addr: "other"}) {
		t.Error("the page depends on the values")
	}
	if general := strings.Count(page, "## General"); general != 1 {
		t.Error("a group is one table", general)
	}
}

func TestEnvExampleUncommentedIsTheDefaults(t *testing.T) {
	example := EnvExample(&root{})
	if vars, faults := readDotEnv(".env", example); len(vars)+len(faults) > 0 {
		t.Error("everything is commented out", vars, faults)
	}
	file := write(t, ".env", regexp.MustCompile(`(?m)^#([A-Z])`).ReplaceAllString(example, "$1"))
	_, report, said := load(t, Source{EnvFile: file})
	if said != "" || len(report.Warnings) > 0 {
		t.Error(said, report.Warnings)
	}
	for _, s := range report.Settings {
		if s.Given && s.Value != s.Default && !s.Secret || s.From == "default" {
			t.Errorf("%+v", s)
		}
	}
	if !strings.Contains(example, "# Minutes an access token lives.\n# Accepts a whole number from 1 to 1440.\n#ACCESS_TOKEN_EXPIRE_M=15\n") {
		t.Error(example)
	}
}
