package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, c := range []struct{ args, says string }{
		{"usr list", `There is no command "usr". Did you mean user?`},
		{"user lst", `There is no command "user lst". Did you mean list? See admit user --help.`},
		{"zzz", `There is no command "zzz". See admit --help.`},
		{"user", "admit: user needs one of: list, create,"},
		{"user get", "admit: user get needs USER."},
		{"role grant ann", "admit: role grant needs ROLE."},
		{"user list more", `admit: user list does not take "more".`},
		{"user list --limt 3", "Did you mean --limit?"},
		{"user list --limit many", `--limit is a whole number, not "many".`},
		{"serve --port 70000", "--port is a number from 0 to 65535"},
		{"migrate down 0", "1 or more"},
		{"keygen --count 0", "--count"},
		{"completion tcsh", "must be one of"},
	} {
		b.run(strings.Fields(c.args)...).want(2, "admit: ", c.says)
	}
}

func TestHelpIsEverywhere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run().want(0, "Usage: admit <command>")
	b.run("help", "user", "create").want(0, "Usage: admit user create")
	var all func(n *kong.Node)
	all = func(n *kong.Node) {
		args := append(strings.Fields(strings.TrimPrefix(n.FullPath(), "admit")), "--help")
		a := b.run(args...).want(0, "Usage: "+n.FullPath())
		if n.Leaf() && !regexp.MustCompile(`Examples?:\n\n    .*admit`).MatchString(a.out) {
			t.Errorf("%s --help has no example:\n%s", n.FullPath(), a.out)
		}
		for _, c := range n.Children {
			all(c)
		}
	}
	all(kong.Must(&commands{}, kong.Name("admit"), kong.Vars{"version": ""}).Model.Node)
}

func TestConfigCheckSaysEveryFault(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("config", "check").want(0, "Nothing is wrong with the settings: 5 of ")
	b.env = append(b.env, "ADDR=nowhere", "BASE_URL=ftp://x", "ACCESS_TOKEN_EXPIRE_M=soon", "COOKIE_SAMESITE=loose")
	b.run("config", "check").want(1, "admit: 4 faults in the settings:", "ADDR", "BASE_URL", "ACCESS_TOKEN_EXPIRE_M", "COOKIE_SAMESITE")
	v := b.run("config", "check", "--json").want(1).json()
	if v.OK || len(v.Faults) != 4 {
		t.Fatalf("%+v", v)
	}
	b.run("config", "list").want(0, "4 settings", "admit config check")
	b.run("doctor").want(1, "✗ config", "4 problems")
	b.run("user", "list").want(1, "4 faults")
}

func TestConfigOfEnvFile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := os.WriteFile(filepath.Join(b.dir, ".env"), []byte("BASE_ULR=http://localhost:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.run("config", "check").want(1, "BASE_ULR", "line 1", "Did you mean BASE_URL?")
	b.run("serve").want(1, "Did you mean BASE_URL?")
}

func TestConfigExplain(t *testing.T) {
	t.Parallel()
	b := newBench(t, "COOKIE_SAMESITE=strict")
	b.run("config", "explain", "cookie_samesite").want(0, "accepts\tlax, strict or none\n", "default\tlax\n", "value\tstrict\n", "from\tenvironment\n")
	b.run("config", "explain", "ACCESS_SECRET_FILE").want(0, "name\tACCESS_SECRET\n", "ACCESS_SECRET_FILE may name a file")
	b.run("config", "explain", "COOKIE_SAMSITE").want(3, "Did you mean COOKIE_SAMESITE?")
	b.run("config", "explain", "BASE_URL_FILE").want(3)
	b.run("config", "explain", "COOKIE_SAMESITE", "--json").want(0, `"value": "strict"`)
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	secrets := []string{"postgres-pass-8c1f", "root-key-3b52-root-key-3b52-root-key-3b52", "access-secret-77d0-access-secret-77d0", "owner-pass-91ae"}
	b := newBench(t, "DATABASE_URL=postgres://admit:"+secrets[0]+"@127.0.0.1:1/admit?connect_timeout=1", "SESSION_SECRET_KEY="+secrets[1],
		"ACCESS_SECRET="+secrets[2], "OWNER_EMAIL=o@example.com", "OWNER_PASSWORD="+secrets[3])
	for _, args := range []string{"config list", "config list --json", "config check", "config check --json", "config explain DATABASE_URL", "config explain SESSION_SECRET_KEY --json",
		"doctor", "doctor --prod --json", "user list", "migrate up", "serve --port 0", "user create --email a@example.com --no-password"} {
		a := b.run(strings.Fields(args)...)
		for _, s := range secrets {
			if strings.Contains(a.out+a.err, s) {
				t.Errorf("%s tells %s:\n%s%s", args, s, a.out, a.err)
			}
		}
	}
	b.run("config", "list").want(0, "DATABASE_URL\t***\tenvironment\n")
	b.run("user", "list").want(1, "The database does not answer")
	b.run("doctor").want(1, "✗ database")
}

func TestKeygen(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	a := b.run("keygen", "--count", "2").want(0)
	if !regexp.MustCompile(`^[0-9a-f]{64}\n[0-9a-f]{64}\n$`).MatchString(a.out) || a.err != "" || a.out[:64] == a.out[65:129] {
		t.Fatalf("%q %q", a.out, a.err)
	}
	b.env = append(b.env, "SESSION_SECRET_KEY="+a.out[:64])
	b.run("config", "check").want(0)
}

func TestVersion(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("version").want(0, "admit dev (go1.")
	b.run("--version").want(0, "admit dev\n")
	b.run("version", "--json").want(0, `"version": "dev"`)
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		b.run("completion", shell).want(0, "user list", "password-file", "sessions")
	}
	if fish, err := exec.LookPath("fish"); err == nil {
		out, err := exec.CommandContext(t.Context(), fish, "-N", "-c", b.run("completion", "fish").out+"\ncomplete -C'admit --json user cr'; complete -C'admit user create --password-f'").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "create\tMake an account.\n--password-file\t") {
			t.Error(err, string(out))
		}
	}
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	script := b.run("completion", "bash").out
	for words, want := range map[string]string{
		"admit ":                                 "serve init doctor user org role permission guard key service-account webhook import export audit admin message config migrate backup db keygen snippet completion version",
		"admit us":                               "user",
		"admit --json user li":                   "list",
		"admit user list --li":                   "--limit",
		"admit user create --email a@b.c --pass": "--password-file",
		"admit completion f":                     "fish",
		"admit migrate ":                         "up down status new",
		"admit org role s":                       "set",
	} {
		typed := strings.Split(words, " ")
		test := script + "\nCOMP_WORDS=('" + strings.Join(typed, "' '") + "'); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _admit; echo \"${COMPREPLY[*]}\""
		out, err := exec.CommandContext(t.Context(), shell, "-c", test).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%q completes to %q, want %q: %v", words, out, want, err)
		}
	}
}
