package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/testkit/browser"
)

const pass = "a password of somebody"

// board is examples/express beside admit serve, which is below a path behind a proxy that counts: two processes of their own.
type board struct {
	*bench
	auth, app string // where each is
	refreshes atomic.Int64
	gate      sync.RWMutex // whoever locks it keeps refreshes from the server
}

func newBoard(t *testing.T) *board {
	testkit.NodeJS(t)
	h := &board{bench: newBench(t)}
	for _, part := range []string{"sdk/js/src", "examples/express/public"} {
		h.must(os.CopyFS(filepath.Join(h.dir, part), os.DirFS("../../"+part)))
	}
	for _, file := range []string{"sdk/js/package.json", "examples/express/package.json", "examples/express/package-lock.json", "examples/express/app.js"} {
		text, err := os.ReadFile("../../" + file)
		h.must(err)
		h.must(os.WriteFile(filepath.Join(h.dir, file), text, 0o600))
	}
	example := filepath.Join(h.dir, "examples", "express")
	install := exec.CommandContext(t.Context(), testkit.NPM[0], testkit.NPM[1:]...)
	install.Dir = example
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	h.must(err)
	direct, app := "127.0.0.1:"+testkit.FreePort(t), testkit.FreePort(t)
	h.auth, h.app = fmt.Sprintf("http://localhost:%d/accounts", listener.Addr().(*net.TCPAddr).Port), "http://localhost:"+app
	proxy := &http.Server{ReadHeaderTimeout: time.Minute, Handler: h.proxy(&url.URL{Scheme: "http", Host: direct})}
	go func() { _ = proxy.Serve(listener) }()
	t.Cleanup(func() { _ = proxy.Close() })
	h.env = append(h.env, "ADDR="+direct, "BASE_URL="+h.auth, "CORS_ORIGINS="+h.app, "PASSKEY_ORIGINS="+h.app)
	server, said := h.process("serve")
	h.ends(server, said)

	said = &testkit.Journal{}
	node := exec.Command("node", "app.js")
	node.Dir, node.Env, node.Stdout, node.Stderr = example, []string{"PATH=" + os.Getenv("PATH"), "NODE_OPTIONS=" + os.Getenv("NODE_OPTIONS"), "ADMIT_URL=" + h.auth, "PORT=" + app}, said, said
	h.must(node.Start())
	h.ends(node, said)
	eventually(t, time.Minute, "the example", func() bool { return strings.Contains(said.String(), h.app) })
	return h
}

// ends has a process end with the test.
func (h *board) ends(cmd *exec.Cmd, said *testkit.Journal) {
	h.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if h.Failed() {
			h.Log(said.String())
		}
	})
}

func (h *board) proxy(to *url.URL) http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/accounts/api/v1/refresh" {
			h.refreshes.Add(1)
			h.gate.RLock()
			defer h.gate.RUnlock()
		}
		proxy.ServeHTTP(w, r)
	})
}

func (h *board) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// at is a program that talks to one of the two.
func (h *board) at(address, bearer string) *testkit.Client {
	c := served{url: strings.Replace(address, "localhost", "127.0.0.1", 1)}.client(h.T)
	c.Bearer = bearer
	return c
}

// signIn gives somebody tokens.
func (h *board) signIn(email string) testkit.Answer {
	h.Helper()
	return h.at(h.auth, "").Post("/auth/login?transport=token", testkit.M{"email": email, "password": pass}).Want(200)
}

// settle makes an organization with somebody who may post jobs and somebody who may see them.
func (h *board) settle() {
	h.Helper()
	for _, name := range []string{"ann", "bob", "eve"} {
		args := []string{"user", "create", "--email", name + "@example.com", "--password-file", "-"}
		if name == "ann" {
			args = append(args, "--role", "super_admin")
		}
		h.typing(pass, args...).want(0)
	}
	for _, args := range [][]string{
		{"permission", "declare", "post_job", "Post a job"},
		{"permission", "declare", "view_jobs", "See jobs"},
		{"org", "create", "Acme", "--owner", "ann@example.com"},
		{"org", "role", "create", "acme", "Recruiter", "--permission", "post_job", "--permission", "view_jobs"},
		{"org", "role", "create", "acme", "Viewer", "--permission", "view_jobs"},
		{"org", "add-member", "acme", "bob@example.com", "--role", "viewer"},
		{"org", "add-member", "acme", "eve@example.com", "--role", "recruiter"},
	} {
		h.run(args...).want(0)
	}
	eve := h.at(h.auth, h.signIn("eve@example.com").Text("access_token"))
	eventually(h.T, time.Minute, "the server hears of what commands have changed", func() bool {
		return eve.Post("/api/v1/check", testkit.M{"permission": "post_job", "org_id": "acme"}).JSON["allowed"] == true
	})
}

// The example lets people through by who they are, by what they are on the whole platform and by what their organization says, and hears of every end and every change.
func TestExpress(t *testing.T) {
	h := newBoard(t)
	h.settle()
	stranger := h.at(h.app, "")
	stranger.Get("/me").Want(401, "unauthenticated")
	stranger.Bearer = "a.b.c"
	stranger.Get("/me").Want(401, "invalid_token")

	bob := h.at(h.app, "")
	tokens := h.signIn("bob@example.com")
	bob.Bearer = tokens.Text("access_token")
	eventually(t, time.Minute, "the feed is heard", func() bool { return bob.Get("/me").Status == 200 })
	me := bob.Get("/me").Want(200)
	if !strings.HasPrefix(me.Text("id"), "usr_") || fmt.Sprint(me.JSON["roles"], me.JSON["orgRoles"], me.JSON["amr"]) != "[] [viewer] [pwd]" {
		t.Errorf("%s", me.Body)
	}
	job := testkit.M{"title": "Cook"}
	eve := h.at(h.app, h.signIn("eve@example.com").Text("access_token"))
	eve.Post("/orgs/acme/jobs", job).Want(201)
	bob.Post("/orgs/acme/jobs", job).Want(403, "missing_permission")
	bob.Get("/orgs/acme/jobs").Want(200)
	bob.Get("/orgs/nowhere/jobs").Want(403, "missing_permission")
	stranger.Post("/orgs/acme/jobs", job).Want(401)

	// A role is changed. A token that says otherwise is to be refreshed, and then it holds.
	ann := h.at(h.auth, h.signIn("ann@example.com").Text("access_token"))
	ann.Do("PUT", "/api/v1/orgs/acme/members/"+me.Text("id")+"/roles", testkit.M{"roles": []string{"recruiter"}}).Want(200)
	eventually(t, time.Minute, "the token is outdated", func() bool { return bob.Get("/me").Status == 401 })
	bob.Get("/me").Want(401, "token_outdated")
	bob.Bearer = h.at(h.auth, "").Post("/api/v1/refresh", testkit.M{"refresh_token": tokens.Text("refresh_token")}).Want(200).Text("access_token")
	bob.Post("/orgs/acme/jobs", job).Want(201)

	bob.Do("DELETE", "/jobs", nil).Want(403, "missing_role")
	h.at(h.app, ann.Bearer).Do("DELETE", "/jobs", nil).Want(204)

	// Who signs out is refused there too.
	h.at(h.auth, bob.Bearer).Post("/auth/logout", nil).Want(200)
	eventually(t, time.Minute, "the end is heard", func() bool { return bob.Get("/me").Status == 401 })
	bob.Get("/me").Want(401, "session_invalid")
	eve.Get("/me").Want(200)
}

// In a real browser two tabs that need a token at the same moment ask for it once, a passkey is made and opens the door, and the page of the example does what it shows.
func TestPageOfExpress(t *testing.T) {
	b := browser.New(t)
	h := newBoard(t)
	h.settle()
	b.Device()
	b.Open(h.app + "/settings.json")
	begin := `window.auth = (await import('/admit-client/index.js')).createAuth({url: '` + h.auth + `', transport: 'token'});
		window.read = async (answer) => ({status: answer.status, ...await answer.json()});
		window.changes = [];
		auth.onChange((user) => changes.push(user?.email ?? null));
		return {user: await auth.me()};`
	if in := b.Run(begin); in["user"] != nil {
		t.Fatal(in)
	}
	if no := b.Run(`try { await auth.signIn({email: 'eve@example.com', password: 'wrong'}); return {}; } catch (e) { return {name: e.name, code: e.code, status: e.status}; }`); no["name"] != "AdmitError" || no["code"] != "invalid_credentials" || no["status"] != 401.0 {
		t.Fatal(no)
	}
	if in := b.Run(`return (await auth.signIn({email: 'eve@example.com', password: '` + pass + `'})).user;`); in["email"] != "eve@example.com" {
		t.Fatal(in)
	}
	other := b.Tab()
	other.Open(h.app + "/settings.json")
	if in := other.Run(begin); in["user"].(testkit.M)["email"] != "eve@example.com" {
		t.Fatal(in)
	}

	h.gate.Lock() // until both have asked
	before := h.refreshes.Load()
	for _, tab := range []*browser.Browser{b, other} {
		tab.Run(`window.renewed = auth.refresh(); return {};`)
	}
	eventually(t, time.Minute, "the other tab waits", func() bool {
		return b.Run(`const {held, pending} = await navigator.locks.query(); return {held: held.length, pending: pending.length};`)["pending"] == 1.0
	})
	h.gate.Unlock()
	for _, tab := range []*browser.Browser{b, other} {
		if in := tab.Run(`return {renewed: await renewed, me: await read(await auth.fetch('/me'))};`); in["renewed"] != true || in["me"].(testkit.M)["status"] != 200.0 {
			t.Error(in)
		}
	}
	if n := h.refreshes.Load() - before; n != 1 {
		t.Errorf("%d refreshes", n)
	}

	if made := b.Run(`return auth.passkeys.register({name: 'Chromium'});`); made["name"] != "Chromium" || made["synced"] != true {
		t.Fatal(made)
	}
	b.Run(`await auth.signOut(); return {};`)
	other.Wait(`auth.user === null && changes.at(-1) === null`)
	if out := other.Run(`return {status: (await auth.fetch('/me')).status};`); out["status"] != 401.0 {
		t.Error(out)
	}
	for _, how := range []string{`{}`, `{suggest: await auth.passkeys.suggests()}`} {
		if in := b.Run(`const {user} = await auth.passkeys.signIn(` + how + `); return {email: user.email, me: await read(await auth.fetch('/me')), proved: await auth.passkeys.reauthenticate()};`); in["email"] != "eve@example.com" || in["me"].(testkit.M)["status"] != 200.0 || in["proved"].(testkit.M)["fresh_until"] == nil {
			t.Errorf("%s: %v", how, in)
		}
		other.Wait(`auth.user?.email === 'eve@example.com'`)
		b.Run(`await auth.signOut(); return {};`)
	}

	b.Open(h.app + "/")
	b.Wait(`!document.getElementById('in').hidden`)
	b.Run(`document.querySelector('#in [name=email]').value = 'eve@example.com'; document.querySelector('#in [name=password]').value = '` + pass + `'; document.querySelector('#in .primary').click(); return {};`)
	b.Wait(`!document.getElementById('post').checkVisibility ? false : document.getElementById('post').checkVisibility()`)
	b.Run(`document.querySelector('#post [name=title]').value = 'Cook'; document.querySelector('#post .primary').click(); return {};`)
	b.Wait(`document.querySelector('#jobs li')?.textContent === 'Cook'`)
	b.Run(`document.getElementById('out').click(); return {};`)
	b.Wait(`!document.getElementById('in').hidden && document.getElementById('board').hidden`)
	b.Run(`document.getElementById('passkey').click(); return {};`)
	b.Wait(`document.getElementById('who').textContent === 'eve@example.com'`)
}

var block = regexp.MustCompile("(?s)```(?:js|html)\n(.*?)```")

// The code of docs/javascript.md is that of the example, or of a test.
func TestDocumentedJavaScript(t *testing.T) {
	var all strings.Builder
	for _, file := range []string{"examples/express/app.js", "examples/express/public/board.js", "sdk/js/test/guard.test.js"} {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(flush(string(text)) + "\n")
	}
	text, err := os.ReadFile("../../docs/javascript.md")
	if err != nil {
		t.Fatal(err)
	}
	list := block.FindAllStringSubmatch(string(text), -1)
	if len(list) < 4 {
		t.Fatalf("only %d pieces of code were found", len(list))
	}
	for _, one := range list {
		for _, part := range strings.Split(flush(one[1]), "\n…\n") {
			if !strings.Contains(all.String(), strings.TrimSpace(part)) {
				t.Errorf("docs/javascript.md shows what is not in the example:\n%s", part)
			}
		}
	}
}

// flush is a text whose lines begin at the left.
func flush(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}
