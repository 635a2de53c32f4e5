// Package python_test tries the Python package and its examples with a real server: processes of admit serve, of uvicorn, Flask and Django.
package python_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/testkit/browser"
)

type m = testkit.M

const pass = "a good passphrase"

// The tests of the package itself.
func TestPythonPackage(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), testkit.Python(t), "-B", "-m", "unittest", "discover")
	cmd.Dir = filepath.Join(testkit.Root(t), "sdk", "python")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	} else if !strings.Contains(string(out), "\nOK") {
		t.Fatalf("no tests were run:\n%s", out)
	}
}

// program is a process of a test, which ends with it.
type program struct {
	*testing.T
	url  string
	dir  string
	env  []string
	said *testkit.Journal
}

// in is the same program for a part of the test.
func (p program) in(t *testing.T) program { p.T = t; return p }

// start runs a program and waits until it answers a path.
func (p program) start(path string, args ...string) program {
	p.Helper()
	p.said = &testkit.Journal{}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = p.dir, p.env, p.said, p.said, 5*time.Second
	if err := cmd.Start(); err != nil {
		p.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { _ = cmd.Wait(); close(gone) }()
	p.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
		if p.Failed() {
			p.Log(p.said)
		}
	})
	p.come(args[0]+" answers", func() bool {
		select {
		case <-gone:
			p.Fatalf("%s has ended:\n%s", args[0], p.said)
		default:
		}
		ctx, cancel := context.WithTimeout(p.Context(), 2*time.Second)
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, "GET", p.url+path, nil)
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == 200
	})
	return p
}

// come asks until it is so.
func (p program) come(what string, so func() bool) {
	p.Helper()
	for range 2000 {
		if so() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.Fatalf("never: %s\n%s", what, p.said)
}

// client keeps cookies, and goes to the server.
func (p program) client() *testkit.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.Fatal(err)
	}
	return &testkit.Client{T: p, URL: p.url, Header: http.Header{}, Client: &http.Client{Jar: jar}}
}

// serve starts an admit serve, below a path of its host, that pages of an app may ask.
func serve(t *testing.T, app string) program {
	t.Helper()
	dir, port := t.TempDir(), testkit.FreePort(t)
	at := "http://localhost:" + port + "/accounts"
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "admit"), "../../cmd/admit")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := program{T: t, url: at, dir: dir, env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "DATA_DIR=" + filepath.Join(dir, "admit-data"), "BASE_URL=" + at,
		"DATABASE_URL=" + testkit.DatabaseURL(t, testkit.Engines()[0]), "ADDR=127.0.0.1:" + port, "CORS_ORIGINS=" + app, "RATE_LIMIT=off", "EMAIL_VERIFICATION=off",
		"PASSWORD_HASH_MEMORY_KIB=64", "PASSWORD_HASH_ITERATIONS=1"}}
	return p.start("/health/ready", filepath.Join(dir, "admit"), "serve")
}

// admit runs a command of the operator.
func (p program) admit(args ...string) {
	p.Helper()
	cmd := exec.CommandContext(p.Context(), filepath.Join(p.dir, "admit"), args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	if out, err := cmd.CombinedOutput(); err != nil {
		p.Fatalf("admit %v: %v\n%s", args, err, out)
	}
}

// run starts the example of a framework.
func run(t *testing.T, framework, port string, server program) program {
	t.Helper()
	root := testkit.Root(t)
	args := map[string][]string{
		"fastapi": {"-m", "uvicorn", "main:app", "--port", port, "--log-level", "warning"},
		"flask":   {"-m", "flask", "--app", "main", "run", "--port", port},
		"django":  {"main.py", "runserver", "--noreload", "127.0.0.1:" + port},
	}[framework]
	p := program{T: t, url: "http://127.0.0.1:" + port, dir: filepath.Join(root, "examples", framework), env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		"ADMIT_URL=" + server.url, "PYTHONPATH=" + filepath.Join(root, "sdk", "python"), "PYTHONDONTWRITEBYTECODE=1"}}
	return p.start("/jobs", append([]string{testkit.Python(t)}, args...)...)
}

// The examples know who asks and what they may do, each with a server elsewhere: what is changed there holds here.
func TestPythonExamples(t *testing.T) {
	testkit.Python(t)
	documented := testkit.FreePort(t) // its pages ask the server themselves
	server := serve(t, "http://localhost:"+documented)
	server.admit("permission", "declare", "post_job", "Post a job")
	for _, framework := range []string{"fastapi", "flask", "django"} {
		t.Run(framework, func(t *testing.T) {
			t.Parallel()
			port := documented
			if framework != "fastapi" {
				port = testkit.FreePort(t)
			}
			app := run(t, framework, port, server)
			walk(t, framework, server.in(t), app)
			if framework == "fastapi" {
				t.Run("the Authorize button", func(t *testing.T) { authorize(t, server.in(t), "http://localhost:"+port) })
			}
		})
	}
}

func walk(t *testing.T, framework string, server, app program) {
	signUp := func(name string) (*testkit.Client, *testkit.Client, string) {
		c := server.client()
		u := c.Post("/auth/signup?transport=token", m{"email": name + "@" + framework + ".example", "password": pass}).Want(201)
		c.Bearer = u.Text("access_token")
		there := app.client()
		there.Bearer = c.Bearer
		return c, there, c.Get("/auth/me").Text("id")
	}
	ann, _, _ := signUp("ann")
	acme := ann.Post("/api/v1/orgs", m{"name": framework}).Want(201).Text("id")
	ann.Post("/api/v1/orgs/"+acme+"/roles", m{"name": "Viewer", "permissions": []string{}}).Want(201)
	ann.Post("/api/v1/orgs/"+acme+"/roles", m{"name": "Recruiter", "permissions": []string{"post_job"}}).Want(201)
	bob, there, bobID := signUp("bob")
	server.admit("org", "add-member", framework, bobID, "--role", "viewer")

	stranger := app.client()
	stranger.Get("/jobs").Want(200)
	no := stranger.Get("/me").Want(401, "unauthenticated")
	if no.Header.Get("Content-Type") != "application/problem+json" || no.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("%v", no.Header)
	}
	stranger.Bearer = bob.Bearer + "A"
	stranger.Get("/me").Want(401, "invalid_token")
	app.come("the feed is heard", func() bool { return there.Get("/me").Status == 200 })
	if me := there.Get("/me").Want(200); me.Text("id") != bobID {
		t.Errorf("%s", me.Body)
	}

	jobs, job := "/orgs/"+acme+"/jobs", m{"title": "Clerk"}
	stranger.Bearer = ""
	stranger.Post(jobs, job).Want(401, "unauthenticated")
	there.Post(jobs, job).Want(403, "missing_permission")
	ann.Do("PUT", "/api/v1/orgs/"+acme+"/members/"+bobID+"/roles", m{"roles": []string{"recruiter"}}).Want(200)
	if posted := there.Post(jobs, job).Want(200); posted.Text("by") != bobID || posted.Text("org") != acme { // at once, with the same token
		t.Errorf("%s", posted.Body)
	}
	there.Post("/orgs/"+framework+"/jobs", job).Want(200)
	there.Post("/orgs/nowhere/jobs", job).Want(403, "missing_permission")
	ann.Do("PUT", "/api/v1/orgs/"+acme+"/members/"+bobID+"/roles", m{"roles": []string{"viewer"}}).Want(200)
	there.Post(jobs, job).Want(403, "missing_permission")

	there.Get("/report").Want(403, "missing_role")
	there.Do("DELETE", "/jobs", nil).Want(403, "missing_role")
	server.admit("role", "grant", bobID, "manager")
	app.come("the token tells what is not so any more", func() bool { a := there.Get("/report"); return a.Status == 401 && a.JSON["code"] == "token_outdated" })
	app.come("the next one does", func() bool { // a command made the change: the server itself may hear of it a moment after the feed
		bob.Bearer = bob.Post("/auth/login?transport=token", m{"email": "bob@" + framework + ".example", "password": pass}).Want(200).Text("access_token")
		there.Bearer = bob.Bearer
		return there.Get("/report").Status == 200
	})
	if n := there.Get("/report").Want(200); n.JSON["jobs"] != 2.0 {
		t.Errorf("%s", n.Body)
	}
	there.Do("DELETE", "/jobs", nil).Want(200)

	bob.Post("/auth/logout", nil).Want(200)
	app.come("the session has ended", func() bool { a := there.Get("/me"); return a.Status == 401 && a.JSON["code"] == "session_invalid" })
	there.Post(jobs, job).Want(401, "session_invalid")
}

// authorize presses the Authorize button of the app's own documentation: Swagger UI runs in the app's page, signs in at the server, and the browser lets it.
func authorize(t *testing.T, server program, at string) {
	b := browser.New(t)
	server.client().Post("/auth/signup", m{"email": "cid@example.com", "password": pass}).Want(201)

	// FastAPI's page takes Swagger UI from another host, which is not asked here: the same comes from our own documentation.
	page := string(server.client().Get("/docs").Want(200).Body)
	_, after, _ := strings.Cut(page, `src="docs/assets/swagger-ui-bundle`)
	name, _, _ := strings.Cut(after, `"`)
	script := server.client().Get("/docs/assets/swagger-ui-bundle" + name).Want(200).Body
	text, err := json.Marshal(string(script))
	if err != nil {
		t.Fatal(err)
	}
	b.Open(at + "/jobs")
	said := b.Run(`
		(0, eval)(` + string(text) + `);
		const page = new DOMParser().parseFromString(await (await fetch('/docs')).text(), 'text/html');
		const own = [...page.scripts].find((s) => !s.src).textContent;
		document.body.innerHTML = '<div id="swagger-ui"></div>';
		(0, eval)(own.replace('const ui', 'window.ui'));
		const find = async (what, text) => {
			for (let i = 0; i < 1500; i++) {
				const e = [...document.querySelectorAll(what)].find((e) => !text || e.innerText.includes(text));
				if (e) return e;
				await new Promise((done) => setTimeout(done, 20));
			}
			throw new Error('there is no ' + what + ' ' + (text || '') + ' in ' + document.body.innerText);
		};
		const type = (e, text) => {
			Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(e, text);
			e.dispatchEvent(new Event('input', {bubbles: true}));
			e.dispatchEvent(new Event('change', {bubbles: true}));
		};
		(await find('button.authorize', 'Authorize')).click();
		type(await find('#oauth_username'), 'cid@example.com');
		type(await find('#oauth_password'), ` + "'" + pass + `');
		(await find('.auth-container button.authorize', 'Authorize')).click();
		await find('.auth-container button', 'Logout');
		(await find('button.btn-done')).click();
		(await find('.opblock-summary-control', '/me')).click();
		(await find('button.try-out__btn')).click();
		(await find('button.execute')).click();
		const answer = await find('.live-responses-table tbody tr.response');
		return {status: answer.querySelector('.response-col_status').innerText, body: answer.querySelector('.response-col_description').innerText};`)
	if status, _ := said["status"].(string); !strings.HasPrefix(status, "200") || !strings.Contains(fmt.Sprint(said["body"]), `"usr_`) {
		t.Errorf("%v", said)
	}
}

var pulled = regexp.MustCompile("(?s)<!-- (examples/[a-z]+/main\\.py) -->\n```python\n.*?```\n")

// The code of the page is that of the examples.
func TestPythonPageIsCurrent(t *testing.T) {
	root := testkit.Root(t)
	page, err := os.ReadFile(filepath.Join(root, "docs", "python.md"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	want := pulled.ReplaceAllStringFunc(string(page), func(block string) string {
		name := pulled.FindStringSubmatch(block)[1]
		code, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		n++
		return "<!-- " + name + " -->\n```python\n" + string(code) + "```\n"
	})
	if n != 3 {
		t.Fatalf("the page has the code of %d examples", n)
	}
	testkit.Current(t, "docs/python.md", want)
}
