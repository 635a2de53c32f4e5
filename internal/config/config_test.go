package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/typo"
)

// hidden is a secret as another package might declare it.
type hidden string

func (h *hidden) UnmarshalText(b []byte) error {
	if strings.Contains(string(b), "!") {
		return fmt.Errorf("hidden: bad value %q", b)
	}
	*h = hidden(b)
	return nil
}
func (h hidden) MarshalText() ([]byte, error) { return []byte("***"), nil }

type level string

type cookies struct {
	SameSite string   `env:"COOKIE_SAMESITE" default:"lax" oneof:"lax,strict,none" doc:"When a browser sends the cookie."`
	Secure   *bool    `env:"COOKIE_SECURE" doc:"Send cookies over HTTPS only; by BASE_URL when it is not set."`
	Origins  []string `env:"CORS_ORIGINS" default:"[]" max:"3" doc:"Origins that may call | with credentials."`
}

func (c cookies) Check(bool) error {
	asked = append(asked, "cookies")
	if c.SameSite == "none" && (c.Secure == nil || !*c.Secure) {
		return errors.New("COOKIE_SAMESITE: none needs COOKIE_SECURE=true; set both")
	}
	return nil
}

type tokens struct {
	Expire int64  `env:"ACCESS_TOKEN_EXPIRE_M" default:"15" min:"1" max:"1440" doc:"Minutes an access token lives."`
	Secret hidden `env:"ACCESS_SECRET" secret:"true" min:"8" doc:"Key of access tokens."`
	Cookie cookies
}

func (c *tokens) Check(production bool) error {
	asked = append(asked, "tokens")
	var errs []error
	if production && c.Secret == "" {
		errs = append(errs, errors.New("ACCESS_SECRET is required in production. Run admit keygen."))
	}
	if production && len(c.Secret) > 0 && len(c.Secret) < 32 {
		errs = append(errs, fmt.Errorf("ACCESS_SECRET has less than 32 characters: %q", string(c.Secret)))
	}
	if c.Expire == 99 {
		errs = append(errs, errors.New("ACCESS_TOKEN_EXPIRE_M: 99 is unlucky"), fmt.Errorf("the rest is unlucky too"))
	}
	return errors.Join(errs...)
}

type root struct {
	Environment string         `env:"ENVIRONMENT" default:"development" oneof:"development,production" doc:"What this server is for."`
	Addr        string         `env:"ADDR" default:"127.0.0.1:8000" doc:"Where it listens."`
	Proxies     []netip.Prefix `env:"TRUSTED_PROXIES" doc:"Whose forwarding headers count."`
	Database    string         `env:"DATABASE_URL" secret:"true" default:"sqlite:///./a.db" doc:"Where rows live."`
	Tokens      tokens         `doc:"Tokens and cookies"`
	Log         level          `env:"LOG_LEVEL" default:"info" group:"Logging" doc:"How much is logged."`
	Debug       bool           `env:"DEBUG" default:"false" doc:"Whether to say more."`
	Workers     int            `env:"MAIL_WORKERS_COUNT" default:"4" doc:"Mails sent at once."`
	Plain       func()
}

func (r *root) Check(bool) error {
	asked = append(asked, "root")
	if r.Addr == "leak" {
		return fmt.Errorf("the database %q is not reachable", r.Database)
	}
	return nil
}

var asked []string // tests of this package do not run in parallel

func load(t *testing.T, src Source) (root, *Report, string) {
	t.Helper()
	var r root
	report, err := Load(&r, src)
	if report == nil {
		t.Fatal("no report")
	}
	if err == nil {
		return r, report, ""
	}
	var faults *Error
	if !errors.As(err, &faults) || len(faults.Faults) == 0 {
		t.Fatalf("%T is not an *Error with faults", err)
	}
	return r, report, err.Error()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHighestSourceWins(t *testing.T) {
	file := write(t, ".env", "# x\nADDR=file:1\nLOG_LEVEL=warn\nDEBUG=\nACCESS_SECRET=from-dotenv\n")
	secret := write(t, "s", "from-secret-file\r\n\n")
	environ := []string{"ADDR=env:2", "DEBUG=yes", "DEBUG=no", "ACCESS_SECRET_FILE=" + secret}
	overrides := map[string]Override{"ADDR": {From: "flag --host", Value: "flag:3"}}
	for _, c := range []struct {
		rule               string
		src                Source
		name, value, where string
	}{
		{"a default holds when nobody speaks", Source{}, "ADDR", "127.0.0.1:8000", "default"},
		{".env is above the default", Source{EnvFile: file}, "ADDR", "file:1", file + " line 2"},
		{"the environment is above .env", Source{EnvFile: file, Environ: environ}, "ADDR", "env:2", "environment"},
		{"a flag is above all", Source{EnvFile: file, Environ: environ, Overrides: overrides}, "ADDR", "flag:3", "flag --host"},
		{"an empty value asks for the default", Source{EnvFile: file, Environ: []string{"LOG_LEVEL="}}, "LOG_LEVEL", "info", "default, as the environment sets it to nothing"},
		{"the first of two in the environment counts, as for the process itself", Source{Environ: environ}, "DEBUG", "true", "environment"},
		{"a secret's file is above .env", Source{EnvFile: file, Environ: environ}, "ACCESS_SECRET", "***", "file " + secret},
		{"a .env that is not there is none", Source{EnvFile: file + ".none"}, "ADDR", "127.0.0.1:8000", "default"},
		{"a folder .env is a Python environment", Source{EnvFile: t.TempDir()}, "ADDR", "127.0.0.1:8000", "default"},
		{"a flag may edit what is below", Source{Environ: environ, Overrides: map[string]Override{"ADDR": {From: "flag --port",
			Edit: func(below string) string { return strings.Split(below, ":")[0] + ":9" }}}}, "ADDR", "env:9", "flag --port"},
		{"a flag may edit the default", Source{Overrides: map[string]Override{"ADDR": {From: "flag --port",
			Edit: func(below string) string { return below + "9" }}}}, "ADDR", "127.0.0.1:80009", "flag --port"},
	} {
		_, report, said := load(t, c.src)
		s, ok := report.Find(c.name)
		if !ok || said != "" || s.Value != c.value || s.From != c.where {
			t.Errorf("%s: %q from %q, faults %q", c.rule, s.Value, s.From, said)
		}
	}
}

func TestSecretFileGivesTheSecret(t *testing.T) {
	path := write(t, "s", "from a file \n")
	for rule, src := range map[string]Source{
		"from the environment": {Environ: []string{"ACCESS_SECRET_FILE=" + path}},
		"from .env":            {EnvFile: write(t, ".env", "ACCESS_SECRET_FILE="+path)},
		"beside an empty name": {Environ: []string{"ACCESS_SECRET_FILE=" + path, "ACCESS_SECRET="}},
	} {
		if r, _, said := load(t, src); r.Tokens.Secret != "from a file " || said != "" {
			t.Errorf("%s: %q, %s", rule, string(r.Tokens.Secret), said)
		}
	}
}

func TestEveryKindIsRead(t *testing.T) {
	for _, c := range []struct {
		given string
		got   func(root) any
		want  any
	}{
		{"ACCESS_TOKEN_EXPIRE_M= 20 ", func(r root) any { return r.Tokens.Expire }, int64(20)},
		{"LOG_LEVEL=warn", func(r root) any { return r.Log }, level("warn")},
		{"ADDR=a=b", func(r root) any { return r.Addr }, "a=b"},
		{"DEBUG=On", func(r root) any { return r.Debug }, true},
		{"DEBUG=0", func(r root) any { return r.Debug }, false},
		{"COOKIE_SECURE=no", func(r root) any { return *r.Tokens.Cookie.Secure }, false},
		{"COOKIE_SECURE=", func(r root) any { return r.Tokens.Cookie.Secure == nil }, true},
		{`CORS_ORIGINS=["http://a", "http://b,c"]`, func(r root) any { return r.Tokens.Cookie.Origins }, []string{"http://a", "http://b,c"}},
		{"CORS_ORIGINS=http://a , http://b", func(r root) any { return r.Tokens.Cookie.Origins }, []string{"http://a", "http://b"}},
		{"CORS_ORIGINS=[]", func(r root) any { return len(r.Tokens.Cookie.Origins) }, 0},
		{"TRUSTED_PROXIES=127.0.0.1,::1", func(r root) any { return r.Proxies },
			[]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}},
		{"TRUSTED_PROXIES=10.0.0.0/8,fd00::/8", func(r root) any { return r.Proxies },
			[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}},
	} {
		r, _, said := load(t, Source{Environ: []string{c.given}})
		if got := c.got(r); said != "" || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s gives %v, faults %q", c.given, got, said)
		}
	}
}

func TestFaultNamesTheSettingAndTheFix(t *testing.T) {
	empty, folder := write(t, "empty", "\n"), t.TempDir()
	for _, c := range []struct {
		rule, given string
		want        []string
	}{
		{"a number is whole", "ACCESS_TOKEN_EXPIRE_M=1.5", []string{`ACCESS_TOKEN_EXPIRE_M (environment): "1.5" is not a whole number. Give a whole number from 1 to 1440.`}},
		{"a number fits its type", "MAIL_WORKERS_COUNT=99999999999999999999", []string{"is not a whole number"}},
		{"a minimum holds", "ACCESS_TOKEN_EXPIRE_M=0", []string{`"0" is out of bounds. Give a whole number from 1 to 1440.`}},
		{"a maximum holds", "ACCESS_TOKEN_EXPIRE_M=1441", []string{`"1441" is out of bounds`}},
		{"a text is counted in characters", "ACCESS_SECRET=éééé", []string{"ACCESS_SECRET (environment): the value has 4 characters. Give at least 8 characters."}},
		{"a list is counted in items", "CORS_ORIGINS=a,b,c,d", []string{`"a,b,c,d" has 4 items. Give a list of at most 3 items.`}},
		{"a word is one of its words", "COOKIE_SAMESITE=strit", []string{`"strit" is not one of its values. Did you mean strict? Give lax, strict or none.`}},
		{"a beginning of a word is understood and not taken", "ENVIRONMENT=dev", []string{"Did you mean development? Give development or production."}},
		{"a bool is true or false", "DEBUG=maybe", []string{`DEBUG (environment): "maybe" is neither true nor false. Give true or false.`}},
		{"JSON is JSON", `CORS_ORIGINS=["a"`, []string{`"[\"a\"" is not a JSON array of strings. Write a,b,c or a JSON array: ["a","b"].`}},
		{"JSON holds strings", `CORS_ORIGINS=[1]`, []string{"is not a JSON array of strings"}},
		{"JSON holds no null", `CORS_ORIGINS=[null]`, []string{"is not a JSON array of strings"}},
		{"JSON ends where it ends", `CORS_ORIGINS=["a"] x`, []string{"is not a JSON array of strings"}},
		{"a list has no hole", "CORS_ORIGINS=a,,b", []string{"has an empty item"}},
		{"a type of its own says what it wants", "TRUSTED_PROXIES=10.0.0.0/8,x", []string{`TRUSTED_PROXIES (environment): "x" is not accepted: netip.ParsePrefix("x"): no '/'. Whose`}},
		{"a long value is shortened", "DEBUG=" + strings.Repeat("x", 99), []string{`"` + strings.Repeat("x", 40) + `…" is neither`}},
		{"a missing file is named", "ACCESS_SECRET_FILE=/no/such/file", []string{"ACCESS_SECRET (environment): /no/such/file cannot be read: no such file or directory. Give ACCESS_SECRET_FILE the path"}},
		{"a folder is no file", "ACCESS_SECRET_FILE=" + folder, []string{"cannot be read: is a directory"}},
		{"an empty file is no secret", "ACCESS_SECRET_FILE=" + empty, []string{empty + " is empty. Write the secret into it."}},
		{"a file is not without end", "ACCESS_SECRET_FILE=/dev/zero", []string{"larger than 64 KiB"}},
		{"a name and its file exclude one another", "ACCESS_SECRET=long-enough\x00ACCESS_SECRET_FILE=" + empty, []string{"ACCESS_SECRET (environment): is set, and ACCESS_SECRET_FILE is set too. Keep one"}},
		{"a Check is heard", "COOKIE_SAMESITE=none", []string{"COOKIE_SAMESITE (environment): none needs COOKIE_SECURE=true; set both"}},
		{"a Check's joined errors are lines of their own", "ACCESS_TOKEN_EXPIRE_M=99", []string{"2 faults", "ACCESS_TOKEN_EXPIRE_M (environment): 99 is unlucky\n", "\n  Tokens and cookies: the rest is unlucky too"}},
	} {
		_, _, said := load(t, Source{Environ: strings.Split(c.given, "\x00")})
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %s\nis without %s", c.rule, said, want)
			}
		}
	}
}

func TestEveryFaultIsSaidAtOnceAndOnce(t *testing.T) {
	file := write(t, ".env", "DEBUG='open\nACESS_SECRET=x\nLOG_LEVEL=a\nLOG_LEVEL=b\n")
	_, report, said := load(t, Source{EnvFile: file, Environ: []string{
		"ENVIRONMENT=prod", "ACCESS_TOKEN_EXPIRE_M=abc", "CORS_ORIGINS=[", "COOKIE_SAMESITE=none", "COOKIE_SECURE=perhaps", "ADMIT_ADDR=:1",
	}})
	want := []string{
		"8 faults in the settings:",
		"DEBUG (" + file + " line 1): the quote is never closed. Close it with '.",
		"LOG_LEVEL (" + file + " line 4): is already set on line 3. Keep one of the two.",
		`ENVIRONMENT (environment): "prod" is not one of its values. Did you mean production? Give development or production.`,
		`ACCESS_TOKEN_EXPIRE_M (environment): "abc" is not a whole number. Give a whole number from 1 to 1440.`,
		`COOKIE_SECURE (environment): "perhaps" is neither true nor false. Give true or false.`,
		`CORS_ORIGINS (environment): "[" is not a JSON array of strings. Write a,b,c or a JSON array: ["a","b"].`,
		"ACESS_SECRET (" + file + " line 2): is not a setting. Did you mean ACCESS_SECRET? If it is another program's, set ACCESS_SECRET as well, if only to nothing.",
		"ADMIT_ADDR (environment): is not a setting. Settings have no prefix; use ADDR. If it is another program's, set ADDR as well, if only to nothing.",
	}
	if got := strings.Split(said, "\n  "); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !report.Production {
		t.Error("prod was meant for production, so that is what the checks should have been asked about")
	}
}

func TestChecksAreAskedFromTheInsideOut(t *testing.T) {
	asked = nil
	load(t, Source{Environ: []string{"ENVIRONMENT=production", "ACCESS_SECRET=" + strings.Repeat("k", 32)}})
	if got := strings.Join(asked, " "); got != "cookies tokens root" {
		t.Error(got)
	}
}

func TestProductionRefusesWhatDevelopmentWarnsOf(t *testing.T) {
	for _, c := range []struct {
		rule, env, secret           string
		fault, warning, onlyReports bool
	}{
		{"a weak value that was given has a warning", "development", "weak-but-given", false, true, false},
		{"a value that was not given has none", "development", "", false, false, true},
		{"production refuses the weak", "production", "weak-but-given", true, false, false},
		{"production refuses the missing", "production", "", true, false, false},
		{"a strong value is left alone", "production", strings.Repeat("k", 32), false, false, false},
		{"an environment nobody can guess is taken for production", "staging", "", true, false, false},
	} {
		_, report, said := load(t, Source{Environ: []string{"ENVIRONMENT=" + c.env, "ACCESS_SECRET=" + c.secret}})
		warned := len(report.Warnings) == 1 && strings.Contains(report.Warnings[0].String(), "ACCESS_SECRET (environment): has less") &&
			strings.HasSuffix(report.Warnings[0].String(), "Development accepts it; production will not.")
		if strings.Contains(said, "ACCESS_SECRET") != c.fault || warned != c.warning || (len(report.Weak) == 1) != (c.warning || c.onlyReports) {
			t.Errorf("%s: faults %q, report %v %v", c.rule, said, report.Warnings, report.Weak)
		}
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	const secret = "p$\"\n  hunter2"
	for rule, environ := range map[string][]string{
		"in the report":                      {"DATABASE_URL=" + secret},
		"by its own parser":                  {"ACCESS_SECRET=" + secret + "!"},
		"by its bounds":                      {"ACCESS_SECRET=hunter2"},
		"by a Check that quotes it":          {"ADDR=leak", "DATABASE_URL=" + secret},
		"by a Check in production":           {"ENVIRONMENT=production", "ACCESS_SECRET=" + secret},
		"by a warning":                       {"ACCESS_SECRET=" + secret},
		"by a mistaken name":                 {"ADMIT_ACCESS_SECRET=" + secret, "ACESS_SECRET=" + secret},
		"as the path of a file":              {"ACCESS_SECRET_FILE=" + secret},
		"when both ways are used":            {"ACCESS_SECRET=" + secret, "ACCESS_SECRET_FILE=" + secret},
		"on a line of .env that is no line":  {"=" + secret},
		"on a line of .env that has a fault": {"x"},
	} {
		_, report, said := load(t, Source{Environ: environ,
			EnvFile: write(t, ".env", "hunter2\nhunter2 =hunter2\nhunter-2=x\nOTHER=\"hunter2\\q\"\n")})
		said = strings.NewReplacer("hunter2 (", "", "called hunter2", "").Replace(said) // the name of a line is a name
		text, err := json.Marshal(report)
		if err != nil || strings.Contains(said+string(text), "hunter2") {
			t.Errorf("%s: %s\n%s", rule, said, text)
		}
		if fmt.Sprintf("%v", report.Settings) == "" {
			t.Error("no settings")
		}
	}
}

func TestTypeThatMasksItselfIsSecretWithoutTheTag(t *testing.T) {
	var c struct {
		Key  hidden   `env:"KEY" doc:"A key."`
		Keys []hidden `env:"KEYS" doc:"Keys."`
	}
	report, err := Load(&c, Source{Environ: []string{"KEY=hunter2!", "KEYS=hunter2,b"}})
	if err == nil || strings.Contains(fmt.Sprint(err, report), "hunter2") || !report.Settings[0].Secret || !report.Settings[1].Secret {
		t.Error(err, report)
	}
}

func TestReportSaysWhatHolds(t *testing.T) {
	_, report, _ := load(t, Source{Environ: []string{"CORS_ORIGINS=a,b", "TRUSTED_PROXIES=10.0.0.0/8", "COOKIE_SECURE=yes"}})
	want := []Setting{
		{"ENVIRONMENT", "development", "development", "What this server is for.", "development or production", "General", "default", false, false},
		{"TRUSTED_PROXIES", `["10.0.0.0/8"]`, "", "Whose forwarding headers count.", "a list", "General", "environment", false, true},
		{"DATABASE_URL", "sqlite:///./a.db", "sqlite:///./a.db", "Where rows live.", "", "General", "default", true, false},
		{"ACCESS_SECRET", "", "", "Key of access tokens.", "at least 8 characters", "Tokens and cookies", "default", true, false},
		{"COOKIE_SECURE", "true", "", "Send cookies over HTTPS only; by BASE_URL when it is not set.", "true or false", "Cookie", "environment", false, true},
		{"CORS_ORIGINS", `["a","b"]`, "[]", "Origins that may call | with credentials.", "a list of at most 3 items", "Cookie", "environment", false, true},
		{"LOG_LEVEL", "info", "info", "How much is logged.", "", "Logging", "default", false, false},
	}
	for _, w := range want {
		if s, _ := report.Find(w.Name); s != w {
			t.Errorf("got  %+v\nwant %+v", s, w)
		}
	}
	if near, ok := typo.Nearest("ACCES_SECRET", report.Names()); !ok || near != "ACCESS_SECRET" {
		t.Error(near)
	}
}

func TestDefaultFillsDefaultsOnly(t *testing.T) {
	t.Setenv("ADDR", "env:1")
	r := root{Addr: "old", Debug: true}
	Default(&r)
	if r.Addr != "127.0.0.1:8000" || r.Debug || r.Tokens.Expire != 15 || r.Tokens.Cookie.Secure != nil {
		t.Errorf("%+v", r)
	}
}

func TestSurroundingsAreTheProcess(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("LOG_LEVEL", "warn")
	if err := os.WriteFile(".env", []byte("LOG_LEVEL=a\nADDR=b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, report, said := load(t, Surroundings())
	if s, _ := report.Find("ADDR"); r.Log != "warn" || s.From != ".env line 2" || said != "" {
		t.Error(r.Log, s.From, said)
	}
}

var mistakes = []struct {
	rule string
	into any
	want string
}{
	{"a default parses", &struct {
		A int `env:"A" default:"x" doc:"d"`
	}{}, "A has a default that is not a whole number"},
	{"a default is in bounds", &struct {
		A int `env:"A" default:"9" max:"8" doc:"d"`
	}{}, "A has a default that is out of bounds"},
	{"a default is one of its words", &struct {
		A string `env:"A" default:"c" oneof:"a,b" doc:"d"`
	}{}, "A has a default that is not one of its values"},
	{"a number that may not be 0 has a default", &struct {
		A int `env:"A" min:"1" doc:"d"`
	}{}, "A has a default that is missing"},
	{"a name is upper snake case", &struct {
		A int `env:"aB" doc:"d"`
	}{}, "upper snake case"},
	{"a name is declared once", &struct {
		A int `env:"A" doc:"d"`
		B struct {
			A int `env:"A" doc:"d"`
		}
	}{}, "A is declared twice"},
	{"a secret's file is no other setting", &struct {
		A string `env:"A_FILE" doc:"d"`
		B string `env:"A" secret:"true" doc:"d"`
	}{}, "A_FILE is declared"},
	{"a setting is documented", &struct {
		A int `env:"A"`
	}{}, "A has no doc"},
	{"a kind is one of those that are read", &struct {
		A float64 `env:"A" doc:"d"`
	}{}, "not supported: float64"},
	{"a duration has its unit in its name", &struct {
		A time.Duration `env:"A" doc:"d"`
	}{}, "not supported: time.Duration"},
	{"a bound is a number", &struct {
		A int `env:"A" min:"x" doc:"d"`
	}{}, "A has a min that is not"},
	{"a bound is of something", &struct {
		A bool `env:"A" max:"1" doc:"d"`
	}{}, "A has a max, and nothing"},
	{"a field can be set", &struct {
		a int `env:"A" doc:"d"`
	}{}, "A is not exported"},
	{"a struct is pointed to", root{}, "a pointer to a struct is needed"},
}

func TestDevelopersMistakePanics(t *testing.T) {
	for _, c := range mistakes {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, c.want) {
					t.Errorf("%s: %s", c.rule, got)
				}
			}()
			Default(c.into)
		}()
	}
	defer func() {
		if recover() == nil {
			t.Error("an override of what is no setting is a mistake")
		}
	}()
	_, _ = Load(&root{}, Source{Overrides: map[string]Override{"NOPE": {}}})
}
