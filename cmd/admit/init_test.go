package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/testkit/browser"
)

// begun is an app that admit init has begun, in a folder of a bench.
type begun struct {
	*bench
	dir  string
	vars []string // of make
}

// begin has the program begin an app, as a new user would. What make finds as admit is this test.
func begin(t *testing.T, framework string, args ...string) begun {
	t.Helper()
	if testing.Short() {
		t.Skip("the fast tests start no apps")
	}
	b := newBench(t)
	admit := b.command()
	if framework == "go" {
		args = append(args, "--checkout", testkit.Root(t))
	}
	b.run(append([]string{"init", framework, "jobs"}, args...)...).want(0, "make test")
	return begun{b, filepath.Join(b.dir, "jobs"), []string{"ADMIT=" + admit}}
}

// command puts this program into the directory, as admit.
func (b *bench) command() (file string) {
	b.Helper()
	file = filepath.Join(b.dir, "admit")
	own, err := os.Executable()
	if err == nil {
		err = os.WriteFile(file, []byte("#!/bin/sh\nTEST_RUN_MAIN=1 exec '"+own+"' \"$@\"\n"), 0o700)
	}
	if err != nil {
		b.Fatal(err)
	}
	return file
}

// make is the command, which is told what stands in vars.
func (a begun) make(target string) *exec.Cmd {
	cmd := exec.CommandContext(a.Context(), "make", append([]string{"--no-print-directory", target}, a.vars...)...)
	cmd.Dir = a.dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS") })
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0")                               // as make vet has compiled everything
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it ends what it has started
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// passes runs the test of the app.
func (a begun) passes(says string) {
	a.Helper()
	if out, err := a.make("test").CombinedOutput(); err != nil || !strings.Contains(string(out), says) {
		a.Fatalf("make test: %v, and not %q:\n%s", err, says, out)
	}
}

// start runs the app until the end of the test: demo has the people of its seed, dev takes up changes.
func (a begun) start(target, app string) {
	a.Helper()
	a.vars = append(a.vars, "PORT="+app, "AUTH_PORT="+testkit.FreePort(a.T))
	cmd, said := a.make(target), &testkit.Journal{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		a.Fatal(err)
	}
	a.Cleanup(func() {
		_ = cmd.Cancel()
		_ = cmd.Wait()
		if a.Failed() {
			a.Log(said.String())
		}
	})
	eventually(a.T, time.Minute, "the app", func() bool {
		resp, err := http.Get("http://localhost:" + app + "/")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == 200
	})
}

// From nothing to a guarded route in three commands: admit init, cd, make test. The recruiter is let in, and the viewer is not.
func TestInit(t *testing.T) {
	testkit.NodeJS(t)
	for _, orgs := range []string{"--orgs", "--no-orgs"} {
		t.Run("fastapi "+orgs, func(t *testing.T) {
			a := begin(t, "fastapi", orgs)
			a.vars = append(a.vars, "PYTHON="+testkit.Python(t))
			a.passes("Ran 4 tests")
		})
		t.Run("express "+orgs, func(t *testing.T) { begin(t, "express", orgs).passes("# pass 4") })
		t.Run("static "+orgs, func(t *testing.T) {
			a := begin(t, "static", orgs)
			a.vars = append(a.vars, "PORT="+testkit.FreePort(t), "AUTH_PORT="+testkit.FreePort(t))
			a.passes("ok: /members/ 403")
		})
		t.Run("go "+orgs, func(t *testing.T) { begin(t, "go", orgs).passes("--- PASS: TestWhoMayPost") })
	}
}

// A test of such an app fails when somebody may what they should not.
func TestInitTestsCanFail(t *testing.T) {
	a := begin(t, "fastapi")
	a.vars = append(a.vars, "PYTHON="+testkit.Python(t))
	seed := filepath.Join(a.dir, "seed.json")
	text, err := os.ReadFile(seed)
	if err != nil {
		t.Fatal(err)
	}
	open := strings.Replace(string(text), `"viewer", "permissions": []`, `"viewer", "permissions": ["post_job"]`, 1)
	if err := os.WriteFile(seed, []byte(open), 0o600); err != nil || open == string(text) {
		t.Fatal(err, open)
	}
	if out, err := a.make("test").CombinedOutput(); err == nil || !strings.Contains(string(out), "200 != 403") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// What is changed while such an app runs is taken up.
func TestInitTakesUpChanges(t *testing.T) {
	a := begin(t, "fastapi")
	a.vars = append(a.vars, "PYTHON="+testkit.Python(t))
	app := testkit.FreePort(t)
	a.start("dev", app)
	main := filepath.Join(a.dir, "main.py")
	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "    return jobs\n", "    return [{\"title\": \"changed\"}]\n", 1)
	var saved time.Time
	eventually(t, time.Minute, "the change", func() bool {
		if time.Since(saved) > 5*time.Second { // uvicorn looks at the files from a moment after it answers: what was saved before is no change to it
			if err := os.WriteFile(main, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			saved = time.Now()
		}
		resp, err := http.Get("http://localhost:" + app + "/jobs")
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		return err == nil && strings.Contains(string(body), "changed")
	})
}

// The pages of such an app: the recruiter signs in and posts, and everybody reads it.
func TestInitInABrowser(t *testing.T) {
	b := browser.New(t)
	testkit.NodeJS(t)
	a := begin(t, "express")
	app := testkit.FreePort(t)
	if out, err := a.make("node_modules").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a.start("demo", app)
	b.Open("http://localhost:" + app + "/post.html")
	said := b.Run(`
		const until = async (so) => {
			for (let i = 0; i < 1500; i++) {
				if (so()) return;
				await new Promise((done) => setTimeout(done, 20));
			}
			throw new Error('never: ' + so + '\n' + document.body.innerText);
		};
		const at = (what) => document.querySelector(what);
		await until(() => !at('#in').hidden);
		at('[name=email]').value = 'recruiter@acme.test';
		at('[name=password]').value = 'correct horse battery';
		at('#in button').click();
		await until(() => !at('#post').hidden && !at('#post button').disabled);
		at('[name=title]').value = 'Clerk';
		return {org: at('#org').selectedOptions[0].textContent};`)
	if said["org"] != "Acme" {
		t.Errorf("%v", said)
	}
	b.Press("#post button") // the app leads to the list
	b.Wait(`location.pathname === "/" && document.querySelector("li")?.textContent.includes("Clerk")`)
}

// What is left out is asked for at a terminal, and refused without one; whatever is not right writes nothing.
func TestInitAsks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for says, args := range map[string][]string{
		"needs to know what the app is written with": {"init"},
		`There is no app to begin with "expres", but one with each of: go, fastapi, express, static. Did you mean express?`: {"init", "expres"},
		`There is no provider "gogle"`:            {"init", "static", "jobs", "--providers", "gogle"},
		"--database is sqlite or postgres":        {"init", "static", "jobs", "--database", "mysql"},
		`An app cannot be called "<b>"`:           {"init", "static", "jobs", "--title", "<b>"},
		"This admit (dev) is no release":          {"init", "go", "jobs"},
		"--checkout " + b.dir + " is no checkout": {"init", "go", "jobs", "--checkout", b.dir},
	} {
		b.run(args...).want(2, says)
	}
	b.run("init", "static", "jobs", "--dry-run").want(0, "+++ Caddyfile", "Nothing was written.")
	if _, err := os.Stat(filepath.Join(b.dir, "jobs")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("a refusal or a dry run has written something", err)
	}

	b.terminal = cli.Terminals{In: true}
	b.typing("static\nmine\nno\npostgres\ngithub, apple\n", "init").want(0, "Sign in with", "✓ compose.yaml", "cd mine", "make up")
	env, err := os.ReadFile(filepath.Join(b.dir, "mine", ".env"))
	if err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"# GITHUB_ENABLED=true", "# GITHUB_CLIENT_SECRET=", "http://localhost:3000/auth/apple/callback", "# APPLE_TEAM_ID=", "DATABASE_URL=postgres://app:"} {
		if !strings.Contains(string(env), says) {
			t.Errorf("%q is not in .env:\n%s", says, env)
		}
	}
	if text, err := os.ReadFile(filepath.Join(b.dir, "mine", "permissions.json")); err != nil || !strings.Contains(string(text), `"reach": "platform"`) {
		t.Error(err, string(text))
	}
	b.dir = filepath.Join(b.dir, "mine")
	b.run("config", "check").want(0) // what was written is understood

	if err := os.WriteFile(filepath.Join(b.dir, "test.sh"), []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.run("init", "static", ".", "--no-orgs").want(2, "There is something else in", "test.sh", "Nothing was written")
	if text, _ := os.ReadFile(filepath.Join(b.dir, "test.sh")); string(text) != "mine\n" {
		t.Error("a file that was there is lost")
	}
	b.run("init", "express", "other", "--json").want(0, `"path": "admit-client/package.json"`, `"written": true`, `"cd other"`)
}

// besideServer is what TestServeBeside runs beside a server: it signs in before and after a reset.
func besideServer() int {
	ask := func(path, body string) int {
		resp, err := http.Post(os.Getenv("ADMIT_URL")+path, "application/json", strings.NewReader(body))
		if err != nil {
			return 0
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	login := func() int {
		return ask("/auth/login", `{"email":"ann@example.com","password":"correct horse battery"}`)
	}
	fmt.Printf("login %d, reset %d, login %d\n", login(), ask("/test/reset", ""), login())
	return 7
}

// A program beside the server finds it in ADMIT_URL, is ended with it, and ends it; its exit code is that of the command.
func TestServeBeside(t *testing.T) {
	t.Parallel()
	b := newBench(t, "PATH="+os.Getenv("PATH"))
	must := func(name, text string) {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must(".env", "DATABASE_URL=postgres://nowhere.invalid/real\n") // which --test does not read
	must("seed.json", `{"users":[{"email":"ann@example.com","password":"correct horse battery"}]}`)
	must("wrong.json", `{"people":[]}`)
	must("half.json", `{"organizations":[{"name":"Acme","owner":"ann@example.com"}]}`)
	at := func(name string) string { return filepath.Join(b.dir, name) }
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b.env = append(b.env, "TEST_RUN_BESIDE=1")
	b.run("serve", "--test", "--seed", at("seed.json"), "--port", "0", "--", own).want(7, "login 200, reset 200, login 200") // a reset leaves what it was filled with
	b.run("serve", "--test", "--port", "0", "true").want(0)
	b.run("serve", "--test", "--port", "0", "--", "no-such-program").want(2, "There is no program no-such-program")
	b.run("serve", "9000").want(2, "There is no program 9000")
	b.run("serve", "--test", "--seed", at("none.json"), "--port", "0").want(2, "--seed:", "none.json")
	b.run("serve", "--test", "--seed", at("wrong.json"), "--port", "0").want(2, "is not a seed", "people")
	b.run("serve", "--test", "--seed", at("half.json"), "--port", "0").want(3, "half.json", "organizations[0]")
	must(".env", "")
	b.run("serve", "--seed", at("seed.json"), "--port", "0").want(2, "give it with --test")

	cmd, said := b.process("serve", "--test", "--port", "0", "--", "sh", "-c", `trap 'echo "I go" >&2; exit 3' TERM; echo "I am here" >&2; while :; do sleep 0.1; done`)
	eventually(t, time.Minute, "the program", func() bool { return strings.Contains(said.String(), "I am here") })
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil || !strings.Contains(said.String(), "I go") {
		t.Error(err, said)
	}
}
